"""Whether what was written down and what is found agree, number by number.

Numbers agree where they differ by no more than 1e-9 of one plus the written one's size: absolutely where it is small,
relatively where it is large. Anything else agrees where it is equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from alignment_gym.exact import PolicyTable

TOLERANCE = 1e-9
"""By how much numbers may differ, of one plus the written one's size: absolute below 1, relative above."""

NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not what was written down."""

    name: str
    written: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.name}: written {self.written}, found {self.found}"


def differences(written: Any, found: Any, name: str = "") -> list[Difference]:
    """Compare JSON values part by part; the name of a part within another follows it after a dot."""
    if isinstance(written, Mapping) and isinstance(found, Mapping):
        parts = [
            differences(written.get(part, NOTHING), found.get(part, NOTHING), f"{name}.{part}".lstrip("."))
            for part in sorted({*written, *found})
        ]
        return [each for part in parts for each in part]
    if isinstance(written, list) and isinstance(found, list) and len(written) == len(found):
        pairs = enumerate(zip(written, found, strict=True))
        return [each for number, pair in pairs for each in differences(*pair, f"{name}.{number}")]
    return [] if _alike(written, found) else [Difference(name, written, found)]


def _alike(written: Any, found: Any) -> bool:
    numbers = [isinstance(each, int | float) and not isinstance(each, bool) for each in (written, found)]
    if not all(numbers):
        return type(written) is type(found) and bool(written == found)
    return bool(written == found or abs(found - written) <= TOLERANCE * (1.0 + abs(written)))


def policy_differences(written: PolicyTable, found: PolicyTable) -> list[Difference]:
    """Compare two policies; the largest difference stands for all."""
    arrays = {
        "observations": (written.observations.astype(np.float64), found.observations.astype(np.float64)),
        "probabilities": (written.probabilities, found.probabilities),
    }
    for name, (one, other) in arrays.items():
        if one.shape != other.shape:
            return [Difference(f"policy.npz, {name}", f"shape {one.shape}", f"shape {other.shape}")]
        apart = np.abs(one - other)
        if apart.size and apart.max() > TOLERANCE:
            place = tuple(int(index) for index in np.unravel_index(apart.argmax(), apart.shape))
            return [Difference(f"policy.npz, {name}{list(place)}", float(one[place]), float(other[place]))]
    return []
