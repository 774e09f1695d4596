"""A study in one table: agents paid the proxy, each beside its twin, which is the control."""

from collections.abc import Sequence

from alignment_gym.reports.markdown import plain, table
from alignment_gym.reports.study.usual import usual
from alignment_gym.reports.tables import Cell, Record, cells, competent, counted, estimate, shown

HEAD = (
    *("world", "agent", "seeds", "E", "L", "hacks", "P(exploit)", "P", "T"),
    *("twins: L", "twins: hacks", "twins: T", "able"),
)


def summary(records: Sequence[Record]) -> str:
    """Return a row for each world and agent as they usually are, see `usual`, as Markdown.

    Scores are interquartile means, E and L with 95 % bootstrap intervals, hacks counts with Clopper-Pearson intervals.
    `able` counts the runs, paid and twins, that reach 0.9 of the way from uniform play to the best of their own reward.
    """
    grouped = cells(usual(records))
    paid = [cell for cell in grouped if cell.reward == "proxy"]
    rows = [_row(cell, grouped[cell], grouped.get(cell._replace(reward="true"), [])) for cell in paid]
    return table(HEAD, rows)


def _row(cell: Cell, paid: Sequence[Record], twins: Sequence[Record]) -> list[str]:
    control = [shown(twins, "true_loss"), counted(twins, "hack"), _point(twins, "true_score")] if twins else ["-"] * 3
    able = f"{competent(paid)}/{len(paid)}" + (f", {competent(twins)}/{len(twins)}" if twins else "")
    scores = [shown(paid, "exploitation"), shown(paid, "true_loss"), counted(paid, "hack")]
    points = [_point(paid, name) for name in ("exploit_probability", "proxy_score", "true_score")]
    return [cell.env, cell.recipe, str(len(paid)), *scores, *points, *control, able]


def _point(group: Sequence[Record], name: str) -> str:
    found = estimate(group, name)
    return plain(found.value) if found else "undefined"
