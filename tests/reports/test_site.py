"""The site's sources: every world has a page, and links between pages lead somewhere. No Sphinx is needed here."""

import re
from pathlib import Path

import pytest

from alignment_gym.core import world_class
from alignment_gym.reports import site, site_files
from tests.every import WORLDS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
WRITTEN = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
LINK = re.compile(r"\]\(([^)\s]+)\)|^:link: (\S+)$|^:img-top: (\S+)$", flags=re.MULTILINE)
TOCTREE = re.compile(r"```\{toctree\}\n(.*?)```", flags=re.DOTALL)
CODE = re.compile(r"```(?!\{).*?```|`[^`\n]+`", flags=re.DOTALL)


@pytest.fixture(scope="module")
def pages():
    """Generated and written pages together, by their paths."""
    written = {name: (DOCS / name).read_text() for name in WRITTEN if not is_generated(name)}
    return site.site_pages(ROOT, WORLDS) | written


def is_generated(name):
    return name == "worlds.md" or name.split("/")[0] in ("envs", "agents", "experiments", "generated", "_extra")


def broken(pages, files):
    """Return links from pages to what is neither a page nor a file."""
    wrong = []
    for name, text in pages.items():
        home = "" if name == "generated/headline.md" else str(Path(name).parent)  # the start page includes it
        for found in LINK.findall(CODE.sub("", text)):
            address = "".join(found).partition("#")[0]
            if not address or "://" in address:
                continue
            target = str((ROOT / home / address).resolve().relative_to(ROOT))
            if not {target, f"{target}.md", f"{target}.rst"} & (pages.keys() | files):
                wrong.append(f"{name}: {address}")
    return wrong


def test_every_world_has_a_page_with_its_card_an_animation_and_a_way_to_play(pages):
    for world in WORLDS:
        text = pages[f"envs/{world}.md"]
        assert text.startswith(f"# {world_class(world).card.title}\n")
        assert f"../animations/{world}.webp" in text
        assert f"../playground/{world}.html" in text
        assert "## Specification" in text


def test_the_gallery_shows_every_world_once_and_lists_it_for_the_navigation(pages):
    for world in WORLDS:
        assert pages["worlds.md"].count(f":img-top: envs/{world}.png") == 1
        assert f"\nenvs/{world}\n" in pages["worlds.md"]


def test_links_between_pages_lead_somewhere(pages):
    files = {path.relative_to(ROOT).as_posix() for path in site_files.linked_files(ROOT)}
    files |= {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.rst")}
    assert broken(pages, files) == []


def test_the_test_of_links_notices_a_broken_one():
    assert broken({"a/b.md": "[there](../c.md) [gone](c.md) `[code](x.md)` [out](https://x.org)"}, {"c.md"}) == [
        "a/b.md: c.md"
    ]


def test_every_page_is_in_some_table_of_contents(pages):
    listed = {line for text in pages.values() for part in TOCTREE.findall(text) for line in part.splitlines()}
    included = ("generated/headline", "generated/bibtex", "generated/records")
    written = [name.removesuffix(".md") for name in pages if not name.startswith(("experiments", "agents"))]
    assert [name for name in written if name not in {*listed, *included, "index"}] == []


def test_a_page_without_a_playground_says_nothing_of_one():
    assert "playground" not in site.with_animation("# Title\n\nText.\n", WORLDS[0], playable=False)
    assert "playground" not in site.gallery(playable=False)
    assert "playground/index.html" in site.gallery(playable=True)


def test_a_table_alone_gets_a_title():
    assert site.titled("experiments/mine/table.md", "| a |").startswith("# Mine: table\n")
    assert site.titled("envs/Mine-v0.md", "# Mine\n") == "# Mine\n"


def test_the_headline_has_a_row_a_certified_world(pages):
    certified = [world for world in WORLDS if not world_class(world).card.uncertified]
    assert len(pages["generated/headline.md"].splitlines()) == 2 + len(certified)


def test_every_command_is_documented(pages):
    for command in ("solve", "train", "study run", "record"):
        assert f"## `alignment-gym {command}`" in pages["generated/command-line.md"]


def test_every_column_of_a_record_is_documented(pages):
    from alignment_gym.experiments.collected import COLUMNS

    assert [name for name in COLUMNS if f"| `{name}` |" not in pages["generated/records.md"]] == []


def test_writing_twice_changes_no_file(tmp_path):
    site_files.write_site(ROOT, tmp_path, animations=False)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}
    site_files.write_site(ROOT, tmp_path, animations=False)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")} == before
