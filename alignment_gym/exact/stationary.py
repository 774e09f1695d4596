"""The best stationary policy found: a lower bound on what an agent without a clock can reach.

Finding the best one exactly is hard; this is a local search. It starts from the greedy policies of
several discounts and of the clocked optimum's first step, and improves each where the advantage,
averaged over the steps at which an observation occurs, is positive.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from alignment_gym.engine.mdp import FiniteMDP, Reward
from alignment_gym.exact.values import Array, Backup, at_start, forward, greedy, occupancy, of_policy, one_hot_rows

DISCOUNTS = (0.8, 0.95, 0.99)
ROUNDS = 12
SKETCH = 1e-5  # a policy to start from needs no exact values


def best_stationary(mdp: FiniteMDP, reward: Reward, enough: float) -> float:
    """Return the largest return found over deterministic policies of the observation alone.

    Args:
        mdp: the tables.
        reward: what is maximised.
        enough: the clocked optimum, at which no search can gain more.
    """
    best = -np.inf
    for choice in _candidates(mdp, reward):
        best = max(best, _improved(mdp, reward, choice))
        if best >= enough - 1e-9 * (1.0 + abs(enough)):
            break
    return best


def _candidates(mdp: FiniteMDP, reward: Reward) -> Iterator[NDArray[np.intp]]:
    """Yield policies to start from, as an action an observation, (O,)."""
    clocked = greedy(mdp, reward)
    yield _by_observation(mdp, clocked[0] if clocked.ndim == 3 else clocked).argmax(axis=-1)
    for discount in DISCOUNTS:
        endless = greedy(replace(mdp, horizon=None, discount=discount), reward, still=SKETCH)
        yield _by_observation(mdp, endless).argmax(axis=-1)


def _by_observation(mdp: FiniteMDP, table: Array) -> Array:
    """Sum a table over states (S, A) into one over observations (O, A)."""
    summed = np.zeros((len(mdp.observations), table.shape[1]))
    np.add.at(summed, mdp.observation_id, table)
    return summed


def _improved(mdp: FiniteMDP, reward: Reward, choice: NDArray[np.intp]) -> float:
    """Improve a policy, given as an action an observation (O,), until it stands still; return its return."""
    best = -np.inf
    for _ in range(ROUNDS):
        policy = one_hot_rows(choice[mdp.observation_id], len(mdp.actions))
        value, advantage = _averaged_advantage(mdp, reward, policy)
        if value <= best + 1e-12 * (1.0 + abs(best)):
            break
        best = value
        choice = np.where(advantage.max(axis=-1) > 1e-12, advantage.argmax(axis=-1), choice)
    return float(best)


def _averaged_advantage(mdp: FiniteMDP, reward: Reward, policy: Array) -> tuple[float, Array]:
    """Return a stationary policy's return, and its advantages summed over steps and states, (O, A)."""
    if mdp.horizon is None:
        backup = Backup(mdp, [reward])
        values = of_policy(mdp, [reward], policy)
        quality = backup.rewards + backup.ahead(values)
        visits = occupancy(mdp, policy).sum(axis=-1, keepdims=True)
        return float(at_start(mdp, values)[0]), _by_observation(mdp, visits * (quality[0] - values[0][:, None]))
    advantages = np.zeros((mdp.horizon, mdp.state_count, len(mdp.actions)))

    def choose(step: int, quality: Array) -> Array:
        values = np.asarray((quality * policy).sum(axis=-1))
        advantages[step] = quality[0] - values[0][:, None]
        return values

    values = Backup(mdp, [reward]).solve(choose)
    total = np.zeros((mdp.state_count, len(mdp.actions)))
    for step, visits in enumerate(forward(mdp, policy)):
        total += visits.sum(axis=-1, keepdims=True) * advantages[step]
    return float(at_start(mdp, values)[0]), _by_observation(mdp, total)
