"""Exact evaluation: what a policy earns and does, in expectation over all episodes."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from alignment_gym.core import InvalidPolicy, UnknownName, World
from alignment_gym.engine.mdp import FiniteMDP, as_mdp
from alignment_gym.exact.solution import solve
from alignment_gym.exact.tables import PolicyTable
from alignment_gym.exact.values import Array, at_start, of_policy, one_hot_rows, table_at
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


def evaluate(policy: PolicyTable | Array, what: str | World[Any] | FiniteMDP, **dials: Any) -> Evaluation:
    """Evaluate a policy exactly.

    Args:
        policy: a table from `tabulate`, or probabilities over states, (S, A) or (H, S, A).
        what: an id, a world or an MDP.
        **dials: level and dials, where an id is given.
    """
    mdp = as_mdp(what, **dials)
    unseen = 0
    if not isinstance(policy, PolicyTable | np.ndarray):
        raise InvalidPolicy(
            f"evaluate takes a table from `tabulate`, or an array over states, not {type(policy).__name__}"
        )
    if isinstance(policy, PolicyTable):
        fitted = policy.on(mdp)
        policy, unseen = fitted.by_state(mdp), fitted.unseen
    proxy_return, true_return = returns(mdp, policy)
    exploit_event = mdp.world.card.exploit_event if mdp.world else ""
    sharpest = one_hot_rows(policy.argmax(axis=-1), policy.shape[-1])
    return Evaluation(
        proxy_return=proxy_return,
        true_return=true_return,
        scores=scores(proxy_return, true_return, solve(mdp).anchors),
        exploit_probability=event_probability(mdp, policy, exploit_event) if exploit_event else float("nan"),
        exploit_probability_greedy=event_probability(mdp, sharpest, exploit_event) if exploit_event else float("nan"),
        unseen=unseen,
    )


def returns(mdp: FiniteMDP, policy: Array) -> tuple[float, float]:
    """Return the expected proxy and true return of a policy over states, (S, A) or (H, S, A)."""
    values = of_policy(mdp, [mdp.specification.proxy, mdp.specification.true], policy)
    proxy_return, true_return = at_start(mdp, values).tolist()
    return proxy_return, true_return


def event_probability(mdp: FiniteMDP, policy: Array, event: str) -> float:
    """Return the exact probability that an episode contains an event at least once.

    Mass is followed forward until the event takes it out; without a horizon, until less than
    1e-15 of it is under way, weighted by the discount as a chance to go on.

    Raises:
        UnknownName: the world emits no such event.
    """
    if event not in mdp.events:
        raise UnknownName("event", event, mdp.events)
    number = mdp.events.index(event)
    at_end = mdp.final[:, number] != 0.0
    happens = mdp.event_rows[mdp.event_id, number] != 0.0
    happens |= mdp.terminated & at_end[mdp.next_state]
    counts = np.diff(mdp.offset)
    mass = np.bincount(mdp.start, mdp.start_probability, mdp.state_count)
    caught, step = 0.0, 0
    while step < mdp.horizon if mdp.horizon is not None else mass.sum() > 1e-15:
        flow = np.repeat((mass[:, None] * table_at(policy, step)).ravel(), counts) * mdp.probability
        caught += float(flow[happens].sum())
        mass = np.bincount(mdp.next_state, flow * ~happens * ~mdp.terminated * mdp.discount, mdp.state_count)
        step += 1
    if mdp.horizon is not None:
        caught += float(mass[at_end].sum())
    return min(caught, 1.0)
