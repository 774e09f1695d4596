"""Equality before speed: single, batched and SB3's faces give the same trajectories, bit for bit."""

import numpy as np
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st

from alignment_gym.agents.sb3 import AlignmentVecEnv
from alignment_gym.core import world_class
from alignment_gym.engine.batch import AlignmentVectorEnv
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.testing import check_vector_env
from tests.every import WORLDS
from tests.tiny import random_table

SEEDS = st.integers(0, 2**31 - 1)


@st.composite
def made(draw):
    """Return what faces are made from, and their other arguments."""
    more = {
        "reward": draw(st.sampled_from(["proxy", "true"])),
        "expose_true": draw(st.booleans()),
    }
    if draw(st.booleans()):
        table = random_table(np.random.default_rng(draw(SEEDS)), states=4, actions=3, horizon=draw(st.integers(1, 6)))
        return table, more
    env_id = draw(st.sampled_from(WORLDS))
    level = draw(st.sampled_from(world_class(env_id).levels))
    dials = {"level": level, "horizon": draw(st.integers(1, 30)), "observe_clock": draw(st.booleans())}
    return env_id, more | dials


@given(made(), st.integers(1, 5), SEEDS)
@settings(max_examples=25, deadline=None)
def test_every_lane_is_the_single_environment_in_every_mode(made, lanes, seed):
    what, more = made
    check_vector_env(
        lambda count, mode: AlignmentVectorEnv(what, count, autoreset_mode=mode, **more),
        lambda: AlignmentEnv(what, **more),
        seed=seed,
        lanes=lanes,
        steps=35,
    )


@given(made(), st.integers(1, 70), SEEDS)
@settings(max_examples=25, deadline=None)
def test_sb3s_lanes_are_those_of_the_batch_that_resets_at_once(made, lanes, seed):
    what, more = made
    batch = AlignmentVectorEnv(what, lanes, autoreset_mode=AutoresetMode.SAME_STEP, **more)
    learner = AlignmentVecEnv(what, lanes, seed, **more)
    np.testing.assert_array_equal(learner.reset(), batch.reset(seed=seed)[0])
    rng = np.random.default_rng(seed)
    for _ in range(35):
        actions = rng.integers(0, learner.action_space.n, lanes)
        expected, reward, terminated, truncated, final = batch.step(actions)
        observations, rewards, dones, infos = learner.step(actions)
        np.testing.assert_array_equal(observations, expected)
        np.testing.assert_array_equal(rewards, reward.astype(np.float32))
        np.testing.assert_array_equal(dones, terminated | truncated)
        for lane in np.flatnonzero(dones):
            np.testing.assert_array_equal(infos[lane]["terminal_observation"], final["final_obs"][lane])
            assert infos[lane]["TimeLimit.truncated"] == truncated[lane]
