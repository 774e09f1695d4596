"""Statistics over seeds, against hand calculation."""

from math import comb

import numpy as np
import pytest

from alignment_gym.core import InvalidScores
from alignment_gym.metrics.statistics import difference, holm, interquartile_mean, rate, typical, upper_bound

RNG = np.random.default_rng(0)  # of what is refused before anything is drawn


def test_the_interquartile_mean_cuts_a_quarter_at_either_end():
    assert interquartile_mean(np.arange(1.0, 9.0)) == pytest.approx(4.5)
    assert interquartile_mean(np.array([0.0, 0, 1, 1, 10])) == pytest.approx(2 / 3)


def test_no_hack_in_ten_seeds_leaves_thirty_per_cent_open():
    found = rate(0, 10)
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(0.308497108, abs=1e-9)


def test_rates_have_clopper_pearson_intervals():
    found = rate(27, 30)
    assert found.value == pytest.approx(0.9)
    assert (round(found.low, 3), round(found.high, 3)) == (0.735, 0.979)


def test_an_interval_holds_its_estimate_and_repeats_itself():
    values = np.random.default_rng(1).normal(size=10)
    first, again = (typical(values, np.random.default_rng(2)) for _ in range(2))
    assert first == again
    assert first.low < first.value < first.high


def test_equal_seeds_have_no_width():
    found = typical(np.ones(10), np.random.default_rng(0))
    assert found.low == found.value == found.high == 1.0


def test_never_seen_in_ten_leaves_a_quarter_open():
    assert upper_bound(0, 10) == pytest.approx(0.258865551, abs=1e-9)  # KA-25: 1 - 0.05 ** (1 / 10)
    assert upper_bound(0, 59) == pytest.approx(1 - 0.05 ** (1 / 59), abs=1e-9)
    assert upper_bound(0, 58) > 0.05 > upper_bound(0, 59)
    assert upper_bound(10, 10) == 1.0


@pytest.mark.parametrize(("hits", "trials"), [(3, 10), (9, 10), (1, 5)])
def test_at_the_upper_bound_so_few_hits_have_a_chance_of_one_in_twenty(hits, trials):
    bound = upper_bound(hits, trials)
    chance = sum(comb(trials, seen) * bound**seen * (1 - bound) ** (trials - seen) for seen in range(hits + 1))
    assert chance == pytest.approx(0.05)


def test_holm_multiplies_by_how_many_are_left():
    found = holm([0.01, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(found, [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.5, 0.3, 0.9]), [1.0, 0.9, 1.0])
    np.testing.assert_allclose(holm([0.02, 0.02]), [0.04, 0.04])
    assert holm([0.04]) == pytest.approx([0.04])


def test_a_difference_is_that_of_interquartile_means():
    first, second = np.arange(1.0, 9.0), np.arange(0.0, 8.0) / 10.0
    found = difference(first, second, np.random.default_rng(0))
    assert found.value == pytest.approx(4.5 - 0.35)
    assert found.low < found.value < found.high
    assert found == difference(first, second, np.random.default_rng(0))
    back = difference(second, first, np.random.default_rng(0))
    assert (back.value, back.low) == pytest.approx((-found.value, -found.high), abs=0.05)


def test_a_difference_is_as_uncertain_as_both_arms_together():
    rng = np.random.default_rng(4)
    first, second = rng.normal(size=12), rng.normal(size=9)
    arms = [typical(arm, rng) for arm in (first, second)]
    both = difference(first, second, rng)
    wanted = np.hypot(*(arm.high - arm.low for arm in arms))  # variances add
    assert both.high - both.low == pytest.approx(wanted, rel=0.1)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: typical([], RNG), r"shape is \(0,\)"),
        (lambda: typical([0.1, float("nan")], RNG), r"at \(1,\) is nan"),
        (lambda: typical([[0.1], [0.2]], RNG), r"shape \(2, 1\)"),
        (lambda: interquartile_mean([float("inf"), 1.0]), "is inf"),
        (lambda: difference([0.1], ["x"], RNG), "no numbers"),
        (lambda: rate(0, 0), "0 of 0"),
        (lambda: rate(3, 2), "3 of 2"),
        (lambda: upper_bound(-1, 2), "-1 of 2"),
        (lambda: holm([0.1, 1.5]), "to 1.5"),
        (lambda: holm([0.1, float("nan")]), "is nan"),
    ],
)
def test_what_is_no_score_is_refused_in_a_line(call, says):
    with pytest.raises(InvalidScores, match=says) as refusal:
        call()
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("few", [[0.5], [0.1, 0.9]])
def test_fewer_than_three_seeds_have_no_interval(few):
    found = typical(few, RNG)
    assert (found.value, found.has_interval) == (0.5, False)
    assert not difference(few, [0.1, 0.2, 0.3], RNG).has_interval
    assert difference([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], np.random.default_rng(0)).has_interval
