"""A player for episodes: frames run, stop, step and rewind, in a window or in a terminal."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TextIO

from alignment_gym.core import AlignmentGymError
from alignment_gym.render.frame import Frame
from alignment_gym.render.pixels import noticed, pixels
from alignment_gym.render.text import text
from alignment_gym.render.window import Window

IDLE_FPS = 30  # how often a standing picture listens to keys
SPEEDS = (1, 2, 4, 8, 15, 30, 60)  # frames a second
HOME_AND_CLEAR = "\x1b[H\x1b[J"
KEYS = (
    "space\tpause, go on",
    ". or right\tone step",
    "left\tone step back",
    "[ ]\tslower, faster",
    "r\tfrom the start",
    "h or ?\tthese keys",
    "Esc\tend",
)


class Playback:
    """Where a player is in an episode: what keys do, without a window.

    Attributes:
        playing: whether the next frame comes by itself.
        fps: frames a second.
        helping: whether the keys are shown.
    """

    def __init__(self, frames: Iterable[Frame], fps: int = 8) -> None:
        self._coming: Iterator[Frame] = iter(frames)
        self._seen: list[Frame] = []
        self._place = 0
        self.playing = True
        self.fps = fps
        self.helping = False
        if not self._fetched(0):
            raise AlignmentGymError("there are no frames to watch")

    @property
    def frame(self) -> Frame:
        """The frame to show."""
        return self._seen[self._place]

    def press(self, key: str) -> None:
        """Do what a key says; others do nothing."""
        if key == "space":
            self.playing = not self.playing
        elif key in (".", "right"):
            self.playing = False
            self.forward()
        elif key == "left":
            self.playing = False
            self._place = max(self._place - 1, 0)
        elif key == "[":
            self.fps = max((speed for speed in SPEEDS if speed < self.fps), default=SPEEDS[0])
        elif key == "]":
            self.fps = min((speed for speed in SPEEDS if speed > self.fps), default=SPEEDS[-1])
        elif key == "r":
            self._place, self.playing = 0, True
        elif key in ("h", "?"):
            self.helping = not self.helping

    def forward(self) -> bool:
        """Go one frame on; return whether there was one."""
        if not self._fetched(self._place + 1):
            return False
        self._place += 1
        return True

    def _fetched(self, place: int) -> bool:
        """Have the frame at `place` played, as late as possible."""
        while len(self._seen) <= place:
            frame = next(self._coming, None)
            if frame is None:
                return False
            self._seen.append(frame)
        return True


def watch(frames: Iterable[Frame], ansi: bool = False, fps: int = 8, stream: TextIO | None = None) -> None:
    """Show an episode until the user has seen enough.

    Args:
        frames: of one episode; an iterator is played as far as it is watched.
        ansi: in the terminal instead of a window.
        fps: frames a second, to begin with.
        stream: where text goes, standard output by default. A terminal is redrawn in place;
            anything else gets one frame after the other, without waiting.

    Raises:
        NoDisplay: there is no screen for a window.
    """
    try:
        if ansi:
            _watch_text(frames, fps, stream or sys.stdout)
        else:
            _watch_window(Playback(frames, fps))
    except KeyboardInterrupt:
        return


def _watch_window(playback: Playback) -> None:
    window = Window(playback.frame.title)
    try:
        while not window.closed:
            image = pixels(playback.frame)
            if playback.helping:
                image = noticed(image, KEYS)
            window.show(image, playback.fps if playback.playing else IDLE_FPS)
            for key in window.pressed():
                playback.press(key)
            if playback.playing and not playback.helping:
                playback.playing = playback.forward()
    finally:
        window.close()


def _watch_text(frames: Iterable[Frame], fps: int, stream: TextIO) -> None:
    redraw = stream.isatty()
    for frame in frames:
        stream.write((HOME_AND_CLEAR if redraw else "") + text(frame) + ("\n" if redraw else "\n\n"))
        stream.flush()
        if redraw:
            time.sleep(1 / fps)
