"""Conformance of a batch: lane i, seeded `seed + i`, is the single environment, step for step."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from alignment_gym.testing.nonconformance import demand

MakeVec = Callable[[int, AutoresetMode], gym.vector.VectorEnv[Any, Any, Any]]
MakeSingle = Callable[[], gym.Env[Any, Any]]


def check_vector_env(make_vec: MakeVec, make_single: MakeSingle, seed: int, lanes: int = 3, steps: int = 250) -> None:
    """Check a batch against single environments, in all three autoreset modes.

    Tried are: observations, rewards, both flags and infos of every lane and step; the `_key` masks
    of infos; `final_obs` and `final_info`; `reset_mask`; and that nothing handed out is used again:
    every array is overwritten before the next step.

    Args:
        make_vec: from lanes and an autoreset mode to a new batch.
        make_single: to a new single environment.
        seed: of lane 0, and of the random actions.
        lanes: how many.
        steps: how many; take more than an episode has.

    Raises:
        NonConformance: some lane differs from its single environment.
    """
    for mode in AutoresetMode:
        batch = make_vec(lanes, mode)
        singles = [_Lane(make_single(), mode) for _ in range(lanes)]
        _check_mode(batch, singles, mode, seed, steps)
        batch.close()
        for single in singles:
            single.env.close()


class _Lane:
    """A single environment that begins its next episode as an autoreset mode says."""

    def __init__(self, env: gym.Env[Any, Any], mode: AutoresetMode) -> None:
        self.env = env
        self.mode = mode
        self.done = False

    def reset(self, seed: int | None = None) -> tuple[Any, dict[str, Any]]:
        self.done = False
        return self.env.reset(seed=seed)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if self.done and self.mode == AutoresetMode.NEXT_STEP:
            obs, info = self.reset()
            return obs, 0.0, False, False, info
        obs, reward, terminated, truncated, info = self.env.step(action)
        self.done = terminated or truncated
        if self.done and self.mode == AutoresetMode.SAME_STEP:
            final = {"final_obs": obs, "final_info": info}
            obs, info = self.reset()
            info = info | final
        return obs, float(reward), terminated, truncated, info


def _check_mode(
    batch: gym.vector.VectorEnv[Any, Any, Any], singles: list[_Lane], mode: AutoresetMode, seed: int, steps: int
) -> None:
    events = getattr(getattr(batch.unwrapped, "mdp", None), "events", ())
    batch.action_space.seed(seed)
    observations, infos = batch.reset(seed=seed)
    for lane, single in enumerate(singles):
        obs, info = single.reset(seed + lane)
        where = f"{mode.value}, reset, lane {lane}"
        _compare(where, {"observation": observations[lane]}, {"observation": obs}, ())
        _compare(where, _unpacked(infos, lane), info, events)
    kept = deepcopy(observations)
    _overwrite([observations, infos])
    for step in range(steps):
        done = np.array([single.done for single in singles])
        if mode == AutoresetMode.DISABLED and done.any():
            observations, infos = batch.reset(options={"reset_mask": done.copy()})
            for lane, single in enumerate(singles):
                where = f"{mode.value}, reset_mask at step {step}, lane {lane}"
                obs, info = single.reset() if done[lane] else (kept[lane], {})
                _compare(where, {"observation": observations[lane]}, {"observation": obs}, ())
                _compare(where, _unpacked(infos, lane), info, events)
            _overwrite([observations, infos])
        actions = batch.action_space.sample()
        brought = batch.step(actions)
        for lane, single in enumerate(singles):
            names = ("observation", "reward", "terminated", "truncated")
            *expected, info = single.step(actions[lane])
            where = f"{mode.value}, step {step}, lane {lane}"
            found = {name: array[lane] for name, array in zip(names, brought, strict=False)}
            _compare(where, found, dict(zip(names, expected, strict=True)), ())
            _compare(where, _unpacked(brought[4], lane), info, events)
        kept = deepcopy(brought[0])
        _overwrite(list(brought))


def _unpacked(infos: Mapping[str, Any], lane: int) -> dict[str, Any]:
    """Return one lane's infos: those whose `_key` mask is set there."""
    found = {}
    for key, value in infos.items():
        if key.startswith("_"):
            continue
        mask = infos.get(f"_{key}")
        demand(
            isinstance(mask, np.ndarray) and mask.dtype == np.bool_ and mask.ndim == 1,
            f"infos[{key!r}] has no boolean mask beside it",
        )
        if mask is not None and mask[lane]:
            found[key] = _unpacked(value, lane) if isinstance(value, Mapping) else value[lane]
    return found


def _compare(where: str, found: Mapping[str, Any], expected: Mapping[str, Any], events: tuple[str, ...]) -> None:
    demand(found.keys() == expected.keys(), f"{where}: has {sorted(found)}, the single one {sorted(expected)}")
    for key, value in expected.items():
        other = found[key]
        if isinstance(value, Mapping):
            if isinstance(other, np.ndarray):  # a row of events, zeros included
                other = {name: amount for name, amount in zip(events, other.tolist(), strict=True) if amount}
            _compare(f"{where}, {key}", other, value, events)
        elif not np.array_equal(other, value):  # a picture's words take long to find
            demand(False, f"{where}: {key} is {other!r}, of the single one {value!r}")


def _overwrite(handed_out: list[Any]) -> None:
    """Spoil every array, so that one that is used again shows."""
    for item in handed_out:
        if isinstance(item, Mapping):
            _overwrite(list(item.values()))
        elif isinstance(item, np.ndarray) and item.dtype != object:
            _spoil(item)


def _spoil(array: NDArray[Any]) -> None:
    array[...] = np.logical_not(array) if array.dtype == np.bool_ else 77
