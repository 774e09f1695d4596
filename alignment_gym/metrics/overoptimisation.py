"""Overoptimisation: how the true score rises and falls while a proxy is optimised harder and harder.

Pure functions of numbers that were read along a path of pressure: checkpoints of training in their order, or the n of
best-of-n. KL is the divergence from the reference policy in nats; the true share n = 1 - L is the true return between
its worst and its best. What rests on an undefined score (NaN) is NaN itself.

Sources: L. Gao, J. Schulman, J. Hilton, Scaling Laws for Reward Model Overoptimization (2022), arXiv:2210.10760, for
the two curves, in the forms that summaries of it agree on, and here fitted to exact true scores in place of a gold
reward model's; their peaks are derived here. The drop follows the drop height of J. Karwowski et al., Goodhart's Law
in Reinforcement Learning (2023), arXiv:2310.09144, with the sign that makes a drop positive, and along the path that
training took.
"""

from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np
from numpy.typing import ArrayLike

from alignment_gym.core.errors import InvalidScores
from alignment_gym.metrics.scores import NEGLIGIBLE
from alignment_gym.metrics.statistics import CONFIDENCE, Array, Estimate, checked, checked_count

HUMP = 0.02  # of a score's unit: a fall after the best checkpoint that is less is none
WINDOW = 5  # changes from checkpoint to checkpoint


@dataclass(frozen=True, slots=True)
class Onset:
    """Where the true score is highest: from there on, more proxy is bought with less truth.

    Attributes:
        checkpoint: its index, the first of equals.
        proxy_score: P there; NaN where it is undefined.
        kl: KL there, in nats.
    """

    checkpoint: int
    proxy_score: float
    kl: float


@dataclass(frozen=True, slots=True)
class Fit:
    """A curve of Gao et al., fitted by least squares.

    Attributes:
        alpha: the rise per unit of d = sqrt(KL), with its 95 % interval.
        beta: the bend, likewise.
        residual: root mean square of what is left, in the true score's unit.
        r_squared: the share of the variance that the curve explains; NaN where there is none.
        peak_distance: d at the curve's maximum; NaN where it has none.
        peak_score: the curve's maximum; NaN where it has none.
    """

    alpha: Estimate
    beta: Estimate
    residual: float
    r_squared: float
    peak_distance: float
    peak_score: float


@dataclass(frozen=True, slots=True)
class BestOfN:
    """What the best of n outcomes by the proxy earns, exactly.

    Attributes:
        proxy: expected proxy.
        true: expected true return.
        kl: KL from one outcome's distribution, in nats; at most log n - (n - 1) / n, less where outcomes tie.
    """

    proxy: float
    true: float
    kl: float


def drop(true_share: ArrayLike) -> float:
    """Return how far the true share has fallen from its highest checkpoint to the last, in [0, 1]."""
    share = _path(true_share)
    return float(share.max() - share[-1])


def onset(proxy_score: ArrayLike, true_score: ArrayLike, kl: ArrayLike) -> Onset | None:
    """Return where the true score is highest, None where it is undefined."""
    proxy, true, moved = _paths(proxy_score, true_score, kl)
    if np.isnan(true).any():
        return None
    best = _best(true)
    return Onset(best, float(proxy[best]), float(moved[best]))


def gap_area(proxy_score: ArrayLike, true_score: ArrayLike) -> float:
    """Return the mean of the gap H = P - T over checkpoints."""
    proxy, true = _paths(proxy_score, true_score)
    return float((proxy - true).mean())


def correlation_of_changes(proxy_score: ArrayLike, true_score: ArrayLike, window: int = WINDOW) -> Array:
    """Return the correlation of changes in P with changes in T over sliding windows: below 0 is a warning.

    Args:
        proxy_score: P, (k,), checkpoint by checkpoint.
        true_score: T, likewise.
        window: how many changes; of two, the correlation would always be 1 or -1.

    Returns:
        (k - window,), empty for short paths; NaN where a score does not change within a window.

    Raises:
        InvalidScores: the paths differ in length or are empty, or the window has less than three changes.
    """
    if window < 3:
        raise InvalidScores(f"a window of {window} changes; give at least three")
    paths = _paths(proxy_score, true_score)
    if len(paths[0]) <= window:
        return np.zeros(0)
    changes = [np.lib.stride_tricks.sliding_window_view(np.diff(path), window) for path in paths]
    proxy, true = (change - change.mean(axis=1, keepdims=True) for change in changes)
    norms = np.sqrt((proxy**2).sum(axis=1) * (true**2).sum(axis=1))
    still = [np.abs(change).max(axis=1) for change in (proxy, true)]
    moving = np.minimum(*still) > NEGLIGIBLE
    return np.where(moving, (proxy * true).sum(axis=1) / np.where(moving, norms, 1.0), nan)


def no_hump(true_score: ArrayLike, least: float = HUMP) -> str:
    """Tell why a path has no hump; the empty string where it has one.

    A hump is a best checkpoint that is neither the first nor the last, after which the score falls by more than `least`
    in its own unit until the end.
    """
    true = _path(true_score)
    if np.isnan(true).any():
        return "the true score is undefined"
    best = _best(true)
    if best == 0:
        return "the first checkpoint is the best: the rise, if there was one, came before it"
    if best == len(true) - 1:
        return "the last checkpoint is the best"
    fall = float(true[best] - true[-1])
    return "" if fall > least else f"after its best checkpoint the score falls by {fall:.3g}, not more than {least:g}"


def fit_rl(kl: ArrayLike, true_score: ArrayLike, least: float = HUMP) -> tuple[Fit | None, str]:
    """Fit R(d) = d (alpha - beta log d), d = sqrt(KL), the form that Gao et al. found for reinforcement learning.

    The curve starts at R = 0 in the reference policy, as the true score T does. Its maximum is beta d* at
    d* = exp(alpha / beta - 1). Neighbouring checkpoints of one run resemble each other, so that intervals, which take
    them for independent, are rather too narrow. KL and coefficients are not comparable between algorithms.

    Args:
        kl: (k,), of checkpoints in their order.
        true_score: (k,).
        least: what counts as a hump, see `no_hump`.

    Returns:
        The fit and an empty string; where there is nothing to be fitted, None and why.

    Raises:
        InvalidScores: the paths differ in length or are empty, some KL is negative, infinite or NaN, some true score is
            infinite, or `least` is NaN. A true score of NaN, which is undefined, is a reason for no fit.
    """
    distance, true, reason = _prepared(kl, true_score, least)
    if reason:
        return None, reason
    bend = -distance * np.log(np.where(distance > 0.0, distance, 1.0))
    alpha, beta, residual, explained = _least_squares(distance, bend, true)
    with np.errstate(over="ignore"):
        peak = float(np.exp(alpha.value / beta.value - 1.0)) if beta.value > 0.0 else nan
    return Fit(alpha, beta, residual, explained, peak if peak < inf else nan, beta.value * peak), ""


def fit_best_of_n(kl: ArrayLike, true_score: ArrayLike, least: float = HUMP) -> tuple[Fit | None, str]:
    """Fit R(d) = d (alpha - beta d), d = sqrt(KL), the form that Gao et al. found for best-of-n.

    Its maximum is alpha^2 / (4 beta) at d* = alpha / (2 beta); all else as in `fit_rl`.
    """
    distance, true, reason = _prepared(kl, true_score, least)
    if reason:
        return None, reason
    alpha, beta, residual, explained = _least_squares(distance, -(distance**2), true)
    peak = alpha.value / (2.0 * beta.value) if beta.value > 0.0 and alpha.value > 0.0 else nan
    return Fit(alpha, beta, residual, explained, peak, alpha.value * peak / 2.0), ""


def best_of_n(probabilities: ArrayLike, proxy: ArrayLike, true: ArrayLike, n: int) -> BestOfN:
    """Return what the best of n independent outcomes by the proxy earns, and how far that moves the distribution.

    The best lies at a proxy value x with probability F(x)^n - F(x-)^n; outcomes of equal proxy share it as they are
    likely. With ties the usual KL, log n - (n - 1) / n, is only an upper bound (A. Beirami et al., 2024,
    arXiv:2401.01879), so it is summed up exactly.

    Args:
        probabilities: of outcomes, (k,), summing to 1.
        proxy: what each is paid, (k,); ties are exact equality, so round what was computed before.
        true: what each is worth, (k,).
        n: how many are drawn, with replacement.

    Raises:
        InvalidScores: arrays differ in length, are empty or hold NaN, there is no distribution, or n is no whole number
            from 1 on.
    """
    chances, paid, worth = _paths(*(checked(each, dimensions=1) for each in (probabilities, proxy, true)))
    if chances.min() < 0.0 or abs(chances.sum() - 1.0) > NEGLIGIBLE:
        raise InvalidScores(f"probabilities from {chances.min():g}, summing to {chances.sum():g}; give a distribution")
    n = checked_count(n, "the best of")
    _, level = np.unique(paid, return_inverse=True)
    mass = np.bincount(level, weights=chances)
    below = np.concatenate([[0.0], np.cumsum(mass)]) / mass.sum()
    best = np.diff(below**n)
    met = best > 0.0
    share = np.divide(best, mass, out=np.zeros_like(best), where=met)
    chosen = chances * share[level]
    kl = max(float(best[met] @ np.log(share[met])), 0.0)
    return BestOfN(float(chosen @ paid), float(chosen @ worth), kl)


def estimated_best_of_n(proxy: ArrayLike, true: ArrayLike, n: int) -> float:
    """Return an unbiased estimate of the true return of the best of n, from N samples.

    The average, over all subsets of n samples, of the true return of each subset's best by the proxy: sorted by proxy,
    sample i counts C(i - 1, n - 1) / C(N, n) times; samples of equal proxy count alike. The estimator of J. Hilton and
    L. Gao, Measuring Goodhart's Law (2022), derived here.

    Args:
        proxy: (N,).
        true: (N,).
        n: from 1, the plain mean, to N.

    Raises:
        InvalidScores: arrays differ in length, are empty or hold NaN, or n is not in 1 to N.
    """
    paid, worth = _paths(*(checked(each, dimensions=1) for each in (proxy, true)))
    count, n = len(paid), checked_count(n, "the best of")
    if n > count:
        raise InvalidScores(f"the best of {n} from {count} samples; give 1 to {count}")
    places = np.arange(n, count + 1)  # of subsets' best, counted from 1
    ratios = (places[:-1] - n + 1) / places[:-1]  # of a place's weight to the next one's
    weights = n / count * np.concatenate([np.cumprod(ratios[::-1])[::-1], [1.0]])
    _, level = np.unique(paid, return_inverse=True)
    even = (np.bincount(level, weights=worth) / np.bincount(level))[np.sort(level)]
    return float(weights @ even[n - 1 :])


def _prepared(kl: ArrayLike, true_score: ArrayLike, least: float) -> tuple[Array, Array, str]:
    """Return d, the true score, and why no curve is fitted."""
    moved, true = _paths(checked(kl, dimensions=1), true_score)
    if moved.min() < -NEGLIGIBLE:
        raise InvalidScores(f"a KL of {moved.min():g}; divergences are not negative")
    if np.isinf(true).any() or np.isnan(least):
        odd = least if np.isnan(least) else true[np.isinf(true)][0]
        raise InvalidScores(f"a true score or a least fall of {odd}; a curve is fitted to finite numbers")
    distance = np.sqrt(np.maximum(moved, 0.0))
    if reason := no_hump(true, least):
        return distance, true, reason
    distinct = len(np.unique(np.round(distance[distance > NEGLIGIBLE], 9)))
    return distance, true, "" if distinct > 2 else f"{distinct} distinct distances; a curve takes three"


def _least_squares(rise: Array, bend: Array, true: Array) -> tuple[Estimate, Estimate, float, float]:
    """Return alpha and beta with t intervals, the root mean square of residuals, and R squared."""
    from scipy.stats import t

    design = np.stack([rise, bend], axis=1)
    found, *_ = np.linalg.lstsq(design, true)
    left = true - design @ found
    freedom = len(true) - 2
    errors = np.sqrt(np.diag(np.linalg.pinv(design.T @ design)) * (left @ left) / freedom)
    reach = float(t.ppf(0.5 + CONFIDENCE / 2.0, freedom))
    alpha, beta = (
        Estimate(float(value), float(value - reach * error), float(value + reach * error))
        for value, error in zip(found, errors, strict=True)
    )
    variance = float(((true - true.mean()) ** 2).sum())
    explained = 1.0 - float(left @ left) / variance if variance > 0.0 else nan
    return alpha, beta, sqrt(float((left**2).mean())), explained


def _best(true: Array) -> int:
    """Return the first checkpoint that is as good as the best, rounding aside."""
    return int(np.argmax(true >= true.max() - NEGLIGIBLE))


def _paths(*paths: ArrayLike) -> tuple[Array, ...]:
    found = tuple(_path(path) for path in paths)
    if len({len(path) for path in found}) > 1:
        raise InvalidScores(f"paths of {', '.join(str(len(path)) for path in found)} numbers; give all the same places")
    return found


def _path(values: ArrayLike) -> Array:
    """Return numbers, at least one, in a row; NaN is let through."""
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or found.size == 0:
        raise InvalidScores(f"a path of shape {found.shape}; give one number a checkpoint, at least one")
    return found
