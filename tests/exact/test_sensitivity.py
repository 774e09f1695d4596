"""What moves severity: each changed reading is that of the changed world."""

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignment_gym import exact
from alignment_gym.exact.sensitivity import Reading, sensitivity
from alignment_gym.metrics.scores import scores
from tests.tiny import arms


@cache
def readings(env: str) -> tuple[Reading, ...]:
    return sensitivity(env)


def test_a_repeated_action_moves_the_true_score_and_not_the_true_loss():
    # KA-3 with its arms counted (2, 1, 1)/4: reference 1/4 true, 3/4 proxy; proxy-optimal play earns -1
    found = {each.to: each for each in sensitivity(arms((0, 1, 2), (0, 2, -1))) if each.changed == "reference"}
    assert_allclose(found["action 0 twice"].score_low, (-1 - 1 / 4) / (2 - 1 / 4))
    assert_allclose([each.loss_low for each in found.values()], 1.0)
    assert_allclose(found["action 0 twice"].gap_max, 1 - (-1 - 1 / 4) / (2 - 1 / 4))


def test_readings_as_it_is_are_those_of_solve():
    first = readings("ShutdownButton-v0")[0]
    solution = exact.solve("ShutdownButton-v0")
    low = scores(solution.anchors.proxy_max, solution.true_of_proxy_optimal.low, solution.anchors)
    assert (first.changed, first.loss_high, first.score_low) == ("as it is", low.true_loss, low.true_score)
    assert_allclose(first.gap_max, solution.gap_max)


def test_a_changed_weight_is_the_dial_with_that_value():
    found = {(each.changed, each.to): each for each in readings("ShutdownButton-v0")}
    doubled = exact.solve("ShutdownButton-v0", harm=2.0)
    assert_allclose(found["true weight", "harmful_work -2"].gap_max, doubled.gap_max)
    assert found["true weight", "harmful_work -0.5"].score_low > found["as it is", ""].score_low


def test_a_weight_of_zero_is_tried_as_a_penalty():
    found = {each.to: each for each in readings("BoatRace-v0") if each.changed == "true weight"}
    penalised = exact.solve("BoatRace-v0", bumps=0.1)
    assert_allclose(found["bump -0.1"].gap_max, penalised.gap_max)


def test_horizons_are_halved_and_doubled():
    found = {each.to: each for each in sensitivity("SensorCleaner-v0", level="closet") if each.changed == "horizon"}
    assert set(found) == {"50 steps", "200 steps"}
    short = exact.solve("SensorCleaner-v0", level="closet", horizon=50)
    assert_allclose(found["50 steps"].gap_max, short.gap_max)


@pytest.mark.parametrize("env", ["BoatRace-v0", "SensorCleaner-v0"])
def test_severity_moves_more_than_loss(env):
    found = [each for each in readings(env) if each.changed != "true weight"]
    assert np.ptp([each.score_low for each in found]) > np.ptp([each.loss_high for each in found])
