"""BibTeX: the package, a suite, worlds, and nothing that a bibliography chokes on."""

import re

import pytest

from alignment_gym import __version__
from alignment_gym.core import UnknownName
from alignment_gym.experiments import study
from alignment_gym.experiments.frozen import suite_fingerprint
from alignment_gym.reports.citation import bibliography, bibtex

SUITE = """
name = "core-9"
[[grids]]
envs = ["BoatRace-v0"]
recipes = ["ppo"]
seeds = "0-9"
"""


@pytest.fixture
def suites(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "SUITES", tmp_path)
    (tmp_path / "core-9.toml").write_text(SUITE)
    return tmp_path


def entries(text):
    return re.findall(r"^@\w+{(.*),$", text, re.M)


def test_a_suite_is_cited_with_version_and_fingerprint(suites):
    text = bibtex(suite="core-9")
    assert entries(text) == ["alignment_gym", "alignment_gym_core-9"]
    mark = suite_fingerprint(study.read_study(suites / "core-9.toml"))[:16]
    assert f"Suite core-9 of alignment\\_gym, version {__version__}, fingerprint {mark}" in text
    assert text.count("{") == text.count("}")


def test_a_suite_that_asks_for_other_runs_is_cited_otherwise(suites):
    before = bibtex(suite="core-9")
    (suites / "core-9.toml").write_text("# a comment\n" + SUITE)
    assert bibtex(suite="core-9") == before
    (suites / "core-9.toml").write_text(SUITE.replace("0-9", "0-8"))
    assert bibtex(suite="core-9") != before


def test_an_unknown_suite_is_refused(suites):
    with pytest.raises(UnknownName, match="unknown suite 'core-8'; did you mean 'core-9'"):
        bibtex(suite="core-8")


def test_a_suite_and_a_world_go_together(suites):
    assert entries(bibtex("BoatRace-v0", "core-9"))[1:] == ["alignment_gym_core-9", "alignment_gym_BoatRace-v0"]


def test_ids_keep_their_capitals_in_a_list_of_references():
    assert r"({alignment\_gym/BoatRace-v0})" in bibtex("BoatRace-v0")


def test_a_study_cites_its_worlds_once_and_its_suite_if_it_is_one(suites):
    worlds = ["CoinGoal-v0", "BoatRace-v0", "CoinGoal-v0"]
    own = ["alignment_gym_BoatRace-v0", "alignment_gym_CoinGoal-v0"]
    assert entries(bibliography(worlds)) == ["alignment_gym", *own]
    assert entries(bibliography(worlds, "core-9")) == ["alignment_gym", "alignment_gym_core-9", *own]


def test_a_world_from_elsewhere_has_a_comment_for_an_entry():
    text = bibliography(["mine:A_B-v0"])
    assert entries(text) == ["alignment_gym"]
    assert "% mine:A_B-v0 is none of our worlds" in text


def test_the_command_line_cites_a_suite(suites):
    from typer.testing import CliRunner

    from alignment_gym.cli.app import app

    done = CliRunner().invoke(app, ["cite", "--suite", "core-9"])
    assert done.exit_code == 0
    assert "@misc{alignment_gym_core-9," in done.output
