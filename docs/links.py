"""Check a built site: links lead somewhere, anchors are there, and no page fetches anything from elsewhere.

`python docs/links.py dist/site` lists the hosts that links lead to, and exits with 4 where something is wrong.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

FETCHED = {
    ("script", "src"),
    ("img", "src"),
    ("img", "srcset"),
    ("source", "srcset"),
    ("iframe", "src"),
    ("link", "href"),
}
PASSIVE = {"canonical", "search", "index", "next", "prev", "author", "copyright"}  # kinds of <link> that load nothing


class Page(HTMLParser):
    """What a page links to, what it loads, and which anchors it has."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.anchors = [], [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        """Note an element's links and anchors."""
        found = dict(attrs)
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}
        for name, value in attrs:
            if (tag, name) in FETCHED and value and not set((found.get("rel") or "").split()) & PASSIVE:
                self.loaded.append(value)
            elif name == "href" and value and tag == "a":
                self.links.append(value)


def played(page, site):
    """Tell whether a page is a playground, whose anchors are levels and keys."""
    return "playground" in page.relative_to(site).parts


def problems(site):
    """Yield what is wrong, a line each."""
    site = site.resolve()
    pages = {path: Page(path) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        here = path.relative_to(site)
        for address in page.loaded:
            if urlsplit(address).netloc:
                yield f"{here}: loads {address} from the network"
        for address in page.links + page.loaded:
            if urlsplit(address).scheme or urlsplit(address).netloc:
                continue
            file, anchor = unquote(urlsplit(address).path), unquote(urldefrag(address).fragment)
            target = (path.parent / file).resolve() if file else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file() or not target.is_relative_to(site):
                yield f"{here}: {address} leads nowhere"
            elif anchor and target in pages and anchor not in pages[target].anchors and not played(target, site):
                yield f"{here}: {address} has no such anchor"
    for path in sorted(site.rglob("*.css")):
        if "url(http" in path.read_text(encoding="utf-8").replace('"', "").replace("'", ""):
            yield f"{path.relative_to(site)}: loads from the network"


def hosts(site):
    """Return how many links lead to which host."""
    counted = {}
    for path in sorted(site.rglob("*.html")):
        for address in Page(path).links:
            host = urlsplit(address).netloc
            if host:
                counted[host] = counted.get(host, 0) + 1
    return counted


if __name__ == "__main__":
    site = Path(sys.argv[1]).resolve()
    wrong = list(problems(site))
    for host, count in sorted(hosts(site).items()):
        print(f"not fetched: {count} links to {host}")
    print(*wrong, sep="\n") if wrong else print(
        "all links inside of the site lead somewhere; nothing is loaded from elsewhere"
    )
    sys.exit(4 if wrong else 0)
