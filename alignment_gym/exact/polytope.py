"""The occupancy polytope: expected visits of all policies, as the solutions of a linear system.

A policy's expected discounted visits eta(s, a) are exactly the non-negative solutions of B eta = mu (Puterman 1994,
section 6.9): what flows into a state flows out of it. Returns are linear in them. With a horizon, states are pairs
of state and step, and the system has a row for each pair that can be reached; what ends an episode has none. So
every row is needed, and the polytope's dimension is the sum over rows of A - 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import TooLargeToEnumerate
from alignment_gym.engine.mdp import FiniteMDP
from alignment_gym.exact.values import Array, both_rewards, forward

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MAX_COLUMNS = 4_000_000
Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False, slots=True)
class Polytope:
    """The system B eta = mu of an MDP; row r stands for a state at a step, column r * A + a for an action there.

    Attributes:
        state, step: (R,), what each row stands for; steps are 0 without a horizon.
        balance: B, (R, R * A), sparse.
        start: mu, (R,).
        rewards: (2, R * A), of the proxy and the true return, pay at the horizon included.
        actions: A.
    """

    state: Index
    step: Index
    balance: "csr_array"
    start: Array
    rewards: Array
    actions: int

    @property
    def columns(self) -> int:
        """R * A."""
        return int(self.rewards.shape[1])

    def occupancy(self, mdp: FiniteMDP, policy: Array) -> Array:
        """Return a policy's expected visits, (R * A,); the policy is (S, A) or (H, S, A) on the polytope's MDP."""
        last = int(self.step.max())
        visits = np.zeros((last + 1, self.actions, mdp.state_count))
        for step, mass in enumerate(forward(mdp, policy)):
            if mdp.horizon is not None and step > last:
                break  # all episodes have ended
            visits[step if mdp.horizon is not None else 0] += mass
        return visits[self.step, :, self.state].ravel()

    def policy(self, eta: Array, mdp: FiniteMDP) -> Array:
        """Return the policy of some visits, (S, A) or (H, S, A): uniform where nothing is visited."""
        steps = () if mdp.horizon is None else (mdp.horizon,)
        table = np.full((*steps, mdp.state_count, self.actions), 1.0 / self.actions)
        visits = np.maximum(eta.reshape(-1, self.actions), 0.0)
        met = visits.sum(axis=1) > 0.0
        place = (self.step[met], self.state[met]) if steps else self.state[met]
        table[place] = visits[met] / visits[met].sum(axis=1, keepdims=True)
        return table


def polytope(mdp: FiniteMDP, limit: int = MAX_COLUMNS) -> Polytope:
    """Return the occupancy polytope of an MDP, over the states that it can reach.

    Args:
        mdp: its states are taken as what the agent sees; of one that hides some, give what `knowing` returns.
        limit: columns at most.

    Raises:
        TooLargeToEnumerate: more columns than `limit`.
    """
    from scipy.sparse import coo_array

    actions = len(mdp.actions)
    layers = list(_layers(mdp, limit))
    state = np.concatenate(layers)
    step = np.repeat(np.arange(len(layers)), [len(layer) for layer in layers])
    first = np.cumsum([0, *(len(layer) for layer in layers)])
    parts = [
        (np.repeat(np.arange(len(state)), actions), np.arange(len(state) * actions), np.ones(len(state) * actions))
    ]
    for number, layer in enumerate(layers):
        following = number + 1 if mdp.horizon is not None else number
        if following < len(layers):
            row, after, chance = _flows(mdp, layer)
            place = np.searchsorted(layers[following], after)
            parts.append((first[following] + place, first[number] * actions + row, -mdp.discount * chance))
    rows, columns, values = (np.concatenate(each) for each in zip(*parts, strict=True))
    start = np.zeros(len(state))
    np.add.at(start, np.searchsorted(layers[0], mdp.start), mdp.start_probability)
    return Polytope(
        state=state,
        step=step,
        balance=coo_array((values, (rows, columns)), shape=(len(state), len(state) * actions)).tocsr(),
        start=start,
        rewards=_rewards(mdp, state, step),
        actions=actions,
    )


def _layers(mdp: FiniteMDP, limit: int) -> Iterator[Index]:
    """Yield the states that can be reached at each step, ascending; without a horizon, once those ever reached."""
    states, columns = np.unique(mdp.start).astype(np.intp), 0
    if mdp.horizon is None:
        while True:
            more = np.union1d(states, _flows(mdp, states)[1])
            if len(more) == len(states):
                break
            states = more
        _check(mdp, len(states) * len(mdp.actions), limit)
        yield states
        return
    for _ in range(mdp.horizon):
        columns += len(states) * len(mdp.actions)
        _check(mdp, columns, limit)
        yield states
        states = np.unique(_flows(mdp, states)[1])
        if not len(states):
            return


def _check(mdp: FiniteMDP, columns: int, limit: int) -> None:
    if columns > limit:
        raise TooLargeToEnumerate(f"{mdp.name}: more than {limit:,} pairs of state and action, over all steps")


def _flows(mdp: FiniteMDP, states: Index) -> tuple[Index, Index, Array]:
    """Return what an episode survives: rows (place among the states * A + action), next states, probabilities."""
    actions = len(mdp.actions)
    outcome, count = mdp.transitions_of((states[:, None] * actions + np.arange(actions)).ravel())
    row = np.repeat(np.arange(len(count)), count)
    live = ~mdp.terminated[outcome]
    outcome = outcome[live]
    return row[live], mdp.next_state[outcome].astype(np.intp), mdp.probability[outcome]


def _rewards(mdp: FiniteMDP, state: Index, step: Index) -> Array:
    """Return both rewards of every column, (2, R * A); the last step's include what the horizon pays."""
    both = both_rewards(mdp)
    paid = both.expected[:, state].transpose(2, 1, 0)  # (2, R, A)
    if mdp.horizon is None or not both.final.any():
        return paid.reshape(2, -1)
    last = np.flatnonzero(step == mdp.horizon - 1)
    if not len(last):
        return paid.reshape(2, -1)
    row, after, chance = _flows(mdp, state[last])
    paid = paid.copy()
    for reward in range(2):
        at_end = np.bincount(row, chance * both.final[after, reward], len(last) * len(mdp.actions))
        paid[reward, last] += mdp.discount * at_end.reshape(len(last), -1)
    return paid.reshape(2, -1)
