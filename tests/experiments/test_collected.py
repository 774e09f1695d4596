"""Collected records: what counts, and what is told and left out."""

import json
import shutil

import pytest

from alignment_gym.experiments.collected import collect
from alignment_gym.experiments.config import resolve
from alignment_gym.experiments.frozen import suite_of
from alignment_gym.experiments.run import execute
from alignment_gym.experiments.runner import read_state
from alignment_gym.experiments.study import read_study

CONFIG = resolve("WhiskyGold-v0", recipe="q-learning", steps=256)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    execute(CONFIG, CONFIG.folder(folder, "one"))
    return folder


@pytest.fixture
def runs(made, tmp_path):
    shutil.copytree(made, tmp_path / "runs")
    return tmp_path / "runs"


def change(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_run_that_lies_there_twice_counts_once(runs):
    shutil.copytree(runs / "one", runs / "two")
    found = collect(runs)
    assert len(found.records) == 1
    (trouble,) = found.troubles
    assert "once more: same cell, same seed; it counts once" in trouble.why


def test_a_recipe_that_is_gone_is_told_and_hides_no_other_run(runs):
    other = CONFIG.model_copy(update={"seed": 1})
    execute(other, other.folder(runs, "one"))
    change(CONFIG.folder(runs, "one") / "config.json", recipe="gone:mine", policy=None)
    change(CONFIG.folder(runs, "one") / "result.json", key=None)
    found = collect(runs)
    assert [record["seed"] for record in found.records] == [1]
    assert len(found.troubles) == 1


def test_settings_are_told_as_they_were_when_it_was_run(runs):
    change(CONFIG.folder(runs, "one") / "result.json", changes={"lanes": 8})
    (record,) = collect(runs).records
    assert record["settings"] == '{"lanes": 8}'
    assert "changes" not in record


@pytest.mark.parametrize("line", ["5", "null", "[1]", '{"step": 256}'])
def test_a_line_that_is_no_checkpoint_damages_its_run_alone(runs, line):
    (CONFIG.folder(runs, "one") / "curve.jsonl").write_text(line + "\n")
    found = collect(runs)
    assert (found.records, len(found.troubles)) == ([], 1)
    assert "curve.jsonl is damaged" in found.troubles[0].why


def test_a_result_of_other_tables_is_no_result_of_this_run(runs):
    folder = CONFIG.folder(runs, "one")
    assert read_state(folder, CONFIG) == ("finished", "")
    change(folder / "result.json", tables="0" * 64)
    state, why = read_state(folder, CONFIG)
    assert state == "damaged"
    assert "WhiskyGold-v0 has changed since it was run" in why


def test_only_runs_of_a_suite_are_of_the_suite(runs):
    few = [each.config for each in read_study("core-1").plan() if each.config.env == "WhiskyGold-v0"][:2]
    tables = collect(runs).records[0]["tables"]
    own = [{"key": each.key, "seed": each.seed, "tables": tables} for each in few]
    assert suite_of(own) == "core-1"
    assert suite_of([*own, collect(runs).records[0]]) is None
    assert suite_of([own[0] | {"tables": "0" * 64}]) is None
