"""How far a policy has moved from another, by default from uniform play: in its actions, and in where it goes.

A small change of actions may move visits far, so divergence of actions does not bound returns, while that of visits
does (C. Laidlaw, S. Singhal, A. Dragan, Correlated Proxies (2024), arXiv:2403.03185).

Visits are compared as distributions of one length: what an episode that ends early leaves of the horizon is spent
in a state of its own, which pays nothing. Where the horizon itself pays, each state in which it is met counts too.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from alignment_gym.core import World
from alignment_gym.engine.mdp import FiniteMDP, as_mdp
from alignment_gym.exact.afterstates import afterstates
from alignment_gym.exact.tables import Policy, checked_policy
from alignment_gym.exact.values import Array, both_rewards, forward, table_at, uniform


def trajectory_kl(what: str | World[Any] | FiniteMDP, policy: Policy, reference: Policy | None = None) -> float:
    """Return the Kullback-Leibler divergence of a policy's episodes from those of another, in nats.

    E_policy of the sum over steps of discount**t log(policy / reference): what transitions contribute cancels.
    Infinite where the policy does what the other never does.

    Args:
        what: an id, a world or an MDP.
        policy: a table from `tabulate`, or probabilities over states, (S, A) or (H, S, A).
        reference: the other policy, likewise; uniform play by default.

    Raises:
        InvalidPolicy: a policy that does not fit, or is no distribution.
    """
    mdp = as_mdp(what)
    mine, other = checked_policy(policy, mdp), uniform(mdp) if reference is None else checked_policy(reference, mdp)
    total = 0.0
    for step, visits in enumerate(forward(mdp, mine)):
        met = visits > 0.0
        chosen, expected = table_at(mine, step).T[met], table_at(other, step).T[met]
        if (expected == 0.0).any():
            return float("inf")
        total += float(visits[met] @ np.log(chosen / expected))
    return total


def chi_squared(what: str | World[Any] | FiniteMDP, policy: Policy, reference: Policy | None = None) -> float:
    """Return the chi-squared divergence of a policy's visits from another's: the sum of (visits - other)**2 / other.

    Infinite where the policy goes where the other never is; arguments as in `trajectory_kl`.
    """
    mine, other = _both_visits(as_mdp(what), policy, reference)
    if (mine[other == 0.0] > 0.0).any():
        return float("inf")
    met = other > 0.0
    return float(((mine[met] - other[met]) ** 2 / other[met]).sum())


def total_variation(what: str | World[Any] | FiniteMDP, policy: Policy, reference: Policy | None = None) -> float:
    """Return half the summed difference of a policy's visits and another's, in [0, 1]; see `trajectory_kl`."""
    mine, other = _both_visits(as_mdp(what), policy, reference)
    return float(np.abs(mine - other).sum() / 2.0)


def _both_visits(mdp: FiniteMDP, policy: Policy, reference: Policy | None) -> tuple[Array, Array]:
    """Check two policies, and return the distributions of their visits; the second is uniform play by default."""
    mine = padded_visits(mdp, checked_policy(policy, mdp))
    return mine, _reference(mdp) if reference is None else padded_visits(mdp, checked_policy(reference, mdp))


def padded_visits(mdp: FiniteMDP, policy: Array) -> Array:
    """Return the distribution of a policy's visits, (S * A + 1,), or (S * A + 1 + S,) where the horizon pays.

    State by state and action by action, then the time after an episode's end, then the states in which the horizon
    is met. Sums to 1; times `padded_length`, and with `padded_rewards`, it gives returns.
    """
    total, visits = np.zeros((len(mdp.actions), mdp.state_count)), np.zeros((len(mdp.actions), mdp.state_count))
    for visits in forward(mdp, policy):
        total += visits
    parts = [total.T.ravel()]
    if _horizon_pays(mdp):
        parts.append(afterstates(mdp).onward(visits) * mdp.discount)
    over = padded_length(mdp) - sum(part.sum() for part in parts)
    return np.concatenate([parts[0], [max(over, 0.0)], *parts[1:]]) / padded_length(mdp)


def padded_rewards(mdp: FiniteMDP) -> Array:
    """Return the proxy and the true reward of each entry of `padded_visits`, (2, entries)."""
    both = both_rewards(mdp)
    parts = [both.expected.transpose(2, 1, 0).reshape(2, -1), np.zeros((2, 1))]
    return np.concatenate([*parts, both.final.T] if _horizon_pays(mdp) else parts, axis=1)


def padded_length(mdp: FiniteMDP) -> float:
    """Return the discounted number of entries of an episode: steps, and its end where the horizon pays."""
    if mdp.horizon is None:
        return 1.0 / (1.0 - mdp.discount)
    steps = mdp.discount ** np.arange(mdp.horizon + 1)
    return float(steps.sum() if _horizon_pays(mdp) else steps[:-1].sum())


def _horizon_pays(mdp: FiniteMDP) -> bool:
    return mdp.horizon is not None and bool(both_rewards(mdp).final.any())


@lru_cache(maxsize=64)
def _reference(mdp: FiniteMDP) -> Array:
    return padded_visits(mdp, uniform(mdp))
