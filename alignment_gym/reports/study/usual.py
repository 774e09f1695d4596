"""Which runs stand for a study, beside those that sweep something."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from alignment_gym.agents import RECIPES
from alignment_gym.reports.tables import Cell, Record, cells


def usual(records: Sequence[Record]) -> list[Record]:
    """Return the runs at a world's default dials, with a recipe's own settings and number of steps.

    Where no run of a world, or of a recipe in it, has these, those stand for it that most runs have; of equally many
    the largest.
    """
    kept = _keeping(records, ("env", "level"), "dials")
    kept = _keeping(kept, ("env", "level", "recipe"), "settings")
    return _keeping(kept, ("env", "level", "recipe"), "steps")


def usual_cells(grouped: Mapping[Cell, Sequence[Record]]) -> dict[Cell, list[Record]]:
    """Return the cells of the usual runs, in the order given."""
    return cells(usual([record for group in grouped.values() for record in group]))


def _keeping(records: Sequence[Record], names: tuple[str, ...], choice: str) -> list[Record]:
    """Keep one choice of each group."""
    counted: dict[tuple[Any, ...], Counter[Any]] = {}
    for record in records:
        counted.setdefault(tuple(record[name] for name in names), Counter())[record[choice]] += 1
    chosen = {group: _chosen(group, choice, counts) for group, counts in counted.items()}
    return [record for record in records if record[choice] == chosen[tuple(record[name] for name in names)]]


def _chosen(group: tuple[Any, ...], choice: str, counts: Counter[Any]) -> Any:
    recipe = RECIPES.get(group[-1])
    own = (recipe.steps if recipe else None) if choice == "steps" else "{}"
    return own if own in counts else max(counts, key=lambda value: (counts[value], _size(value)))


def _size(value: Any) -> tuple[Any, ...]:
    """Return what choices of equally many runs are ordered by: numbers in words as numbers."""
    parts = re.split(r"(\d+\.?\d*)", str(value))
    return tuple((float(part), "") if number % 2 else (0.0, part) for number, part in enumerate(parts))
