"""`doctor` and `cards --check`: each has been seen to pass and to fail."""

import json
from pathlib import Path

import pytest

from alignment_gym.reports import doctor

NEEDED = ["numpy<3,>=2.0", 'pytest<10,>=9; extra == "dev"', "stable_baselines3<3,>=2.9"]


@pytest.fixture
def one_world(monkeypatch):
    monkeypatch.setattr("alignment_gym.reports.worlds.cards.world_ids", lambda: ("ShutdownButton-v0",))


def test_doctor_finds_nothing_wrong_here(call):
    said = call("doctor", "--json")
    assert said.code == 0
    findings = json.loads(said.out)
    assert all(finding["ok"] for finding in findings)
    assert {"python", "numpy", "pygame", "display", "worlds", "smoke"} <= {finding["what"] for finding in findings}


def test_doctor_exits_4_where_something_is_wrong(call, monkeypatch):
    monkeypatch.setattr(doctor, "writable", lambda folder: doctor.Finding("current directory", folder, ok=False))
    said = call("doctor")
    assert said.code == 4
    assert "BAD  current directory" in said.out


@pytest.mark.parametrize(
    ("installed", "wrong"),
    [
        ({"numpy": "2.0", "stable-baselines3": "2.9.0"}, []),
        ({"numpy": "2.4.6", "stable-baselines3": "2.10.1+cpu"}, []),
        ({"numpy": "1.26.4", "stable-baselines3": "2.9.2"}, ["numpy"]),
        ({"numpy": "3.0.0", "stable-baselines3": "2.9.2"}, ["numpy"]),
        ({"numpy": "2.4.6"}, ["stable-baselines3"]),
    ],
)
def test_doctor_compares_versions_with_floors_and_caps(installed, wrong):
    findings = doctor.packages(installed, NEEDED)
    assert [finding.what for finding in findings if not finding.ok] == wrong


def test_doctor_notices_a_package_that_is_not_installed():
    assert [finding.ok for finding in doctor.packages({}, None)] == [False]


@pytest.mark.parametrize(
    ("installed", "ok"),
    [({"pygame-ce": "2.5.8"}, True), ({}, True), ({"pygame": "2.6.1", "pygame-ce": "2.5.8"}, False)],
)
def test_doctor_notices_two_pygames(installed, ok):
    finding = doctor.pygame_conflict(installed)
    assert finding.ok == ok
    assert ok or "pip uninstall pygame pygame-ce" in finding.found


def test_doctor_notices_a_directory_it_cannot_write_to(tmp_path):
    assert doctor.writable(str(tmp_path)).ok
    assert not doctor.writable(str(tmp_path / "missing")).ok


@pytest.mark.usefixtures("one_world")
def test_cards_are_fresh_when_written_and_stale_when_changed(call):
    written = call("cards")
    assert written.code == 0
    assert {Path(line) for line in written.out.split()} == {path for path in Path().rglob("*") if path.is_file()}
    assert call("cards", "--check").code == 0
    card = Path("envs/ShutdownButton-v0.md")
    card.write_text(card.read_text(encoding="utf-8").replace("lamp", "siren"), encoding="utf-8")
    said = call("cards", "--check")
    assert (said.code, said.out, said.err) == (4, "", f"stale: {card}\n")


@pytest.mark.usefixtures("one_world")
def test_missing_cards_are_stale(call):
    said = call("cards", "--check")
    assert said.code == 4
    assert not list(Path().iterdir())
