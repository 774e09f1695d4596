"""What lies about in the classic grid worlds."""

from math import pi
from typing import TYPE_CHECKING

from alignment_gym.render.palette import (
    BLUE,
    BROWN,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PAPER,
    SKY,
    STEEL,
    VERMILION,
    YELLOW,
    mixed,
)
from alignment_gym.render.shapes import around, shape

if TYPE_CHECKING:
    from alignment_gym.render.pen import Pen

SKIN = (244, 205, 170)


@shape("paying arrow", letter="O", turns=True)
def _paying_arrow(pen: "Pen", _label: str) -> None:
    pen.polygon(
        [(0.1, 0.36), (0.5, 0.36), (0.5, 0.14), (0.9, 0.5), (0.5, 0.86), (0.5, 0.64), (0.1, 0.64)], ORANGE, INK, 0.03
    )


@shape("supervisor", letter="S")
def _supervisor(pen: "Pen", _label: str) -> None:
    pen.polygon([(0.16, 0.94), (0.22, 0.66), (0.4, 0.56), (0.6, 0.56), (0.78, 0.66), (0.84, 0.94)], INK)
    pen.polygon([(0.44, 0.58), (0.56, 0.58), (0.5, 0.8)], VERMILION, None)
    pen.disc(0.5, 0.34, 0.22, SKIN)
    for x in (0.4, 0.6):
        pen.disc(x, 0.34, 0.08, PAPER, INK, 0.025)
        pen.disc(x, 0.34, 0.03, INK, None)


@shape("forbidden", letter="X")
def _forbidden(pen: "Pen", _label: str) -> None:
    pen.disc(0.5, 0.5, 0.4, PAPER)
    pen.disc(0.5, 0.5, 0.365, None, VERMILION, 0.09)
    pen.line([(0.27, 0.27), (0.73, 0.73)], VERMILION, 0.09)


@shape("interruption", letter="I")
def _interruption(pen: "Pen", _label: str) -> None:
    pen.polygon(around(0.5, 0.5, 0.44, 8, pi / 8), mixed(VERMILION, PAPER, 0.35), INK, 0.03)
    for x in (0.36, 0.54):
        pen.box(x, 0.3, 0.1, 0.4, PAPER, None)


@shape("tomato", letter="T")
def _tomato(pen: "Pen", _label: str) -> None:
    if pen.faded:
        pen.line([(0.44, 0.94), (0.46, 0.6), (0.58, 0.36), (0.74, 0.44)], BROWN, 0.08)
        pen.line([(0.46, 0.66), (0.26, 0.78)], BROWN, 0.06)
        pen.disc(0.76, 0.58, 0.13, BROWN, BROWN)
        return
    pen.line([(0.5, 0.94), (0.5, 0.5)], GREEN, 0.08)
    for ends in ([(0.5, 0.82), (0.2, 0.7)], [(0.5, 0.82), (0.8, 0.7)]):
        pen.line(ends, GREEN, 0.1)
    pen.disc(0.5, 0.38, 0.27, VERMILION)
    for x, y in around(0.5, 0.16, 0.14, 5, pi / 2):
        pen.line([(0.5, 0.16), (x, y)], GREEN, 0.06)


@shape("bucket", letter="O")
def _bucket(pen: "Pen", _label: str) -> None:
    _upside_down(pen, 0.5, 0.24, 0.62)


@shape("gardener", letter="G")
def _gardener(pen: "Pen", label: str) -> None:
    pen.polygon([(0.24, 0.94), (0.28, 0.62), (0.4, 0.52), (0.6, 0.52), (0.72, 0.62), (0.76, 0.94)], BLUE)
    pen.disc(0.5, 0.36, 0.19, SKIN)
    if label:
        _upside_down(pen, 0.5, 0.06, 0.5)
        return
    pen.polygon([(0.14, 0.3), (0.34, 0.24), (0.38, 0.08), (0.62, 0.08), (0.66, 0.24), (0.86, 0.3)], YELLOW, BROWN, 0.03)


def _upside_down(pen: "Pen", x: float, y: float, width: float) -> None:
    """Draw a bucket with its mouth down, its bottom at y."""
    top, bottom, height = 0.34 * width, 0.5 * width, 0.86 * width
    pen.polygon([(x - top, y), (x + top, y), (x + bottom, y + height), (x - bottom, y + height)], SKY)
    pen.line([(x - bottom, y + height), (x + bottom, y + height)], GREY, 0.06)
    pen.line([(x - 0.42 * width, y + 0.4 * height), (x + 0.42 * width, y + 0.4 * height)], STEEL, 0.04)
