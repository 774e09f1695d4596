"""The README's Python runs, its links lead somewhere, and its table is the committed one."""

import json
import re
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import gymnasium as gym
import pytest
from gymnasium.utils.env_checker import check_env

from alignment_gym import exact
from alignment_gym.agents.planner import scripted
from alignment_gym.core import registry
from alignment_gym.engine.fingerprint import fingerprint
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.experiments.collected import collect
from alignment_gym.reports.study.usual import usual
from alignment_gym.testing import check_world
from tests.cli.conftest import call
from tests.every import CERTIFIED, WORLDS

__all__ = ["call"]  # a fixture

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BASELINES = ROOT / "experiments" / "baselines"


LINES = 40  # of the example of a world, blank ones left out


def python_blocks():
    return re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_the_python_in_the_readme_runs(capsys):
    first, in_python_alone, own_arrays, own_environment, _ = python_blocks()
    exec(first, {})
    assert "Evaluation(" in capsys.readouterr().out
    for block in (in_python_alone, own_arrays, own_environment):
        exec(block, {})
        printed = [f"# {line}" for line in capsys.readouterr().out.splitlines()]
        assert printed == [line for line in block.splitlines() if line.startswith("# ")]


def test_names_in_the_readme_exist():
    assert not [name for name in re.findall(r"`exact\.(\w+)", README) if not hasattr(exact, name)]


def test_the_answer_in_the_readme_is_what_solve_says(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    said = call("solve", "BoatRace-v0", "--proxy", "buoy=1", "step=-0.1").out
    quoted = re.search(r"^• How bad.*?(?=^```)", README, flags=re.DOTALL | re.MULTILINE)
    assert quoted is not None
    assert " ".join(quoted[0].split()) in " ".join(said.split())


@pytest.fixture
def own_world(monkeypatch, tmp_path):
    """Write the README's example of a world to a file, and forget it afterwards."""
    monkeypatch.setattr(registry, "_WORLDS", dict(registry._WORLDS))
    (tmp_path / "thermostat.py").write_text(python_blocks()[-1], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield import_module("thermostat")
    del sys.modules["thermostat"]
    del gym.registry["alignment_gym/Thermostat-v0"]


def test_the_world_in_the_readme_is_whole(own_world):
    assert sum(bool(line.strip()) for line in python_blocks()[-1].splitlines()) <= LINES
    world = own_world.Thermostat()
    check_world(world)
    assert exact.solve(world).certified
    assert not exact.solve(replace(world, shielded=True)).certified
    for demo in world.card.demos:
        mdp = as_mdp(world)
        found = exact.evaluate(scripted(mdp, demo.name), mdp)
        assert (found.proxy_return, found.true_return) == (demo.expected_proxy, demo.expected_true)
        assert (found.proxy_return, found.true_return) == (demo.proxy_return, demo.true_return)


def test_the_world_in_the_readme_is_known_to_gymnasium_and_the_command_line(own_world, call):
    check_env(gym.make("alignment_gym/Thermostat-v0").unwrapped, skip_render_check=True)
    assert gym.make_vec("alignment_gym/Thermostat-v0", num_envs=3).reset(seed=0)[0].shape == (3, 5)
    solved = call("solve", "thermostat:Thermostat-v0", "--json")
    assert json.loads(solved.out)["certificate"]["holds"] is True
    trained = call("train", "thermostat:Thermostat-v0", "--algo", "q-learning", "--steps", 2000, "-o", "runs", "--json")
    assert trained.code == 0, trained.err
    (run,) = Path("runs").rglob("result.json")
    assert call("eval", run.parent, "--json").code == 0
    assert call("watch", run.parent, "--ansi").code == 0
    assert "Breathe on the thermometer." in call("info", "thermostat:Thermostat").out


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('levels = ("room",)', "levels = (", "SyntaxError"),
        ('levels = ("room",)', "pass", "AttributeError"),
        ("import numpy as np", "import numpyy as np", "No module named 'numpyy'"),
        ('breath = action == "breathe"', "breath = acton", "name 'acton' is not defined"),
        ("return [Outcome", "[Outcome", "TypeError"),
    ],
)
def test_a_mistake_in_ones_own_world_is_told_in_one_line(monkeypatch, tmp_path, call, before, after, says):
    monkeypatch.setattr(registry, "_WORLDS", dict(registry._WORLDS))
    assert before in python_blocks()[-1]
    (tmp_path / "mistaken.py").write_text(python_blocks()[-1].replace(before, after, 1), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    said = call("solve", "mistaken:Thermostat-v0")
    sys.modules.pop("mistaken", None)
    gym.registry.pop("alignment_gym/Thermostat-v0", None)
    assert said.code == 1
    assert len(said.err.splitlines()) == 1
    assert says in said.err


def test_a_module_that_is_not_there_is_refused_in_one_line(call):
    said = call("solve", "nowhere:Thermostat-v0")
    assert said.code == 1
    assert "there is no module 'nowhere'" in said.err


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links_in_the_readme_lead_somewhere(target):
    assert (ROOT / target).exists()


@pytest.mark.parametrize("env_id", WORLDS)
def test_every_world_is_in_the_readme_and_its_claim_is_right(env_id):
    line = next(line for line in README.splitlines() if f"(envs/{env_id}.md)" in line)
    assert line.startswith("| [") == (env_id in CERTIFIED)


def rows(text):
    """Return the rows of a Markdown text's tables, each by the names of its columns."""
    found, head = [], None
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else None
        if cells is None or head is None:
            head = cells
        elif not set(line) <= set("|- "):
            found.append(dict(zip(head, cells, strict=True)))
    return found


def test_the_readmes_results_are_the_published_ones():
    found = rows((BASELINES / "summary.md").read_text())
    published = {(row["world"], row["agent"]): row for row in found if "agent" in row}
    shown = [row for row in rows(README) if "agent" in row]
    assert {row["world"] for row in shown} == {"BoatRace-v0", "SensorCleaner-v0", "ShutdownButton-v0"}
    assert len(shown) == 18
    for row in shown:
        assert row.items() <= published[row["world"], row["agent"]].items()


def test_the_readmes_counts_are_those_of_the_records():
    records = [each for each in usual(collect(BASELINES).records) if each["env"] in CERTIFIED]
    assert {record["env"] for record in records} == set(CERTIFIED)
    paid, twins = ([each["hack"] for each in records if each["reward"] == reward] for reward in ("proxy", "true"))
    assert f"{sum(paid):,} of {len(paid):,} agents hack" in README
    assert sum(twins) == 0
    assert f"their {len(twins):,} twins none" in README


def test_published_records_are_of_this_versions_worlds():
    found = {(each["env"], each["level"], each["dials"]): each["tables"] for each in collect(BASELINES).records}
    for (env, level, dials), tables in found.items():
        assert tables == fingerprint(as_mdp(env, level=level, **json.loads(dials))), f"{env} has changed since"
