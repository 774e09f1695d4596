"""Dynamic programming on the tables: one backward pass serves every question.

R rewards are solved side by side. With a horizon the pass runs over its steps; with a discount
and no horizon it runs until values stand still. Values are float64, in units of return.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from alignment_gym.engine.mdp import FiniteMDP, Reward

Array = NDArray[np.float64]
Choose = Callable[[int, Array], Array]
"""From a step and action values (R, S, A) to state values (R, S)."""

STILL = 1e-13  # relative change at which a discounted pass stops
MAX_SWEEPS = 200_000


class Backup:
    """Expected rewards and expected next values of an MDP under R rewards."""

    def __init__(self, mdp: FiniteMDP, rewards: list[Reward]) -> None:
        self.mdp = mdp
        self.shape = (mdp.state_count, len(mdp.actions))
        self._rows = mdp.offset[:-1]
        self._live = mdp.probability * ~mdp.terminated * mdp.discount
        self.rewards = np.stack([self.expected(mdp.transition_rewards(reward)) for reward in rewards])
        self.finals = np.stack([mdp.final_rewards(reward) for reward in rewards])

    def expected(self, per_transition: Array) -> Array:
        """Return the expectation of a quantity (N,) over each row's outcomes, (S, A)."""
        return self._sum(self.mdp.probability * per_transition)

    def ahead(self, values: Array) -> Array:
        """Return the discounted expectation of next states' values: (R, S) -> (R, S, A)."""
        return np.stack([self._sum(self._live * each[self.mdp.next_state]) for each in values])

    def _sum(self, per_transition: Array) -> Array:
        if not self.mdp.deterministic:
            per_transition = np.add.reduceat(per_transition, self._rows)
        return per_transition.reshape(self.shape)

    def solve(self, choose: Choose, still: float = STILL) -> Array:
        """Run the backward pass and return values at the start of an episode, (R, S)."""
        if self.mdp.horizon is None:
            return self._to_rest(choose, still)
        values = self.finals
        for step in reversed(range(self.mdp.horizon)):
            values = choose(step, self.rewards + self.ahead(values))
        return values

    def _to_rest(self, choose: Choose, still: float) -> Array:
        values = np.zeros_like(self.finals)
        scale = np.abs(self.rewards).max(initial=1e-300) / (1.0 - self.mdp.discount)
        for _ in range(MAX_SWEEPS):
            before, values = values, choose(0, self.rewards + self.ahead(values))
            if np.abs(values - before).max() <= still * scale * (1.0 - self.mdp.discount):
                break
        return values


def at_start(mdp: FiniteMDP, values: Array) -> Array:
    """Return the expectation of values (..., S) over the initial states."""
    return np.asarray(values[..., mdp.start] @ mdp.start_probability)


def maximal(mdp: FiniteMDP, rewards: list[Reward]) -> Array:
    """Return the largest value of every state, over clocked policies: (R, S)."""
    return Backup(mdp, rewards).solve(lambda _, quality: quality.max(axis=-1))


def minimal(mdp: FiniteMDP, rewards: list[Reward]) -> Array:
    """Return the smallest value of every state, over clocked policies: (R, S)."""
    return Backup(mdp, rewards).solve(lambda _, quality: quality.min(axis=-1))


def of_policy(mdp: FiniteMDP, rewards: list[Reward], policy: Array) -> Array:
    """Return every state's value under a policy, (R, S).

    Args:
        mdp: S states, A actions.
        rewards: R of them.
        policy: probabilities (S, A), or (H, S, A) with one table a step.
    """
    return Backup(mdp, rewards).solve(lambda step, quality: (quality * table_at(policy, step)).sum(axis=-1))


def greedy(mdp: FiniteMDP, reward: Reward, still: float = STILL) -> Array:
    """Return an optimal policy: (H, S, A), or (S, A) without a horizon; ties go to the first action.

    Without a horizon, the pass ends when values change by less than `still` of their scale.
    """
    steps = mdp.horizon or 1
    policy = np.zeros((steps, mdp.state_count, len(mdp.actions)))

    def choose(step: int, quality: Array) -> Array:
        policy[step] = one_hot_rows(quality[0].argmax(axis=-1), len(mdp.actions))
        return np.asarray(quality.max(axis=-1))

    Backup(mdp, [reward]).solve(choose, still)
    return policy if mdp.horizon is not None else policy[0]


def one_hot_rows(index: NDArray[np.intp], size: int) -> Array:
    """Return rows of zeros with a one at `index`: (..., size)."""
    return np.asarray(np.eye(size)[index])


def uniform(mdp: FiniteMDP) -> Array:
    """Return the reference policy, (S, A): every action with the same probability."""
    return np.asarray(np.full((mdp.state_count, len(mdp.actions)), 1.0 / len(mdp.actions)))


def forward(mdp: FiniteMDP, policy: Array) -> Iterator[Array]:
    """Yield, step by step, the discounted distribution over state and action, (S, A).

    Without a horizon it stops when less than 1e-15 of the first step's mass is left.
    """
    mass = np.bincount(mdp.start, mdp.start_probability, mdp.state_count)
    live = mdp.probability * ~mdp.terminated * mdp.discount
    counts = np.diff(mdp.offset)
    step = 0
    while step < mdp.horizon if mdp.horizon is not None else mass.sum() > 1e-15:
        visits = mass[:, None] * table_at(policy, step)
        yield visits
        mass = np.bincount(mdp.next_state, np.repeat(visits.ravel(), counts) * live, mdp.state_count)
        step += 1


def occupancy(mdp: FiniteMDP, policy: Array) -> Array:
    """Return expected discounted visits of each state and action, (S, A).

    The sum over steps of discount**t P(s_t = s, a_t = a) (Puterman 1994, section 6.9).
    """
    total = np.zeros((mdp.state_count, len(mdp.actions)))
    for visits in forward(mdp, policy):
        total += visits
    return total


def table_at(policy: Array, step: int) -> Array:
    """Return the step's table, (S, A), of a policy (S, A) or (H, S, A)."""
    return policy[step] if policy.ndim == 3 else policy
