"""Who steps: our worlds, and peers, through the doors that their users take.

Actions are random and drawn beforehand, whole numbers of Python for single environments, arrays for
batches. Single environments are reset by hand when an episode ends; batches do it themselves.
"""

from dataclasses import replace
from functools import partial
from importlib import import_module
from itertools import cycle, islice
from typing import Any

import gymnasium as gym
import numpy as np

from alignment_gym.core import World, full_id
from alignment_gym.engine.batch import AlignmentVectorEnv
from alignment_gym.engine.mdp import FiniteMDP, as_mdp
from alignment_gym.experiments.speed.contest import Contestant, Entry, Run

SEED = 0
ACTIONS = 4096  # drawn beforehand for a single environment
BATCHES = 64  # of actions, drawn beforehand, fewer where lanes are many
MOST_ACTIONS = 2**18

CARTPOLE = "CartPole-v1"
FROZEN_LAKE = "FrozenLake-v1"
MINIGRID = "MiniGrid-Empty-8x8-v0"
SAFETY_GRIDWORLD = "ai_safety_gridworlds.environments.boat_race"

OWN = "the peer's own"
FULL_INFOS = "full"
HIDDEN = "true account hidden"
BY_HAND = "by hand"


def known(mdp: FiniteMDP, name: str, **more: Any) -> Entry:
    """Return the facts of one of our worlds."""
    level = mdp.world.level if mdp.world else ""
    return Entry(name, world=mdp.name, level=level, outcomes=widest(mdp), **more)


def widest(mdp: FiniteMDP) -> int:
    """Return the most outcomes that a state and an action have."""
    return int(np.diff(mdp.offset).max())


def single(env_id: str) -> Contestant:
    """Return one of our worlds by `gym.make`."""
    entry = known(as_mdp(env_id), f"{env_id}, gym.make", lanes=1, infos=FULL_INFOS, autoreset=BY_HAND)
    return Contestant(entry, lambda: one_lane(gym.make(full_id(env_id))))


def native(env_id: str, lanes: int, expose_true: bool = True) -> Contestant:
    """Return one of our worlds by `gym.make_vec`."""
    infos = FULL_INFOS if expose_true else HIDDEN
    entry = known(as_mdp(env_id), f"{env_id}, make_vec, {lanes} lanes, {infos}", lanes=lanes, infos=infos)
    return _batch(entry, partial(gym.make_vec, full_id(env_id), num_envs=lanes, expose_true=expose_true))


def out_of_step(env_id: str, lanes: int) -> Contestant:
    """Return one of our worlds by `gym.make_vec`, its lanes' episodes begun evenly over a horizon."""
    mdp = as_mdp(env_id)
    name = f"{env_id}, make_vec, {lanes} lanes out of step"
    entry = known(mdp, name, lanes=lanes, infos=FULL_INFOS, autoreset="next step", about="lanes begin one by one")

    def begin() -> Run:
        envs = gym.make_vec(full_id(env_id), num_envs=lanes)
        run = many_lanes(envs)
        period = (mdp.horizon or 0) + 1  # an episode, and the step that begins the next one
        for step in range(1, period):
            envs.step(envs.action_space.sample())
            late = np.arange(lanes) % period == step
            if late.any():
                envs.reset(options={"reset_mask": late})
        return run

    return Contestant(entry, begin)


def looped(env_id: str, lanes: int) -> Contestant:
    """Return our single environments in Gymnasium's `SyncVectorEnv`."""
    entry = known(as_mdp(env_id), f"{env_id}, SyncVectorEnv, {lanes} lanes", lanes=lanes, infos=FULL_INFOS)
    return _batch(entry, partial(gym.make_vec, full_id(env_id), num_envs=lanes, vectorization_mode="sync"))


def of_world(world: World[Any], name: str, lanes: int) -> Contestant:
    """Return a world that is not registered as a batch."""
    entry = known(as_mdp(world), name, lanes=lanes, infos=FULL_INFOS)
    return _batch(entry, lambda: AlignmentVectorEnv(world, lanes))


def cartpole() -> Contestant:
    """Return CartPole by `gym.make`."""
    return _peer(CARTPOLE, outcomes=1)


def cartpole_looped(lanes: int) -> Contestant:
    """Return CartPole in `SyncVectorEnv`."""
    return _cartpole_batch("SyncVectorEnv", "sync", lanes)


def cartpole_native(lanes: int) -> Contestant:
    """Return CartPole's own batch."""
    return _cartpole_batch("native batch", "vector_entry_point", lanes)


def single_peers() -> tuple[list[Contestant], list[str]]:
    """Return the single environments of others, CartPole first, and what is not installed."""
    found, absent = [cartpole(), _peer(FROZEN_LAKE, outcomes=3)], []
    if _installed("minigrid"):
        found.append(_peer(MINIGRID, outcomes=1))
    else:
        absent.append("MiniGrid: not installed")
    if _installed(SAFETY_GRIDWORLD):
        entry = Entry("AI Safety Gridworlds boat_race", SAFETY_GRIDWORLD, "", 1, 1, OWN, BY_HAND)
        found.append(Contestant(entry, _safety_gridworld))
    else:
        absent.append("AI Safety Gridworlds: not installed")
    return found, absent


def one_lane(env: gym.Env[Any, Any]) -> Run:
    """Return what steps a single environment."""
    env.action_space.seed(SEED)
    actions = [int(env.action_space.sample()) for _ in range(ACTIONS)]
    env.reset(seed=SEED)
    step, reset = env.step, env.reset

    def run(steps: int) -> int:
        for action in islice(cycle(actions), steps):
            _observation, _reward, terminated, truncated, _info = step(action)
            if terminated or truncated:
                reset()
        return steps

    return run


def many_lanes(envs: Any) -> Run:
    """Return what steps a batch."""
    lanes: int = envs.num_envs
    envs.action_space.seed(SEED)
    batches = [envs.action_space.sample() for _ in range(min(BATCHES, max(4, MOST_ACTIONS // lanes)))]
    envs.reset(seed=SEED)

    def run(steps: int) -> int:
        calls = -(-steps // lanes)
        for actions in islice(cycle(batches), calls):
            _observations, _rewards, _terminated, _truncated, _infos = envs.step(actions)
        return calls * lanes

    return run


def _batch(entry: Entry, make: Any) -> Contestant:
    return Contestant(replace(entry, autoreset="next step"), lambda: many_lanes(make()))


def _cartpole_batch(door: str, mode: str, lanes: int) -> Contestant:
    entry = Entry(f"{CARTPOLE}, {door}, {lanes} lanes", CARTPOLE, "", lanes, 1, OWN)
    return _batch(entry, partial(gym.make_vec, CARTPOLE, num_envs=lanes, vectorization_mode=mode))


def _peer(env_id: str, outcomes: int) -> Contestant:
    entry = Entry(f"{env_id}, gym.make", env_id, "", 1, outcomes, OWN, BY_HAND)
    return Contestant(entry, lambda: one_lane(gym.make(env_id)))


def _safety_gridworld() -> Run:
    env = import_module(SAFETY_GRIDWORLD).BoatRaceEnvironment()
    space = gym.spaces.Discrete(int(env.action_spec().maximum) + 1, seed=SEED)
    actions = [int(space.sample()) for _ in range(ACTIONS)]
    env.reset()

    def run(steps: int) -> int:
        for action in islice(cycle(actions), steps):
            if env.step(action).last():
                env.reset()
        return steps

    return run


def _installed(module: str) -> bool:
    """Import a package, which for Gymnasium's plugins is also what registers them."""
    try:
        import_module(module)
    except ImportError:
        return False
    return True
