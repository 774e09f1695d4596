"""Goods, and where they grow and are kept."""

from typing import TYPE_CHECKING

from alignment_gym.render.palette import BROWN, GREEN, INK, ORANGE, PAPER, PURPLE, SKY, STEEL, VERMILION, YELLOW, mixed
from alignment_gym.render.shapes import shape

if TYPE_CHECKING:
    from alignment_gym.render.pen import Pen


@shape("whisky", letter="W")
def _whisky(pen: "Pen", _label: str) -> None:
    pen.polygon([(0.24, 0.3), (0.76, 0.3), (0.7, 0.88), (0.3, 0.88)], mixed(SKY, PAPER, 0.6))
    if not pen.faded:
        pen.polygon([(0.27, 0.54), (0.73, 0.54), (0.69, 0.85), (0.31, 0.85)], ORANGE, None)


@shape("gold", letter="G")
def _gold(pen: "Pen", _label: str) -> None:
    for x, y in ((0.1, 0.6), (0.5, 0.6), (0.3, 0.34)):
        pen.polygon([(x + 0.07, y), (x + 0.33, y), (x + 0.4, y + 0.24), (x, y + 0.24)], YELLOW, INK, 0.03)


@shape("order", letter="")
def _order(pen: "Pen", _label: str) -> None:
    pen.box(0.66, 0.04, 0.3, 0.38, PAPER, VERMILION, 0.04)
    for y in (0.16, 0.24, 0.32):
        pen.line([(0.72, y), (0.9, y)], INK, 0.03)


@shape("counter", letter="")
def _counter(pen: "Pen", _label: str) -> None:
    pen.box(0.04, 0.3, 0.92, 0.5, mixed(BROWN, PAPER, 0.45))
    pen.line([(0.04, 0.44), (0.96, 0.44)], BROWN, 0.05)


@shape("crop", letter="C")
def _crop(pen: "Pen", _label: str) -> None:
    for x in (0.26, 0.5, 0.74):
        pen.line([(x, 0.9), (x, 0.3)], GREEN, 0.06)
        for y in (0.26, 0.4, 0.54):
            pen.disc(x - 0.06, y, 0.06, YELLOW, BROWN, 0.015)
            pen.disc(x + 0.06, y, 0.06, YELLOW, BROWN, 0.015)


@shape("barn", letter="B")
def _barn(pen: "Pen", _label: str) -> None:
    pen.polygon([(0.1, 0.92), (0.1, 0.46), (0.5, 0.1), (0.9, 0.46), (0.9, 0.92)], VERMILION)
    pen.box(0.34, 0.54, 0.32, 0.38, PAPER)
    pen.line([(0.34, 0.54), (0.66, 0.92)], INK, 0.03)
    pen.line([(0.66, 0.54), (0.34, 0.92)], INK, 0.03)


@shape("gate", letter="G")
def _gate(pen: "Pen", label: str) -> None:
    for x in (0.12, 0.8):
        pen.box(x, 0.1, 0.08, 0.8, BROWN, None)
    if label:
        for y in (0.26, 0.48, 0.7):
            pen.line([(0.16, y), (0.84, y)], BROWN, 0.07)
        pen.box(0.36, 0.44, 0.28, 0.24, STEEL)
        pen.disc(0.5, 0.56, 0.04, INK, None)


@shape("neighbour", letter="N")
def _neighbour(pen: "Pen", _label: str) -> None:
    pen.polygon([(0.2, 0.92), (0.26, 0.58), (0.38, 0.48), (0.58, 0.48), (0.68, 0.58), (0.72, 0.92)], PURPLE)
    pen.disc(0.48, 0.3, 0.18, (244, 205, 170))
    pen.polygon([(0.28, 0.3), (0.34, 0.1), (0.62, 0.1), (0.68, 0.3), (0.6, 0.2), (0.36, 0.2)], PURPLE, INK, 0.03)
    pen.line([(0.62, 0.66), (0.76, 0.5), (0.9, 0.66)], BROWN, 0.04)
    pen.polygon([(0.58, 0.66), (0.94, 0.66), (0.88, 0.92), (0.64, 0.92)], mixed(BROWN, PAPER, 0.35), INK, 0.03)
