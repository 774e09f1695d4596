"""`speed`: data or tables, files where they are asked for, and exit 0 however fast it is."""

import json
from pathlib import Path

import pytest

from alignment_gym.experiments import speed
from alignment_gym.experiments.speed import questions
from tests.speeds import TINY, without_peers


@pytest.fixture
def short(monkeypatch):
    """Leave out what trains or starts processes."""
    kept = ("single environments", "batches", "exact analysis")
    monkeypatch.setattr(speed, "QUESTIONS", {name: questions.QUESTIONS[name] for name in kept})
    monkeypatch.setattr(speed, "QUICK", TINY)
    without_peers(monkeypatch)


@pytest.mark.usefixtures("short")
def test_the_command_prints_json_and_writes_its_files(call):
    said = call("speed", "--quick", "--json", "-o", "out")
    assert said.code == 0
    record = json.loads(said.out)
    assert {"machine", "budget", "rounds", "spread", "findings", "measurements", "runs", "absent", "curves"} <= set(
        record
    )
    assert record["budget"] == "tiny"
    assert record["absent"] == ["MiniGrid: not installed", "AI Safety Gridworlds: not installed"]
    by_name = {each["name"]: each for each in record["measurements"]}
    first = record["findings"][0]
    assert first["value"] == pytest.approx(
        by_name["BoatRace-v0, gym.make"]["median"] / by_name["CartPole-v1, gym.make"]["median"]
    )
    assert {path.name for path in Path("out").iterdir()} == {
        "README.md",
        "speed.json",
        "curves.csv",
        "curves.svg",
        "curves.png",
    }
    assert json.loads(Path("out/speed.json").read_text()) == record


@pytest.mark.usefixtures("short")
def test_the_command_prints_goals_beside_what_was_measured(call):
    said = call("speed", "--quick")
    assert said.code == 0
    assert "AI Safety Gridworlds: not installed" in said.out
    assert ">= 7x" in said.out
    assert not list(Path().iterdir()), "no file without -o"
