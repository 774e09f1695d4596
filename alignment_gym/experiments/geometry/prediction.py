"""Which descriptor of a proxy, computed before any training, foretells what agents later do.

Descriptors and outcomes are compared by rank over levels. Levels of one world are alike, so the interval resamples
worlds, with all their levels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class Prediction:
    """How a descriptor goes along with an outcome.

    Attributes:
        descriptor: its name.
        correlation: Spearman's rank correlation over levels.
        low, high: its 95 % percentile interval, worlds resampled.
        levels, worlds: those in which descriptor and outcome are both defined.
        best: the share of resamples in which no other descriptor goes along better, either way.
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
    """Return descriptors with what each foretells of an outcome, the best first.

    Args:
        descriptors: by name, a value a level; NaN where undefined, and left out where it always is.
        outcome: a value a level; NaN where undefined.
        worlds: the world of each level.
        rng: what resamples.
    """
    target, groups = np.array(outcome), list(dict.fromkeys(worlds))
    member = np.array([[world == group for world in worlds] for group in groups], dtype=np.float64)
    drawn = rng.multinomial(len(groups), np.full(len(groups), 1.0 / len(groups)), size=RESAMPLES) @ member
    values = {name: np.array(column) for name, column in descriptors.items() if not np.isnan(column).all()}
    resampled = np.array([rank_correlations(column, target, drawn) for column in values.values()])
    strongest = np.abs(np.nan_to_num(resampled)).argmax(axis=0)
    found = []
    for place, (name, column) in enumerate(values.items()):
        known = ~np.isnan(column) & ~np.isnan(target)
        (whole,) = rank_correlations(column, target, np.ones((1, len(target))))
        low, high = np.nanquantile(resampled[place], [0.025, 0.975])
        apart = len({worlds[level] for level in np.flatnonzero(known).tolist()})
        best = float((strongest == place).mean())
        found.append(Prediction(name, float(whole), float(low), float(high), int(known.sum()), apart, best))
    return sorted(found, key=lambda each: -abs(each.correlation))


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
