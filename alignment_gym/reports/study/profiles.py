"""Performance profiles of a study: which share of runs, over worlds, scores above each threshold.

Only bounded scores are averaged over worlds: the share 1 - L of the true range, and what an agent reached of what it
was paid, clipped to where uniform play and the optimum are. All lines of a panel are over the same worlds and seeds.

Source: R. Agarwal et al., Deep RL at the Edge of the Statistical Precipice (2021), arXiv:2108.13264.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from alignment_gym.experiments.records import nulled
from alignment_gym.metrics.statistics import FEWEST, Array
from alignment_gym.metrics.suites import profile
from alignment_gym.reports.study.drawn import (
    ARMS,
    DASHES,
    MEANT,
    PALETTE,
    PAPER,
    TEXT,
    Drawn,
    Place,
    caption,
    legend,
    marker_of,
    others,
    panels,
    pick,
    place_of,
    recipes_of,
    titles,
)
from alignment_gym.reports.study.usual import usual
from alignment_gym.reports.tables import BOOTSTRAP_SEED, Record

THRESHOLDS = np.round(np.linspace(0.0, 1.0, 101), 2)
DECIMALS = 9  # of a score: less is rounding, and no reason to be above a threshold
EVERY = 20  # thresholds from mark to mark
SCORES = {"kept": "1 - L", "own": "own score"}


class Arm(NamedTuple):
    """A line of a profile."""

    recipe: str
    reward: str


class Basis(NamedTuple):
    """What a row of panels is of: arms, and the worlds and seeds that all of them have."""

    arms: list[Arm]
    places: list[Place]
    seeds: list[int]


Runs = Mapping[Arm, Mapping[Place, Mapping[int, Record]]]


def draw_profiles(records: Sequence[Record], width: float = TEXT) -> Drawn | None:
    """Draw profiles of 1 - L and of the own score, over the worlds that all recipes share; and, below, over more.

    Where fewer arms share more worlds, a second row shows those with the most pairs of arms and worlds.
    """
    chief = usual(records)
    runs = _runs([record for record in chief if None not in (record["true_loss"], record[f"{record['reward']}_score"])])
    bases = _bases(runs)
    if not bases:
        return None
    rows: list[dict[str, Any]] = []
    with mpl.rc_context(PAPER):
        figure, axes = panels(width, 2 * len(bases), 2)
        for number, basis in enumerate(bases):
            for each, score in zip(axes[2 * number : 2 * number + 2], SCORES, strict=True):
                rows += _draw_basis(each, basis, runs, score, recipes_of(chief))
                each.set_title(f"{len(basis.places)} world{'s' * (len(basis.places) > 1)}, {len(basis.seeds)} seeds")
                each.set(xlabel=f"{SCORES[score]} above", ylim=(-0.03, 1.03), xlim=(0, 1.02))
        for each in axes[::2]:
            each.set_ylabel("share of runs")
        legend(figure, axes)
    said = caption(
        "Performance profiles: the share of runs that score above a threshold, averaged over worlds, with pointwise "
        "95 % stratified bootstrap intervals; the own score, P of agents paid the proxy and T of their twins, is "
        "clipped to [0, 1]",
        MEANT,
        *(_words(basis, number) for number, basis in enumerate(bases)),
        f"No bands from fewer than {FEWEST} seeds" if min(len(each.seeds) for each in bases) < FEWEST else "",
        others(records, chief),
    )
    return Drawn("profile", figure, rows, said)


def _runs(records: Sequence[Record]) -> Runs:
    found: dict[Arm, dict[Place, dict[int, Record]]] = {}
    for record in records:
        places = found.setdefault(Arm(record["recipe"], record["reward"]), {})
        places.setdefault(place_of(record), {})[record["seed"]] = record
    return found


def _bases(runs: Runs) -> list[Basis]:
    """Return what all arms share; and of what has more worlds, that with the most pairs of arms and worlds."""
    if not runs:
        return []
    whole = _shared(runs, sorted(runs))
    reduced = [_shared(runs, sorted(arm for arm in runs if set(runs[arm]) >= set(places))) for places in runs.values()]
    wider = [basis for basis in reduced if len(basis.places) > len(whole.places) and basis.seeds]
    wider.sort(key=lambda basis: (len(basis.arms) * len(basis.places), len(basis.arms), basis))
    found = [whole, *wider[-1:]]
    return [basis for basis in found if basis.places and basis.seeds]


def _shared(runs: Runs, arms: list[Arm]) -> Basis:
    places = sorted(set.intersection(*(set(runs[arm]) for arm in arms)))
    known = [set(runs[arm][place]) for arm in arms for place in places]
    return Basis(arms, places, sorted(set.intersection(*known)) if known else [])


def _words(basis: Basis, number: int) -> str:
    worlds = ", ".join(title.replace("\n", " ") for title in titles(basis.places).values())
    arms = ", ".join(f"{recipe} {ARMS[reward]}" for recipe, reward in basis.arms)
    row = ("Upper row", "Lower row")[number] if number else "Worlds that all recipes share"
    return f"{row}: {worlds}" + (f" ({arms})" if number else "")


def _draw_basis(axes: Axes, basis: Basis, runs: Runs, score: str, recipes: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    for arm in basis.arms:
        number = recipes.index(arm.recipe)
        found = profile(_scores(runs, arm, basis, score), THRESHOLDS, np.random.default_rng(BOOTSTRAP_SEED))
        colour = pick(PALETTE, number)
        axes.fill_between(THRESHOLDS, found.low, found.high, step="post", color=colour, alpha=0.15, linewidth=0)
        axes.plot(
            THRESHOLDS,
            found.value,
            drawstyle="steps-post",
            color=colour,
            linestyle=DASHES[arm.reward],
            linewidth=1.1,
            marker=marker_of(number),
            markersize=3.5,
            markevery=(2 + 5 * number % EVERY, EVERY),
            markerfacecolor=colour if arm.reward == "proxy" else "white",
            label=f"{arm.recipe}, {ARMS[arm.reward]}",
        )
        same = {"what": "profile", "score": score, **arm._asdict()}
        size = {"worlds": len(basis.places), "seeds": len(basis.seeds)}
        columns = (THRESHOLDS, found.value, found.low, found.high)
        rows += [
            {**same, **size, "threshold": limit, **nulled({"value": value, "low": low, "high": high})}
            for limit, value, low, high in zip(*(each.tolist() for each in columns), strict=True)
        ]
    return rows


def _scores(runs: Runs, arm: Arm, basis: Basis, score: str) -> Array:
    """Return scores, (seeds, worlds)."""
    name = f"{arm.reward}_score"
    table = [[runs[arm][place][seed] for place in basis.places] for seed in basis.seeds]
    found = [[1.0 - record["true_loss"] if score == "kept" else record[name] for record in row] for row in table]
    return np.asarray(np.round(np.clip(found, 0.0, 1.0), DECIMALS))
