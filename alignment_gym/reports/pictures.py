"""A card's picture: two demos side by side, and whether a file shows it still."""

from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from alignment_gym.agents import script
from alignment_gym.core import Card, Demo, world_class
from alignment_gym.engine.single import tables
from alignment_gym.render.pixels import pixels
from alignment_gym.viewing.episode import acted, joined

PICTURE_TILE = 28  # pixels
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
        mdp = tables(env, demo.level, {})
        assert mdp.world is not None, "made from an id"
        played = list(acted(mdp, script(mdp.world, demo.name), demo.key, demo.name))
        exploited = next((place for place, frame in enumerate(played) if frame.exploited_at is not None), 0)
        frames.append(pixels(played[max(len(played) // 2, exploited)], tile=PICTURE_TILE))
    return joined(frames[0], frames[1])


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
