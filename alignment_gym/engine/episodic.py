"""What episodes need of tables, whether these are whole or grow."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core.specification import check_events
from alignment_gym.engine.randomness import upper_bounds


class Episodic:
    """Tables whose episodes have starts, named events, and a horizon, which may join what is seen.

    Attributes:
        events: names, E of them.
        start, start_probability: int32 and float64, the initial states.
        horizon: steps, or None.
        observe_clock: whether the step's number joins the observation.
    """

    events: tuple[str, ...]
    start: NDArray[np.int32]
    start_probability: NDArray[np.float64]
    horizon: int | None
    observe_clock: bool

    @cached_property
    def start_bounds(self) -> NDArray[np.uint64]:
        """Upper bounds on the 32-bit draw of the start."""
        return upper_bounds(self.start_probability, np.array([0, len(self.start)], dtype=np.int64))

    @property
    def clock_bits(self) -> int:
        """Features that the clock adds to an observation."""
        return (self.horizon or 0).bit_length() if self.observe_clock else 0

    def clock(self, step: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the binary digits of step numbers, lowest first: (..., clock_bits)."""
        return (step[..., None] >> np.arange(self.clock_bits) & 1).astype(np.uint8)

    def weights(self, reward: Mapping[str, float]) -> NDArray[np.float64]:
        """Return event weights as an array (E,); raise `UnknownName` for an event that is none."""
        check_events(reward, self.events)
        return np.array([reward.get(name, 0.0) for name in self.events], dtype=np.float64)
