"""Frames arranged as rows of text on a screen of some size: the map beside the accounts, two agents in two columns."""

from collections.abc import Sequence
from textwrap import wrap

from alignment_gym.render.frame import Frame
from alignment_gym.render.text import INDENT, Blocks, Row, Span, blocks

MAP, ACCOUNT = 38, 42  # columns at least of a map and of an account that stands beside it
FEWEST_STEPS = 3
NARROWEST = 36  # columns of each of two agents
BETWEEN = Span(" | ", "quiet")
CUT = ".."


def composed(
    frames: Sequence[Frame], columns: int, lines: int, notice: Sequence[str] = (), status: str = ""
) -> list[Row]:
    """Return at most `lines` rows of at most `columns` letters: the frames, a notice, and a status line last.

    What does not fit is cut from the right and from below, the oldest steps first, then the legend; a notice
    takes the place of what stands lowest.
    """
    below = [*([()] if notice else []), *_noticed(notice), (Span(status, "quiet"),)]
    above = max(lines - len(below), 1)
    rows = _framed(frames, columns, above)[:above]
    rows += [()] * (above - len(rows))
    return [cut(row, columns) for row in (*rows, *below)][:lines]


def _framed(frames: Sequence[Frame], columns: int, lines: int) -> list[Row]:
    if len(frames) == 1:
        return _single(blocks(frames[0]), columns, lines)
    each = (columns - len(BETWEEN.words)) // 2
    if each >= NARROWEST:
        left, right = (_single(blocks(frame), each, lines) for frame in frames)
        return abreast(left, right, each, BETWEEN)
    part = max(lines // 2, 1)
    return [row for frame in frames for row in _single(blocks(frame), columns, part)[:part]]


def _single(found: Blocks, columns: int, lines: int) -> list[Row]:
    """Arrange one frame: the accounts beside the map if there is room, or else below; steps as far as they fit."""
    breadth = max(MAP, *(length(row) + len(INDENT) for row in found.maps if len(row) > 1))  # notes move nothing
    if columns - breadth >= ACCOUNT:
        top = abreast(found.maps, found.accounts, breadth - 1, Span(" "))
    else:
        whole = [part for row in found.accounts for part in _broken(row, columns)]
        short = [row for row in whole if not _explains(row)]
        needed = len(found.maps) + len(whole) + len(found.legend) + FEWEST_STEPS + 2
        top = [*found.maps, *(whole if needed <= lines else short)]
    legend = [(Span(line, "quiet"),) for row in found.legend for line in _wrapped(row, columns)]
    free = lines - len(found.heading) - len(top) - len(legend)
    return [*found.heading, *top, *found.steps[: max(free, FEWEST_STEPS + 1)], *legend]


def _broken(row: Row, columns: int) -> list[Row]:
    """Return an account in two rows, its bar in the second, where it is too long for one."""
    if length(row) <= columns or len(row) < 2:
        return [row]
    return [row[:1], (Span(INDENT), *row[1:])]


def _explains(row: Row) -> bool:
    """Tell whether a row of the accounts says what is always the same."""
    return len(row) == 1 and row[0].style == "quiet"


def _wrapped(row: Row, columns: int) -> list[str]:
    words = "".join(span.words for span in row).strip()
    return wrap(words, max(columns, 8), initial_indent=INDENT, subsequent_indent=INDENT)


def _noticed(notice: Sequence[str]) -> list[Row]:
    first = max((len(line.partition("\t")[0]) for line in notice if "\t" in line), default=0) + 2
    parts = (line.partition("\t") for line in notice)
    return [(Span(INDENT + (one.ljust(first) if tab else one) + other, "title"),) for one, tab, other in parts]


def abreast(left: Sequence[Row], right: Sequence[Row], breadth: int, between: Span) -> list[Row]:
    """Return two columns of rows, the left one `breadth` letters wide."""
    count = max(len(left), len(right))
    pairs = zip([*left, *[()] * (count - len(left))], [*right, *[()] * (count - len(right))], strict=True)
    return [(*_padded(cut(one, breadth), breadth), between, *other) for one, other in pairs]


def length(row: Row) -> int:
    """Return how many letters a row has."""
    return sum(len(span.words) for span in row)


def cut(row: Row, columns: int) -> Row:
    """Return the row, ending in two dots where it is longer than that many letters."""
    if length(row) <= columns:
        return row
    kept: list[Span] = []
    room = max(columns - len(CUT), 0)
    for span in row:
        kept.append(Span(span.words[:room], span.style, span.ground, span.veil))
        room -= len(kept[-1].words)
    return (*(span for span in kept if span.words), Span(CUT[:columns], "quiet"))


def _padded(row: Row, breadth: int) -> Row:
    return (*row, Span(" " * (breadth - length(row))))
