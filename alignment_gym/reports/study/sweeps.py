"""What a study swept: hack rate and true loss over a dial, a setting, or the length of training, all else alike.

Sweeps are found in the records themselves: cells that differ in one dial only, in one setting only, or in steps only.
The cell that changes nothing joins, at the default value. Only a change along a line is one of what is swept.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from alignment_gym.reports.study.defaults import default_dials, default_settings
from alignment_gym.reports.study.usual import usual
from alignment_gym.reports.tables import Cell, Record, cell_of, cells


class Thing(NamedTuple):
    """What is swept: a `dial` or `setting` by its name, or `steps`."""

    kind: str
    name: str


class Line(NamedTuple):
    """What shares a line: a world's level, a recipe and what it was paid."""

    env: str
    level: str
    recipe: str
    reward: str


class Point(NamedTuple):
    """One value of what is swept, and the runs there."""

    value: Any
    runs: list[Record]


STEPS = Thing("steps", "environment steps")
KINDS = {"dial": "dials", "setting": "settings"}
Sweeps = dict[Thing, dict[Line, list[Point]]]


def sweeps(records: Sequence[Record]) -> tuple[Sweeps, int]:
    """Return what was swept, with its lines, each with points in the order of their values; and what is not shown.

    Of several sweeps of one thing along one line, as a product of two sweeps has them, the one through the usual cell
    is returned, see `headline`; where none is, the one with the most values, then the most runs.

    Returns:
        Sweeps by what was swept, dials first; and how many others of the same things there are.
    """
    grouped = cells(records)
    chief = {cell_of(record) for record in usual(records)}
    candidates: dict[Thing, dict[Line, dict[Cell, dict[str, Cell]]]] = {}
    things = _things(grouped)
    for cell in grouped:
        for thing in things:
            found = _without(cell, thing)
            if found is not None:
                rest, value = found
                line = Line(cell.env, cell.level, cell.recipe, cell.reward)
                candidates.setdefault(thing, {}).setdefault(line, {}).setdefault(rest, {})[value] = cell
    chosen: Sweeps = {}
    more = 0
    for thing, lines in candidates.items():
        for line, rests in lines.items():
            swept = [values for values in rests.values() if len(values) > 1]
            if swept:
                more += len(swept) - 1
                best = max(swept, key=lambda values: _rank(values, chief, grouped))
                points = [Point(json.loads(value), grouped[cell]) for value, cell in best.items()]
                chosen.setdefault(thing, {})[line] = sorted(points, key=lambda point: order(point.value))
    return chosen, more


def _things(grouped: dict[Cell, list[Record]]) -> list[Thing]:
    """Return all that any cell changes, and steps."""
    found = {Thing(kind, name) for cell in grouped for kind, part in KINDS.items() for name in _changes(cell, part)}
    return [*sorted(found), STEPS]


def _changes(cell: Cell, part: str) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(getattr(cell, part))
    return changed


def _without(cell: Cell, thing: Thing) -> tuple[Cell, str] | None:
    """Return a cell without its value of what is swept, and that value as JSON; None where it has none."""
    if thing == STEPS:
        return cell._replace(steps=-1), json.dumps(cell.steps)
    part = KINDS[thing.kind]
    changed = _changes(cell, part)
    defaults = default_dials(cell.env) if thing.kind == "dial" else default_settings(cell.recipe)
    value = changed.pop(thing.name, defaults.get(thing.name))
    left = json.dumps(changed, sort_keys=True)
    rest = cell._replace(dials=left) if thing.kind == "dial" else cell._replace(settings=left)
    return None if value is None else (rest, json.dumps(value))


def _rank(values: dict[str, Cell], chief: set[Cell], grouped: dict[Cell, list[Record]]) -> tuple[Any, ...]:
    runs = sum(len(grouped[cell]) for cell in values.values())
    return bool(chief & set(values.values())), len(values), runs, min(values.values())


def order(value: Any) -> tuple[Any, ...]:
    """Return what values are sorted by: numbers by size, lists of numbers by theirs, all else by its name."""
    if isinstance(value, int | float):
        return 0, float(value), ""
    if isinstance(value, list) and all(isinstance(each, int | float) for each in value):
        return 1, float(sum(value)), json.dumps(value)
    return 2, 0.0, json.dumps(value)


def called(value: Any) -> str:
    """Return what a value is called on an axis."""
    if isinstance(value, list):
        return "×".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
