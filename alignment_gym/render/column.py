"""A column of text and boxes that grows downwards, in a unit that scales with the picture."""

from dataclasses import dataclass

import pygame

from alignment_gym.render.palette import PAPER, VERMILION, Colour
from alignment_gym.render.pen import figures, fitting, inked, words

WIDTH = 360  # of a side panel; all measures are pixels at a tile of 40
MARGIN = 14


@dataclass(slots=True)
class Column:
    """Where the next thing in a panel goes: a surface, the unit, a height that grows, and the colour of empty paper."""

    surface: pygame.Surface
    left: int
    y: float
    unit: float
    paper: Colour | None = None  # unknown

    @property
    def width(self) -> int:
        """Pixels between the margins."""
        return self.scaled(WIDTH - 2 * MARGIN)

    def scaled(self, length: float) -> int:
        """Return a length in pixels."""
        return round(length * self.unit)

    def write(self, text: str, size: float, colour: Colour, x: float = 0.0, right: bool = False, room: int = 0) -> None:
        """Write a line at `x` from the left margin, or ending there; `room` cuts it."""
        height = self.scaled(size)
        text = fitting(text, height, room) if room else text
        left = self.left + self.scaled(x) - (words(text, height, colour).get_width() if right else 0)
        if self.paper is None:
            self.surface.blit(words(text, height, colour), (left, round(self.y)))
        else:
            ink, over, below = inked(text, height, colour, self.paper)
            self.surface.blit(ink, (left + over, round(self.y) + below))

    def number(self, number: str, size: float, colour: Colour, x: float) -> None:
        """Write a number that ends at `x` from the left margin, on paper of a known colour."""
        assert self.paper is not None
        signs, width = figures(number, self.scaled(size), colour, self.paper)
        left, top = self.left + self.scaled(x) - width, round(self.y)
        self.surface.fblits([(ink, (left + over, top + below)) for ink, (over, below) in signs])

    def lower(self, length: float) -> "Column":
        """Return the column further down, without moving on."""
        return Column(self.surface, self.left, self.y + length * self.unit, self.unit, self.paper)

    def down(self, length: float) -> None:
        """Move on."""
        self.y += length * self.unit

    def fill(self, colour: Colour, x: float, y: float, width: float, height: float, radius: float = 0) -> None:
        """Fill a rectangle, in pixels from the left margin and the present height."""
        box = pygame.Rect(round(self.left + x), round(self.y + y), max(round(width), 1), max(round(height), 1))
        if radius:
            pygame.draw.rect(self.surface, colour, box, border_radius=round(radius))
        else:
            self.surface.fill(colour, box)


def draw_warning(column: Column, size: float) -> None:
    """Draw a triangle with an exclamation mark at the left end of a banner, as high as its text asks for."""
    unit = column.unit * size / 26
    left, top = column.left + 8 * unit, column.y + 5 * unit
    corners = [(left + 8 * unit, top), (left + 16 * unit, top + 15 * unit), (left, top + 15 * unit)]
    pygame.draw.polygon(column.surface, PAPER, corners)
    mark = words("!", round(18 * unit), VERMILION)
    column.surface.blit(mark, mark.get_rect(center=(left + 8 * unit, top + 10 * unit)))
