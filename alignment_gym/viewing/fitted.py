"""Pictures drawn anew for the room there is, so that they are crisp at every size and readable at small ones."""

import numpy as np
from numpy.typing import NDArray

from alignment_gym.render.frame import Frame, signed
from alignment_gym.render.pixels import pixels
from alignment_gym.render.window import LINE
from alignment_gym.viewing.episode import joined

USUAL, LARGEST, SMALLEST = 40, 160, 6  # pixels of a tile
READABLE = 21  # pixels of a tile; below, the letters of a panel are too small
WORTH_IT = 1.2  # times as large are pictures that go one above the other, and not next to each other

Image = NDArray[np.uint8]
Size = tuple[int, int]  # width, height


def together(frames: tuple[Frame, ...], tile: int = USUAL, panel: bool = True, down: bool = False) -> Image:
    """Return frames as one picture, next to each other or one above the other, with a line between them."""
    return joined(*(pixels(frame, panel, tile) for frame in frames), down=down)


class Fitting:
    """Draws frames as large as they fit; remembers how large that is for maps of one shape."""

    def __init__(self) -> None:
        self._ways: dict[object, tuple[int, bool]] = {}

    def picture(self, frames: tuple[Frame, ...], room: Size, largest: int = LARGEST) -> tuple[Image, tuple[str, ...]]:
        """Return a picture, and the lines beneath it: the accounts, where panels would be too small to read.

        Args:
            frames: one a side.
            room: pixels that the picture and the lines have, and one more line.
            largest: pixels of a tile.
        """
        width, height = room
        tile, down = self._way(frames, (width, height - LINE), True, largest)
        if tile >= READABLE:
            return together(frames, tile, True, down), ()
        lines = tuple(_told(frame, named=len(frames) > 1) for frame in frames)
        tile, down = self._way(frames, (width, height - LINE * (len(lines) + 1)), False, largest)
        return together(frames, tile, False, down), lines

    def _way(self, frames: tuple[Frame, ...], room: Size, panel: bool, largest: int) -> tuple[int, bool]:
        """Return the largest tile, and whether pictures go one above the other for it."""
        shapes = tuple((frame.scene.shape, frame.scene.sensor is not None) for frame in frames)
        case = (shapes, room, panel, largest)
        if case not in self._ways:
            across = _tile(frames, room, panel, False, largest)
            down = _tile(frames, room, panel, True, largest) if len(frames) > 1 else 0
            self._ways[case] = (down, True) if down > WORTH_IT * across else (across, False)
        return self._ways[case]


def _tile(frames: tuple[Frame, ...], room: Size, panel: bool, down: bool, largest: int) -> int:
    """Return the largest tile at which pictures fit, the smallest if none does; sizes grow almost evenly."""
    high, wide = together(frames, USUAL, panel, down).shape[:2]
    tile = min(int(USUAL * min(room[0] / wide, room[1] / high)) + 1, largest)
    while tile > SMALLEST:
        high, wide = together(frames, tile, panel, down).shape[:2]
        if wide <= room[0] and high <= room[1]:
            return tile
        tile -= 1
    return SMALLEST


def _told(frame: Frame, named: bool) -> str:
    ledger = frame.ledger
    who = f"{frame.who}: " if named and frame.who else ""
    meant = "?" if frame.true_hidden else signed(ledger.true_return)
    exploit = "" if frame.exploited_at is None else f"   EXPLOIT, step {frame.exploited_at}"
    return f"{who}step {ledger.step}   paid {signed(ledger.proxy_return)}   meant {meant}{exploit}"
