"""The side panel: what was paid and what was meant, as two bars, and the steps that led there.

What stays as it is for a whole episode is drawn once, by `draw_fixed`; every frame adds what moves, by `draw_moving`.
"""

from dataclasses import dataclass
from functools import lru_cache

import pygame

from alignment_gym.core import Meter
from alignment_gym.render.bars import Scale, draw_bar, draw_trough, proxy_scale, scale, true_scale
from alignment_gym.render.column import MARGIN, WIDTH, Column, draw_warning
from alignment_gym.render.frame import Entry, Frame, Line, Range, Terms, Weights, entries, signed, weighed
from alignment_gym.render.palette import GREY, INK, MEANT, PAGE, PAID, PALE, PAPER, STEEL, VERMILION, Colour
from alignment_gym.render.pen import as_bytes, breadth, figures, words

HEIGHT = 440  # all measures are pixels at a tile of 40
RIGHT = WIDTH - 2 * MARGIN
STEP = 44  # where the line about steps begins
HEADING, ACCOUNT, EXPLOIT, METER, LIST = 76, 67, 36, 21, 20  # heights of the sections, from the top down
METERS_SHOWN = 3
METER_FROM, METER_TO = 160, RIGHT - 46
ROWS_SHOWN = 8  # of events: they all move with every step, which is much of what an animation weighs
ROW, ROW_HIGH = 20, 17
STEP_ENDS = 22  # where the numbers of steps end
ENTRY = 102  # where events stand, right of steps and actions


@dataclass(frozen=True, slots=True)
class Fixed:
    """What a panel says in all frames of an episode.

    Attributes:
        title, who, horizon: as in a frame.
        proxy, true: the weights of events.
        proxy_range, true_range: as in a frame.
        true_hidden: whether the true account is covered.
        meters: labels, and what full means.
    """

    title: str
    who: str
    horizon: int
    proxy: Weights
    true: Weights
    proxy_range: Range | None
    true_range: Range | None
    true_hidden: bool
    meters: tuple[tuple[str, float], ...]


def fixed(frame: Frame) -> Fixed:
    """Return what of a frame's panel its whole episode shares."""
    return Fixed(
        title=frame.title,
        who=frame.who,
        horizon=frame.horizon,
        proxy=tuple(frame.proxy.items()),
        true=tuple(frame.true.items()),
        proxy_range=frame.proxy_range,
        true_range=frame.true_range,
        true_hidden=frame.true_hidden,
        meters=tuple((meter.label, meter.full) for meter in frame.scene.meters[:METERS_SHOWN]),
    )


def draw_fixed(target: pygame.Surface, said: Fixed, left: int, unit: float) -> None:
    """Draw what stays from pixel column `left` to the right edge."""
    target.fill(PAGE, (left, 0, target.get_width() - left, target.get_height()))
    target.fill(PALE, (left, 0, max(round(unit), 1), target.get_height()))
    column = _top(target, left, unit)
    _heading(column, said)
    column.down(HEADING)
    _account(column, "PAID (proxy)", said.proxy, scale(said.proxy_range, (0.0, 0.0)))
    column.down(ACCOUNT)
    if said.true_hidden:
        _covered(column)
    else:
        _account(column, "MEANT (true)", said.true, scale(said.true_range, (0.0, 0.0)))
    column.down(ACCOUNT + EXPLOIT)
    for label, full in said.meters:
        _meter(column, label, full)
        column.down(METER)
    column.write("last events", 16, GREY)
    column.write("paid", 16, GREY, RIGHT - 58, right=True)
    column.write("meant", 16, GREY, RIGHT, right=True)
    column.down(15)
    column.fill(PALE, 0, 0, column.width, 1)


def draw_moving(target: pygame.Surface, frame: Frame, said: Fixed, left: int, unit: float) -> None:
    """Draw what a frame adds to `draw_fixed`."""
    column, ledger = _top(target, left, unit), frame.ledger
    _progress(column, frame)
    column.down(HEADING)
    _amount(column, ledger.proxy_return, proxy_scale(frame), PAID)
    column.down(ACCOUNT)
    if not frame.true_hidden:
        _amount(column, ledger.true_return, true_scale(frame), MEANT)
    column.down(ACCOUNT)
    if frame.exploited_at is not None:
        told = f"EXPLOIT: {frame.exploit_event.replace('_', ' ')}, step {frame.exploited_at}"
        target.blit(_banner(told, unit), (column.left, round(column.y)))
    column.down(EXPLOIT)
    for meter in frame.scene.meters[:METERS_SHOWN]:
        _reading(column, meter)
        column.down(METER)
    column.down(LIST)
    _lines(column, frame, Terms(said.proxy, said.true, frame.exploit_event, said.true_hidden))


def _top(target: pygame.Surface, left: int, unit: float) -> Column:
    return Column(target, left + round(MARGIN * unit), MARGIN * unit, unit, PAGE)


def _heading(column: Column, said: Fixed) -> None:
    column.write(said.title, 26, INK, room=column.width)
    lower = column.lower(23)
    lower.write(said.who, 18, GREY, room=column.width)
    lower = column.lower(STEP)
    lower.write("step", 18, INK)
    if said.horizon:
        lower.write(f"of {said.horizon}", 18, INK, _steps_end(said.horizon) + 5)
    lower.down(16)
    lower.fill(PALE, 0, 0, column.width, column.scaled(4), 2)


@lru_cache(maxsize=64)
def _steps_end(horizon: int) -> int:
    """Return where the number of a step ends, after a word and with room for the last one, at a tile of 40."""
    return breadth("step ", 18) + (figures("0" * len(str(horizon)), 18, INK, PAGE)[1] if horizon else 0)


def _progress(column: Column, frame: Frame) -> None:
    """Write the step, and draw how much of the episode is over and where in it the exploit was first seen."""
    step, horizon, since = frame.ledger.step, frame.horizon, frame.exploited_at
    lower = column.lower(STEP)
    if horizon:
        lower.number(str(step), 18, INK, _steps_end(horizon))
    else:
        lower.write(str(step), 18, INK, _steps_end(0))
    if not (step and horizon):
        return
    lower.down(16)
    share, high = min(step / horizon, 1.0), column.scaled(4)
    lower.fill(STEEL, 0, 0, column.width * share, high, 2)
    if since is not None:
        start, half = column.width * min(since / horizon, 1.0), column.scaled(5)
        lower.fill(VERMILION, start, 0, column.width * share - start, high, 2)
        x, y = column.left + start, lower.y + high
        pygame.draw.polygon(column.surface, VERMILION, [(x, y), (x - half, y + half), (x + half, y + half)])


def _account(column: Column, name: str, weights: Weights, ends: Scale) -> None:
    column.write(name, 20, INK)
    draw_trough(column.lower(22), column.width, column.scaled(16))
    lower = column.lower(43)
    best = "" if ends.best is None else f"best policy {signed(ends.best)}"
    lower.write(best, 16, GREY, RIGHT, right=True)
    taken = words(best, column.scaled(16), GREY).get_width() if best else 0
    lower.write(weighed(dict(weights)), 16, GREY, room=column.width - taken - column.scaled(10))


def _amount(column: Column, value: float, ends: Scale, colour: Colour) -> None:
    column.number(signed(value), 27, INK, RIGHT)
    draw_bar(column.lower(22), value, ends, colour, column.width, column.scaled(16))


def _covered(column: Column) -> None:
    column.write("MEANT (true)", 20, INK)
    column.write("?", 27, INK, RIGHT, right=True)
    draw_trough(column.lower(22), column.width, column.scaled(16))
    column.lower(43).write("shown when the episode is over", 16, GREY)


@lru_cache(maxsize=64)
def _banner(told: str, unit: float) -> pygame.Surface:
    """Return what says that the exploit was seen."""
    surface = pygame.Surface((round(RIGHT * unit), round(26 * unit)), 0, 32)
    surface.fill(PAGE)
    column = Column(surface, 0, 0.0, unit, VERMILION)
    column.fill(VERMILION, 0, 0, column.width, column.scaled(26), column.scaled(4))
    draw_warning(column, 26)
    column.lower(6).write(told, 20, PAPER, 32, room=column.width - column.scaled(40))
    return as_bytes(surface)


def _cells(column: Column, full: float) -> list[tuple[float, float]]:
    """Return where the parts of a meter begin and how wide they are: one each for small whole numbers."""
    count = round(full) if full == round(full) and 1 <= full <= 8 else 1
    start, width = column.scaled(METER_FROM), column.scaled(METER_TO - METER_FROM)
    gap = column.scaled(3)
    each = (width - gap * (count - 1)) / count
    return [(start + place * (each + gap), each) for place in range(count)]


def _meter(column: Column, label: str, full: float) -> None:
    size = 17
    while size > 13 and breadth(label, column.scaled(size)) > column.scaled(150):
        size -= 1
    column.write(label, size, INK, room=column.scaled(150))
    for start, width in _cells(column, full):
        column.fill(PALE, start, 1, width, column.scaled(11), 2)


def _reading(column: Column, meter: Meter) -> None:
    """Fill a meter, and write its value."""
    cells, high = _cells(column, meter.full), column.scaled(11)
    if len(cells) > 1 or meter.full == 1:
        for place, (start, width) in enumerate(cells):
            if place < meter.value:
                column.fill(GREY, start, 1, width, high, 2)
    else:
        share = min(meter.value / meter.full, 1.0) if meter.full else 0.0
        column.fill(GREY, cells[0][0], 1, cells[0][1] * share, high, 2)
    column.number(f"{meter.value:.3g}/{meter.full:g}", 17, INK, RIGHT)


def _lines(column: Column, frame: Frame, terms: Terms) -> None:
    """Write the last steps, newest first, a row for every event with its two amounts."""
    high = column.scaled(ROW)
    room = min(ROWS_SHOWN, int(column.surface.get_height() - column.y - column.scaled(ROW_HIGH)) // high + 1)
    colour = INK
    for line in frame.ledger.lines:
        if room <= 0:
            return
        events, rewards = tuple(line.events.items()), (line.proxy_reward, line.true_reward)
        rows = _rows(line.action, events, rewards, terms, colour, column.unit)
        place = (column.left, round(column.y))
        column.surface.fblits([(row, (place[0], place[1] + number * high)) for number, row in enumerate(rows[:room])])
        column.number(str(line.step), ROW_HIGH, colour, STEP_ENDS)
        column.y += len(rows) * high
        room -= len(rows)
        colour = GREY


@lru_cache(maxsize=2048)
def _rows(
    action: str, events: Weights, rewards: tuple[float, float], terms: Terms, colour: Colour, unit: float
) -> tuple[pygame.Surface, ...]:
    """Return the rows of a step, without its number: what happens once mostly happens often."""
    found = entries(Line(0, action, dict(events), *rewards), terms)
    return tuple(_row("" if number else action, entry, terms, colour, unit) for number, entry in enumerate(found))


def _row(action: str, entry: Entry, terms: Terms, colour: Colour, unit: float) -> pygame.Surface:
    row = Column(pygame.Surface((round(RIGHT * unit), round(ROW_HIGH * unit)), 0, 32), 0, 0.0, unit, PAGE)
    row.surface.fill(PAGE)
    row.write(action, ROW_HIGH, colour, 32, room=row.scaled(66))
    colour = VERMILION if entry.marks else colour
    row.write(entry.name, ROW_HIGH, colour, ENTRY, room=row.scaled(RIGHT - ENTRY - 108))
    row.number(signed(entry.paid), ROW_HIGH, colour, RIGHT - 58)
    row.number("?" if terms.true_hidden else signed(entry.meant), ROW_HIGH, colour, RIGHT)
    return as_bytes(row.surface)
