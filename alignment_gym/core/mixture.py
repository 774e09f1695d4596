"""Several levels of a world behind one: an episode draws its level together with its start."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import fsum, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core.card import Card
from alignment_gym.core.errors import InvalidDial
from alignment_gym.core.scene import Scene
from alignment_gym.core.specification import Specification
from alignment_gym.core.world import Chances, Outcome, World

MAX_LEVELS = 10_000

Pair = tuple[int, Any]
"""A part's number and a state of its own."""


def level_names(level: str | Sequence[str]) -> tuple[str, ...]:
    """Return the levels that are meant: by a list, by names with commas, by a range such as `generated/0-9`."""
    words = level.split(",") if isinstance(level, str) else level
    if not isinstance(words, Sequence) or not words or not all(isinstance(word, str) for word in words):
        raise InvalidDial(f"level takes a word, or several in a list, not {level!r}")
    names = [name for word in words for name in _in_range(word.strip())]
    if len(names) > 1 and not all(names):
        raise InvalidDial(f"one of the levels in {level!r} has no name; leave out what is empty")
    if len(names) > MAX_LEVELS:
        raise InvalidDial(f"{len(names):,} levels are too many; {MAX_LEVELS:,} go into one mixture")
    return tuple(names)


def _in_range(word: str) -> Sequence[str]:
    kind, _, indices = word.partition("/")
    first, dash, last = indices.partition("-")
    if not dash or not all(re.fullmatch("[0-9]{1,18}", index) for index in (first, last)):
        return [word]
    if int(last) < int(first) or int(last) - int(first) >= MAX_LEVELS:
        raise InvalidDial(f"the range {word!r} holds no level, or more than {MAX_LEVELS:,}; write {kind}/0-9")
    return [f"{kind}/{index}" for index in range(int(first), int(last) + 1)]


def checked_weights(count: int, weights: Sequence[float] | None) -> tuple[float, ...]:
    """Return the weights of so many parts as probabilities, equal ones for None.

    Raises:
        InvalidDial: no parts, or other than one positive weight for each.
    """
    given = [1.0] * count if weights is None else list(weights)
    if not given or len(given) != count or not all(isfinite(weight) and weight > 0.0 for weight in given):
        raise InvalidDial(f"a mixture takes levels, and a positive weight for each; {count} have the weights {given}")
    total = fsum(given)
    return tuple(weight / total for weight in given)


@dataclass(frozen=True, kw_only=True)
class Mixture(World[Pair]):
    """Worlds of one class behind one, which differ in level or dials; a state is a part's number and its state.

    Its card and dials are those of the first part; the card's demos play every part.

    Attributes:
        parts: the worlds.
        weights: how often each is drawn, in any unit; equally often by default.
        horizon, observe_clock: of all parts, which are changed where they are given.
    """

    parts: tuple[World[Any], ...] = ()
    weights: tuple[float, ...] = ()
    horizon: int | None = None  # type: ignore[assignment] # both until the parts have told them
    observe_clock: bool | None = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        weights = checked_weights(len(self.parts), self.weights or None)
        given = {name: getattr(self, name) for name in ("horizon", "observe_clock")}
        changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        parts = tuple(replace(part, **changes) if changes else part for part in self.parts)
        for name in given:
            values = {getattr(part, name) for part in parts}
            if len(values) > 1:
                raise InvalidDial(f"levels of one mixture agree in {name}, not {sorted(values)}")
        first = parts[0]
        told = {name: getattr(first, name) for name in ("actions", "events", "levels", "families", "horizon")}
        told |= {"observe_clock": first.observe_clock, "card": _card(first.card), "parts": parts}
        told["level"] = self.level or ",".join(part.level for part in self.parts)
        told["weights"] = weights
        for name, value in told.items():
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        """Return the first part's, for its dials."""
        parts = self.__dict__.get("parts")
        if name.startswith("_") or not parts:
            raise AttributeError(name)
        return getattr(parts[0], name)

    @property
    def specification(self) -> Specification:
        """The first part's."""
        return self.parts[0].specification

    @property
    def partially_observed(self) -> bool:
        """Levels may look alike."""
        return True

    @property
    def enumerable(self) -> bool:
        """Whether every part is."""
        return all(part.enumerable for part in self.parts)

    def initial(self) -> list[tuple[float, Pair]]:
        """The starts of all parts, by their weights."""
        return [
            (weight * probability, (number, state))
            for number, (part, weight) in enumerate(zip(self.parts, self.weights, strict=True))
            for probability, state in part.initial()
        ]

    def outcomes(self, state: Pair, action: str) -> list[Outcome[Pair]]:
        """What follows in the part."""
        number, inner = state
        return [each._replace(state=(number, each.state)) for each in self.parts[number].outcomes(inner, action)]

    def chances(self, state: Pair, action: str) -> Chances[Pair] | None:
        """The part's chances."""
        number, inner = state
        found = self.parts[number].chances(inner, action)
        if found is None:
            return None

        def combine(values: tuple[int, ...]) -> tuple[Pair, Mapping[str, float], bool]:
            after, events, terminated = found.combine(values)
            return (number, after), events, terminated

        return Chances(found.factors, combine)

    def observe(self, state: Pair) -> NDArray[np.uint8]:
        """What the part shows; nothing tells which part it is."""
        return self.parts[state[0]].observe(state[1])

    def draw(self, state: Pair) -> Scene:
        """The part's scene."""
        return self.parts[state[0]].draw(state[1])

    def look(self, state: Pair) -> Scene:
        """What the part's agent sees of it."""
        return self.parts[state[0]].look(state[1])

    def final(self, state: Pair) -> Mapping[str, float]:
        """What the part pays at the end."""
        return self.parts[state[0]].final(state[1])

    def succeeded(self, state: Pair) -> bool:
        """Whether the part's episode ended as intended."""
        return self.parts[state[0]].succeeded(state[1])


def _card(card: Card) -> Card:
    """Return a card whose demos play on the parts of a mixture."""
    return replace(card, demos=tuple(replace(demo, policy=_on_parts(demo.policy)) for demo in card.demos))


def _on_parts(policy: Callable[[Any, Any], str] | str) -> Callable[[Mixture, Pair], str] | str:
    return policy if isinstance(policy, str) else partial(_played, policy)


def _played(policy: Callable[[Any, Any], str], mixture: Mixture, state: Pair) -> str:
    return policy(mixture.parts[state[0]], state[1])
