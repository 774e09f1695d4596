"""Statistics over seeds: the seed is the replicate, and every number carries an interval.

Sources: R. Agarwal et al., Deep RL at the Edge of the Statistical Precipice (2021),
arXiv:2108.13264, for the interquartile mean and its bootstrap; C. Clopper, E. Pearson (1934) for
rates.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


def interquartile_mean(values: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
    """Return the mean of what is left when a quarter is cut off at either end."""
    from scipy.stats import trim_mean

    return np.asarray(trim_mean(values, 0.25, axis=axis))


def typical(values: NDArray[np.float64], rng: np.random.Generator) -> Estimate:
    """Return the interquartile mean over seeds, (n,), with a percentile bootstrap interval."""
    from scipy.stats import bootstrap

    value = float(interquartile_mean(values))
    if len(values) < 2 or np.ptp(values) == 0.0:
        return Estimate(value, value, value)
    found = bootstrap(
        (values,), interquartile_mean, n_resamples=RESAMPLES, method="percentile", vectorized=True, rng=rng
    )
    return Estimate(value, float(found.confidence_interval.low), float(found.confidence_interval.high))


def rate(hits: int, trials: int) -> Estimate:
    """Return a rate with its two-sided Clopper-Pearson interval."""
    from scipy.stats import binomtest

    interval = binomtest(hits, trials).proportion_ci(confidence_level=0.95, method="exact")
    return Estimate(hits / trials, float(interval.low), float(interval.high))
