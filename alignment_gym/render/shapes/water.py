"""What floats on water, and the marks of a race."""

from typing import TYPE_CHECKING

from alignment_gym.render.palette import BLUE, BROWN, GREEN, INK, ORANGE, PAPER, PURPLE, SKY, VERMILION, mixed
from alignment_gym.render.shapes import around, shape

if TYPE_CHECKING:
    from alignment_gym.render.pen import Pen


@shape("boat", letter="B", turns=True)
def _boat(pen: "Pen", label: str) -> None:
    hull = [(0.08, 0.28), (0.16, 0.22), (0.56, 0.22), (0.8, 0.34), (0.95, 0.5)]
    hull += [(x, 1.0 - y) for x, y in hull[-2::-1]]
    pen.polygon(hull, PAPER)
    deck = [(0.18, 0.33), (0.54, 0.33), (0.76, 0.5)]
    deck += [(x, 1.0 - y) for x, y in deck[-2::-1]]
    pen.polygon(deck, VERMILION, None)
    pen.box(0.26, 0.39, 0.2, 0.22, INK, None)
    pen.line([(0.55, 0.38), (0.55, 0.62)], SKY, 0.06)
    pen.label(label, 0.36, 0.5, 0.3, PAPER)


@shape("moored boat", letter="M", turns=True)
def _moored_boat(pen: "Pen", _label: str) -> None:
    hull = [(0.2, 0.36), (0.62, 0.36), (0.82, 0.5), (0.62, 0.64), (0.2, 0.64)]
    pen.polygon(hull, mixed(BROWN, PAPER, 0.45), INK, 0.03)
    for x in (0.34, 0.5):
        pen.line([(x, 0.4), (x, 0.6)], BROWN, 0.05)
    pen.line([(0.2, 0.5), (0.06, 0.5)], INK, 0.025)


@shape("buoy", letter="O")
def _buoy(pen: "Pen", label: str) -> None:
    pen.disc(0.5, 0.5, 0.33, ORANGE)
    pen.disc(0.5, 0.5, 0.22, PAPER, None)
    pen.label(label, 0.5, 0.515, 0.46)


@shape("target", letter="T")
def _target(pen: "Pen", label: str) -> None:
    pen.polygon(around(0.5, 0.5, 0.42, 4), PURPLE)
    pen.polygon(around(0.5, 0.5, 0.25, 4), PAPER, None)
    pen.label(label, 0.5, 0.515, 0.4)
    if not label:
        pen.polygon(around(0.5, 0.5, 0.13, 4), PURPLE, None)


@shape("start", letter="S")
def _start(pen: "Pen", _label: str) -> None:
    for row in range(6):
        for column in range(2):
            shade = INK if (row + column) % 2 else PAPER
            pen.box(0.36 + column * 0.14, 0.08 + row * 0.14, 0.14, 0.14, shade, None)


@shape("arrow", letter="", turns=True)
def _arrow(pen: "Pen", _label: str) -> None:
    pen.line([(0.42, 0.34), (0.58, 0.5), (0.42, 0.66)], mixed(BLUE, PAPER, 0.45), 0.07)


@shape("islet", letter="I")
def _islet(pen: "Pen", _label: str) -> None:
    pen.disc(0.5, 0.56, 0.36, (238, 214, 150), (190, 160, 100))
    pen.line([(0.46, 0.7), (0.52, 0.36)], BROWN, 0.07)
    for x, y in ((0.22, 0.36), (0.3, 0.2), (0.54, 0.12), (0.76, 0.22), (0.82, 0.4)):
        pen.line([(0.52, 0.36), (x, y)], GREEN, 0.085)
