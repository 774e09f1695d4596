"""What is overseen, and by whom: units and fakes, an auditor, parts, and a register."""

from typing import TYPE_CHECKING

from alignment_gym.render.palette import BLUE, BROWN, GREEN, GREY, INK, ORANGE, PAPER, PURPLE, STEEL, VERMILION, mixed
from alignment_gym.render.shapes import around, shape

if TYPE_CHECKING:
    from alignment_gym.render.pen import Pen

SKIN = (244, 205, 170)


def _crate(pen: "Pen", sealed: bool) -> None:
    pen.box(0.16, 0.3, 0.68, 0.54, mixed(BLUE, PAPER, 0.55) if sealed else PAPER)
    pen.line([(0.16, 0.46), (0.84, 0.46)], INK)
    pen.box(0.38, 0.56, 0.24, 0.16, PAPER, INK, 0.025)


@shape("unit", letter="U")
def _unit(pen: "Pen", _label: str) -> None:
    _crate(pen, sealed=True)


@shape("fake unit", letter="F")
def _fake_unit(pen: "Pen", _label: str) -> None:
    _crate(pen, sealed=False)
    pen.line([(0.22, 0.36), (0.78, 0.8)], VERMILION, 0.06)
    pen.line([(0.78, 0.36), (0.22, 0.8)], VERMILION, 0.06)


@shape("auditor", letter="A")
def _auditor(pen: "Pen", _label: str) -> None:
    pen.polygon([(0.2, 0.92), (0.26, 0.58), (0.4, 0.5), (0.6, 0.5), (0.74, 0.58), (0.8, 0.92)], PURPLE)
    pen.disc(0.5, 0.32, 0.19, SKIN)
    pen.box(0.24, 0.1, 0.52, 0.08, INK, None)
    pen.box(0.34, 0.02, 0.32, 0.12, INK, None)
    pen.box(0.56, 0.6, 0.28, 0.28, PAPER, INK, 0.025)
    pen.line([(0.62, 0.68), (0.78, 0.68)], GREY, 0.025)
    pen.line([(0.62, 0.77), (0.78, 0.77)], GREY, 0.025)


@shape("chute", letter="S")
def _chute(pen: "Pen", _label: str) -> None:
    pen.polygon([(0.1, 0.1), (0.9, 0.1), (0.68, 0.6), (0.32, 0.6)], STEEL)
    pen.polygon(around(0.5, 0.76, 0.15, 6), ORANGE, INK, 0.03)


@shape("part", letter="")
def _part(pen: "Pen", _label: str) -> None:
    pen.polygon(around(0.8, 0.2, 0.17, 6), ORANGE, INK, 0.03)


@shape("register", letter="G")
def _register(pen: "Pen", label: str) -> None:
    by_hand = label == "hand"
    pen.box(0.06, 0.2, 0.88, 0.66, BROWN)
    pen.box(0.15, 0.3, 0.7, 0.36, PAPER, VERMILION if by_hand else GREEN, 0.05)
    pen.label(label, 0.5, 0.485, 0.32)
    pen.line([(0.5, 0.76), (0.7, 0.74) if by_hand else (0.34, 0.74)], VERMILION if by_hand else STEEL, 0.07)
