"""Levels too large to be solved, and worlds that hide states, from the command line."""

import pytest

from tests.every import GIANTS


@pytest.mark.parametrize(("env_id", "level"), GIANTS)
def test_levels_too_large_to_be_solved_are_watched_and_sampled_from_the_command_line(env_id, level, call):
    where = ("--env", env_id, "--level", level, "--dial", "horizon=3")
    assert "step 3 of 3" in call("watch", "intended", "--ansi", *where).out
    said = call("eval", "uniform", *where)
    assert said.code == 0, said.err
    assert "1000   episodes; 95 % intervals" in said.out
    refused = call("eval", "proxy-optimal", *where)
    assert refused.code == 1
    assert "too large to be enumerated" in refused.err


def test_a_demo_that_acts_on_hidden_states_can_be_watched_and_scored(call):
    where = ("--env", "TomatoWatering", "--dial", "horizon=5")
    assert call("watch", "intended", "--ansi", *where).code == 0
    assert call("eval", "intended", *where).code == 0
