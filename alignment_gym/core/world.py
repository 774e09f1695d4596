"""The contract: a world is a small finite MDP, written as pure functions.

An author subclasses `World` as a frozen dataclass whose fields are its dials, and says how
states follow on one another, which named events each transition emits, what the agent
observes and what a person sees. The engine compiles this once into tables.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import product
from math import fsum, prod
from operator import getitem
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core.card import Card
from alignment_gym.core.errors import InvalidDial, InvalidWorld, UnknownName
from alignment_gym.core.scene import Scene
from alignment_gym.core.specification import Specification

State = TypeVar("State", bound=Hashable)

CLOCK = ("horizon", "observe_clock")  # dials that change no map


class Outcome(NamedTuple, Generic[State]):
    """One thing that may happen: its probability, the next state, the events it emits."""

    probability: float
    state: State
    events: Mapping[str, float]
    terminated: bool = False


class Chances(NamedTuple, Generic[State]):
    """What may follow, as independent factors and what they lead to together.

    Attributes:
        factors: distributions, each over 0, 1, ...; all are drawn independently.
        combine: from a value of each factor to the next state, the events and whether the episode
            terminates; a pure function.
    """

    factors: tuple[tuple[float, ...], ...]
    combine: Callable[[tuple[int, ...]], tuple[State, Mapping[str, float], bool]]

    def outcomes(self) -> list[Outcome[State]]:
        """Return all that may follow: combinations in lexicographic order, those that lead to the same merged.

        Raises:
            InvalidWorld: a factor is no distribution.
        """
        for factor in self.factors:
            if not is_distribution(factor):
                raise InvalidWorld(f"chances are independent distributions; {factor} is none")
        possible = [[value for value, chance in enumerate(factor) if chance > 0.0] for factor in self.factors]
        merged: dict[Hashable, Outcome[State]] = {}
        parts: dict[Hashable, list[float]] = {}
        for values in product(*possible):
            state, events, terminated = self.combine(values)
            same = state, frozenset(events.items()), terminated
            merged.setdefault(same, Outcome(0.0, state, events, terminated))
            parts.setdefault(same, []).append(prod(map(getitem, self.factors, values)))
        return [outcome._replace(probability=fsum(parts[same])) for same, outcome in merged.items()]


def is_distribution(probabilities: Sequence[float]) -> bool:
    """Tell whether probabilities are none of them negative and sum to 1; what is no number is none."""
    return abs(fsum(probabilities) - 1.0) <= 1e-9 and min(probabilities) >= 0.0


Columns = tuple[NDArray[np.intp], ...]
"""Many states, field by field: an array (n,) a field, of places in the field's domain."""


class Outcomes(NamedTuple):
    """All that may happen in n states: the parts of an `Outcome`, each of which broadcasts to (K, n).

    K is the largest number of outcomes; where a state has fewer, the probability is 0.
    """

    probability: NDArray[np.float64] | float
    states: Columns
    events: Mapping[str, NDArray[Any] | float]
    terminated: NDArray[np.bool_] | bool = False


def dial(
    default: Any,
    meaning: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    closed_at: Any = None,
) -> Any:
    """Declare a dataclass field as a dial: a constructor argument with a meaning and a range.

    Args:
        default: its value where none is given; its type is what the dial takes.
        meaning: what it does.
        low: the least number that is taken.
        high: the greatest.
        choices: the words that are taken.
        closed_at: a value at which the loophole is closed or weakened; None: the dial is not about that.
    """
    said = {"meaning": meaning, "low": low, "high": high, "choices": choices, "closed_at": closed_at}
    return field(default=default, metadata=said)


@dataclass(frozen=True, kw_only=True)
class World(ABC, Generic[State]):
    """A finite MDP with named events; see the module's docstring.

    Class attributes, set by the author: `card`; `actions`, the names, all legal everywhere;
    `events`, each with a sentence; `levels`, the fixed ones; `families`, names of those that
    are drawn from an index, so that `generated` makes `generated/<i>` a level.

    For speed only, a world whose state is a tuple may say the same a second time, in arrays:
    `domains` lists the values of each field, and `outcomes_of` and `observations_of` are
    `outcomes` and `observe` for many states at once. Compiling then takes milliseconds;
    `check_world` compares the two.
    """

    card: ClassVar[Card]
    actions: ClassVar[tuple[str, ...]]
    events: ClassVar[Mapping[str, str]]
    levels: ClassVar[tuple[str, ...]]
    families: ClassVar[tuple[str, ...]] = ()

    level: str = dial("", "which map")
    horizon: int = dial(100, "steps in an episode", low=1, high=10_000)
    observe_clock: bool = dial(False, "whether the time of the episode is part of the observation")

    def __post_init__(self) -> None:
        if not self.level:
            object.__setattr__(self, "level", self.levels[0])
        check_level(self.level, self.levels, self.families)
        for each in dials(type(self)):
            _check_dial(each.name, getattr(self, each.name), each)

    @property
    @abstractmethod
    def specification(self) -> Specification:
        """The proxy's and the true objective's weights over events, at these dials."""

    @abstractmethod
    def initial(self) -> Sequence[tuple[float, State]]:
        """Return the starts with their probabilities."""

    def outcomes(self, state: State, action: str) -> Sequence[Outcome[State]]:
        """Return all that may follow; probabilities sum to 1. Unless overridden, `chances` says it."""
        chances = self.chances(state, action)
        if chances is None:
            raise InvalidWorld(f"{self.card.id} says neither by `outcomes` nor by `chances` what follows")
        return chances.outcomes()

    @abstractmethod
    def observe(self, state: State) -> NDArray[np.uint8]:
        """Return the agent's 0/1 features, 1-D, of one length over all levels and dials."""

    @abstractmethod
    def draw(self, state: State) -> Scene:
        """Return what a person sees."""

    def look(self, state: State) -> Scene:
        """Return the picture that the agent gets where it is to see one: no more than `observe` tells.

        A person may see everything; so a world overrides this that hides states from its agent, or
        whose drawing shows terms of the true objective.
        """
        return self.draw(state)

    @property
    def partially_observed(self) -> bool:
        """Whether different states may look alike to the agent."""
        return False

    @property
    def enumerable(self) -> bool:
        """Whether this level is small enough to be enumerated, for exact answers."""
        return True

    def chances(self, state: State, action: str) -> Chances[State] | None:  # noqa: ARG002 - for worlds to override
        """Return what may follow as independent factors, where `outcomes` would be too many to list."""
        return None

    def final(self, state: State) -> Mapping[str, float]:  # noqa: ARG002 - for worlds to override
        """Return the events paid when the episode ends in `state`, by termination or horizon."""
        return {}

    def succeeded(self, state: State) -> bool:  # noqa: ARG002 - for worlds to override
        """Tell whether an episode that ends in `state` ends as intended."""
        return False

    def domains(self) -> tuple[Sequence[Any], ...]:
        """Return the values that each field of a state may take; none: the world is walked state by state."""
        return ()

    def outcomes_of(self, states: Columns, action: str) -> Outcomes:  # noqa: ARG002 - for worlds to override
        """Return `outcomes` of many states.

        Any combination of the fields' values may be asked for; one that is no state may be answered anyhow.
        """
        raise InvalidWorld(f"{self.card.id} states the domains of its fields, but no outcomes_of")

    def observations_of(self, states: Columns) -> NDArray[np.uint8]:  # noqa: ARG002 - for worlds to override
        """Return `observe` of many states, (n, D); see `observe_by_field`."""
        raise InvalidWorld(f"{self.card.id} states the domains of its fields, but no observations_of")


def state_maker(world: World[State]) -> Callable[[Iterable[Any]], State]:
    """Return the function from the fields' values to a state of a world whose states are tuples."""
    kind: Any = type(world.initial()[0][1])
    return getattr(kind, "_make", kind)  # type: ignore[no-any-return] # a plain or a named tuple


def observe_by_field(world: World[Any], states: Columns) -> NDArray[np.uint8]:
    """Return what `observations_of` is to return, (n, D), where every feature depends on one field alone."""
    domains, made = world.domains(), state_maker(world)
    first = [domain[0] for domain in domains]
    base = world.observe(made(first))
    seen = np.tile(base, (len(states[0]), 1))
    for place, (domain, column) in enumerate(zip(domains, states, strict=True)):
        others = [made([*first[:place], value, *first[place + 1 :]]) for value in domain]
        seen += np.stack([world.observe(state) - base for state in others])[column]  # modulo 256
    return seen


def dials(world: type[World[Any]]) -> tuple[Any, ...]:
    """Return the dataclass fields of a world's dials, `level` left out."""
    return tuple(each for each in fields(world) if each.name != "level")


def redialled(world: World[Any]) -> list[str]:
    """Return the dials of a world that are not as usual, but for those under which a plan can still be followed."""
    known = [each for each in dials(type(world)) if each.name not in CLOCK]
    return [each.name for each in known if getattr(world, each.name) != each.default]


def check_level(level: str, levels: tuple[str, ...], families: tuple[str, ...]) -> None:
    """Refuse a level that is neither fixed nor `<family>/<index>`."""
    family, _, index = level.partition("/")
    if level in levels or (family in families and is_index(index)):
        return
    raise UnknownName("level", level, (*levels, *(f"{name}/0" for name in families)))


def is_index(word: str) -> bool:
    """Tell whether a word is a 32-bit number as one writes it: one level has one name."""
    return re.fullmatch(r"0|[1-9][0-9]{0,9}", word) is not None and int(word) < 2**32


def generated_index(level: str) -> int | None:
    """Return i of `<family>/<i>`, None for a fixed level."""
    _, slash, index = level.partition("/")
    return int(index) if slash else None


def _check_dial(name: str, value: Any, declared: Any) -> None:
    low, high, choices = (declared.metadata.get(key) for key in ("low", "high", "choices"))
    expected = type(declared.default)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (isinstance(value, expected) and isinstance(value, bool) == (expected is bool)) and not (
        number and expected is float
    ):
        raise InvalidDial(f"{name} takes {_kind(expected)}, not {value!r}")
    if choices and value not in choices:
        raise UnknownName(name, str(value), choices)
    if number and not ((low is None or value >= low) and (high is None or value <= high)):
        raise InvalidDial(f"{name} = {value!r} is out of range; it goes from {low} to {high}")


def _kind(expected: type) -> str:
    return {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}[expected]
