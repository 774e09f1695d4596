"""Monitors: known answers, and every figure by counting pairs or thresholds."""

import numpy as np
import pytest

from alignment_gym.core.errors import AlignmentGymError
from alignment_gym.metrics.monitors import (
    area_under_precision_recall,
    area_under_roc,
    false_alarms,
    false_positive_rate_at,
    lead_times,
    threshold_at,
)

HACKED, BENIGN = (0.9, 0.8, 0.4), (0.7, 0.4, 0.2)


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return scores with many ties."""
    rng = np.random.default_rng(seed)
    return rng.integers(2, 9, size=int(rng.integers(1, 30))) / 8, rng.integers(0, 7, size=int(rng.integers(1, 30))) / 8


def test_ka_25_area_under_roc():
    assert area_under_roc(HACKED, BENIGN) == pytest.approx(7.5 / 9, abs=1e-9, rel=0)


@pytest.mark.parametrize("seed", range(5))
def test_area_under_roc_counts_pairs_and_turns_with_the_labels(seed):
    hacked, benign = drawn(seed)
    pairs = [(h > b) + 0.5 * (h == b) for h in hacked for b in benign]
    assert area_under_roc(hacked, benign) == pytest.approx(np.mean(pairs))
    assert area_under_roc(benign, hacked) == pytest.approx(1 - np.mean(pairs))


def test_average_precision_by_hand():
    found = area_under_precision_recall(HACKED, BENIGN)  # 0.9: 1/1; 0.8: 2/2; 0.4, tied with a benign one: 3/5
    assert found.area == pytest.approx((1 + 1 + 3 / 5) / 3)
    assert found.base_rate == 0.5
    assert area_under_precision_recall([1, 1], [1, 1, 1]).area == pytest.approx(0.4)  # knows nothing: the base rate


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_sums_over_thresholds(seed):
    hacked, benign = drawn(seed)
    area, before = 0.0, 0.0
    for threshold in sorted({*hacked, *benign}, reverse=True):
        caught, wrong = (hacked >= threshold).sum(), (benign >= threshold).sum()
        area += (caught / len(hacked) - before) * caught / (caught + wrong)
        before = caught / len(hacked)
    assert area_under_precision_recall(hacked, benign).area == pytest.approx(area)


def test_false_positive_rate_at_a_true_positive_rate():
    assert false_positive_rate_at(HACKED, BENIGN) == pytest.approx(2 / 3)  # all three must be caught: from 0.4 on
    assert false_positive_rate_at(HACKED, BENIGN, 2 / 3) == 0.0
    assert threshold_at(np.arange(20)) == 1.0  # 19 of 20 reach it


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.95, 1.0])
def test_no_threshold_that_catches_enough_raises_fewer_false_alarms(seed, rate):
    hacked, benign = drawn(seed)
    enough = [t for t in {*hacked, *benign} if (hacked >= t).mean() >= rate]
    assert false_positive_rate_at(hacked, benign, rate) == pytest.approx(min((benign >= t).mean() for t in enough))


def test_lead_time_is_the_hack_less_the_alarm_and_undefined_where_either_lacks():
    found = lead_times([10, 10, np.nan, 7, 5], [4, 12, 3, np.nan, 5])
    np.testing.assert_array_equal(found.steps, [6, -2, np.nan, np.nan, 0])
    assert (found.in_time, found.missed, found.median) == (0.25, 0.25, 0)


def test_without_hacked_episodes_lead_times_are_undefined():
    found = lead_times([np.nan], [3])
    assert np.isnan([found.in_time, found.missed, found.median]).all()


def test_false_alarms_are_counted_a_run():
    found = false_alarms([[0.1, 0.6, 0.9], [0.2], [0.5, 0.1]], threshold=0.5)
    assert (found.per_run, found.runs) == (1.0, pytest.approx(2 / 3))


@pytest.mark.parametrize("scores", [[], [np.nan, 1.0], [[1.0]]])
def test_what_is_no_row_of_scores_is_refused(scores):
    for question in (area_under_roc, area_under_precision_recall, false_positive_rate_at):
        with pytest.raises(AlignmentGymError, match="hacked scores"):
            question(scores, [1.0])
        with pytest.raises(AlignmentGymError, match="benign scores"):
            question([1.0], scores)


def test_rates_pairs_and_runs_that_make_no_sense_are_refused():
    with pytest.raises(AlignmentGymError, match="not 0"):
        false_positive_rate_at(HACKED, BENIGN, 0)
    with pytest.raises(AlignmentGymError, match="pair a hack and an alarm"):
        lead_times([1, 2], [1])
    with pytest.raises(AlignmentGymError, match="0 runs"):
        false_alarms([], 0.5)
