"""Shapes of a paper's tables: as wide as a page or as one column of two, bare or as a float with caption and label."""

import re
from collections.abc import Iterator, Sequence
from math import ceil
from textwrap import wrap
from typing import NamedTuple

from alignment_gym.reports.citation import escaped

LINES = 46  # of a part: what a page holds in small print, with a caption
LEAST = 12  # of a part below however long a caption
WIDTH = 100  # letters of a comment's line
LETTERS = 55  # of a caption's line, in a column
COLUMN = "226pt"  # of a title that is broken; columns of conferences are 230 to 250 points wide
LABEL = 24  # letters of a recipe's name and settings; longer ones are broken
BOX, STRUT, BREAK = r"\parbox[t]{11em}{\raggedright ", r"\strut}", r"\allowbreak{}"
SLIM = r"\parbox[t]{5em}{\raggedright "
OPEN, LINE, CLOSE = r"\begin{tabular}[t]{@{}l@{}}", r"\\{}", r"\end{tabular}"
HEADS = {
    name: rf"{OPEN}{above}{LINE}{below}{CLOSE}"
    for name, above, below in (
        ("$P$(exploit)", "$P$", "(exploit)"),
        (r"own $\geq 0.9$", "own", r"$\geq 0.9$"),
        ("worse than random", "worse than", "random"),
        ("optimality gap", "optimality", "gap"),
    )
}
"""Heads that take two lines in a narrow table."""
SAID = ("seeds",)  # columns that a narrow table leaves to its caption
NARROW = "narrow-"
SHORTEST = 11  # letters of a name that a narrow table need not break
MOST = 1500  # letters of a caption: what says more stays a comment
SHORT = {
    "scores": "Exploitation and true loss",
    "severity": "Severity, against uniform play",
    "effect": "Misspecification effect",
    "aggregates": "Aggregates over worlds",
}
"""What a list of tables calls them."""


class Block(NamedTuple):
    """Rows below a line that says what they share, all of them LaTeX."""

    title: str
    rows: list[list[str]]


class Table(NamedTuple):
    """A table: its columns' heads, its blocks, and what its caption should say; heads and blocks are LaTeX."""

    head: list[str]
    blocks: list[Block]
    caption: list[str]
    narrow: bool = False


def parts(table: Table, lines: int = LINES) -> list[str]:
    """Return a table as LaTeX, in parts of no more lines than a page holds; none where it has no rows.

    A block stays whole where a part can hold it, and repeats its title where it does not.
    """
    pages = _pages(table, lines)
    return [
        "".join(f"% {line}\n" for said in [*table.caption, _part(place, pages)] for line in _wrapped(said))
        + _tabular(table, page)
        for place, page in enumerate(pages, start=1)
    ]


def floats(table: Table, name: str) -> list[str]:
    """Return a table as LaTeX floats with captions and labels, `tab:` and its name; parts after the first say so.

    A wide one goes across both columns of a page, and to the width of the text where there is but one.
    """
    kind = "table" if table.narrow else "table*"
    said, more_said = _shared(table.caption)
    below = ceil(len(said) / (LETTERS if table.narrow else 2 * LETTERS))
    pages = _pages(table, max(LINES - below, LEAST))
    found = []
    for place, page in enumerate(pages, start=1):
        label = name if len(pages) == 1 else f"{name}-{place}"
        told = said if place == 1 else rf"Continued from Table~\ref{{tab:{name}-1}}."
        more = f" {_part(place, pages)}" if len(pages) > 1 else ""
        lines = [
            rf"\begin{{{kind}}}[tp]",
            r"\centering",
            rf"\caption[{SHORT[name.removeprefix(NARROW)]}]{{{told}{more}}}",
        ]
        lines = [*(f"% {line}" for each in more_said for line in _wrapped(each)), *lines]
        found.append(
            "\n".join([*lines, rf"\label{{tab:{label}}}", r"\smallskip", _tabular(table, page) + rf"\end{{{kind}}}"])
            + "\n"
        )
    return found


def _shared(caption: Sequence[str]) -> tuple[str, list[str]]:
    """Return a caption of no more letters than fit beside a table, and what is left of it for a comment."""
    kept = [part for number, part in enumerate(caption) if len(" ".join(caption[: number + 1])) <= MOST]
    rest = list(caption[len(kept) :])
    pointer = ["More is said in a comment in this table's source."] * bool(rest)
    return captioned(" ".join([*kept, *pointer])), rest


def narrow(table: Table) -> Table:
    """Return a table for one column of two: intervals below their numbers, what was paid below the recipe, no seeds.

    How many seeds there are stands in the caption.
    """
    kept = [place for place, name in enumerate(table.head) if name not in ("paid", *SAID)]
    paid = table.head.index("paid") if "paid" in table.head else None
    blocks = [
        Block(title, [_slim(row, kept, "" if paid is None else row[paid]) for row in rows])
        for title, rows in table.blocks
    ]
    return Table([HEADS.get(name, name) for name in (table.head[place] for place in kept)], blocks, table.caption, True)


def captioned(text: str) -> str:
    """Return a comment's text as a caption's LaTeX: its signs as mathematics, and its names in typewriter letters."""
    found = (
        escaped(text)
        .replace(r"\textgreater{}=", r"$\geq$")
        .replace(r"\textgreater{}", "$>$")
        .replace(r"\textless{}", "$<$")
    )
    found = re.sub(r"(?<=[ (])-(?=[\d ])", "$-$", found)
    return re.sub(r"`([^`]+)`", r"\\texttt{\1}", found)


def _slim(row: Sequence[str], kept: Sequence[int], paid: str) -> list[str]:
    """Return a row of two lines."""
    name = row[0].removeprefix(BOX).removesuffix(STRUT)
    is_long = row[0].startswith(BOX) or len(name) > SHORTEST
    box = SLIM if is_long else None
    if is_long and not row[0].startswith(BOX):
        name = re.sub(r"(\\_|[.:=-])(?=\w)", lambda sign: sign[1] + BREAK, name)
    label = f"{box}{name}{STRUT}" if box and not paid else f"{box or OPEN}{name}{LINE}{paid}{STRUT if box else CLOSE}"
    return [label if paid or box else row[0], *(_stacked(row[place]) for place in kept[1:])]


def _stacked(entry: str) -> str:
    """Return an entry with its interval, or the reason in it, below."""
    value, _, interval = entry.partition(" [")
    if interval:
        return f"{OPEN}{value}{LINE}[{interval}{CLOSE}"
    words, comma, rest = entry.partition(", ")
    return f"{OPEN}{words},{LINE}{rest}{CLOSE}" if comma else entry


def _pages(table: Table, lines: int) -> list[list[Block]]:
    """Return what goes on each page."""
    pages: list[list[Block]] = []
    room = 0.0
    for block in _fitting(table.blocks, lines):
        height = 1 + sum(map(_height, block.rows))
        if height > room:
            pages.append([])
            room = lines
        pages[-1].append(block)
        room -= height + 0.5  # space below
    return pages


def _part(place: int, pages: Sequence[Sequence[Block]]) -> str:
    return f"Part {place} of {len(pages)}."


def _wrapped(text: str) -> list[str]:
    return wrap(text, WIDTH, break_on_hyphens=False)


def _tabular(table: Table, blocks: Sequence[Block]) -> str:
    """Return one tabular."""
    width = len(table.head)
    size = r"\scriptsize\setlength{\tabcolsep}{1.5pt}" if table.narrow else r"\footnotesize\setlength{\tabcolsep}{3pt}"
    body: list[str] = []
    for number, block in enumerate(blocks):
        body += [r"\addlinespace"] * bool(number)
        where = rf"p{{{COLUMN}}}" if table.narrow and len(block.title) > LETTERS else "l"
        body.append(rf"\multicolumn{{{width}}}{{@{{}}{where}@{{}}}}{{\textit{{{block.title}}}}} \\")
        body += [_row(row) for row in block.rows]
    lines = [
        rf"\begingroup{size}%",
        rf"\begin{{tabular}}{{@{{}}{'l' * width}@{{}}}}",
        r"\toprule",
        _row(table.head),
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}%",
        r"\endgroup",
    ]
    return "\n".join(lines) + "\n"


def _row(entries: Sequence[str]) -> str:
    """Return a row; braces keep the end of the row before from taking a bracket as its own argument."""
    return "{}" * entries[0].startswith(("[", "*")) + " & ".join(entries) + r" \\"


def _fitting(blocks: Sequence[Block], lines: int) -> Iterator[Block]:
    """Yield blocks, those that no part can hold cut up."""
    for block in blocks:
        rows: list[list[str]] = []
        title, room = block.title, lines - 1
        for row in block.rows:
            if rows and _height(row) > room:
                yield Block(title, rows)
                title, rows, room = f"{block.title} (continued)", [], lines - 1
            rows.append(row)
            room -= _height(row)
        yield Block(title, rows)


def _height(row: Sequence[str]) -> int:
    """Return how many lines a row takes: the box of a long name several, a short name one."""
    letters, below = (LABEL, 0) if row[0].startswith(BOX) else (LABEL // 2, LINE in row[0])
    if not row[0].startswith((BOX, SLIM)):
        return 2 if any(OPEN in entry for entry in row) else 1
    told = (
        row[0]
        .removeprefix(SLIM)
        .partition(LINE)[0]
        .removeprefix(BOX)
        .removesuffix(STRUT)
        .replace(BREAK, "")
        .replace("\\", "")
    )
    return ceil(len(told) / (letters - 4)) + below  # names are not broken just where a line ends
