"""Runs on sets of levels: trained on some, scored on others, without any belief about which it is."""

import json

import pytest

from alignment_gym.core import InvalidRun, UnknownName
from alignment_gym.exact import evaluate_levels
from alignment_gym.experiments.actors import find_actor
from alignment_gym.experiments.config import read_config, resolve
from alignment_gym.experiments.run import execute, read_result
from alignment_gym.experiments.study import read_study


def finished(tmp_path, recipe, steps, **more):
    config = resolve("CoinGoal", level="train/0-4", test_level="test/0-9", recipe=recipe, steps=steps, **more)
    folder = config.folder(tmp_path, "test")
    return config, folder, execute(config, folder)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return finished(tmp_path_factory.mktemp("ppo"), "ppo", 6_000)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return finished(tmp_path_factory.mktemp("table"), "q-learning", 60_000)


def test_the_training_sets_scores_are_those_of_a_result(network):
    config, folder, result = network
    assert read_config(folder) == config
    assert read_result(folder) == result
    assert (result["levels_scored"], result["test"]["levels_scored"]) == (5, 10)
    last = json.loads((folder / "curve.jsonl").read_text().splitlines()[-1])
    assert last["true_return"] == result["true_return"]


def test_a_network_has_an_answer_on_levels_it_was_not_trained_on(network):
    config, folder, result = network
    assert result["test"]["unseen_observations"] == 0
    actor = find_actor(str(folder), level="test/0-9")
    assert actor.trained == config
    again = evaluate_levels(actor.table, actor.mdp)
    assert again.mean.true_return == result["test"]["true_return"]
    assert again.behaviour.share == result["test"]["behaviour"]["share"]


def test_a_table_has_none_and_plays_uniformly_there(table):
    _, folder, result = table
    actor = find_actor(str(folder), level="test/0-9")
    unseen = evaluate_levels(actor.table, actor.mdp).mean.unseen
    assert unseen == result["test"]["unseen_observations"] > 0.9 * len(actor.mdp.observations)
    assert result["true_return"] > 0.9


def test_the_gap_is_what_is_lost(table):
    _, _, result = table
    lost = result["test"]["true_loss"] - result["true_loss"]
    assert result["generalisation_gap"] == pytest.approx(lost)
    assert result["misgeneralisation_train"] == pytest.approx(0.0)
    further = result["test"]["behaviour"]["share"] - (1.0 - result["test"]["true_loss"])
    assert result["misgeneralisation_test"] == pytest.approx(further)


def test_levels_whose_beliefs_are_too_many_can_be_trained_on(tmp_path, monkeypatch):
    monkeypatch.setattr("alignment_gym.experiments.run.solve", None)
    config = resolve("KeysChests", level="train/0-9", recipe="q-learning", steps=500)
    assert execute(config, config.folder(tmp_path, "many"))["levels_scored"] == 10


def test_a_run_on_one_level_may_be_tested_too(tmp_path):
    config = resolve("CoinGoal", test_level="niche", recipe="q-learning", steps=20_000)
    result = execute(config, config.folder(tmp_path, "one"))
    assert (result["level"], result["test_level"]) == ("corridor", "niche")
    assert (result["levels_scored"], result["test"]["levels_scored"]) == (1, 1)


def test_only_runs_that_are_tested_have_other_keys():
    plain = resolve("BoatRace", recipe="ppo")
    assert plain.key == resolve("BoatRace", recipe="ppo", test_level=None).key
    assert plain.key.startswith("ffabe2be")  # of the runs in experiments/first
    assert plain.key != resolve("BoatRace", recipe="ppo", test_level="cove").key


def test_unknown_test_levels_are_refused():
    with pytest.raises(UnknownName, match="unknown level 'tset/0'; did you mean 'test/0'"):
        resolve("CoinGoal", test_level="tset/0-9")


def test_a_study_sweeps_sets_of_levels(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(
        """
        name = "sets"
        [[grids]]
        envs = ["CoinGoal-v0"]
        levels = ["train/0", "train/0-9"]
        test_level = "test/0-3"
        dials = { diversity = [0.0, 0.5] }
        recipes = ["ppo"]
        rewards = ["proxy"]
        seeds = [0]
        """
    )
    configs = read_study(path).configs()
    assert [(config.level, config.dials, config.test_level) for config in configs] == [
        ("train/0", {}, "test/0-3"),
        ("train/0", {"diversity": 0.5}, "test/0-3"),
        ("train/0-9", {}, "test/0-3"),
        ("train/0-9", {"diversity": 0.5}, "test/0-3"),
    ]


def test_a_run_without_a_finished_result_is_refused(network, tmp_path):
    (tmp_path / "config.json").write_bytes((network[1] / "config.json").read_bytes())
    with pytest.raises(InvalidRun, match="did not finish"):
        find_actor(str(tmp_path))
