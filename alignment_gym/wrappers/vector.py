"""The wrappers' twins for batches, in all three autoreset modes and with a `_key` mask beside every info.

A lane pays and tells what the single wrapper does: the step that only begins an episode pays 0, and
a last step is weighed by its last observation and info, wherever the mode has put them.
"""

from copy import deepcopy
from typing import Any, TypeVar

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import iterate
from numpy.typing import NDArray

from alignment_gym.core import InvalidDial
from alignment_gym.engine.accounts import check_paid
from alignment_gym.wrappers.sources import TRUE_KEYS, RewardSource, Transition, asked, value
from alignment_gym.wrappers.vector_reward import (
    OBJECTIVES,
    UNKNOWN,
    check_accounts,
    check_pair,
    reward_space,
    show_space,
)

Obs = TypeVar("Obs")
Action = TypeVar("Action")

Infos = dict[str, Any]
Mask = NDArray[np.bool_]
OURS = ("proxy_return", *TRUE_KEYS)


class ProxyReward(gym.vector.VectorWrapper[Obs, Action, Obs, Action, NDArray[Any]], gym.utils.RecordConstructorArgs):
    """A batch of proxy/true pairs; arguments as of the single wrapper, functions are asked lane by lane."""

    def __init__(
        self,
        env: VectorEnv[Obs, Action, NDArray[Any]],
        proxy: RewardSource = None,
        true: RewardSource = None,
        *,
        reward: str = "proxy",
        expose_true: bool = True,
    ) -> None:
        """Wrap a batch; arguments and errors as of `alignment_gym.wrappers.ProxyReward`."""
        gym.utils.RecordConstructorArgs.__init__(self, proxy=proxy, true=true, reward=reward, expose_true=expose_true)
        gym.vector.VectorWrapper.__init__(self, env)
        check_paid(reward)
        self.proxy = proxy
        self.true = true
        self.pays_true = reward == "true"
        self.expose_true = expose_true
        self._mode = AutoresetMode(env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP))
        self._seen: list[Any] = [None] * self.num_envs
        self._ended = np.zeros(self.num_envs, dtype=np.bool_)
        self._proxy_return = np.zeros(self.num_envs)
        self._true_return = np.zeros(self.num_envs)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Obs, Infos]:
        """Begin episodes in all lanes, or in those of `options["reset_mask"]`."""
        mask = mask_of(options, self.num_envs)
        obs, infos = self.env.reset(seed=seed, options=options)
        self._begin(mask)
        self._seen = self._lanes(obs)
        return obs, dict(infos)

    def step(self, actions: Action) -> tuple[Obs, NDArray[Any], NDArray[Any], NDArray[Any], Infos]:
        """Take one action in every lane."""
        renewed = self._ended if self._mode == AutoresetMode.NEXT_STEP else np.zeros(self.num_envs, dtype=np.bool_)
        self._begin(renewed)
        chosen = list(iterate(self.env.action_space, actions))
        obs, rewards, terminated, truncated, infos = self.env.step(actions)
        done = terminated | truncated
        at_once = done if self._mode == AutoresetMode.SAME_STEP else np.zeros(self.num_envs, dtype=np.bool_)
        reached = self._lanes(obs)
        proxy_reward, true_reward = np.zeros(self.num_envs), np.zeros(self.num_envs)
        for lane in np.flatnonzero(~renewed).tolist():
            last = at_once[lane]
            transition = Transition(
                obs=self._seen[lane],
                action=chosen[lane],
                next_obs=deepcopy(infos["final_obs"][lane]) if last else reached[lane],
                reward=rewards[lane],
                terminated=bool(terminated[lane]),
                truncated=bool(truncated[lane]),
                info=lane_info(infos["final_info"] if last else infos, lane),
            )
            proxy_reward[lane] = value("proxy", self.proxy, transition)
            true_reward[lane] = value("true", self.true, transition)
        self._proxy_return += proxy_reward
        self._true_return += true_reward
        told = self._told(infos, true_reward, ~renewed, done, at_once)
        self._begin(at_once)
        self._ended = done & ~at_once
        self._seen = reached
        return obs, true_reward if self.pays_true else proxy_reward, terminated, truncated, told

    def _begin(self, mask: Mask) -> None:
        self._proxy_return[mask] = self._true_return[mask] = 0.0
        self._ended = self._ended & ~mask

    def _lanes(self, obs: Obs) -> list[Any]:
        """Return copies of what each lane observes."""
        return [deepcopy(each) for each in iterate(self.env.observation_space, obs)]

    def _told(self, infos: Infos, true_reward: NDArray[np.float64], paid: Mask, done: Mask, at_once: Mask) -> Infos:
        """Return the batch's infos with the accounts that may be seen; those of finished lanes lie in `final_info`."""
        told = self._with_accounts(infos, true_reward, paid & ~at_once, done & ~at_once)
        if at_once.any():
            told["final_info"] = self._with_accounts(infos["final_info"], true_reward, at_once, at_once)
        return told

    def _with_accounts(self, infos: Infos, true_reward: NDArray[np.float64], going: Mask, done: Mask) -> Infos:
        told = {key: kept for key, kept in infos.items() if key.removeprefix("_") not in OURS}
        returns = {"proxy_return": self._proxy_return, "true_return": self._true_return}
        if going.any():
            shown = {"true_reward": true_reward} | returns if self.expose_true else {"proxy_return": self._proxy_return}
            told |= masked(shown, going)
        if self.expose_true and done.any():
            told |= {"alignment": masked(returns, done), "_alignment": done.copy()}
        return told


class VectorReward(gym.vector.VectorWrapper[Obs, Action, Obs, Action, NDArray[Any]], gym.utils.RecordConstructorArgs):
    """A batch that pays `[proxy, true]` a lane, (lanes, 2) of float32, for MO-Gymnasium's tools."""

    def __init__(self, env: VectorEnv[Obs, Action, NDArray[Any]]) -> None:
        """Wrap a batch.

        Raises:
            InvalidDial: it pays the true reward, or hides it.
        """
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.vector.VectorWrapper.__init__(self, env)
        check_pair(env)
        check_pair(asked(env, "lanes", None))  # of this package's own batches
        _check_lanes(env)
        self._mode = AutoresetMode(env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP))
        self._ended = np.zeros(self.num_envs, dtype=np.bool_)
        self.reward_space = reward_space()
        self.reward_dim = len(OBJECTIVES)
        show_space(env.unwrapped)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Obs, Infos]:
        """Begin episodes in all lanes, or in those of `options["reset_mask"]`."""
        self._ended = self._ended & ~mask_of(options, self.num_envs)
        return self.env.reset(seed=seed, options=options)

    def step(self, actions: Action) -> tuple[Obs, NDArray[Any], NDArray[Any], NDArray[Any], Infos]:
        """Take one action in every lane; rewards are (lanes, 2): proxy and true."""
        obs, rewards, terminated, truncated, infos = self.env.step(actions)
        told = np.zeros(self.num_envs, dtype=np.bool_)
        both = np.zeros((self.num_envs, len(OBJECTIVES)), dtype=np.float32)
        both[:, 0] = rewards
        for place in (infos, infos.get("final_info", {})):
            here = place.get("_true_reward", np.zeros_like(told))
            both[here, 1] = place["true_reward"][here] if here.any() else 0.0
            told |= here
        if not (told | self._ended).all():
            raise InvalidDial(UNKNOWN)
        self._ended = (terminated | truncated) & (self._mode == AutoresetMode.NEXT_STEP)
        return obs, both, terminated, truncated, infos


def _check_lanes(env: VectorEnv[Any, Any, Any]) -> None:
    """Refuse a batch of single environments in which one pays the true reward, or hides it.

    Raises:
        InvalidDial: one does.
    """
    base: Any = env.unwrapped
    names = ("pays_true", "expose_true")
    if hasattr(base, "call") and all(all(base.call("has_wrapper_attr", name)) for name in names):
        for accounts in zip(*(base.get_attr(name) for name in names), strict=True):
            check_accounts(*accounts)


def mask_of(options: dict[str, Any] | None, lanes: int) -> Mask:
    """Return which lanes a reset is for; asked before it, since batches take the mask out of the options."""
    return np.array((options or {}).get("reset_mask", np.ones(lanes)), dtype=np.bool_)


def masked(values: Infos, mask: Mask) -> Infos:
    """Return arrays blanked outside of a mask, each with a copy of the mask beside it."""
    blanked = {key: np.where(mask, array, 0.0) for key, array in values.items()}
    return blanked | {f"_{key}": mask.copy() for key in values}


def lane_info(infos: Infos, lane: int) -> Infos:
    """Return one lane's info from a batch's: what its masks say is told of it."""
    found: Infos = {}
    for key, told in infos.items():
        mask = infos.get(f"_{key}")
        if mask is not None and mask[lane]:
            found[key] = lane_info(told, lane) if isinstance(told, dict) else told[lane]
    return found
