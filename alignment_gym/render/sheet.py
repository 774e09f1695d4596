"""A contact sheet: a world's idea in words, and episodes as strips of moments, time going to the right."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import pygame

from alignment_gym.core import Scene
from alignment_gym.render.bars import Scale, draw_bar, draw_trough, proxy_scale, true_scale
from alignment_gym.render.column import Column, draw_warning
from alignment_gym.render.frame import Idea, Moment, Strip, instrument, signed
from alignment_gym.render.ground import draw_scene
from alignment_gym.render.palette import GREEN, GREY, INK, MEANT, PAGE, PAID, PALE, PAPER, VERMILION, Colour
from alignment_gym.render.pen import breadth, words, wrapped
from alignment_gym.render.picture import draw_legend, legend
from alignment_gym.render.sight import Sight

WIDTH = 1000  # all measures are pixels
EDGE = 16
GAP = 20  # between moments
TALLEST = 250  # a map, at most
STACKED = 160  # where a second one lies below
LARGEST = 44  # a tile, at most
HEAD, WORDS, LINE = 28, 19, 21  # sizes of text, and from one line to the next
CHIP = 96  # the coloured word before a line of the idea
CAPTION = 28  # above a moment
NOTE = 16  # size of what a map is captioned with
NAMED = 20  # above each of two maps, for one line
ACCOUNT = 22  # from one account to the next
STRIP = 34  # above a strip
LEGEND = 26  # a row
THERE = "what is there"
BEST = "where the best policy ends"


@dataclass(frozen=True, slots=True)
class Cells:
    """How the moments of a sheet are laid out; all alike, so that they can be compared."""

    width: int
    tile: int
    rows: int
    columns: int
    sensed: bool
    notes: int  # lines

    @property
    def stacked(self) -> bool:
        """Whether the sensor's map lies below the other and not beside it."""
        return self.sensed and self.columns > self.rows

    @property
    def step(self) -> tuple[int, int]:
        """Pixels from one map to the sensor's, over and down."""
        below = self.rows * self.tile + self.named + 8
        return (0, below) if self.stacked else (self.columns * self.tile + 12, 0)

    @property
    def named(self) -> int:
        """Pixels above a map for its words, which take two lines where maps are narrow."""
        return 0 if not self.sensed else NAMED if self.stacked else 2 * NAMED - 2

    @property
    def height(self) -> int:
        """Pixels of a moment from its caption to its last account."""
        maps = self.rows * self.tile + self.named + self.step[1] * self.stacked
        return CAPTION + maps + 6 + self.notes * LINE + 2 * ACCOUNT + 4


def paint_sheet(idea: Idea, strips: Sequence[Strip]) -> pygame.Surface:
    """Draw a contact sheet, `WIDTH` pixels wide and as high as it needs to be."""
    cells = _cells(strips)
    said = _said(idea)
    scenes = [moment.frame.scene for strip in strips for moment in strip.moments]
    top = EDGE + HEAD + 4 + LINE * sum(len(lines) for _, _, lines in said) + 8
    foot = top + len(strips) * (STRIP + cells.height + 14)
    entries = legend(reduce(Sight.after, scenes, Sight()))
    rows = draw_legend(None, entries, (EDGE, 0), WIDTH - EDGE, 20, NOTE, LEGEND)
    surface = pygame.Surface((WIDTH, foot + rows * LEGEND + EDGE), 0, 32)
    surface.fill(PAPER)
    _idea(Column(surface, EDGE, EDGE, 1.0), idea, said)
    for number, strip in enumerate(strips):
        _strip(surface, strip, cells, top + number * (STRIP + cells.height + 14))
    draw_legend(surface, entries, (EDGE, foot), WIDTH - EDGE, 20, NOTE, LEGEND)
    _best(Column(surface, EDGE, EDGE + 8, 1.0))
    return surface


def _best(column: Column) -> None:
    """Say what the green marks of bars are."""
    right = WIDTH - 2 * EDGE
    column.write(BEST, NOTE, GREY, right, right=True)
    column.fill(GREEN, right - breadth(BEST, NOTE) - 12, -3, 4, 16)


def _cells(strips: Sequence[Strip]) -> Cells:
    """Return the layout that holds the largest map and the longest note."""
    frames = [moment.frame for strip in strips for moment in strip.moments]
    count = max(len(strip.moments) for strip in strips)
    width = (WIDTH - 2 * EDGE - (count - 1) * GAP) // count
    rows, columns = (max(frame.scene.shape[side] for frame in frames) for side in (0, 1))
    sensed = any(frame.scene.sensor for frame in frames)
    over = 2 if sensed and columns <= rows else 1
    high = STACKED if sensed and over == 1 else TALLEST
    tile = min((width - (over - 1) * 12) // (over * columns), high // rows, LARGEST)
    notes = max(len(_note(frame.scene, width)) for frame in frames)
    return Cells(width, tile, rows, columns, sensed, notes)


def _note(scene: Scene, width: int) -> list[str]:
    return wrapped(scene.note, NOTE, width) if scene.note and not scene.sensor else []


def _said(idea: Idea) -> list[tuple[str, Colour, list[str]]]:
    """Return the idea's words, their colours and their lines."""
    told = (("MEANT", MEANT, idea.meant), ("PAID", PAID, idea.paid), ("LOOPHOLE", VERMILION, idea.loophole))
    return [(word, colour, wrapped(text, WORDS, WIDTH - 2 * EDGE - CHIP - 12)) for word, colour, text in told]


def _idea(column: Column, idea: Idea, said: Sequence[tuple[str, Colour, list[str]]]) -> None:
    column.write(idea.title, HEAD, INK)
    column.down(HEAD + 4)
    for word, colour, lines in said:
        column.fill(colour, 0, -3, CHIP, LINE - 3, 3)
        drawn = words(word, NOTE, INK if colour == PAID else PAPER)
        column.surface.blit(drawn, drawn.get_rect(center=(column.left + CHIP // 2, round(column.y) + 7)))
        for line in lines:
            column.write(line, WORDS, INK, CHIP + 12)
            column.down(LINE)


def _strip(surface: pygame.Surface, strip: Strip, cells: Cells, top: int) -> None:
    """Draw an episode under its name."""
    surface.fill(PAGE, (0, top, WIDTH, cells.height + STRIP + 8))
    surface.fill(PALE, (0, top, WIDTH, 1))
    column = Column(surface, EDGE, top + 9, 1.0)
    column.write(strip.name, 22, INK)
    ends = strip.moments[-1].frame
    scales = proxy_scale(ends), true_scale(ends)
    for number, moment in enumerate(strip.moments):
        left = EDGE + number * (cells.width + GAP)
        _moment(surface, moment, cells, (left, top + STRIP), scales)


def _moment(
    surface: pygame.Surface, moment: Moment, cells: Cells, corner: tuple[int, int], scales: tuple[Scale, Scale]
) -> None:
    """Draw a moment: its name, the map, the sensor's view, the note, and both accounts so far."""
    frame, column = moment.frame, Column(surface, corner[0], corner[1], 1.0)
    _named(column, moment, cells)
    scene, ledger = frame.scene, frame.ledger
    y = corner[1] + CAPTION + cells.named
    maps = [(corner[0], y, scene, THERE)]
    if scene.sensor is not None:
        maps += [(corner[0] + cells.step[0], y + cells.step[1], scene.sensor, instrument(scene))]
    for x, down, shown, name in maps:
        mine = shown is scene
        _headed(surface, shown, name if cells.sensed else "", (x, down), cells)
        draw_scene(surface, (down, x), shown, cells.tile, ledger.heading if mine else "", ledger.trail if mine else ())
        if not mine:
            box = pygame.Rect(x, down, shown.shape[1] * cells.tile, shown.shape[0] * cells.tile)
            pygame.draw.rect(surface, INK, box.inflate(6, 6), 3, border_radius=5)
    column.y = corner[1] + cells.height - 2 * ACCOUNT - 4 - cells.notes * LINE
    for line in _note(scene, cells.width):
        column.write(line, NOTE, GREY)
        column.down(LINE)
    column.y = corner[1] + cells.height - 2 * ACCOUNT
    _account(column, "paid", ledger.proxy_return, scales[0], PAID, cells.width)
    _account(column, "meant", ledger.true_return, scales[1], MEANT, cells.width)


def _headed(surface: pygame.Surface, scene: Scene, name: str, corner: tuple[int, int], cells: Cells) -> None:
    """Write above a map whose picture it is and what it shows, smaller where it would not fit."""
    if not name:
        return
    told = f": {scene.note}" if cells.stacked and scene.note else ""
    lines = [name + told] if cells.stacked else [name, scene.note]
    room = cells.width if cells.stacked else scene.shape[1] * cells.tile + 6
    column = Column(surface, corner[0], corner[1] - cells.named + 3, 1.0)
    for line in lines:
        size = NOTE
        while size > 12 and breadth(line, size) > room:
            size -= 1
        column.write(line, size, INK if name == THERE else VERMILION, room=room)
        column.down(NAMED - 3)


def _named(column: Column, moment: Moment, cells: Cells) -> None:
    """Write a moment's name, on the colour of a warning where the exploit is new."""
    frame = moment.frame
    step = f"step {frame.ledger.step}"
    at = frame.exploited_at
    if at is not None and at == frame.ledger.step:
        column.fill(VERMILION, 0, 0, cells.width, 22, 4)
        draw_warning(column, 18)
        column.down(5)
        column.write(f"{moment.name}, {step}", 18, PAPER, 28, room=cells.width - 32)
        return
    column.down(4)
    column.write(f"{moment.name}, {step}" if frame.ledger.step else moment.name, 18, INK, room=cells.width)


def _account(column: Column, name: str, value: float, ends: Scale, colour: Colour, width: int) -> None:
    """Draw one account as a bar with its name and its number beside it."""
    column.write(name, 17, INK)
    column.write(signed(value), 18, INK, width, right=True)
    inner = Column(column.surface, column.left + 52, column.y, 1.0)
    draw_trough(inner, width - 52 - 70, 13)
    draw_bar(inner, value, ends, colour, width - 52 - 70, 13)
    column.down(ACCOUNT)
