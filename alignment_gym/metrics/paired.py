"""Two kinds of runs, seed by seed: how far their scores differ, and whether chance alone would do that.

A run of one kind and the run of the other with the same seed are a pair; scores are arrays (pairs, tasks). Pairs are
resampled whole, so that what a seed does to both kinds cancels. Where it does nothing, nothing is lost by pairing.

Sources: B. Efron, R. Tibshirani, An Introduction to the Bootstrap (1993), sections 8 and 13, for resampling pairs and
for percentile intervals; E. Pitman (1937) and M. Ernst, Permutation Methods (2004), for the test that exchanges the
two of a pair; B. Phipson, G. Smyth, Permutation P-values Should Never Be Zero (2010), for adding one where
exchanges are drawn.
"""

from math import nan

import numpy as np
from numpy.typing import ArrayLike

from alignment_gym.core.errors import InvalidScores
from alignment_gym.metrics.statistics import (
    FEWEST,
    RESAMPLES,
    Array,
    Estimate,
    checked,
    checked_count,
    percentile_estimate,
)
from alignment_gym.metrics.suites import AT_ONCE, Statistic, suite_interquartile_mean

EXCHANGES = 2**14
"""Up to so many exchanges are all looked at, which is exact: 14 pairs. Of more, so many are drawn."""

DIGITS = 12
"""Decimals, of the largest score, that count: sums of the same numbers in another order tie."""


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    rng: np.random.Generator,
    statistic: Statistic = suite_interquartile_mean,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Return by how much the second kind's statistic exceeds the first's, with its paired percentile interval.

    Pairs are drawn with replacement within each task, both of a pair together; fewer than 3 give no interval.

    Args:
        first: scores of one kind, (pairs, tasks); of one task, `scores[:, None]`.
        second: those of the other, in the same order.
        rng: draws the resamples.
        statistic: from (..., pairs, tasks) to (...).
        resamples: how many, at least one.

    Raises:
        InvalidScores: scores are NaN, empty, no rectangle, or not as many of either kind.
    """
    one, other = _pairs(first, second)
    resamples = checked_count(resamples, "resamples:")
    if len(one) < FEWEST:
        return Estimate(float(statistic(other) - statistic(one)), nan, nan)
    block = max(AT_ONCE // one.size, 1)
    drawn = []
    for begin in range(0, resamples, block):
        chosen = rng.integers(len(one), size=(min(block, resamples - begin), *one.shape))
        arms = [statistic(np.take_along_axis(scores[None], chosen, axis=1)) for scores in (other, one)]
        drawn.append(arms[0] - arms[1])
    return percentile_estimate(statistic(other) - statistic(one), np.concatenate(drawn))


def exchange_test(
    first: ArrayLike,
    second: ArrayLike,
    rng: np.random.Generator,
) -> float:
    """Return the two-sided p-value of the paired permutation test on the difference of means, over pairs and tasks.

    If the kind made no difference, both scores of a pair could as well be exchanged, which turns the sign of their
    difference. The p-value is the share of exchanges whose mean is as far from zero, twice that of the nearer side.
    All are looked at where there are few, so that p is exact and at least 2 / 2 ** pairs; else as many are drawn, and
    both counts get the observed one added. Of a rate this is McNemar's exact test. Robust means are not tested: they
    leave out the pairs whose exchange would tell, so that many exchanges reach as far as what is seen.

    Args:
        first: scores of one kind, (pairs, tasks).
        second: those of the other, in the same order.
        rng: draws the exchanges where there are too many.

    Raises:
        InvalidScores: scores are NaN, empty, no rectangle, or not as many of either kind.
    """
    from scipy.stats import permutation_test

    one, other = _pairs(first, second)
    if (one == other).all():
        return 1.0
    scale = max(np.abs(one).max(), np.abs(other).max())

    def mean(gained: Array, axis: int = -1) -> Array:
        return np.asarray(np.round(gained.mean(axis=axis), DIGITS))

    gained = ((other - one) / scale).ravel()
    found = permutation_test(
        (gained,),
        mean,
        permutation_type="samples",  # of one sample: signs are turned
        vectorized=True,
        n_resamples=EXCHANGES,
        batch=max(AT_ONCE // gained.size, 1),
        rng=rng,
    )
    return float(found.pvalue)


def smallest_p(pairs: int) -> float:
    """Return the smallest p-value that `exchange_test` can give for so many pairs: that of all differing one way."""
    return 2.0 / (2.0**pairs if 2.0**pairs <= EXCHANGES else EXCHANGES + 1.0)


def _pairs(first: ArrayLike, second: ArrayLike) -> tuple[Array, Array]:
    one, other = checked(first, dimensions=2), checked(second, dimensions=2)
    if one.shape != other.shape:
        raise InvalidScores(f"scores of shapes {one.shape} and {other.shape}; pairs need one of each kind")
    return one, other
