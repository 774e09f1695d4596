"""The report as one HTML file: it holds its style, its script and its figures, and asks for nothing.

Equal pages give equal bytes. Text is escaped by the template; only our own style and script, figures that were taken
apart and put together again, and Markdown without HTML of its own go in as they are.
"""

import re
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
from markdown_it import MarkdownIt
from markupsafe import Markup, escape
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from alignment_gym.core.files import write_text
from alignment_gym.experiments.collected import Trouble
from alignment_gym.reports.study.aggregates import aggregates
from alignment_gym.reports.study.drawn import PAPER, Drawn
from alignment_gym.reports.study.findings import summary
from alignment_gym.reports.study.page import Page, page_of
from alignment_gym.reports.study.sheets import Entry
from alignment_gym.reports.tables import Record
from alignment_gym.viewing.templating import environment_of, own

TEMPLATES = Path(__file__).parent / "templates"
STRIP_WIDTH, STRIP_HEIGHT, STRIP_MARGIN = 100.0, 14.0, 5.0  # pixels
SCALE = 1.4  # at most: a figure for print has small letters for a screen
FILLED = ' class="hack"'
GEOMETRY = ("d", "x", "y", "points")  # attributes that hold coordinates, in points
NAMES = "{http://www.w3.org/2000/svg}"


def write_page(
    records: Sequence[Record],
    troubles: Sequence[Trouble],
    study: str,
    out: Path,
    written: Sequence[Path] = (),
    figures: Sequence[Drawn] = (),
    details: str = "",
) -> list[Path]:
    """Write `index.html`, and its findings as `findings.md`.

    Args:
        records: at least one.
        troubles: runs without a usable result; their folders are shown as they are.
        study: its name.
        out: where to.
        written: files below `out` to link to.
        figures: what is shown of the study.
        details: paragraphs of Markdown on how it was done.
    """
    files = [path.relative_to(out) for path in (*written, out / "findings.md")]
    with mpl.rc_context(PAPER):
        page = page_of(records, troubles, study, files, aggregates(records), figures, details)
        text = rendered(page)
    write_text(out / "findings.md", summary(page.findings))
    write_text(out / "index.html", text)
    return [out / "findings.md", out / "index.html"]


def rendered(page: Page) -> str:
    """Return a page as HTML."""
    environment = environment_of(TEMPLATES)
    environment.filters["code"] = _code
    return environment.get_template("report.html.jinja").render(
        page=page,
        style=own("report.css", TEMPLATES),
        script=own("report.js", TEMPLATES),
        details=_prose(page.details),
        figures=[(each, inline_svg(each.figure, f"figure-{each.name}", each.caption)) for each in page.figures],
        strip=_strip,
        anchor=anchor,
    )


def anchor(name: str) -> str:
    """Return a name as an id: of letters, digits, dots, underscores and hyphens."""
    return re.sub(r"[^\w.-]+", "-", name)


def inline_svg(figure: Figure, name: str, says: str) -> Markup:
    """Return a figure to be put into a page, with ids that begin with its name.

    It has a width and no height of its own: the page decides. What is said of it goes to those who can't see it.
    """
    buffer = BytesIO()
    with mpl.rc_context(PAPER):
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})  # type: ignore[no-untyped-call]
    root = ElementTree.fromstring(buffer.getvalue())
    for parent in root.iter():
        for child in [each for each in parent if each.tag == f"{NAMES}metadata"]:
            parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.removeprefix(NAMES)
        element.attrib = {_bare(key): _owned(_bare(key), value, name) for key, value in element.attrib.items()}
        if element.tag == "style":
            element.text = (element.text or "").replace("*{", f"#{name} *{{")  # of this figure, not of the page
    for attribute in ("height", "version"):
        root.attrib.pop(attribute, None)
    width = root.attrib.pop("width")
    root.attrib |= {"id": name, "role": "img", "aria-label": says, "style": f"max-width:calc({SCALE} * {width})"}
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _bare(key: str) -> str:
    """Return an attribute's name without its namespace, which HTML has no use for."""
    return key.rpartition("}")[2]


def _owned(key: str, value: str, name: str) -> str:
    """Return an attribute's value, with ids made a figure's own and coordinates to a hundredth of a point."""
    if key == "id":
        return f"{name}-{value}"
    if key == "href":
        return value.replace("#", f"#{name}-", 1)
    if key in GEOMETRY:
        return re.sub(r"-?\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}", value)
    return value.replace("url(#", f"url(#{name}-")


def _prose(text: str) -> Markup:
    """Return Markdown as HTML, headings a level lower, as it has one above; HTML in it is shown, not obeyed."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
    return Markup(parser.renderer.render(tokens, parser.options, {}))


def _code(text: str) -> Markup:
    """Return text with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _strip(entry: Entry) -> Markup:
    """Draw an entry's dots between 0 and 1."""
    span = STRIP_WIDTH - 2 * STRIP_MARGIN
    placed = [(STRIP_MARGIN + span * min(max(dot.place, 0.0), 1.0), dot.filled) for dot in entry.dots]
    dots = "".join(f'<circle cx="{x:.1f}" cy="7" r="3"{FILLED if filled else ""}/>' for x, filled in placed)
    shape = f'class="strip" viewBox="0 0 {STRIP_WIDTH:g} {STRIP_HEIGHT:g}" role="img"'
    ends = f"M{STRIP_MARGIN:g} 2v10m0-5h{span:g}m0-5v10"
    return Markup('<svg {} aria-label="{}"><path d="{}"/>{}</svg>').format(
        Markup(shape), entry.text, ends, Markup(dots)
    )
