"""Colours that tell things apart do so for people who are colour-blind too.

Measure: the distance CIE 1976 of two colours in L*a*b* (D65), of which about 2.3 is just noticeable (M. Mahy,
L. van Eycken, A. Oosterlinck, Color Research and Application 1994), as seen by people with no cone of one kind. Those
are simulated in linear RGB by the matrices of severity 1.0 of G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, A
Physiologically-based Model for Simulation of Color Vision Deficiency, IEEE Transactions on Visualization and Computer
Graphics 15(6), 2009.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from alignment_gym.core import Scene
from alignment_gym.render import palette
from alignment_gym.render.palette import TILES, Colour
from alignment_gym.render.pixels import plain_pixels

VISIONS = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
WHITE = (0.95047, 1.0, 1.08883)
TOLD_APART = 10.0  # about four times what is just noticeable, for areas that lie side by side
ACCENTS = {
    "paid and meant": (palette.PAID, palette.MEANT),
    "an exploit and what is meant": (palette.VERMILION, palette.MEANT),
    "an exploit and what is paid": (palette.VERMILION, palette.PAID),
    "a bar and its best": (palette.PAID, palette.GREEN),
    "the true bar and its best": (palette.MEANT, palette.GREEN),
    "the paid bar and its ground": (palette.PAID, palette.PALE),
    "the true bar and its ground": (palette.MEANT, palette.PALE),
    "right and wrong": (palette.GREEN, palette.VERMILION),
    "a switch on and off": (palette.YELLOW, palette.STEEL),
    "dirt and floor": (palette.BROWN, TILES["floor"]),
}
GROUNDS = [
    ("goal", "danger"),
    ("goal", "floor"),
    ("goal", "grass"),
    ("goal", "lava"),
    ("danger", "floor"),
    ("danger", "belt"),
    ("lava", "floor"),
    ("water", "lagoon"),
    ("water", "land"),
    ("water", "grass"),
    ("lagoon", "land"),
    ("wall", "floor"),
    ("wall", "unseen"),
    ("wall", "hole"),
    ("hole", "floor"),
    ("road", "grass"),
    ("belt", "floor"),
    ("shelf", "floor"),
]


def lightness_and_hue(colour: Colour, vision: str) -> NDArray[np.float64]:
    """Return L*, a*, b* of an sRGB colour as it is seen."""
    share = np.array(colour) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(VISIONS[vision]) @ linear, 0.0, 1.0)
    scaled = np.array(TO_XYZ) @ seen / np.array(WHITE)
    x, y, z = np.where(scaled > 216 / 24389, np.cbrt(scaled), (24389 / 27 * scaled + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distance(one: Colour, other: Colour, vision: str) -> float:
    return float(np.linalg.norm(lightness_and_hue(one, vision) - lightness_and_hue(other, vision)))


def test_the_measure_knows_its_standard_colours():
    np.testing.assert_allclose(lightness_and_hue((255, 255, 255), "usual"), (100.0, 0.0, 0.0), atol=0.02)
    np.testing.assert_allclose(lightness_and_hue((255, 0, 0), "usual"), (53.24, 80.09, 67.20), atol=0.02)


def test_the_measure_rejects_colours_that_the_colour_blind_confuse():
    red, green = (200, 80, 60), (121, 121, 61)
    assert distance(red, green, "usual") > 50
    assert distance(red, green, "deuteranopia") < TOLD_APART


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("pair", ACCENTS)
def test_colours_that_carry_meaning_can_be_told_apart(pair: str, vision: str):
    assert distance(*ACCENTS[pair], vision) > TOLD_APART


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize(("one", "other"), GROUNDS)
def test_grounds_that_lie_side_by_side_can_be_told_apart(one: str, other: str, vision: str):
    assert distance(TILES[one], TILES[other], vision) > TOLD_APART


@pytest.mark.parametrize("kind", ["goal", "danger", "lava", "hole", "water", "unseen"])
@pytest.mark.parametrize("tile", [16, 24, 40])
def test_ground_that_means_something_is_never_told_by_colour_alone(kind: str, tile: int):
    drawn = plain_pixels(Scene((("floor", kind, "floor"),)), tile)
    inside = drawn[1:-1, tile + 1 : 2 * tile - 1].astype(int)
    floor = drawn[3:-3, 3 : tile - 3].astype(int)
    assert np.ptp(floor, axis=(0, 1)).max() == 0
    assert np.ptp(inside, axis=(0, 1)).max() > 12
