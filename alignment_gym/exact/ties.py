"""What a reward leaves open: the range of another return over all optimal policies.

At every step only the actions that attain the optimal value are kept, and the other return is
maximised and minimised over those. Equal to the linear program `max/min <r_other, eta>` subject
to `<r, eta> >= J_max`; valid with a horizon or a discount below 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alignment_gym.engine.mdp import FiniteMDP, Reward
from alignment_gym.exact.afterstates import Outlook, afterstates
from alignment_gym.exact.values import Array, Backup, Rewards, sweeps
from alignment_gym.metrics.scores import trivial

TOLERANCE = 1e-9  # of the reward's range over an episode: action values closer than this are tied
BEYOND = 1e200  # times any slack above the tolerance it is beyond all returns, and within float64


def scale_of(best: float, worst: float) -> float:
    """Return what ties of a return are measured by: its range, or its size where it is the same for all policies."""
    return 1.0 + abs(best) if trivial(best, worst) else best - worst


@dataclass(frozen=True, slots=True)
class Range:
    """The other return over all optimal policies.

    Attributes:
        low, high: return, expected over the starts.
        gap: the smallest difference between a kept and a dropped action that an optimal policy
            meets, in units of the tolerance; ties are certain where it is large.
    """

    low: float
    high: float
    gap: float


@dataclass(frozen=True, eq=False, slots=True)
class Ties:
    """The ranges of R other returns from each of N starts, over the policies optimal for R rewards.

    Attributes:
        low: (R, N), with the first of the horizons.
        high: (K, R, N), with each of K horizons.
        gap: (R,), with the first of the horizons, in units of the tolerance.
    """

    low: Array
    high: Array
    gap: Array

    def range(self, reward: int, chances: Array) -> Range:
        """Return the range that one reward leaves open, expected over starts of the given chances, (N,)."""
        low, high = self.low[reward] @ chances, self.high[0, reward] @ chances
        return Range(float(low), float(high), float(self.gap[reward]))


def over_optimal(mdp: FiniteMDP, reward: Reward, other: Reward, scale: float) -> Range:
    """Return the range of `other` over the policies that are optimal for `reward`.

    Args:
        mdp: the tables.
        reward: what is optimised.
        other: what is asked about.
        scale: the range W of the optimised return.
    """
    horizons = () if mdp.horizon is None else (mdp.horizon,)
    found = ties(mdp, Rewards.of(mdp, [reward]), Rewards.of(mdp, [other]), np.array([scale]), horizons)
    return found.range(0, mdp.start_probability)


def ties(mdp: FiniteMDP, rewards: Rewards, others: Rewards, scale: Array, horizons: Sequence[int]) -> Ties:
    """Return what R rewards leave open about R others, in one pass.

    One tolerance serves all horizons, so that they agree on what is kept with as many steps to go.

    Args:
        mdp: the tables.
        rewards: what is optimised.
        others: what is asked about, each under the reward of its place.
        scale: (R,), the ranges W of the optimised returns with the first horizon.
        horizons: the one to answer for, and more to bound `high` for; empty where there is none.
    """
    tolerance = TOLERANCE * scale
    best, high, low = Backup(mdp, rewards), Backup(mdp, others), Backup(mdp, others.mixed(-np.eye(len(scale))))
    kept, gap, highest = _Kept(best, tolerance), _Gap(mdp, len(scale)), {}
    for to_go in sweeps(best, high, low, horizon=max(horizons, default=None)):
        kept.update()
        kept.maximise(high)
        if not horizons or to_go <= horizons[0]:
            kept.maximise(low)
            gap.update(kept)
        if to_go in horizons:
            highest[to_go] = high.values[mdp.start].T
    if not horizons:
        gap.settle(kept)
    return Ties(
        low=0.0 - low.values[mdp.start].T,
        high=np.stack([highest[horizon] for horizon in horizons] or [high.values[mdp.start].T]),
        gap=gap.values[mdp.start].min(axis=0) / tolerance,
    )


class _Kept:
    """The actions that attain the optimum, to within a tolerance.

    A dropped action is charged more than there is to earn: arithmetic on whole arrays is several times
    faster than a choice at each of their places.

    Attributes:
        slack: (A, S, R), how far below the optimum an action is.
        charge: (A, S, R), 0 for an action that is kept.
    """

    def __init__(self, best: Backup, tolerance: Array) -> None:
        self._best = best
        self._tolerance = np.tile(tolerance, (len(best.values), 1))
        self.charge = np.zeros((len(best.mdp.actions), *best.values.shape))

    def update(self) -> None:
        """Back the optimum up by one step, and tell its actions from the others."""
        quality = self._best.quality()
        quality.max(axis=0, out=self._best.values)
        self.slack = np.subtract(self._best.values, quality, out=quality)
        np.subtract(self.slack, self._tolerance, out=self.charge)
        np.maximum(self.charge, 0.0, out=self.charge)
        np.multiply(self.charge, BEYOND, out=self.charge)

    def maximise(self, other: Backup) -> None:
        """Back another return up by one step, over the actions that are kept."""
        quality = other.quality()
        np.subtract(quality, self.charge, out=quality)
        quality.max(axis=0, out=other.values)


class _Gap:
    """The smallest slack of a dropped action that is met from here on, where only kept actions are taken.

    Attributes:
        values: (S, R).
    """

    def __init__(self, mdp: FiniteMDP, rewards: int) -> None:
        self._outlook = Outlook(afterstates(mdp), rewards, nothing=np.inf)
        self.values = self._outlook.values
        self.values[:] = np.inf

    def update(self, kept: _Kept) -> None:
        """Look one step further."""
        met = np.where(kept.charge > 0.0, kept.slack, self._outlook.least())
        met.min(axis=0, out=self.values)

    def settle(self, kept: _Kept) -> None:
        """Start anew, and look ahead without end, as far as there is anything to meet."""
        self.values[:] = np.inf
        before = np.zeros_like(self.values)
        while (before != self.values).any():
            before = self.values.copy()
            self.update(kept)
