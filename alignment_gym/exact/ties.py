"""What a reward leaves open: the range of another return over all optimal policies.

At every step only the actions that attain the optimal value are kept, and the other return is
maximised and minimised over those. Equal to the linear program `max/min <r_other, eta>` subject
to `<r, eta> >= J_max`; valid with a horizon or a discount below 1.
"""

from dataclasses import dataclass

import numpy as np

from alignment_gym.engine.mdp import FiniteMDP, Reward
from alignment_gym.exact.values import Array, Backup, at_start

TOLERANCE = 1e-9  # of the reward's range: action values closer than this are tied


@dataclass(frozen=True, slots=True)
class Range:
    """The other return over all optimal policies.

    Attributes:
        low, high: return, expected over the starts.
        low_of, high_of: per state, at the first step, (S,).
        gap: the smallest difference between a kept and a dropped action that an optimal policy
            meets, in units of the tolerance; ties are certain where it is large.
    """

    low: float
    high: float
    low_of: Array
    high_of: Array
    gap: float


def over_optimal(mdp: FiniteMDP, reward: Reward, other: Reward, scale: float) -> Range:
    """Return the range of `other` over the policies that are optimal for `reward`.

    Args:
        mdp: the tables.
        reward: what is optimised.
        other: what is asked about.
        scale: the range W of the optimised return.
    """
    tolerance = TOLERANCE * scale
    slack = np.full((mdp.horizon or 1, mdp.state_count, len(mdp.actions)), 0.0)

    def choose(step: int, quality: Array) -> Array:
        best = quality[0].max(axis=-1)
        slack[step] = best[:, None] - quality[0]
        kept = slack[step] <= tolerance
        low = np.where(kept, quality[1], np.inf).min(axis=-1)
        high = np.where(kept, quality[2], -np.inf).max(axis=-1)
        return np.stack([best, low, high])

    _, low, high = Backup(mdp, [reward, other, other]).solve(choose)
    return Range(
        low=float(at_start(mdp, low)),
        high=float(at_start(mdp, high)),
        low_of=low,
        high_of=high,
        gap=_smallest_gap(mdp, slack, tolerance) / tolerance,
    )


def _smallest_gap(mdp: FiniteMDP, slack: Array, tolerance: float) -> float:
    """Return the smallest dropped slack in the states that optimal policies reach."""
    reached = np.zeros(mdp.state_count, dtype=np.bool_)
    reached[mdp.start] = True
    source = np.repeat(np.arange(mdp.state_count * len(mdp.actions)), np.diff(mdp.offset))
    smallest = np.inf
    for step in range(mdp.horizon if mdp.horizon is not None else mdp.state_count):
        slack_now = slack[min(step, len(slack) - 1)]
        kept = slack_now <= tolerance
        dropped = slack_now[reached[:, None] & ~kept]
        smallest = min(smallest, dropped.min(initial=np.inf))
        passed = (reached[:, None] & kept).ravel()[source] & ~mdp.terminated
        onward = np.zeros_like(reached)
        onward[mdp.next_state[passed]] = True
        if mdp.horizon is None:
            onward |= reached
            if (onward == reached).all():
                break
        reached = onward
    return float(smallest)
