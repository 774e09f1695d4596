"""Which cells of two sets of runs are to be compared: those that agree in world, level, dials and reward.

Partners have one recipe, or two that were named as a pair. Where a side has several settings or steps in one place,
those are partners first that agree in most; what is ambiguous is left out, and said, rather than guessed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from alignment_gym.agents import RECIPES
from alignment_gym.core import InvalidRun
from alignment_gym.reports.markdown import counted
from alignment_gym.reports.tables import Cell, Record, cell_of, changed_text


class Pairing(NamedTuple):
    """A cell of either side, and their runs by seed."""

    first: Cell
    second: Cell
    one: dict[int, Record]
    other: dict[int, Record]


def paired(
    first: dict[Cell, list[Record]], second: dict[Cell, list[Record]], partners: Mapping[str, str] | None = None
) -> tuple[list[Pairing], list[str]]:
    """Match cells, those first that agree in most; return the pairs, and lines about those without a partner.

    Args:
        first: the cells of one side.
        second: those of the other.
        partners: recipes of the first side, each with one of the second that it is compared with; all others are
            compared with their own kind alone.

    Raises:
        InvalidRun: a cell has a seed twice.
    """
    left, right = set(first), set(second)
    asked = dict(partners or {})
    found: list[tuple[Cell, Cell]] = []
    for alike in ALIKE:
        groups: dict[Any, tuple[list[Cell], list[Cell]]] = defaultdict(lambda: ([], []))
        for side, those in enumerate((left, right)):
            for cell in those:
                groups[_place(cell), _kind(cell, side, asked), alike(cell)][side].append(cell)
        matched = [(one[0], other[0]) for one, other in groups.values() if len(one) == len(other) == 1]
        found += matched
        left -= {one for one, _ in matched}
        right -= {other for _, other in matched}
    pairings = [Pairing(one, other, _by_seed(first[one]), _by_seed(second[other])) for one, other in sorted(found)]
    strangers = _strangers(left, right)
    lines = [_not_compared(*names, len(those)) for names, those in sorted(strangers.items())]
    known = {cell for those in strangers.values() for cell in those}
    lines += [_without_partner(cell, right, "A") for cell in sorted(left - known)]
    return pairings, lines + [_without_partner(cell, left, "B") for cell in sorted(right - known)]


def named(pair: tuple[Cell, Cell]) -> tuple[str, str]:
    """Return what two cells are told apart by; the recipe of both where nothing does."""
    parts = [(cell.recipe, changed_text(cell._replace(dials="{}")), _steps(cell)) for cell in pair]
    different = [len({each[number] for each in parts}) > 1 for number in range(3)]
    different[0] = True
    shown = [", ".join(part for part, wanted in zip(each, different, strict=True) if wanted and part) for each in parts]
    return shown[0], shown[1]


def place(pair: tuple[Cell, Cell], with_steps: bool) -> str:
    """Return where two cells are partners: their world, and what both change; what differs is for `named` to say."""
    first, second = pair
    settings = first.settings if first.settings == second.settings else "{}"
    steps = _steps(first) if with_steps and first.steps == second.steps else ""
    parts = (f"{first.env} {first.level}", changed_text(first._replace(settings=settings)), steps)
    return ", ".join(part for part in parts if part)


def _kind(cell: Cell, side: int, partners: Mapping[str, str]) -> tuple[bool, str]:
    """Return what two cells have to share to be partners: the recipe, or that their recipes were named as a pair."""
    if side == 0:
        return cell.recipe in partners, partners.get(cell.recipe, cell.recipe)
    return cell.recipe in partners.values(), cell.recipe


def _strangers(left: Iterable[Cell], right: Iterable[Cell]) -> dict[tuple[str, str], set[Cell]]:
    """Return the cells of places where either side has one learner without a partner, and not the same one."""
    found: dict[tuple[str, ...], tuple[set[Cell], set[Cell]]] = defaultdict(lambda: (set(), set()))
    for side, those in enumerate((left, right)):
        for cell in those:
            found[_place(cell)][side].add(cell)
    strangers: dict[tuple[str, str], set[Cell]] = defaultdict(set)
    for one, other in found.values():
        names = [{cell.recipe for cell in each} for each in (one, other)]
        if len(names[0]) == len(names[1]) == 1 and names[0] != names[1]:
            strangers[min(names[0]), min(names[1])] |= one | other
    return dict(strangers)


def _not_compared(first: str, second: str, number: int) -> str:
    return (
        f"not compared: A's {first} and B's {second} are different learners ({counted(number, 'cell')}); "
        f"--pair {first}={second} compares them"
    )


def _place(cell: Cell) -> tuple[str, ...]:
    return cell.env, cell.level, cell.dials, cell.reward


def _is_usual(cell: Cell) -> bool:
    """Say whether a cell is of a recipe as it is; recipes from elsewhere have no usual number of steps."""
    recipe = RECIPES.get(cell.recipe)
    return cell.settings == "{}" and (recipe is None or cell.steps == recipe.steps)


ALIKE: tuple[Callable[[Cell], Any], ...] = (
    lambda cell: (cell.settings, cell.steps),
    lambda cell: (cell.settings, _is_usual(cell)),
    lambda cell: cell.settings,
    lambda _: (),
)
"""What cells have to agree in, beside world, level, dials, reward and kind; each is asked of those still without a
partner, and two are partners where they alone agree."""


def _without_partner(cell: Cell, others: set[Cell], side: str) -> str:
    rivals = sum(_place(other) == _place(cell) for other in others)
    why = (
        f"{counted(rivals, 'possible partner')}; choose with --recipe, --recipes or --pair" if rivals else "no partner"
    )
    return f"only in {side}: {_text(cell)} ({why})"


def _text(cell: Cell) -> str:
    parts = (cell.env, cell.level, changed_text(cell), cell.recipe, cell.reward, _steps(cell))
    return ", ".join(part for part in parts if part)


def _steps(cell: Cell) -> str:
    return f"{cell.steps} steps" if cell.steps else "steps not known"


def _by_seed(group: Sequence[Record]) -> dict[int, Record]:
    found = {record["seed"]: record for record in group}
    if len(found) < len(group):
        seeds = [record["seed"] for record in group]
        twice = next(seed for seed in seeds if seeds.count(seed) > 1)
        records = [record for record in group if record["seed"] == twice][:2]
        keys = " and ".join(record.get("key", "")[:8] for record in records)
        raise InvalidRun(
            f"seed {twice} occurs twice among the runs of one cell, {_text(cell_of(records[0]))}, keys {keys}; "
            "give a folder with one of them"
        )
    return found
