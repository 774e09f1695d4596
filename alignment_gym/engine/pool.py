"""Fresh arrays without asking the system for memory at every step.

Large arrays that are made and dropped at every step cost more in memory that goes back to the
system, and comes again page by page, than in the work done on them. A pool hands an array out
again once nobody else holds it or a view of it, so that for its users each one is fresh. Small
arrays are simply made.
"""

import sys
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

LARGE = 1 << 14  # bytes from which on an array is worth keeping
KEPT = 12  # arrays at most, of which a step may need four; whoever collects arrays gets new ones


class Pool:
    """Arrays of one shape and type."""

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self._shape = shape
        self._dtype = np.dtype(dtype)
        self._arrays: list[NDArray[Any]] = []
        self._keeps = ALONE > 0 and self._dtype.itemsize * int(np.prod(shape)) >= LARGE

    def take(self, table: NDArray[Any], index: NDArray[np.intp]) -> NDArray[Any]:
        """Return the rows of a table at an index, which is known to be within it."""
        return table.take(index, 0, self._kept(), "clip") if self._keeps else table.take(index, 0)

    def copy(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return a copy of an array of the pool's shape and type."""
        if not self._keeps:
            return array.copy()
        fresh = self._kept()
        fresh[...] = array
        return fresh

    def _kept(self) -> NDArray[Any]:
        """Return an array with anything in it."""
        for array in self._arrays:
            if sys.getrefcount(array) == ALONE:
                return array
        array = np.empty(self._shape, self._dtype)
        self._arrays = [array, *self._arrays[: KEPT - 1]]
        return array


def _alone() -> int:
    """Return the count of an array that only its pool holds, as the interpreter at hand counts."""
    for array in [np.empty(1)]:
        return sys.getrefcount(array)
    return 0


# a tracer may hold locals, which would count as holders of arrays: then nothing is kept
ALONE = _alone() if hasattr(sys, "getrefcount") and not (sys.gettrace() or sys.getprofile()) else 0
