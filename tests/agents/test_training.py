"""Learners see one reward, repeat themselves, and end as tables."""

import numpy as np
import pytest
from stable_baselines3 import PPO

from alignment_gym.agents import RECIPES, recipe_named, train
from alignment_gym.agents.train import marks
from alignment_gym.agents.training import AS_IT_IS, pay, stripped
from alignment_gym.core import InvalidDial, Specification, UnknownName, world_ids
from alignment_gym.engine.lanes import Lanes
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.exact import evaluate
from tests.every import CERTIFIED

SHORT = 3_000
FEW_LANES = recipe_named("ppo", {"lanes": 16, "batch_size": 128})


def weights_of(trained, folder):
    trained.save_model(str(folder / "model.zip"))
    return PPO.load(folder / "model.zip", device="cpu").policy.state_dict()


@pytest.mark.parametrize("env_id", world_ids())
def test_stripping_the_true_objective_from_everything_changes_no_weight(env_id, tmp_path):
    mdp = as_mdp(env_id)
    blind = mdp.with_specification(Specification(proxy=mdp.specification.proxy, true={}))
    networks = []
    for number, tables in enumerate((mdp, blind)):
        (tmp_path / str(number)).mkdir()
        trained = train(tables, FEW_LANES, steps=512, seed=1)  # two rollouts
        networks.append(weights_of(trained, tmp_path / str(number)))
    assert networks[0].keys() == networks[1].keys()
    assert all((networks[0][name] == networks[1][name]).all() for name in networks[0])


@pytest.mark.parametrize("recipe", ["ppo", "a2c", "dqn", "qr-dqn", "q-learning", "sarsa"])
def test_a_seed_repeats_itself_and_another_differs(recipe):
    mdp = as_mdp("ShutdownButton-v0")
    first, again, other = (
        train(mdp, RECIPES[recipe], steps=SHORT, seed=seed).policy.probabilities for seed in (5, 5, 6)
    )
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("recipe", ["q-learning", "sarsa"])
@pytest.mark.parametrize("reward", ["proxy", "true"])
def test_tabular_learners_learn_the_boat_race(recipe, reward):
    mdp = as_mdp("BoatRace-v0")
    scored = evaluate(
        train(mdp, RECIPES[recipe], reward=reward, steps=RECIPES[recipe].steps, seed=7).policy, mdp
    ).scores
    assert (scored.proxy_score if reward == "proxy" else scored.true_score) > 0.9


def test_the_learner_is_handed_tables_that_know_one_reward():
    mdp = as_mdp("ShutdownButton-v0")
    for reward, weights in (("proxy", mdp.specification.proxy), ("true", mdp.specification.true)):
        known = stripped(mdp, reward)
        assert known.specification.proxy == known.specification.true == weights


@pytest.mark.parametrize("env_id", world_ids())
def test_pay_gives_uniform_play_nothing_and_optimal_play_its_rise(env_id):
    from alignment_gym.exact import greedy, uniform
    from alignment_gym.exact.evaluation import returns

    mdp = as_mdp(env_id)
    scale = pay(mdp, rise=5.0)

    def earned(policy):
        return scale.scale * (returns(mdp, policy)[0] - scale.base * mdp.horizon)

    least = earned(uniform(mdp))
    assert earned(greedy(mdp, mdp.specification.proxy)) == pytest.approx(least + 5.0, abs=1e-9)
    if mdp.terminated.any():
        assert scale.base == 0.0  # to subtract would pay for shorter or longer episodes
    else:
        assert least == pytest.approx(0.0, abs=1e-9)


def test_a_rise_of_nothing_leaves_the_reward_as_it_is():
    assert pay(as_mdp("BoatRace-v0"), rise=0.0) == AS_IT_IS


def test_the_clock_can_be_learned_from():
    mdp = as_mdp("ShutdownButton-v0", observe_clock=True, horizon=20)
    table = train(mdp, RECIPES["q-learning"], steps=SHORT, seed=1).policy
    assert table.probabilities.shape == (20, len(mdp.observations), len(mdp.actions))


def test_checkpoints_are_spaced_and_end_with_the_last_step():
    trained = train(as_mdp("ShutdownButton-v0"), RECIPES["q-learning"], steps=SHORT, seed=1)
    steps = [step for step, _ in trained.checkpoints]
    assert steps == sorted(set(steps))
    assert steps[-1] == SHORT
    assert len(steps) >= 8


def test_marks_of_a_single_step_are_none():
    assert marks(1) == ()


def always_first(make_env, *, steps, seed):
    env = make_env()
    env.reset(seed=seed)
    _, _, _, _, info = env.step(0)
    assert "true_reward" not in info
    assert steps > 0
    return lambda observations: np.zeros(len(observations), dtype=int)


def test_a_learner_from_elsewhere_takes_part():
    recipe = recipe_named(f"{__name__}:always_first")
    table = train(as_mdp("BoatRace-v0"), recipe, steps=10, seed=0).policy
    assert (table.probabilities[:, 0] == 1.0).all()


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'ppo'"):
        recipe_named("pppo")
    with pytest.raises(UnknownName, match="did you mean 'learning_rate'"):
        recipe_named("ppo", {"learnig_rate": 1.0})
    with pytest.raises(UnknownName, match="there are: proxy, true"):
        train(as_mdp("BoatRace-v0"), RECIPES["q-learning"], reward="points", steps=10, seed=0)
    with pytest.raises(UnknownName, match="did you mean 'relu'"):
        train(as_mdp("BoatRace-v0"), recipe_named("ppo", {"activation": "rellu"}), steps=10, seed=0)
    with pytest.raises(InvalidDial, match="cannot import"):
        recipe_named("nowhere:learner")


@pytest.mark.parametrize(
    ("recipe", "name", "value"),
    [("ppo", "lanes", 0), ("ppo", "learning_rate", -1.0), ("ppo", "n_steps", "many"), ("qr-dqn", "n_quantiles", 0)],
)
def test_settings_out_of_range_are_refused(recipe, name, value):
    with pytest.raises(InvalidDial, match=name):
        recipe_named(recipe, {name: value})


RIGHTLY_PAID = ("CoinGoal-v0", "KeysChests-v0")
FLAGSHIPS = ("BoatRace-v0", "SensorCleaner-v0", "ShutdownButton-v0")  # recipes were tuned on both of their rewards


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env_id", "reward"),
    [*((env_id, "proxy") for env_id in (*CERTIFIED, *RIGHTLY_PAID)), *((env_id, "true") for env_id in FLAGSHIPS)],
)
def test_ppo_becomes_competent_on_its_own_reward(env_id, reward):
    mdp = as_mdp(env_id)
    trained = train(mdp, RECIPES["ppo"], reward=reward, steps=RECIPES["ppo"].steps, seed=1000)
    scored = evaluate(trained.policy, mdp).scores
    assert (scored.proxy_score if reward == "proxy" else scored.true_score) >= 0.9


@pytest.mark.parametrize("recipe", ["ppo", "a2c", "dqn", "qr-dqn", "q-learning"])
def test_lanes_of_different_runs_share_no_stream(recipe, monkeypatch):
    given = []
    seed_lanes = Lanes.seed
    monkeypatch.setattr(Lanes, "seed", lambda lanes, seeds: given.append(seeds) or seed_lanes(lanes, seeds))
    for seed in (0, 1, 2):
        train(as_mdp("SensorCleaner-v0"), recipe_named(recipe), steps=1, seed=seed)
    lanes = recipe_named(recipe).lanes
    assert [len(seeds) for seeds in given] == [lanes] * 3
    assert len({seed for seeds in given for seed in seeds}) == 3 * lanes
