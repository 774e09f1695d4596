"""SB3's face: its checker passes, lanes equal Gymnasium's, and the horizon truncates."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from sb3_contrib import QRDQN
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.vec_env import VecMonitor

from alignment_gym.agents.sb3 import AlignmentVecEnv, looped_vec_env, make_vec_env, network_agent
from alignment_gym.core import InvalidDial, full_id, world_ids
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.exact import tabulate
from tests.every import SHORT

MODES = ({}, {"reward": "true"}, {"expose_true": False}, {"observe_clock": True})


@pytest.mark.parametrize("env_id", world_ids())
@pytest.mark.parametrize("mode", MODES, ids=str)
def test_sb3_finds_nothing_to_complain_about(env_id, mode):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gym.make(full_id(env_id), **mode).unwrapped)


@pytest.mark.parametrize("env_id", world_ids())
@pytest.mark.parametrize("learned", [False, True], ids=["weights", "array"])
def test_sb3_finds_nothing_to_complain_about_with_another_proxy(env_id, learned):
    mdp = as_mdp(env_id)
    table = np.random.default_rng(0).normal(size=(mdp.state_count, len(mdp.actions)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gym.make(full_id(env_id), proxy=table if learned else {mdp.events[0]: 2.0}).unwrapped)


@pytest.mark.parametrize("env_id", world_ids())
def test_lanes_equal_the_gymnasium_batch_that_resets_at_once(env_id):
    theirs = gym.make_vec(full_id(env_id), num_envs=5, autoreset_mode=AutoresetMode.SAME_STEP, horizon=SHORT)
    ours = AlignmentVecEnv(env_id, 5, seed=11, horizon=SHORT)
    expected, _ = theirs.reset(seed=11)
    assert (ours.reset() == expected).all()
    rng = np.random.default_rng(0)
    for _ in range(60):
        actions = rng.integers(0, ours.action_space.n, 5)
        expected, reward, terminated, truncated, infos = theirs.step(actions)
        observations, rewards, dones, each = ours.step(actions)
        assert (observations == expected).all()
        assert (rewards == reward.astype(np.float32)).all()
        assert (dones == (terminated | truncated)).all()
        for lane in np.flatnonzero(dones):
            assert (each[lane]["terminal_observation"] == infos["final_obs"][lane]).all()
            assert each[lane]["TimeLimit.truncated"] == truncated[lane]
            assert each[lane]["true_return"] == infos["final_info"]["true_return"][lane]


@pytest.mark.parametrize("env_id", world_ids())
def test_what_the_batch_is_compared_with_is_the_same_to_the_last_number(env_id):
    ours, loop = (make(env_id, 3, seed=7, horizon=SHORT) for make in (AlignmentVecEnv, looped_vec_env))
    assert loop.get_attr("render_mode") == [None] * 3, "a loop that is prepared to be drawn would lose time"
    assert (ours.reset() == loop.reset()).all()
    rng = np.random.default_rng(0)
    for _ in range(30):
        actions = rng.integers(0, ours.action_space.n, 3)
        for one, other in zip(ours.step(actions)[:3], loop.step(actions)[:3], strict=True):
            assert (one == other).all()


def test_no_lane_says_anything_of_the_true_objective_where_it_is_hidden():
    env = AlignmentVecEnv("ShutdownButton-v0", 3, seed=0, expose_true=False, horizon=5)
    env.reset()
    for _ in range(5):
        _, _, _, infos = env.step(np.zeros(3, dtype=int))
    assert all(set(info) == {"terminal_observation", "TimeLimit.truncated", "episode"} for info in infos)


def test_finished_lanes_report_their_episode_as_sb3s_monitor_does():
    lanes, monitored = AlignmentVecEnv("SensorCleaner-v0", 3, seed=5), make_vec_env("SensorCleaner-v0", 3, seed=5)
    lanes.reset()
    monitored.reset()
    rng = np.random.default_rng(1)
    for step in range(1, 201):
        actions = rng.integers(0, 6, 3)
        *_, dones, infos = lanes.step(actions)
        *_, expected = monitored.step(actions)
        assert dones.all() == (step % 100 == 0)
        for info, other in zip(infos, expected, strict=True):
            assert ("episode" in info) == (step % 100 == 0)
            if "episode" in info:
                assert info["episode"]["r"] == pytest.approx(other["episode"]["r"], abs=1e-3)
                assert info["episode"]["l"] == other["episode"]["l"] == 100


def test_the_monitor_of_sb3_keeps_what_its_keywords_name(tmp_path):
    keywords = ("true_return", "proxy_return", "is_success")
    env = VecMonitor(AlignmentVecEnv("BoatRace-v0", 2, seed=0, horizon=7), str(tmp_path / "log"), keywords)
    env.reset()
    for _ in range(7):
        *_, infos = env.step(np.ones(2, dtype=int))
    assert all(info["episode"]["true_return"] == info["true_return"] for info in infos)
    header = (tmp_path / "log.monitor.csv").read_text().splitlines()[1]
    assert header.split(",") == ["r", "l", "t", *keywords]


def test_nothing_one_lane_is_told_reaches_another():
    env = AlignmentVecEnv("BoatRace-v0", 3, seed=0)
    env.reset()
    *_, infos = env.step(np.zeros(3, dtype=int))
    infos[0]["mine"] = 1
    assert infos[1:] == [{}, {}]
    assert env.step(np.zeros(3, dtype=int))[3] == [{}, {}, {}]


@pytest.mark.parametrize(
    ("actions", "said"),
    [([0, 1, 9], "lane 2: action 9"), ([0, -1, 0], "lane 1: action -1"), ([0, 0], "shape"), ([0.0, 1.0, 2.0], "whole")],
    ids=str,
)
def test_actions_that_are_none_are_refused_and_change_nothing(actions, said):
    env, other = (AlignmentVecEnv("BoatRace-v0", 3, seed=0) for _ in range(2))
    env.reset()
    other.reset()
    with pytest.raises(InvalidDial, match=said):
        env.step(np.array(actions))
    for one, two in zip(env.step(np.ones(3, dtype=int)), other.step(np.ones(3, dtype=int)), strict=True):
        np.testing.assert_array_equal(one, two)


def test_lanes_are_stepped_between_a_reset_and_the_end():
    with pytest.raises(InvalidDial, match="at least 1 lane"):
        AlignmentVecEnv("BoatRace-v0", 0)
    env = AlignmentVecEnv("BoatRace-v0", 2)
    with pytest.raises(gym.error.ResetNeeded):
        env.step(np.zeros(2, dtype=int))
    env.reset()
    env.close()
    with pytest.raises(gym.error.ClosedEnvironmentError):
        env.step(np.zeros(2, dtype=int))


def test_seeds_are_used_once_and_episodes_go_on():
    env = make_vec_env("SensorCleaner-v0", n_envs=2, seed=3)
    first = env.reset()
    keys = env.unwrapped.lanes.key.copy()
    second = env.reset()
    assert first.shape == second.shape
    assert (env.unwrapped.lanes.key != keys).all()
    env.seed(3)
    env.reset()
    assert (env.unwrapped.lanes.key == keys).all()


def test_lanes_play_several_levels():
    env = AlignmentVecEnv("BoatRace", 64, seed=0, level="generated/0-3")
    env.reset()
    for _ in range(3):
        env.step(np.zeros(64, dtype=np.int64))
    assert {env.mdp.states[state][0] for state in env.lanes.state} == {0, 1, 2, 3}


def test_any_sb3_network_becomes_a_table():
    model = PPO("MlpPolicy", make_vec_env("BoatRace-v0", n_envs=2, seed=0), n_steps=8, batch_size=16, device="cpu")
    table = tabulate(network_agent(model), "BoatRace-v0")
    assert table.probabilities.sum(axis=-1) == pytest.approx(1.0)
    chosen, _ = model.predict(table.observations, deterministic=True)
    assert (table.probabilities.argmax(axis=-1) == chosen).mean() > 0.99


@pytest.mark.parametrize(
    ("obs", "algorithm", "policy"),
    [
        ("pixels", PPO, "CnnPolicy"),
        ("planes", PPO, "MlpPolicy"),
        ("pixels", DQN, "CnnPolicy"),
        ("planes", QRDQN, "MlpPolicy"),
    ],
)
def test_networks_learn_from_views_and_become_tables(obs, algorithm, policy):
    settings = (
        {"n_steps": 8, "batch_size": 16, "n_epochs": 1}
        if algorithm is PPO
        else {"learning_starts": 8, "buffer_size": 64}
    )
    env = make_vec_env("ShutdownButton-v0", n_envs=2, seed=0, obs=obs, view="near:2", horizon=7)
    model = algorithm(policy, env, device="cpu", seed=0, **settings)
    model.learn(32)
    how = {"obs": obs, "view": "near:2", "horizon": 7}
    table = tabulate(network_agent(model), "ShutdownButton-v0", **how)
    predicted = tabulate(lambda seen: model.predict(seen, deterministic=True)[0], "ShutdownButton-v0", **how)
    assert (table.probabilities.argmax(axis=-1) == predicted.probabilities.argmax(axis=-1)).all()


def test_sb3_finds_nothing_to_complain_about_in_pixels():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gym.make(full_id("SensorCleaner-v0"), obs="pixels", view="near:2").unwrapped)


def test_sb3_takes_planes_for_pictures_and_complains_of_nothing_else():
    with pytest.warns(UserWarning, match="has to be `np.uint8`"):
        check_env(gym.make(full_id("SensorCleaner-v0"), obs="planes").unwrapped)


@pytest.mark.parametrize("obs", ["planes", "pixels", "text"])
def test_lanes_show_what_the_gymnasium_batch_that_resets_at_once_shows(obs):
    how = {"obs": obs, "horizon": 5}
    theirs = gym.make_vec(full_id("SensorCleaner-v0"), 3, autoreset_mode=AutoresetMode.SAME_STEP, **how)
    ours = AlignmentVecEnv("SensorCleaner-v0", 3, seed=11, **how)
    np.testing.assert_array_equal(ours.reset(), theirs.reset(seed=11)[0])
    rng = np.random.default_rng(0)
    for _ in range(12):
        actions = rng.integers(0, 6, 3)
        expected, *_, infos = theirs.step(actions)
        observations, _, dones, each = ours.step(actions)
        np.testing.assert_array_equal(observations, expected)
        for lane in np.flatnonzero(dones):
            np.testing.assert_array_equal(each[lane]["terminal_observation"], infos["final_obs"][lane])


def test_actions_changed_after_they_were_given_change_nothing():
    env, other = (AlignmentVecEnv("BoatRace-v0", 3, seed=0) for _ in range(2))
    env.reset()
    other.reset()
    actions = np.ones(3, dtype=np.int64)
    env.step_async(actions)
    actions[:] = 99
    np.testing.assert_array_equal(env.step_wait()[0], other.step(np.ones(3, dtype=np.int64))[0])
