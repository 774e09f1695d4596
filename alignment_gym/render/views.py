"""Scenes as an agent is shown them: planes, pixels and text, whole or masked.

A vocabulary fixes the shape for many scenes: the largest map, and everything that can stand on
one. Smaller maps lie in the upper left corner. Text needs none. A view shows the scene alone: the
overseer's picture of it (`sensor`) is not the agent's.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import floor

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import Cell, Meter, Scene, Tint
from alignment_gym.render.palette import INK, PALE, PAPER, mixed
from alignment_gym.render.pixels import plain_pixels

ACTOR = "the one who acts"
ELSE = "anything else"  # what the vocabulary does not hold
UNSEEN = "unseen"  # the kind of masked tiles

TILE = 8  # pixels of a tile
SMALLEST = 36  # pixels of a side, which is what the usual convolutional networks take at least
BAR, GAP = 4, 1  # pixels of a meter, and above it


def near(scene: Scene, cells: int) -> Scene:
    """Return what is seen from the last sprite's place: cells not farther away, also diagonally, and the meters.

    The map keeps its place in the picture. The note goes, because it tells of what is not seen.
    """
    middle = scene.sprites[-1].cell if scene.sprites else None

    def seen(cell: Cell) -> bool:
        return middle is not None and max(abs(cell[0] - middle[0]), abs(cell[1] - middle[1])) <= cells

    tints = [Tint(tint.kind, frozenset(filter(seen, tint.cells))) for tint in scene.tints]
    return Scene(
        tiles=tuple(
            tuple(kind if seen((row, column)) else UNSEEN for column, kind in enumerate(line))
            for row, line in enumerate(scene.tiles)
        ),
        sprites=tuple(sprite for sprite in scene.sprites if seen(sprite.cell)),
        tints=tuple(tint for tint in tints if tint.cells),
        meters=scene.meters,
    )


def pictured(scene: Scene) -> Scene:
    """Return a scene without words beside it, which planes and pixels don't show."""
    return replace(scene, note="", sensor=None)


def with_meter(scene: Scene, meter: Meter) -> Scene:
    """Return a scene with one more meter."""
    return replace(scene, meters=(*scene.meters, meter))


def marks(scene: Scene) -> Iterator[tuple[str, Cell]]:
    """Say what is where, in words: the ground, veils, things, which way they face, their labels, the one who acts."""
    for row, line in enumerate(scene.tiles):
        for column, kind in enumerate(line):
            yield f"tile {kind}", (row, column)
    for tint in scene.tints:
        for cell in tint.cells:
            yield f"tint {tint.kind}", cell
    for sprite in scene.sprites:
        for word in _said_of(sprite.kind, sprite.facing, sprite.faded, sprite.label):
            yield word, sprite.cell
    if scene.sprites:
        yield ACTOR, scene.sprites[-1].cell


@lru_cache(maxsize=4096)
def _said_of(kind: str, facing: str, faded: bool, label: str) -> tuple[str, ...]:
    name = f"faded {kind}" if faded else kind
    more = [f"facing {facing}"] * bool(facing) + [f"labelled {label}"] * bool(label)
    return (name, *(f"{name} {each}" for each in more))


@dataclass(frozen=True)
class Vocabulary:
    """What scenes of one kind may hold.

    Attributes:
        shape: rows and columns of the largest map.
        words: that `marks` may say, in alphabetical order.
        meters: labels, in alphabetical order.
    """

    shape: tuple[int, int] = (1, 1)
    words: tuple[str, ...] = (ACTOR, f"tile {UNSEEN}")
    meters: tuple[str, ...] = ()

    def with_scenes(self, scenes: Iterable[Scene]) -> "Vocabulary":
        """Return a vocabulary that holds some scenes besides."""
        shape, words, meters = self.shape, set(self.words), set(self.meters)
        grounds = set()
        for scene in scenes:
            if scene.tiles in grounds:  # most scenes of a level share it
                scene = replace(scene, tiles=())
            else:
                grounds.add(scene.tiles)
                shape = max(shape[0], scene.shape[0]), max(shape[1], scene.shape[1])
            words.update(word for word, _ in marks(scene))
            meters.update(meter.label for meter in scene.meters)
        return Vocabulary(shape, tuple(sorted(words)), tuple(sorted(meters)))

    @cached_property
    def planes(self) -> tuple[str, ...]:
        """What each plane shows."""
        return (*self.words, *(f"meter {label}" for label in self.meters), ELSE)

    @cached_property
    def place(self) -> dict[str, int]:
        """The number of each plane."""
        return {name: number for number, name in enumerate(self.planes)}

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels: the map, and below it a bar a meter."""
        rows, columns = self.shape
        height = rows * TILE + len(self.meters) * (BAR + GAP)
        return max(height, SMALLEST), max(columns * TILE, SMALLEST)


def planes(scene: Scene, vocabulary: Vocabulary) -> NDArray[np.float32]:
    """Return a plane a word, 1 where it is said, and a plane a meter, everywhere the share to which it is full.

    Returns:
        float32 (planes, rows, columns) between 0 and 1, in the order of `vocabulary.planes`.
    """
    found = np.zeros((len(vocabulary.planes), *vocabulary.shape), dtype=np.float32)
    for word, (row, column) in marks(scene):
        found[vocabulary.place.get(word, -1), row, column] = 1.0
    for meter in scene.meters:
        plane = found[vocabulary.place.get(f"meter {meter.label}", -1)]
        np.maximum(plane, _share(meter), out=plane)
    return found


def pixels(scene: Scene, vocabulary: Vocabulary) -> NDArray[np.uint8]:
    """Return the map, and below it the meters as bars: uint8 (height, width, 3), of `vocabulary.size`."""
    height, width = vocabulary.size
    image = np.full((height, width, 3), PAPER, dtype=np.uint8)
    drawn = plain_pixels(scene, TILE)
    image[: drawn.shape[0], : drawn.shape[1]] = drawn
    bars = {meter.label: _bar(_share(meter), width) for meter in scene.meters}
    for number, label in enumerate(reversed(vocabulary.meters)):
        if label in bars:
            bottom = height - number * (BAR + GAP)
            image[bottom - BAR : bottom] = bars[label]
    return image


def _share(meter: Meter) -> float:
    return meter.value / meter.full if meter.full else 0.0


def _bar(share: float, width: int) -> NDArray[np.uint8]:
    """Return one row of a bar; the pixel in which it ends is of a shade between, so that small changes show."""
    row = np.full((width, 3), PALE, dtype=np.uint8)
    whole = floor(share * width)
    row[:whole] = INK
    if whole < width:
        row[whole] = mixed(PALE, INK, share * width - whole)
    return row
