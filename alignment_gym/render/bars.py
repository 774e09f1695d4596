"""Returns as bars, from 0 towards the best policy's."""

from dataclasses import dataclass
from functools import lru_cache
from math import floor, log10

import pygame

from alignment_gym.render.column import Column
from alignment_gym.render.frame import Frame, Range
from alignment_gym.render.palette import GREEN, INK, PALE, PAPER, Colour, mixed

ROOM = 1.12  # a bar without a known range is longer than its value


@dataclass(frozen=True, slots=True)
class Scale:
    """The ends of a bar, 0 within, and the best policy's return, if it is known."""

    low: float
    high: float
    best: float | None = None

    def share(self, value: float) -> float:
        """Return where a value lies between the ends, 0 to 1."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


def proxy_scale(frame: Frame) -> Scale:
    """Return the scale of what was paid."""
    return scale(frame.proxy_range, frame.ledger.proxy_extremes)


def true_scale(frame: Frame) -> Scale:
    """Return the scale of what was meant."""
    return scale(frame.true_range, frame.ledger.true_extremes)


@lru_cache(maxsize=4096)
def scale(known: Range | None, extremes: Range) -> Scale:
    """Return the known range, widened to hold 0, or round numbers beyond the extremes so far."""
    if known is not None and known[0] < known[1]:
        return Scale(min(known[0], 0.0), max(known[1], 0.0), known[1])
    low, high = -round_up(-extremes[0] * ROOM), round_up(extremes[1] * ROOM)
    return Scale(low, high if high > low else 1.0)


def round_up(value: float) -> float:
    """Return the smallest of 1, 2, 5, 10, 20, 50, ... that reaches a positive value; 0 for none."""
    if value <= 0:
        return 0.0
    power = 10.0 ** floor(log10(max(value, 1.0)))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= value)


def draw_trough(column: Column, width: int, height: int) -> None:
    """Draw an empty bar, which a return fills."""
    column.fill(PALE, 0, 0, width, height, 3)


def draw_bar(column: Column, value: float, ends: Scale, colour: Colour, width: int, height: int) -> None:
    """Draw a return as a bar from 0 in its trough, and a green line where the best policy ends."""
    zero, tip = ends.share(0.0) * width, ends.share(value) * width
    shade = colour if value >= 0 else mixed(colour, INK, 0.25)
    if abs(tip - zero) >= 1:
        column.fill(shade, min(zero, tip), 0, abs(tip - zero), height)
    if value < 0:
        _stripes(column, min(zero, tip), abs(tip - zero), height)
    line = column.scaled(2)
    column.fill(INK, min(max(zero - line / 2, 0), width - line), -line, line, height + 2 * line)
    if ends.best is not None:
        at = ends.share(ends.best) * width
        column.fill(GREEN, min(max(at - line, 0), width - 2 * line), -line, 2 * line, height + 2 * line)


def _stripes(column: Column, x: float, width: float, height: int) -> None:
    """Mark a bar below zero by more than its place."""
    step = column.scaled(8)
    for offset in range(step, round(width), step):
        start = (round(column.left + x + offset), round(column.y))
        pygame.draw.line(column.surface, PAPER, start, (start[0] - step // 2, start[1] + height - 1), 1)
