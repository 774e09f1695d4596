"""What things look like: one function a kind, drawn with vectors, so that there are no image files.

A file a theme; importing this room enters them all. A kind that has no function becomes a labelled
disc and a free letter of its name; a new world needs nothing from here.
"""

from collections.abc import Callable
from importlib import import_module
from math import cos, pi, sin
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from alignment_gym.render.palette import INK, Colour

if TYPE_CHECKING:  # text needs the letters alone, and no pygame
    from alignment_gym.render.pen import Pen, Point

Shape = Callable[["Pen", str], None]
"""Draws with a pen in a unit square; the word is the sprite's label."""

SHAPES: dict[str, Shape] = {}
LETTERS: dict[str, str] = {}  # of text; empty: not shown there
TURNING: set[str] = set()  # kinds that are drawn facing east, and turned


def shape(kind: str, *, letter: str | None = None, turns: bool = False) -> Callable[[Shape], Shape]:
    """Enter a function as a kind's shape; meant as a decorator.

    Args:
        kind: the sprite's kind.
        letter: its capital letter in text, empty for none; left out, a free one of its name.
        turns: whether it is drawn facing east and turned to where the sprite faces.
    """

    def enter(drawn: Shape) -> Shape:
        SHAPES[kind] = drawn
        if letter is not None:
            LETTERS[kind] = letter
        if turns:
            TURNING.add(kind)
        return drawn

    return enter


def around(x: float, y: float, radius: float, corners: int, turn: float = 0.0) -> "list[Point]":
    """Return the corners of a regular polygon, the first of them to the right."""
    angles = [2 * pi * place / corners + turn for place in range(corners)]
    return [(x + radius * cos(angle), y + radius * sin(angle)) for angle in angles]


def cross(pen: "Pen", colour: Colour) -> None:
    """Cross a thing out."""
    for ends in ([(0.14, 0.14), (0.86, 0.86)], [(0.86, 0.14), (0.14, 0.86)]):
        pen.line(ends, INK, 0.13)
        pen.line(ends, colour, 0.08)


for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
