"""`geometry`: the page is written as a whole, and runs that tell nothing are refused before minutes are spent."""

import csv
import json

import pytest

from alignment_gym.core import make_world
from alignment_gym.experiments.config import resolve
from alignment_gym.experiments.geometry import survey
from alignment_gym.experiments.run import execute


@pytest.fixture
def small(monkeypatch):
    """Two levels, one flagship and small MDPs in place of all."""
    worlds = [make_world("ShutdownButton-v0"), make_world("RewardLever-v0")]
    monkeypatch.setattr(survey, "levels", lambda *_: worlds)
    monkeypatch.setattr(survey, "FLAGSHIPS", ("ShutdownButton-v0",))
    monkeypatch.setattr(survey, "QUICK_SIZES", (100,))


def train(folder, **what):
    config = resolve("ShutdownButton", recipe="q-learning", steps=2_000, **what)
    execute(config, config.folder(folder, "geometry"))


def test_the_page_has_tables_data_and_figures(call, small, tmp_path):
    train(tmp_path / "runs")
    said = call("geometry", str(tmp_path / "runs"), "-o", str(tmp_path / "page"), "--quick")
    assert (said.code, said.err) == (0, "")
    names = {path.name for path in (tmp_path / "page").iterdir()}
    assert {"table.md", "descriptors.csv", "severity.csv", "cost.csv", "records.csv", "planes.svg", "cost.png"} <= names
    rows = list(csv.DictReader((tmp_path / "page" / "descriptors.csv").open()))
    assert [row["env"] for row in rows] == ["ShutdownButton-v0", "RewardLever-v0"]
    solved = json.loads(call("solve", "ShutdownButton-v0", "--json").out)
    assert float(rows[0]["gap_max"]) == pytest.approx(solved["gap_max"])
    assert float(rows[0]["drop"]) == pytest.approx(solved["goodhart"]["drop"])
    text = (tmp_path / "page" / "table.md").read_text()
    assert "| ShutdownButton-v0 | horizon (2) |" in text
    assert "all of it" in (tmp_path / "page" / "cost.csv").read_text()


def test_runs_of_several_kinds_are_refused_at_once(call, tmp_path):
    train(tmp_path / "runs")
    train(tmp_path / "runs", reward="true")
    said = call("geometry", str(tmp_path / "runs"), "-o", str(tmp_path / "page"))
    assert said.code == 1
    assert "one recipe, paid the proxy, at default dials" in said.err
    assert not (tmp_path / "page").exists()
