"""An MDP's tables as Python objects, for one episode at a time: a step follows a few references.

Reading one number out of an array costs more than reading a list. A state is laid out when it is
first reached, once for all single environments of the same tables.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from alignment_gym.engine.accounts import Accounts
from alignment_gym.engine.mdp import FiniteMDP


class Node:
    """A state: how it is seen, without the clock, and a branch an action, none before it is reached."""

    __slots__ = ("branches", "observe", "state")

    def __init__(self, state: int, seen: NDArray[np.uint8]) -> None:
        self.state = state
        self.observe = seen.copy
        self.branches: list[Branch] = []


class Followed(NamedTuple):
    """What one outcome brings."""

    node: Node
    proxy_reward: float
    true_reward: float
    terminated: bool
    events: dict[str, float]  # those that are not 0, the final ones of a termination included


class Branch(NamedTuple):
    """What may follow on an action: the outcomes, and, if they are several, their upper bounds on the draw."""

    bounds: list[int] | None
    first: Followed
    outcomes: list[Followed]


class Lookups:
    """The nodes met so far."""

    def __init__(self, mdp: FiniteMDP, accounts: Accounts) -> None:
        self._mdp = mdp
        self._accounts = accounts
        self._nodes: list[Node | None] = [None] * mdp.state_count

    def reached(self, state: int) -> Node:
        """Return a state's node, laid out."""
        node = self._node(state)
        return node if node.branches else self.lay_out(node)

    def lay_out(self, node: Node) -> Node:
        """Give a node its branches."""
        count = len(self._mdp.actions)
        node.branches = [self._branch(row) for row in range(node.state * count, (node.state + 1) * count)]
        return node

    def _node(self, state: int) -> Node:
        node = self._nodes[state]
        if node is None:
            seen = self._mdp.observations[self._mdp.observation_id[state]]
            node = self._nodes[state] = Node(state, seen)
        return node

    def _branch(self, row: int) -> Branch:
        low, high = self._mdp.offset[row : row + 2].tolist()
        outcomes = [self._followed(place) for place in range(low, high)]
        return Branch(self._mdp.bounds[low:high].tolist() if len(outcomes) > 1 else None, outcomes[0], outcomes)

    def _followed(self, place: int) -> Followed:
        mdp, accounts = self._mdp, self._accounts
        state, terminated = int(mdp.next_state[place]), bool(mdp.terminated[place])
        row = mdp.event_rows[mdp.event_id[place]] + (mdp.final[state] if terminated else 0.0)
        paid = float(accounts.proxy[place]), float(accounts.true[place])
        return Followed(self._node(state), *paid, terminated, named(mdp.events, row.tolist()))


def named(events: tuple[str, ...], row: list[float]) -> dict[str, float]:
    """Return the events of a row that are not 0, by name."""
    return {name: value for name, value in zip(events, row, strict=True) if value}


@lru_cache(maxsize=16)
def lookups(mdp: FiniteMDP) -> Lookups:
    """Return the nodes of an MDP under its own proxy, the same ones to all who ask."""
    return Lookups(mdp, Accounts.open(mdp))
