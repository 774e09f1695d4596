"""Tables that grow as states are visited, for levels that are too large to be enumerated.

Deterministic rows are entered once and looked up from then on. Rows whose world declares
`chances` are sampled by factor: with d the step's draw, factor j takes the draw
`draw(d, j)`, and what the factors' values lead to is worked out each time.
"""

from bisect import bisect_right
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from alignment_gym.core import InvalidWorld, Specification, World
from alignment_gym.core.world import is_distribution
from alignment_gym.engine.enumeration import EventRows, check_length, checked_start, different, seen_in
from alignment_gym.engine.episodic import Episodic
from alignment_gym.engine.randomness import draw, upper_bounds

UNKNOWN = -1  # a row that was never entered, or that is sampled anew each time


class Column:
    """An array that grows; writing the same place twice does no harm, so that an interrupted entry can be repeated."""

    def __init__(self, dtype: DTypeLike, *width: int) -> None:
        self.array: NDArray[Any] = np.zeros((64, *width), dtype=dtype)

    def put(self, place: int, value: Any, count: int = 1) -> None:
        """Write a value to one place, or to some in a row."""
        array = self.array
        while place + count > len(array):
            array = np.concatenate([array, np.zeros_like(array)])
        array[place : place + count] = value
        self.array = array


class Step(NamedTuple):
    """What followed: the next state's number, the kind of the transition, and whether the episode ended."""

    state: int
    kind: int
    terminated: bool


class Several(NamedTuple):
    """Outcomes with their upper bounds on the draw."""

    bounds: list[int]
    steps: list[Step]


class GrowingMDP(Episodic):
    """A world's states and transitions as far as episodes went.

    Attributes:
        name, actions, events, specification, horizon, observe_clock, world: as in `FiniteMDP`.
        states: those that were met.
        start, start_probability: int32 and float64, the initial states.
        seen: uint8 (S, D), observations without the clock.
        known: intp (S * A), the transition of a deterministic row, -1 for other rows.
        next_state, kind, terminated: intp, intp and bool (N,), of the known transitions.
        kinds: float64 (K, E), what transitions emit, the final events of terminations included.
    """

    def __init__(self, world: World[Any]) -> None:
        world.specification.check(tuple(world.events))
        self.world = world
        self.name = world.card.id
        self.actions = world.actions
        self.events = tuple(world.events)
        self.horizon: int | None = world.horizon
        self.observe_clock = world.observe_clock
        self.states: list[Any] = []
        self._number: dict[Any, int] = {}
        self._several: dict[int, Several] = {}
        self._rows = EventRows(world)
        self._features = len(seen_in(world, world.initial()[0][1]))
        self.seen = Column(np.uint8, self._features)
        self.known = Column(np.intp)
        self.next_state, self.kind, self.terminated = Column(np.intp), Column(np.intp), Column(np.bool_)
        self.kinds = Column(np.float64, len(self.events))
        self.transition_count = self.kind_count = 0
        self.start_probability = checked_start(world)
        self.start = np.array([self.number_of(state) for _, state in world.initial()], dtype=np.int32)

    @property
    def specification(self) -> Specification:
        """The world's two weightings."""
        return self.world.specification

    @property
    def observation_size(self) -> int:
        """Features of an observation, clock included."""
        return self._features + self.clock_bits

    def number_of(self, state: Any) -> int:
        """Return a state's number, entering it when it is new."""
        number = self._number.get(state)
        if number is None:
            number = len(self.states)
            self.seen.put(number, self._checked(state))
            self.known.put(number * len(self.actions), UNKNOWN, len(self.actions))
            self.states.append(state)
            self._number[state] = number
        return number

    def _checked(self, state: Any) -> NDArray[np.uint8]:
        seen = seen_in(self.world, state)
        check_length(self.world, state, seen, self._features)
        different(self.world, [state], seen[None])
        return seen

    def follow(self, row: int, drawn: int) -> Step:
        """Return what follows in a row on a step's draw, and enter it where the row is deterministic."""
        place = int(self.known.array[row])
        if place != UNKNOWN:
            return Step(*(column.array[place].item() for column in (self.next_state, self.kind, self.terminated)))
        if row in self._several:
            bounds, steps = self._several[row]
            return steps[bisect_right(bounds, drawn)]
        state, action = self.states[row // len(self.actions)], self.actions[row % len(self.actions)]
        chances = self.world.chances(state, action)
        if chances is not None:
            bounds_of = [_bounds(factor, self.name) for factor in chances.factors]
            values = tuple(bisect_right(bounds, draw(drawn, j)) for j, bounds in enumerate(bounds_of))
            return self._step(*chances.combine(values))
        outcomes = self.world.outcomes(state, action)
        found = Several(
            _bounds(tuple(outcome.probability for outcome in outcomes), self.name),
            [self._step(outcome.state, outcome.events, outcome.terminated) for outcome in outcomes],
        )
        if len(outcomes) > 1:
            self._several[row] = found
            return found.steps[bisect_right(found.bounds, drawn)]
        self._enter(row, found.steps[0])
        return found.steps[0]

    def final_events(self, state: int) -> NDArray[np.float64]:
        """Return what is paid where an episode ends, (E,)."""
        return np.array(self._rows.row(self.world.final(self.states[state])))

    def succeeded(self, state: int) -> bool:
        """Tell whether an episode that ends there ends as intended."""
        return self.world.succeeded(self.states[state])

    def _step(self, state: Any, emitted: Mapping[str, float], terminated: bool) -> Step:
        final = self.world.final(state) if terminated else {}
        summed = {name: emitted.get(name, 0.0) + final.get(name, 0.0) for name in {**emitted, **final}}
        kind = self._rows.number_of(summed)
        self.kinds.put(kind, self._rows.row(summed))
        self.kind_count = max(self.kind_count, kind + 1)
        return Step(self.number_of(state), kind, terminated)

    def _enter(self, row: int, step: Step) -> None:
        for column, value in zip((self.next_state, self.kind, self.terminated), step, strict=True):
            column.put(self.transition_count, value)
        self.known.array[row] = self.transition_count
        self.transition_count += 1


@lru_cache(maxsize=4096)  # few factors differ, and each is met at every step
def _bounds(probabilities: tuple[float, ...], name: str) -> list[int]:
    """Return upper bounds on the draw, as `upper_bounds` has them; impossible values at the end have none."""
    if not is_distribution(probabilities):
        raise InvalidWorld(f"{name}: {probabilities} is no distribution")
    possible = np.trim_zeros(np.array(probabilities), "b")
    return [int(bound) for bound in upper_bounds(possible, np.array([0, len(possible)]))]


@lru_cache(maxsize=16)
def growing(world: World[Any]) -> GrowingMDP:
    """Return the tables of a world, the same ones to all who ask."""
    return GrowingMDP(world)
