import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode

from alignment_gym.core import InvalidDial
from alignment_gym.wrappers import ProxyReward, VectorReward, vector
from tests.every import WORLDS

BOATS = "alignment_gym/BoatRace-v0"


def steps_of(env, seed, count):
    """Return rewards and infos of some steps at random, episodes one after the other."""
    env.action_space.seed(seed)
    env.reset(seed=seed)
    for _ in range(count):
        _, reward, terminated, truncated, info = env.step(env.action_space.sample())
        yield reward, info
        if terminated or truncated:
            env.reset()


@pytest.mark.parametrize("world", WORLDS)
def test_the_components_are_the_two_rewards_of_every_world(world):
    plain = gym.make(f"alignment_gym/{world}")
    wrapped = VectorReward(gym.make(f"alignment_gym/{world}"))
    for (both, info), (proxy, expected) in zip(steps_of(wrapped, 2, 40), steps_of(plain, 2, 40), strict=True):
        assert both.dtype == np.float32
        assert both.tolist() == [np.float32(proxy), np.float32(expected["true_reward"])]
        assert info == expected


def test_the_space_of_the_reward_is_where_multi_objective_tools_look():
    env = VectorReward(gym.make(BOATS))
    assert env.reward_dim == env.unwrapped.reward_dim == 2
    assert env.unwrapped.reward_space.shape == (2,)
    assert next(steps_of(env, 0, 1))[0] in env.reward_space


def test_it_goes_over_any_pair():
    pair = ProxyReward(gym.make("CartPole-v1"), lambda _: 3.0, lambda step: step.reward)
    assert next(steps_of(VectorReward(pair), 0, 1))[0].tolist() == [3.0, 1.0]


def test_its_specification_goes_through_json():
    env = VectorReward(gym.make(BOATS, horizon=9))
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert isinstance(again, VectorReward)
    assert [both.tolist() for both, _ in steps_of(again, 1, 9)] == [both.tolist() for both, _ in steps_of(env, 1, 9)]


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("pair", ["world", "sync"])
def test_lanes_of_a_batch_pay_what_single_environments_do(mode, pair):
    lanes, horizon = 3, 6
    if pair == "world":
        batch = vector.VectorReward(gym.make_vec(BOATS, lanes, horizon=horizon, autoreset_mode=mode))
    else:
        made = gym.make_vec(BOATS, lanes, "sync", {"autoreset_mode": mode}, horizon=horizon)
        batch = vector.VectorReward(vector.ProxyReward(made, None, lambda step: step.info["true_reward"]))
    singles = [VectorReward(gym.make(BOATS, horizon=horizon)) for _ in range(lanes)]
    batch.reset(seed=4)
    for lane, single in enumerate(singles):
        single.reset(seed=4 + lane)
    batch.action_space.seed(4)
    for step in range(3 * horizon):
        actions = batch.action_space.sample()
        _, rewards, _, truncated, _ = batch.step(actions)
        renewed = mode == AutoresetMode.NEXT_STEP and step % (horizon + 1) == horizon
        for lane, single in enumerate(singles):
            if renewed:
                single.reset()
            assert rewards[lane].tolist() == ([0, 0] if renewed else single.step(actions[lane])[1].tolist())
        if truncated.all() and mode != AutoresetMode.NEXT_STEP:
            for single in singles:
                single.reset()
        if truncated.all() and mode == AutoresetMode.DISABLED:
            batch.reset(options={"reset_mask": np.ones(lanes, dtype=np.bool_)})


def test_a_twin_and_a_hidden_account_are_refused():
    for make in (lambda **how: VectorReward(gym.make(BOATS, **how)), _vector):
        with pytest.raises(InvalidDial, match="reward='true' leaves no proxy"):
            make(reward="true")
        with pytest.raises(InvalidDial, match="expose_true=False hides"):
            make(expose_true=False)


def _vector(**how):
    return vector.VectorReward(gym.make_vec(BOATS, 2, **how))


@pytest.mark.parametrize("kept", [{"reward": "true"}, {"expose_true": False}])
@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_batch_of_single_twins_is_refused(kept, mode):
    batch = gym.make_vec(BOATS, num_envs=2, vectorization_mode=mode, **kept)
    with pytest.raises(InvalidDial, match="component"):
        vector.VectorReward(batch)
    batch.close()


def test_an_environment_without_a_true_account_is_refused_with_the_way_out():
    env = VectorReward(gym.make("CartPole-v1"))
    env.reset(seed=0)
    with pytest.raises(InvalidDial, match="wrap it in ProxyReward first"):
        env.step(0)
    batch = vector.VectorReward(gym.make_vec("CartPole-v1", 2, "sync"))
    batch.reset(seed=0)
    with pytest.raises(InvalidDial, match="wrap it in ProxyReward first"):
        batch.step(np.array([0, 0]))
