"""The best stationary policy found: a lower bound on what an agent without a clock can reach.

Finding the best one exactly is hard; this is a local search. It starts from the greedy policies of
several discounts and of the clocked optimum's first step, where states are hidden also from the
optimum over beliefs, and improves each where the advantage, averaged over the steps at which an
observation occurs, is positive.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment_gym.engine.belief import knowing
from alignment_gym.engine.mdp import FiniteMDP, Reward
from alignment_gym.exact.values import (
    Array,
    Backup,
    Rewards,
    at_start,
    first_actions,
    forward,
    of_policies,
    one_hot_rows,
    sweeps,
)
from alignment_gym.metrics.scores import Anchors, trivial

DISCOUNTS = (0.8, 0.95, 0.99)
ROUNDS = 12
SKETCH = 1e-5  # a policy to start from needs no exact values


@dataclass(frozen=True, slots=True)
class Stationary:
    """The best policies found that don't see the clock.

    Attributes:
        proxy, true: returns.
        proxy_share, true_share: how much of the way from uniform play to the clocked optimum.
    """

    proxy: float
    true: float
    proxy_share: float
    true_share: float


def best_without_clock(mdp: FiniteMDP, anchors: Anchors) -> Stationary:
    """Search for the best policies that don't see the clock, under the proxy and under the true reward."""
    proxy = best_stationary(mdp, mdp.specification.proxy, anchors.proxy_max)
    true = best_stationary(mdp, mdp.specification.true, anchors.true_max)
    return Stationary(
        proxy=proxy,
        true=true,
        proxy_share=_share(proxy, anchors.proxy_max, anchors.proxy_reference),
        true_share=_share(true, anchors.true_max, anchors.true_reference),
    )


def _share(value: float, best: float, reference: float) -> float:
    return nan if trivial(best, reference) else (value - reference) / (best - reference)


def best_stationary(mdp: FiniteMDP, reward: Reward, enough: float) -> float:
    """Return the largest return found over deterministic policies of the observation alone.

    Args:
        mdp: the tables.
        reward: what is maximised.
        enough: the clocked optimum, at which no search can gain more.
    """
    best, rewards = -np.inf, Rewards.of(mdp, [reward])
    enough -= 1e-9 * (1.0 + abs(enough))
    for choice in _candidates(mdp, reward, rewards):
        best = max(best, _improved(mdp, rewards, choice, enough))
        if best >= enough:
            break
    return best


def _candidates(mdp: FiniteMDP, reward: Reward, rewards: Rewards) -> Iterator[NDArray[np.intp]]:
    """Yield policies to start from, as an action an observation, (O,)."""
    if not mdp.fully_observed and mdp.horizon is not None and isinstance(reward, Mapping):
        yield _by_belief(mdp, reward)
    yield _sharpest(mdp, first_actions(mdp, rewards))
    for discount in DISCOUNTS:
        yield _sharpest(mdp, first_actions(replace(mdp, horizon=None, discount=discount), rewards, still=SKETCH))


def _by_belief(mdp: FiniteMDP, reward: Reward) -> NDArray[np.intp]:
    """Return what the best policy over beliefs does at the first belief that has an observation, (O,)."""
    known = knowing(mdp)
    actions = first_actions(known, Rewards.of(known, [reward]))
    beliefs: tuple[Any, ...] = known.states
    seen = mdp.observation_id[[belief[0][0] for belief in beliefs]]  # all states of a belief look alike
    observations, first = np.unique(seen, return_index=True)
    choice = np.zeros(len(mdp.observations), dtype=np.intp)
    choice[observations] = actions[first]
    return choice


def _sharpest(mdp: FiniteMDP, actions: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the action that most states of an observation take, (O,), from one for each state, (S,)."""
    return np.asarray(_by_observation(mdp, one_hot_rows(actions, len(mdp.actions))).argmax(axis=-1))


def _by_observation(mdp: FiniteMDP, table: Array) -> Array:
    """Sum a table over states (S, A) into one over observations (O, A)."""
    summed = np.zeros((len(mdp.observations), table.shape[1]))
    np.add.at(summed, mdp.observation_id, table)
    return summed


def _improved(mdp: FiniteMDP, rewards: Rewards, choice: NDArray[np.intp], enough: float) -> float:
    """Improve a policy, given as an action an observation (O,), until it stands still or is enough."""
    best = -np.inf
    for _ in range(ROUNDS):
        policy = one_hot_rows(choice[mdp.observation_id], len(mdp.actions))
        value = float(at_start(mdp, of_policies(mdp, rewards, [policy]))[0])
        if value <= best + 1e-12 * (1.0 + abs(best)):
            break
        best = value
        if best >= enough:
            break
        advantage = _averaged_advantage(mdp, rewards, policy)
        choice = np.where(advantage.max(axis=-1) > 1e-12, advantage.argmax(axis=-1), choice)
    return best


def _averaged_advantage(mdp: FiniteMDP, rewards: Rewards, policy: Array) -> Array:
    """Return a stationary policy's advantages, summed over steps and states, (O, A)."""
    backup, weights = Backup(mdp, rewards), np.ascontiguousarray(policy.T)[:, :, None]
    advantages = np.zeros((mdp.horizon or 1, len(mdp.actions), mdp.state_count))
    for to_go in sweeps(backup):
        quality = backup.quality()
        (quality * weights).sum(axis=0, out=backup.values)
        np.subtract(quality, backup.values, out=advantages[-to_go if mdp.horizon else 0, :, :, None])
    total = np.zeros_like(advantages[0])
    for step, visits in enumerate(forward(mdp, policy)):
        total += visits.sum(axis=0) * advantages[step if mdp.horizon else 0]
    return _by_observation(mdp, total.T)
