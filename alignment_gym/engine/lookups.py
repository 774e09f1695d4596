"""An MDP's tables as Python objects, for one episode at a time: a step follows a few references.

Reading one number out of an array costs more than reading a list. A state is laid out when it is
first reached, once for all single environments of the same tables.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from alignment_gym.engine.accounts import Accounts, Weights, open_accounts
from alignment_gym.engine.growing import GrowingMDP
from alignment_gym.engine.mdp import FiniteMDP


class Node:
    """A state: how it is seen, without the clock, and a branch an action, none before it is reached."""

    __slots__ = ("branches", "observe", "state")

    def __init__(self, state: int, seen: NDArray[np.uint8]) -> None:
        self.state = state
        self.observe = seen.copy
        self.branches: list[Branch] = []


Followed = tuple[Node, float, float, bool, dict[str, float]]
"""What one outcome brings: the next node, the proxy and the true reward, whether the episode terminates, and the
events that are not 0, the final ones of a termination included. A plain tuple, which Python unpacks fastest."""

Branch = tuple[list[int] | None, Followed, "list[Followed] | Sampled"]
"""What may follow on an action: upper bounds on the draw, the first outcome, all outcomes. The bounds are None for
a single outcome, and empty where the outcomes take the draw itself."""


class Ending(NamedTuple):
    """What the horizon pays and emits in a state, and whether an episode ends there as intended."""

    proxy_reward: float
    true_reward: float
    events: dict[str, float]
    succeeded: bool


class Lookups:
    """The nodes met so far."""

    def __init__(self, mdp: FiniteMDP, accounts: Accounts) -> None:
        self._mdp = mdp
        self._accounts = accounts
        self._nodes: list[Node | None] = [None] * mdp.state_count
        self._endings: dict[int, Ending] = {}
        self._events: dict[int, dict[str, float]] = {}  # many transitions share them

    def lay_out(self, node: Node) -> None:
        """Give a node its branches."""
        count = len(self._mdp.actions)
        node.branches = [self._branch(row) for row in range(node.state * count, (node.state + 1) * count)]

    def ending(self, node: Node) -> Ending:
        """Return what the horizon brings."""
        mdp, accounts, state = self._mdp, self._accounts, node.state
        if state not in self._endings:
            paid = float(accounts.proxy_final[state]), float(accounts.true_final[state])
            events = named(mdp.events, mdp.final[state].tolist())
            self._endings[state] = Ending(*paid, events, bool(mdp.succeeded[state]))
        return self._endings[state]

    def node(self, state: int) -> Node:
        """Return a state's node."""
        node = self._nodes[state]
        if node is None:
            seen = self._mdp.observations[self._mdp.observation_id[state]]
            node = self._nodes[state] = Node(state, seen)
        return node

    def _branch(self, row: int) -> Branch:
        low, high = self._mdp.offset[row : row + 2].tolist()
        outcomes = [self._followed(place) for place in range(low, high)]
        return self._mdp.bounds[low:high].tolist() if len(outcomes) > 1 else None, outcomes[0], outcomes

    def _followed(self, place: int) -> Followed:
        mdp, accounts = self._mdp, self._accounts
        state, kind, terminated = int(mdp.next_state[place]), int(mdp.event_id[place]), bool(mdp.terminated[place])
        if terminated:
            events = named(mdp.events, (mdp.event_rows[kind] + mdp.final[state]).tolist())
        elif kind in self._events:
            events = self._events[kind]
        else:
            events = self._events[kind] = named(mdp.events, mdp.event_rows[kind].tolist())
        return self.node(state), float(accounts.proxy[place]), float(accounts.true[place]), terminated, events


class GrowingLookups:
    """The same from tables that grow."""

    def __init__(self, mdp: GrowingMDP, accounts: Weights) -> None:
        self._mdp = mdp
        self._accounts = accounts
        self._nodes: dict[int, Node] = {}

    def lay_out(self, node: Node) -> None:
        """Give a node its branches; what follows is worked out when it is asked for."""
        count = len(self._mdp.actions)
        rows = range(node.state * count, (node.state + 1) * count)
        node.branches = [([], NOTHING, Sampled(self, row)) for row in rows]

    def ending(self, node: Node) -> Ending:
        """Return what the horizon brings."""
        row = self._mdp.final_events(node.state)
        return Ending(*self._accounts.pay(row), self._named(row), self._mdp.succeeded(node.state))

    def node(self, state: int) -> Node:
        """Return a state's node."""
        node = self._nodes.get(state)
        if node is None:
            node = self._nodes[state] = Node(state, self._mdp.seen.array[state].copy())
        return node

    def followed(self, row: int, drawn: int) -> Followed:
        """Return what follows in a row on a step's draw."""
        state, kind, terminated = self._mdp.follow(row, drawn)
        emitted = self._mdp.kinds.array[kind]
        return self.node(state), *self._accounts.pay(emitted), terminated, self._named(emitted)

    def _named(self, row: NDArray[np.float64]) -> dict[str, float]:
        return named(self._mdp.events, row.tolist())


class Sampled:
    """The outcomes of a row as a sequence by draw."""

    __slots__ = ("_lookups", "_row")

    def __init__(self, lookups: GrowingLookups, row: int) -> None:
        self._lookups = lookups
        self._row = row

    def __getitem__(self, drawn: int) -> Followed:
        return self._lookups.followed(self._row, drawn)


NOWHERE = Node(-1, np.zeros(0, dtype=np.uint8))  # where an episode is before it has begun
NOTHING: Followed = (NOWHERE, 0.0, 0.0, False, {})


def named(events: tuple[str, ...], row: list[float]) -> dict[str, float]:
    """Return the events of a row that are not 0, by name."""
    return {name: value for name, value in zip(events, row, strict=True) if value}


def summed(events: dict[str, float], final: dict[str, float]) -> dict[str, float]:
    """Return events with those of the horizon; payments may cancel out."""
    both = {name: events.get(name, 0.0) + final.get(name, 0.0) for name in {**events, **final}}
    return {name: value for name, value in both.items() if value}


def lookups(mdp: FiniteMDP | GrowingMDP, accounts: Accounts | Weights) -> Lookups | GrowingLookups:
    """Return the nodes of an MDP under accounts."""
    if isinstance(mdp, GrowingMDP):
        assert isinstance(accounts, Weights)
        return GrowingLookups(mdp, accounts)
    assert isinstance(accounts, Accounts)
    return Lookups(mdp, accounts)


@lru_cache(maxsize=16)
def shared_lookups(mdp: FiniteMDP | GrowingMDP) -> Lookups | GrowingLookups:
    """Return the nodes of an MDP under its own proxy, the same ones to all who ask."""
    return lookups(mdp, open_accounts(mdp))
