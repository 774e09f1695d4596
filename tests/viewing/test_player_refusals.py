"""What `watch` and `play` refuse, in one line each, and what they say in a pipe."""

import numpy as np
import pytest

from tests.cli.conftest import call  # noqa: F401 - a fixture

RACE = ("exploit", "--env", "BoatRace-v0", "--dial", "horizon=5")


@pytest.fixture(autouse=True)
def _without_a_display(monkeypatch):
    for name in ("SDL_VIDEODRIVER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("watch", *RACE), 1, "--ansi"),
        (("play", "BoatRace-v0"), 1, "alignment-gym record"),
        (("watch", "empty.npz", "--ansi"), 1, "empty.npz"),
        (("watch", *RACE, "--beside", "empty.npz", "--ansi"), 1, "empty.npz"),
        (("play", "BoatRace-v0", "--policy", "empty.npz", "--ansi"), 1, "empty.npz"),
        (("watch", *RACE, "--beside", "exploitt", "--ansi"), 2, "'exploit'"),
        (("watch", *RACE, "--fps", "0"), 2, "--fps"),
        (("watch", *RACE, "--level", "nowhere", "--ansi"), 2, "lagoon"),
        (("play", "BoatRace-v0", "--level", "nowhere", "--ansi"), 2, "lagoon"),
        (("play", "BoatRace-v0", "--key", "4294967296", "--ansi"), 2, "--key"),
        (("play", "BoatRaces-v0", "--ansi"), 2, "BoatRace-v0"),
        (("play", "BoatRace-v0", "--key", "1", "--seed", "2", "--ansi"), 2, "--seed"),
        (("record", *RACE, "--tile", "20", "-o", "race.html"), 2, "--tile"),
        (("playground", "BoatRace-v0", "-o", "race.html"), 2, "-o race"),
    ],
)
def test_bad_input_is_refused_in_one_line(call, tmp_path, words, code, said):  # noqa: F811
    (tmp_path / "empty.npz").touch()
    found = call(*words)
    assert (found.code, found.out) == (code, "")
    assert said in found.err
    assert found.err.count("\n") == 1


def test_a_policy_of_another_world_is_refused_beside(call, tmp_path):  # noqa: F811
    from alignment_gym import exact
    from alignment_gym.agents import save_policy
    from alignment_gym.core import make_world
    from alignment_gym.engine.mdp import compiled

    mdp = compiled(make_world("SensorCleaner-v0", level="closet", horizon=5))
    table = exact.tabulate(lambda observations: np.zeros(len(observations), dtype=int), mdp)
    save_policy(tmp_path / "other.npz", table)
    found = call("watch", *RACE, "--beside", "other.npz", "--ansi")
    assert found.code == 1
    assert "trained on SensorCleaner-v0; it can't act in BoatRace-v0" in found.err


def test_two_agents_are_written_to_a_pipe_on_the_same_level_and_dials(call):  # noqa: F811
    found = call("watch", *RACE, "--level", "cove", "--beside", "uniform", "--ansi", "--key", "3")
    assert found.code == 0
    assert found.out.count("step 5 of 5") == 2
    assert "Boat race: uniform" in found.out
