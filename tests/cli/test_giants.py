"""Levels too large to be solved, and worlds that hide states, from the command line."""

import pytest

from tests.every import GIANTS


@pytest.mark.parametrize(("env_id", "level"), GIANTS)
def test_levels_too_large_to_be_solved_are_watched_and_sampled_from_the_command_line(env_id, level, call):
    where = ("--env", env_id, "--level", level, "--dial", "horizon=3")
    assert "step 3 of 3" in call("watch", "uniform", "--ansi", *where).out
    said = call("eval", "uniform", *where)
    assert said.code == 0, said.err
    assert "1000   episodes; 95 % intervals" in said.out
    refused = call("eval", "proxy-optimal", *where)
    assert refused.code == 1
    assert "too large to be enumerated" in refused.err


def test_a_demo_that_acts_on_hidden_states_can_be_watched_and_scored(call):
    where = ("--env", "TomatoWatering", "--dial", "horizon=5")
    assert call("watch", "uniform", "--ansi", *where).code == 0
    assert call("eval", "intended", *where).code == 0


@pytest.mark.parametrize("changed", [("--level", "gallery"), ("--dial", "depth=2")], ids=str)
def test_a_plan_is_not_played_where_it_was_not_made_for(call, changed):
    assert call("eval", "exploit", "--env", "CameraDropbox", "--dial", "horizon=50").code == 0
    said = call("eval", "exploit", "--env", "CameraDropbox", *changed)
    assert said.code == 1
    assert "made for level 'store' at default dials" in said.err


@pytest.mark.parametrize(("env_id", "level"), GIANTS)
def test_the_card_of_a_level_too_large_to_be_solved_is_shown_without_its_analysis(env_id, level, call):
    said = call("info", env_id, "--level", level)
    assert said.code == 0, said.err
    assert "too large to be listed" in " ".join(said.out.split())
