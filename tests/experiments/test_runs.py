"""Run directories: complete or not there, idempotent, and readable by what comes after."""

import json
import math

import pytest

from alignment_gym.agents import load_policy
from alignment_gym.core import InvalidDial, InvalidPolicy, InvalidRun, UnknownName
from alignment_gym.exact import evaluate
from alignment_gym.experiments.actors import find_actor
from alignment_gym.experiments.config import read_config, resolve
from alignment_gym.experiments.records import nulled
from alignment_gym.experiments.run import execute, read_result


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    config = resolve("ShutdownButton", recipe="q-learning", steps=2_000, seed=3, dials={"depth": 2})
    folder = config.folder(tmp_path_factory.mktemp("runs"), "test")
    return config, folder, execute(config, folder)


def test_a_run_leaves_what_its_schema_says(finished):
    config, folder, result = finished
    found = {path.name for path in folder.iterdir()}
    assert {"config.json", "provenance.json", "curve.jsonl", "policy.npz", "result.json"} <= found
    assert not [name for name in found if name.startswith(".")]
    assert read_config(folder) == config
    assert read_result(folder) == result
    lines = [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == 2_000
    assert lines[-1]["proxy_return"] == result["proxy_return"]
    assert 0 < lines[-1]["kl"] <= 100 * math.log(5) + 1e-9
    assert lines[-1]["chi_squared"] > 0
    assert json.loads((folder / "provenance.json").read_text())["expose_true"] is False


def test_a_result_is_what_its_policy_earns(finished):
    config, folder, result = finished
    table, dials = load_policy(folder / "policy.npz")
    assert dials == {"depth": 2}
    assert evaluate(table, config.mdp).proxy_return == result["proxy_return"]


def test_a_finished_run_is_not_run_again(finished, monkeypatch):
    config, folder, result = finished
    monkeypatch.setattr("alignment_gym.experiments.run.train", None)
    assert execute(config, folder) == result


def test_the_same_seed_makes_the_same_files(finished, tmp_path):
    config, folder, _ = finished
    again = config.folder(tmp_path, "again")
    execute(config, again)
    for name in ("config.json", "curve.jsonl", "policy.npz", "result.json"):
        assert (again / name).read_bytes() == (folder / name).read_bytes()


def test_the_key_tells_configurations_apart_and_seeds_together():
    one, two = resolve("BoatRace", seed=0), resolve("BoatRace", seed=1)
    assert one.key == two.key
    assert one.key != resolve("BoatRace", seed=0, settings={"learning_rate": 0.001}).key


def test_a_dial_at_its_default_is_no_dial():
    assert resolve("BoatRace", dials={"depth": 1}) == resolve("BoatRace")


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ({"env": "BoatRase"}, UnknownName),
        ({"env": "BoatRace", "recipe": "pppo"}, UnknownName),
        ({"env": "BoatRace", "dials": {"depht": 1}}, UnknownName),
        ({"env": "BoatRace", "reward": "points"}, UnknownName),
        ({"env": "BoatRace", "level": "ocean"}, UnknownName),
        ({"env": "BoatRace", "steps": 0}, InvalidDial),
        ({"env": "BoatRace", "seed": -1}, InvalidDial),
    ],
)
def test_what_can_not_be_run_is_refused(arguments, refusal):
    with pytest.raises(refusal):
        resolve(**arguments)


def test_folders_that_are_no_run_are_refused(tmp_path, finished):
    with pytest.raises(InvalidRun, match="no run directory"):
        read_result(tmp_path)
    (tmp_path / "config.json").write_bytes((finished[1] / "config.json").read_bytes())
    with pytest.raises(InvalidRun, match="did not finish"):
        read_result(tmp_path)
    (tmp_path / "result.json").write_text('{"key": ')
    with pytest.raises(InvalidRun, match="damaged"):
        read_result(tmp_path)
    (tmp_path / "result.json").write_text('{"key": "other"}')
    with pytest.raises(InvalidRun, match="not the result"):
        read_result(tmp_path)
    (tmp_path / "config.json").write_text('{"env": 3}')
    with pytest.raises(InvalidRun, match="no run's configuration"):
        read_config(tmp_path)


def test_actors_are_found_by_run_file_and_name(finished):
    _, folder, _ = finished
    by_run, by_file = find_actor(str(folder)), find_actor(str(folder / "policy.npz"))
    assert by_run.mdp.world.depth == by_file.mdp.world.depth == 2
    assert (by_run.table.probabilities == by_file.table.probabilities).all()
    assert find_actor("uniform", "BoatRace").label == "uniform"
    with pytest.raises(InvalidPolicy, match="--env"):
        find_actor("uniform")
    with pytest.raises(UnknownName, match="did you mean 'uniform'"):
        find_actor("unifrom")
    with pytest.raises(InvalidPolicy, match="trained on ShutdownButton-v0"):
        find_actor(str(folder), "BoatRace")


def test_a_policy_may_meet_a_level_it_was_not_trained_on(finished):
    _, folder, _ = finished
    elsewhere = find_actor(str(folder), level="cellar")
    assert evaluate(elsewhere.table, elsewhere.mdp).unseen > 0


def test_a_run_may_train_on_several_levels(tmp_path):
    config = resolve("ShutdownButton", level="generated/0-1", dials={"horizon": 5}, recipe="q-learning", steps=500)
    assert [part.level for part in config.mdp.world.parts] == ["generated/0", "generated/1"]
    folder = config.folder(tmp_path, "several")
    assert "generated-0-1" in folder.parts
    result = execute(config, folder)
    actor = find_actor(str(folder))
    assert actor.mdp.state_count == config.mdp.state_count
    assert evaluate(actor.table, actor.mdp).proxy_return == pytest.approx(result["proxy_return"], abs=1e-9)
    parts = [find_actor(str(folder), level=f"generated/{index}") for index in (0, 1)]
    returns = [evaluate(part.table, part.mdp).proxy_return for part in parts]
    assert sum(returns) / 2 == pytest.approx(result["proxy_return"], abs=1e-9)


def test_nan_becomes_null():
    assert nulled({"a": math.nan, "b": 1.0, "c": "word"}) == {"a": None, "b": 1.0, "c": "word"}
