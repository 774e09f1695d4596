"""Whether training had come to rest: what the own reward's score still did in its last third.

An agent is judged on the reward that it is paid: P where that is the proxy, T where it is what was meant.
"""

from collections.abc import Sequence
from math import isnan, nan

import numpy as np

from alignment_gym.reports.markdown import short, table
from alignment_gym.reports.tables import Record

REST = 0.02
"""Of the way from uniform play to the best: less than this is no change."""


def last_rise(record: Record) -> float:
    """Return the own score at the end less that at the checkpoint nearest to two thirds of training.

    NaN where the score is undefined, or no checkpoint was kept between a half of training and its end.
    """
    curve, name = record.get("curve") or [], f"{record['reward']}_score"
    late = [line for line in curve if 0.5 * record["steps"] <= line["step"] < record["steps"]]
    if not late or record[name] is None:
        return nan
    before = min(late, key=lambda line: abs(line["step"] - 2.0 * record["steps"] / 3.0))[name]
    return nan if before is None else float(record[name] - before)


def plateau(records: Sequence[Record]) -> str:
    """Return a row for each recipe and arm, as Markdown; empty where nothing is known."""
    rows = []
    for recipe, reward in sorted({(record["recipe"], record["reward"]) for record in records}):
        mine = [record for record in records if (record["recipe"], record["reward"]) == (recipe, reward)]
        rises = np.array([rise for rise in map(last_rise, mine) if not isnan(rise)])
        if len(rises):
            counts = [int((np.abs(rises) < REST).sum()), int((rises >= REST).sum()), int((rises <= -REST).sum())]
            rows.append([recipe, reward, str(len(rises)), *map(str, counts), short(float(np.median(rises)))])
    head = ["recipe", "paid", "runs", f"at rest, less than {REST}", "still rising", "falling", "median rise"]
    return table(head, rows) if rows else ""
