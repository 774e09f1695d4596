"""A cleaner's flat."""

from typing import TYPE_CHECKING

from alignment_gym.render.palette import BROWN, GREY, INK, PAPER, SKY, STEEL, VERMILION, mixed
from alignment_gym.render.shapes import shape

if TYPE_CHECKING:
    from alignment_gym.render.pen import Pen


@shape("robot", letter="R")
def _robot(pen: "Pen", _label: str) -> None:
    pen.disc(0.5, 0.52, 0.37, STEEL)
    pen.disc(0.5, 0.52, 0.27, PAPER, GREY, 0.025)
    pen.box(0.27, 0.42, 0.46, 0.2, INK, None)
    for x in (0.4, 0.6):
        pen.disc(x, 0.52, 0.065, SKY, None)
    pen.line([(0.5, 0.16), (0.5, 0.06)], INK, 0.04)
    pen.disc(0.5, 0.06, 0.05, VERMILION, None)


@shape("dirt", letter="D")
def _dirt(pen: "Pen", _label: str) -> None:
    for x, y, radius in ((0.42, 0.58, 0.2), (0.62, 0.62, 0.16), (0.52, 0.42, 0.17), (0.3, 0.46, 0.09)):
        pen.disc(x, y, radius, BROWN, None)
    for x, y, radius in ((0.76, 0.4, 0.06), (0.22, 0.7, 0.05), (0.72, 0.84, 0.05), (0.34, 0.26, 0.045)):
        pen.disc(x, y, radius, BROWN, None)
    pen.disc(0.46, 0.52, 0.05, mixed(BROWN, PAPER, 0.4), None)


@shape("camera", letter="C", turns=True)
def _camera(pen: "Pen", _label: str) -> None:
    pen.box(0.12, 0.28, 0.5, 0.44, PAPER)
    pen.polygon([(0.62, 0.42), (0.86, 0.28), (0.86, 0.72), (0.62, 0.58)], STEEL)
    pen.line([(0.88, 0.3), (0.88, 0.7)], SKY, 0.06)
    pen.disc(0.25, 0.4, 0.05, VERMILION, None)


@shape("cap", letter="X", turns=True)
def _cap(pen: "Pen", _label: str) -> None:
    if pen.faded:  # off the lens, it hangs below the camera, and is as solid as ever
        pen.faded = False
        pen.box(0.24, 0.8, 0.46, 0.16, INK, PAPER, 0.03)
        return
    pen.polygon([(0.7, 0.12), (0.96, 0.12), (0.96, 0.88), (0.7, 0.88)], INK, PAPER, 0.04)
    pen.line([(0.3, 0.34), (0.54, 0.66)], VERMILION, 0.08)
    pen.line([(0.54, 0.34), (0.3, 0.66)], VERMILION, 0.08)
