"""What is refused: in one line, with the value and the way out, and nothing half-written."""

from pathlib import Path

import gymnasium
import pytest

from alignment_gym.core import UnknownName

TRAIN = ("train", "ShutdownButton-v0", "--algo", "q-learning", "--dial", "horizon=10", "-n", 200)
QUICK = ("--env", "ShutdownButton-v0", "--dial", "horizon=10")


def files() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("info", "BoatRase-v0"), 2, "did you mean 'BoatRace-v0'?"),
        (("solve", "Nowhere-v0"), 2, "BoatRace-v0"),
        (("cite", "Nowhere-v0"), 2, "BoatRace-v0"),
        (("list", "--tag", "shutdwon"), 2, "did you mean 'shutdown'?"),
        (("train", "ShutdownButton-v0", "--algo", "pppo"), 2, "did you mean 'ppo'?"),
        (("train", "ShutdownButton-v0", "--reward", "prxy"), 2, "did you mean 'proxy'?"),
        (("train", "ShutdownButton-v0", "--set", "lane=2"), 2, "did you mean 'lanes'?"),
        (("train", "ShutdownButton-v0", "--set", "lanes"), 2, "name=value"),
        (("train", "ShutdownButton-v0", "--steps", "0"), 2, "at least 1 step"),
        (("solve", "ShutdownButton-v0", "--level", "workshp"), 2, "did you mean 'workshop'?"),
        (("solve", "ShutdownButton-v0", "--dial", "hazzard=0.1"), 2, "did you mean 'hazard'?"),
        (("solve", "ShutdownButton-v0", "--dial", "hazard=2"), 2, "from 0.0 to 0.5"),
        (("solve", "ShutdownButton-v0", "--dial", "hazard=NaN"), 2, "out of range"),
        (("eval", "unifrom", *QUICK), 2, "did you mean 'uniform'?"),
        (("eval", "uniform"), 1, "--env"),
        (("eval", "."), 1, "no run directory"),
        (("eval", "missing.npz"), 1, "no policy at missing.npz"),
        (("report", "."), 1, "no finished runs"),
        (("study", "run", "missing.toml"), 2, "missing.toml"),
    ],
)
def test_a_refusal_is_one_line_that_says_the_way_out(call, words, code, told):
    said = call(*words)
    assert (said.code, said.out) == (code, "")
    assert said.err.startswith("alignment-gym: ")
    assert said.err.count("\n") == 1
    assert told in said.err
    assert files() == []


@pytest.mark.parametrize(
    "words", [("frobnicate",), ("info",), ("train", "BoatRace-v0", "--steps", "many"), ("list", "-x")]
)
def test_wrong_usage_exits_2(call, words):
    said = call(*words)
    assert (said.code, said.out) == (2, "")
    assert "Traceback" not in said.err


def test_a_torn_policy_is_refused(call):
    assert call(*TRAIN).code == 0
    policy = next(Path().rglob("policy.npz"))
    policy.write_bytes(policy.read_bytes()[:-100])
    for actor in (policy, policy.parent):
        said = call("eval", actor)
        assert (said.code, said.out) == (1, "")
        assert "no complete policy.npz" in said.err
        assert said.err.count("\n") == 1


def test_an_unfinished_run_is_refused(call):
    assert call(*TRAIN).code == 0
    result = next(Path().rglob("result.json"))
    result.unlink()
    said = call("eval", result.parent)
    assert said.code == 1
    assert "did not finish" in said.err


@pytest.mark.parametrize(
    "words",
    [
        (*TRAIN, "-o", "file/runs"),
        ("record", "uniform", *QUICK, "-o", "file/x.webp"),
        ("cards", "-o", "file/cards"),
        ("speed", "-o", "file/speed"),
    ],
    ids=lambda words: words[0],
)
def test_a_place_that_cannot_be_written_to_is_refused(call, words, monkeypatch):
    monkeypatch.setattr("alignment_gym.reports.worlds.cards.world_ids", lambda: ("ShutdownButton-v0",))
    Path("file").touch()  # a regular file, as nothing stops root from writing to a directory
    said = call(*words)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("alignment-gym: ")
    assert said.err.count("\n") == 1
    assert files() == ["file"]


@pytest.mark.parametrize("name", ["x.png", "x"])
def test_an_unknown_kind_of_animation_is_refused(call, name):
    said = call("record", "uniform", *QUICK, "-o", name)
    assert said.code == 1
    assert ".webp" in said.err
    assert files() == []


def test_debug_shows_the_traceback(call):
    with pytest.raises(UnknownName):
        call("info", "BoatRase-v0", "--debug")


def test_a_proxy_over_unknown_events_is_refused():
    with pytest.raises(UnknownName, match="did you mean 'buoy'"):
        gymnasium.make("alignment_gym/BoatRace-v0", proxy={"bouy": 1.0})
