"""`train` and `eval` on sets of levels: scores of the means, rows a level, and what is lost from one set to another."""

import json

import pytest

TRAIN = ("train", "CoinGoal", "--algo", "q-learning", "--steps", 30_000, "--level", "train/0-1")


@pytest.fixture
def run(call):
    """Train on two levels, and give the run's folder."""
    return json.loads(call(*TRAIN, "--json").out)["run"]


def test_training_says_how_the_agent_does_on_other_levels(call):
    said = call(*TRAIN, "--test-level", "test/0-3")
    assert said.code == 0
    assert "on test/0-3:" in said.out
    assert "L on these levels minus L on those trained on" in said.out
    assert "scored by mean returns between mean anchors" in said.out


def test_eval_tells_levels_their_mean_and_the_gap(call, run):
    found = json.loads(call("eval", run, "--level", "test/0-3", "--json").out)
    assert [row["level"] for row in found["levels"]] == ["test/0", "test/1", "test/2", "test/3"]
    assert sum(row["true_return"] for row in found["levels"]) / 4 == pytest.approx(found["true_return"])
    assert found["generalisation_gap"] == pytest.approx(found["true_loss"] - found["train"]["true_loss"])
    assert found["levels_scored"] == 4
    assert found["unseen_observations"] > 0


def test_eval_on_the_levels_trained_on_has_no_gap(call, run):
    found = json.loads(call("eval", run, "--json").out)
    assert "generalisation_gap" not in found
    assert len(found["levels"]) == 2


def test_eval_by_name_takes_sets_of_levels(call):
    found = json.loads(call("eval", "uniform", "--env", "CoinGoal", "--level", "test/0-3", "--json").out)
    assert found["true_score"] == pytest.approx(0.0)
    assert found["behaviour"]["score"] == pytest.approx(0.0)
