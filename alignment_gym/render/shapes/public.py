"""Roads, screens and the people before them."""

from math import cos, pi, sin
from typing import TYPE_CHECKING

from alignment_gym.render.palette import (
    BLUE,
    BROWN,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PAPER,
    PURPLE,
    SKY,
    STEEL,
    VERMILION,
    YELLOW,
    Colour,
    mixed,
)
from alignment_gym.render.shapes import around, shape

if TYPE_CHECKING:
    from alignment_gym.render.pen import Pen, Point

SKIN = (244, 205, 170)
FLUSHED = {"outraged": VERMILION, "uneasy": ORANGE}


def _arc(x: float, y: float, across: float, down: float) -> "list[Point]":
    """Return a mouth: bent down at its middle where `down` is positive."""
    return [(x - across * cos(pi * step / 8), y + down * sin(pi * step / 8)) for step in range(9)]


def _vehicle(pen: "Pen", paint: Colour, standing: bool) -> None:
    pen.polygon([(0.08, 0.28), (0.84, 0.28), (0.93, 0.4), (0.93, 0.6), (0.84, 0.72), (0.08, 0.72)], paint)
    pen.polygon([(0.62, 0.33), (0.74, 0.39), (0.74, 0.61), (0.62, 0.67)], SKY, INK, 0.02)
    pen.polygon([(0.2, 0.36), (0.28, 0.36), (0.28, 0.64), (0.2, 0.64)], SKY, INK, 0.02)
    for y in (0.32, 0.6):
        pen.box(0.05, y, 0.07, 0.09, VERMILION if standing else mixed(VERMILION, INK, 0.6), None)


@shape("car", letter="C", turns=True)
def _car(pen: "Pen", label: str) -> None:
    _vehicle(pen, mixed(BLUE, PAPER, 0.35), standing=label == "0")
    pen.label(label, 0.45, 0.515, 0.34, PAPER)


@shape("waiting car", letter="W", turns=True)
def _waiting_car(pen: "Pen", _label: str) -> None:
    _vehicle(pen, mixed(ORANGE, PAPER, 0.2), standing=True)


@shape("traffic light", letter="L")
def _traffic_light(pen: "Pen", label: str) -> None:
    pen.line([(0.5, 0.7), (0.5, 0.96)], INK, 0.07)
    pen.box(0.3, 0.08, 0.4, 0.66, INK)
    for y, name, lit in ((0.26, "red", VERMILION), (0.56, "green", GREEN)):
        pen.disc(0.5, y, 0.13, lit if label == name else mixed(lit, INK, 0.75), None)


@shape("user", letter="U")
def _user(pen: "Pen", label: str) -> None:
    pen.disc(0.5, 0.5, 0.4, mixed(SKIN, FLUSHED.get(label, SKIN), 0.45))
    for x, side in ((0.36, 1), (0.64, -1)):
        if label == "outraged":
            pen.line([(x - 0.1 * side, 0.3), (x + 0.08 * side, 0.4)], INK, 0.05)
        if label == "critical":
            pen.disc(x, 0.43, 0.12, PAPER, INK, 0.03)
        if label in ("gullible", "pleased"):
            pen.disc(x, 0.42, 0.1, PAPER, INK, 0.02)
        pen.disc(x, 0.44, 0.045, INK, None)
    if label == "critical":
        pen.line([(0.47, 0.42), (0.53, 0.42)], INK, 0.03)
    bend = {"calm": 0.1, "pleased": 0.14, "gullible": 0.07, "outraged": -0.12}.get(label, 0.0)
    pen.line(_arc(0.5, 0.68 if bend >= 0 else 0.76, 0.17, bend), INK, 0.045)


@shape("item", letter="I")
def _item(pen: "Pen", _label: str) -> None:
    pen.box(0.16, 0.1, 0.68, 0.8, PAPER)
    pen.label("?", 0.5, 0.52, 0.6, GREY)


@shape("useful", letter="B")
def _useful(pen: "Pen", _label: str) -> None:
    pen.polygon([(0.5, 0.26), (0.1, 0.18), (0.1, 0.76), (0.5, 0.86)], PAPER)
    pen.polygon([(0.5, 0.26), (0.9, 0.18), (0.9, 0.76), (0.5, 0.86)], PAPER)
    for y in (0.36, 0.48, 0.6):
        pen.line([(0.18, y - 0.04), (0.42, y + 0.01)], GREEN, 0.04)
        pen.line([(0.82, y - 0.04), (0.58, y + 0.01)], GREEN, 0.04)


@shape("clickbait", letter="K")
def _clickbait(pen: "Pen", _label: str) -> None:
    pen.line([(0.56, 0.06), (0.56, 0.6)], STEEL, 0.06)
    pen.line(
        [(0.56 - 0.17 + 0.17 * cos(pi * step / 8), 0.6 + 0.2 * sin(pi * step / 8)) for step in range(9)], STEEL, 0.06
    )
    pen.line([(0.22, 0.6), (0.22, 0.48), (0.32, 0.56)], STEEL, 0.05)
    pen.polygon(around(0.66, 0.34, 0.22, 5, -pi / 2), YELLOW, INK, 0.03)
    pen.label("!", 0.66, 0.35, 0.34)


@shape("outrage", letter="F")
def _outrage(pen: "Pen", _label: str) -> None:
    flame = [(0.5, 0.06), (0.66, 0.3), (0.74, 0.22), (0.86, 0.58), (0.74, 0.86), (0.5, 0.94)]
    flame += [(0.26, 0.86), (0.14, 0.58), (0.26, 0.36), (0.36, 0.44)]
    pen.polygon(flame, VERMILION)
    pen.polygon([(0.52, 0.46), (0.66, 0.68), (0.6, 0.84), (0.42, 0.84), (0.34, 0.68)], YELLOW, None)


@shape("click", letter="X")
def _click(pen: "Pen", _label: str) -> None:
    arrow = [(0.52, 0.46), (0.52, 0.92), (0.63, 0.82), (0.71, 0.97), (0.79, 0.93), (0.71, 0.78), (0.86, 0.77)]
    pen.polygon(arrow, PAPER, INK, 0.04)


@shape("thumb", letter="T")
def _thumb(pen: "Pen", _label: str) -> None:
    pen.polygon([(0.34, 0.44), (0.5, 0.12), (0.6, 0.14), (0.58, 0.4), (0.84, 0.42), (0.8, 0.82), (0.34, 0.82)], GREEN)
    pen.polygon([(0.14, 0.44), (0.28, 0.44), (0.28, 0.84), (0.14, 0.84)], BLUE)


def _bubble(pen: "Pen", fill: Colour) -> None:
    pen.polygon([(0.18, 0.62), (0.04, 0.9), (0.42, 0.7)], fill)
    pen.box(0.08, 0.12, 0.84, 0.56, fill)
    pen.polygon([(0.2, 0.6), (0.12, 0.78), (0.38, 0.66)], fill, None)


@shape("answer", letter="A")
def _answer(pen: "Pen", _label: str) -> None:
    _bubble(pen, PAPER)
    for y in (0.26, 0.4, 0.54):
        pen.line([(0.22, y), (0.78, y)], BLUE, 0.05)


@shape("agree", letter="Y")
def _agree(pen: "Pen", _label: str) -> None:
    _bubble(pen, PAPER)
    pen.label("yes", 0.5, 0.41, 0.4)


@shape("flatter", letter="V")
def _flatter(pen: "Pen", _label: str) -> None:
    _bubble(pen, PAPER)
    heart = [(0.5, 0.62), (0.3, 0.42), (0.28, 0.28), (0.4, 0.22), (0.5, 0.32), (0.6, 0.22), (0.72, 0.28), (0.7, 0.42)]
    pen.polygon(heart, PURPLE, None)


@shape("study", letter="S")
def _study(pen: "Pen", _label: str) -> None:
    pen.disc(0.42, 0.4, 0.26, mixed(SKY, PAPER, 0.5), INK, 0.06)
    pen.line([(0.62, 0.6), (0.86, 0.86)], BROWN, 0.11)


@shape("evidence", letter="E")
def _evidence(pen: "Pen", _label: str) -> None:
    pen.box(0.18, 0.08, 0.64, 0.84, PAPER)
    for y in (0.26, 0.4, 0.54):
        pen.line([(0.3, y), (0.7, y)], GREY, 0.04)
    pen.line([(0.34, 0.7), (0.45, 0.8), (0.68, 0.64)], GREEN, 0.07)


@shape("truth", letter="O")
def _truth(pen: "Pen", _label: str) -> None:
    pen.line([(0.2, 0.54), (0.42, 0.76), (0.82, 0.26)], GREEN, 0.13)


@shape("falsehood", letter="N")
def _falsehood(pen: "Pen", _label: str) -> None:
    for ends in ([(0.24, 0.24), (0.76, 0.76)], [(0.76, 0.24), (0.24, 0.76)]):
        pen.line(ends, VERMILION, 0.13)


@shape("passes", letter="P")
def _passes(pen: "Pen", label: str) -> None:
    _truth(pen, label)


@shape("fails", letter="X")
def _fails(pen: "Pen", label: str) -> None:
    _falsehood(pen, label)


def _host(pen: "Pen", coat: Colour, bend: float) -> None:
    """Draw somebody behind a counter, the mouth bent down at its middle where `bend` is positive."""
    pen.polygon([(0.16, 0.96), (0.24, 0.7), (0.4, 0.62), (0.6, 0.62), (0.76, 0.7), (0.84, 0.96)], coat)
    pen.disc(0.5, 0.36, 0.26, SKIN)
    for x in (0.4, 0.6):
        pen.disc(x, 0.32, 0.035, INK, None)
    pen.line(_arc(0.5, 0.45 if bend >= 0 else 0.53, 0.12, bend), INK, 0.045)


@shape("friend", letter="F")
def _friend(pen: "Pen", _label: str) -> None:
    _host(pen, GREEN, 0.09)


@shape("neutral", letter="N")
def _neutral(pen: "Pen", _label: str) -> None:
    _host(pen, STEEL, 0.0)


@shape("foe", letter="E")
def _foe(pen: "Pen", _label: str) -> None:
    _host(pen, VERMILION, -0.09)
    for x, side in ((0.4, 1), (0.6, -1)):
        pen.line([(x - 0.09 * side, 0.2), (x + 0.07 * side, 0.27)], INK, 0.05)
