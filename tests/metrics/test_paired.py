"""Paired statistics, against hand calculation, brute force, and tests that they coincide with."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest

from alignment_gym.core import InvalidScores
from alignment_gym.metrics.paired import EXCHANGES, exchange_test, paired_difference, smallest_p
from alignment_gym.metrics.statistics import difference
from alignment_gym.metrics.suites import suite_interquartile_mean, suite_mean


def rng():
    return np.random.default_rng(7)


def column(*values):
    return np.array(values, dtype=float)[:, None]


def test_the_p_value_is_the_share_of_flips_that_reach_as_far():
    # sums of +-1 +-2 +-3 +-1: 7 once and 5 twice of 16 reach the 5 that is seen, and as many on the other side
    assert exchange_test(column(0, 0, 0, 0), column(1, 2, 3, -1), rng()) == 6 / 16


@pytest.mark.parametrize(("gained", "lost", "both"), [(5, 1, 2), (6, 0, 3), (3, 3, 1)])
def test_of_rates_it_is_mcnemars_exact_test(gained, lost, both):
    first = column(*[0] * gained, *[1] * lost, *[1] * both)
    second = column(*[1] * gained, *[0] * lost, *[1] * both)
    wanted = binomtest(gained, gained + lost).pvalue
    assert exchange_test(first, second, rng()) == pytest.approx(wanted, abs=1e-12)


def test_it_agrees_with_brute_force_over_all_runs_of_several_tasks():
    first, second = rng().normal(size=(4, 2)), np.random.default_rng(8).normal(0.6, size=(4, 2))
    gained = second - first
    drawn = [(np.reshape(signs, (4, 2)) * gained).mean() for signs in product([-1, 1], repeat=8)]
    found = exchange_test(first, second, rng())
    assert found == pytest.approx(np.mean(np.abs(drawn) >= abs(gained.mean()) - 1e-12), abs=1e-12)
    assert 0.0 < found < 1.0


@pytest.mark.parametrize("pairs", [6, 10])
def test_complete_separation_gives_the_smallest_p_value_there_is(pairs):
    assert exchange_test(column(*[0.1] * pairs), column(*[0.9] * pairs), rng()) == smallest_p(pairs) == 2 / 2**pairs


def test_many_pairs_are_drawn_and_no_p_value_is_zero():
    first = rng().normal(size=(30, 1))
    found = exchange_test(first, first + 1.0, rng())
    assert found == smallest_p(30) == 2 / (EXCHANGES + 1)
    assert exchange_test(first, first + 1.0, rng()) == found


@pytest.mark.parametrize("pairs", [3, 5, 14])
def test_no_p_value_lies_below_the_smallest(pairs):
    first = rng().normal(size=(pairs, 1))
    assert exchange_test(first, first + 5.0, rng()) == smallest_p(pairs) == 2 / 2**pairs


def test_without_any_difference_it_is_one():
    same = rng().normal(size=(6, 1))
    assert exchange_test(same, same, rng()) == 1.0
    found = paired_difference(same, same, rng())
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_the_same_numbers_in_another_order_tie():
    first, second = column(0.1, 0.2, 0.3, 0.7), column(0.3, 0.7, 0.1, 0.2)
    assert exchange_test(first, second, rng()) == 1.0


def test_what_a_seed_does_to_both_cancels():
    shared = rng().normal(size=20)
    other = shared + 0.1 + 0.01 * np.random.default_rng(3).normal(size=20)
    paired = paired_difference(shared[:, None], other[:, None], rng())
    unpaired = difference(other, shared, rng())
    assert paired.value == pytest.approx(unpaired.value, abs=1e-12)
    assert paired.high - paired.low < 0.2 * (unpaired.high - unpaired.low)
    assert paired.low < 0.1 < paired.high


def test_a_shift_of_all_pairs_has_no_width():
    shared = rng().normal(size=(10, 3))
    found = paired_difference(shared, shared + 0.25, rng())
    assert (found.value, found.low, found.high) == pytest.approx((0.25, 0.25, 0.25), abs=1e-12)


def test_exchanging_the_kinds_turns_the_sign():
    first, second = rng().normal(size=(9, 2)), np.random.default_rng(1).normal(size=(9, 2))
    there, back = paired_difference(first, second, rng()), paired_difference(second, first, rng())
    assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low), abs=1e-12)
    assert exchange_test(first, second, rng()) == pytest.approx(exchange_test(second, first, rng()), abs=0.02)


def test_several_tasks_are_resampled_task_by_task():
    first = np.repeat([[0.0, 10.0]], 8, axis=0)  # a bootstrap over all runs together would mix the tasks
    second = first + 1.0
    found = paired_difference(first, second, rng(), suite_mean)
    assert (found.value, found.low, found.high) == pytest.approx((1.0, 1.0, 1.0))
    uneven = paired_difference(np.zeros((8, 2)), first, rng(), suite_interquartile_mean)
    assert (uneven.low, uneven.high) == (5.0, 5.0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([[1.0], [2.0]], [[1.0]]),
        ([1.0, 2.0], [1.0, 2.0]),
        ([[1.0]], [[float("nan")]]),
        ([], []),
    ],
)
def test_what_is_no_pair_is_refused(first, second):
    with pytest.raises(InvalidScores):
        paired_difference(first, second, rng())
    with pytest.raises(InvalidScores):
        exchange_test(first, second, rng())


def test_no_resamples_are_refused():
    with pytest.raises(InvalidScores, match="resamples: 0"):
        paired_difference([[1.0]], [[2.0]], rng(), resamples=0)
