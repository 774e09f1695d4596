"""A whole picture: the map, the sensor's view of it, what is on it, and the side panel."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pygame
from numpy.typing import NDArray

from alignment_gym.core import Scene, Sprite, Tint
from alignment_gym.render.column import WIDTH
from alignment_gym.render.frame import Frame, instrument
from alignment_gym.render.ground import draw_scene, ground, sprite_picture
from alignment_gym.render.palette import GREY, INK, PALE, PAPER, VERMILION, Colour
from alignment_gym.render.panel import HEIGHT, Fixed, draw_fixed, draw_moving, fixed
from alignment_gym.render.pen import as_bytes, breadth, fitting, inked, words
from alignment_gym.render.sight import Sight

BASE = 40  # pixels of a tile at which all other measures hold
EDGE = 14
CAPTION = 26
LEGEND_ROW = 26
LEGEND_ROWS = 2
LEGEND_ICON = 22
LETTERS, LEGIBLE = 17, 13  # of a legend: usual, and smallest before they go into three rows
SMALLEST = 9  # pixels of a line of text
WIDEST = 560  # pixels to which maps are enlarged
LARGEST = 1.6  # times the asked tile, where a small map would leave the picture empty
SAYINGS = {
    "buoy": "buoy, bright when due",
    "target": "lagoon buoy, bright when up",
    "arrow": "the way round",
    "stop": "",
    "islet": "",
    "seen": "in sight",
}

GROUNDS = {"goal": "goal", "lava": "lava", "hole": "hole", "danger": "to be avoided"}  # tiles that a legend names
ALONE = frozenset({(0, 0)})

Shape = tuple[int, int]
Named = Sprite | Tint | str
Entry = tuple[Named, str]
"""What a legend names, which is a thing, a veil, or a kind of ground, and its words."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things go, in pixels; the same for all frames of an episode."""

    size: tuple[int, int]  # width, height
    tile: int
    unit: float
    scene: tuple[int, int]  # x, y of the map's corner
    sensor: tuple[int, int] | None
    legend: tuple[int, int]
    panel: int | None  # x


def paint(frame: Frame, panel: bool, tile: int) -> NDArray[np.uint8]:
    """Draw a frame and return its pixels, (height, width, 3)."""
    layout = laid_out(frame.scene.shape, frame.scene.sensor is not None, panel, tile)
    said = fixed(frame) if panel else None
    image = _backdrop(layout, said).copy()
    surface = _canvas(image)
    scene, unit = frame.scene, layout.unit
    draw_scene(surface, layout.scene[::-1], scene, layout.tile, frame.ledger.heading, frame.ledger.trail)
    room = scene.shape[1] * layout.tile
    if scene.sensor is not None and layout.sensor is not None:
        _caption(surface, layout.scene, "what is there", scene.note, INK, unit, room)
        draw_scene(surface, layout.sensor[::-1], scene.sensor, layout.tile, "", ())
        _caption(surface, layout.sensor, instrument(scene), scene.sensor.note, VERMILION, unit, room)
        _bezel(surface, layout, scene.shape)
    elif panel:
        _caption(surface, layout.scene, "", scene.note, INK, unit, room)
    if layout.panel is not None and said is not None:
        width = layout.panel - layout.legend[0] - round(EDGE * unit)
        surface.blit(_legend(legend(frame.sight), width, unit), layout.legend)
        draw_moving(surface, frame, said, layout.panel, unit)
    return image


def paint_scene(scene: Scene, tile: int) -> NDArray[np.uint8]:
    """Draw a map alone and return its pixels."""
    rows, columns = scene.shape
    image = np.empty((rows * tile, columns * tile, 3), dtype=np.uint8)
    surface = _canvas(image)
    draw_scene(surface, (0, 0), scene, tile, "", ())
    return image


@lru_cache(maxsize=64)
def laid_out(shape: Shape, sensed: bool, panel: bool, tile: int) -> Layout:
    """Place everything; with a panel, a small map is enlarged to fill the picture's height."""
    unit = tile / BASE
    rows, columns = shape
    down, over = (1, 1) if not sensed else (2, 1) if columns > rows else (1, 2)
    edge, caption = round(EDGE * unit), round(CAPTION * unit)
    caption = caption if sensed or panel else 0
    legend = round(LEGEND_ROWS * LEGEND_ROW * unit) + edge if panel else 0
    if panel:
        free = round(HEIGHT * unit) - legend - down * (caption + edge)
        wide = round(WIDEST * unit) // (over * columns)
        tile = max(tile, min(free // (down * rows), round(LARGEST * tile), wide))
    width, height = columns * tile, rows * tile
    border = edge if panel or sensed else 0
    left = over * (width + border) + border
    used = down * (height + caption + border) + legend
    total = max(used, round(HEIGHT * unit)) if panel else used + (border if not panel else 0)
    top = caption + (max((total - used) // 2, 0) if panel else border) + (border // 2 if panel else 0)
    sensor = (border, top + height + border + caption) if down == 2 else (2 * border + width, top)
    full = left + (round(WIDTH * unit) if panel else 0)
    return Layout(
        size=(full + full % 2, total + total % 2),
        tile=tile,
        unit=unit,
        scene=(border, top),
        sensor=sensor if sensed else None,
        legend=(border, total - legend + edge // 2),
        panel=left if panel else None,
    )


def surface_pixels(surface: pygame.Surface) -> NDArray[np.uint8]:
    """Return a surface's pixels, (height, width, 3)."""
    width, height = surface.get_size()
    image = np.empty((height, width, 3), dtype=np.uint8)
    _canvas(image).blit(surface, (0, 0))
    return image


def _canvas(image: NDArray[np.uint8]) -> pygame.Surface:
    """Return a surface that draws on pixels, (height, width, 3), so that nothing has to be copied."""
    return pygame.image.frombuffer(image.data, image.shape[1::-1], "RGB")


@lru_cache(maxsize=32)
def _backdrop(layout: Layout, said: Fixed | None) -> NDArray[np.uint8]:
    """Return what lies under every frame of an episode."""
    width, height = layout.size
    image = np.empty((height, width, 3), dtype=np.uint8)
    surface = _canvas(image)
    surface.fill(PAPER)
    if layout.panel is not None and said is not None:
        draw_fixed(surface, said, layout.panel, layout.unit)
    return image


def _caption(
    surface: pygame.Surface, corner: tuple[int, int], title: str, note: str, colour: Colour, unit: float, room: int
) -> None:
    """Write a map's caption above its upper left corner, smaller where it would not fit."""
    title = title.upper() + ":  " if title and note else title.upper()
    size = round(20 * unit)
    while size > SMALLEST and breadth(title, size) + breadth(note, size) > room:
        size -= 1
    x, y, taken = corner[0], corner[1] - size, breadth(title, size)
    said = fitting(note, size, room - taken)
    for text, shade, left in ((title, INK, x), (said, colour if title else GREY, x + taken)):
        ink, over, below = inked(text, size, shade, PAPER)
        surface.blit(ink, (left + over, y + below))


def _bezel(surface: pygame.Surface, layout: Layout, shape: Shape) -> None:
    """Frame the sensor's view like a monitor."""
    assert layout.sensor is not None
    box = pygame.Rect(*layout.sensor, shape[1] * layout.tile, shape[0] * layout.tile)
    thick = max(round(4 * layout.unit), 1)
    pygame.draw.rect(surface, INK, box.inflate(2 * thick, 2 * thick), thick, border_radius=2 * thick)


@lru_cache(maxsize=128)
def _legend(entries: tuple[Entry, ...], width: int, unit: float) -> pygame.Surface:
    """Return what names things, in two rows, or in three low ones where the letters would get too small."""
    icon, row = round(LEGEND_ICON * unit), round(LEGEND_ROW * unit)
    drawn = pygame.Surface((width, LEGEND_ROWS * row), 0, 32)
    drawn.fill(PAPER)
    low = (2 * icon // 3, 2 * row // 3)
    usual, legible = max(round(LETTERS * unit), SMALLEST), max(round(LEGIBLE * unit), SMALLEST)
    shapes = [(LEGEND_ROWS, icon, row, size) for size in range(usual, legible - 1, -1)]
    shapes += [(LEGEND_ROWS + 1, *low, size) for size in range(legible, SMALLEST, -1)]
    fit = (each for each in shapes if _rows(entries, width, *each[1:]) <= each[0])
    _, icon, row, size = next(fit, (LEGEND_ROWS + 1, *low, SMALLEST))
    draw_legend(drawn, entries, (0, 0), width, icon, size, row)
    return as_bytes(drawn)


def _rows(entries: tuple[Entry, ...], width: int, icon: int, row: int, size: int) -> int:
    """Return how many rows a legend takes."""
    return draw_legend(None, entries, (0, 0), width, icon, size, row)


def draw_legend(
    surface: pygame.Surface | None,
    entries: Sequence[Entry],
    corner: tuple[int, int],
    right: int,
    icon: int,
    size: int,
    row: int,
) -> int:
    """Name things from a corner on, in rows that end before pixel `right`; return how many rows they take.

    Args:
        surface: where to draw, None to count rows only.
        entries: what is named.
        corner: the upper left one, (x, y).
        right: where rows end.
        icon: pixels of a picture.
        size: pixels of the letters.
        row: pixels from one row to the next.
    """
    (x, y), rows, space = corner, 1, round(0.64 * icon)
    for entry, name in entries:
        wide = icon + 4 + breadth(name, size)
        if x + wide > right and x > corner[0]:
            x, y, rows = corner[0], y + row, rows + 1
        if surface is not None:
            _swatch(surface, entry, x, y, icon)
            surface.blit(words(name, size, GREY), (x + icon + 4, y + (icon - size * 2 // 3) // 2 + 1))
        x += wide + space
    return rows


@lru_cache(maxsize=256)
def legend(sight: Sight) -> tuple[Entry, ...]:
    """Return what has words, with them: things, veils, and ground that means something."""
    words_of = GROUNDS | SAYINGS | dict(sight.meanings)
    veils = (Tint(kind, ALONE) for kind in sight.veils)
    named: tuple[Named, ...] = (*sight.things, *veils, *sorted(sight.grounds))
    return tuple((each, words_of[kind]) for each in named if words_of.setdefault(kind := _kind(each), _plain(each)))


def _kind(entry: Named) -> str:
    return entry if isinstance(entry, str) else entry.kind


def _plain(entry: Named) -> str:
    """Return the words for what nobody has described: a thing's own, none for ground."""
    return "" if isinstance(entry, str) else entry.kind


def _swatch(surface: pygame.Surface, entry: Named, x: int, y: int, icon: int) -> None:
    """Draw what an entry looks like: a thing on grey, a veil on floor, or ground."""
    if not isinstance(entry, Sprite):
        tiles, tints = (((entry,),), ()) if isinstance(entry, str) else ((("floor",),), (entry,))
        surface.blit(ground(tiles, tints, icon), (x, y))
        return
    pygame.draw.rect(surface, PALE, (x, y, icon, icon), border_radius=icon // 5)
    surface.blit(sprite_picture(entry, entry.facing, icon), (x, y), special_flags=pygame.BLEND_PREMULTIPLIED)
