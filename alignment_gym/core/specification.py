"""Two weightings of the same events: what is paid for, and what was meant."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from numbers import Real

from alignment_gym.core.errors import InvalidWorld, UnknownName


@dataclass(frozen=True, slots=True)
class Specification:
    """A proxy reward and a true objective, each a weight per event; an event left out weighs 0."""

    proxy: Mapping[str, float]
    true: Mapping[str, float]

    def check(self, events: tuple[str, ...]) -> None:
        """Refuse a weight on an event that the world does not emit, or one that is no finite number."""
        for weights in (self.proxy, self.true):
            check_events(weights, events)


def check_events(weights: Mapping[str, float], events: tuple[str, ...]) -> None:
    """Raise `UnknownName` for the first key of `weights` that is no event, `InvalidWorld` for a weight not finite."""
    for name, weight in weights.items():
        if name not in events:
            raise UnknownName("event", name, events)
        if not isinstance(weight, Real) or not isfinite(weight):
            raise InvalidWorld(f"the event {name!r} has the weight {weight!r}; give a finite number")
