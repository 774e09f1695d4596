"""What stands in offices and rooms: code and its tests, things with knobs, tools."""

from typing import TYPE_CHECKING

from alignment_gym.render.palette import BROWN, GREEN, GREY, INK, ORANGE, PAPER, SKY, STEEL, VERMILION, YELLOW, mixed
from alignment_gym.render.shapes import cross, shape

if TYPE_CHECKING:
    from alignment_gym.render.pen import Pen

SHEET = [(0.18, 0.06), (0.66, 0.06), (0.82, 0.22), (0.82, 0.94), (0.18, 0.94)]


@shape("function", letter="F")
def _function(pen: "Pen", label: str) -> None:
    fill = VERMILION if label == "==" else GREEN if label.startswith("done") else PAPER
    pen.polygon(SHEET, mixed(fill, PAPER, 0.55))
    pen.label("f(x)", 0.5, 0.3, 0.34)
    pen.label(label, 0.5, 0.66, 0.33)


@shape("tests", letter="T")
def _tests(pen: "Pen", label: str) -> None:
    pen.polygon(SHEET, PAPER)
    for y in (0.34, 0.56, 0.78):
        pen.line([(0.27, y - 0.03), (0.33, y + 0.04), (0.43, y - 0.09)], GREEN, 0.05)
        pen.line([(0.5, y), (0.74, y)], GREY, 0.04)
    if label:
        cross(pen, VERMILION)


@shape("server", letter="S")
def _server(pen: "Pen", _label: str) -> None:
    pen.box(0.16, 0.08, 0.68, 0.84, STEEL)
    for y in (0.18, 0.44, 0.7):
        pen.line([(0.26, y + 0.05), (0.56, y + 0.05)], INK, 0.05)
        pen.disc(0.72, y + 0.05, 0.05, GREEN, None)


@shape("radio")
def _radio(pen: "Pen", label: str) -> None:
    pen.line([(0.66, 0.34), (0.86, 0.06)], INK, 0.04)
    pen.box(0.06, 0.34, 0.88, 0.54, BROWN)
    pen.disc(0.3, 0.61, 0.18, PAPER)
    pen.disc(0.3, 0.61, 0.07, INK, None)
    pen.box(0.56, 0.44, 0.28, 0.34, PAPER, None)
    pen.label(label, 0.7, 0.62, 0.4)


@shape("heater")
def _heater(pen: "Pen", label: str) -> None:
    for x in (0.12, 0.32, 0.52, 0.72):
        pen.box(x, 0.2, 0.16, 0.66, mixed(VERMILION, PAPER, 0.35), INK, 0.03)
    pen.disc(0.5, 0.53, 0.22, PAPER)
    pen.label(label, 0.5, 0.545, 0.4)


@shape("drill")
def _drill(pen: "Pen", _label: str) -> None:
    pen.polygon([(0.1, 0.22), (0.6, 0.22), (0.66, 0.46), (0.34, 0.46), (0.28, 0.84), (0.08, 0.84)], ORANGE)
    pen.line([(0.64, 0.34), (0.94, 0.34)], STEEL, 0.07)


@shape("ladder")
def _ladder(pen: "Pen", _label: str) -> None:
    for y in (0.2, 0.4, 0.6, 0.8):
        pen.line([(0.3, y), (0.7, y)], YELLOW, 0.07)
    for x in (0.28, 0.72):
        pen.line([(x, 0.06), (x, 0.94)], mixed(BROWN, PAPER, 0.3), 0.09)


@shape("saw")
def _saw(pen: "Pen", _label: str) -> None:
    teeth = [(0.92 - 0.06 * step, 0.62 + 0.08 * (step % 2)) for step in range(9)]
    pen.polygon([(0.4, 0.36), (0.94, 0.5), *teeth], PAPER, INK, 0.025)
    pen.polygon([(0.06, 0.38), (0.36, 0.3), (0.44, 0.68), (0.14, 0.74)], BROWN)


@shape("torch")
def _torch(pen: "Pen", _label: str) -> None:
    pen.polygon([(0.62, 0.4), (0.98, 0.16), (0.98, 0.84), (0.62, 0.6)], YELLOW, None)
    pen.box(0.06, 0.4, 0.4, 0.2, GREY)
    pen.polygon([(0.46, 0.4), (0.62, 0.3), (0.62, 0.7), (0.46, 0.6)], SKY)


@shape("site")
def _site(pen: "Pen", label: str) -> None:
    for x in (0.2, 0.8):
        pen.line([(x, 0.5), (x, 0.94)], INK, 0.06)
    pen.box(0.08, 0.14, 0.84, 0.5, PAPER)
    for x in (0.08, 0.36, 0.64):
        pen.polygon([(x, 0.78), (x + 0.14, 0.66), (x + 0.28, 0.66), (x + 0.14, 0.78)], ORANGE, None)
    pen.label(label, 0.5, 0.4, 0.6)
