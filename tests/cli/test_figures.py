"""`figure`: one figure for a paper, with its data; what it refuses, and how."""

import csv
import shutil
from pathlib import Path

import pytest

from alignment_gym.experiments.config import resolve
from alignment_gym.experiments.run import execute

RUNS = (
    ("BoatRace-v0", "q-learning", {}),
    ("BoatRace-v0", "sarsa", {}),
    ("BoatRace-v0", "q-learning", {"depth": 3}),
    ("SensorCleaner-v0", "q-learning", {}),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    for env, recipe, dials in RUNS:
        config = resolve(env, recipe=recipe, dials=dials, steps=2_000, checkpoints=3)
        execute(config, config.folder(folder, "study"))
    return folder


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr("alignment_gym.metrics.statistics.RESAMPLES", 200)


@pytest.fixture
def trained(call, made):
    shutil.copytree(made, "runs")
    return call


@pytest.mark.parametrize("kind", ["plane", "losses", "curve", "profile", "sweeps"])
def test_a_figure_and_its_data_are_written(trained, kind):
    said = trained("figure", "runs", "--kind", kind, "-o", "x.png", "--data", "x.csv")
    assert (said.code, said.out.split()) == (0, ["x.png", "x.csv"])
    assert said.err.strip().endswith(".")
    assert Path("x.png").read_bytes().startswith(b"\x89PNG")
    with Path("x.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) > 1


def test_refusals_are_one_line_each_and_write_nothing(trained):
    plain = ("figure", "runs", "-o", "x.pdf", "--kind")
    cases = {
        (*plain, "plan"): (2, "'plan'; did you mean 'plane'?"),
        (*plain, "plane", "--width", "colum"): (2, "did you mean 'column'?"),
        (*plain, "plane", "--env", "BoatRaces"): (2, "did you mean 'BoatRace-v0'?"),
        (*plain, "plane", "--recipe", "ppo"): (2, "there are: q-learning, sarsa"),
        (*plain, "plane", "--env", "SensorCleaner", "--recipe", "sarsa"): (
            1,
            "no runs of SensorCleaner with sarsa; there are: q-learning on SensorCleaner-v0; q-learning, sarsa on",
        ),
        (*plain, "sweeps", "--env", "SensorCleaner"): (1, "needs cells that differ in one dial"),
        ("figure", "runs", "-o", "x.gif", "--kind", "plane"): (1, "'.gif'; the known ones are .pdf, .png, .svg"),
        ("figure", "nothing", "-o", "x.pdf", "--kind", "plane"): (1, "does not exist"),
    }
    for words, (code, expected) in cases.items():
        said = trained(*words)
        assert said.code == code, words
        assert expected in said.err
        assert said.err.count("\n") == 1
        assert not said.out
        assert not list(Path().glob("x.*"))


def test_worlds_and_recipes_are_chosen(trained):
    for name in ("BoatRace", "alignment_gym/BoatRace-v0"):
        trained("figure", "runs", "--kind", "losses", "-o", "x.svg", "--data", "x.csv", "--env", name)
        with Path("x.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert {row["env"] for row in rows} == {"BoatRace-v0"}
        assert {row["recipe"] for row in rows} == {"q-learning", "sarsa"}
    trained("figure", "runs", "--kind", "losses", "-o", "x.svg", "--data", "x.csv", "--recipe", "sarsa")
    with Path("x.csv").open(encoding="utf-8", newline="") as file:
        assert {row["recipe"] for row in csv.DictReader(file)} == {"sarsa"}


def test_damaged_runs_are_told_and_the_rest_is_drawn(trained):
    next(Path("runs").rglob("result.json")).write_text("{", encoding="utf-8")
    said = trained("figure", "runs", "--kind", "losses", "-o", "x.svg")
    assert (said.code, said.out.strip()) == (3, "x.svg")
    assert "left out: damaged" in said.err


def test_widths_are_those_of_a_column_and_of_the_text(trained):
    for width, points in (("column", 234), ("text", 486)):
        trained("figure", "runs", "--kind", "losses", "-o", "x.svg", "--width", width)
        assert f'width="{points}pt"' in Path("x.svg").read_text(encoding="utf-8")
