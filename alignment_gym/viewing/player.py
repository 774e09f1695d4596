"""A player for episodes: frames run, stop, step and rewind, for one agent or two under one clock."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import TextIO

from alignment_gym.core import AlignmentGymError
from alignment_gym.render.frame import Frame
from alignment_gym.render.text import text
from alignment_gym.viewing.stage import in_terminal, in_window, is_interactive, standard

SPEEDS = (1, 2, 4, 8, 15, 30, 60)  # frames a second
KEYS_OF_ALL = 1 << 32  # episodes are numbered by 32-bit keys
LONGEST = 100_000  # frames that the end of an episode is looked for
HELP = (
    "space\tpause, go on",
    ". or right\tone step on; hold to run",
    ", or left\tone step back; hold to run back",
    "Home, End\tthe start, the end",
    "[ ]\tslower, faster",
    "n, p\tnext, previous episode",
    "r\tfrom the start",
    "s\tsave the picture (in a window)",
    "? or h\tthese keys",
    "Esc or q\tend",
)

Episodes = Callable[[int], Sequence[Iterable[Frame]]]  # from a key to one episode a side


class Reel:
    """The frames of one episode, played no further than they are asked for; its last one stands still."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._coming: Iterator[Frame] = iter(frames)
        self._seen: list[Frame] = []
        if not self.reaches(0):
            raise AlignmentGymError("there are no frames to watch")

    def at(self, place: int) -> Frame:
        """Return a frame, the last one for places beyond the end."""
        return self._seen[place if self.reaches(place) else -1]

    def reaches(self, place: int) -> bool:
        """Tell whether there is a frame at `place`; plays up to it."""
        while len(self._seen) <= place:
            frame = next(self._coming, None)
            if frame is None:
                return False
            self._seen.append(frame)
        return True

    @property
    def end(self) -> int:
        """The last place; plays up to it."""
        return next(place for place in count() if place >= LONGEST or not self.reaches(place + 1))


class Playback:
    """Where a player is in an episode: what keys do, without a window.

    Attributes:
        key: of the episode, which `n` and `p` change.
        moving: whether the next frame comes by itself.
        fps: frames a second.
        over: whether the user has seen enough.
    """

    def __init__(self, episodes: Episodes, key: int = 0, fps: int = 8) -> None:
        self._episodes = episodes
        self._helping = False
        self.moving = True
        self.fps = fps
        self.over = False
        self.begin(key)

    def begin(self, key: int) -> None:
        """Start the episode of a key."""
        self.key = key % KEYS_OF_ALL
        self._reels = [Reel(frames) for frames in self._episodes(self.key)]
        self._place = 0

    @property
    def frames(self) -> tuple[Frame, ...]:
        """What to show, a frame a side."""
        return tuple(reel.at(self._place) for reel in self._reels)

    @property
    def notice(self) -> tuple[str, ...]:
        """Lines to show over the picture; a tab begins the second column."""
        return HELP if self._helping else ()

    @property
    def status(self) -> str:
        """One line of where the player is."""
        state = "playing" if self.moving else "stopped" if self._reaches(self._place + 1) else "at the end"
        return f"key {self.key}   {state}, {self.fps} a second   ? shows the keys"

    def press(self, key: str) -> bool:
        """Do what a key says; return whether it says anything."""
        moves: dict[str, Callable[[], object]] = {
            "space": self._pause,
            ".": lambda: self._step(1),
            "right": lambda: self._step(1),
            ",": lambda: self._step(-1),
            "left": lambda: self._step(-1),
            "home": lambda: self._go(0),
            "end": lambda: self._go(max(reel.end for reel in self._reels)),
            "[": lambda: self._hurry(slower=True),
            "]": lambda: self._hurry(slower=False),
            "n": lambda: self.begin(self.key + 1),
            "p": lambda: self.begin(self.key - 1),
            "r": self._restart,
            "?": self._help,
            "h": self._help,
            "q": self._end,
            "escape": self._end,
        }
        if key not in moves:
            return False
        moves[key]()
        return True

    def advance(self) -> None:
        """Go one frame on, unless the keys are read; stop at the end."""
        if not self._helping:
            self.moving = self._go(self._place + 1)

    def _reaches(self, place: int) -> bool:
        return any(reel.reaches(place) for reel in self._reels)

    def _go(self, place: int) -> bool:
        """Go to a place if there is one; return whether there was."""
        if place < 0 or not self._reaches(place):
            return False
        self._place = place
        return True

    def _step(self, by: int) -> None:
        self.moving = False
        self._go(self._place + by)

    def _pause(self) -> None:
        self.moving = not self.moving

    def _restart(self) -> None:
        self._place, self.moving = 0, True

    def _help(self) -> None:
        self._helping = not self._helping

    def _end(self) -> None:
        self.over = True

    def _hurry(self, slower: bool) -> None:
        if slower:
            self.fps = max((speed for speed in SPEEDS if speed < self.fps), default=SPEEDS[0])
        else:
            self.fps = min((speed for speed in SPEEDS if speed > self.fps), default=SPEEDS[-1])


def watch(
    episodes: Episodes,
    key: int = 0,
    *,
    ansi: bool = False,
    fps: int = 8,
    source: TextIO | None = None,
    stream: TextIO | None = None,
) -> None:
    """Show episodes until the user has seen enough.

    Args:
        episodes: gives the frames of a key's episode, one iterable a side; iterators are played as far as
            they are watched, and the shorter of two stands still at its end.
        key: of the first episode.
        ansi: in the terminal instead of a window.
        fps: frames a second, to begin with.
        source: where a terminal's keys come from, standard input by default.
        stream: where text goes, standard output by default. A terminal is redrawn in place, and single keys
            work; anything else gets one frame after the other, without waiting.

    Raises:
        NoDisplay: there is no screen for a window.
    """
    if not ansi:
        in_window(lambda: Playback(episodes, key, fps))
        return
    source, stream = standard(source, stream)
    if is_interactive(source, stream):
        in_terminal(Playback(episodes, key, fps), source, stream)
    else:
        _write(Playback(episodes, key, fps), stream)


def _write(playback: Playback, stream: TextIO) -> None:
    """Write one episode, frame after frame; at the speed of reading where somebody may look."""
    while True:
        stream.write("\n".join(text(frame) for frame in playback.frames) + "\n\n")
        stream.flush()
        if stream.isatty():
            time.sleep(1 / playback.fps)
        playback.advance()
        if not playback.moving:
            return
