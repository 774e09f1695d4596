"""Where a reward comes from: a function of the transition, a component of a vector, or the environment itself."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite, nan
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from alignment_gym.core import InvalidDial, InvalidWorld

TRUE_KEYS = ("true_reward", "true_return", "alignment")  # of info, by which the true objective would show


class Transition(NamedTuple):
    """One step of an environment, as a reward function is asked about it.

    Attributes:
        obs: what was observed before the action.
        action: what was done.
        next_obs: what is observed after it; of an episode's last step the last observation, in a batch too.
        reward: what the environment itself pays: a number, or an array (k,) in MO-Gymnasium.
        terminated: whether the episode ended of itself.
        truncated: whether it was cut off.
        info: the environment's own.
    """

    obs: Any
    action: Any
    next_obs: Any
    reward: Any
    terminated: bool
    truncated: bool
    info: Mapping[str, Any]


RewardSource: TypeAlias = Callable[[Transition], float] | int | Sequence[float] | None


def value(name: str, source: RewardSource, transition: Transition) -> float:
    """Return what a source pays for a transition.

    Args:
        name: `proxy` or `true`, for messages.
        source: a function of the transition; the number of a component, or weights (k,) over all,
            of a vector reward; None for the reward of the environment itself.
        transition: what happened.

    Raises:
        InvalidDial: the source asks for what the environment does not pay. Only a step tells: a wrapper
            below may have made one number of a vector.
        InvalidWorld: the function returns no finite number.
    """
    found = source(transition) if callable(source) else _part(name, source, transition.reward)
    try:
        amount = float(found)
    except (TypeError, ValueError):
        amount = nan
    if not isfinite(amount):
        raise InvalidWorld(f"{name} pays {found!r} for action {transition.action!r}; return a finite number")
    return amount


def _part(name: str, source: int | Sequence[float] | None, reward: Any) -> float:
    """Return the environment's own reward, or a part of it."""
    count = len(reward) if np.ndim(reward) else None
    if source is None:
        if count is not None:
            raise InvalidDial(f"{name}=None takes one number; this reward has {count} components: pick or weigh them")
        return float(reward)
    if count is None:
        raise InvalidDial(f"{name}={source!r} picks from a vector reward, and this one is a number; give a function")
    if isinstance(source, Sequence | np.ndarray):
        if len(source) != count:
            raise InvalidDial(f"{name} has {len(source)} weights; the reward has {count} components")
        return float(np.dot(np.asarray(source, dtype=np.float64), reward))
    if not 0 <= source < count:
        raise InvalidDial(f"{name}={source} is out of range; the reward's components are 0 to {count - 1}")
    return float(reward[source])


def asked(env: Any, name: str, otherwise: Any) -> Any:
    """Return an attribute of the outermost layer of an environment, single or batched, that has it."""
    while env is not None:
        if hasattr(env, name):
            return getattr(env, name)
        env = getattr(env, "env", None)
    return otherwise
