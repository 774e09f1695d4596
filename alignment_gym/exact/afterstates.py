"""Where rows lead, worked out once a table: next states, and afterstates that many rows share.

A row is an action in a state. One that leads to a single state for sure needs that state's value and no
arithmetic. Others have a distribution over next states, and many have the same: chance goes on alike,
whatever way a robot came to a cell. Such an afterstate (Sutton and Barto 2018, section 6.8) is valued once,
and one gather hands values to all rows.

So values stand in one array of `height` rows: S states, then nothing, for what terminates, then afterstates.
Rows are numbered action by action, so that a maximum over actions is one over whole arrays.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import is_

import numpy as np
from numpy.typing import NDArray

from alignment_gym.engine.mdp import FiniteMDP

Array = NDArray[np.float64]
Index = NDArray[np.intp]

BATCH = 1 << 14  # outcomes worked through together: some hundred kilobytes, as fit a core's own cache
MIX = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], dtype=np.uint64)  # odd, from SplitMix64


@dataclass(frozen=True, slots=True)
class Group:
    """Afterstates of one size, their outcomes laid out (size, count): a sum over them is one over whole arrays.

    Attributes:
        place: where the first stands in the array of values.
        size: outcomes that each of them has, padding included.
        count: how many there are.
        begin: where their outcomes begin.
    """

    place: int
    size: int
    count: int
    begin: int

    @property
    def end(self) -> int:
        """Where their outcomes end."""
        return self.begin + self.size * self.count


@dataclass(frozen=True, eq=False, slots=True)
class Afterstates:
    """Where the rows of an MDP lead.

    Attributes:
        states: S.
        height: S + 1 + the number of afterstates.
        place: intp (A * S,), where in the array of values a row finds its own.
        next_state: intp (M,), the outcomes of all afterstates; S pads.
        probability: float64 (M,); 0 pads.
        source: intp (M,), where in the array of values an outcome's afterstate stands.
        groups: in the order of their places and of their outcomes.
    """

    states: int
    height: int
    place: Index
    next_state: Index
    probability: Array
    source: Index
    groups: tuple[Group, ...]

    def batches(self) -> Iterator[list[Group]]:
        """Yield runs of groups that have a batch of outcomes together."""
        batch: list[Group] = []
        for group in self.groups:
            if batch and group.end - batch[0].begin > BATCH:
                yield batch
                batch = []
            batch.append(group)
        if batch:
            yield batch

    def onward(self, visits: Array) -> Array:
        """Return the mass on next states, (S,), after visits of actions and states, (A, S)."""
        mass = np.bincount(self.place, visits.ravel(), self.height)
        arrived = mass[: self.states]
        if self.groups:
            chances = mass.take(self.source) * self.probability
            arrived = arrived + np.bincount(self.next_state, chances, self.states + 1)[: self.states]
        return np.asarray(arrived)


class Outlook:
    """Values of R rewards in all states, and what rows can expect of them.

    Attributes:
        values: (S, R), to be written to.
    """

    def __init__(self, ahead: Afterstates, rewards: int, nothing: float = 0.0) -> None:
        """Start from zeros; `nothing` is the value of an episode that is over."""
        self._place = ahead.place
        self._all = np.zeros((ahead.height, rewards))
        self._all[ahead.states] = nothing
        self.values = self._all[: ahead.states]
        self._rows = np.empty((len(ahead.place), rewards))
        self._batches = [_Batch(ahead, groups, self._all) for groups in ahead.batches()]

    def expected(self) -> Array:
        """Return the expectation of next values, (A, S, R), in a buffer that the next call fills anew."""
        for batch in self._batches:
            np.multiply(batch.outcomes(), batch.probability, out=batch.gathered)
            batch.reduce(np.add)
        return self._of_rows()

    def least(self) -> Array:
        """Return the smallest of the next values, (A, S, R), in that buffer."""
        for batch in self._batches:
            batch.outcomes()
            batch.reduce(np.minimum)
        return self._of_rows()

    def _of_rows(self) -> Array:
        self._all.take(self._place, axis=0, out=self._rows, mode="clip")
        return self._rows.reshape(-1, *self.values.shape)


class _Batch:
    """Some groups of afterstates, and room for the values of their outcomes.

    Attributes:
        gathered: (outcomes, R), a buffer.
        probability: (outcomes, R), the same for all rewards.
    """

    def __init__(self, ahead: Afterstates, groups: Sequence[Group], values: Array) -> None:
        part, rewards = slice(groups[0].begin, groups[-1].end), values.shape[1]
        self._values, self._next_state = values, ahead.next_state[part]
        self.gathered = np.empty((len(self._next_state), rewards))
        self.probability = np.repeat(ahead.probability[part, None], rewards, axis=1)
        self._reduced = []
        for group in groups:
            outcomes = self.gathered[group.begin - part.start : group.end - part.start]
            into = values[group.place : group.place + group.count]
            self._reduced.append((outcomes.reshape(group.size, group.count, rewards), into))

    def outcomes(self) -> Array:
        """Gather the values of all outcomes."""
        return self._values.take(self._next_state, axis=0, out=self.gathered, mode="clip")

    def reduce(self, operation: np.ufunc) -> None:
        """Make the value of each afterstate from those of its outcomes."""
        for outcomes, into in self._reduced:
            operation.reduce(outcomes, axis=0, out=into)


def afterstates(mdp: FiniteMDP) -> Afterstates:
    """Return where rows lead, once for all MDPs that differ in horizon, discount or specification alone."""
    return _afterstates(_Transitions(mdp))


class _Transitions:
    """The arrays that say where rows lead; equal to others if they are the same arrays."""

    def __init__(self, mdp: FiniteMDP) -> None:
        self.mdp = mdp
        self.arrays = mdp.offset, mdp.next_state, mdp.probability, mdp.terminated

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Transitions) and all(map(is_, self.arrays, other.arrays))

    def __hash__(self) -> int:
        return hash(tuple(map(id, self.arrays)))


@lru_cache(maxsize=64)
def _afterstates(transitions: _Transitions) -> Afterstates:
    nothing = transitions.mdp.state_count
    rows = _Rows(transitions.mdp)
    place = np.full(len(rows.count), nothing, dtype=np.intp)
    place[rows.sure] = rows.next_state[rows.first[rows.sure]]
    chancy = np.flatnonzero((rows.count > 0) & ~rows.sure)
    model = rows.models(chancy)
    distinct = chancy[model == chancy]
    distinct = distinct[np.argsort(_padded(rows.count[distinct]), kind="stable")]
    place[distinct] = nothing + 1 + np.arange(len(distinct))
    place[chancy] = place[model]
    groups = tuple(_grouped(_padded(rows.count[distinct]), nothing + 1))
    outcome, real = rows.laid_out(distinct, groups)
    sources = [np.tile(np.arange(group.place, group.place + group.count), group.size) for group in groups]
    return Afterstates(
        states=nothing,
        height=nothing + 1 + len(distinct),
        place=place,
        next_state=np.where(real, rows.next_state[outcome], nothing),
        probability=np.where(real, rows.probability[outcome], 0.0),
        source=np.concatenate([np.empty(0, dtype=np.intp), *sources]),
        groups=groups,
    )


def _padded(count: Index) -> Index:
    """Round counts up to 1, 2, 3, 4, 6, 8, 12, 16, ...: few sizes, and at most a third of padding."""
    step = 1 << np.maximum(np.frexp(count)[1] - 2, 0)
    return np.asarray(-(-count // step) * step, dtype=np.intp)


def _grouped(size: Index, place: int) -> Iterator[Group]:
    """Yield groups of afterstates of the given sizes, in ascending order; none has more outcomes than a batch."""
    begin = 0
    for each, count in zip(*map(np.ndarray.tolist, np.unique(size, return_counts=True)), strict=True):
        most = max(BATCH // each, 1)
        for done in range(0, count, most):
            group = Group(place, each, min(most, count - done), begin)
            yield group
            place, begin = place + group.count, group.end


class _Rows:
    """The outcomes that an episode survives: `count` of them from `first` on are a row's."""

    def __init__(self, mdp: FiniteMDP) -> None:
        live = ~mdp.terminated
        self.next_state = mdp.next_state[live].astype(np.intp)
        self.probability = mdp.probability[live]
        count = np.add.reduceat(live, mdp.offset[:-1], dtype=np.intp)
        first = np.cumsum(count) - count
        self.count, self.first = (each.reshape(mdp.state_count, -1).T.ravel() for each in (count, first))
        self.sure = self.count == 1
        self.sure[self.sure] = self.probability[self.first[self.sure]] == 1.0

    def models(self, rows: Index) -> Index:
        """Return, for each of some rows, the first of them with the same outcomes.

        Rows of one hash are compared, outcome by outcome, with the first of them. One that differs stands
        for itself, so a collision costs time and nothing else.
        """
        if not len(rows):
            return rows
        _, first, like = np.unique(self.hashes(rows), return_index=True, return_inverse=True)
        model = rows[first][like]
        return np.where(self.equal(rows, model), model, rows)

    def hashes(self, rows: Index) -> NDArray[np.uint64]:
        """Mix each outcome with its place in the row, and sum: (rows,)."""
        outcomes, begin = self._outcomes(rows)
        slot = (np.arange(len(outcomes)) - np.repeat(begin, self.count[rows])).astype(np.uint64)
        mixed = self.next_state[outcomes].astype(np.uint64) * MIX[0] + slot * MIX[1]
        mixed = (mixed ^ mixed >> np.uint64(31)) * MIX[2] + self.probability[outcomes].view(np.uint64)
        mixed = (mixed ^ mixed >> np.uint64(29)) * MIX[0]
        return np.asarray(np.add.reduceat(mixed ^ mixed >> np.uint64(32), begin))

    def equal(self, rows: Index, others: Index) -> NDArray[np.bool_]:
        """Tell whether rows have the outcomes of other rows, in the same order."""
        equal = self.count[rows] == self.count[others]
        if equal.any():
            one, begin = self._outcomes(rows[equal])
            other, _ = self._outcomes(others[equal])
            differs = self.next_state[one] != self.next_state[other]
            differs |= self.probability[one] != self.probability[other]
            equal[equal] = ~np.logical_or.reduceat(differs, begin)
        return np.asarray(equal)

    def laid_out(self, rows: Index, groups: Sequence[Group]) -> tuple[Index, NDArray[np.bool_]]:
        """Return which outcomes stand where in the groups of rows, and which are real and no padding: both (M,)."""
        outcomes, real = [np.empty(0, dtype=np.intp)], [np.empty(0, dtype=np.bool_)]
        for group in groups:
            members, rows = rows[: group.count], rows[group.count :]
            slot = np.arange(group.size)[:, None]
            outcomes.append((self.first[members] + np.minimum(slot, self.count[members] - 1)).ravel())
            real.append((slot < self.count[members]).ravel())
        return np.concatenate(outcomes), np.concatenate(real)

    def _outcomes(self, rows: Index) -> tuple[Index, Index]:
        """Return the places of the outcomes of rows, end to end, and where among them each row begins."""
        count = self.count[rows]
        begin = np.cumsum(count) - count
        return np.repeat(self.first[rows] - begin, count) + np.arange(count.sum()), begin
