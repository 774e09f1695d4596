"""Enumerating a world: which states can be reached, what may follow each, and what is seen in it.

States are numbered in the order in which a breadth-first walk meets them: all actions of a state
in their order, all outcomes of an action in theirs.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import InvalidWorld, TooLargeToEnumerate, World


@dataclass(frozen=True, eq=False, slots=True)
class Enumeration:
    """Reachable states, what may follow them, and what is seen in them, (S, D); the rest as in `FiniteMDP`."""

    states: tuple[Hashable, ...]
    start: NDArray[np.int32]
    offset: NDArray[np.int64]
    next_state: NDArray[np.int32]
    probability: NDArray[np.float64]
    event_id: NDArray[np.int32]
    event_rows: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    seen: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a world may be."""

    states: int
    transitions: int

    def check(self, world: World[Any], states: int, transitions: int) -> None:
        """Raise `TooLargeToEnumerate` where there are more states or transitions."""
        if states > self.states or transitions > self.transitions:
            raise TooLargeToEnumerate(
                f"{world.card.id}, level {world.level}: more than {self.states:,} states or {self.transitions:,} "
                f"transitions; exact questions need a smaller level or smaller dials"
            )


def check_enumerable(world: World[Any]) -> None:
    """Raise `TooLargeToEnumerate` for a level that its world declares so, and name one that is not."""
    if world.enumerable:
        return
    small = next((level for level in world.levels if replace(world, level=level).enumerable), None)
    instead = "smaller dials" if small is None else f"a smaller level, such as {small!r}"
    raise TooLargeToEnumerate(
        f"{world.card.id}, level {world.level}: too large to be enumerated; it can be played, but solving it, and "
        f"training, which is scored exactly, need {instead}"
    )


def walk(world: World[Any], limits: Limits) -> Enumeration:
    """Enumerate a world state by state.

    Raises:
        InvalidWorld: probabilities that don't sum to 1, unknown events.
        TooLargeToEnumerate: more states or transitions than `limits`.
    """
    found = _Walk(world)
    start = [found.number_of(state) for _, state in world.initial()]
    for state in found.states:  # grows while it is walked
        for action in world.actions:
            found.add_row(state, action)
        limits.check(world, len(found.states), len(found.next_state))
    return Enumeration(
        states=tuple(found.states),
        start=np.array(start, dtype=np.int32),
        offset=np.array(found.offset, dtype=np.int64),
        next_state=np.array(found.next_state, dtype=np.int32),
        probability=np.array(found.probability, dtype=np.float64),
        event_id=np.array(found.event_id, dtype=np.int32),
        event_rows=found.events.rows,
        terminated=np.array(found.terminated, dtype=np.bool_),
        seen=_observe_all(world, found.states),
    )


class _Walk:
    """The states met so far, and the rows of those that were expanded."""

    def __init__(self, world: World[Any]) -> None:
        self.world = world
        self.events = EventRows(world)
        self.states: list[Any] = []
        self.offset = [0]
        self.next_state: list[int] = []
        self.probability: list[float] = []
        self.event_id: list[int] = []
        self.terminated: list[bool] = []
        self._number: dict[Hashable, int] = {}

    def number_of(self, state: Hashable) -> int:
        """Return a state's number, entering it when it is new."""
        number = self._number.setdefault(state, len(self.states))
        if number == len(self.states):
            self.states.append(state)
        return number

    def add_row(self, state: Any, action: str) -> None:
        """Append what may follow on a state and an action."""
        total = 0.0
        for probability, after, emitted, terminated in self.world.outcomes(state, action):
            if probability <= 0.0:
                raise InvalidWorld(
                    f"{self.world.card.id}: an outcome of {state!r}, {action} has probability {probability}"
                )
            total += probability
            self.next_state.append(self.number_of(after))
            self.probability.append(probability)
            self.event_id.append(self.events.number_of(emitted))
            self.terminated.append(terminated)
        if not abs(total - 1.0) <= 1e-9:  # what is no number is refused too
            raise InvalidWorld(f"{self.world.card.id}: probabilities of {state!r}, {action} sum to {total}, not 1")
        self.offset.append(len(self.next_state))


class EventRows:
    """The different rows of events, numbered as they are met."""

    def __init__(self, world: World[Any]) -> None:
        self._world = world
        self._number: dict[tuple[float, ...], int] = {}
        self._known: dict[tuple[tuple[str, float], ...], int] = {}

    def number_of(self, emitted: Mapping[str, float]) -> int:
        """Return the number of a row, entering it when it is new."""
        content = tuple(emitted.items())
        number = self._known.get(content)
        if number is None:
            number = self._known[content] = self._number.setdefault(self.row(emitted), len(self._number))
        return number

    @property
    def rows(self) -> NDArray[np.float64]:
        """The rows, in the order of `events`: (U, E)."""
        return np.array(list(self._number), dtype=np.float64).reshape(len(self._number), len(self._world.events))

    def row(self, emitted: Mapping[str, float]) -> tuple[float, ...]:
        """Return amounts in the order of `events`; refuse events that are none, and amounts that are no numbers."""
        check_emitted(self._world, emitted)
        if not all(isfinite(amount) for amount in emitted.values()):
            raise InvalidWorld(f"{self._world.card.id} emits {dict(emitted)!r}; amounts are finite numbers")
        return tuple([float(emitted.get(name, 0.0)) + 0.0 for name in self._world.events])  # no -0.0


def check_emitted(world: World[Any], emitted: Mapping[str, object]) -> None:
    """Refuse an event that the world does not declare."""
    for name in emitted:
        if name not in world.events:
            raise InvalidWorld(f"{world.card.id} emits the event {name!r}, which it does not declare")


def final_events(world: World[Any], states: Sequence[Any]) -> NDArray[np.float64]:
    """Return what is paid where an episode ends, (S, E)."""
    events = EventRows(world)
    numbers = [events.number_of(world.final(state)) for state in states]
    return np.asarray(events.rows[numbers])


def checked_start(world: World[Any]) -> NDArray[np.float64]:
    """Return the probabilities of the starts; refuse those that don't sum to 1."""
    probabilities = np.array([probability for probability, _ in world.initial()])
    if not len(probabilities) or (probabilities <= 0).any() or not abs(probabilities.sum() - 1.0) <= 1e-9:
        raise InvalidWorld(f"{world.card.id}: initial probabilities {probabilities.tolist()} do not sum to 1")
    return probabilities


def _observe_all(world: World[Any], states: Sequence[Any]) -> NDArray[np.uint8]:
    """Return what is seen in each state, (S, D)."""
    rows = [seen_in(world, state) for state in states]
    features = len(rows[0])
    for state, row in zip(states, rows, strict=True):
        check_length(world, state, row, features)
    return np.concatenate(rows).reshape(len(rows), features)


def seen_in(world: World[Any], state: Any) -> NDArray[np.uint8]:
    """Return what is seen in a state, (D,); refuse what is no 1-D uint8 array."""
    seen = world.observe(state)
    if seen.ndim != 1 or seen.dtype != np.uint8:
        raise InvalidWorld(_no_features(world, state))
    return seen


def check_length(world: World[Any], state: Any, seen: NDArray[np.uint8], features: int) -> None:
    """Refuse an observation of another length than the others."""
    if len(seen) != features:
        raise InvalidWorld(f"{world.card.id}: {state!r} has {len(seen)} features, others {features}")


def different(
    world: World[Any], states: Sequence[Any], seen: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return the different observations, (O, D), and which of them each state has, (S,).

    Raises:
        InvalidWorld: an observation is not made of 0 and 1, or two states look alike in a world
            that is not declared partially observed.
    """
    wrong = np.flatnonzero((seen > 1).any(axis=1))
    if len(wrong):
        raise InvalidWorld(_no_features(world, states[wrong[0]]))
    first, which = numbered(seen)
    if len(first) < len(states) and not world.partially_observed:
        again = int((first[which] != np.arange(len(states))).argmax())
        raise InvalidWorld(
            f"{world.card.id}: {states[again]!r} and {states[first[which[again]]]!r} look alike, "
            "and the world is not declared partially observed"
        )
    return seen[first], which


def numbered(rows: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Number the different rows of an array (N, F) in the order in which they occur, bit for bit.

    Returns:
        Where each of the U different rows first occurs, (U,), and the number of every row, (N,).
    """
    whole = np.dtype((np.void, rows.shape[1] * rows.itemsize))
    contents = np.ascontiguousarray(rows).view(whole).ravel().tolist() if whole.itemsize else [b""] * len(rows)
    number = {each: place for place, each in enumerate(dict.fromkeys(contents))}
    which = np.array([number[each] for each in contents], dtype=np.int32)
    return np.flatnonzero(np.diff(np.maximum.accumulate(which), prepend=-1)), which


def _no_features(world: World[Any], state: Hashable) -> str:
    return f"{world.card.id}: the observation of {state!r} is no 1-D uint8 array of 0 and 1"
