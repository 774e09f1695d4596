"""An MDP's tables, laid out so that many lanes are looked up at once.

A transition's kind says what it pays and emits: few kinds stand for many transitions, so the
wide rows stay small and near. Where a row has several outcomes, a guide table leads from the
draw's first bits to the outcome, or to one just before it (the indexed search of Chen and Asau
1974); all rows with the same probabilities share a guide.
"""

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from alignment_gym.engine.accounts import Accounts, Weights
from alignment_gym.engine.growing import UNKNOWN, Column, GrowingMDP
from alignment_gym.engine.mdp import FiniteMDP

Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

GUIDE_BITS = 10  # of a draw, at most
GUIDE_ENTRIES = 1 << 20  # of all guides together, at most, while a guide has more than one


class Gathers:
    """What one step looks up. S states, A actions, N transitions, K kinds, E events, D features.

    Attributes:
        deterministic: whether a row's number is its transition's.
        ends: whether any transition terminates an episode.
        next_state, kind: intp (N,).
        proxy, true: float64 (K,), what a kind pays.
        events: float64 (K, E), what it emits, the final events of a termination included.
        seen: uint8 (S, D), observations without the clock.
        pays_finally: whether the horizon pays anything.
    """

    def __init__(self, mdp: FiniteMDP, accounts: Accounts) -> None:
        self.mdp = mdp
        self.accounts = accounts
        self.deterministic = mdp.deterministic
        self.ends = bool(mdp.terminated.any())
        self.pays_finally = bool(mdp.final.any())
        self._terminated = mdp.terminated
        shared = _shared(mdp)
        self.next_state, self.kind, self.events, self.seen = shared.next_state, shared.kind, shared.events, shared.seen
        self._guides = shared.guides
        self.proxy, self.true = self._by_kind(accounts.proxy), self._by_kind(accounts.true)
        if not self._agree():  # a reward of its own for every state and action
            self.kind = np.arange(len(self.next_state))
            self.events = self.events[shared.kind]
            self.proxy, self.true = accounts.proxy, accounts.true

    def follow(self, row: Index, draw: Index, state: Index, kind: Index, terminated: Flags) -> None:
        """Write what follows in rows on draws: next states, kinds and, where any row ends, flags; all are (lanes,)."""
        place = row if self._guides is None else self._guides.choose(row, draw)
        self.next_state.take(place, out=state, mode="clip")
        self.kind.take(place, out=kind, mode="clip")
        if self.ends:
            self._terminated.take(place, out=terminated, mode="clip")

    def final_events(self, state: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return what the horizon emits in states (n,): (n, E)."""
        return self.mdp.final.take(state, axis=0)

    def final_pay(self, state: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what the horizon pays in states (n,), proxy and true, (n,) each."""
        return self.accounts.proxy_final.take(state), self.accounts.true_final.take(state)

    def succeeded(self, state: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Tell in which states (n,) an episode ends as intended."""
        return self.mdp.succeeded.take(state)

    def _by_kind(self, paid: NDArray[np.float64]) -> NDArray[np.float64]:
        by_kind = np.zeros(len(self.events))
        by_kind[self.kind] = paid
        return by_kind

    def _agree(self) -> bool:
        pairs = ((self.proxy, self.accounts.proxy), (self.true, self.accounts.true))
        return all(bool((by_kind[self.kind] == paid).all()) for by_kind, paid in pairs)


class GrowingGathers:
    """The same from tables that grow: known rows are looked up, others followed one by one.

    Attributes:
        proxy, true, events, seen: as in `Gathers`, as far as the tables have grown.
        deterministic, ends, pays_finally: as in `Gathers`, at their safest.
    """

    deterministic = False
    ends = True
    pays_finally = True

    def __init__(self, mdp: GrowingMDP, accounts: Weights) -> None:
        self.mdp = mdp
        self.accounts = accounts
        self._proxy, self._true = Column(np.float64), Column(np.float64)
        self._paid = 0  # kinds that are weighed
        self._look()

    def _look(self) -> None:
        """Take up what the tables have grown by, whoever made them grow."""
        mdp = self.mdp
        self.seen, self.events = mdp.seen.array, mdp.kinds.array
        for kind in range(self._paid, mdp.kind_count):
            proxy, true = self.accounts.pay(self.events[kind])
            self._proxy.put(kind, proxy)
            self._true.put(kind, true)
        self._paid = mdp.kind_count
        self.proxy, self.true = self._proxy.array, self._true.array

    def follow(self, row: Index, draw: Index, state: Index, kind: Index, terminated: Flags) -> None:
        """Write what follows, as `Gathers.follow` does."""
        mdp = self.mdp
        place = mdp.known.array.take(row)
        unknown = np.flatnonzero(place == UNKNOWN)
        mdp.next_state.array.take(place, out=state, mode="clip")
        mdp.kind.array.take(place, out=kind, mode="clip")
        mdp.terminated.array.take(place, out=terminated, mode="clip")
        for lane in unknown.tolist():
            state[lane], kind[lane], terminated[lane] = mdp.follow(int(row[lane]), int(draw[lane]))
        if self._paid < mdp.kind_count or self.seen is not mdp.seen.array or self.events is not mdp.kinds.array:
            self._look()

    def final_events(self, state: Index) -> NDArray[np.float64]:
        """Return what the horizon emits in states (n,): (n, E)."""
        rows = [self.mdp.final_events(each) for each in state.tolist()]
        return np.array(rows).reshape(len(state), len(self.mdp.events))

    def final_pay(self, state: Index) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what the horizon pays in states (n,), proxy and true, (n,) each."""
        pays = np.array([self.accounts.pay(emitted) for emitted in self.final_events(state)]).reshape(len(state), 2)
        return pays[:, 0], pays[:, 1]

    def succeeded(self, state: Index) -> Flags:
        """Tell in which states (n,) an episode ends as intended."""
        return np.array([self.mdp.succeeded(each) for each in state.tolist()], dtype=np.bool_)


def gathers(mdp: FiniteMDP | GrowingMDP, accounts: Accounts | Weights) -> Gathers | GrowingGathers:
    """Return what lanes on an MDP look up."""
    if isinstance(mdp, GrowingMDP):
        assert isinstance(accounts, Weights)
        return GrowingGathers(mdp, accounts)
    assert isinstance(accounts, Accounts)
    return Gathers(mdp, accounts)


class _Shared:
    """What all gathers from one MDP have in common, whatever is paid."""

    def __init__(self, mdp: FiniteMDP) -> None:
        self.next_state = mdp.next_state.astype(np.intp)
        self.kind, events = _kinds(mdp)
        self.events = np.asarray(events, dtype=np.float64)
        self.seen = mdp.observations if _in_order(mdp.observation_id) else mdp.observations[mdp.observation_id]
        self.guides = None if mdp.deterministic else Guides(mdp)


@lru_cache(maxsize=64)
def _shared(mdp: FiniteMDP) -> _Shared:
    return _Shared(mdp)


def _in_order(numbers: NDArray[np.int32]) -> bool:
    return bool((numbers == np.arange(len(numbers))).all())


def _kinds(mdp: FiniteMDP) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return each transition's kind, (N,), and what the kinds emit, (K, E)."""
    pays = mdp.terminated & np.asarray(mdp.final.any(axis=-1))[mdp.next_state]
    if not pays.any():
        return mdp.event_id.astype(np.intp), mdp.event_rows
    code = mdp.event_id * np.int64(mdp.state_count + 1) + pays * (mdp.next_state + np.int64(1))
    _, first, kind = np.unique(code, return_index=True, return_inverse=True)
    return kind, mdp.event_rows[mdp.event_id[first]] + pays[first, None] * mdp.final[mdp.next_state[first]]


class Guides:
    """From rows and draws to transitions; the first whose upper bound exceeds the draw."""

    def __init__(self, mdp: FiniteMDP) -> None:
        self._first = mdp.offset[:-1].astype(np.intp)
        self._last = mdp.bounds.astype(np.int64) - 1  # the largest draw that chooses a transition
        law, members = self._laws(mdp.offset)
        spare = GUIDE_ENTRIES // len(members)
        bits = min(GUIDE_BITS, max(spare.bit_length() - 1, 0))
        self._shift = np.array(32 - bits, dtype=np.intp)
        edges = np.arange(1 << bits, dtype=np.int64) << (32 - bits)
        self._guide = np.concatenate([np.searchsorted(self._last[low:high], edges) for low, high in members])
        self._begin = law << bits

    def _laws(self, offset: NDArray[np.int64]) -> tuple[NDArray[np.intp], list[tuple[int, int]]]:
        """Number the rows' distributions; return each row's, and a row's extent for each."""
        content, ends = self._last.tobytes(), offset.tolist()
        number: dict[bytes, int] = {}
        members: list[tuple[int, int]] = []
        law = []
        for low, high in pairwise(ends):
            same = content[8 * low : 8 * high]
            if same not in number:
                number[same] = len(members)
                members.append((low, high))
            law.append(number[same])
        return np.array(law, dtype=np.intp), members

    def choose(self, row: NDArray[np.intp], draw: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the transitions chosen, (lanes,)."""
        entry = draw >> self._shift
        entry += self._begin.take(row)
        place = self._guide.take(entry)
        place += self._first.take(row)
        short = self._last.take(place) < draw
        if np.count_nonzero(short):
            lanes = np.flatnonzero(short)
            while len(lanes):
                place[lanes] += 1
                lanes = lanes[self._last.take(place[lanes]) < draw[lanes]]
        return place
