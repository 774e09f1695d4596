"""Where shows take place: loops that draw what there is to see and pass on keys, in a window or in a terminal."""

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol, TextIO

from PIL import Image

from alignment_gym.core import AlignmentGymError
from alignment_gym.core.files import replacing
from alignment_gym.render.frame import Frame
from alignment_gym.render.text import text
from alignment_gym.render.window import Window
from alignment_gym.viewing.fitted import LARGEST, USUAL, Fitting, together
from alignment_gym.viewing.screen import composed
from alignment_gym.viewing.terminal import Terminal

LISTENING = 1 / 30  # seconds between two looks at the keys, at most
PLAIN_TERMINALS = ("dumb", "")


class Show(Protocol):
    """What a stage shows: frames side by side, lines over them, and what keys do."""

    key: int
    moving: bool
    fps: int
    over: bool

    @property
    def frames(self) -> tuple[Frame, ...]: ...  # noqa: D102
    @property
    def notice(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def status(self) -> str: ...  # noqa: D102
    def press(self, key: str) -> bool: ...  # noqa: D102
    def advance(self) -> None: ...  # noqa: D102


class Beat:
    """When the next frame of a moving show is due; a slow frame is not caught up with."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def wait(self, show: Show) -> float:
        """Return how many seconds there are to listen now."""
        if not show.moving:
            return LISTENING
        return min(max(self._last + 1 / show.fps - time.monotonic(), 0.0), LISTENING)

    def keep(self, show: Show) -> None:
        """Advance the show if it is time."""
        now = time.monotonic()
        if not show.moving:
            self._last = now
        elif now >= self._last + 1 / show.fps:
            show.advance()
            self._last = max(self._last + 1 / show.fps, now - LISTENING)


def in_window(begin: Callable[[], Show]) -> None:
    """Open a window and show until the user ends it.

    Args:
        begin: makes the show, once it is known that there is a screen.

    Raises:
        NoDisplay: there is none.
        MissingExtra: pygame is not installed.
    """
    with ended_by_signals():
        window = Window()
        try:
            _run_window(window, begin())
        finally:
            window.close()


def _run_window(window: Window, show: Show) -> None:
    beat, fitting, said = Beat(), Fitting(), ""
    drawn: object = None
    while not (window.closed or show.over):
        frames, notice, status = show.frames, show.notice, said or show.status
        if drawn != (frames, notice, status, window.room):
            image, lines = fitting.picture(frames, window.room, LARGEST if window.is_open else USUAL)
            window.draw(image, (*lines, status), notice, title(show))
            drawn = (frames, notice, status, window.room)
        for key in window.listen(beat.wait(show)):
            said = "" if show.press(key) or key != "s" else _saved(show)
        beat.keep(show)


def title(show: Show) -> str:
    """Return what a window's title bar says: the world, the episode and how far it is."""
    frames = show.frames
    step = max(frame.ledger.step for frame in frames)
    return f"{frames[0].title}: key {show.key}, step {step}"


def _saved(show: Show) -> str:
    """Save what is shown as a picture in the present folder; say where, or why not."""
    frames = show.frames
    name = "-".join(re.findall(r"\w+", frames[0].title.lower()))
    path = Path(f"{name}-key-{show.key}-step-{frames[0].ledger.step}.png")
    try:
        with replacing(path) as temporary:
            Image.fromarray(together(frames)).save(temporary, "PNG")
    except AlignmentGymError as error:
        return str(error)
    return f"saved {path}"


def standard(source: TextIO | None, stream: TextIO | None) -> tuple[TextIO, TextIO]:
    """Return where keys come from and text goes: what is given, else standard input and output.

    Raises:
        AlignmentGymError: one of them was closed.
    """
    source, stream = source or sys.stdin, stream or sys.stdout
    if source is None or stream is None:
        closed = "input" if source is None else "output"
        raise AlignmentGymError(f"standard {closed} is closed; keys and text in a terminal need both")
    return source, stream


def is_interactive(source: TextIO, stream: TextIO) -> bool:
    """Tell whether single keys can be read and a screen redrawn in place."""
    return source.isatty() and stream.isatty() and os.environ.get("TERM", "") not in PLAIN_TERMINALS


def in_terminal(show: Show, source: TextIO, stream: TextIO) -> None:
    """Take over a terminal and show until the user ends it; afterwards it is as it was."""
    beat = Beat()
    with ended_by_signals(), Terminal(source, stream) as terminal:
        while not show.over:
            columns, lines = terminal.size
            terminal.draw(composed(show.frames, columns, lines, show.notice, show.status))
            for key in terminal.pressed(beat.wait(show)):
                show.press(key)
            beat.keep(show)
    stream.write("\n".join(text(frame) for frame in show.frames) + "\n")  # stays when the screen is given back


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as an exception does, so that what it took is given back.

    SDL would make SIGTERM a click on the close button, which a slow frame hears late.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]
    before = [(number, signal.signal(number, _end)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
