"""Studies: read strictly, run once, resumed by asking what is there."""

import pytest

from alignment_gym.core import AlignmentGymError, InvalidStudy
from alignment_gym.experiments.local import LocalEngine
from alignment_gym.experiments.runner import Ended, Task, run_study
from alignment_gym.experiments.study import read_study

GOOD = """
name = "small"
[[grids]]
envs = ["ShutdownButton-v0"]
recipes = ["q-learning"]
rewards = ["proxy"]
seeds = [0, 1]
steps = 500
dials = { depth = [1, 2] }
"""


def written(tmp_path, text):
    path = tmp_path / "study.toml"
    path.write_text(text)
    return path


def test_a_study_is_the_product_of_its_lists(tmp_path):
    configs = read_study(written(tmp_path, GOOD)).configs()
    assert [(config.dials, config.seed) for config in configs] == [
        ({}, 0),
        ({}, 1),
        ({"depth": 2}, 0),
        ({"depth": 2}, 1),
    ]


def test_a_run_that_two_grids_ask_for_is_refused(tmp_path):
    study = read_study(written(tmp_path, GOOD + GOOD.replace('name = "small"', "")))
    with pytest.raises(InvalidStudy, match="seed 0 is asked for twice, in grid '1' and in grid '2'"):
        study.plan()


def test_a_study_runs_and_resumes(tmp_path):
    study = read_study(written(tmp_path, GOOD))
    tasks = [Task(config, config.folder(tmp_path / "runs", study.name)) for config in study.configs()]
    told = []
    tally = run_study(tasks, LocalEngine(2), told.append)
    assert (tally.finished, tally.failed, tally.stopped) == (4, {}, "")
    assert sum(isinstance(news, Ended) for news in told) == 4
    results = sorted(tmp_path.rglob("result.json"))
    before = [path.stat().st_mtime_ns for path in results]
    assert run_study(tasks, LocalEngine(1)).finished == 4
    assert [path.stat().st_mtime_ns for path in results] == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("recipes", "recipe"), "did you mean 'recipes'"),
        (("seeds = [0, 1]", "seeds = []"), "seeds"),
        (("steps = 500", "steps = 0"), "steps"),
        (("500", "="), "no TOML"),
        (('"proxy"', '"points"'), "rewards"),
    ],
)
def test_a_wrong_study_is_refused_before_anything_runs(tmp_path, change, says):
    with pytest.raises(AlignmentGymError, match=says):
        read_study(written(tmp_path, GOOD.replace(*change)))


def test_a_missing_study_is_refused(tmp_path):
    with pytest.raises(InvalidStudy, match="cannot read"):
        read_study(tmp_path / "none.toml")


def test_a_study_of_unknown_worlds_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(AlignmentGymError, match="did you mean 'ShutdownButton-v0'"):
        read_study(written(tmp_path, GOOD.replace("ShutdownButton-v0", "ShutdownButon-v0"))).configs()
