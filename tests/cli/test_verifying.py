"""`verify`: what is as it was written is ok, and each thing that is not is noticed."""

import json
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from alignment_gym.agents import RECIPES, load_policy, save_policy
from alignment_gym.exact import PolicyTable, evaluate
from alignment_gym.experiments.collected import collect, write_records
from alignment_gym.experiments.config import resolve
from alignment_gym.experiments.run import execute
from alignment_gym.experiments.verifying import SOON, verify


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Train two agents, and one that is tested on other levels; return the folder of their runs."""
    root = tmp_path_factory.mktemp("made")
    configs = [resolve("BoatRace", recipe="q-learning", steps=1_000, seed=seed) for seed in (0, 1)]
    configs.append(
        resolve("CoinGoal", level="train/0-1", test_level="test/0-1", recipe="q-learning", steps=1_000, seed=0)
    )
    for config in configs:
        execute(config, config.folder(root, "study"))
    return root / "study"


@pytest.fixture
def study(call, made, tmp_path):
    """Copy those runs to where they may be changed."""
    for path in made.rglob("*"):
        if path.is_file() and path.name != "model.zip":
            copy = tmp_path / "study" / path.relative_to(made)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return call


def boat() -> Path:
    return next(Path("study/BoatRace-v0").rglob("*-seed-0"))


def changed(name, **changes):
    path = boat() / name
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_runs_are_what_they_say(study):
    said = study("verify", "study")
    assert (said.code, said.out.count("ok: "), said.out.count("; trained again")) == (0, 3, 3)
    assert "3 runs verified: none differ" in said.out


def test_one_run_says_as_json_what_was_done(study):
    said = study("verify", boat(), "--no-retrain", "--json")
    (verdict,) = json.loads(said.out)["verdicts"]
    assert verdict == {
        "ok": True,
        "run": str(boat()),
        "done": ["scored again", "not trained again: --no-retrain"],
        "differences": [],
        "notes": [],
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [("true_loss", 0.123), ("hack", None), ("tables", "0" * 64), ("key", "0" * 64), ("steps", 999), ("seed", 5)],
)
def test_a_changed_result_is_noticed(study, name, value):
    changed("result.json", **{name: value})
    said = study("verify", boat(), "--no-retrain")
    assert said.code == 4
    assert f"  {name}: written {value}, found " in said.out


def test_a_number_that_differs_by_more_than_rounding_is_noticed(study):
    before = json.loads((boat() / "result.json").read_text())["true_return"]
    changed("result.json", true_return=before * (1 + 1e-12))
    assert study("verify", boat(), "--no-retrain").code == 0
    changed("result.json", true_return=before * (1 + 1e-8) + 1e-8)
    assert "true_return: written" in study("verify", boat(), "--no-retrain").out


def test_a_number_that_is_gone_is_noticed(study):
    path = boat() / "result.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != "proxy_score"}))
    assert "proxy_score: written nothing" in study("verify", boat(), "--no-retrain").out


def test_a_result_without_tables_is_noted(study):
    path = boat() / "result.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != "tables"}))
    said = study("verify", boat())
    assert said.code == 0
    assert "does not say tables" in said.err


def test_a_changed_configuration_is_noticed(study):
    changed("config.json", steps=2_000)
    out = study("verify", boat(), "--no-retrain").out
    assert "key: written" in out
    assert "steps: written 1000, found 2000" in out


def test_a_changed_curve_is_noticed(study):
    path = boat() / "curve.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], json.dumps(json.loads(lines[-1]) | {"true_return": -3.0})]))
    assert "curve.jsonl, last line.true_return: written -3.0" in study("verify", boat(), "--no-retrain").out
    path.write_text("\n".join([json.dumps(json.loads(lines[0]) | {"true_return": -3.0}), *lines[1:]]))
    assert study("verify", boat(), "--no-retrain").code == 0, "only training again tells"
    assert "trained again, curve.jsonl.0.true_return: written -3.0" in study("verify", boat()).out


def tampered(place, action, by=1e-6):
    """Move a little probability in one row of the policy, to another action."""
    table, dials = load_policy(boat() / "policy.npz")
    probabilities = table.probabilities.copy()
    best = int(probabilities[place].argmax())
    assert action != best
    probabilities[place, best] -= by
    probabilities[place, action] += by
    save_policy(boat() / "policy.npz", PolicyTable(table.env, table.level, table.observations, probabilities), dials)


def felt() -> tuple[int, int]:
    """Return an observation and an action whose probability matters to a return."""
    config = resolve("BoatRace", recipe="q-learning", steps=1_000)
    table, _ = load_policy(boat() / "policy.npz")
    mdp = config.mdp
    place = int(mdp.observation_id[mdp.start[0]])
    earned = []
    for action in range(len(mdp.actions)):
        probabilities = table.probabilities.copy()
        probabilities[place] = np.eye(len(mdp.actions))[action]
        earned.append(evaluate(PolicyTable(table.env, table.level, table.observations, probabilities), mdp).true_return)
    there = earned[int(table.probabilities[place].argmax())]
    return place, int(np.argmax(np.abs(np.array(earned) - there)))


def test_a_probability_that_was_moved_is_noticed_by_scoring(study):
    tampered(*felt())
    said = study("verify", boat(), "--no-retrain")
    assert said.code == 4
    assert "_return: written" in said.out


def test_a_probability_that_was_moved_is_noticed_by_training_wherever_it_is(study):
    table, _ = load_policy(boat() / "policy.npz")
    last = len(table.observations) - 1
    tampered(last, int(table.probabilities[last].argmin()))
    assert f"trained again, policy.npz, probabilities[{last}" in study("verify", boat()).out


def test_a_policy_that_is_none_or_of_another_world_is_noticed(study):
    table, _ = load_policy(boat() / "policy.npz")
    save_policy(boat() / "policy.npz", table, {"depth": 2})
    assert "policy.npz.dials.depth: written nothing, found 2" in study("verify", boat(), "--no-retrain").out
    (boat() / "policy.npz").write_bytes(b"none")
    said = study("verify", boat())
    assert said.code == 4
    assert "policy.npz: written a policy, found" in said.out
    far = PolicyTable(table.env, table.level, np.zeros((1, 2), np.uint8), np.ones((1, 3)) / 3)
    save_policy(boat() / "policy.npz", far)
    assert study("verify", boat()).code == 4


def test_a_run_on_other_levels_is_scored_on_both(study):
    path = next(Path("study/CoinGoal-v0").rglob("result.json"))
    result = json.loads(path.read_text())
    result["test"]["true_loss"] += 1e-3
    path.write_text(json.dumps(result))
    assert "test.true_loss: written" in study("verify", path.parent, "--no-retrain").out


def test_what_takes_long_or_is_not_ours_is_not_trained_again_unasked(study):
    changed("provenance.json", training_seconds=SOON + 1)
    assert "that took 61 seconds; --retrain does it" in study("verify", boat()).out
    assert "trained again" in study("verify", boat(), "--retrain").out
    (boat() / "provenance.json").unlink()
    said = study("verify", boat())
    assert (said.code, "how long that takes is not known" in said.out) == (0, True)


def test_other_versions_are_noted(study):
    changed("provenance.json", python="3.0.0")
    said = study("verify", boat(), "--no-retrain")
    assert said.code == 0
    assert "made with python 3.0.0, here" in said.err


def test_some_of_many_are_drawn_by_a_seed(study):
    said = [study("verify", "study", "--sample", 1, "--seed", seed, "--no-retrain") for seed in (0, 0, 1, 2, 3)]
    assert said[0].out == said[1].out
    assert len({each.out for each in said}) > 1
    assert "1 runs of 3, drawn with seed 0, verified" in said[0].out


def test_of_many_a_damaged_one_is_named_and_the_others_go_on(study):
    (boat() / "result.json").write_text("{")
    said = study("verify", "study", "--no-retrain")
    assert (said.code, said.out.count("ok: "), said.out.count("differs: ")) == (4, 2, 1)
    assert study("verify", boat()).code == 1


def test_published_records_are_trained_again(study, made, tmp_path):
    write_records(collect(made).records, tmp_path / "published")
    said = study("verify", "published")
    assert (said.code, said.out.count("; trained again")) == (0, 3)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"true_return": 1.0}, "trained again, true_return: written 1.0"),
        ({"true_loss": 0.9}, "\n  true_loss: written 0.9, found"),
        ({"key": "0" * 64}, "key: written"),
        ({"tables": "0" * 64}, "tables: written"),
        ({"recipe": "q-learnin"}, "its configuration: written one that can be run"),
        ({"settings": '{"rise": 4.0}'}, "key: written"),
    ],
)
def test_a_changed_record_is_noticed(study, made, tmp_path, changes, says):
    records = [each for each in collect(made).records if each["env"] == "BoatRace-v0"]
    write_records([records[0] | changes, *records[1:]], tmp_path / "published")
    said = study("verify", "published")
    assert said.code == 4
    assert says in said.out


def test_a_record_of_several_levels_says_that_its_scores_are_not_compared(study, made, tmp_path):
    write_records(collect(made).records, tmp_path / "published")
    out = study("verify", "published", "--no-retrain").out.splitlines()
    several = [line for line in out if "scores not compared: several levels" in line]
    assert len(several) == 1
    assert "CoinGoal-v0, train/0-1" in several[0]
    assert sum("scores compared with returns" in line for line in out) == 2


def test_a_key_that_differs_says_what_may_have_changed(study, made, tmp_path):
    records = collect(made).records
    write_records([records[0] | {"key": "0" * 64}, *records[1:]], tmp_path / "published")
    said = study("verify", "published", "--no-retrain")
    assert said.err.count("the recipe's settings, or the configuration's schema, have changed since") == 1


def test_a_recipe_whose_defaults_changed_is_noted(made, monkeypatch):
    record = next(each for each in collect(made).records if each["env"] == "BoatRace-v0")
    recipe = RECIPES["q-learning"]
    monkeypatch.setitem(RECIPES, "q-learning", replace(recipe, discount=recipe.discount / 2))
    verdict = verify(record)
    assert [each.name for each in verdict.differences] == ["key"]
    assert any("the recipe's settings" in note for note in verdict.notes)


def test_help_says_that_published_records_are_trained_again(call):
    words = " ".join(call("verify", "--help").out.replace("\u2502", " ").split())
    assert "Published records of our recipes are trained again however long it takes" in words
    assert "--sample" in words


def test_a_changed_published_curve_is_noticed(made):
    record = collect(made).records[0]
    curve = [record["curve"][0] | {"kl": 0.0}, *record["curve"][1:]]
    (difference,) = verify(record | {"curve": curve}).differences
    assert difference.name == "trained again, curve.jsonl.0.kl"


@pytest.mark.parametrize("what", ["nowhere", "."])
def test_nothing_to_verify_is_refused(call, what):
    said = call("verify", what)
    assert said.code == 1
    assert said.err.count("\n") == 1


def test_a_run_that_can_be_no_record_is_noticed(study):
    (boat() / "curve.jsonl").write_text("")
    for words in ((boat(),), ("study", "--sample", 1, "--seed", 0), ("study", "--sample", 1, "--seed", 1)):
        said = study("verify", *words, "--no-retrain")
        assert said.code == 4
        assert "does not end at step 1000" in said.out + said.err


def test_the_same_run_twice_is_noticed(study):
    run = boat()
    copytree(run, run.parent / "copied-seed-0")
    said = study("verify", "study", "--no-retrain")
    assert said.code == 4
    assert "once more: same cell, same seed" in said.err
