"""Worlds to be played in a browser: a page a world that holds its tables, its pictures and all that plays them.

A page is one file, works from a disk, and asks for nothing. Equal worlds give equal bytes.
"""

import gzip
import json
import os
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from alignment_gym.core import Card, TooLargeToEnumerate, World, make_world, world_class, world_ids
from alignment_gym.core.files import UnwritablePath, write_text
from alignment_gym.engine.mdp import FiniteMDP, compile_world, compiled
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.render import palette
from alignment_gym.render.pixels import plain_pixels
from alignment_gym.viewing.atlas import Atlas, data_uri
from alignment_gym.viewing.exported import export
from alignment_gym.viewing.templating import own, template

INDEX = "index.html"
SMALL = 2_000, 10_000  # states and transitions of a level that comes along unasked
THUMBNAIL = 40  # pixels of a tile
UNDER_WAY = 6  # steps into an episode, where the index shows it


@dataclass(frozen=True, slots=True)
class Entry:
    """A world in the index: its card, the name of its page, and the address of its picture."""

    card: Card
    file: str
    picture: str


def write_playground(
    folder: Path, env: str, level: str | None = None, dials: Mapping[str, Any] | None = None, index: str = ""
) -> Path:
    """Write the page of a world, and return where it is.

    Args:
        folder: where to; it is made if need be.
        env: the world's id.
        level: the only one to play; by default the page offers the first, those that demos play, and small ones.
        dials: the world's own.
        index: the name of a page to link back to.

    Raises:
        TooLargeToEnumerate: the level has more states than can be listed.
        UnknownName, InvalidDial: there is no such world, level or dial.
        UnwritablePath: nothing can be written there.
        MissingExtra: pygame is not installed.
    """
    check_writable(folder)
    path = folder / f"{world_class(env).card.id}.html"
    write_text(path, rendered(list(levels(env, level, dials or {})), index))
    return path


def write_playgrounds(folder: Path) -> Iterator[Path]:
    """Write the pages of all worlds and an index, and yield where each is; errors as of `write_playground`."""
    check_writable(folder)
    for env in world_ids():
        yield write_playground(folder, env, index=INDEX)
    write_text(folder / INDEX, index_page([entry(env) for env in world_ids()]))
    yield folder / INDEX


def check_writable(folder: Path) -> None:
    """Refuse a folder that nothing can be written to, before any work is done.

    Raises:
        UnwritablePath: it is a file, or it or the place where it would be made can't be written to.
    """
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        why = "it can't be written to" if there.is_dir() else "it is a file"
        raise UnwritablePath(f"cannot write pages to {folder}: {there}: {why}; choose another place")


def levels(env: str, level: str | None, dials: Mapping[str, Any]) -> Iterator[FiniteMDP]:
    """Yield the levels of a page: the one asked for, or the first, those of demos, and others that are small."""
    if level is not None:
        yield compiled(make_world(env, level=level, **dials))
        return
    cls = world_class(env)
    wanted = {cls.levels[0], *(demo.level for demo in cls.card.demos)}
    for name in cls.levels:
        world = make_world(env, level=name, **dials)
        found = compiled(world) if name in wanted else _if_small(world)
        if found is not None:
            yield found


def _if_small(world: World[Any]) -> FiniteMDP | None:
    try:
        return compile_world(world, *SMALL)
    except TooLargeToEnumerate:
        return None


def rendered(mdps: Sequence[FiniteMDP], index: str = "") -> str:
    """Return the page of some levels of one world.

    Raises:
        InvalidWorld: tables without a world, or without a horizon.
    """
    atlas = Atlas()
    exported = [export(mdp, atlas) for mdp in mdps]
    assert mdps[0].world is not None, "exporting refuses tables without"
    return template("playground.html.jinja").render(
        card=mdps[0].world.card,
        index=index,
        style=_style(),
        signed=own("signed.js"),
        drawing=own("drawing.js"),
        tables=own("tables.js"),
        telling=own("telling.js"),
        ending=own("ending.js"),
        playground=own("playground.js"),
        data=Markup(packed({"atlas": atlas.as_json(), "levels": exported})),
    )


def index_page(entries: Sequence[Entry]) -> str:
    """Return the page that leads to others."""
    return template("index.html.jinja").render(worlds=entries, style=_style())


def packed(data: Any) -> str:
    """Return data as JSON, compressed, in letters; `DecompressionStream` undoes it."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def entry(env: str) -> Entry:
    """Return a world's entry, with a picture out of the first demo: many worlds are empty when they begin."""
    card = world_class(env).card
    demo = card.demos[0]
    playing = AlignmentEnv(env, level=demo.level)
    playing.reset(options={"key": demo.key})
    scene = playing.scene
    for step in range(UNDER_WAY):
        action = demo.action(playing.world, playing.state, step)
        _, _, terminated, truncated, _ = playing.step(playing.mdp.actions.index(action))
        if terminated or truncated:
            break
        scene = playing.scene
    return Entry(card, f"{card.id}.html", data_uri(plain_pixels(scene, THUMBNAIL)))


def _style() -> Markup:
    colours = {"paid": palette.PAID, "meant": palette.MEANT, "best": palette.GREEN}
    return Markup(template("playground.css").render(**colours))
