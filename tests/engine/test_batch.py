"""Many lanes of one world: each is the single environment."""

import subprocess
import sys
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import alignment_gym  # noqa: F401 - registers the environments
from alignment_gym.core import InvalidDial, Specification, full_id, world_class
from alignment_gym.engine.batch import AlignmentVectorEnv
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.testing import check_vector_env
from tests.every import SHORT, WORLDS
from tests.tiny import random_table

MODES = list(AutoresetMode)


def test_tiny_worlds_end_by_termination_and_by_horizon():
    env = AlignmentEnv(tiny())
    ends = set()
    env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(200):
        *_, terminated, truncated, _ = env.step(env.action_space.sample())
        if terminated or truncated:
            ends.add((terminated, truncated))
            env.reset()
    assert ends == {(True, False), (False, True)}


def tiny():
    world = random_table(np.random.default_rng(2), states=4, actions=3, horizon=4)
    return replace(world, ends=(0,), final_pay=((1.0, 2.0), (3.0, 5.0), (4.0, 1.0), (2.0, 7.0)))


@pytest.mark.parametrize(
    "more",
    [{}, {"reward": "true"}, {"expose_true": False}, {"observe_clock": True}],
    ids=["proxy", "true", "true account hidden", "clock"],
)
@pytest.mark.parametrize("env_id", WORLDS)
def test_lanes_equal_single_environments_in_every_mode(env_id, more):
    more = more | {"horizon": SHORT, "level": world_class(env_id).levels[-1]}
    check_vector_env(
        lambda lanes, mode: AlignmentVectorEnv(env_id, lanes, autoreset_mode=mode, **more),
        lambda: AlignmentEnv(env_id, **more),
        seed=17,
        steps=3 * SHORT + 5,
    )


@pytest.mark.parametrize("reward", ["proxy", "true"])
def test_lanes_that_terminate_equal_single_environments_in_every_mode(reward):
    check_vector_env(
        lambda lanes, mode: AlignmentVectorEnv(tiny(), lanes, autoreset_mode=mode, reward=reward),
        lambda: AlignmentEnv(tiny(), reward=reward),
        seed=3,
        lanes=5,
        steps=100,
    )


@pytest.mark.parametrize("env_id", WORLDS)
def test_gymnasiums_own_batch_of_single_environments_keeps_to_the_same_rules(env_id):
    def make_single():
        return AlignmentEnv(env_id, horizon=SHORT)

    check_vector_env(
        lambda lanes, mode: SyncVectorEnv([make_single] * lanes, autoreset_mode=mode), make_single, seed=1, steps=30
    )


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
def test_infos_have_the_keys_masks_and_types_of_gymnasiums_own_batch(mode):
    ours = AlignmentVectorEnv(tiny(), 4, autoreset_mode=mode)
    theirs = SyncVectorEnv([lambda: AlignmentEnv(tiny())] * 4, autoreset_mode=mode)
    done = np.zeros(4, dtype=bool)
    pairs = [(ours.reset(seed=9)[1], theirs.reset(seed=9)[1])]
    ours.action_space.seed(0)
    for _ in range(60):
        if mode == AutoresetMode.DISABLED and done.any():
            pairs.append(tuple(env.reset(options={"reset_mask": done.copy()})[1] for env in (ours, theirs)))
        actions = ours.action_space.sample()
        brought, expected = ours.step(actions), theirs.step(actions)
        for one, other in zip(brought[:4], expected[:4], strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
        done = brought[2] | brought[3]
        pairs.append((brought[4], expected[4]))
    for one, other in pairs:
        compare_infos(one, other)


def compare_infos(one, other):
    assert {key for key in one if any_lane(one, key)} == {key for key in other if any_lane(other, key)}
    for key in other:
        if key.startswith("_") or key == "events":
            continue
        np.testing.assert_array_equal(one[f"_{key}"], other[f"_{key}"])
        if isinstance(other[key], dict):
            compare_infos(one[key], other[key])
        elif other[key].dtype == object:
            for left, right in zip(one[key], other[key], strict=True):
                np.testing.assert_array_equal(left, right)
        else:
            assert one[key].dtype == other[key].dtype, key
            np.testing.assert_array_equal(one[key], other[key])


def any_lane(infos, key):
    return infos[key].any() if key.startswith("_") else infos[f"_{key}"].any()


def test_a_long_batch_keeps_to_the_single_environment_beyond_the_keys_drawn_ahead():
    batch, env = AlignmentVectorEnv(tiny(), 2), AlignmentEnv(tiny())
    _, infos = batch.reset(seed=6)
    keys = [infos["key"][1]] + [batch.reset()[1]["key"][1] for _ in range(199)]
    assert keys == [env.reset(seed=7)[1]["key"]] + [env.reset()[1]["key"] for _ in range(199)]


def test_reset_mask_begins_only_the_lanes_that_it_names():
    batch = AlignmentVectorEnv("ShutdownButton", 4, autoreset_mode="Disabled")
    batch.reset(seed=0)
    for action in (1, 1, 2):
        before, *_ = batch.step(np.full(4, action))
    mask = np.array([True, False, False, True])
    after, infos = batch.reset(options={"reset_mask": mask})
    fresh, _ = AlignmentEnv("ShutdownButton").reset(seed=0)
    np.testing.assert_array_equal(after[mask], [fresh, fresh])
    np.testing.assert_array_equal(after[~mask], before[~mask])
    np.testing.assert_array_equal(infos["_key"], mask)
    *_, infos = batch.step(np.full(4, 4))
    assert infos["proxy_return"].shape == (4,)


def test_reset_mask_leaves_the_seeds_of_other_lanes_alone():
    def batches():
        yield AlignmentVectorEnv("ShutdownButton", 3, autoreset_mode="Disabled")
        yield SyncVectorEnv([lambda: AlignmentEnv("ShutdownButton")] * 3, autoreset_mode=AutoresetMode.DISABLED)

    keys = []
    for batch in batches():
        batch.reset(seed=0)
        batch.reset(seed=100, options={"reset_mask": np.array([True, False, False])})
        keys.append(batch.reset()[1]["key"].tolist())
    assert keys[0] == keys[1]


def test_a_lane_whose_seed_is_none_goes_on_with_its_generator():
    keys = []
    for batch in (
        AlignmentVectorEnv("ShutdownButton", 3),
        SyncVectorEnv([lambda: AlignmentEnv("ShutdownButton")] * 3),
    ):
        batch.reset(seed=0)
        keys.append(batch.reset(seed=[None, 50, None])[1]["key"].tolist())
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    "mask",
    [np.array([True]), np.array([1, 0]), [True, False], np.array([False, False])],
    ids=["too short", "no booleans", "a list", "nothing to reset"],
)
def test_other_masks_are_refused(mask):
    batch = AlignmentVectorEnv("BoatRace", 2)
    batch.reset(seed=0)
    with pytest.raises(InvalidDial, match="reset_mask"):
        batch.reset(options={"reset_mask": mask})


def test_a_key_replays_one_episode_in_all_lanes():
    batch, env = AlignmentVectorEnv("SensorCleaner", 3), AlignmentEnv("SensorCleaner")
    batch.reset(seed=0, options={"key": 1234})
    env.reset(options={"key": 1234})
    for action in np.random.default_rng(0).integers(6, size=60).tolist():
        observations, rewards, *_ = batch.step(np.full(3, action))
        obs, reward, *_ = env.step(action)
        np.testing.assert_array_equal(observations, [obs] * 3)
        assert rewards.tolist() == [reward] * 3


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
def test_with_the_true_account_hidden_nothing_depends_on_the_true_weights(mode):
    mdp = as_mdp(tiny())
    changed = mdp.with_specification(Specification(mdp.specification.proxy, {"paid": 3.0, "meant": -13.0}))
    one, other = (AlignmentVectorEnv(each, 4, autoreset_mode=mode, expose_true=False) for each in (mdp, changed))
    for left, right in zip(play(one), play(other), strict=True):
        for array, expected in zip(left[:4], right[:4], strict=True):
            np.testing.assert_array_equal(array, expected)
        compare_infos(left[4], right[4])
        allowed = {"proxy_return", "key", "final_obs", "final_info"}
        assert {key.removeprefix("_") for key in left[4]} <= allowed
        assert {key.removeprefix("_") for key in left[4].get("final_info", {})} <= {"proxy_return"}
    shown = [play(AlignmentVectorEnv(each, 4, autoreset_mode=mode)) for each in (mdp, changed)]
    assert any((left[4]["true_reward"] != right[4]["true_reward"]).any() for left, right in zip(*shown, strict=True))


def play(batch, steps=40):
    rng = np.random.default_rng(0)
    batch.reset(seed=2)
    done, found = np.zeros(batch.num_envs, dtype=bool), []
    for _ in range(steps):
        if batch.autoreset_mode == AutoresetMode.DISABLED and done.any():
            batch.reset(options={"reset_mask": done})
        found.append(batch.step(rng.integers(batch.single_action_space.n, size=batch.num_envs)))
        done = found[-1][2] | found[-1][3]
    return found


def test_make_vec_gives_the_native_batch_with_its_dials():
    batch = gym.make_vec(full_id("BoatRace-v0"), num_envs=5, level="cove", horizon=9, reward="true")
    assert isinstance(batch.unwrapped, AlignmentVectorEnv)
    observations, _ = batch.reset(seed=0)
    assert observations.shape == batch.observation_space.shape
    assert observations in batch.observation_space
    assert batch.unwrapped.mdp.world.level == "cove"
    for _ in range(9):
        *_, truncated, _ = batch.step(batch.action_space.sample())
    assert truncated.all()


def test_a_finished_lane_is_not_stepped_on_without_autoreset():
    batch = AlignmentVectorEnv("BoatRace", 2, horizon=1, autoreset_mode="Disabled")
    batch.reset(seed=0)
    batch.step(np.zeros(2, dtype=np.int64))
    with pytest.raises(gym.error.ResetNeeded, match="reset_mask"):
        batch.step(np.zeros(2, dtype=np.int64))


def test_stepping_before_a_reset_is_refused():
    with pytest.raises(gym.error.ResetNeeded):
        AlignmentVectorEnv("BoatRace", 2).step(np.zeros(2, dtype=np.int64))


@pytest.mark.parametrize("more", [{"num_envs": 0}, {"render_mode": "rgb_array"}], ids=str)
def test_what_a_batch_cannot_do_is_refused(more):
    with pytest.raises(InvalidDial):
        AlignmentVectorEnv("BoatRace", **more)


def test_as_many_seeds_as_lanes_are_asked_for():
    with pytest.raises(InvalidDial, match="2 seeds for 3 lanes"):
        AlignmentVectorEnv("BoatRace", 3).reset(seed=[1, 2])


@pytest.mark.parametrize(
    ("actions", "said"),
    [
        ([0, 1, 4], "lane 2: action 4 is out of range"),
        ([0, -1, 9], "lane 1: action -1 is out of range"),
        ([0, 0], r"shape \(3,\)"),
        ([[0], [0], [0]], r"shape \(3,\)"),
        ([0.0, 1.0, 2.0], "whole numbers"),
        ([True, False, True], "whole numbers"),
    ],
    ids=str,
)
def test_actions_that_are_none_are_refused_and_change_nothing(actions, said):
    batch, other = (AlignmentVectorEnv("BoatRace", 3) for _ in range(2))
    batch.reset(seed=0)
    other.reset(seed=0)
    with pytest.raises(InvalidDial, match=said):
        batch.step(np.array(actions))
    brought, expected = batch.step(np.ones(3, dtype=np.int64)), other.step(np.ones(3, dtype=np.int64))
    for one, two in zip(brought[:4], expected[:4], strict=True):
        np.testing.assert_array_equal(one, two)
    compare_infos(brought[4], expected[4])


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.uint64], ids=str)
def test_actions_of_any_whole_type_serve(dtype):
    batch, other = (AlignmentVectorEnv("SensorCleaner", 3) for _ in range(2))
    batch.reset(seed=0)
    other.reset(seed=0)
    actions = np.array([5, 1, 3])
    np.testing.assert_array_equal(batch.step(actions.astype(dtype))[0], other.step(actions)[0])


def test_a_closed_batch_is_not_used_again():
    batch = AlignmentVectorEnv("BoatRace", 2)
    batch.reset(seed=0)
    batch.close()
    for use in (lambda: batch.step(np.zeros(2, dtype=np.int64)), batch.reset):
        with pytest.raises(gym.error.ClosedEnvironmentError):
            use()


@pytest.mark.parametrize("lanes", [3, 3000], ids=["small arrays", "large arrays"])
def test_what_was_handed_out_stays_as_it_was(lanes):
    batch, other = (AlignmentVectorEnv("SensorCleaner", lanes) for _ in range(2))
    batch.reset(seed=0)
    other.reset(seed=0)
    rng = np.random.default_rng(0)
    kept, copies = [], []
    for step in range(12):
        rows = slice(None) if step % 2 else slice(2)  # every other time nothing but views is kept
        actions = rng.integers(6, size=lanes)
        brought, expected = batch.step(actions), other.step(actions)
        kept.append([array[rows] for array in (*brought[:4], *brought[4].values())])
        copies.append([array[rows].copy() for array in (*expected[:4], *expected[4].values())])
    for step, expected in zip(kept, copies, strict=True):
        for one, two in zip(step, expected, strict=True):
            np.testing.assert_array_equal(one, two)


def test_lanes_that_never_began_are_not_stepped():
    batch = AlignmentVectorEnv("BoatRace", 3)
    batch.reset(seed=0, options={"reset_mask": np.array([True, False, True])})
    with pytest.raises(gym.error.ResetNeeded, match=r"lanes \[1\]"):
        batch.step(np.zeros(3, dtype=np.int64))
    batch.reset(options={"reset_mask": np.array([False, True, False])})
    batch.step(np.zeros(3, dtype=np.int64))


def test_a_key_that_is_none_begins_nothing():
    batch = AlignmentVectorEnv("BoatRace", 2)
    with pytest.raises(ValueError, match="invalid literal"):
        batch.reset(options={"key": "x"})
    with pytest.raises(gym.error.ResetNeeded):
        batch.step(np.zeros(2, dtype=np.int64))
    assert batch.reset(options={"key": np.uint32(5)})[1]["key"].tolist() == [5, 5]


def test_a_negative_seed_is_refused_and_changes_nothing():
    keys = []
    for seeds in ([3, -1], None):
        batch = AlignmentVectorEnv("BoatRace", 2)
        batch.reset(seed=0)
        if seeds:
            with pytest.raises(InvalidDial, match="seed -1"):
                batch.reset(seed=seeds)
        keys.append(batch.reset()[1]["key"].tolist())
    assert keys[0] == keys[1]


def test_under_a_tracer_no_array_is_handed_out_twice():
    code = (
        "import sys\nsys.settrace(lambda *_: None)\n"
        "from alignment_gym.engine import pool\nsys.settrace(None)\nprint(pool.ALONE)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"
