"""Sprites: shapes at a size, faded, turned and labelled, each picture made once."""

from functools import lru_cache

import pygame

from alignment_gym.render.palette import INK, PALE
from alignment_gym.render.pen import FINE, Pen
from alignment_gym.render.shapes import SHAPES, TURNING


@lru_cache(maxsize=2048)
def picture(kind: str, facing: str, faded: bool, label: str, size: int) -> pygame.Surface:
    """Return a sprite's picture, with premultiplied alpha."""
    pen = Pen(size, facing if kind in TURNING else "", faded)
    if kind in SHAPES:
        SHAPES[kind](pen, label)
    else:
        _unknown(pen, label or initials(kind))
    return pen.finished()


@lru_cache(maxsize=256)
def wake(size: int, strength: float) -> pygame.Surface:
    """Return one dot of a trail, `strength` between 0 and 1."""
    radius = size * (0.03 + 0.03 * strength)
    half = round(radius) + 1
    dot = pygame.Surface((2 * FINE * half, 2 * FINE * half), pygame.SRCALPHA)
    pygame.draw.circle(dot, (*INK, round(200 * strength)), (FINE * half, FINE * half), FINE * radius)
    return pygame.transform.smoothscale(dot.premul_alpha(), (2 * half, 2 * half))


def initials(kind: str) -> str:
    """Return one or two letters for a kind: `t` for tomato, `mb` for moored boat."""
    return "".join(word[0] for word in kind.replace("_", " ").split())[:2]


def _unknown(pen: Pen, label: str) -> None:
    pen.disc(0.5, 0.5, 0.38, PALE)
    pen.label(label, 0.5, 0.51, 0.5)
