"""Two sets of runs, cell by cell and seed by seed: by how much they differ, and whether that is more than chance.

Cells agree in world, level, dials and reward; settings and steps may differ, and are named where they do, and recipes
where two were named as a pair. The
difference is always second minus first. Estimates and intervals are of interquartile means, p-values of the
difference of means. The family of p-values that Holm's method adjusts is all cells shown.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from alignment_gym.core import InvalidRun, InvalidScores, UnknownName
from alignment_gym.experiments.records import nulled
from alignment_gym.metrics.paired import exchange_test, paired_difference, smallest_p
from alignment_gym.metrics.statistics import FEWEST, Array, Estimate, holm
from alignment_gym.metrics.suites import Statistic, improvement, suite_interquartile_mean, suite_mean
from alignment_gym.reports.markdown import counted, page, ranges, table
from alignment_gym.reports.study.pairing import Pairing, named, paired, place
from alignment_gym.reports.study.usual import usual_cells
from alignment_gym.reports.tables import BOOTSTRAP_SEED, Cell, Record, cells

SCORES = ("true_loss", "exploitation", "hack", "proxy_score", "true_score", "own")
"""What can be compared; `own` is the proxy score of agents paid the proxy, the true score of twins."""

TEST = "paired permutation test of means"

AGGREGATED = ("true_loss", "hack", "own")
"""Scores whose worlds may be taken together: bounded ones, and how well a reward was learned."""


@dataclass(frozen=True, slots=True)
class Found:
    """How two kinds of runs differ in one score.

    Attributes:
        first, second: the statistic of either kind over the pairs.
        difference: second minus first.
        interval: its paired 95 % bootstrap interval; None of too few pairs.
        above: the probability that a run of the second kind scores above one of the first, ties counting one half.
        p_value: of the paired permutation test of means; None of too few pairs.
        adjusted: the same, for being one of a family.
    """

    first: float
    second: float
    difference: float
    interval: tuple[float, float] | None
    above: Estimate
    p_value: float | None
    adjusted: float | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """One cell of both sides; `found` is None where it can't be said, which the notes explain."""

    first: Cell
    second: Cell
    seeds: tuple[int, ...]
    found: Found | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suite:
    """Several worlds together, of one pair of arms, their usual runs, with the seeds that all of them share."""

    first: str
    second: str
    reward: str
    tasks: int
    seeds: int
    found: Found


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that two sides say of one score.

    Attributes:
        score: one of `SCORES`.
        statistic: what is taken of it over seeds: `interquartile mean`, or `rate` of hacks.
        test: what p-values are of.
        cells: those that both have.
        suites: several worlds together, where the score allows.
        left_out: cells of one side that the other has no partner for, a line each.
    """

    score: str
    statistic: str
    test: str
    cells: tuple[Compared, ...]
    suites: tuple[Suite, ...]
    left_out: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON values, null where there is no number; notes say why."""
        found = asdict(self)
        for row, each in zip(found["cells"], self.cells, strict=True):
            row |= {"first": each.first._asdict(), "second": each.second._asdict()}
            if each.found:
                row["found"]["above"] = nulled(row["found"]["above"])
        return found


def compare(
    first: Sequence[Record],
    second: Sequence[Record],
    score: str = "true_loss",
    partners: Mapping[str, str] | None = None,
) -> Comparison:
    """Compare two sets of records, each recipe with its own kind.

    Args:
        first: one side's.
        second: the other's.
        score: one of `SCORES`.
        partners: recipes of the first side, each with the one of the second that it is compared with.

    Raises:
        UnknownName: no such score.
        InvalidRun: the two have no cell in common, or a cell has a seed twice.
    """
    if score not in SCORES:
        raise UnknownName("score", score, SCORES)
    sides = cells(first), cells(second)
    pairings, left_out = paired(*sides, partners)
    if not pairings:
        raise InvalidRun(f"the two have no cell in common to compare; {'; '.join(left_out[:2]) or 'one is empty'}")
    rows = [_compared(pairing, score) for pairing in pairings]
    p_values = [row.found.p_value for row in rows if row.found and row.found.p_value is not None]
    adjusted = iter(holm(p_values).tolist() if p_values else [])
    statistic = "rate" if score == "hack" else "interquartile mean"
    stand_for = [set(usual_cells(side)) for side in sides]
    usual = [each for each in pairings if _is_usual(each, *stand_for)]
    compared = tuple(_adjusted(row, adjusted) for row in rows)
    return Comparison(score, statistic, TEST, compared, _suites(usual, score), tuple(left_out))


def _compared(pairing: Pairing, score: str) -> Compared:
    seeds = tuple(sorted(set(pairing.one) & set(pairing.other)))
    notes = [
        f"{counted(len(alone), 'seed')} of {side} alone left out ({ranges(alone)})"
        for side, alone in (("A", set(pairing.one) - set(seeds)), ("B", set(pairing.other) - set(seeds)))
        if alone
    ]
    tables = [{each.get("tables") for each in runs.values()} - {None} for runs in (pairing.one, pairing.other)]
    if all(tables) and tables[0] != tables[1]:
        notes.append("the world is not the same: its tables differ")
    arms = [[_score(runs[seed], score) for seed in seeds] for runs in (pairing.one, pairing.other)]
    found = None
    if not seeds:
        notes.append("no seed in common")
    elif any(value is None for values in arms for value in values):
        notes.append("undefined")
    else:
        one, other = (np.array(values, dtype=np.float64)[:, None] for values in arms)
        found = _found(one, other, _statistic(score))
        if len(seeds) < FEWEST:
            notes.append(f"fewer than {FEWEST} common seeds: no interval")
        elif smallest_p(len(seeds)) > 0.05:
            notes.append(f"{len(seeds)} pairs: no p-value can lie below {smallest_p(len(seeds)):g}")
    return Compared(pairing.first, pairing.second, seeds, found, tuple(notes))


def _score(record: Record, score: str) -> float | None:
    value = record[f"{record['reward']}_score" if score == "own" else score]
    undecided = score == "hack" and (record["exploitation"] is None or record["true_loss"] is None)
    return None if value is None or undecided else float(value)


def _statistic(score: str) -> Statistic:
    """Return what is taken over seeds: the interquartile mean of zeros and ones is no rate."""
    return suite_mean if score == "hack" else suite_interquartile_mean


def _found(one: Array, other: Array, statistic: Statistic) -> Found:
    """Compare scores (pairs, tasks)."""
    difference, enough = paired_difference(one, other, _rng(), statistic), len(one) >= FEWEST
    return Found(
        first=float(statistic(one)),
        second=float(statistic(other)),
        difference=difference.value,
        interval=(difference.low, difference.high) if enough else None,
        above=improvement(other, one, _rng()),
        p_value=exchange_test(one, other, _rng()) if enough else None,
    )


def _rng() -> np.random.Generator:
    """Return a generator that begins anew, so that no cell's numbers depend on which others are shown."""
    return np.random.default_rng(BOOTSTRAP_SEED)


def _adjusted(row: Compared, adjusted: Iterator[float]) -> Compared:
    if row.found is None or row.found.p_value is None:
        return row
    return replace(row, found=replace(row.found, adjusted=next(adjusted)))


def _is_usual(pairing: Pairing, first: set[Cell], second: set[Cell]) -> bool:
    """Say whether a pairing is of a world as it is, and of the usual runs of both sides: no point of a sweep."""
    return pairing.first.dials == "{}" and pairing.first in first and pairing.second in second


def _suites(pairings: Sequence[Pairing], score: str) -> tuple[Suite, ...]:
    """Compare pairs of arms over all worlds that have both, where there are at least two."""
    if score not in AGGREGATED:
        return ()
    arms: dict[tuple[str, str, str], list[Pairing]] = defaultdict(list)
    for each in pairings:
        arms[(*named((each.first, each.second)), each.first.reward)].append(each)
    found = []
    for (first, second, reward), group in arms.items():
        known = [each for each in group if _is_known(each, score)]
        seeds = sorted(set.intersection(*(set(each.one) & set(each.other) for each in known)) if known else ())
        if len(known) > 1 and len(seeds) >= FEWEST:
            one, other = (
                np.array([[_score(getattr(each, side)[seed], score) for each in known] for seed in seeds], dtype=float)
                for side in ("one", "other")
            )
            compared = _found(one, other, _statistic(score))
            found.append(Suite(first, second, reward, len(known), len(seeds), compared))
    return tuple(found)


def _is_known(pairing: Pairing, score: str) -> bool:
    runs = [*pairing.one.values(), *pairing.other.values()]
    return all(_score(record, score) is not None for record in runs)


class Limit(NamedTuple):
    """A claim about differences, such as `true_loss > 0.05`."""

    score: str
    sign: str
    number: float

    def broken(self, comparison: Comparison) -> list[Compared]:
        """Return the cells of which it holds significantly: the nearer end of the interval lies beyond the number.

        Raises:
            InvalidScores: no cell has an interval, so that nothing was checked.
        """
        known = [row for row in comparison.cells if row.found and row.found.interval]
        if not known:
            raise InvalidScores(
                f"no cell has an interval of {self.score}, so that nothing can be checked; "
                f"{'; '.join(comparison.cells[0].notes)}"
            )
        return [row for row in known if row.found and row.found.interval and self._beyond(*row.found.interval)]

    def _beyond(self, low: float, high: float) -> bool:
        beyond = {
            ">": low > self.number,
            ">=": low >= self.number,
            "<": high < self.number,
            "<=": high <= self.number,
        }
        return beyond[self.sign]


def markdown(comparison: Comparison) -> str:
    """Return a comparison as tables for people, one for each pair of arms."""
    arms = _by_arms(comparison.cells)
    for suite in comparison.suites:
        arms.setdefault(_arms(suite.first, suite.second, suite.reward), [])
    together = {_arms(each.first, each.second, each.reward): each for each in comparison.suites}
    head = ["world", "pairs", "A", "B", "B - A", "P(B > A)", "p", "p, Holm"]
    parts: list[str] = []
    for name, group in arms.items():
        rows = [[where, *_row(each)] for each, where in zip(group, _places(group), strict=True)]
        parts += [f"## {name}", table(head, [*rows, *_suite_row(together.get(name))])]
    return page(
        f"`{comparison.score}`, {comparison.statistic} over seeds, with 95 % bootstrap intervals over pairs of the "
        f"same seed, and p-values of the {comparison.test}, as they are and adjusted for all rows shown.",
        *parts,
        *_notes(comparison),
        "All worlds together: at default dials, of each side the usual runs alone (a recipe's own settings and steps, "
        "or those that most runs have), with the seeds that they share; the worlds stay those that they are."
        if together
        else "",
    )


def _arms(first: str, second: str, reward: str) -> str:
    return f"A: {first}; B: {second}; paid {'the proxy' if reward == 'proxy' else 'what was meant'}"


def _suite_row(suite: Suite | None) -> list[list[str]]:
    return [[f"all {suite.tasks} together", str(suite.seeds), *_numbers(suite.found)]] if suite else []


def where(row: Compared, comparison: Comparison) -> str:
    """Return what tells a row of a comparison from all others: its place, then its arms."""
    name, group = next((name, group) for name, group in _by_arms(comparison.cells).items() if row in group)
    return f"{_places(group)[group.index(row)]} ({name})"


def _by_arms(rows: Sequence[Compared]) -> dict[str, list[Compared]]:
    arms: dict[str, list[Compared]] = defaultdict(list)
    for row in rows:
        arms[_arms(*named((row.first, row.second)), row.first.reward)].append(row)
    return arms


def _places(group: Sequence[Compared]) -> list[str]:
    """Return the places of rows with the same arms; steps are said where they are not the same in all rows."""
    pairs = [(row.first, row.second) for row in group]
    with_steps = len({(first.steps, second.steps) for first, second in pairs}) > 1
    return [place(pair, with_steps) for pair in pairs]


def _notes(comparison: Comparison) -> tuple[str, ...]:
    """Return what was left out or not claimed, and of which rows."""
    about: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, group in _by_arms(comparison.cells).items():
        for row, where in zip(group, _places(group), strict=True):
            for note in row.notes:
                about[note][name].append(where)
    lines = [f"- {note}: {_said_of(those, len(comparison.cells))}" for note, those in about.items()]
    return tuple(["\n".join(lines)] if lines else [])


def _said_of(those: dict[str, list[str]], whole: int) -> str:
    if sum(map(len, those.values())) == whole:
        return "all"
    return "; ".join(f"{', '.join(places)} ({name})" for name, places in those.items())


def _row(each: Compared) -> list[str]:
    return [str(len(each.seeds)), *(_numbers(each.found) if each.found else ["undefined", *[""] * 5])]


def _numbers(found: Found) -> list[str]:
    interval = f" [{_signed(found.interval[0])}, {_signed(found.interval[1])}]" if found.interval else ""
    p_values = ["-" if value is None else f"{value:.2g}" for value in (found.p_value, found.adjusted)]
    means = [f"{found.first:.3f}", f"{found.second:.3f}"]
    return [*means, f"{_signed(found.difference)}{interval}", f"{found.above.value:.2f}", *p_values]


def _signed(value: float) -> str:
    return f"{round(value, 3) + 0.0:+.3f}" if round(value, 3) else "0.000"
