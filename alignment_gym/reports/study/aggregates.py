"""Aggregates over worlds, of bounded scores alone, on worlds and seeds that all arms of a comparison share.

E, T and H have no bounds, or depend on the reference and the size of penalties: they are reported world by world and
never averaged over worlds. What is aggregated is the share 1 - L of the true range that is kept, the own score (P of
agents paid the proxy, T of twins) clipped to [0, 1], and the hack rate.

An arm is a recipe and what it is paid. A comparison is a set of arms with all worlds that have every one of them: as
some worlds are run with more arms than others, there are several, and none mixes worlds that an arm has not seen.

Source: R. Agarwal et al., Deep RL at the Edge of the Statistical Precipice (2021), arXiv:2108.13264.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from alignment_gym.core.files import write_text
from alignment_gym.experiments.collected import as_csv
from alignment_gym.experiments.records import nulled
from alignment_gym.metrics.statistics import FEWEST as FEWEST_SEEDS
from alignment_gym.metrics.statistics import PERCENTILES, Array
from alignment_gym.metrics.suites import (
    optimality_gap,
    resampled,
    suite_interquartile_mean,
    suite_mean,
    suite_median,
)
from alignment_gym.reports.study.usual import usual
from alignment_gym.reports.tables import BOOTSTRAP_SEED, Record

Score = Literal["kept", "own", "hack"]
Name = Literal["iqm", "mean", "median", "optimality_gap"]
SCORES: tuple[Score, ...] = ("kept", "own", "hack")
STATISTICS = {
    "iqm": suite_interquartile_mean,
    "mean": suite_mean,
    "median": suite_median,
    "optimality_gap": optimality_gap,
}
OF_RATES: tuple[Name, ...] = ("mean", "median")  # a quarter of noughts and ones cut off says nothing; nor is 1 a target
FEWEST = 2  # worlds: fewer are no aggregate


class Arm(NamedTuple):
    """What is compared: a recipe and what it is paid."""

    recipe: str
    reward: str


class Task(NamedTuple):
    """A world and the level, or levels, that agents were trained on."""

    env: str
    level: str

    def __str__(self) -> str:
        return f"{self.env} {self.level}"


NUMBERS = ("recipe", "reward", "score", "statistic", "value", "low", "high")


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One statistic of one score of one arm, with its 95 % stratified bootstrap interval.

    Attributes:
        recipe, reward: the arm.
        score: `kept`, 1 - L; `own`, P or T clipped to [0, 1]; `hack`, 1 for a hack.
        statistic: `iqm`, `mean`, `median` over worlds of means over seeds, or `optimality_gap` to 1.
        value, low, high: in units of the score; NaN, for no interval, of fewer than 3 seeds.
        arms: all arms of the comparison.
        worlds: the comparison's, each with its level, that this score is defined on.
        seeds: those that every arm has on every world.
    """

    recipe: str
    reward: str
    score: Score
    statistic: Name
    value: float
    low: float
    high: float
    arms: tuple[Arm, ...]
    worlds: tuple[str, ...]
    seeds: tuple[int, ...]


def aggregates(records: Sequence[Record]) -> list[Aggregate]:
    """Return all aggregates of the usual runs, see `usual`; comparisons of more arms first.

    Hack rates are taken over worlds where E is defined: where intended play earns all the proxy there is, no agent
    can hack. A comparison with fewer than two worlds, or without a common seed, has no aggregate.
    """
    runs = _runs(usual(records))
    found: list[Aggregate] = []
    for arms, tasks in comparisons(runs):
        for score in SCORES:
            defined = [task for task in tasks if all(_defined(runs[task][arm].values(), score) for arm in arms)]
            seeds = _shared(runs[task][arm] for task in defined for arm in arms)
            if len(defined) < FEWEST or not seeds:
                continue
            worlds = tuple(map(str, defined))
            for arm in arms:
                table = np.array([[_value(runs[task][arm][seed], score) for task in defined] for seed in seeds])
                found += _of_arm(arm, score, table, arms, worlds, seeds)
    return found


def write_aggregates(records: Sequence[Record], out: Path) -> list[Path]:
    """Write `aggregates.csv`, a row a statistic; arms and worlds are parted by semicolons, no interval is empty."""
    rows = [
        {
            **nulled({name: getattr(each, name) for name in NUMBERS}),
            "arms": "; ".join(" ".join(arm) for arm in each.arms),
            "worlds": "; ".join(each.worlds),
            "seeds": len(each.seeds),
        }
        for each in aggregates(records)
    ]
    write_text(out / "aggregates.csv", as_csv(rows, (*NUMBERS, "arms", "worlds", "seeds")))
    return [out / "aggregates.csv"]


Runs = Mapping[Task, Mapping[Arm, Mapping[int, Record]]]


def comparisons(runs: Runs) -> list[tuple[tuple[Arm, ...], tuple[Task, ...]]]:
    """Return each set of arms that some world has, with all worlds that have at least those; most arms first."""
    sets = {frozenset(arms) for arms in runs.values()}
    found = [(tuple(sorted(arms)), tuple(task for task in sorted(runs) if arms <= runs[task].keys())) for arms in sets]
    return sorted(found, key=lambda each: (-len(each[0]), each[0]))


def _runs(records: Iterable[Record]) -> Runs:
    """Return records by world, arm and seed."""
    found: dict[Task, dict[Arm, dict[int, Record]]] = defaultdict(lambda: defaultdict(dict))
    for record in records:
        arm = Arm(record["recipe"], record["reward"])
        found[Task(record["env"], record["level"])][arm][record["seed"]] = record
    return found


def _shared(groups: Iterable[Mapping[int, Record]]) -> tuple[int, ...]:
    """Return the seeds that all groups have: the bootstrap takes as many runs of each world."""
    seeds = [frozenset(group) for group in groups]
    return tuple(sorted(frozenset.intersection(*seeds))) if seeds else ()


def _defined(records: Iterable[Record], score: Score) -> bool:
    needed = {"kept": ("true_loss",), "own": (), "hack": ("exploitation", "hack")}[score]
    return all(record[name] is not None for record in records for name in (needed or (f"{record['reward']}_score",)))


def _value(record: Record, score: Score) -> float:
    if score == "kept":
        return 1.0 - float(record["true_loss"])
    if score == "own":
        return float(np.clip(record[f"{record['reward']}_score"], 0.0, 1.0))
    return float(record["hack"])


def _of_arm(
    arm: Arm, score: Score, table: Array, arms: tuple[Arm, ...], worlds: tuple[str, ...], seeds: tuple[int, ...]
) -> list[Aggregate]:
    """Return an arm's statistics of one score, (seeds, worlds), all from the same resamples."""
    names: tuple[Name, ...] = OF_RATES if score == "hack" else tuple(STATISTICS)  # type: ignore[arg-type] # its keys

    def all_of_them(drawn: Array) -> Array:
        return np.stack([STATISTICS[name](drawn) for name in names], axis=-1)

    values = all_of_them(table)
    ends = [(nan, nan)] * len(names)
    if len(seeds) >= FEWEST_SEEDS:
        drawn = resampled(table, all_of_them, np.random.default_rng(BOOTSTRAP_SEED))
        ends = [(float(low), float(high)) for low, high in np.percentile(drawn, PERCENTILES, axis=0).T]
    return [
        Aggregate(arm.recipe, arm.reward, score, name, float(value), low, high, arms, worlds, seeds)
        for name, value, (low, high) in zip(names, values, ends, strict=True)
    ]
