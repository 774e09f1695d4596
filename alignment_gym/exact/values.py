"""Dynamic programming on the tables: one backward pass serves every question.

Rewards are solved side by side. With a horizon a pass runs over its steps; values with k steps to go do not
depend on the horizon, so one pass answers for all horizons up to its own. With a discount and no horizon it
runs until values stand still. Values are float64, in units of return. Inside of a pass, arrays are laid out
(actions, states, rewards); outside, policies are (states, actions) and values (rewards, states).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignment_gym.core import TooLargeToEnumerate
from alignment_gym.engine.mdp import FiniteMDP, Reward
from alignment_gym.exact.afterstates import Outlook, afterstates

Array = NDArray[np.float64]

STILL = 1e-13  # relative change at which a discounted pass stops
MAX_SWEEPS = 50_000
NEAREST = 0.999  # discount: nearer to 1, endless values take more sweeps than that


@dataclass(frozen=True, eq=False, slots=True)
class Rewards:
    """R rewards side by side.

    Attributes:
        expected: (A, S, R), over the outcomes of each action and state.
        final: (S, R), paid where the horizon ends an episode.
    """

    expected: Array
    final: Array

    @classmethod
    def of(cls, mdp: FiniteMDP, rewards: Sequence[Reward]) -> "Rewards":
        """Take expectations of what transitions pay."""
        expected = [expectation(mdp, mdp.transition_rewards(reward)) for reward in rewards]
        return cls(np.stack(expected, axis=-1), np.stack([mdp.final_rewards(reward) for reward in rewards], axis=-1))

    def mixed(self, weights: ArrayLike) -> "Rewards":
        """Return the sums of these rewards under weights (R, L): L rewards."""
        return Rewards(self.expected @ np.asarray(weights), self.final @ np.asarray(weights))


@lru_cache(maxsize=64)
def both_rewards(mdp: FiniteMDP) -> Rewards:
    """Return the proxy and the true reward of an MDP, in this order."""
    return Rewards.of(mdp, [mdp.specification.proxy, mdp.specification.true])


def expectation(mdp: FiniteMDP, per_transition: Array) -> Array:
    """Return the expectation of a quantity (N,) over each row's outcomes, (A, S)."""
    weighted = mdp.probability * per_transition
    if not mdp.deterministic:
        weighted = np.add.reduceat(weighted, mdp.offset[:-1])
    return np.ascontiguousarray(weighted.reshape(mdp.state_count, len(mdp.actions)).T)


class Backup:
    """Values of R rewards, backed up from an episode's end, one step at a time.

    Attributes:
        mdp: the tables.
        values: (S, R), to be overwritten with the values of one more step to go.
    """

    def __init__(self, mdp: FiniteMDP, rewards: Rewards) -> None:
        self.mdp = mdp
        self._rewards = rewards.expected
        self._outlook = Outlook(afterstates(mdp), self._rewards.shape[-1])
        self.values = self._outlook.values
        if mdp.horizon is not None:
            self.values[:] = rewards.final

    def quality(self) -> Array:
        """Return what each action is worth with one more step to go, (A, S, R), in a buffer of its own."""
        quality = self._outlook.expected()
        if self.mdp.discount != 1.0:
            np.multiply(quality, self.mdp.discount, out=quality)
        return np.add(quality, self._rewards, out=quality)

    def has_moved(self, before: Array, still: float) -> bool:
        """Tell whether values have changed, by more than a share of the largest reward."""
        return bool(np.abs(self.values - before).max() > still * np.abs(self._rewards).max(initial=1e-300))


def sweeps(*backups: Backup, horizon: int | None = None, still: float = STILL) -> Iterator[int]:
    """Yield the number of steps to go, from 1 to the horizon; without one, go on until values stand still.

    Args:
        *backups: of one MDP, whose values the caller updates at every sweep.
        horizon: another one than the MDP's.
        still: relative change at which an endless pass stops.

    Raises:
        TooLargeToEnumerate: values go on changing, as they do with a discount too near 1.
    """
    last = horizon or backups[0].mdp.horizon
    if last is not None:
        yield from range(1, last + 1)
        return
    for sweep in range(1, MAX_SWEEPS + 1):
        before = [backup.values.copy() for backup in backups]
        yield sweep
        if not any(backup.has_moved(was, still) for backup, was in zip(backups, before, strict=True)):
            return
    raise TooLargeToEnumerate(
        f"{backups[0].mdp.name}: values still change after {MAX_SWEEPS:,} sweeps; a discount of "
        f"{backups[0].mdp.discount} is too near 1: take {NEAREST} at most, or a horizon"
    )


def at_start(mdp: FiniteMDP, values: Array) -> Array:
    """Return the expectation of values (..., S) over the initial states."""
    return np.asarray(values[..., mdp.start] @ mdp.start_probability)


def maximal(mdp: FiniteMDP, rewards: Sequence[Reward]) -> Array:
    """Return the largest value of every state, over clocked policies: (R, S)."""
    return best_values(mdp, Rewards.of(mdp, rewards))


def minimal(mdp: FiniteMDP, rewards: Sequence[Reward]) -> Array:
    """Return the smallest value of every state, over clocked policies: (R, S)."""
    return 0.0 - best_values(mdp, Rewards.of(mdp, rewards).mixed(-np.eye(len(rewards))))


def best_values(mdp: FiniteMDP, rewards: Rewards, horizon: int | None = None) -> Array:
    """Return the largest value of every state, over clocked policies: (R, S); the horizon is the MDP's or another."""
    backup = Backup(mdp, rewards)
    for _ in sweeps(backup, horizon=horizon):
        backup.quality().max(axis=0, out=backup.values)
    return backup.values.T


def of_policy(mdp: FiniteMDP, rewards: Sequence[Reward], policy: Array) -> Array:
    """Return every state's value under a policy, (R, S).

    Args:
        mdp: S states, A actions.
        rewards: R of them.
        policy: probabilities (S, A), or (H, S, A) with one table a step.
    """
    return of_policies(mdp, Rewards.of(mdp, rewards), [policy] * len(rewards))


def of_policies(mdp: FiniteMDP, rewards: Rewards, policies: Sequence[Array], horizon: int | None = None) -> Array:
    """Return every state's value, (R, S), under policies (S, A) or (H, S, A): one for each of R rewards."""
    backup = Backup(mdp, rewards)
    last = horizon or mdp.horizon or 1
    weights = _side_by_side(policies, last - 1)
    clocked = any(policy.ndim == 3 for policy in policies)
    for to_go in sweeps(backup, horizon=horizon):
        if clocked and mdp.horizon is not None:
            weights = _side_by_side(policies, last - to_go)
        quality = backup.quality()
        np.multiply(quality, weights, out=quality)
        quality.sum(axis=0, out=backup.values)
    return backup.values.T


def _side_by_side(policies: Sequence[Array], step: int) -> Array:
    """Return the step's tables of R policies, (A, S, R)."""
    states, actions = policies[0].shape[-2:]
    tables = np.empty((actions, states, len(policies)))
    for number, policy in enumerate(policies):
        tables[:, :, number] = table_at(policy, step).T
    return tables


def greedy(mdp: FiniteMDP, reward: Reward) -> Array:
    """Return an optimal policy: (H, S, A), or (S, A) without a horizon; ties go to the first action."""
    rewards = Rewards.of(mdp, [reward])
    if mdp.horizon is None:
        return one_hot_rows(first_actions(mdp, rewards), len(mdp.actions))
    policy = np.zeros((mdp.horizon, mdp.state_count, len(mdp.actions)))
    backup = Backup(mdp, rewards)
    for to_go in sweeps(backup):
        quality = backup.quality()
        policy[-to_go] = one_hot_rows(quality[..., 0].argmax(axis=0), len(mdp.actions))
        quality.max(axis=0, out=backup.values)
    return policy


def first_actions(mdp: FiniteMDP, rewards: Rewards, still: float = STILL) -> NDArray[np.intp]:
    """Return each state's optimal action at the start of an episode, (S,), for the first of some rewards.

    Without a horizon, the pass ends when values change by less than `still` of the largest reward.
    """
    backup = Backup(mdp, rewards)
    for _ in sweeps(backup, still=still):
        quality = backup.quality()
        quality.max(axis=0, out=backup.values)
    return np.asarray(quality[..., 0].argmax(axis=0))


def one_hot_rows(index: NDArray[np.intp], size: int) -> Array:
    """Return rows of zeros with a one at `index`: (..., size)."""
    return np.asarray(np.eye(size)[index])


def uniform(mdp: FiniteMDP) -> Array:
    """Return the reference policy, (S, A): every action with the same probability."""
    return np.asarray(np.full((mdp.state_count, len(mdp.actions)), 1.0 / len(mdp.actions)))


def forward(mdp: FiniteMDP, policy: Array) -> Iterator[Array]:
    """Yield, step by step, the discounted distribution over action and state, (A, S).

    Without a horizon it stops when less than 1e-15 of the first step's mass is left.
    """
    ahead = afterstates(mdp)
    mass: Array = np.bincount(mdp.start, mdp.start_probability, mdp.state_count).astype(np.float64)
    by_action = np.ascontiguousarray(np.swapaxes(policy, -2, -1))
    step = 0
    while step < mdp.horizon if mdp.horizon is not None else mass.sum() > 1e-15:
        visits = table_at(by_action, step) * mass
        yield visits
        mass = ahead.onward(visits) * mdp.discount
        step += 1


def occupancy(mdp: FiniteMDP, policy: Array) -> Array:
    """Return expected discounted visits of each state and action, (S, A).

    The sum over steps of discount**t P(s_t = s, a_t = a) (Puterman 1994, section 6.9).
    """
    total = np.zeros((len(mdp.actions), mdp.state_count))
    for visits in forward(mdp, policy):
        total += visits
    return total.T


def table_at(policy: Array, step: int) -> Array:
    """Return the step's table, (S, A), of a policy (S, A) or (H, S, A)."""
    return policy[step] if policy.ndim == 3 else policy
