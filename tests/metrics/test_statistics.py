"""Statistics over seeds, against hand calculation."""

import numpy as np
import pytest

from alignment_gym.metrics.statistics import interquartile_mean, rate, typical


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
