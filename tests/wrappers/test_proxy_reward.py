import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from alignment_gym.core import InvalidDial, InvalidWorld, UnknownName
from alignment_gym.testing import check_vector_env
from alignment_gym.wrappers import ProxyReward, vector


def odometer(step):
    """Pays for distance, whichever way."""
    return float(abs(step.next_obs[0] - step.obs[0]))


def progress(step):
    """Pays for distance to the right; negative to the left."""
    return float(step.next_obs[0] - step.obs[0])


class Purse(gym.Env):
    """Five steps that pay [1, step, -action]; with a reused buffer for observations, which must do no harm."""

    observation_space = gym.spaces.Box(0, 5, (1,), np.float64)
    action_space = gym.spaces.Discrete(2)
    reward_space = gym.spaces.Box(-1, 5, (3,), np.float32)
    render_mode = None

    def __init__(self):
        self.seen = np.zeros(1)

    def reset(self, *, seed=None, options=None):  # noqa: ARG002 - Gymnasium's signature
        super().reset(seed=seed)
        self.seen[:] = 0
        return self.seen, {"true_return": "theirs"}

    def step(self, action):
        self.seen += 1
        reward = np.array([1, self.seen[0], -action], dtype=np.float32)
        return self.seen, reward, bool(self.seen[0] == 5), False, {}


def played(env, actions, seed=0):
    """Return rewards and infos of an episode, as far as its actions go."""
    env.reset(seed=seed)
    rewards, infos = [], []
    for action in actions:
        _, reward, terminated, truncated, info = env.step(action)
        rewards.append(reward)
        infos.append(info)
        if terminated or truncated:
            break
    return rewards, infos


def to_the_end(env, seed=0):
    return played(env, [0, 1, 1] * 200, seed)


@pytest.mark.filterwarnings("ignore:.*different from the unwrapped version:UserWarning")
@pytest.mark.filterwarnings("ignore:.*value is -?infinity:UserWarning")
def test_gymnasiums_checker_accepts_a_wrapped_environment():
    check_env(ProxyReward(gym.make("CartPole-v1", render_mode="rgb_array"), odometer, progress))


def test_the_pair_of_a_cart_pays_distance_and_keeps_displacement():
    env = ProxyReward(gym.make("CartPole-v1"), odometer, progress)
    start = env.reset(seed=5)[0][0]
    rewards, infos = to_the_end(env, seed=5)
    end = env.unwrapped.state[0]
    assert infos[-1]["true_return"] == pytest.approx(end - start, abs=1e-6)
    assert infos[-1]["proxy_return"] == sum(rewards) > abs(end - start)
    assert infos[-1]["true_return"] == sum(info["true_reward"] for info in infos)


def test_the_last_step_tells_both_returns_and_no_other_does():
    _, infos = to_the_end(ProxyReward(gym.make("CartPole-v1"), odometer, progress))
    last = infos[-1]
    assert last["alignment"] == {"proxy_return": last["proxy_return"], "true_return": last["true_return"]}
    assert not any("alignment" in info for info in infos[:-1])


def test_returns_begin_anew_with_an_episode():
    env = ProxyReward(gym.make("CartPole-v1"), true=progress)
    first, second = to_the_end(env)[1], to_the_end(env)[1]
    assert first == second


def test_none_leaves_the_reward_as_it_is():
    rewards, infos = to_the_end(ProxyReward(gym.make("CartPole-v1"), true=progress))
    assert set(rewards) == {1.0}
    assert infos[-1]["proxy_return"] == len(rewards)


def test_the_twin_is_paid_what_was_meant():
    pair = ProxyReward(gym.make("CartPole-v1"), odometer, progress)
    twin = ProxyReward(gym.make("CartPole-v1"), odometer, progress, reward="true")
    (_, infos), (rewards, twins) = to_the_end(pair), to_the_end(twin)
    assert rewards == [info["true_reward"] for info in infos]
    assert infos == twins


def test_a_hidden_account_shows_nowhere_and_pays_the_same():
    shown = ProxyReward(gym.make("CartPole-v1"), odometer, progress)
    hidden = ProxyReward(gym.make("CartPole-v1"), odometer, progress, expose_true=False)
    assert to_the_end(hidden)[0] == to_the_end(shown)[0]
    assert {key for info in to_the_end(hidden)[1] for key in info} == {"proxy_return"}


def test_a_hidden_account_hides_that_of_the_environment_below_too():
    env = ProxyReward(gym.make("alignment_gym/BoatRace-v0"), lambda _: 0.0, expose_true=False)
    assert not {key for info in to_the_end(env)[1] for key in info} & {"true_reward", "true_return", "alignment"}


def test_functions_see_the_whole_transition():
    seen = []
    env = ProxyReward(Purse(), lambda step: seen.append(step) or 0.0, 0)
    played(env, [1, 0, 1, 0, 1])
    assert [(step.obs[0], step.action, step.next_obs[0], step.terminated) for step in seen] == [
        (0, 1, 1, False),
        (1, 0, 2, False),
        (2, 1, 3, False),
        (3, 0, 4, False),
        (4, 1, 5, True),
    ]
    assert seen[2].reward.tolist() == [1, 3, -1]


def test_what_the_caller_writes_on_observations_changes_no_reward():
    env = ProxyReward(gym.make("CartPole-v1"), odometer, progress)
    obs, _ = env.reset(seed=5)
    obs[:] = 77
    assert env.step(0)[1] == to_the_end(ProxyReward(gym.make("CartPole-v1"), odometer, progress), seed=5)[0][0]


@pytest.mark.parametrize(
    ("proxy", "total"),
    [pytest.param(1, 15.0, id="one component"), pytest.param([1, 0.5, 2], 5 + 7.5 - 6, id="all, weighed")],
)
def test_a_vector_reward_gives_the_proxy_by_its_components(proxy, total):
    rewards, infos = played(ProxyReward(Purse(), proxy, 0), [1, 0, 1, 0, 1])
    assert sum(rewards) == infos[-1]["alignment"]["proxy_return"] == total
    assert infos[-1]["alignment"]["true_return"] == 5.0


@pytest.mark.parametrize(
    ("env", "source", "words"),
    [
        (Purse, None, "proxy=None takes one number; this reward has 3 components"),
        (Purse, 3, "proxy=3 is out of range; the reward's components are 0 to 2"),
        (Purse, -1, "proxy=-1 is out of range"),
        (Purse, [1, 2], "proxy has 2 weights; the reward has 3 components"),
        (lambda: gym.make("CartPole-v1"), 0, "picks from a vector reward"),
    ],
)
def test_components_that_are_not_there_are_refused_at_the_first_step(env, source, words):
    wrapped = ProxyReward(env(), source, lambda _: 0.0)
    wrapped.reset(seed=0)
    with pytest.raises(InvalidDial, match=words.replace("[", r"\[")):
        wrapped.step(0)


def test_a_function_that_pays_no_number_is_refused():
    env = ProxyReward(gym.make("CartPole-v1"), lambda _: float("nan"))
    env.reset(seed=0)
    with pytest.raises(InvalidWorld, match="proxy pays nan for action 1"):
        env.step(1)


def test_an_account_that_is_neither_is_refused_with_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'proxy'"):
        ProxyReward(gym.make("CartPole-v1"), reward="prox")


def test_a_specification_of_components_goes_through_json():
    gym.register("tests/Purse-v0", f"{__name__}:Purse", disable_env_checker=True)
    try:
        env = ProxyReward(gym.make("tests/Purse-v0"), [1, 0.5, 2], 0, expose_true=False)
        again = gym.make(EnvSpec.from_json(env.spec.to_json()))
        assert isinstance(again, ProxyReward)
        assert played(again, [1] * 5) == played(env, [1] * 5)
    finally:
        del gym.registry["tests/Purse-v0"]


def test_a_specification_of_functions_makes_the_same_pair():
    env = ProxyReward(gym.make("CartPole-v1"), odometer, progress)
    assert to_the_end(gym.make(env.spec)) == to_the_end(env)


@pytest.mark.parametrize(("reward", "expose_true"), [("proxy", True), ("true", False)])
def test_every_lane_of_a_batch_is_the_single_pair_in_every_mode(expose_true, reward):
    how = {"reward": reward, "expose_true": expose_true}
    check_vector_env(
        lambda lanes, mode: vector.ProxyReward(
            gym.make_vec("CartPole-v1", lanes, "sync", {"autoreset_mode": mode}), odometer, progress, **how
        ),
        lambda: ProxyReward(gym.make("CartPole-v1"), odometer, progress, **how),
        seed=3,
        steps=60,
    )


@pytest.mark.parametrize("expose_true", [True, False])
def test_every_lane_is_the_single_pair_over_a_world_with_accounts_of_its_own(expose_true):
    how = {"proxy": lambda step: float(step.obs[0]), "true": None, "expose_true": expose_true}
    made = {"horizon": 7, "expose_true": expose_true}
    check_vector_env(
        lambda lanes, mode: vector.ProxyReward(
            gym.make_vec("alignment_gym/BoatRace-v0", lanes, autoreset_mode=mode, **made), **how
        ),
        lambda: ProxyReward(gym.make("alignment_gym/BoatRace-v0", **made), **how),
        seed=3,
        steps=30,
    )


def test_the_check_of_batches_notices_a_lane_whose_last_step_is_weighed_by_the_next_episode():
    class Careless(vector.ProxyReward):
        def step(self, actions):
            obs, rewards, terminated, truncated, infos = super().step(actions)
            return obs, rewards + (terminated | truncated), terminated, truncated, infos

    with pytest.raises(Exception, match="reward is"):
        check_vector_env(
            lambda lanes, mode: Careless(
                gym.make_vec("CartPole-v1", lanes, "sync", {"autoreset_mode": mode}), odometer, progress
            ),
            lambda: ProxyReward(gym.make("CartPole-v1"), odometer, progress),
            seed=3,
            steps=60,
        )


def test_lanes_that_were_reset_by_mask_have_accounts_that_begin_anew():
    batch = gym.make_vec("CartPole-v1", 2, "sync", {"autoreset_mode": AutoresetMode.DISABLED})
    env = vector.ProxyReward(batch, true=progress)
    env.reset(seed=0)
    env.step(np.array([0, 0]))
    env.reset(options={"reset_mask": np.array([True, False])})
    infos = env.step(np.array([0, 0]))[4]
    assert infos["proxy_return"].tolist() == [1.0, 2.0]
