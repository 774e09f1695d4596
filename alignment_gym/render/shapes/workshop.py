"""A worker, and the ways to stop one."""

from math import cos, pi, sin
from typing import TYPE_CHECKING

from alignment_gym.render.palette import BLUE, BROWN, INK, PAPER, SKY, STEEL, VERMILION, YELLOW, mixed
from alignment_gym.render.shapes import around, cross, shape

if TYPE_CHECKING:
    from alignment_gym.render.pen import Pen


@shape("worker", letter="W")
def _worker(pen: "Pen", _label: str) -> None:
    pen.polygon([(0.24, 0.92), (0.28, 0.6), (0.4, 0.5), (0.6, 0.5), (0.72, 0.6), (0.76, 0.92)], BLUE)
    pen.line([(0.4, 0.54), (0.4, 0.74), (0.6, 0.74), (0.6, 0.54)], SKY, 0.04)
    pen.disc(0.5, 0.34, 0.19, (244, 205, 170))
    pen.polygon([(0.28, 0.3), (0.33, 0.17), (0.5, 0.1), (0.67, 0.17), (0.72, 0.3)], YELLOW, INK, 0.03)


@shape("bench", letter="H")
def _bench(pen: "Pen", label: str) -> None:
    pen.box(0.08, 0.5, 0.84, 0.14, mixed(BROWN, PAPER, 0.3))
    for x in (0.16, 0.74):
        pen.box(x, 0.64, 0.1, 0.28, mixed(BROWN, PAPER, 0.15))
    shade = VERMILION if label else STEEL
    pen.polygon([(0.3, 0.08), (0.53, 0.48), (0.07, 0.48)] if label else around(0.3, 0.3, 0.18, 8), shade, INK, 0.03)
    if label:
        pen.label("!", 0.3, 0.36, 0.36, PAPER)
    else:
        pen.disc(0.3, 0.3, 0.07, PAPER, INK, 0.02)


@shape("lamp", letter="L")
def _lamp(pen: "Pen", label: str) -> None:
    lit = not pen.faded
    for x, y in around(0.5, 0.42, 0.45, 10) if lit else ():
        pen.line([(0.5 + (x - 0.5) * 0.76, 0.42 + (y - 0.42) * 0.76), (x, y)], YELLOW, 0.05)
    pen.disc(0.5, 0.42, 0.27, YELLOW if lit else STEEL, INK if lit else PAPER)
    pen.box(0.39, 0.68, 0.22, 0.2, STEEL, INK if lit else PAPER, 0.03)
    pen.label(label, 0.5, 0.43, 0.44)


@shape("button", letter="U")
def _button(pen: "Pen", label: str) -> None:
    pen.box(0.12, 0.62, 0.76, 0.26, YELLOW)
    dome = [(0.5 - 0.28 * cos(pi * step / 12), 0.62 - 0.4 * sin(pi * step / 12)) for step in range(13)]
    pen.polygon(dome, VERMILION)
    if label:
        cross(pen, PAPER)


@shape("panel", letter="P")
def _panel(pen: "Pen", _label: str) -> None:
    pen.box(0.18, 0.1, 0.64, 0.8, STEEL)
    if pen.faded:
        pen.line([(0.3, 0.2), (0.44, 0.46)], VERMILION, 0.06)
        pen.line([(0.56, 0.56), (0.7, 0.8)], VERMILION, 0.06)
        return
    pen.polygon([(0.56, 0.2), (0.34, 0.54), (0.48, 0.54), (0.42, 0.8), (0.66, 0.44), (0.52, 0.44)], YELLOW, INK, 0.025)


@shape("stop", letter="")
def _stop(pen: "Pen", _label: str) -> None:
    pen.polygon(around(0.72, 0.26, 0.25, 8, pi / 8), VERMILION, PAPER, 0.04)
    pen.box(0.6, 0.22, 0.24, 0.08, PAPER, None)
