"""Many lanes of one world as a Gymnasium `VectorEnv`, in all three autoreset modes."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from alignment_gym.core import InvalidDial, World
from alignment_gym.engine.accounts import Accounts
from alignment_gym.engine.lanes import Advance, Lanes
from alignment_gym.engine.mdp import FiniteMDP, Reward
from alignment_gym.engine.single import spaces, tables

Observations = NDArray[np.uint8]
Infos = dict[str, Any]


class AlignmentVectorEnv(gym.vector.VectorEnv[Observations, NDArray[np.int64], NDArray[Any]]):
    """Lanes of a world; lane i, seeded `seed + i`, equals the single environment with that seed.

    Infos are arrays with a `_key` mask each, as Gymnasium has them; `events` is one array of
    lanes x events, in the order of `mdp.events`.
    """

    def __init__(
        self,
        env_id: str | World[Any] | FiniteMDP,
        num_envs: int = 1,
        *,
        level: str | None = None,
        reward: str = "proxy",
        proxy: Reward | None = None,
        expose_true: bool = True,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        **dials: Any,
    ) -> None:
        """Compile the world, or take its tables; arguments as in the single environment.

        Args:
            env_id: such as `BoatRace-v0`; a world or an MDP serves too.
            num_envs: lanes, at least 1.
            level: a fixed level, or `generated/<i>`.
            reward: `proxy`, or `true` for the twin.
            proxy: another proxy: weights over events, or an (S, A) array.
            expose_true: whether infos show the true account.
            autoreset_mode: when finished lanes begin anew.
            render_mode: None; batches aren't drawn.
            **dials: the world's own.
        """
        if num_envs < 1:
            raise InvalidDial(f"num_envs = {num_envs} is out of range; at least 1 lane")
        if render_mode is not None:
            raise InvalidDial(f"a batch can't be drawn: render_mode is None, not {render_mode!r}")
        self.mdp = mdp = tables(env_id, level, dials)
        self.num_envs = num_envs
        self.expose_true = expose_true
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {"autoreset_mode": self.autoreset_mode, "render_modes": []}
        self.single_observation_space, self.single_action_space = spaces(mdp)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.lanes = Lanes(mdp, num_envs, Accounts.open(mdp, reward, proxy))
        self._done = np.zeros(num_envs, dtype=np.bool_)
        self._all = np.ones(num_envs, dtype=np.bool_)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, Infos]:
        """Begin episodes in all lanes, or in those of `options["reset_mask"]`."""
        super().reset(seed=seed if isinstance(seed, int) else None)
        options = options or {}
        mask = _checked_mask(options["reset_mask"], self.num_envs) if "reset_mask" in options else self._all
        if not self.lanes.seeded:
            self.lanes.seed(self._seeds(seed))
        elif seed is not None:
            self.lanes.reseed(self._lane_seeds(seed), mask)
        self.lanes.begin(mask, options.get("key"))
        self._done = self._done & ~mask
        return self.lanes.observe(), self._keys(mask)

    def step(self, actions: NDArray[np.int64]) -> tuple[Observations, NDArray[Any], NDArray[Any], NDArray[Any], Infos]:
        """Take one action in every lane."""
        chosen = _checked_actions(actions, self.num_envs, len(self.mdp.actions))
        if not self.lanes.seeded:
            raise gym.error.ResetNeeded("call reset() before step()")
        renewed = self._done
        if renewed.any() and self.autoreset_mode == AutoresetMode.DISABLED:
            raise gym.error.ResetNeeded(f"lanes {np.flatnonzero(renewed).tolist()} are done; reset them by reset_mask")
        moving = None
        if renewed.any():
            moving = ~renewed
            self.lanes.begin(renewed)
        advance = self.lanes.advance(chosen, moving)
        done = advance.terminated | advance.truncated
        infos = self._infos(advance, done, self._all if moving is None else moving)
        if moving is not None:
            infos |= self._keys(renewed)
        if self.autoreset_mode == AutoresetMode.SAME_STEP and done.any():
            infos = self._begin_at_once(infos, done)
            self._done = np.zeros_like(done)
        else:
            self._done = done
        reward = advance.true_reward if self.lanes.accounts.paid == "true" else advance.proxy_reward
        return self.lanes.observe(), reward, advance.terminated, advance.truncated, infos

    def _lane_seeds(self, seed: int | list[int | None]) -> list[int | None]:
        if isinstance(seed, int | np.integer):
            return [int(seed) + lane for lane in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise InvalidDial(f"{len(seed)} seeds for {self.num_envs} lanes")
        return list(seed)

    def _seeds(self, seed: int | list[int | None] | None) -> list[int]:
        if isinstance(seed, int | np.integer):
            return [int(seed) + lane for lane in range(self.num_envs)]
        if seed is not None and len(seed) != self.num_envs:
            raise InvalidDial(f"{len(seed)} seeds for {self.num_envs} lanes")
        given = [None] * self.num_envs if seed is None else seed
        return [int(self.np_random.integers(2**31)) if each is None else int(each) for each in given]

    def _infos(self, advance: Advance, done: NDArray[np.bool_], moving: NDArray[np.bool_]) -> Infos:
        lanes = self.lanes
        infos = _masked({"proxy_return": lanes.proxy_return * moving}, moving)
        if not self.expose_true:
            return infos
        events = self.mdp.event_rows[self.mdp.event_id[advance.place]] * moving[:, None]
        events += self.mdp.final[lanes.state] * done[:, None]
        shown = {"true_reward": advance.true_reward, "true_return": lanes.true_return * moving, "events": events}
        infos |= _masked(shown, moving)
        if done.any():
            returns = {"proxy_return": lanes.proxy_return * done, "true_return": lanes.true_return * done}
            ended = {"is_success": self.mdp.succeeded[lanes.state] & done, "alignment": _masked(returns, done)}
            infos |= _masked(ended, done)
        return infos

    def _begin_at_once(self, infos: Infos, done: NDArray[np.bool_]) -> Infos:
        """Keep the last observation and infos of finished lanes, and begin their next episodes."""
        final_obs = np.full(self.num_envs, None, dtype=object)
        last = self.lanes.observe()
        for lane in np.flatnonzero(done):
            final_obs[lane] = last[lane].copy()
        final_info = _restricted(infos, done)
        self.lanes.begin(done)
        going = _restricted({key: value for key, value in infos.items() if "_key" not in key}, ~done)
        going |= _masked({"final_obs": final_obs, "final_info": final_info}, done) | self._keys(done)
        return {key: value for key, value in going.items() if not key.endswith(("is_success", "alignment"))}

    def _keys(self, mask: NDArray[np.bool_]) -> Infos:
        return _masked({"key": np.where(mask, self.lanes.key, 0).astype(np.int64)}, mask)


def _masked(values: Infos, mask: NDArray[np.bool_]) -> Infos:
    """Put a copy of the mask beside each value, under its name with an underscore."""
    return values | {f"_{key}": mask.copy() for key in values}


def _restricted(infos: Infos, lanes: NDArray[np.bool_]) -> Infos:
    """Blank every array outside of some lanes, nested ones included."""
    kept: Infos = {}
    for key, value in infos.items():
        if isinstance(value, dict):
            kept[key] = _restricted(value, lanes)
        else:
            shown = lanes if value.ndim == 1 else lanes[:, None]
            kept[key] = value & lanes if value.dtype == np.bool_ else value * shown
    return kept


def _checked_actions(actions: Any, lanes: int, count: int) -> NDArray[np.integer[Any]]:
    chosen: NDArray[np.integer[Any]] = np.asarray(actions)
    if chosen.shape != (lanes,) or chosen.dtype.kind not in "iu" or chosen.min() < 0 or chosen.max() >= count:
        raise InvalidDial(f"actions are whole numbers from 0 to {count - 1}, of shape ({lanes},), not {actions!r}")
    return chosen


def _checked_mask(mask: Any, lanes: int) -> NDArray[np.bool_]:
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != (lanes,) or not mask.any():
        raise InvalidDial(f"reset_mask is a bool array of shape ({lanes},) with at least one True, not {mask!r}")
    return mask
