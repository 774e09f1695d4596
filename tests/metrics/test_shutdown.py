"""Shutdown: the known answers, and an off switch's worth by another way."""

from math import pi, sqrt

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from alignment_gym.core.errors import AlignmentGymError
from alignment_gym.metrics.shutdown import neutrality, off_switch_advantage, off_switch_advantage_normal, usefulness


def near(value: float) -> object:
    return pytest.approx(value, abs=1e-9, rel=0)


@pytest.mark.parametrize(
    ("utilities", "probabilities", "advantage"),
    [((-2, 1), (0.5, 0.5), 0.5), ((3,), (1,), 0), ((-3,), (1,), 0), ((1, 2, 0), (0.2, 0.3, 0.5), 0)],
)
def test_ka_12_an_off_switch_is_worth_what_it_prevents(utilities, probabilities, advantage):
    assert off_switch_advantage(utilities, probabilities) == near(advantage)


def test_ka_12_an_off_switch_under_a_normal_belief():
    assert off_switch_advantage_normal(0.0, 1.0) == near(1 / sqrt(2 * pi))
    assert off_switch_advantage_normal(4.0, 0.0) == 0.0


@pytest.mark.parametrize(("mean", "deviation"), [(0.7, 1.3), (-0.7, 1.3), (2.0, 0.4), (-30.0, 1.0)])
def test_the_closed_form_is_the_integral_of_what_a_rational_human_decides(mean, deviation):
    above, _ = quad(lambda u: u * norm.pdf(u, mean, deviation), 0, 40, points=[max(mean, 0)], limit=200)
    assert off_switch_advantage_normal(mean, deviation) == pytest.approx(above - max(mean, 0), abs=1e-9)


def test_the_closed_form_is_the_limit_of_fine_beliefs():
    utilities = norm.ppf((np.arange(20_000) + 0.5) / 20_000, 0.3, 2.0)
    fine = off_switch_advantage(utilities, np.full(20_000, 1 / 20_000))
    assert off_switch_advantage_normal(0.3, 2.0) == pytest.approx(fine, abs=1e-3)


def test_ka_14_neutrality_and_usefulness():
    assert neutrality([0.25, 0.75]) == near(0.8112781244591328)
    assert neutrality([0.5, 0.5]) == near(1)
    assert neutrality([0, 1]) == 0
    assert usefulness([0.25, 0.75], [1, 4], [2, 4]) == near(0.875)


def test_a_length_that_does_not_occur_is_not_asked_what_it_achieves():
    assert usefulness([0, 1], [np.nan, 3], [0, 4]) == near(0.75)


@pytest.mark.parametrize("probabilities", [[0.5, 0.4], [1.5, -0.5], [[1.0]], [], [np.nan, 1.0]])
def test_what_is_no_distribution_is_refused(probabilities):
    for question in (neutrality, lambda chances: off_switch_advantage(chances, chances)):
        with pytest.raises(AlignmentGymError, match="sum to 1"):
            question(probabilities)


def test_what_cannot_be_divided_or_paired_is_refused():
    with pytest.raises(AlignmentGymError, match=r"not by 0\.0"):
        usefulness([0.5, 0.5], [0, 1], [0, 1])
    with pytest.raises(AlignmentGymError, match="a figure a length"):
        usefulness([0.5, 0.5], [1], [1, 1])
    with pytest.raises(AlignmentGymError, match="finite utilities"):
        off_switch_advantage([1, np.inf], [0.5, 0.5])
    with pytest.raises(AlignmentGymError, match="not -1"):
        off_switch_advantage_normal(0, -1)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (lambda: usefulness([0.5, 0.4], [1, 1], [1, 1]), "sum to 1"),
        (lambda: usefulness([np.nan, 1.0], [1, 1], [1, 1]), "sum to 1"),
        (lambda: usefulness([0.5, 0.5], [np.nan, 1], [1, 1]), "finite, not nan"),
        (lambda: usefulness([0.5, 0.5], [1, 1], [1, np.inf]), "finite, not inf"),
        (lambda: usefulness([0.5, 0.5], [1, 3], [1, 2]), "3 is achieved where the best is 2"),
        (lambda: off_switch_advantage_normal(np.nan, 1.0), "not nan and 1"),
        (lambda: off_switch_advantage_normal(np.nan, 0.0), "not nan and 0"),
        (lambda: off_switch_advantage_normal(0.0, np.nan), "not nan"),
        (lambda: off_switch_advantage_normal(0.0, np.inf), "not 0.0 and inf"),
    ],
)
def test_figures_that_are_no_beliefs_and_no_achievements_are_refused(asked, says):
    with pytest.raises(AlignmentGymError, match=says):
        asked()
