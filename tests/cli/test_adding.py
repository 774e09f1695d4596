"""`study add`: agents trained elsewhere join a study, once, and only where they fit."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from alignment_gym import tabulate
from alignment_gym.agents import load_policy, save_policy
from alignment_gym.exact import PolicyTable, evaluate
from alignment_gym.experiments.collected import Record, collect, write_records
from alignment_gym.experiments.config import read_config, resolve
from alignment_gym.experiments.verifying import policy_digest

ACTIONS = 4


def agent(seed):
    """Return a callable on observations, as someone else would bring it."""
    return lambda observations: np.random.default_rng(seed).dirichlet(np.ones(ACTIONS), size=len(observations))


@pytest.fixture
def policies(call, tmp_path):
    """Write three policies of another's; return the call."""
    for number in range(3):
        table = tabulate(agent(number), "BoatRace-v0", level="lagoon", depth=2)
        save_policy(tmp_path / f"policy-{number}.npz", table, {"depth": 2})
    return call


def add(call, *files, study="first", name="mine", **options):
    words = [word for option, value in options.items() for word in (f"--{option}", value)]
    return call(
        "study", "add", *files, "--study", study, *(("--name", name) if name else ()), *words, "--new", "--json"
    )


def added(said):
    assert said.code == 0, said.err
    return json.loads(said.out)


def test_a_policy_becomes_a_run_like_any_other(policies, tmp_path):
    (run,) = added(add(policies, "policy-0.npz", steps=5_000, reward="true", seed=7))
    folder = tmp_path / run["run"]
    assert folder.parent == tmp_path / "runs/first/BoatRace-v0/lagoon/mine/true"
    assert folder.name == f"{run['key'][:8]}-seed-7"
    config = read_config(folder)
    assert (config.recipe, config.steps, config.seed, config.dials) == ("mine", 5_000, 7, {"depth": 2})
    exact = evaluate(tabulate(agent(0), "BoatRace-v0", depth=2), "BoatRace-v0", depth=2)
    assert run["true_return"] == exact.true_return
    (record,) = collect(tmp_path / "runs/first").records
    assert Record.model_validate(record).recipe == "mine"
    assert (record["settings"], record["curve"], record["policy"]) == ("{}", [], config.policy)


def test_its_provenance_says_that_it_was_added(policies, tmp_path):
    (run,) = added(add(policies, "policy-0.npz"))
    provenance = json.loads((tmp_path / run["run"] / "provenance.json").read_text())
    assert provenance["added"] is True
    assert provenance["training_seconds"] is None
    assert provenance["sha256"] == sha256((tmp_path / "policy-0.npz").read_bytes()).hexdigest()


def test_several_files_are_several_seeds_in_order(policies):
    runs = added(add(policies, "policy-2.npz", "policy-0.npz", "policy-1.npz", seed=10))
    assert [run["seed"] for run in runs] == [10, 11, 12]
    assert len({run["key"] for run in runs}) == 3
    assert runs[1]["true_return"] == added(add(policies, "policy-0.npz", study="other"))[0]["true_return"]


def test_the_same_file_twice_changes_nothing(policies, tmp_path):
    first = added(add(policies, "policy-0.npz"))
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*") if path.is_file()}
    assert added(add(policies, "policy-0.npz")) == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*") if path.is_file()} == files


def test_another_packing_of_the_same_policy_is_the_same(policies, tmp_path):
    first = added(add(policies, "policy-0.npz"))
    with np.load(tmp_path / "policy-0.npz") as file:
        np.savez(tmp_path / "loose.npz", **{name: file[name] for name in file.files})
    assert added(add(policies, "loose.npz")) == first


def test_the_order_of_dials_and_those_at_their_default_do_not_matter(policies, tmp_path):
    table, _ = load_policy(tmp_path / "policy-0.npz")
    save_policy(tmp_path / "same.npz", table, {"depth": 2, "observe_clock": False})
    assert added(add(policies, "same.npz")) == added(add(policies, "policy-0.npz"))


def test_another_file_under_the_same_name_and_seed_is_refused(policies, tmp_path):
    added(add(policies, "policy-0.npz"))
    said = add(policies, "policy-2.npz", "policy-1.npz")
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "mine with seed 0 is there already, with another policy" in said.err
    assert len(list((tmp_path / "runs").rglob("result.json"))) == 1, "nothing is written unless all can be"
    assert "with other steps" in add(policies, "policy-0.npz", steps=9).err
    added(add(policies, "policy-1.npz", seed=1))
    added(add(policies, "policy-1.npz", name="theirs"))


def test_a_folder_is_a_study_too(policies, tmp_path):
    (run,) = added(add(policies, "policy-0.npz", study="elsewhere/mine"))
    assert Path(run["run"]).parts[:2] == ("elsewhere", "mine")


def test_one_file_gives_its_own_name(policies):
    assert added(add(policies, "policy-0.npz", name=None))[0]["recipe"] == "policy-0"
    said = add(policies, "policy-0.npz", "policy-1.npz", name=None)
    assert (said.code, "2 files go by one name" in said.err) == (2, True)


@pytest.mark.parametrize("name", ["ppo", "a:b", "", "../up", "-x"])
def test_a_name_that_can_be_none_is_refused(policies, tmp_path, name):
    said = policies("study", "add", "policy-0.npz", "--study", "first", "--new", f"--name={name}")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert not (tmp_path / "runs").exists()


def tables(**changes):
    mdp = resolve("BoatRace").mdp
    count = len(mdp.observations)
    known = {
        "env": "BoatRace-v0",
        "level": "lagoon",
        "observations": mdp.observations,
        "probabilities": np.full((count, ACTIONS), 1 / ACTIONS),
    }
    return PolicyTable(**known | changes)


@pytest.mark.parametrize(
    ("changes", "dials", "says"),
    [
        ({"env": "BoatRase-v0"}, {}, "did you mean 'BoatRace-v0'?"),
        ({"level": "ocean"}, {}, "unknown level 'ocean'"),
        ({}, {"depht": 2}, "unknown dial of BoatRace-v0 'depht'"),
        ({}, {"depth": -1}, "depth"),
        ({"probabilities": np.full((3, ACTIONS), 0.25)}, {}, "no distributions"),
        ({"probabilities": np.full((len(tables().observations), 3), 1 / 3)}, {}, "3 actions"),
        ({"probabilities": np.full((len(tables().observations), ACTIONS), 0.3)}, {}, "no distributions"),
        ({"probabilities": np.full((len(tables().observations), ACTIONS), np.nan)}, {}, "no distributions"),
        ({"observations": tables().observations.astype(float)}, {}, "features are uint8"),
        ({"observations": 1 - tables().observations}, {}, "has none of the"),
        ({"observations": np.zeros_like(tables().observations)}, {}, "an observation twice"),
    ],
)
def test_a_policy_that_does_not_fit_is_refused_in_a_line(call, tmp_path, changes, dials, says):
    (tmp_path / "runs/first").mkdir(parents=True)
    save_policy(tmp_path / "policy.npz", tables(**changes), dials)
    said = add(call, "policy.npz")
    assert said.code in (1, 2)
    assert said.err.count("\n") == 1
    assert says in said.err
    assert not list((tmp_path / "runs").rglob("result.json"))


def test_pickles_and_other_files_are_refused(call, tmp_path):
    (tmp_path / "runs/first").mkdir(parents=True)
    np.savez(tmp_path / "policy.npz", observations=np.array([{}], dtype=object), probabilities=1, words="{}")
    for name in ("policy.npz", "nowhere.npz"):
        said = add(call, name)
        assert (said.code, said.err.count("\n")) == (1, 1)
    assert "no complete policy.npz" in add(call, "policy.npz").err


def test_an_added_run_is_verified_by_scoring_alone(policies, tmp_path):
    (run,) = added(add(policies, "policy-0.npz"))
    for words in ((), ("--retrain",)):
        said = policies("verify", run["run"], *words)
        assert (said.code, "it was trained elsewhere" in said.out) == (0, True)
    table, dials = load_policy(tmp_path / run["run"] / "policy.npz")
    other = table.probabilities.copy()
    other[-1, :2] += 1e-8, -1e-8
    save_policy(
        tmp_path / run["run"] / "policy.npz", PolicyTable(table.env, table.level, table.observations, other), dials
    )
    said = policies("verify", run["run"])
    assert said.code == 4
    assert "  policy.npz: written" in said.out


def test_its_published_record_is_verified_by_its_key_and_its_scores(policies, tmp_path):
    added(add(policies, "policy-0.npz"))
    write_records(collect(tmp_path / "runs/first").records, tmp_path / "published")
    assert policies("verify", "published").code == 0
    path = tmp_path / "published/records.jsonl"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"true_loss": 0.0, "steps": 3}) + "\n")
    said = policies("verify", "published")
    assert (said.code, "key: written" in said.out, "true_loss: written 0.0" in said.out) == (4, True, True)


def test_what_was_added_is_compared_with_what_was_trained_here(policies):
    added(add(policies, "policy-0.npz", "policy-1.npz", "policy-2.npz"))
    for seed in range(3):
        words = ("--dial", "depth=2", "--algo", "q-learning", "--steps", 500, "--seed", seed, "-o", "trained")
        assert policies("train", "BoatRace", *words).code == 0
    (cell,) = json.loads(policies("compare", "runs/first", "trained", "--pair", "mine=q-learning", "--json").out)[
        "cells"
    ]
    assert (cell["first"]["recipe"], cell["second"]["recipe"], cell["seeds"]) == ("mine", "q-learning", [0, 1, 2])
    assert cell["found"]["interval"] is not None


def test_a_run_that_was_added_is_not_trained(policies, tmp_path):
    (run,) = added(add(policies, "policy-0.npz"))
    config = read_config(tmp_path / run["run"])
    with pytest.raises(Exception, match="it can be scored, not trained"):
        config.resolved_recipe  # noqa: B018
    assert config.changes == {}


def test_keys_of_trained_runs_are_as_they_were():
    assert resolve("BoatRace", seed=0).policy is None
    key = resolve("ShutdownButton", recipe="q-learning", steps=500).key
    assert key == "d87d5dfe84e89089df0074b1f85b49a0fcae7d5f381fea33ffd9202e09f53946"


def test_the_digest_tells_policies_and_their_worlds_apart():
    table = tables()
    moved = tables(probabilities=np.eye(ACTIONS)[np.zeros(len(table.observations), dtype=int)])
    found = {policy_digest(table, {}), policy_digest(moved, {}), policy_digest(table, {"depth": 2})}
    assert len(found | {policy_digest(tables(level="cove"), {})}) == 4


def test_a_study_that_is_not_there_is_refused_unless_it_may_be_new(policies, tmp_path):
    added(add(policies, "policy-0.npz"))
    words = ("study", "add", "policy-0.npz", "--name", "mine", "--study")
    said = policies(*words, "frist")
    assert (said.code, said.err.count("\n"), said.out) == (2, 1, "")
    assert "there is no study 'frist' in runs; did you mean 'first'?; --new begins it" in said.err
    assert not (tmp_path / "runs/frist").exists()
    assert policies(*words, "elsewhere/mine").code == 2
    assert policies(*words, "frist", "--new").code == 0
