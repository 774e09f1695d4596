"""Chance, as a stated function of an episode's key and a step: replays need a key and actions only.

    mix(x)      = lowbias32: three xor-shifts and two multiplications modulo 2**32
    draw(key, t) = mix(key XOR mix((t + 0x9E3779B9) mod 2**32))

`draw(key, 0)` chooses the start, `draw(key, t)` the outcome of step t = 1, 2, ... The outcome is
the first whose upper bound, `floor(cumulative probability * 2**32)`, exceeds the draw. For a fixed
step, `draw` is a bijection of the key, so that all keys together are exactly uniform. In
JavaScript, `Math.imul` and `>>> 0` repeat it.

Source of the mixing constants: C. Wellons, "Prospecting for hash functions" (2018), public domain.
"""

import numpy as np
from numpy.typing import NDArray

MASK = 0xFFFFFFFF
GOLDEN = 0x9E3779B9  # 2**32 divided by the golden ratio
SCALE = 1 << 32

_16, _15, _FIRST, _SECOND = (  # as arrays, which NumPy takes as they are
    np.array(constant, dtype=np.uint32) for constant in (16, 15, 0x7FEB352D, 0x846CA68B)
)


def mix(x: int) -> int:
    """Return the lowbias32 hash of a 32-bit integer."""
    x ^= x >> 16
    x = x * 0x7FEB352D & MASK
    x ^= x >> 15
    x = x * 0x846CA68B & MASK
    return x ^ x >> 16


def draw(key: int, step: int) -> int:
    """Return the 32-bit draw of one step of the episode with `key`."""
    return mix(key ^ mix(step + GOLDEN & MASK))


def mix_array(x: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return `mix` of every element, shape unchanged."""
    x = x ^ (x >> _16)
    x *= _FIRST
    shifted = x >> _15
    x ^= shifted
    x *= _SECOND
    np.right_shift(x, _16, out=shifted)
    x ^= shifted
    return x


def step_hashes(steps: NDArray[np.integer]) -> NDArray[np.uint32]:
    """Return `mix(t + GOLDEN)` of every step t, the part of `draw` that no key enters; shape unchanged."""
    return mix_array(steps.astype(np.uint32) + np.uint32(GOLDEN))


def draws(keys: NDArray[np.uint32], hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return `draw` of keys and of steps given by their hashes; shapes broadcast."""
    return mix_array(keys ^ hashes)


def upper_bounds(probabilities: NDArray[np.float64], offset: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return each outcome's upper bound on the 32-bit draw.

    Args:
        probabilities: shape (N,), rows laid end to end.
        offset: shape (rows + 1,), where each row begins.
    """
    cumulative, counts = probabilities.copy(), np.diff(offset)
    for place in range(1, int(counts.max(initial=0))):  # row by row, so that no row's rounding reaches another
        later = offset[:-1][counts > place] + place
        cumulative[later] += cumulative[later - 1]
    bounds = np.floor(np.clip(cumulative, 0.0, 1.0) * SCALE).astype(np.uint64)
    bounds[offset[1:] - 1] = SCALE
    return np.asarray(bounds, dtype=np.uint64)


def episode_key(rng: np.random.Generator) -> int:
    """Draw one 32-bit episode key."""
    return int(rng.integers(0, SCALE, dtype=np.uint32))


def derived_seed(*words: int | str) -> int:
    """Return a 31-bit seed hashed from words, so that neighbouring seeds share no stream."""
    state = 0
    for word in words:
        for piece in str(word).encode() + b"\x1f":
            state = mix(state ^ piece)
    return state >> 1
