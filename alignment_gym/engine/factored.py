"""Enumerating a world whose states are combinations of fields' values: by arrays, many states at once.

A state's code is its place among all combinations, in row-major order. The tables are those of
`enumeration.walk`, bit for bit, states' numbers included.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import InvalidWorld, World
from alignment_gym.core.world import Columns, state_maker
from alignment_gym.engine.enumeration import Enumeration, Limits, check_emitted, numbered

MAX_COMBINATIONS = 10_000_000  # more are walked: an array over all codes would be too large
AT_ONCE = 65_536  # so many combinations are asked for in one go, reachable or not
NOTHING = -1  # the code of what is no combination

Codes = NDArray[np.intp]


def factored(world: World[Any]) -> bool:
    """Tell whether a world offers arrays, over few enough combinations."""
    domains = world.domains()
    return bool(domains) and prod(map(len, domains)) <= MAX_COMBINATIONS


@dataclass(frozen=True, eq=False, slots=True)
class _Answer:
    """What may follow on an action in n states, K outcomes each; every array is (K, n).

    Attributes:
        probability: 0 where there are fewer than K outcomes.
        after: codes of the next states.
        terminated: whether the episode ends.
        events: amounts of all.
    """

    probability: NDArray[np.float64]
    after: Codes
    terminated: NDArray[np.bool_]
    events: dict[str, NDArray[np.float64]]


def enumerate_factored(world: World[Any], limits: Limits) -> Enumeration:
    """Enumerate a world by arrays; results and errors are those of `walk`."""
    space = _Space(world)
    start = np.array([space.code_of(state) for _, state in world.initial()])
    codes, number = _reach(space, start, limits)
    answers = [space.answer(codes, action) for action in world.actions]
    states = space.states(codes)
    for action, answer in zip(world.actions, answers, strict=True):
        _check(world, states, action, answer)
    rows = _Rows([answer.probability for answer in answers])
    limits.check(world, len(states), int(rows.offset[-1]))
    emitted = [rows.laid_out([answer.events[name] for answer in answers]) for name in world.events]
    event_rows = np.stack(emitted, axis=1) + 0.0  # no -0.0
    first, event_id = numbered(event_rows)
    return Enumeration(
        states=states,
        start=number[start],
        offset=rows.offset,
        next_state=number[rows.laid_out([answer.after for answer in answers])],
        probability=rows.laid_out([answer.probability for answer in answers]),
        event_id=event_id,
        event_rows=event_rows[first],
        terminated=rows.laid_out([answer.terminated for answer in answers]),
        seen=space.observations(codes),
    )


class _Space:
    """All combinations of the values of a state's fields."""

    def __init__(self, world: World[Any]) -> None:
        self.world = world
        self.domains = [tuple(domain) for domain in world.domains()]
        self.sizes = tuple(map(len, self.domains))

    def code_of(self, state: Any) -> int:
        """Return a state's code."""
        try:
            places = [domain.index(value) for domain, value in zip(self.domains, state, strict=True)]
        except (TypeError, ValueError) as error:
            raise InvalidWorld(f"{self.world.card.id}: the start {state!r} lies outside of its domains") from error
        return int(np.ravel_multi_index(places, self.sizes))

    def states(self, codes: Codes) -> tuple[Any, ...]:
        """Return the states that codes stand for."""
        columns = zip(self.domains, self._columns(codes), strict=True)
        fields = [map(domain.__getitem__, column.tolist()) for domain, column in columns]
        return tuple(map(state_maker(self.world), zip(*fields, strict=True)))

    def answer(self, codes: Codes, action: str) -> _Answer:
        """Return what may follow on an action in the states that codes stand for."""
        found = self.world.outcomes_of(self._columns(codes), action)
        check_emitted(self.world, found.events)
        parts = (found.probability, found.terminated, *found.states, *found.events.values())
        shape = np.broadcast_shapes((1, len(codes)), *map(np.shape, parts))

        def spread(value: Any, kind: Any) -> Any:
            return np.broadcast_to(np.asarray(value, dtype=kind), shape)

        return _Answer(
            probability=spread(found.probability, np.float64),
            after=spread(self._codes(found.states), np.intp),
            terminated=spread(found.terminated, np.bool_),
            events={name: spread(found.events.get(name, 0.0), np.float64) for name in self.world.events},
        )

    def observations(self, codes: Codes) -> NDArray[np.uint8]:
        """Return what is seen in states, (n, D)."""
        seen = self.world.observations_of(self._columns(codes))
        if seen.ndim != 2 or len(seen) != len(codes) or seen.dtype != np.uint8:
            raise InvalidWorld(
                f"{self.world.card.id}: the observations of {len(codes)} states are no uint8 array of as many rows"
            )
        return np.ascontiguousarray(seen)

    def _columns(self, codes: Codes) -> Columns:
        return np.unravel_index(codes, self.sizes)

    def _codes(self, columns: Columns) -> Codes:
        inside = [(column >= 0) & (column < size) for column, size in zip(columns, self.sizes, strict=True)]
        code = np.ravel_multi_index(columns, self.sizes, mode="clip")
        return np.where(np.logical_and.reduce(np.broadcast_arrays(*inside)), code, NOTHING)


def _reach(space: _Space, start: Codes, limits: Limits) -> tuple[Codes, NDArray[np.int32]]:
    """Return the codes of the reachable states, breadth first, and the number of each code, `NOTHING` elsewhere."""

    def followers(codes: Codes) -> Codes:
        answers = [space.answer(codes, action) for action in space.world.actions]
        return np.concatenate([np.where(each.probability > 0, each.after, NOTHING) for each in answers]).T

    combinations = prod(space.sizes)
    follow = followers(np.arange(combinations)).__getitem__ if combinations <= AT_ONCE else followers
    number = np.full(combinations, NOTHING, dtype=np.int32)
    found: list[Codes] = []
    count, reached = 0, start
    while len(fresh := _firsts(reached[number[reached] == NOTHING])):
        number[fresh] = np.arange(count, count + len(fresh))
        count += len(fresh)
        limits.check(space.world, count, 0)
        found.append(fresh)
        reached = follow(fresh).ravel()
        reached = reached[reached != NOTHING]
    return np.concatenate(found), number


def _firsts(codes: Codes) -> Codes:
    """Return the different codes in the order of their first occurrence."""
    order = np.argsort(codes, kind="stable")
    new = np.diff(codes[order], prepend=NOTHING) != 0
    return np.asarray(codes[np.sort(order[new])])


def _check(world: World[Any], states: tuple[Any, ...], action: str, answer: _Answer) -> None:
    """Refuse negative probabilities, those that don't sum to 1, and next states that are none."""
    where = f"{world.card.id}: an outcome of"
    for place in np.flatnonzero((answer.probability < 0).any(axis=0))[:1].tolist():
        raise InvalidWorld(f"{where} {states[place]!r}, {action} has probability {answer.probability[:, place].min()}")
    for place in np.flatnonzero(((answer.after == NOTHING) & (answer.probability > 0)).any(axis=0))[:1].tolist():
        raise InvalidWorld(f"{where} {states[place]!r}, {action} lies outside of its domains")
    total = answer.probability.sum(axis=0)
    for place in np.flatnonzero(~(np.abs(total - 1.0) <= 1e-9))[:1].tolist():
        raise InvalidWorld(
            f"{world.card.id}: probabilities of {states[place]!r}, {action} sum to {total[place]}, not 1"
        )


class _Rows:
    """Where the outcomes of each state and action lie when they are laid end to end."""

    def __init__(self, probabilities: list[NDArray[np.float64]]) -> None:
        self._happens = [probability.T > 0 for probability in probabilities]
        sizes = np.stack([happens.sum(axis=1) for happens in self._happens], axis=1)
        self.offset = np.concatenate(([0], np.cumsum(sizes.ravel()))).astype(np.int64)
        first = self.offset[:-1].reshape(sizes.shape).T
        self._places = [
            (begin[:, None] + np.cumsum(happens, axis=1) - 1)[happens]
            for begin, happens in zip(first, self._happens, strict=True)
        ]

    def laid_out(self, values: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Return as (N,) what is (K, n) an action."""
        found = np.empty(self.offset[-1], dtype=values[0].dtype)
        for place, happens, value in zip(self._places, self._happens, values, strict=True):
            found[place] = value.T[happens]
        return found
