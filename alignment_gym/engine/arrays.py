"""An MDP from plain arrays: checked entry by entry, and laid end to end."""

from numbers import Real
from operator import index
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignment_gym.core import InvalidWorld

TOLERANCE = 1e-6  # by which probabilities may miss a sum of 1, as float32 does; they are scaled to it
ROUNDING = 1e-15  # by which float64 may, where there is nothing to mend
EVENTS = ("proxy", "true")

Array = NDArray[np.float64]


class Laid(NamedTuple):
    """Arrays laid end to end, as `FiniteMDP` names them; S states, A actions."""

    actions: tuple[str, ...]
    offset: NDArray[np.int64]
    next_state: NDArray[np.int32]
    probability: Array
    event_id: NDArray[np.int32]
    event_rows: Array
    terminated: NDArray[np.bool_]
    start: NDArray[np.int32]
    start_probability: Array


def laid(P: ArrayLike, r_proxy: ArrayLike, r_true: ArrayLike, mu: ArrayLike, terminal: ArrayLike | None) -> Laid:
    """Check arrays, and lay their transitions end to end; see `FiniteMDP.from_arrays`."""
    chances = _chances(P)
    states, actions, _ = chances.shape
    rewards = [_reward(r, name, chances.shape) for name, r in (("r_proxy", r_proxy), ("r_true", r_true))]
    start_probability = _start(mu, states)
    ends = _terminal(terminal, states)
    begun = (start_probability > 0.0) & ends
    if begun.any():
        place = _first(begun)
        raise InvalidWorld(
            f"mu{list(place)} is {start_probability[place]:g}, and this state is terminal; an episode does not begin "
            "at its end"
        )
    state, action, after = np.nonzero(chances)
    paid = np.stack([reward[state, action, after] for reward in rewards], axis=1)
    event_rows, event_id = np.unique(paid, axis=0, return_inverse=True)
    count = np.bincount(state * actions + action, minlength=states * actions)
    start = np.flatnonzero(start_probability)
    return Laid(
        actions=tuple(f"action {number}" for number in range(actions)),
        offset=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
        next_state=after.astype(np.int32),
        probability=chances[state, action, after],
        event_id=event_id.ravel().astype(np.int32),
        event_rows=event_rows,
        terminated=ends[after],
        start=start.astype(np.int32),
        start_probability=start_probability[start],
    )


def checked_horizon(horizon: object) -> int | None:
    """Return a horizon as an int; None stays.

    Raises:
        InvalidWorld: no whole number.
    """
    if horizon is None:
        return None
    try:
        if isinstance(horizon, bool | np.bool_):
            raise TypeError
        return index(horizon)  # type: ignore[arg-type]
    except TypeError as error:
        raise InvalidWorld(f"a horizon is a whole number of steps, or None, not {horizon!r}") from error


def checked_discount(discount: object) -> float:
    """Return a discount as a float.

    Raises:
        InvalidWorld: no real number.
    """
    if not isinstance(discount, Real) or isinstance(discount, bool):
        raise InvalidWorld(f"gamma is a number above 0 and at most 1, not {discount!r}")
    return float(discount)


def digits(count: int) -> NDArray[np.uint8]:
    """Return the binary digits of the numbers below `count`, lowest first: as many different rows of 0/1 features."""
    return (np.arange(count)[:, None] >> np.arange(max((count - 1).bit_length(), 1)) & 1).astype(np.uint8)


def _chances(P: ArrayLike) -> Array:
    chances = _numbers(P, "P")
    if chances.ndim != 3 or chances.shape[0] != chances.shape[2] or 0 in chances.shape:
        raise InvalidWorld(f"P has the shape (S, A, S), state by action by next state, not {chances.shape}")
    if (chances < 0.0).any():
        place = _first(chances < 0.0)
        raise InvalidWorld(f"P{list(place)} is {chances[place]:g}; a probability is not negative")
    sums = chances.sum(axis=2)
    wrong = np.abs(sums - 1.0) > TOLERANCE
    if wrong.any():
        place = _first(wrong)
        raise InvalidWorld(f"P{list(place)} sums to {sums[place]:.12g} over next states, not to 1")
    return _scaled(chances)


def _reward(reward: ArrayLike, name: str, shape: tuple[int, ...]) -> Array:
    table = _numbers(reward, name)
    if table.shape == shape[:2]:
        table = table[:, :, None]
    elif table.shape != shape:
        raise InvalidWorld(f"{name} has the shape {shape[:2]}, or {shape} with next states, not {table.shape}")
    return np.broadcast_to(table, shape)


def _start(mu: ArrayLike, states: int) -> Array:
    chances = _numbers(mu, "mu")
    if chances.shape != (states,):
        raise InvalidWorld(f"mu has the shape ({states},), a probability a state, not {chances.shape}")
    if (chances < 0.0).any():
        place = _first(chances < 0.0)
        raise InvalidWorld(f"mu{list(place)} is {chances[place]:g}; a probability is not negative")
    if abs(chances.sum() - 1.0) > TOLERANCE:
        raise InvalidWorld(f"mu sums to {chances.sum():.12g}, not to 1")
    return _scaled(chances)


def _scaled(chances: Array) -> Array:
    """Return rows that sum to 1; those that do so but for rounding are left as they are."""
    sums = chances.sum(axis=-1, keepdims=True)
    return np.where(np.abs(sums - 1.0) > ROUNDING, chances / sums, chances)


def _terminal(terminal: ArrayLike | None, states: int) -> NDArray[np.bool_]:
    if terminal is None:
        return np.zeros(states, dtype=np.bool_)
    ends = np.asarray(terminal)
    if ends.shape != (states,) or ends.dtype.kind not in "biu":
        raise InvalidWorld(f"terminal has the shape ({states},) and holds booleans, not {ends.dtype} of {ends.shape}")
    odd = (ends != 0) & (ends != 1)
    if odd.any():
        place = _first(odd)
        raise InvalidWorld(f"terminal{list(place)} is {ends[place]}; a state is terminal, 1, or is not, 0")
    return ends.astype(np.bool_)


def _numbers(values: ArrayLike, name: str) -> Array:
    try:
        given = np.asarray(values)
        if np.iscomplexobj(given):
            raise TypeError(f"{given.dtype} is not real")
        numbers = given.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidWorld(f"{name} is no array of numbers: {error}") from error
    if not np.isfinite(numbers).all():
        place = _first(~np.isfinite(numbers))
        raise InvalidWorld(f"{name}{list(place)} is {numbers[place]}; every entry is a finite number")
    return numbers


def _first(where: NDArray[Any]) -> tuple[int, ...]:
    """Return the index of the first entry that is true."""
    return tuple(int(each) for each in np.argwhere(where)[0])
