"""What can't be solved is sampled."""

import numpy as np
import pytest

from alignment_gym.agents import script, scripted
from alignment_gym.core import TooLargeToEnumerate, make_world
from alignment_gym.engine.growing import GrowingMDP
from alignment_gym.engine.mdp import compiled
from alignment_gym.exact.evaluation import event_probability, returns
from alignment_gym.exact.values import uniform
from alignment_gym.experiments.actors import find_actor
from alignment_gym.experiments.sampling import SCORES, sampled_record

EPISODES = 200


@pytest.mark.parametrize("name", ["uniform", "intended", "exploit"])
def test_sampled_returns_agree_with_the_exact_ones_on_a_small_level(name):
    world = make_world("TomatoWatering", horizon=20)
    mdp = compiled(world)
    found = sampled_record(GrowingMDP(world), script(world, name), EPISODES)
    policy = uniform(mdp) if name == "uniform" else scripted(mdp, name)
    for which, value in zip(("proxy", "true"), returns(mdp, policy), strict=True):
        low, high = found[f"{which}_interval"]
        assert abs(found[f"{which}_return"] - value) <= high - low  # four standard errors
    rare = 4 * np.sqrt(0.25 / EPISODES)
    assert found["exploit_probability"] == pytest.approx(event_probability(mdp, policy, "bucket"), abs=rare)
    assert found["exact"] is False
    assert all(found[score] is None and found["reasons"][score] for score in SCORES)


def test_a_script_on_a_level_too_large_has_no_table():
    actor = find_actor("exploit", "TomatoWatering", "full")
    with pytest.raises(TooLargeToEnumerate):
        _ = actor.table
