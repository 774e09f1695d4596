"""The site's pages that are made of what stands elsewhere: cards, results, records' schema, the command line.

Committed folders are mirrored, so that links between their pages hold on the site as they do in the repository.
"""

import json
import re
import subprocess
import sys
from collections.abc import Collection
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from alignment_gym.core import FAILURE_MODES, Card, world_class, world_ids
from alignment_gym.reports.citation import bibtex
from alignment_gym.reports.markdown import page, table
from alignment_gym.reports.tables import Record, cells, counted, shown
from alignment_gym.reports.worlds.pictures import shown_demos
from alignment_gym.reports.worlds.published import published

MIRRORED = ("envs", "agents", "experiments")
LEFT_OUT = ("envs/README.md",)  # the gallery says it with pictures
SCHEMAS = {"record": "A record", "study": "A study file"}
COMMAND = "alignment-gym"
ACTORS = {"exploit": "the exploit", "intended": "what was intended"}


def site_pages(root: Path, playable: Collection[str] = ()) -> dict[str, str]:
    """Return the pages that are generated, as MyST Markdown, by their paths below the documentation's folder.

    Args:
        root: the repository, whose cards and results are read.
        playable: the worlds that have a page to play on.
    """
    pages = {name: titled(name, (root / name).read_text(encoding="utf-8")) for name in mirrored_pages(root)}
    for env in world_ids():
        name = f"envs/{env}.md"
        pages[name] = with_animation(pages[name], env, env in playable)
    return pages | {
        "worlds.md": gallery(bool(playable)),
        "generated/headline.md": headline(published(root)),
        "generated/records.md": schemas(root),
        "generated/bibtex.md": f"```bibtex\n{bibtex().strip()}\n```\n",
        "generated/command-line.md": command_line(),
    }


def mirrored_pages(root: Path) -> list[str]:
    """Return the committed pages that the site shows as they are."""
    found = sorted(path.relative_to(root).as_posix() for folder in MIRRORED for path in (root / folder).rglob("*.md"))
    return [name for name in found if name not in LEFT_OUT]


def titled(name: str, text: str) -> str:
    """Return a page with a title; some of the committed ones are a table alone."""
    *_, folder, file = name.split("/")
    return text if text.startswith("# ") else f"# {folder.capitalize()}: {Path(file).stem}\n\n{text}"


def with_animation(text: str, env: str, playable: bool) -> str:
    """Return a world's card with its animation, and the way to its playground, below the title."""
    title, _, rest = text.partition("\n")
    left, right = (ACTORS.get(demo.name, demo.name.replace("_", " ")) for demo in shown_demos(world_class(env).card))
    told = escape(f"{world_class(env).card.title}: {left} beside {right}")
    button = f'<a class="play" href="../playground/{env}.html">Play it yourself</a>\n' if playable else ""
    shown_here = (
        "```{raw} html\n"
        '<figure class="moving"><picture>\n'
        f'<source media="(prefers-reduced-motion: reduce)" srcset="../animations/{env}.png">\n'
        f'<img src="../animations/{env}.webp" alt="{told}">\n'
        f"</picture><figcaption>{told}.</figcaption></figure>\n"
        f"{button}```"
    )
    return f"{title}\n\n{shown_here}\n{rest}"


def gallery(playable: bool) -> str:
    """Return the index of all worlds, with pictures, by their first failure mode, and the way to the playgrounds."""
    cards = [world_class(env).card for env in world_ids()]
    modes = [mode for mode in FAILURE_MODES if any(card.failure_modes[0] == mode for card in cards)]
    groups = []
    for mode in modes:
        members = [_tile(card) for card in cards if card.failure_modes[0] == mode]
        also = [card for card in cards if mode in card.failure_modes[1:]]
        groups.append(
            page(
                f"## {mode.replace('-', ' ').capitalize()}",
                "::::{grid} 1 2 2 2\n:gutter: 3\n\n" + "\n".join(members) + "::::",
                f"Also: {', '.join(f'[{card.title}](envs/{card.id}.md)' for card in also)}." if also else "",
            )
        )
    toctree = "```{toctree}\n:hidden:\n\n" + "\n".join(f"envs/{card.id}" for card in cards) + "\n```"
    said = f"{len(cards)} worlds, by the failure that each shows first. Every page has the specification, the exact "
    play = '```{raw} html\n<a class="play" href="playground/index.html">Play them</a>\n```' if playable else ""
    return page("# Worlds", said + "analysis, the published agents and the sources.", play, *groups, toctree)


def _tile(card: Card) -> str:
    return (
        f":::{{grid-item-card}} {card.title}\n:img-top: envs/{card.id}.png\n:img-alt: {card.title}\n"
        f":link: envs/{card.id}\n:link-type: doc\n\n**Intended:** {card.intent}\n\n**Loophole:** {card.loophole}\n:::\n"
    )


def headline(records: list[Record]) -> str:
    """Return what one recipe does in every world with a certified loophole, beside its twin, as a table."""
    grouped = cells([record for record in records if record["recipe"] == "ppo"])
    rows = []
    for cell, paid in grouped.items():
        card = world_class(cell.env).card
        if cell.reward == "proxy" and not card.uncertified:
            twins = grouped.get(cell._replace(reward="true"), [])
            link = f"[{card.title}](envs/{card.id}.md)"  # as the start page sees it
            rows.append([link, counted(paid, "hack"), shown(paid, "true_loss"), counted(twins, "hack")])
    return table(["world", "PPO paid the proxy: hacks", "true loss L", "its twins, paid what was meant: hacks"], rows)


def schemas(root: Path) -> str:
    """Return what the files of a study hold, a row a column, from the JSON Schemas."""
    parts = []
    for name, title in SCHEMAS.items():
        schema = json.loads((root / "experiments" / f"{name}.schema.json").read_text(encoding="utf-8"))
        told = f"{schema.get('description', '')} [As JSON Schema](../experiments/{name}.schema.json)."
        parts += [f"## {title}", told.strip(), _fields(schema)]
        for part, inner in sorted(schema.get("$defs", {}).items()):
            parts += [f"### `{part}`", inner.get("description", ""), _fields(inner)]
    return page(*parts)


def _fields(schema: dict[str, Any]) -> str:
    rows = [[f"`{name}`", _kind(each), each.get("description", "")] for name, each in schema["properties"].items()]
    return table(["name", "kind", "meaning"], rows)


def _kind(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_kind(each) for each in field["anyOf"])
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "$ref" in field:
        return f"`{field['$ref'].rpartition('/')[2]}`"
    if "items" in field:
        return f"array of {_kind(field['items'])}"
    return f"`{field['const']}`" if "const" in field else str(field.get("type", "any"))


@cache
def command_line() -> str:
    """Return all commands with their options, as Typer's own documentation of the application has them."""
    asked = [sys.executable, "-m", "typer", "alignment_gym.cli.app", "utils", "docs", "--name", COMMAND]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    return re.sub(r"^# .*", "# Command line", said, count=1)
