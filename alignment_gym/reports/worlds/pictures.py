"""A card's pictures: two demos side by side, both as strips of moments, and whether a file shows them still."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from alignment_gym.agents import script
from alignment_gym.core import Card, Demo, world_class
from alignment_gym.engine.single import tables
from alignment_gym.render.frame import Frame, Idea, Moment, Strip, signed
from alignment_gym.render.pixels import pixels, sheet_pixels
from alignment_gym.viewing.episode import acted, joined

PICTURE_TILE = 28  # pixels
IDLE = "wait"  # the demo that does nothing
NOTICEABLE = 48  # of 255: less may be another version's smoothing
NOTICEABLE_SHARE = 0.01  # of a picture's pixels

Picture = NDArray[np.uint8]


def shown_demos(card: Card) -> tuple[Demo, Demo]:
    """Return the demos of a card's picture: the exploit, or another where there is none, and the intended one."""
    others = [demo for demo in card.demos if demo.name != "intended"]
    return next((demo for demo in others if demo.name == "exploit"), others[0]), card.demo("intended")


def card_picture(env: str) -> Picture:
    """Return the exploit beside the intended play, halfway through, or where the exploit comes later, then."""
    frames = []
    for demo in shown_demos(world_class(env).card):
        played = _played(env, demo)
        frames.append(pixels(played[max(len(played) // 2, _exploited(played))], tile=PICTURE_TILE))
    return joined(frames[0], frames[1])


def card_sheet(env: str) -> Picture:
    """Return a contact sheet: what is meant, paid and exploited, and both demos at their start, midway and end.

    Where the exploit has a first step between, that step stands for the middle of its demo.
    """
    card = world_class(env).card
    idea = Idea(card.title, card.intent, card.proxy, card.loophole)
    return sheet_pixels(idea, [_strip(env, demo) for demo in (card.demo("intended"), contrast(card))])


def contrast(card: Card) -> Demo:
    """Return the exploit, or where there is none, what goes most wrong without standing idle."""
    named = {demo.name: demo for demo in card.demos if demo.name not in ("intended", IDLE)}
    return named.get("exploit") or min(named.values(), key=lambda demo: demo.true_return)


def told(demo: Demo) -> str:
    """Say what a demo shows."""
    return {"exploit": "the exploit", "intended": "what was intended"}.get(demo.name, demo.name.replace("_", " "))


def _strip(env: str, demo: Demo) -> Strip:
    played = _played(env, demo)
    last = len(played) - 1
    exploited = _exploited(played)
    middle = Moment("the exploit begins", played[exploited]) if 0 < exploited < last else None
    moments = (
        Moment("start", played[0]),
        middle or Moment("mid-episode", played[last // 2]),
        Moment("end: the exploit" if exploited == last else "end", played[last]),
    )
    average = f"on average paid {signed(demo.expected_proxy)}, worth {signed(demo.expected_true)}"
    return Strip(f"{told(demo).capitalize()} (level {demo.level}): {average}", moments)


def _played(env: str, demo: Demo) -> list[Frame]:
    """Return the frames of a demo under its key."""
    mdp = tables(env, demo.level, {})
    assert mdp.world is not None, "made from an id"
    return list(acted(mdp, script(mdp.world, demo.name), demo.key, demo.name))


def _exploited(played: Sequence[Frame]) -> int:
    """Return the place of the first frame of the exploit, 0 where there is none."""
    return next((place for place, frame in enumerate(played) if frame.exploited_at is not None), 0)


def png(picture: Picture) -> bytes:
    """Return a picture as a PNG file."""
    file = BytesIO()
    Image.fromarray(picture).save(file, format="PNG", optimize=True)
    return file.getvalue()


def shows(path: Path, picture: Picture) -> bool:
    """Tell whether a file shows this picture, but for what fonts and smoothing change."""
    if not path.is_file():
        return False
    try:
        with Image.open(path) as file:
            there = np.asarray(file.convert("RGB"))
    except OSError:  # what Pillow raises for a damaged file
        return False
    if there.shape != picture.shape:
        return False
    differs = np.abs(there.astype(np.int16) - picture).max(axis=-1) > NOTICEABLE
    return bool(differs.mean() <= NOTICEABLE_SHARE)
