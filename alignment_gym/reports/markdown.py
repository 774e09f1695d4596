"""Markdown parts: numbers, tables, paragraphs."""

from collections.abc import Iterable, Sequence
from math import isnan
from typing import Any

from alignment_gym.metrics.statistics import Estimate

ROUNDING = 9  # decimals: takes away what differs between machines before four digits are kept


def number(value: float | None, why_not: str = "") -> str:
    """Return four significant digits; for NaN and None, `undefined` with the reason."""
    if value is None or isnan(value):
        return f"undefined: {why_not}" if why_not else "undefined"
    plain = round(value, ROUNDING) + 0.0  # no minus zero
    return f"{plain:.0f}" if abs(plain) >= 1000 else f"{plain:.4g}"


def short(value: float | None) -> str:
    """Return three significant digits, for narrow tables; a dash for NaN and None."""
    return "-" if value is None or isnan(value) else f"{round(value, ROUNDING) + 0.0:.3g}"


def spoken(found: Estimate, seeds: int = 0, values: Sequence[float] = ()) -> str:
    """Return an estimate with its interval, without minus zeros; where there is none, say of how many seeds.

    Args:
        found: of seeds.
        seeds: how many.
        values: what each of them has, where these can be shown in place of a number that sums up too few.
    """
    if found.has_interval:
        return f"{plain(found.value)} [{plain(found.low)}, {plain(found.high)}]"
    return f"{', '.join(map(plain, values or [found.value]))} (no interval from {counted(seeds, 'seed')})"


def plain(value: float) -> str:
    """Return two decimals, without a minus zero."""
    return f"{0.0 if abs(value) < 0.005 else value:.2f}"


def counted(amount: int, thing: str) -> str:
    """Return how many there are of a thing, whose plural takes an s."""
    return f"{amount} {thing}" if amount == 1 else f"{amount} {thing}s"


def ranges(numbers: Iterable[int]) -> str:
    """Return whole numbers in order as one types them, each once: 0-9, 12."""
    found: list[list[int]] = []
    for each in sorted(set(numbers)):
        if found and each == found[-1][1] + 1:
            found[-1][1] = each
        else:
            found.append([each, each])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in found)


def typed(value: Any) -> str:
    """Return a value as one types it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(typed, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def span(low: float, high: float) -> str:
    """Return an interval, or one number where both ends read the same."""
    ends = number(low), number(high)
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; bars inside of cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(entry) for entry in line) + " |" for line in lines)


def bullets(entries: Sequence[str]) -> str:
    """Return a list, empty entries left out."""
    return "\n".join(f"- {entry}" for entry in entries if entry)


def page(*parts: str) -> str:
    """Join parts by empty lines, empty parts left out."""
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"


def _cell(entry: str) -> str:
    return " ".join(entry.replace("|", "\\|").split())
