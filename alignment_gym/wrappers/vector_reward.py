"""A proxy/true pair as MO-Gymnasium's reward of two components: `[proxy, true]`."""

from typing import Any, TypeVar

import gymnasium as gym
import numpy as np

from alignment_gym.core import InvalidDial
from alignment_gym.wrappers.sources import asked

Obs = TypeVar("Obs")
Action = TypeVar("Action")

OBJECTIVES = ("proxy", "true")
UNKNOWN = "this environment's info has no true_reward; wrap it in ProxyReward first"


class VectorReward(gym.Wrapper[Obs, Action, Obs, Action], gym.utils.RecordConstructorArgs):
    """Pays `np.array([proxy, true], dtype=float32)`; for this package's worlds and for `ProxyReward`.

    `reward_space` and `reward_dim` are here and, because MO-Gymnasium's wrappers look for them
    there, on the base environment. Batches of such environments take MO-Gymnasium's `MOSyncVectorEnv`,
    or a batch under `alignment_gym.wrappers.vector.VectorReward`. Gymnasium's own checker
    wants a number for a reward and refuses this, as it does all of MO-Gymnasium.
    """

    def __init__(self, env: gym.Env[Obs, Action]) -> None:
        """Wrap an environment.

        Raises:
            InvalidDial: it pays the true reward, or hides it.
        """
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)
        check_pair(env)
        self.reward_space = reward_space()
        self.reward_dim = len(OBJECTIVES)
        show_space(env.unwrapped)

    def step(self, action: Action) -> tuple[Obs, Any, bool, bool, dict[str, Any]]:
        """Take one action; the reward is (2,): proxy and true."""
        obs, reward, terminated, truncated, info = self.env.step(action)
        if "true_reward" not in info:
            raise InvalidDial(UNKNOWN)
        both = np.array([reward, info["true_reward"]], dtype=np.float32)
        return obs, both, terminated, truncated, info


def reward_space() -> gym.spaces.Box:
    """Return the space of `[proxy, true]`."""
    return gym.spaces.Box(-np.inf, np.inf, (len(OBJECTIVES),), np.float32)


def show_space(base: Any) -> None:
    """Tell the size of the reward where MO-Gymnasium's wrappers look for it."""
    base.reward_space = reward_space()
    base.reward_dim = len(OBJECTIVES)


def check_pair(env: Any) -> None:
    """Refuse an environment, single or batched, that does not pay the proxy and tell the true reward."""
    check_accounts(asked(env, "pays_true", False), asked(env, "expose_true", True))


def check_accounts(pays_true: bool, expose_true: bool) -> None:
    """Refuse what leaves one of the two components unknown."""
    if pays_true:
        raise InvalidDial("reward='true' leaves no proxy for the first component; make it with reward='proxy'")
    if not expose_true:
        raise InvalidDial("expose_true=False hides the second component; make it with expose_true=True")
