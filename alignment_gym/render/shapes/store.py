"""What is pushed about, and what is fetched."""

from typing import TYPE_CHECKING

from alignment_gym.render.palette import (
    BROWN,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    PAPER,
    SKY,
    STEEL,
    VERMILION,
    YELLOW,
    mixed,
)
from alignment_gym.render.shapes import around, cross, shape

if TYPE_CHECKING:
    from alignment_gym.render.pen import Pen


@shape("box", letter="B")
def _box(pen: "Pen", label: str) -> None:
    pen.box(0.12, 0.12, 0.76, 0.76, mixed(BROWN, PAPER, 0.5))
    for y in (0.36, 0.62):
        pen.line([(0.14, y), (0.86, y)], BROWN, 0.025)
    for x in (0.2, 0.8):
        pen.line([(x, 0.14), (x, 0.86)], BROWN, 0.06)
    if label:
        cross(pen, VERMILION)


@shape("coin", letter="C")
def _coin(pen: "Pen", label: str) -> None:
    pen.disc(0.5, 0.5, 0.33, YELLOW)
    pen.disc(0.5, 0.5, 0.24, None, ORANGE, 0.035)
    if label:
        pen.label(label, 0.5, 0.515, 0.44)
    else:
        pen.line([(0.5, 0.38), (0.5, 0.62)], ORANGE, 0.07)


@shape("moving belt", letter="", turns=True)
def _moving_belt(pen: "Pen", _label: str) -> None:
    for x in (0.2, 0.5):
        pen.line([(x, 0.26), (x + 0.2, 0.5), (x, 0.74)], mixed(GREY, PAPER, 0.3), 0.07)


@shape("vase", letter="V")
def _vase(pen: "Pen", _label: str) -> None:
    right = [(0.6, 0.12), (0.57, 0.3), (0.74, 0.5), (0.72, 0.7), (0.6, 0.88)]
    pen.polygon([*right, *((1.0 - x, y) for x, y in right[::-1])], SKY)
    pen.line([(0.28, 0.55), (0.4, 0.63), (0.5, 0.55), (0.6, 0.63), (0.72, 0.55)], PAPER, 0.05)
    pen.line([(0.36, 0.12), (0.64, 0.12)], INK, 0.06)


@shape("shards", letter="X")
def _shards(pen: "Pen", _label: str) -> None:
    pen.polygon([(0.14, 0.72), (0.34, 0.44), (0.42, 0.8)], SKY)
    pen.polygon([(0.48, 0.86), (0.54, 0.56), (0.7, 0.7)], SKY)
    pen.polygon([(0.74, 0.5), (0.88, 0.76), (0.74, 0.82)], SKY)
    pen.polygon([(0.4, 0.3), (0.6, 0.24), (0.56, 0.44)], SKY)


@shape("sushi", letter="U")
def _sushi(pen: "Pen", _label: str) -> None:
    _plate(pen, "")
    for x, y in ((0.36, 0.46), (0.62, 0.54)):
        pen.disc(x, y, 0.15, mixed(GREEN, INK, 0.5))
        pen.disc(x, y, 0.1, PAPER, None)
        pen.disc(x, y, 0.05, ORANGE, None)


@shape("plate", letter="P")
def _plate(pen: "Pen", _label: str) -> None:
    pen.disc(0.5, 0.5, 0.4, PAPER)
    pen.disc(0.5, 0.5, 0.27, None, STEEL, 0.025)


@shape("rock", letter="O")
def _rock(pen: "Pen", label: str) -> None:
    pen.polygon([(0.14, 0.72), (0.2, 0.4), (0.42, 0.18), (0.66, 0.24), (0.86, 0.5), (0.8, 0.8), (0.4, 0.86)], GREY)
    pen.line([(0.42, 0.2), (0.48, 0.46), (0.34, 0.66)], INK, 0.03)
    pen.line([(0.48, 0.46), (0.72, 0.56)], INK, 0.03)
    pen.label(label, 0.5, 0.55, 0.4, PAPER)


@shape("diamond", letter="D")
def _diamond(pen: "Pen", _label: str) -> None:
    pen.polygon([(0.3, 0.2), (0.7, 0.2), (0.92, 0.44), (0.5, 0.9), (0.08, 0.44)], SKY)
    pen.line([(0.08, 0.44), (0.92, 0.44)], INK, 0.03)
    pen.line([(0.3, 0.22), (0.36, 0.44), (0.5, 0.88), (0.64, 0.44), (0.7, 0.22)], INK, 0.03)


@shape("switch", letter="S")
def _switch(pen: "Pen", label: str) -> None:
    paid = label.endswith("+")
    pen.box(0.1, 0.1, 0.8, 0.8, PALE)
    pen.polygon(around(0.5, 0.5, 0.36, 8), YELLOW if paid else STEEL, GREY, 0.025)
    pen.label(label, 0.5, 0.515, 0.44)
