"""Enumerating a world: which states can be reached, what may follow each, and what is seen in it."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import InvalidWorld, World


class Enumeration:
    """The states met so far, and the rows of those that were expanded."""

    def __init__(self, world: World[Any]) -> None:
        self.world = world
        self.events = tuple(world.events)
        self.states: list[Any] = []
        self.offset = [0]
        self.next_state: list[int] = []
        self.probability: list[float] = []
        self.event_id: list[int] = []
        self.event_rows: dict[tuple[float, ...], int] = {}
        self.terminated: list[bool] = []
        self._number: dict[Hashable, int] = {}

    def number_of(self, state: Hashable) -> int:
        """Return a state's number, entering it when it is new."""
        if state not in self._number:
            self._number[state] = len(self.states)
            self.states.append(state)
        return self._number[state]

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
            self.event_id.append(self.event_rows.setdefault(self.event_row(emitted), len(self.event_rows)))
            self.terminated.append(terminated)
        if abs(total - 1.0) > 1e-9:
            raise InvalidWorld(f"{self.world.card.id}: probabilities of {state!r}, {action} sum to {total}, not 1")
        self.offset.append(len(self.next_state))

    def event_row(self, emitted: Mapping[str, float]) -> tuple[float, ...]:
        """Return emitted events as a row, in the order of `events`."""
        for name in emitted:
            if name not in self.world.events:
                raise InvalidWorld(f"{self.world.card.id} emits the event {name!r}, which it does not declare")
        return tuple([float(emitted.get(name, 0.0)) for name in self.events])


def checked_start(world: World[Any]) -> NDArray[np.float64]:
    """Return the probabilities of the starts; refuse those that don't sum to 1."""
    probabilities = np.array([probability for probability, _ in world.initial()])
    if not len(probabilities) or (probabilities <= 0).any() or abs(probabilities.sum() - 1.0) > 1e-9:
        raise InvalidWorld(f"{world.card.id}: initial probabilities {probabilities.tolist()} do not sum to 1")
    return probabilities


def observe_all(world: World[Any], states: list[Any]) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return the different observations, (O, D), and which of them each state has, (S,)."""
    seen: dict[bytes, int] = {}
    first: list[NDArray[np.uint8]] = []
    ids: list[int] = []
    for state in states:
        observation = world.observe(state)
        if observation.ndim != 1 or observation.dtype != np.uint8 or observation.max(initial=0) > 1:
            raise InvalidWorld(f"{world.card.id}: the observation of {state!r} is no 1-D uint8 array of 0 and 1")
        if first and len(observation) != len(first[0]):
            raise InvalidWorld(f"{world.card.id}: {state!r} has {len(observation)} features, others {len(first[0])}")
        content = observation.tobytes()
        if content in seen and not world.partially_observed:
            raise InvalidWorld(
                f"{world.card.id}: {state!r} and {states[ids.index(seen[content])]!r} look alike, "
                "and the world is not declared partially observed"
            )
        if content not in seen:
            seen[content] = len(first)
            first.append(observation)
        ids.append(seen[content])
    return np.stack(first), np.array(ids, dtype=np.int32)
