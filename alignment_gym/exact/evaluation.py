"""Exact evaluation: what a policy earns and does, in expectation over all episodes."""

from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np

from alignment_gym.core import World
from alignment_gym.engine.mdp import FiniteMDP, as_mdp
from alignment_gym.exact.solution import solve
from alignment_gym.exact.tables import Policy, PolicyTable, checked_policy
from alignment_gym.exact.values import Array, at_start, both_rewards, of_policies, one_hot_rows
from alignment_gym.exact.verification import event_probability as event_probability
from alignment_gym.exact.verification import event_values
from alignment_gym.metrics.scores import Scores, scores


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A policy's exact returns and scores.

    Attributes:
        proxy_return, true_return: expected, undiscounted unless the MDP discounts.
        scores: see `metrics.scores`.
        exploit_probability: that an episode contains the exploit event, as deployed; NaN where
            the world names none.
        exploit_probability_greedy: the same for the most probable actions.
        unseen: observations that the policy had never seen, played uniformly.
        exact: True; Monte-Carlo estimates say False.
    """

    proxy_return: float
    true_return: float
    scores: Scores
    exploit_probability: float
    exploit_probability_greedy: float
    unseen: int
    exact: bool = True


def evaluate(policy: Policy, what: str | World[Any] | FiniteMDP, **dials: Any) -> Evaluation:
    """Evaluate a policy exactly.

    Args:
        policy: a table from `tabulate`, or probabilities over states, (S, A) or (H, S, A).
        what: an id, a world or an MDP.
        **dials: level and dials, where an id is given.

    Raises:
        InvalidPolicy: a policy that does not fit, or is no distribution.
    """
    mdp = as_mdp(what, **dials)
    unseen = 0
    if isinstance(policy, PolicyTable):
        fitted = policy.on(mdp)
        policy, unseen = fitted.by_state(mdp), fitted.unseen
    table = checked_policy(policy, mdp)
    proxy_return, true_return = returns(mdp, table)
    deployed, sharpest = at_start(mdp, exploit_values(mdp, table)).tolist()
    return Evaluation(
        proxy_return=proxy_return,
        true_return=true_return,
        scores=scores(proxy_return, true_return, solve(mdp).anchors),
        exploit_probability=deployed,
        exploit_probability_greedy=sharpest,
        unseen=unseen,
    )


def returns(mdp: FiniteMDP, policy: Array) -> tuple[float, float]:
    """Return the expected proxy and true return of a policy over states, (S, A) or (H, S, A)."""
    proxy_return, true_return = at_start(mdp, of_policies(mdp, both_rewards(mdp), [policy] * 2)).tolist()
    return proxy_return, true_return


def exploit_event(mdp: FiniteMDP) -> str:
    """Return the event that the world's card names as the mark of its exploit, or nothing."""
    return mdp.world.card.exploit_event if mdp.world else ""


def exploit_values(mdp: FiniteMDP, policy: Array) -> Array:
    """Return how likely the exploit event is from each state on, (2, S): as deployed, with the most probable actions.

    NaN where the world names no such event.
    """
    event = exploit_event(mdp)
    if not event:
        return np.full((2, mdp.state_count), nan)
    sharpest = one_hot_rows(policy.argmax(axis=-1), policy.shape[-1])
    return event_values(mdp, [policy, sharpest], event)
