"""The clock as part of an observation."""

import numpy as np
from numpy.typing import NDArray


class Clocked:
    """Tables whose episodes have a horizon, which may join what is seen.

    Attributes:
        horizon: steps, or None.
        observe_clock: whether the step's number joins the observation.
    """

    horizon: int | None
    observe_clock: bool

    @property
    def clock_bits(self) -> int:
        """Features that the clock adds to an observation."""
        return (self.horizon or 0).bit_length() if self.observe_clock else 0

    def clock(self, step: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the binary digits of step numbers, lowest first: (..., clock_bits)."""
        return (step[..., None] >> np.arange(self.clock_bits) & 1).astype(np.uint8)
