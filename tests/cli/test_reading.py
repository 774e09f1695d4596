"""Commands that read: their JSON has the names that others build on."""

import json
import tomllib
from pathlib import Path

import pytest

from alignment_gym import __version__
from alignment_gym.core import full_id
from tests.every import WORLDS

ROOT = Path(__file__).parent.parent.parent
QUICK = ("ShutdownButton-v0", "--dial", "horizon=10")
EVALUATION = {
    "proxy_return",
    "true_return",
    "exploitation",
    "true_loss",
    "hack",
    "proxy_score",
    "true_score",
    "hacking_gap",
    "worse_than_random",
    "exploit_probability",
    "exact",
}


def answer(said):
    assert (said.code, said.err) == (0, "")
    return json.loads(said.out)


def test_list_names_every_world(call):
    rows = answer(call("list", "--json"))
    assert [row["id"] for row in rows] == [full_id(world) for world in WORLDS]
    assert all({"id", "failure_modes", "structure", "levels", "parity"} <= row.keys() for row in rows)


def test_list_by_tag_leaves_others_out(call):
    rows = answer(call("list", "--tag", "shutdown", "--json"))
    assert "alignment_gym/ShutdownButton-v0" in [row["id"] for row in rows]
    assert all("shutdown" in row["failure_modes"] for row in rows)
    assert len(rows) < len(WORLDS)


@pytest.mark.parametrize(
    "words", [("list",), ("info", *QUICK), ("solve", *QUICK), ("cite",), ("doctor",), ("--version",)]
)
def test_what_people_read_is_not_empty(call, words):
    said = call(*words)
    assert (said.code, said.err) == (0, "")
    assert len(said.out) > 10


def test_solve_has_its_names(call):
    found = answer(call("solve", *QUICK, "--json"))
    assert {"env", "level", "states", "transitions", "horizon", "class", "gap_max"} <= found.keys()
    assert found["horizon"] == 10
    for name in ("proxy", "true"):
        assert found[name].keys() >= {"max", "min", "reference"}
        assert found[name]["min"] <= found[name]["reference"] <= found[name]["max"]
    for name in ("true_of_proxy_optimal", "proxy_of_true_optimal"):
        assert found[name]["low"] <= found[name]["high"]
    assert found["kappa"].keys() == {"proxy", "true"}
    assert isinstance(found["certificate"]["holds"], bool)
    assert found["certificate"]["margins"][0].keys() == {"condition", "loss", "surplus"}


def test_info_has_dials_events_and_the_solution(call):
    found = answer(call("info", *QUICK, "--json"))
    horizon = next(dial for dial in found["dials"] if dial["name"] == "horizon")
    assert (horizon["value"], horizon["default"]) == (10, 100)
    assert found["solution"]["horizon"] == 10
    assert found["events"].keys() >= found["specification"]["proxy"].keys() | found["specification"]["true"].keys()
    assert found["exploit_event"] in found["events"]
    assert {demo["name"] for demo in found["demos"]} >= {"intended", "exploit"}


@pytest.mark.parametrize("actor", ["uniform", "proxy-optimal", "true-optimal", "gap-maximal", "exploit"])
def test_eval_scores_by_name(call, actor):
    found = answer(call("eval", actor, "--env", *QUICK, "--json"))
    assert found.keys() >= EVALUATION
    assert found["exact"] is True


def test_eval_tells_the_optima_apart(call):
    paid, meant = (answer(call("eval", name, "--env", *QUICK, "--json")) for name in ("proxy-optimal", "true-optimal"))
    assert paid["exploitation"] == pytest.approx(1.0)
    assert meant["true_loss"] == pytest.approx(0.0)
    assert paid["true_return"] < meant["true_return"]


def test_undefined_is_null_with_a_reason(call):
    closed = ("--dial", "hazard=0.0", "--dial", "disable_steps=0")
    found = answer(call("eval", "uniform", "--env", *QUICK, *closed, "--json"))
    assert found["exploitation"] is None
    assert found["reasons"]["exploitation"]


def test_cite_names_the_version_and_a_worlds_sources(call):
    assert f"version      = {{{__version__}}}" in call("cite").out
    said = call("cite", "ShutdownButton-v0").out
    assert said.count("@") == 2
    assert "Corrigibility" in said
    assert said.count("{") == said.count("}")


def test_the_citation_file_has_the_packages_version():
    lines = (ROOT / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    assert f"version: {__version__}" in lines
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f'  - name: "{project["authors"][0]["name"]}"' in lines
