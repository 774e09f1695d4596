"""What one is sent to fetch, and what stands before it."""

from typing import TYPE_CHECKING

from alignment_gym.render.palette import BROWN, INK, ORANGE, PAPER, STEEL, YELLOW, mixed
from alignment_gym.render.shapes import shape

if TYPE_CHECKING:
    from alignment_gym.render.pen import Pen


@shape("coin", letter="O")
def _coin(pen: "Pen", _label: str) -> None:
    pen.disc(0.5, 0.5, 0.31, YELLOW)
    pen.disc(0.5, 0.5, 0.22, YELLOW, ORANGE, 0.04)
    pen.line([(0.5, 0.38), (0.5, 0.62)], ORANGE, 0.06)


@shape("door", letter="D")
def _door(pen: "Pen", _label: str) -> None:
    pen.box(0.18, 0.04, 0.64, 0.92, mixed(BROWN, PAPER, 0.25))
    for y in (0.14, 0.54):
        pen.box(0.3, y, 0.4, 0.3, mixed(BROWN, PAPER, 0.45), BROWN, 0.025)
    pen.disc(0.72, 0.5, 0.05, YELLOW, INK, 0.02)


@shape("key", letter="K")
def _key(pen: "Pen", _label: str) -> None:
    pen.line([(0.4, 0.5), (0.86, 0.5)], INK, 0.13)
    for x in (0.7, 0.83):
        pen.line([(x, 0.5), (x, 0.68)], INK, 0.11)
    pen.disc(0.28, 0.5, 0.19, ORANGE)
    pen.line([(0.42, 0.5), (0.85, 0.5)], ORANGE, 0.07)
    for x in (0.7, 0.83):
        pen.line([(x, 0.5), (x, 0.67)], ORANGE, 0.05)
    pen.disc(0.28, 0.5, 0.08, PAPER)


@shape("chest", letter="C")
def _chest(pen: "Pen", _label: str) -> None:
    pen.polygon([(0.1, 0.46), (0.14, 0.26), (0.26, 0.18), (0.74, 0.18), (0.86, 0.26), (0.9, 0.46)], BROWN)
    pen.box(0.1, 0.46, 0.8, 0.36, mixed(BROWN, PAPER, 0.25))
    pen.box(0.41, 0.38, 0.18, 0.2, STEEL, INK, 0.03)
    pen.disc(0.5, 0.47, 0.035, INK, None)
