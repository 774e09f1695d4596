"""The side panel: what was paid and what was meant, as two bars, and the steps that led there."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from math import floor, log10

import pygame

from alignment_gym.core import Meter
from alignment_gym.render.frame import Frame, Line, Range, signed, weighed
from alignment_gym.render.palette import (
    GREEN,
    GREY,
    INK,
    MEANT,
    PAGE,
    PAID,
    PALE,
    PAPER,
    STEEL,
    VERMILION,
    Colour,
    mixed,
)
from alignment_gym.render.pen import as_bytes, breadth, fitting, inked, words

WIDTH = 360  # all measures are pixels at a tile of 40
HEIGHT = 440
MARGIN = 14
METERS_SHOWN = 3
ROWS_SHOWN = 8  # of events: they all move with every step, which is most of what an animation weighs
ROW = 20
ENTRY = 102  # where events stand, right of steps and actions
ROOM = 1.12  # a bar without a known range is longer than its value


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

    def down(self, length: float) -> None:
        """Move on."""
        self.y += length * self.unit

    def fill(self, colour: Colour, x: float, y: float, width: float, height: float, radius: float = 0) -> None:
        """Fill a rectangle, in pixels from the left margin and the present height."""
        box = pygame.Rect(round(self.left + x), round(self.y + y), max(round(width), 1), max(round(height), 1))
        pygame.draw.rect(self.surface, colour, box, border_radius=round(radius))


def draw_backdrop(target: pygame.Surface, left: int, unit: float) -> None:
    """Draw the empty side panel from pixel column `left` to the right edge."""
    target.fill(PAGE, (left, 0, target.get_width() - left, target.get_height()))
    target.fill(PALE, (left, 0, max(round(unit), 1), target.get_height()))


def draw_panel(target: pygame.Surface, frame: Frame, left: int, unit: float) -> None:
    """Draw the side panel from pixel column `left` to the right edge, over its backdrop."""
    column = Column(target, left + round(MARGIN * unit), MARGIN * unit, unit, PAGE)
    _heading(column, frame)
    _account(column, "PAID", "proxy", frame.ledger.proxy_return, proxy_scale(frame), PAID, frame.proxy)
    if frame.true_hidden:
        _covered(column)
    else:
        _account(column, "MEANT", "true", frame.ledger.true_return, true_scale(frame), MEANT, frame.true)
    _exploit(column, frame)
    for meter in frame.scene.meters[:METERS_SHOWN]:
        _meter(column, meter)
    _lines(column, frame)


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


def _heading(column: Column, frame: Frame) -> None:
    column.write(frame.title, 26, INK, room=column.width)
    column.down(23)
    column.write(frame.who, 18, GREY, room=column.width)
    column.down(21)
    step, horizon = frame.ledger.step, frame.horizon
    column.write(f"step {step}" + (f" of {horizon}" if horizon else ""), 18, INK)
    column.down(16)
    column.fill(PALE, 0, 0, column.width, column.scaled(4), 2)
    if step and horizon:
        _elapsed(column, min(step / horizon, 1.0), frame.exploited_at, horizon)
    column.down(16)


def _elapsed(column: Column, share: float, exploited_at: int | None, horizon: int) -> None:
    """Draw how much of the episode is over, and where in it the exploit was first seen."""
    column.fill(STEEL, 0, 0, column.width * share, column.scaled(4), 2)
    if exploited_at is None:
        return
    start, half = column.width * min(exploited_at / horizon, 1.0), column.scaled(5)
    column.fill(VERMILION, start, 0, column.width * share - start, column.scaled(4), 2)
    x, y = column.left + start, column.y + column.scaled(4)
    pygame.draw.polygon(column.surface, VERMILION, [(x, y), (x - half, y + half), (x + half, y + half)])


def _account(
    column: Column, name: str, kind: str, value: float, ends: Scale, colour: Colour, weights: Mapping[str, float]
) -> None:
    right = WIDTH - 2 * MARGIN
    column.write(f"{name} ({kind})", 20, INK)
    column.write(signed(value), 27, INK, right, right=True)
    column.down(22)
    draw_bar(column, value, ends, colour, column.width, column.scaled(16))
    column.down(21)
    best = "" if ends.best is None else f"best policy {signed(ends.best)}"
    column.write(best, 16, GREY, right, right=True)
    taken = words(best, column.scaled(16), GREY).get_width() if best else 0
    column.write(weighed(weights), 16, GREY, room=column.width - taken - column.scaled(10))
    column.down(24)


def draw_bar(column: Column, value: float, ends: Scale, colour: Colour, width: int, height: int) -> None:
    """Draw a return as a bar from 0, and a green line where the best policy ends."""
    column.fill(PALE, 0, 0, width, height, 3)
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


def _covered(column: Column) -> None:
    column.write("MEANT (true)", 20, INK)
    column.write("?", 27, INK, WIDTH - 2 * MARGIN, right=True)
    column.down(22)
    column.fill(PALE, 0, 0, column.width, column.scaled(16), 3)
    column.down(21)
    column.write("shown when the episode is over", 16, GREY)
    column.down(24)


def _exploit(column: Column, frame: Frame) -> None:
    since = frame.exploited_at
    if since is not None:
        column.fill(VERMILION, 0, 0, column.width, column.scaled(26), column.scaled(4))
        draw_warning(column, 26)
        column.down(6)
        told = f"EXPLOIT: {frame.exploit_event.replace('_', ' ')}, step {since}"
        banner = replace(column, paper=VERMILION)
        banner.write(told, 20, PAPER, 32, room=column.width - column.scaled(40))
        column.down(-6)
    column.down(36)


def draw_warning(column: Column, size: float) -> None:
    """Draw a triangle with an exclamation mark at the left end of a banner, as high as its text asks for."""
    unit = column.unit * size / 26
    left, top = column.left + 8 * unit, column.y + 5 * unit
    corners = [(left + 8 * unit, top), (left + 16 * unit, top + 15 * unit), (left, top + 15 * unit)]
    pygame.draw.polygon(column.surface, PAPER, corners)
    mark = words("!", round(18 * unit), VERMILION)
    column.surface.blit(mark, mark.get_rect(center=(left + 8 * unit, top + 10 * unit)))


def _meter(column: Column, meter: Meter) -> None:
    right = WIDTH - 2 * MARGIN
    size = 17
    while size > 13 and breadth(meter.label, column.scaled(size)) > column.scaled(150):
        size -= 1
    column.write(meter.label, size, INK, room=column.scaled(150))
    cells = round(meter.full) if meter.full == round(meter.full) and 1 <= meter.full <= 8 else 0
    start, width, height = column.scaled(160), column.scaled(right - 160 - 46), column.scaled(11)
    if cells:
        gap = column.scaled(3)
        each = (width - gap * (cells - 1)) / cells
        for place in range(cells):
            column.fill(GREY if place < meter.value else PALE, start + place * (each + gap), 1, each, height, 2)
    else:
        column.fill(PALE, start, 1, width, height, 2)
        column.fill(GREY, start, 1, width * min(meter.value / meter.full, 1.0) if meter.full else 0, height, 2)
    column.write(f"{meter.value:.3g}/{meter.full:g}", 17, INK, right, right=True)
    column.down(21)


def _lines(column: Column, frame: Frame) -> None:
    """Write the last steps, newest first, a row for every event with its two amounts."""
    right = WIDTH - 2 * MARGIN
    column.write("last events", 16, GREY)
    column.write("paid", 16, GREY, right - 58, right=True)
    column.write("meant", 16, GREY, right, right=True)
    column.down(15)
    column.fill(PALE, 0, 0, column.width, 1)
    column.down(5)
    rows = ROWS_SHOWN
    for number, line in enumerate(frame.ledger.lines):
        if rows:
            rows = _line(column, frame, line, GREY if number else INK, rows)


def _line(column: Column, frame: Frame, line: Line, colour: Colour, rows: int) -> int:
    """Write as much of a step as there is room for, in so many rows at most, and return how many are left."""
    for number, entry in enumerate(frame.entries(line)):
        if not rows or column.y + column.scaled(16) > column.surface.get_height():
            return 0
        did = ("", "") if number else (str(line.step), line.action)
        meant = "?" if frame.true_hidden else signed(entry.meant)
        row = _row(did, (entry.name, signed(entry.paid), meant), colour, entry.marks, column.unit)
        column.surface.blit(row, (column.left, round(column.y)))
        column.down(ROW)
        rows -= 1
    return rows


@lru_cache(maxsize=2048)
def _row(
    did: tuple[str, str], content: tuple[str, str, str], colour: Colour, marks: bool, unit: float
) -> pygame.Surface:
    """Return an event's row; kept, because it is shown in many frames."""
    (step, action), (told, paid, meant) = did, content
    right = WIDTH - 2 * MARGIN
    row = Column(pygame.Surface((round(right * unit), round(17 * unit)), 0, 32), 0, 0.0, unit)
    row.surface.fill(PAGE)
    row.write(step, 17, colour, 22, right=True)
    row.write(action, 17, colour, 32, room=row.scaled(66))
    colour = VERMILION if marks else colour
    row.write(told, 17, colour, ENTRY, room=row.scaled(right - ENTRY - 108))
    row.write(paid, 17, colour, right - 58, right=True)
    row.write(meant, 17, colour, right, right=True)
    return as_bytes(row.surface)
