"""Studies: read strictly, run once, resumed by asking what is there."""

import pytest

from alignment_gym.core import AlignmentGymError
from alignment_gym.experiments.study import InvalidStudy, read_study, run_study

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


def test_the_same_run_in_two_grids_is_one(tmp_path):
    study = read_study(written(tmp_path, GOOD + GOOD.replace('name = "small"', "")))
    assert len(study.configs()) == 4


def test_a_study_runs_and_resumes(tmp_path):
    study = read_study(written(tmp_path, GOOD))
    told = []
    assert run_study(study, tmp_path / "runs", 2, lambda config, result, _: told.append((config.seed, result))) == 0
    assert len(told) == 4
    results = sorted(tmp_path.rglob("result.json"))
    before = [path.stat().st_mtime_ns for path in results]
    assert run_study(study, tmp_path / "runs", 1, lambda *_: None) == 0
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
