"""`study`: mistakes are said in a line before anything runs, and what it would do is said on request."""

import json
from pathlib import Path

import pytest

PARTS = {
    "name": 'name = "small"',
    "grid": "[[grids]]",
    "envs": 'envs = ["ShutdownButton-v0"]',
    "recipes": 'recipes = ["q-learning"]',
    "rewards": 'rewards = ["proxy"]',
    "seeds": "seeds = [0, 1]",
    "steps": "steps = 500",
}


@pytest.fixture(autouse=True)
def _light_server(monkeypatch):
    """Have no server load torch, which nothing here trains with."""
    monkeypatch.setattr("alignment_gym.experiments.local.PRELOADED", "alignment_gym.experiments.local")


def study(more="", **changes):
    """Write a study file with some lines changed, and some more."""
    Path("study.toml").write_text("\n".join([*{**PARTS, **changes}.values(), more]) + "\n")
    return "study.toml"


WRONG = {
    "an unknown world": ({"envs": 'envs = ["ShutdownButon-v0"]'}, "did you mean 'ShutdownButton-v0'"),
    "an unknown recipe": ({"recipes": 'recipes = ["q-lerning"]'}, "did you mean 'q-learning'"),
    "a recipe without its module": ({"recipes": 'recipes = ["nowhere:learner"]'}, "cannot import"),
    "an unknown level": ({"more": 'levels = ["workshp"]'}, "did you mean 'workshop'"),
    "an unknown dial": ({"more": "dials = { depht = [1] }"}, "did you mean 'depth'"),
    "a dial out of range": ({"more": "dials = { depth = [0] }"}, "depth = 0 is out of range"),
    "a dial without a list": ({"more": "dials = { depth = 3 }"}, "grids.1.dials.depth"),
    "a level as a dial": ({"more": 'dials = { level = ["workshop"] }'}, "list levels as levels"),
    "an unknown setting": ({"more": "settings = { discont = [0.9] }"}, "did you mean 'discount'"),
    "another recipe's setting": ({"more": "settings = { net_arch = [[64]] }"}, "unknown setting of q-learning"),
    "a setting that is no number": ({"more": "settings = { discount = [nan] }"}, "nan is no value"),
    "an unknown tag": ({"envs": 'tags = ["shutdwn"]'}, "did you mean 'shutdown'"),
    "an unknown key": ({"more": 'level = ["workshop"]'}, "did you mean 'levels'"),
    "the same seed twice": ({"seeds": "seeds = [0, 0]"}, "asked for twice"),
    "the same world twice": ({"envs": 'envs = ["ShutdownButton", "ShutdownButton-v0"]'}, "list each thing once"),
    "the same dial twice": ({"more": "dials = { depth = [1, 1] }"}, "list each thing once"),
    "no seeds": ({"seeds": "seeds = []"}, "seeds: is empty"),
    "no worlds": ({"envs": "envs = []"}, "names no world"),
    "no rewards": ({"rewards": "rewards = []"}, "rewards: is empty"),
    "a range that falls": ({"seeds": 'seeds = "9-0"'}, "'9-0' is no range"),
    "a range without an end": ({"seeds": 'seeds = "0-999999999"'}, "at most 10,000"),
    "a seed below 0": ({"seeds": "seeds = [-1]"}, "greater than or equal to 0"),
    "a seed that is none": ({"seeds": "seeds = [true]"}, "valid integer"),
    "no steps": ({"steps": "steps = 0"}, "greater than 0"),
    "half a step": ({"steps": "steps = 1.5"}, "valid integer"),
    "an unknown reward": ({"rewards": 'rewards = ["tru"]'}, "'proxy' or 'true'"),
    "an unknown test level": ({"more": 'test_level = "nowhere"'}, "unknown level 'nowhere'"),
    "a giant": ({"envs": 'envs = ["TomatoWatering-v0"]', "more": 'levels = ["full"]'}, "such as 'small'"),
    "a preset of no grid": ({"more": '[quick]\nseeds = [0]\ngrids = ["nope"]'}, "unknown grid of [quick] 'nope'"),
    "a preset without runs": ({"more": "[quick]\nseeds = [7]"}, "[quick] of small asks for no run"),
    "twins only": ({"envs": 'envs = ["CoinGoal-v0"]', "rewards": 'rewards = ["true"]'}, "asks for no run"),
    "a name with a slash": ({"name": 'name = "a/b"'}, "name: "),
    "a name that is a place": ({"name": 'name = ".."'}, "name: "),
    "no name": ({"name": ""}, "name: is missing"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_with_a_study_is_said_before_anything_runs(call, wrong):
    changes, says = WRONG[wrong]
    said = call("study", "run", study(**changes))
    assert said.code == 2
    assert says in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nowhere.toml",), "cannot read nowhere.toml"),
        (("folder.toml",), "Is a directory"),
        (("binary.toml",), "is no TOML"),
        (("empty.toml",), "name: is missing"),
        (("study.toml", "--jobs", "0"), "--jobs"),
        (("study.toml", "--timeout", "0"), "--timeout"),
        (("study.toml", "--quick"), "no smaller preset"),
    ],
    ids=str,
)
@pytest.mark.parametrize("command", ["run", "status"])
def test_what_is_no_study_is_refused(call, command, words, says):
    if command == "status" and words[1:] and "--quick" not in words:
        pytest.skip("no option of its")
    study()
    Path("folder.toml").mkdir()
    Path("binary.toml").write_bytes(b"\x7fELF\xd0\xff")
    Path("empty.toml").write_text("")
    said = call("study", command, *words)
    assert said.code == 2
    assert says in said.err
    assert said.err.count("\n") == 1
    assert not Path("runs").exists()


TWINS = {"envs": 'envs = ["ShutdownButton-v0", "CoinGoal-v0"]', "rewards": 'rewards = ["proxy", "true"]'}


def test_a_dry_run_prints_a_line_a_cell(call):
    said = call("study", "run", study(**TWINS, seeds="seeds = [0, 1, 2, 7]"), "--dry-run", "--jobs", 2)
    assert said.out.splitlines() == [
        "1:",
        "  ShutdownButton-v0 workshop, q-learning, proxy, 500 steps: seeds 0-2, 7 (4)",
        "  ShutdownButton-v0 workshop, q-learning, true, 500 steps: seeds 0-2, 7 (4)",
        "  CoinGoal-v0 corridor, q-learning, proxy, 500 steps: seeds 0-2, 7 (4)",
        "left out of 1: CoinGoal-v0 corridor, q-learning, true, 500 steps: its world pays what was meant, "
        "so it has no twin",
    ]
    assert said.err == "12 runs in 3 cells, 12 of them to be done: about 6 seconds in 2 processes\n"
    assert not Path("runs").exists()


def test_a_dry_run_tells_everything_as_json(call):
    more = "dials = { depth = [1, 2] }\n[quick]\nseeds = [1]"
    found = json.loads(call("study", "run", study(more), "--dry-run", "--quick", "--jobs", 1, "--json").out)
    assert (found["runs"], found["to_do"], found["jobs"], found["left_out"]) == (2, 2, 1, [])
    assert [(cell["dials"], cell["seeds"]) for cell in found["cells"]] == [({}, [1]), ({"depth": 2}, [1])]
    assert all(folder.endswith("-seed-1") for folder in found["folders"])


def states(call):
    said = call("study", "status", "study.toml", "--json")
    counts = json.loads(said.out)["grids"]["1"]
    assert said.code == (4 if counts["damaged"] else 0)
    return counts


def test_status_follows_a_study(call):
    name = study()
    counts = {"finished": 0, "running": 0, "failed": 0, "damaged": 0, "open": 2}
    assert states(call) == counts
    assert call("study", "status", name).out == "1: 2 open\n"

    assert call("study", "run", name, "--jobs", 1).code == 0
    assert states(call) == {**counts, "open": 0, "finished": 2}

    first, second = sorted(path.parent for path in Path("runs").rglob("result.json"))
    (first / "result.json").write_text("{")
    assert states(call) == {**counts, "open": 0, "finished": 1, "damaged": 1}
    (second / "result.json").unlink()
    (second / ".lease").write_text("")
    assert states(call) == {**counts, "open": 0, "running": 1, "damaged": 1}
    (second / ".lease").unlink()
    (second / "failure.json").write_text('{"error": "it broke"}')
    said = call("study", "status", name)
    assert (said.code, said.err.count("\n")) == (4, 1)
    assert "1 damaged run; " in said.err
    assert said.out.splitlines()[0] == "1: 1 failed, 1 damaged"
    assert f"failed: {second}: it broke" in said.out
    assert f"damaged: {first}: " in said.out

    said = call("study", "run", name, "--jobs", 1)
    assert said.code == 3
    assert said.out == "0 of 2 runs finished\n"
    assert said.err.count("failed or damaged before: ") == 2
    assert call("study", "run", name, "--dry-run").err.startswith("2 runs in 1 cell, 0 of them")
    assert call("study", "run", name, "--dry-run", "--retry-failed").err.startswith("2 runs in 1 cell, 2 of them")
    assert call("study", "run", name, "--jobs", 1, "--retry-failed").code == 0
    assert states(call) == {**counts, "open": 0, "finished": 2}


def test_a_run_that_fails_is_told_once_and_exits_3(call, monkeypatch):
    Path("breaking.py").write_text("def learner(make_env, steps, seed):\n    raise RuntimeError('no idea')\n")
    monkeypatch.syspath_prepend(Path.cwd())
    name = study(recipes='recipes = ["breaking:learner"]', seeds="seeds = [0]")
    said = call("study", "run", name, "--jobs", 1)
    assert said.code == 3
    assert said.err.count("RuntimeError: no idea") == 1
    assert said.out == "0 of 1 runs finished\n"
    said = call("study", "run", name, "--jobs", 1, "--json")
    assert said.code == 3
    assert list(json.loads(said.out)["failed"].values()) == ["RuntimeError: no idea"]


def test_a_frozen_study_is_refused_where_a_table_has_changed(call, tmp_path):
    small = 'name = "small"\n[[grids]]\nenvs = ["WhiskyGold-v0"]\nrecipes = ["q-learning"]\nseeds = [0]\n'
    path = tmp_path / "study.toml"
    path.write_text(small)
    pinned = call("study", "freeze", path).out
    path.write_text(small + pinned)
    assert call("study", "run", path, "--dry-run").code == 0
    path.write_text(small + pinned.replace('original" = "', 'original" = "0'))
    said = call("study", "run", path, "--dry-run")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "small is frozen, and 1 of its tables differ here, first 'WhiskyGold-v0 original'" in said.err


@pytest.mark.parametrize("out", ["taken", "taken/deep"])
def test_a_place_for_runs_that_is_no_folder_is_refused_before_anything_runs(call, out):
    Path("taken").write_text("")
    said = call("study", "run", study(), "-o", out, "--jobs", 1)
    assert (said.code, said.err.count("\n"), said.out) == (2, 1, "")
    assert "but taken is no folder" in said.err


def test_an_unknown_key_is_said_with_its_grid(call):
    more = '[[grids]]\nname = "deep"\nenvs = ["ShutdownButton-v0"]\nrecipes = ["q-learning"]\nseeds = [0]\nlevel = 1'
    assert "unknown key of study.toml, grid 2 (deep) 'level'" in call("study", "status", study(more)).err
    assert "unknown key of study.toml, grid 1 'level'" in call("study", "status", study("level = 1")).err


def test_a_dry_run_says_the_default_of_what_is_swept(call):
    said = call("study", "run", study("dials = { depth = [1, 2] }"), "--dry-run", "--jobs", 2)
    assert [line.split(", ")[1] for line in said.out.splitlines()[1:]] == ["depth=1 (default)", "depth=2"]
