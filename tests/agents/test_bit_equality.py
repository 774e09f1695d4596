"""Training through our lanes is training on the single environments, to the last bit."""

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv

from alignment_gym.agents import recipe_named
from alignment_gym.agents.sb3 import AlignmentVecEnv, learn
from alignment_gym.agents.training import pay, stripped
from alignment_gym.core import world_ids
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.engine.single import AlignmentEnv

LANES = 8
SEED = 3
STEPS = 512  # two rollouts: the second is played by a network that has learned, with moments in its optimizer


class Paid(gym.RewardWrapper):
    """A single environment that pays on the learner's scale."""

    def __init__(self, env, pay):
        super().__init__(env)
        self.pay = pay

    def reward(self, reward):
        return (reward - self.pay.base) * self.pay.scale


@pytest.fixture(params=world_ids())
def known(request):
    return stripped(as_mdp(request.param, horizon=30), "proxy")


def singles(known):
    scale = pay(known, 5.0)
    return DummyVecEnv([lambda: Paid(AlignmentEnv(known, expose_true=False), scale) for _ in range(LANES)])


def test_lanes_and_single_environments_draw_the_same_episodes(known):
    ours, theirs = AlignmentVecEnv(known, LANES), singles(known)
    for env in (ours, theirs):
        env.seed(SEED)
        env.reset()
    for _ in range(3):
        assert ours.lanes.key.tolist() == [env.unwrapped._key for env in theirs.envs]
        for _ in range(known.horizon):
            ours.step(np.zeros(LANES, dtype=int))
            theirs.step(np.zeros(LANES, dtype=int))


def test_ppo_ends_in_the_same_weights_as_on_single_environments(known, tmp_path):
    recipe = recipe_named("ppo", {"lanes": LANES, "n_steps": 32, "batch_size": 128, "n_epochs": 2})
    networks = []
    for env in (AlignmentVecEnv(known, LANES, pay=pay(known, 5.0)), singles(known)):
        learn(recipe, env, STEPS, SEED, (), lambda *_: None).save(str(tmp_path / "model.zip"))
        networks.append(PPO.load(tmp_path / "model.zip", device="cpu").policy.state_dict())
    fresh = PPO("MlpPolicy", env, seed=SEED, device="cpu", policy_kwargs={"net_arch": [64, 64]}).policy.state_dict()
    assert all((networks[0][name] == networks[1][name]).all() for name in networks[0])
    assert any((networks[0][name] != fresh[name]).any() for name in fresh)
