"""Statistics over seeds: the seed is the replicate, and every number carries an interval.

Sources: R. Agarwal et al., Deep RL at the Edge of the Statistical Precipice (2021), arXiv:2108.13264, for the
interquartile mean and its bootstrap; C. Clopper, E. Pearson (1934) for rates; S. Holm (1979) for families of tests.
"""

from dataclasses import dataclass
from math import isnan, nan
from operator import index

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignment_gym.core.errors import InvalidScores

RESAMPLES = 10_000
PERCENTILES = (2.5, 97.5)
CONFIDENCE = 0.95

FEWEST = 3
"""Seeds, or pairs, below which no bootstrap interval is claimed: no resample of two values tells anything."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval, whose ends are NaN where there is none: of too few seeds."""

    value: float
    low: float
    high: float

    @property
    def has_interval(self) -> bool:
        """Whether there is an interval."""
        return not isnan(self.low)


def interquartile_mean(values: ArrayLike, axis: int = -1) -> Array:
    """Return the mean of what is left when a quarter is cut off at either end.

    Whole values are cut: of n, the integer part of n / 4 at either end, as rliable does.

    Raises:
        InvalidScores: there are none, or some are not finite.
    """
    from scipy.stats import trim_mean

    return np.asarray(trim_mean(checked(values), 0.25, axis=axis))


def typical(values: ArrayLike, rng: np.random.Generator) -> Estimate:
    """Return the interquartile mean over seeds, (n,), with a percentile bootstrap interval; of fewer than 3, none.

    Raises:
        InvalidScores: there are none, or some are not finite.
    """
    from scipy.stats import bootstrap

    values = checked(values, dimensions=1)
    value = float(interquartile_mean(values))
    if len(values) < FEWEST:
        return Estimate(value, nan, nan)
    if np.ptp(values) == 0.0:
        return Estimate(value, value, value)
    found = bootstrap(
        (values,), interquartile_mean, n_resamples=RESAMPLES, method="percentile", vectorized=True, rng=rng
    )
    return Estimate(value, float(found.confidence_interval.low), float(found.confidence_interval.high))


def difference(first: ArrayLike, second: ArrayLike, rng: np.random.Generator) -> Estimate:
    """Return by how much one interquartile mean exceeds another, with the bootstrap interval of the difference.

    Args:
        first: scores of one arm, (n,).
        second: those of the other, (m,); seeds are not paired, each arm is resampled by itself.
        rng: draws the resamples.

    Returns:
        The difference, without an interval where an arm has fewer than 3 seeds.

    Raises:
        InvalidScores: an arm has none, or some are not finite.
    """
    arms = [checked(arm, dimensions=1) for arm in (first, second)]
    means = [interquartile_mean(arm) for arm in arms]
    if min(map(len, arms)) < FEWEST:
        return Estimate(float(means[0] - means[1]), nan, nan)
    drawn = [interquartile_mean(arm[rng.integers(len(arm), size=(RESAMPLES, len(arm)))]) for arm in arms]
    return percentile_estimate(means[0] - means[1], drawn[0] - drawn[1])


def rate(hits: int, trials: int) -> Estimate:
    """Return a rate with its two-sided Clopper-Pearson interval.

    Raises:
        InvalidScores: there are no trials, or not that many.
    """
    from scipy.stats import binomtest

    _check_counts(hits, trials)
    interval = binomtest(hits, trials).proportion_ci(confidence_level=CONFIDENCE, method="exact")
    return Estimate(hits / trials, float(interval.low), float(interval.high))


def upper_bound(hits: int, trials: int, confidence: float = CONFIDENCE) -> float:
    """Return the one-sided Clopper-Pearson upper bound of a rate: what "never seen" still allows.

    Raises:
        InvalidScores: there are no trials, or not that many.
    """
    from scipy.stats import beta

    _check_counts(hits, trials)
    return 1.0 if hits == trials else float(beta.ppf(confidence, hits + 1, trials - hits))


def holm(p_values: ArrayLike) -> Array:
    """Return p-values, (k,), adjusted for being k at once, by Holm's step-down method.

    The smallest is multiplied by k, the next by k - 1 and so on; none falls below a smaller one's, nor rises above 1.
    Those at or below 0.05 are significant while the chance of even one false claim in the family is at most 0.05.

    Raises:
        InvalidScores: there are none, or some are no probabilities.
    """
    found = checked(p_values, dimensions=1)
    if found.min() < 0.0 or found.max() > 1.0:
        raise InvalidScores(f"p-values from {found.min():g} to {found.max():g}; give probabilities")
    order = np.argsort(found, kind="stable")
    stepped = np.maximum.accumulate(found[order] * np.arange(len(found), 0, -1))
    adjusted = np.empty_like(found)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def percentile_estimate(value: ArrayLike, drawn: Array) -> Estimate:
    """Return a value with the middle 95 % of its resamples, (resamples,), as its interval."""
    low, high = np.percentile(drawn, PERCENTILES)
    return Estimate(float(np.asarray(value)), float(low), float(high))


def checked(values: ArrayLike, dimensions: int | None = None) -> Array:
    """Return finite numbers, at least one, of as many dimensions as wanted.

    Raises:
        InvalidScores: they are not.
    """
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidScores(f"scores are ragged or no numbers ({error}); give each task as many runs") from error
    if dimensions is not None and found.ndim != dimensions:
        wanted = "(runs, tasks); of one task, `scores[:, None]`" if dimensions == 2 else "one number a run"
        raise InvalidScores(f"scores of shape {found.shape}; give {wanted}")
    if found.size == 0:
        raise InvalidScores(f"no scores: their shape is {found.shape}; give at least one run")
    if not np.isfinite(found).all():
        place = tuple(int(index) for index in np.argwhere(~np.isfinite(found))[0])
        raise InvalidScores(f"the score at {place} is {found[place]}; leave undefined scores out, and say so")
    return found


def checked_count(count: object, what: str) -> int:
    """Return a whole number of at least 1.

    Raises:
        InvalidScores: it is none.
    """
    try:
        found = 0 if isinstance(count, bool) else index(count)  # type: ignore[arg-type]
    except TypeError:
        found = 0
    if found < 1:
        raise InvalidScores(f"{what} {count!r}; give a whole number, at least one")
    return found


def _check_counts(hits: int, trials: int) -> None:
    if not (trials > 0 and 0 <= hits <= trials):
        raise InvalidScores(f"{hits} of {trials} trials is no rate; give 0 <= hits <= trials, at least one trial")
