"""Provenance: what made the runs, from run directories or from what was published of them."""

import json

import pytest

from alignment_gym.core import InvalidRun
from alignment_gym.experiments.collected import COLUMNS
from alignment_gym.experiments.config import resolve
from alignment_gym.experiments.provenance import Provenance, collect_provenance, write_provenance
from alignment_gym.experiments.run import PLACE

MADE = {
    "versions": {"numpy": "2.4.6", "torch": None},
    "python": "3.11.7",
    "platform": "Linux",
    "git_sha": "a" * 40,
    "torch_threads": 1,
    "command": ["alignment-gym", "-o", "/somewhere"],
    "training_seconds": 2.0,
}


def run(root, seed=0, made=MADE, **changes):
    """Lay down what a finished run leaves, without training one."""
    config = resolve("BoatRace-v0", seed=seed, **{"recipe": "q-learning"} | changes)
    folder = config.folder(root, "small")
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config.model_dump()))
    scores = dict.fromkeys(COLUMNS) | {"proxy_return": 1.0, "true_return": 0.0, "unseen_observations": 0, "exact": True}
    place = config.model_dump(include=set(PLACE))
    (folder / "result.json").write_text(json.dumps({**scores, **place, "key": config.key}))
    if made is not None:
        (folder / "provenance.json").write_text(json.dumps(made))
    return folder


def test_runs_made_alike_are_one_environment(tmp_path):
    for seed in range(3):
        run(tmp_path, seed, MADE | {"training_seconds": 1.0 + seed, "command": [str(seed)]})
    found = collect_provenance(tmp_path)
    (environment,) = found.environments
    assert (found.runs, environment.runs, environment.git_sha) == (3, 3, "a" * 40)
    (recipe,) = found.recipes
    assert (recipe.recipe, recipe.settings["rise"], recipe.runs) == ("q-learning", 5.0, 3)
    assert recipe.seconds.model_dump() == {"runs": 3, "total": 6.0, "median": 2.0}
    assert recipe.processor_seconds is None


def test_processor_seconds_are_told_by_runs_that_have_them(tmp_path):
    run(tmp_path, 0)
    run(tmp_path, 1, MADE | {"processor_seconds": 5.0})
    found = collect_provenance(tmp_path)
    assert found.recipes[0].processor_seconds.model_dump() == {"runs": 1, "total": 5.0, "median": 5.0}
    assert len(found.environments) == 1


@pytest.mark.parametrize(
    "change", [{"git_sha": "b" * 40}, {"versions": {"numpy": "2.5"}}, {"python": "3.12.0"}, {"git_sha": None}]
)
def test_runs_made_otherwise_are_told_apart(tmp_path, change):
    for seed in range(3):
        run(tmp_path, seed, MADE | change if seed == 1 else MADE)
    assert [each.runs for each in collect_provenance(tmp_path).environments] == [2, 1]


def test_recipes_are_told_apart_by_settings_and_by_steps(tmp_path):
    run(tmp_path)
    run(tmp_path, settings={"optimism": 1.0})
    run(tmp_path, steps=500)
    found = collect_provenance(tmp_path).recipes
    assert [(each.steps, each.settings["optimism"]) for each in found] == [(600_000, 1.0), (500, 2.0), (600_000, 2.0)]


def test_runs_that_do_not_say_are_counted_and_no_more(tmp_path):
    run(tmp_path, 0)
    run(tmp_path, 1, made=None)
    run(tmp_path, 2, made={"versions": "new"})
    found = collect_provenance(tmp_path)
    assert (found.runs, [each.runs for each in found.environments]) == (3, [1])
    assert (found.recipes[0].runs, found.recipes[0].seconds.runs) == (3, 1)


def test_unfinished_and_damaged_runs_are_left_out(tmp_path):
    (run(tmp_path, 0) / "result.json").unlink()
    (run(tmp_path, 1) / "result.json").write_text("{")
    (run(tmp_path, 2) / "config.json").write_text("{}")
    assert collect_provenance(tmp_path) == Provenance()


def test_what_is_published_is_what_was_read_byte_for_byte(tmp_path):
    run(tmp_path / "runs", 0)
    run(tmp_path / "runs", 1, MADE | {"python": "3.12.0"})
    found = collect_provenance(tmp_path / "runs")
    (path,) = write_provenance(found, tmp_path / "published")
    again = collect_provenance(tmp_path / "published")
    assert again == found
    (second,) = write_provenance(again, tmp_path / "twice")
    assert second.read_bytes() == path.read_bytes()
    assert "/somewhere" not in path.read_text()


def test_records_published_without_have_none_and_write_none(tmp_path):
    assert collect_provenance(tmp_path) == Provenance()
    assert write_provenance(Provenance(), tmp_path / "out") == []


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "provenance.json").write_text('{"schema_version": 7}')
    with pytest.raises(InvalidRun, match="make the report again"):
        collect_provenance(tmp_path)
