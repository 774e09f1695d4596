"""What things look like: one function a kind, drawn with vectors, so that there are no image files.

A kind that has no function here becomes a labelled disc; a new world needs nothing from this file.
"""

from collections.abc import Callable
from functools import lru_cache
from math import cos, pi, sin

import pygame

from alignment_gym.render.palette import (
    BLUE,
    BROWN,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    PAPER,
    PURPLE,
    SKY,
    STEEL,
    VERMILION,
    YELLOW,
    Colour,
    mixed,
)
from alignment_gym.render.pen import FINE, Pen, Point

Shape = Callable[[Pen, str], None]
"""Draws with a pen; the word is the sprite's label."""

TURNING = frozenset({"boat", "moored boat", "camera", "arrow", "cap"})


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


def _around(x: float, y: float, radius: float, corners: int, turn: float = 0.0) -> list[Point]:
    angles = [2 * pi * place / corners + turn for place in range(corners)]
    return [(x + radius * cos(angle), y + radius * sin(angle)) for angle in angles]


def _boat(pen: Pen, label: str) -> None:
    hull = [(0.08, 0.28), (0.16, 0.22), (0.56, 0.22), (0.8, 0.34), (0.95, 0.5)]
    hull += [(x, 1.0 - y) for x, y in hull[-2::-1]]
    pen.polygon(hull, PAPER)
    deck = [(0.18, 0.33), (0.54, 0.33), (0.76, 0.5)]
    deck += [(x, 1.0 - y) for x, y in deck[-2::-1]]
    pen.polygon(deck, VERMILION, None)
    pen.box(0.26, 0.39, 0.2, 0.22, INK, None)
    pen.line([(0.55, 0.38), (0.55, 0.62)], SKY, 0.06)
    pen.label(label, 0.36, 0.5, 0.3, PAPER)


def _moored_boat(pen: Pen, _label: str) -> None:
    hull = [(0.2, 0.36), (0.62, 0.36), (0.82, 0.5), (0.62, 0.64), (0.2, 0.64)]
    pen.polygon(hull, mixed(BROWN, PAPER, 0.45), INK, 0.03)
    for x in (0.34, 0.5):
        pen.line([(x, 0.4), (x, 0.6)], BROWN, 0.05)
    pen.line([(0.2, 0.5), (0.06, 0.5)], INK, 0.025)


def _buoy(pen: Pen, label: str) -> None:
    pen.disc(0.5, 0.5, 0.33, ORANGE)
    pen.disc(0.5, 0.5, 0.22, PAPER, None)
    pen.label(label, 0.5, 0.515, 0.46)


def _target(pen: Pen, label: str) -> None:
    pen.polygon(_around(0.5, 0.5, 0.42, 4), PURPLE)
    pen.polygon(_around(0.5, 0.5, 0.25, 4), PAPER, None)
    pen.label(label, 0.5, 0.515, 0.4)
    if not label:
        pen.polygon(_around(0.5, 0.5, 0.13, 4), PURPLE, None)


def _start(pen: Pen, _label: str) -> None:
    for row in range(6):
        for column in range(2):
            shade = INK if (row + column) % 2 else PAPER
            pen.box(0.36 + column * 0.14, 0.08 + row * 0.14, 0.14, 0.14, shade, None)


def _arrow(pen: Pen, _label: str) -> None:
    pen.line([(0.42, 0.34), (0.58, 0.5), (0.42, 0.66)], mixed(BLUE, PAPER, 0.45), 0.07)


def _islet(pen: Pen, _label: str) -> None:
    pen.disc(0.5, 0.56, 0.36, (238, 214, 150), (190, 160, 100))
    pen.line([(0.46, 0.7), (0.52, 0.36)], BROWN, 0.07)
    for x, y in ((0.22, 0.36), (0.3, 0.2), (0.54, 0.12), (0.76, 0.22), (0.82, 0.4)):
        pen.line([(0.52, 0.36), (x, y)], GREEN, 0.085)


def _robot(pen: Pen, _label: str) -> None:
    pen.disc(0.5, 0.52, 0.37, STEEL)
    pen.disc(0.5, 0.52, 0.27, PAPER, GREY, 0.025)
    pen.box(0.27, 0.42, 0.46, 0.2, INK, None)
    for x in (0.4, 0.6):
        pen.disc(x, 0.52, 0.065, SKY, None)
    pen.line([(0.5, 0.16), (0.5, 0.06)], INK, 0.04)
    pen.disc(0.5, 0.06, 0.05, VERMILION, None)


def _dirt(pen: Pen, _label: str) -> None:
    for x, y, radius in ((0.42, 0.58, 0.2), (0.62, 0.62, 0.16), (0.52, 0.42, 0.17), (0.3, 0.46, 0.09)):
        pen.disc(x, y, radius, BROWN, None)
    for x, y, radius in ((0.76, 0.4, 0.06), (0.22, 0.7, 0.05), (0.72, 0.84, 0.05), (0.34, 0.26, 0.045)):
        pen.disc(x, y, radius, BROWN, None)
    pen.disc(0.46, 0.52, 0.05, mixed(BROWN, PAPER, 0.4), None)


def _camera(pen: Pen, _label: str) -> None:
    pen.box(0.12, 0.28, 0.5, 0.44, PAPER)
    pen.polygon([(0.62, 0.42), (0.86, 0.28), (0.86, 0.72), (0.62, 0.58)], STEEL)
    pen.line([(0.88, 0.3), (0.88, 0.7)], SKY, 0.06)
    pen.disc(0.25, 0.4, 0.05, VERMILION, None)


def _cap(pen: Pen, _label: str) -> None:
    pen.polygon([(0.7, 0.12), (0.96, 0.12), (0.96, 0.88), (0.7, 0.88)], INK, PAPER, 0.04)
    pen.line([(0.3, 0.34), (0.54, 0.66)], VERMILION, 0.08)
    pen.line([(0.54, 0.34), (0.3, 0.66)], VERMILION, 0.08)


def _worker(pen: Pen, _label: str) -> None:
    pen.polygon([(0.24, 0.92), (0.28, 0.6), (0.4, 0.5), (0.6, 0.5), (0.72, 0.6), (0.76, 0.92)], BLUE)
    pen.line([(0.4, 0.54), (0.4, 0.74), (0.6, 0.74), (0.6, 0.54)], SKY, 0.04)
    pen.disc(0.5, 0.34, 0.19, (244, 205, 170))
    pen.polygon([(0.28, 0.3), (0.33, 0.17), (0.5, 0.1), (0.67, 0.17), (0.72, 0.3)], YELLOW, INK, 0.03)


def _bench(pen: Pen, label: str) -> None:
    pen.box(0.08, 0.5, 0.84, 0.14, mixed(BROWN, PAPER, 0.3))
    for x in (0.16, 0.74):
        pen.box(x, 0.64, 0.1, 0.28, mixed(BROWN, PAPER, 0.15))
    shade = VERMILION if label else STEEL
    pen.polygon([(0.3, 0.08), (0.53, 0.48), (0.07, 0.48)] if label else _around(0.3, 0.3, 0.18, 8), shade, INK, 0.03)
    if label:
        pen.label("!", 0.3, 0.36, 0.36, PAPER)
    else:
        pen.disc(0.3, 0.3, 0.07, PAPER, INK, 0.02)


def _lamp(pen: Pen, label: str) -> None:
    lit = not pen.faded
    for x, y in _around(0.5, 0.42, 0.45, 10) if lit else ():
        pen.line([(0.5 + (x - 0.5) * 0.76, 0.42 + (y - 0.42) * 0.76), (x, y)], YELLOW, 0.05)
    pen.disc(0.5, 0.42, 0.27, YELLOW if lit else STEEL, INK if lit else PAPER)
    pen.box(0.39, 0.68, 0.22, 0.2, STEEL, INK if lit else PAPER, 0.03)
    pen.label(label, 0.5, 0.43, 0.44)


def _button(pen: Pen, label: str) -> None:
    pen.box(0.12, 0.62, 0.76, 0.26, YELLOW)
    dome = [(0.5 - 0.28 * cos(pi * step / 12), 0.62 - 0.4 * sin(pi * step / 12)) for step in range(13)]
    pen.polygon(dome, VERMILION)
    if label:
        _cross(pen, PAPER)


def _panel(pen: Pen, _label: str) -> None:
    pen.box(0.18, 0.1, 0.64, 0.8, STEEL)
    if pen.faded:
        pen.line([(0.3, 0.2), (0.44, 0.46)], VERMILION, 0.06)
        pen.line([(0.56, 0.56), (0.7, 0.8)], VERMILION, 0.06)
        return
    pen.polygon([(0.56, 0.2), (0.34, 0.54), (0.48, 0.54), (0.42, 0.8), (0.66, 0.44), (0.52, 0.44)], YELLOW, INK, 0.025)


def _stop(pen: Pen, _label: str) -> None:
    pen.polygon(_around(0.72, 0.26, 0.25, 8, pi / 8), VERMILION, PAPER, 0.04)
    pen.box(0.6, 0.22, 0.24, 0.08, PAPER, None)


def _cross(pen: Pen, colour: Colour) -> None:
    for ends in ([(0.14, 0.14), (0.86, 0.86)], [(0.86, 0.14), (0.14, 0.86)]):
        pen.line(ends, INK, 0.13)
        pen.line(ends, colour, 0.08)


SHAPES: dict[str, Shape] = {
    "boat": _boat,
    "moored boat": _moored_boat,
    "buoy": _buoy,
    "target": _target,
    "start": _start,
    "arrow": _arrow,
    "islet": _islet,
    "robot": _robot,
    "dirt": _dirt,
    "camera": _camera,
    "cap": _cap,
    "worker": _worker,
    "bench": _bench,
    "lamp": _lamp,
    "button": _button,
    "panel": _panel,
    "stop": _stop,
}
