"""Many lanes of one world as a Gymnasium `VectorEnv`, in all three autoreset modes."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from alignment_gym.core import InvalidDial, Mixture, World
from alignment_gym.engine.accounts import open_accounts
from alignment_gym.engine.growing import GrowingMDP
from alignment_gym.engine.lanes import NO_LANES, Advance, Lanes, taken
from alignment_gym.engine.mdp import FiniteMDP, Reward
from alignment_gym.engine.single import part_of, spaces, tables
from alignment_gym.engine.views import checked_view, divided

Observations = NDArray[np.uint8]
Infos = dict[str, Any]


class AlignmentVectorEnv(gym.vector.VectorEnv[Observations, NDArray[np.int64], NDArray[Any]]):
    """Lanes of a world; lane i, seeded `seed + i`, equals the single environment with that seed.

    Infos are arrays with a `_key` mask each, as Gymnasium has them; `events` is one array of
    lanes x events, in the order of `mdp.events`. Where an episode begins, `key` is its key and, of
    several levels, `level` the number of the one drawn.
    """

    def __init__(
        self,
        env_id: str | World[Any] | FiniteMDP | GrowingMDP,
        num_envs: int = 1,
        *,
        level: str | Sequence[str] | None = None,
        reward: str = "proxy",
        proxy: Reward | None = None,
        expose_true: bool = True,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        obs: str = "features",
        view: str | None = None,
        **dials: Any,
    ) -> None:
        """Compile the world, or take its tables; arguments as in the single environment.

        Args:
            env_id: such as `BoatRace-v0`; a world or an MDP serves too.
            num_envs: lanes, at least 1.
            level: a fixed level, `generated/<i>`, or several of them: a list, or `generated/0-9`.
            reward: `proxy`, or `true` for the twin.
            proxy: another proxy: weights over events, or an (S, A) array.
            expose_true: whether infos show the true account.
            autoreset_mode: when finished lanes begin anew.
            render_mode: None; batches aren't drawn.
            obs: what is observed, as in the single environment; texts come in a tuple.
            view: a mask, or the world's dial of this name, as in the single environment.
            **dials: the world's own.
        """
        if num_envs < 1:
            raise InvalidDial(f"num_envs = {num_envs} is out of range; at least 1 lane")
        if render_mode is not None:
            raise InvalidDial(f"a batch can't be drawn: render_mode is None, not {render_mode!r}")
        dials, cells = divided(env_id, view, dials)
        self.mdp = mdp = tables(env_id, level, dials)
        shown = checked_view(mdp, obs, cells)
        self.num_envs = num_envs
        self.expose_true = expose_true
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {"autoreset_mode": self.autoreset_mode, "render_modes": []}
        self.single_observation_space, self.single_action_space = spaces(mdp, shown)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.lanes = Lanes(mdp, num_envs, open_accounts(mdp, reward, proxy), expose_true, shown)
        self._masks = np.ones((4 if expose_true else 1, num_envs), dtype=np.bool_)
        self._ended = NO_LANES
        self._all = np.ones(num_envs, dtype=np.bool_)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, Infos]:
        """Begin episodes in all lanes, or in those of `options["reset_mask"]`."""
        self._check_open()
        super().reset(seed=seed if isinstance(seed, int) else None)
        options = options or {}
        key = None if options.get("key") is None else int(options["key"])
        mask = _checked_mask(options["reset_mask"], self.num_envs) if "reset_mask" in options else self._all
        if not self.lanes.seeded:
            self.lanes.seed(self._seeds(seed))
        elif seed is not None:
            self.lanes.reseed(self._lane_seeds(seed), mask)
        self.lanes.begin(np.flatnonzero(mask), key)
        self._ended = self._ended[~mask[self._ended]]
        return self.lanes.observe(), self._keys(np.flatnonzero(mask))

    def step(self, actions: NDArray[np.int64]) -> tuple[Observations, NDArray[Any], NDArray[Any], NDArray[Any], Infos]:
        """Take one action in every lane."""
        self._check_open()
        lanes, renewed = self.lanes, self._ended
        chosen = lanes.checked(actions)
        if len(renewed):
            if self.autoreset_mode == AutoresetMode.DISABLED:
                raise gym.error.ResetNeeded(f"lanes {renewed.tolist()} are done; reset them by reset_mask")
            lanes.begin(renewed, at_next=True)
        advance = lanes.advance(chosen, renewed)
        infos = self._infos(advance, renewed)
        self._ended = advance.ended
        if self.autoreset_mode == AutoresetMode.SAME_STEP and len(advance.ended):
            infos = self._begin_at_once(infos, advance.ended)
            self._ended = NO_LANES
        reward = advance.true_reward if lanes.pays_true else advance.proxy_reward
        return lanes.observe(), reward, advance.terminated, advance.truncated, infos

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

    def _check_open(self) -> None:
        if self.closed:
            raise gym.error.ClosedEnvironmentError("the batch is closed; make a new one")

    def _infos(self, advance: Advance, renewed: NDArray[np.intp]) -> Infos:
        """Return a step's infos; lanes that were renewed have their new key and nothing else."""
        lanes = self.lanes
        masks = self._masks.copy()
        proxy_return, true_return = lanes.returns()
        infos: Infos = {"proxy_return": proxy_return, "_proxy_return": masks[0]}
        if self.expose_true:
            reward = advance.true_reward
            infos["true_reward"] = reward.copy() if lanes.pays_true else reward
            infos["true_return"] = true_return
            infos["events"] = lanes.events(advance)
            infos["_true_reward"], infos["_true_return"], infos["_events"] = masks[1:]
        if len(renewed):
            masks[:, renewed] = False  # their returns and rewards are 0
            if self.expose_true:
                infos["events"][renewed] = 0.0
            infos |= self._keys(renewed)
        if len(advance.ended) and self.expose_true:
            infos |= self._last(self._mask(advance.ended))
        return infos

    def _last(self, done: NDArray[np.bool_]) -> Infos:
        """Return what finished lanes say besides."""
        lanes = self.lanes
        returns = {"proxy_return": lanes.proxy_return * done, "true_return": lanes.true_return * done}
        success = lanes.gathers.succeeded(lanes.state) & done
        return _masked({"is_success": success, "alignment": _masked(returns, done)}, done)

    def _begin_at_once(self, infos: Infos, ended: NDArray[np.intp]) -> Infos:
        """Keep the last observation and infos of finished lanes, and begin their next episodes."""
        done = self._mask(ended)
        final_obs = np.full(self.num_envs, None, dtype=object)
        seen = self.lanes.observe()
        for lane in ended.tolist():
            final_obs[lane] = taken(seen, lane)
        final_info = _restricted(infos, done)
        self.lanes.begin(ended)
        going = _restricted({key: value for key, value in infos.items() if "_key" not in key}, ~done)
        going |= _masked({"final_obs": final_obs, "final_info": final_info}, done) | self._keys(ended)
        return {key: value for key, value in going.items() if not key.endswith(("is_success", "alignment"))}

    def _mask(self, lanes: NDArray[np.intp]) -> NDArray[np.bool_]:
        mask = np.zeros(self.num_envs, dtype=np.bool_)
        mask[lanes] = True
        return mask

    def _keys(self, lanes: NDArray[np.intp]) -> Infos:
        """Return the keys of lanes whose episode began, and of a mixture the numbers of the levels drawn."""
        told = {"key": self.lanes.key[lanes]}
        if isinstance(self.mdp.world, Mixture):
            told["level"] = np.array([part_of(self.mdp, state) for state in self.lanes.state[lanes].tolist()])
        infos: Infos = {}
        for name, values in told.items():
            infos[name] = np.zeros(self.num_envs, dtype=np.int64)
            infos[name][lanes] = values
        return _masked(infos, self._mask(lanes))


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


def _checked_mask(mask: Any, lanes: int) -> NDArray[np.bool_]:
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != (lanes,) or not mask.any():
        raise InvalidDial(f"reset_mask is a bool array of shape ({lanes},) with at least one True, not {mask!r}")
    return mask
