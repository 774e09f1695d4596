"""What the exact analysis costs: processor seconds against the number of states."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from time import process_time
from typing import Any

import numpy as np

from alignment_gym.engine.mdp import FiniteMDP
from alignment_gym.exact import (
    frontier,
    goodhart_curve,
    return_correlation,
    reward_correlation,
    shortest_exploit,
    solve,
    starc_val,
    worst,
)
from alignment_gym.experiments.geometry.growth import SIZES, plain

FITTED_FROM = 1_000  # states: below, what every pass costs at least hides the slope
SEED = 5
PARTS: dict[str, Callable[[FiniteMDP], Any]] = {
    "anchors, ties, certificate": solve,
    "frontier": frontier,
    "Goodhart curve": goodhart_curve,
    "likeness of rewards": lambda mdp: (starc_val(mdp), reward_correlation(mdp), return_correlation(mdp)),
    "worst exploit": worst,
    "shortest exploit": shortest_exploit,
}
FAMILIES = {"sure steps": 1, "three outcomes a step": 3}
TOTAL = "all of it"


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor seconds of one part of the analysis, on one MDP.

    Attributes:
        family: which grows.
        part: of the analysis; each builds on those before it.
        states, transitions: of the MDP.
        seconds: of one processor, all threads together.
    """

    family: str
    part: str
    states: int
    transitions: int
    seconds: float


def costs(sizes: tuple[int, ...] = SIZES, told: Callable[[str], None] = lambda _: None) -> list[dict[str, Any]]:
    """Measure both families at some sizes; rows of JSON values.

    Args:
        sizes: numbers of states.
        told: takes a word on what is measured next.
    """
    rng, rows = np.random.default_rng(SEED), []
    for family, outcomes in FAMILIES.items():
        for states in sizes:
            told(f"{family}, {states:,} states")
            rows += [asdict(each) for each in _measured(family, plain(states, outcomes, rng))]
    return rows


def slopes(rows: list[dict[str, Any]]) -> dict[tuple[str, str], float]:
    """Return the slope of log seconds over log states, by family and part, from 1,000 states on."""
    found = {}
    for key in dict.fromkeys((row["family"], row["part"]) for row in rows):
        mine = [row for row in rows if (row["family"], row["part"]) == key and row["states"] >= 0.9 * FITTED_FROM]
        if len(mine) > 1:
            logs = np.log([[row["states"], max(row["seconds"], 1e-6)] for row in mine])
            found[key] = float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])
    return found


def _measured(family: str, mdp: FiniteMDP) -> Iterator[Cost]:
    """Time each part, on tables that no part has seen before the first, and the sum."""
    total = 0.0
    for part, question in PARTS.items():
        began = process_time()
        question(mdp)
        seconds = process_time() - began
        total += seconds
        yield Cost(family, part, mdp.state_count, mdp.transition_count, seconds)
    yield Cost(family, TOTAL, mdp.state_count, mdp.transition_count, total)
