"""Which descriptor of a proxy, computed before any training, foretells what agents later do.

Descriptors and outcomes are compared by rank over levels. Levels of one world are alike, so the interval resamples
worlds, with all their levels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RESAMPLES = 10_000
DECIMALS = 7  # kept: what differs by less is rounding, and is tied
WIDE = 0.95  # of the most levels that any descriptor is defined on: what is compared with others


@dataclass(frozen=True, slots=True)
class Prediction:
    """How a descriptor goes along with an outcome.

    Attributes:
        descriptor: its name.
        correlation: Spearman's rank correlation over levels.
        low, high: its 95 % percentile interval, worlds resampled; of this descriptor, had it been chosen beforehand.
        levels, worlds: those over which it is taken.
        best: the share of resamples in which no other widely defined descriptor goes along better, either way; NaN
            for one that is not widely defined.
    """

    descriptor: str
    correlation: float
    low: float
    high: float
    levels: int
    worlds: int
    best: float


def predictions(
    descriptors: Mapping[str, Sequence[float]],
    outcome: Sequence[float],
    worlds: Sequence[str],
    rng: np.random.Generator,
) -> list[Prediction]:
    """Return descriptors with what each foretells of an outcome: the widely defined first, the best of each first.

    Short samples have large correlations by chance. So descriptors defined on nearly all levels are compared on those
    levels that all of them share, and others stand behind them, each on its own levels.

    Args:
        descriptors: by name, a value a level; NaN where undefined, and left out where it is on fewer than three levels.
        outcome: a value a level; NaN where undefined.
        worlds: the world of each level.
        rng: what resamples.
    """
    target, groups = np.array(outcome), list(dict.fromkeys(worlds))
    member = np.array([[world == group for world in worlds] for group in groups], dtype=np.float64)
    drawn = rng.multinomial(len(groups), np.full(len(groups), 1.0 / len(groups)), size=RESAMPLES) @ member
    values: dict[str, Array] = {name: np.array(each, np.float64).round(DECIMALS) for name, each in descriptors.items()}
    known = {name: ~np.isnan(column) & ~np.isnan(target) for name, column in values.items()}
    most = max((int(each.sum()) for each in known.values()), default=0)
    wide = [name for name, each in known.items() if each.sum() >= max(WIDE * most, 3)]
    if not wide:
        return []
    shared = np.logical_and.reduce([known[name] for name in wide])
    levels = {name: shared if name in wide else each for name, each in known.items() if each.sum() >= 3}
    resampled = {name: rank_correlations(_on(values[name], each), target, drawn) for name, each in levels.items()}
    sizes = np.array([np.abs(np.nan_to_num(resampled[name])) for name in wide])
    best = dict(zip(wide, np.bincount(sizes.argmax(axis=0), minlength=len(wide)) / RESAMPLES, strict=True))
    found = []
    for name, each in levels.items():
        (whole,) = rank_correlations(_on(values[name], each), target, np.ones((1, len(target))))
        if np.isnan(whole):
            continue
        low, high = np.nanquantile(resampled[name], [0.025, 0.975])
        apart = len({worlds[level] for level in np.flatnonzero(each).tolist()})
        share = float(best.get(name, nan))
        found.append(Prediction(name, float(whole), float(low), float(high), int(each.sum()), apart, share))
    return sorted(found, key=lambda each: (isnan(each.best), -abs(each.correlation)))


def _on(column: Array, levels: NDArray[np.bool_]) -> Array:
    """Return a column that is defined on some levels alone."""
    return np.where(levels, column, nan)


def rank_correlations(one: Array, other: Array, counts: Array) -> Array:
    """Return Spearman's rank correlation in each of B samples, (B,); NaN where one of the two is constant.

    Args:
        one: (n,).
        other: (n,); places where either is NaN are left out.
        counts: (B, n), how often each place is in a sample.
    """
    known = ~np.isnan(one) & ~np.isnan(other)
    weights = counts[:, known]
    share = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1.0)
    ranks = []
    for values in (one[known], other[known]):
        below = (values < values[:, None]) + 0.5 * (values == values[:, None])
        rank = share @ below.T
        ranks.append(rank - (share * rank).sum(axis=1, keepdims=True))
    first, second = ranks
    spread = (share * first**2).sum(axis=1) * (share * second**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(spread > 1e-12, (share * first * second).sum(axis=1) / np.sqrt(spread), np.nan))
