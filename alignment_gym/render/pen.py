"""A pen draws shapes in a unit square, four times too large, and shrinks them: smooth at any size."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pygame

from alignment_gym.render.palette import GREY, INK, PALE, Colour, mixed

RED_GREEN_BLUE = (0xFF, 0xFF00, 0xFF0000, 0)
FINE = 4  # pixels drawn for one shown
QUARTER_TURNS = {"": 0, "east": 0, "south": 1, "west": 2, "north": 3}
EDGE = 0.035
WASHED = 0.72  # how much of a faded thing's colours is gone
FADED = 165  # of 255: solid enough to be seen on dark ground
SHADE = 85  # a third of 255: text in few shades makes animations half as large

Point = tuple[float, float]
Placed = tuple[pygame.Surface, tuple[int, int]]
"""A picture, and the x and y of its upper left corner."""


class Pen:
    """Draws in a unit square: x to the right, y down, things facing east until turned.

    A faded pen takes most of the colour away and lets the ground through: not here now, but coming, or off.
    """

    def __init__(self, size: int, facing: str = "", faded: bool = False) -> None:
        self.size = size * FINE
        self.surface = pygame.Surface((self.size, self.size), pygame.SRCALPHA)
        self._turns = QUARTER_TURNS.get(facing, 0)
        self.faded = faded

    def disc(
        self, x: float, y: float, radius: float, fill: Colour | None, edge: Colour | None = INK, width: float = EDGE
    ) -> None:
        """Draw a disc, or a ring where `fill` is None."""
        if edge is not None and fill is not None:
            pygame.draw.circle(self.surface, self._edge(edge), self._at(x, y), radius * self.size)
            radius -= width
        if fill is None:
            pygame.draw.circle(
                self.surface, self._edge(edge or INK), self._at(x, y), radius * self.size, round(width * self.size)
            )
        else:
            pygame.draw.circle(self.surface, self._fill(fill), self._at(x, y), radius * self.size)

    def polygon(
        self, points: Sequence[Point], fill: Colour | None, edge: Colour | None = INK, width: float = EDGE
    ) -> None:
        """Draw a filled polygon with a round-cornered edge."""
        if fill is not None:
            pygame.draw.polygon(self.surface, self._fill(fill), [self._at(x, y) for x, y in points])
        if edge is not None:
            self.line([*points, points[0]], edge, width)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: Colour,
        edge: Colour | None = INK,
        thickness: float = EDGE,
    ) -> None:
        """Draw a rectangle with its upper left corner at (x, y)."""
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
        self.polygon(corners, fill, edge, thickness)

    def line(self, points: Sequence[Point], colour: Colour, width: float = EDGE) -> None:
        """Draw a line through points, with round joints."""
        placed = [self._at(x, y) for x, y in points]
        thick = max(round(width * self.size), 1)
        shade = self._edge(colour)
        for start, end in pairwise(placed):
            across = pygame.Vector2(end[0] - start[0], end[1] - start[1])
            if across.length() > 0:
                side = across.normalize().rotate(90) * thick / 2
                corners = [start + side, end + side, end - side, start - side]
                pygame.draw.polygon(self.surface, shade, corners)
        for point in placed:
            pygame.draw.circle(self.surface, shade, point, thick / 2)

    def label(self, words: str, x: float, y: float, height: float, colour: Colour = INK) -> None:
        """Write upright, centred at (x, y); `height` is that of a line."""
        drawn = font(round(height * self.size)).render(words, True, self._edge(colour))
        self.surface.blit(drawn, drawn.get_rect(center=self._at(x, y)))

    def finished(self) -> pygame.Surface:
        """Return the drawing at its size, with premultiplied alpha."""
        size = self.size // FINE
        return pygame.transform.smoothscale(self.surface.premul_alpha(), (size, size))

    def _at(self, x: float, y: float) -> pygame.Vector2:
        return (pygame.Vector2(x - 0.5, y - 0.5).rotate(90 * self._turns) + pygame.Vector2(0.5, 0.5)) * self.size

    def _fill(self, colour: Colour) -> tuple[int, int, int, int]:
        return (*mixed(colour, PALE, WASHED), FADED) if self.faded else (*colour, 255)

    def _edge(self, colour: Colour) -> tuple[int, int, int, int]:
        return (*mixed(colour, GREY, WASHED), FADED) if self.faded else (*colour, 255)


@lru_cache(maxsize=64)
def font(size: int) -> pygame.font.Font:
    """Return the font that comes with pygame, so that pictures are the same everywhere."""
    pygame.font.init()
    return pygame.font.Font(None, size)


@lru_cache(maxsize=8192)
def words(text: str, size: int, colour: Colour) -> pygame.Surface:
    """Return a line of text on nothing; shrunk, because small letters are badly spaced when drawn directly."""
    if not text.strip():
        return pygame.Surface((0, 0), pygame.SRCALPHA)
    large = font(size * FINE).render(text, True, colour)
    small = pygame.transform.smoothscale(large, (breadth(text, size), -(-large.get_height() // FINE)))
    alpha = pygame.surfarray.pixels_alpha(small)
    alpha[:] = (alpha.astype(np.uint16) + SHADE // 2) // SHADE * SHADE
    return small


@lru_cache(maxsize=8192)
def inked(text: str, size: int, colour: Colour, paper: Colour) -> tuple[pygame.Surface, int, int]:
    """Return what a line of text leaves on paper, and how far right and down; placing it only copies."""
    drawn = words(text, size, colour)
    box = drawn.get_bounding_rect()
    patch = pygame.Surface(box.size, 0, 32)
    patch.fill(paper)
    patch.blit(drawn, (0, 0), box)
    return as_bytes(patch), box.left, box.top


@lru_cache(maxsize=4096)
def figures(number: str, size: int, colour: Colour, paper: Colour) -> tuple[tuple[Placed, ...], int]:
    """Return the signs of a number, each with its place, and how wide they are together.

    Every sign is drawn once, and a figure has one width: numbers that change neither jump nor cost new letters.
    """
    placed, x = [], 0
    for sign in number:
        ink, over, below = inked(sign, size, colour, paper)
        placed.append((ink, (x + over, below)))
        x += breadth(sign, size)
    return tuple(placed), x


def as_bytes(drawn: pygame.Surface) -> pygame.Surface:
    """Return a picture in the order in which it is handed out, red, green, blue, so that placing it only copies."""
    copied = pygame.Surface(drawn.get_size(), 0, 24, masks=RED_GREEN_BLUE)
    copied.blit(drawn, (0, 0))
    return copied


@lru_cache(maxsize=4096)
def breadth(text: str, size: int) -> int:
    """Return the pixels that a line of text takes from left to right."""
    return -(-font(size * FINE).size(text)[0] // FINE)


@lru_cache(maxsize=4096)
def fitting(text: str, size: int, width: int) -> str:
    """Return the text, cut with an ellipsis where it is wider than `width` pixels."""
    if breadth(text, size) <= width:
        return text
    while text and breadth(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip(" ,") + "…"


def wrapped(text: str, size: int, width: int) -> list[str]:
    """Return the text as lines that are no wider than `width` pixels; single words may be."""
    lines: list[str] = []
    for word in text.split():
        if lines and breadth(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
