"""A terminal taken over: single keys without Enter, a screen redrawn in place, and all given back at the end.

Whatever ends the block restores the terminal: a return, an exception, a signal made into one. Stopping with
Ctrl-Z gives it back to the shell, and going on takes it anew.
"""

import os
import re
import select
import signal
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, TextIO

from alignment_gym.render.palette import INK, MEANT, PAID, TINTS, UNKNOWN_TINT, VERMILION, Colour, mixed, tile_colour
from alignment_gym.render.text import Row, Span

ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J"  # a screen of its own, without a cursor
LEAVE = "\x1b[0m\x1b[?25h\x1b[?1049l"
HOME, TO_END_OF_LINE, TO_END_OF_SCREEN, PLAIN = "\x1b[H", "\x1b[K", "\x1b[J", "\x1b[0m"
BOLD, DIM, UNDERLINED = "1", "2", "4"
USUAL_SIZE = (80, 24)
FINISHING = 0.05  # seconds in which the rest of an arrow key arrives

ESCAPED = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.)", re.DOTALL)
ARROWS = {"A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end"}
NUMBERED = {"1": "home", "7": "home", "4": "end", "8": "end"}
NAMED = {" ": "space", "\r": "return", "\n": "return", "\x7f": "backspace", "\t": "tab", "\x1b": "escape"}
END_OF_INPUT = "escape"

GROUND_STYLES = {"actor": f"{BOLD};{UNDERLINED}", "thing": BOLD, "faded": "", "": ""}


class Terminal:
    """A terminal as long as the block lasts; needs a real one on both sides."""

    def __init__(self, source: TextIO, stream: TextIO) -> None:
        self._source, self._stream = source.fileno(), stream.fileno()
        self._encoding = stream.encoding or "ascii"
        self._colours = colours_of(os.environ)
        self._shown: str | None = None
        self._before: Any = None
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> "Terminal":
        import termios

        self._before = termios.tcgetattr(self._source)
        try:
            for number, handler in ((signal.SIGTSTP, self._stop), (signal.SIGCONT, self._go_on)):
                self._handlers[number] = signal.signal(number, handler)
            self._take()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_back()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines, at least one of each."""
        try:
            columns, lines = os.get_terminal_size(self._stream)
        except OSError:
            return USUAL_SIZE
        return (columns, lines) if columns > 0 and lines > 0 else USUAL_SIZE

    def draw(self, rows: Sequence[Row]) -> None:
        """Draw rows over those before, in one write and only if they differ, so that nothing flickers."""
        lines = (painted(row, self._colours) + TO_END_OF_LINE for row in rows)
        drawn = HOME + "\r\n".join(lines) + TO_END_OF_SCREEN
        if drawn != self._shown:
            self._shown = drawn  # before it is written: who stops us meanwhile says that nothing is shown any more
            self._write(drawn)

    def pressed(self, seconds: float) -> list[str]:
        """Wait for keys that long at most; return their names: `space`, `left`, `[`, `r`."""
        typed = self._read(seconds)
        if typed is None:
            return [END_OF_INPUT]
        if b"\x1b" in typed[-3:]:  # perhaps the first bytes of a key
            typed += self._read(FINISHING) or b""
        return named(typed)

    def _read(self, seconds: float) -> bytes | None:
        """Return what was typed, None at the end of input."""
        ready, _, _ = select.select([self._source], [], [], seconds)
        if not ready:
            return b""
        try:
            return os.read(self._source, 1024) or None
        except OSError:  # the terminal is gone
            return None

    def _write(self, drawn: str) -> None:
        content = memoryview(drawn.encode(self._encoding, "replace"))
        while content:
            content = content[os.write(self._stream, content) :]

    def _take(self) -> None:
        import termios

        changed = termios.tcgetattr(self._source)
        changed[3] &= ~(termios.ICANON | termios.ECHO)
        changed[6][termios.VMIN], changed[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._source, termios.TCSADRAIN, changed)
        self._write(ENTER)
        self._shown = None

    def _give_back(self) -> None:
        import termios

        with suppress(OSError):
            self._write(LEAVE)
        with suppress(OSError, termios.error):
            termios.tcsetattr(self._source, termios.TCSADRAIN, self._before)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        """Give the terminal to the shell, then stop as if there were no handler; nothing stops without a shell."""
        self._give_back()
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
        signal.signal(number, self._stop)
        self._take()

    def _go_on(self, _number: int, _frame: FrameType | None) -> None:
        self._take()


def named(typed: bytes) -> list[str]:
    """Return the names of the keys that were typed; unknown special keys are left out."""
    found: list[str] = []
    place = 0
    for match in ESCAPED.finditer(typed):
        found += _letters(typed[place : match.start()])
        found += _special(match.group().decode("latin-1"))
        place = match.end()
    return found + _letters(typed[place:])


def _letters(typed: bytes) -> list[str]:
    letters = typed.decode("utf-8", "ignore").lower()
    return [NAMED.get(letter, letter) for letter in letters if letter in NAMED or letter.isprintable()]


def _special(sequence: str) -> list[str]:
    last = sequence[-1]
    name = NUMBERED.get(sequence[2:-1]) if last == "~" else ARROWS.get(last)
    return [name] if name else []


def colours_of(environ: Any) -> int:
    """Return how many colours a terminal has, as its environment says: 0, 256, or 16 million.

    `NO_COLOR` (no-color.org) takes them away, where it is not empty.
    """
    if environ.get("NO_COLOR"):
        return 0
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return 1 << 24
    return 256 if "256" in environ.get("TERM", "") else 0


def painted(row: Row, colours: int) -> str:
    """Return a row with escape codes; a terminal without colours still has bold and reversed letters."""
    parts = []
    for span in row:
        codes = _codes(span, colours)
        parts.append(f"\x1b[{codes}m{span.words}{PLAIN}" if codes and span.words else span.words)
    return "".join(parts)


def _codes(span: Span, colours: int) -> str:
    if span.ground:
        style = GROUND_STYLES.get(span.style, "")
        ground = [_colour(48, _ground(span), colours), _colour(38, INK, colours)] if colours else []
        if span.ground in ("wall", "unseen", "hole") and colours:
            ground[1] = _colour(38, (255, 255, 255), colours)
        return ";".join(code for code in (*ground, style) if code)
    if span.style == "exploit":
        return f"{BOLD};{_colour(38, VERMILION, colours)}" if colours else BOLD
    if span.style in ("paid", "meant"):
        shade = PAID if span.style == "paid" else mixed(MEANT, (86, 180, 233), 0.5)
        return _colour(38, shade, colours) if colours else ""
    return {"title": BOLD, "quiet": DIM}.get(span.style, "")


def _ground(span: Span) -> Colour:
    colour = tile_colour(span.ground)
    return mixed(colour, TINTS.get(span.veil, UNKNOWN_TINT), 0.3) if span.veil else colour


def _colour(what: int, colour: Colour, colours: int) -> str:
    """Return the code of a colour, of letters (38) or behind them (48); in 256 colours the nearest of the cube."""
    if colours > 256:
        return f"{what};2;{colour[0]};{colour[1]};{colour[2]}"
    red, green, blue = (min(range(6), key=lambda step: abs((0, 95, 135, 175, 215, 255)[step] - x)) for x in colour)
    return f"{what};5;{16 + 36 * red + 6 * green + blue}"
