"""Two weightings of the same events: what is paid for, and what was meant."""

from collections.abc import Mapping
from dataclasses import dataclass

from alignment_gym.core.errors import UnknownName


@dataclass(frozen=True, slots=True)
class Specification:
    """A proxy reward and a true objective, each a weight per event; an event left out weighs 0."""

    proxy: Mapping[str, float]
    true: Mapping[str, float]

    def check(self, events: tuple[str, ...]) -> None:
        """Refuse a weight on an event that the world does not emit."""
        for weights in (self.proxy, self.true):
            check_events(weights, events)


def check_events(weights: Mapping[str, float], events: tuple[str, ...]) -> None:
    """Raise `UnknownName` for the first key of `weights` that is no event."""
    for name in weights:
        if name not in events:
            raise UnknownName("event", name, events)
