"""Statistics over several tasks, against hand calculation and against rliable's, whose version the file names."""

import json
from pathlib import Path

import numpy as np
import pytest

from alignment_gym.core import InvalidScores
from alignment_gym.metrics.suites import (
    improvement,
    optimality_gap,
    profile,
    resampled,
    stratified,
    suite_interquartile_mean,
    suite_mean,
    suite_median,
)

PEER = json.loads((Path(__file__).parent / "rliable.json").read_text(encoding="utf-8"))
AGGREGATES = {
    "interquartile_mean": suite_interquartile_mean,
    "mean": suite_mean,
    "median": suite_median,
    "optimality_gap": optimality_gap,
}
CLOSE = 0.02  # of a score: how far ends of intervals may lie apart, of 5,000 resamples there and 10,000 here

cases = pytest.mark.parametrize("case", PEER["cases"], ids=["32 runs", "21 runs"])


def agree(found, wanted, apart=CLOSE):
    np.testing.assert_allclose(found.value, np.squeeze(wanted["value"]), rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.low, np.squeeze(wanted["low"]), rtol=0, atol=apart)
    np.testing.assert_allclose(found.high, np.squeeze(wanted["high"]), rtol=0, atol=apart)


@cases
@pytest.mark.parametrize("name", AGGREGATES)
def test_aggregates_and_their_intervals_are_rliables(case, name):
    agree(stratified(case["scores"], AGGREGATES[name], np.random.default_rng(1)), case["statistics"][name])


@cases
def test_profiles_and_their_bands_are_rliables(case):
    one_run = 1.01 / np.size(case["scores"])  # the step in which shares move
    agree(profile(case["scores"], PEER["thresholds"], np.random.default_rng(1)), case["statistics"]["profile"], one_run)


@cases
def test_probabilities_of_improvement_and_their_intervals_are_rliables(case):
    found = improvement(case["scores"], case["others"], np.random.default_rng(1))
    agree(found, case["statistics"]["improvement"])


def test_aggregates_are_those_worked_out_by_hand():
    scores = np.array([[0.0, 2.0], [1.0, 4.0], [0.5, 0.0], [0.5, 0.0]])
    assert suite_mean(scores) == 1.0
    assert suite_median(scores) == 1.0  # of 0.5 and 1.5
    assert suite_interquartile_mean(scores) == pytest.approx(0.5)  # of 0, 0.5, 0.5, 1
    assert optimality_gap(scores) == pytest.approx(1.0 - 4.0 / 8.0)
    assert optimality_gap(scores, target=4.0) == pytest.approx(3.0)


def test_runs_are_resampled_within_their_task_and_independently_of_other_tasks():
    scores = np.array([[0.0, 10.0], [1.0, 20.0]])
    drawn = resampled(scores, lambda found: found.mean(axis=-2), np.random.default_rng(0), 4_000)
    assert drawn.shape == (4_000, 2)
    assert set(drawn[:, 0]) == {0.0, 0.5, 1.0}
    assert set(drawn[:, 1]) == {10.0, 15.0, 20.0}
    both = np.mean((drawn[:, 0] == 1.0) & (drawn[:, 1] == 20.0))
    assert both == pytest.approx(1 / 16, abs=0.015)  # 1/4 if whole rows were drawn


def test_tasks_that_do_not_vary_have_no_width():
    found = stratified([[0.0, 1.0, 5.0]] * 6, suite_mean, np.random.default_rng(0), 50)
    assert found.low == found.value == found.high == 2.0


def test_intervals_repeat_themselves_and_differ_between_generators():
    scores = np.random.default_rng(0).random((9, 3))
    first, again, other = (stratified(scores, suite_mean, np.random.default_rng(seed), 500) for seed in (1, 1, 2))
    assert first == again
    assert (first.low, first.high) != (other.low, other.high)


def test_intervals_of_the_mean_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(2)
    means = np.array([0.0, 1.0, 5.0])
    found = [stratified(rng.normal(means, 1.0, (30, 3)), suite_mean, rng, 400) for _ in range(200)]
    assert 176 <= sum(each.low <= 2.0 <= each.high for each in found) <= 198


def test_large_suites_are_resampled_in_parts(monkeypatch):
    sizes = []

    def mean(scores):
        sizes.append(len(scores))
        return suite_mean(scores)

    monkeypatch.setattr("alignment_gym.metrics.suites.AT_ONCE", 100)
    drawn = resampled(np.random.default_rng(0).random((4, 5)), mean, np.random.default_rng(0), 12)
    assert (sizes, len(drawn)) == ([5, 5, 2], 12)


def test_a_profile_counts_what_is_above_a_threshold_and_not_what_is_at_it():
    found = profile([[0.2, 1.0], [0.4, 0.5]] * 2, [0.0, 0.4, 1.0], np.random.default_rng(0), 200)
    np.testing.assert_allclose(found.value, [1.0, 0.5, 0.0])
    assert (found.low <= found.value).all()
    assert (found.value <= found.high).all()


def test_improvement_counts_pairs_and_half_of_ties():
    rng = np.random.default_rng(0)
    assert improvement([[1], [2]], [[1], [3]], rng).value == pytest.approx(3 / 8)  # KA-25
    hacked, benign = np.array([[0.9], [0.8], [0.4]]), np.array([[0.7], [0.4], [0.2]])
    assert improvement(hacked, benign, rng).value == pytest.approx(7.5 / 9)  # KA-25, as the area under an ROC curve
    two = improvement(np.hstack([hacked, hacked]), np.hstack([benign, hacked]), rng)
    assert two.value == pytest.approx((7.5 / 9 + 1 / 2) / 2)


def test_improvement_is_resampled_as_if_runs_were_drawn_and_compared_anew():
    rng = np.random.default_rng(8)
    first, second = np.round(rng.random((6, 2)), 1), np.round(rng.random((5, 2)), 1)
    drawn = []
    for _ in range(2_000):
        one, other = (
            np.stack([rng.choice(column, len(column)) for column in scores.T], axis=1) for scores in (first, second)
        )
        ahead = one[:, None] - other[None]
        drawn.append(((ahead > 0) + 0.5 * (ahead == 0)).mean())
    found = improvement(first, second, rng)
    np.testing.assert_allclose([found.low, found.high], np.percentile(drawn, [2.5, 97.5]), atol=0.03)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda rng: stratified([[0.1, 0.2], [0.3]], suite_mean, rng), "ragged"),
        (lambda rng: stratified([[0.1, np.nan]], suite_mean, rng), r"at \(0, 1\) is nan"),
        (lambda rng: stratified([[0.1, 0.2]], suite_mean, rng, 0), "resamples: 0; give a whole number"),
        (lambda rng: profile([[0.1, 0.2]], [0.5], rng, 0), "resamples: 0"),
        (lambda rng: improvement([[0.1, 0.2]], [[0.1, 0.2]], rng, 0), "resamples: 0"),
        (lambda rng: stratified([], suite_mean, rng), r"shape \(0,\)"),
        (lambda rng: stratified(np.zeros((0, 3)), suite_mean, rng), r"shape is \(0, 3\)"),
        (lambda rng: stratified([0.1, 0.2], suite_mean, rng), r"scores\[:, None\]"),
        (lambda rng: profile([[0.1]], [], rng), "no scores"),
        (lambda rng: improvement([[0.1]], [[0.1, 0.2]], rng), "1 and of 2 tasks"),
    ],
)
def test_what_is_no_matrix_of_scores_is_refused_in_a_line(call, says):
    with pytest.raises(InvalidScores, match=says) as refusal:
        call(np.random.default_rng(0))
    assert "\n" not in str(refusal.value)


def test_fewer_than_three_runs_of_each_task_have_no_interval():
    rng = np.random.default_rng(0)
    assert not stratified([[0.1, 0.2], [0.3, 0.4]], suite_mean, rng).has_interval
    assert not improvement([[0.1], [0.2]], [[0.1], [0.2], [0.3]], rng).has_interval
    found = profile([[0.2, 1.0], [0.4, 0.5]], [0.0, 0.4, 1.0], rng)
    np.testing.assert_allclose(found.value, [1.0, 0.5, 0.0])
    assert np.isnan([found.low, found.high]).all()
