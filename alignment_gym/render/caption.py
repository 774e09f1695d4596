"""Lines of text on a window, in letters of one size however large the picture is; smaller only where they must."""

from collections.abc import Sequence

import pygame

from alignment_gym.render.palette import INK, PAPER
from alignment_gym.render.pen import breadth, fitting, words

LETTERS, FEWEST = 20, 11  # pixels of a line of text, and of the smallest that can be read
MARGIN = 14  # pixels
LEADING = 1.25  # lines of a notice, in letters


def write_line(surface: pygame.Surface, line: str, top: int, height: int) -> None:
    """Write a line from the left edge into a strip, shrunk and then cut to the surface's width."""
    room = max(surface.get_width() - MARGIN, 1)
    size = next((size for size in range(LETTERS, FEWEST, -1) if breadth(line, size) <= room), FEWEST)
    drawn = words(fitting(line, size, room), size, INK)
    surface.blit(drawn, (MARGIN // 2, top + (height - drawn.get_height()) // 2))


def write_notice(surface: pygame.Surface, notice: Sequence[str]) -> None:
    """Write lines in a box in the middle; a tab begins the second column."""
    wide, high = surface.get_size()
    sizes = {size: _size(notice, size) for size in range(LETTERS, FEWEST - 1, -1)}
    size = next((each for each, (width, height) in sizes.items() if width <= wide and height <= high), FEWEST)
    box = pygame.Rect((0, 0), sizes[size])
    box.center = (wide // 2, high // 2)
    box.left, box.top = max(box.left, 0), max(box.top, 0)
    pygame.draw.rect(surface, INK, box, border_radius=8)
    for number, line in enumerate(notice):
        top = box.top + MARGIN + round(number * size * LEADING)
        for part, x in zip(line.split("\t"), (0, _first_column(notice, size)), strict=False):
            surface.blit(words(part, size, PAPER), (box.left + MARGIN + x, top))


def _first_column(notice: Sequence[str], size: int) -> int:
    return max((breadth(line.split("\t")[0], size) + MARGIN for line in notice if "\t" in line), default=0)


def _size(notice: Sequence[str], size: int) -> tuple[int, int]:
    first = _first_column(notice, size)
    ends = (first + breadth(line.split("\t")[1], size) if "\t" in line else breadth(line, size) for line in notice)
    return max(ends) + 2 * MARGIN, round((len(notice) - 1) * size * LEADING + 0.8 * size) + 2 * MARGIN
