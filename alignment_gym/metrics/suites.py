"""Statistics over several tasks at once: aggregates, performance profiles, and who is likelier to score higher.

Scores are arrays (runs, tasks). A task's runs are resampled among themselves, task by task: what is uncertain is how
other seeds would have come out, while the tasks stay those that they are.

Source: R. Agarwal et al., Deep RL at the Edge of the Statistical Precipice (2021), arXiv:2108.13264. Its library's
bootstrap draws from NumPy's global generator; here the generator is an argument, so that intervals repeat themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike

from alignment_gym.core.errors import InvalidScores
from alignment_gym.metrics.statistics import (
    FEWEST,
    PERCENTILES,
    RESAMPLES,
    Array,
    Estimate,
    checked,
    checked_count,
    interquartile_mean,
    percentile_estimate,
)

AT_ONCE = 2**22  # numbers resampled in one pass: bounds memory

Statistic = Callable[[Array], Array]
"""From (..., runs, tasks) to (...), or to (..., k) for k numbers of each."""


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Several numbers, (k,), each with its 95 % interval, NaN of too few runs; intervals hold one by one."""

    value: Array
    low: Array
    high: Array


def stratified(
    scores: ArrayLike, statistic: Statistic, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Estimate:
    """Return a statistic of scores, (runs, tasks), with its stratified percentile bootstrap interval.

    Args:
        scores: one column a task; fewer than 3 rows give no interval.
        statistic: from (..., runs, tasks) to (...), such as `suite_interquartile_mean`.
        rng: draws the resamples.
        resamples: how many, at least one.

    Raises:
        InvalidScores: scores are NaN, empty or no rectangle, or there are no resamples.
    """
    found = checked(scores, dimensions=2)
    checked_count(resamples, "resamples:")
    if len(found) < FEWEST:
        return Estimate(float(statistic(found)), nan, nan)
    return percentile_estimate(statistic(found), resampled(found, statistic, rng, resamples))


def resampled(scores: Array, statistic: Statistic, rng: np.random.Generator, resamples: int = RESAMPLES) -> Array:
    """Return a statistic of scores, (runs, tasks), whose runs are drawn anew within each task: (resamples, ...)."""
    resamples = checked_count(resamples, "resamples:")
    runs, tasks = scores.shape
    block = max(AT_ONCE // scores.size, 1)
    found = []
    for begin in range(0, resamples, block):
        chosen = rng.integers(runs, size=(min(block, resamples - begin), runs, tasks))
        found.append(statistic(np.take_along_axis(scores[None], chosen, axis=1)))
    return np.concatenate(found)


def suite_interquartile_mean(scores: Array) -> Array:
    """Return the interquartile mean of all runs of all tasks together, (..., runs, tasks) to (...)."""
    return interquartile_mean(scores.reshape(*scores.shape[:-2], -1))


def suite_mean(scores: Array) -> Array:
    """Return the mean over runs and tasks, (..., runs, tasks) to (...)."""
    return np.asarray(scores.mean(axis=(-2, -1)))


def suite_median(scores: Array) -> Array:
    """Return the median over tasks of each task's mean over runs, (..., runs, tasks) to (...)."""
    return np.asarray(np.median(scores.mean(axis=-2), axis=-1))


def optimality_gap(scores: Array, target: float = 1.0) -> Array:
    """Return by how much runs fall short of a target on average, (..., runs, tasks) to (...); more counts for nothing.

    `target - mean(min(score, target))`.
    """
    return target - suite_mean(np.minimum(scores, target))


def profile(scores: ArrayLike, thresholds: ArrayLike, rng: np.random.Generator, resamples: int = RESAMPLES) -> Band:
    """Return which share of runs scores above each threshold, averaged over tasks: a performance profile.

    Args:
        scores: (runs, tasks).
        thresholds: (k,); a score that equals one is not above it.
        rng: draws the resamples of the stratified bootstrap, which gives each threshold its own interval, but of fewer
            than 3 runs.
        resamples: how many.

    Raises:
        InvalidScores: scores or thresholds are NaN, empty or not of these shapes.
    """
    found, limits = checked(scores, dimensions=2), checked(thresholds, dimensions=1)

    def shares(drawn: Array) -> Array:
        return np.stack([(drawn > limit).mean(axis=(-2, -1)) for limit in limits], axis=-1)

    checked_count(resamples, "resamples:")
    if len(found) < FEWEST:
        return Band(shares(found), *np.full((2, len(limits)), nan))
    low, high = np.percentile(resampled(found, shares, rng, resamples), PERCENTILES, axis=0)
    return Band(shares(found), low, high)


def improvement(first: ArrayLike, second: ArrayLike, rng: np.random.Generator, resamples: int = RESAMPLES) -> Estimate:
    """Return the probability that a run of one kind scores above one of another, task by task, averaged over tasks.

    A tie counts one half, so that each task's share is the Mann-Whitney statistic over the number of pairs.

    Args:
        first: scores of one kind, (runs, tasks).
        second: those of the other, on the same tasks; the numbers of runs may differ.
        rng: draws the resamples of the stratified bootstrap, each kind by itself; fewer than 3 runs give no interval.
        resamples: how many.

    Raises:
        InvalidScores: scores are NaN, empty or no rectangle, or the tasks differ in number.
    """
    one, other = checked(first, dimensions=2), checked(second, dimensions=2)
    resamples = checked_count(resamples, "resamples:")
    if one.shape[1] != other.shape[1]:
        raise InvalidScores(f"scores of {one.shape[1]} and of {other.shape[1]} tasks; give both the same tasks")
    above = np.sign(one.T[:, :, None] - other.T[:, None, :]) / 2.0 + 0.5  # tasks, first's runs, second's
    if min(len(one), len(other)) < FEWEST:
        return Estimate(float(above.mean()), nan, nan)
    drawn = np.zeros(resamples)
    for pairs in above:  # a run drawn k times counts k times: no need to sort anew
        counts = [rng.multinomial(runs, np.full(runs, 1.0 / runs), size=resamples) for runs in pairs.shape]
        drawn += np.einsum("ri,ij,rj->r", counts[0], pairs, counts[1], optimize=True) / pairs.size
    return percentile_estimate(above.mean(), drawn / len(above))
