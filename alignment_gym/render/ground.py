"""The map itself: ground, veils, trail and sprites on one surface."""

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from math import ceil, pi, sin

import pygame

from alignment_gym.core import Cell, Cone, Scene, Sprite, Tint
from alignment_gym.core.maps import STEPS
from alignment_gym.render import palette
from alignment_gym.render.palette import mixed
from alignment_gym.render.pen import as_bytes
from alignment_gym.render.sprites import picture, wake

SMOOTH = 2  # pixels of ground drawn for one shown
NEIGHBOURS = ((-1, 0), (0, 1), (1, 0), (0, -1))
CORNERS = (  # upper left, upper right, lower left, lower right: the sides that meet there
    ((-1, 0), (0, -1)),
    ((-1, 0), (0, 1)),
    ((1, 0), (0, -1)),
    ((1, 0), (0, 1)),
)
VEIL = 70  # of 255
PATCHES_KEPT = 256  # of a ground
TRAIL_DOTS = 3  # from cell to cell
SHADES = 3  # of a trail: few, so that a dot changes seldom and animations stay small
RAY = 150
RAYS_TO, RAY_EVERY = 64, 16  # degrees to either side of straight ahead, and between rays
FIXTURES = frozenset({"bench", "panel"})
BESIDE = 0.66  # size of the one who acts, at a fixture

Tiles = tuple[tuple[str, ...], ...]


def draw_scene(
    target: pygame.Surface, at: Cell, scene: Scene, tile: int, heading: str, trail: tuple[Cell, ...]
) -> None:
    """Draw a scene with its upper left corner at pixel `at`, (y, x); the last sprite takes the heading."""
    top, left = at
    under = patches(scene.tiles, scene.tints, tile)
    target.blit(under.bare, (left, top))
    stacks: dict[Cell, tuple[Sprite, ...]] = {}
    for sprite in scene.sprites[:-1]:
        stacks[sprite.cell] = (*stacks.get(sprite.cell, ()), sprite)
    target.fblits(
        [
            (under.with_things(things), (left + column * tile, top + row * tile))
            for (row, column), things in stacks.items()
        ]
    )
    _draw_trail(target, top, left, trail, tile)
    if scene.sprites:
        _draw_actor(target, top, left, scene, heading, tile)


def sprite_picture(sprite: Sprite, facing: str, tile: int) -> pygame.Surface:
    """Return what a sprite looks like."""
    return picture(sprite.kind, facing, sprite.faded, sprite.label, tile)


def actor_size(scene: Scene) -> float:
    """Return the size of the last sprite in tiles: below 1 where it stands at a thing that has to stay visible."""
    actor = scene.sprites[-1]
    beside = any(sprite.cell == actor.cell and sprite.kind in FIXTURES for sprite in scene.sprites[:-1])
    return BESIDE if beside else 1.0


def _draw_actor(target: pygame.Surface, top: int, left: int, scene: Scene, heading: str, tile: int) -> None:
    """Draw the last sprite in the lower right corner of its tile, which it may fill."""
    actor, size = scene.sprites[-1], round(tile * actor_size(scene))
    corner = tile - size
    drawn = sprite_picture(actor, actor.facing or heading, size)
    place = (left + corner + actor.cell[1] * tile, top + corner + actor.cell[0] * tile)
    table = pygame.Surface((size, size), 0, 32)  # four bytes a pixel, where laying over is ten times faster
    table.blit(target, (0, 0), (*place, size, size))
    table.blit(drawn, (0, 0), special_flags=pygame.BLEND_PREMULTIPLIED)
    target.blit(table, place)


def _draw_trail(target: pygame.Surface, top: int, left: int, trail: tuple[Cell, ...], tile: int) -> None:
    """Draw fading dots from cell to cell; jumps leave none."""
    dots: list[tuple[pygame.Surface, tuple[int, int]]] = []
    parts = [round(tile * part / TRAIL_DOTS) for part in range(TRAIL_DOTS)]
    for number, (before, after) in enumerate(pairwise(trail), start=1):
        down, right = after[0] - before[0], after[1] - before[1]
        if abs(down) + abs(right) == 1:
            dot = wake(tile, ceil(SHADES * number / len(trail)) / SHADES)
            middle = (tile - dot.get_width()) // 2
            x, y = left + before[1] * tile + middle, top + before[0] * tile + middle
            dots += [(dot, (x + right * part, y + down * part)) for part in parts]
    target.fblits(dots, pygame.BLEND_PREMULTIPLIED)


class Patches:
    """A ground as bytes, and its tiles with what stands on them: placing those only copies, however much there is."""

    def __init__(self, bare: pygame.Surface, tile: int) -> None:
        self.bare = as_bytes(bare)
        self._tile = tile
        self._known: dict[tuple[Sprite, ...], pygame.Surface] = {}

    def with_things(self, things: tuple[Sprite, ...]) -> pygame.Surface:
        """Return a tile under the things on it, which stand there on top of each other."""
        found = self._known.get(things)
        if found is None:
            row, column = things[0].cell
            box = pygame.Rect(column * self._tile, row * self._tile, self._tile, self._tile)
            drawn = pygame.Surface(box.size, 0, 32)
            drawn.blit(self.bare, (0, 0), box)
            for thing in things:
                picture_of = sprite_picture(thing, thing.facing, self._tile)
                drawn.blit(picture_of, (0, 0), special_flags=pygame.BLEND_PREMULTIPLIED)
            if len(self._known) >= PATCHES_KEPT:
                self._known.clear()
            found = self._known[things] = as_bytes(drawn)
        return found


@lru_cache(maxsize=32)
def patches(tiles: Tiles, tints: tuple[Tint, ...], tile: int) -> Patches:
    """Return the patches of a ground; the same for most frames of an episode."""
    return Patches(ground(tiles, tints, tile), tile)


@lru_cache(maxsize=64)
def ground(tiles: Tiles, tints: tuple[Tint, ...], tile: int) -> pygame.Surface:
    """Return the tiles under their veils; the same for most frames of an episode."""
    size = tile * SMOOTH
    large = pygame.Surface((len(tiles[0]) * size, len(tiles) * size), 0, 32)
    for row, line in enumerate(tiles):
        for column, kind in enumerate(line):
            _draw_tile(large, tiles, (row, column), kind, size)
    for row, line in enumerate(tiles):
        for column, kind in enumerate(line):
            _draw_edges(large, tiles, (row, column), kind, size)
    for tint in tints:
        _draw_tint(large, tint, tiles, size)
    return pygame.transform.smoothscale(large, (len(tiles[0]) * tile, len(tiles) * tile))


def _kind_at(tiles: Tiles, row: int, column: int) -> str:
    inside = 0 <= row < len(tiles) and 0 <= column < len(tiles[0])
    return tiles[row][column] if inside else ""


def _draw_tile(large: pygame.Surface, tiles: Tiles, cell: Cell, kind: str, size: int) -> None:
    row, column = cell
    box = pygame.Rect(column * size, row * size, size, size)
    colour = palette.tile_colour(kind)
    if kind not in palette.SHORES:
        large.fill(colour, box)
        if kind in SIGNS:
            SIGNS[kind](large, box)
        if kind not in palette.SOLID:
            pygame.draw.rect(large, mixed(colour, palette.INK, 0.10), box, max(size // 40, 1))
        return
    large.fill(palette.tile_colour("land"), box)
    radii = [
        0 if any(_kind_at(tiles, row + down, column + right) in palette.SHORES for down, right in sides) else size // 3
        for sides in CORNERS
    ]
    pygame.draw.rect(large, colour, box, 0, -1, *radii)
    _waves(large, box, mixed(colour, palette.PAPER, 0.45), (row * 7 + column * 3) % 4)


def _waves(large: pygame.Surface, box: pygame.Rect, colour: palette.Colour, phase: int) -> None:
    size = box.width
    for number in range(2):
        left = box.left + size * (0.14 + 0.4 * ((number + phase) % 2) + 0.03 * phase)
        top = box.top + size * (0.25 + 0.5 * number)
        crest = [(left + size * 0.03 * step, top + size * 0.03 * sin(step * pi / 3)) for step in range(11)]
        pygame.draw.lines(large, colour, False, crest, max(size // 30, 2))


def _lava(large: pygame.Surface, box: pygame.Rect) -> None:
    """Draw waves that are too steep for water, so that lava is told by more than its colour."""
    size = box.width
    for number in range(3):
        top = box.top + size * (0.25 + 0.25 * number)
        crest = [(box.left + size * (0.1 + 0.16 * step), top + size * 0.07 * (-1) ** step) for step in range(6)]
        pygame.draw.lines(large, palette.VERMILION, False, crest, max(size // 18, 2))


def _flag(large: pygame.Surface, box: pygame.Rect) -> None:
    """Plant a flag in the corner that things on the tile leave free."""
    size = box.width
    foot, tip = (box.left + size * 0.14, box.top + size * 0.54), (box.left + size * 0.14, box.top + size * 0.1)
    cloth = [tip, (tip[0] + size * 0.34, tip[1] + size * 0.12), (tip[0], tip[1] + size * 0.24)]
    pygame.draw.polygon(large, palette.GREEN, cloth)
    pygame.draw.line(large, palette.INK, tip, foot, max(size // 24, 2))


def _stripes(large: pygame.Surface, box: pygame.Rect) -> None:
    """Stripe what harms."""
    shade, size = mixed(palette.tile_colour("danger"), palette.VERMILION, 0.35), box.width
    for offset in range(size // 8, 2 * size, size // 4):
        start = (max(offset - size, 0), min(offset, size - 1))
        end = (min(offset, size - 1), max(offset - size, 0))
        first, last = ((box.left + x, box.top + y) for x, y in (start, end))
        pygame.draw.line(large, shade, first, last, max(size // 18, 2))


def _pit(large: pygame.Surface, box: pygame.Rect) -> None:
    """Draw the dark inside of a hole."""
    inside = box.inflate(-box.width // 5, -box.width // 5)
    pygame.draw.rect(large, mixed(palette.tile_colour("hole"), palette.INK, 0.75), inside, border_radius=box.width // 6)


def _hatch(large: pygame.Surface, box: pygame.Rect) -> None:
    """Cross out what the sensor does not see."""
    shade = mixed(palette.tile_colour("unseen"), palette.PAPER, 0.10)
    for step in range(4):
        offset = box.width * step // 4
        for start, end in (((0, offset), (offset, 0)), ((offset, box.width - 1), (box.width - 1, offset))):
            pygame.draw.line(
                large, shade, (box.left + start[0], box.top + start[1]), (box.left + end[0], box.top + end[1]), 2
            )


def _draw_edges(large: pygame.Surface, tiles: Tiles, cell: Cell, kind: str, size: int) -> None:
    """Draw the line where a wall ends, so that walls stand out from the floor by more than colour."""
    if kind != "wall":
        return
    row, column = cell
    thick = max(size // 16, 2)
    left, top = column * size, row * size
    sides = (
        (left, top, size, thick),
        (left + size - thick, top, thick, size),
        (left, top + size - thick, size, thick),
        (left, top, thick, size),
    )
    for (down, right), side in zip(NEIGHBOURS, sides, strict=True):
        if _kind_at(tiles, row + down, column + right) not in ("wall", ""):
            large.fill(mixed(palette.tile_colour("wall"), palette.INK, 0.7), side)


SIGNS: dict[str, Callable[[pygame.Surface, pygame.Rect], None]] = {
    "unseen": _hatch,
    "lava": _lava,
    "goal": _flag,
    "danger": _stripes,
    "hole": _pit,
}


def _draw_cone(large: pygame.Surface, cone: Cone, size: int) -> None:
    """Draw rays from who looks over all that is seen, and nowhere else."""
    rays = pygame.Surface(large.get_size(), pygame.SRCALPHA)
    ahead = pygame.Vector2(STEPS[cone.facing][::-1])
    middle = pygame.Vector2(cone.cell[1] + 0.5, cone.cell[0] + 0.5) + 0.4 * ahead
    colour = (*mixed(palette.TINTS.get(cone.kind, palette.UNKNOWN_TINT), palette.INK, 0.3), RAY)
    reach = sum(large.get_size())
    for angle in range(-RAYS_TO, RAYS_TO + 1, RAY_EVERY):
        end = middle * size + ahead.rotate(angle) * reach
        pygame.draw.line(rays, colour, middle * size, end, max(size // 30, 2))
    for row, column in sorted(cone.cells):
        box = (column * size, row * size, size, size)
        large.blit(rays, box[:2], box)


def _draw_tint(large: pygame.Surface, tint: Tint, tiles: Tiles, size: int) -> None:
    colour = palette.TINTS.get(tint.kind, palette.UNKNOWN_TINT)
    veil = pygame.Surface((size, size), pygame.SRCALPHA)
    veil.fill((*colour, VEIL))
    for row, column in sorted(tint.cells):
        large.blit(veil, (column * size, row * size))
        for down, right in NEIGHBOURS:
            if (row + down, column + right) in tint.cells:
                continue
            start = (column + (right > 0), row + (down > 0))
            end = (start[0] + (down != 0), start[1] + (right != 0))
            first, last = ((x * size, y * size) for x, y in (start, end))
            dark = tiles[row][column] in palette.SOLID
            shade = mixed(colour, palette.PAPER, 0.3) if dark else mixed(colour, palette.INK, 0.35)
            pygame.draw.line(large, shade, first, last, max(size // (14 if dark else 26), 2))
    if isinstance(tint, Cone):
        _draw_cone(large, tint, size)
