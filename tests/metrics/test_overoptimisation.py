"""Pressure curves, against hand calculation and against all that could be drawn."""

from itertools import combinations, product
from math import e, inf, isnan, log, nan, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignment_gym.core import InvalidScores
from alignment_gym.metrics.overoptimisation import (
    best_of_n,
    correlation_of_changes,
    drop,
    estimated_best_of_n,
    fit_best_of_n,
    fit_rl,
    gap_area,
    no_hump,
    onset,
)

EVEN = [0.25] * 4  # KA-16: four outcomes by ascending proxy
TRUE = [0.0, 1.0, 2.0, -3.0]
KL = np.array([0.0, 0.25, 1.0, 2.25, 4.0, 9.0, 12.25])


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9)


def test_a_drop_is_from_the_best_checkpoint_to_the_last():
    assert drop([0.2, 0.9, 0.5, 0.6]) == pytest.approx(0.3)
    assert drop([0.2, 0.5, 0.6]) == 0.0
    assert isnan(drop([0.2, nan, 0.6]))


def test_the_onset_is_where_the_true_score_is_highest():
    found = onset([0.1, 0.4, 0.7, 1.0], [0.1, 0.3, 0.3, -0.5], [0.5, 1.0, 2.0, 4.0])
    assert (found.checkpoint, found.proxy_score, found.kl) == (1, 0.4, 1.0)
    assert onset([0.1, 0.4], [nan, nan], [0.5, 1.0]) is None
    assert isnan(onset([nan, nan], [0.1, 0.2], [0.5, 1.0]).proxy_score)


def test_rounding_does_not_move_an_onset():
    assert onset([0.5, 0.6, 0.7], [1.0, 1.0 + 1e-15, 1.0 + 2e-15], [1.0, 2.0, 3.0]).checkpoint == 0


def test_the_gap_area_is_the_mean_gap():
    assert gap_area([0.5, 1.0], [0.3, -0.4]) == pytest.approx(0.8)
    assert isnan(gap_area([0.5, 1.0], [0.3, nan]))


def test_changes_together_correlate_and_changes_apart_do_the_opposite():
    proxy = np.array([0.0, 0.1, 0.3, 0.35, 0.6, 0.7])
    true = np.array([0.0, 0.2, 0.6, 0.7, 1.2, 1.4])
    close(correlation_of_changes(proxy, true, window=3), [1.0, 1.0, 1.0])
    close(correlation_of_changes(proxy, -true, window=4), [-1.0, -1.0])


def test_sliding_correlations_are_pearsons():
    rng = np.random.default_rng(3)
    proxy, true = rng.normal(size=(2, 12))
    changes = np.diff(proxy), np.diff(true)
    wanted = [np.corrcoef(*(change[place : place + 5] for change in changes))[0, 1] for place in range(7)]
    close(correlation_of_changes(proxy, true, window=5), wanted)


def test_what_stands_still_correlates_with_nothing():
    found = correlation_of_changes([0.0, 0.1, 0.3, 0.4, 0.9], [0.2, 0.2, 0.2, 0.2, 0.5], window=3)
    assert isnan(found[0])
    assert not isnan(found[1])
    assert len(correlation_of_changes([0.0, 1.0], [0.0, 1.0], window=3)) == 0


@pytest.mark.parametrize(
    ("true", "why"),
    [
        pytest.param([0.5, 0.4, 0.1], "the first checkpoint is the best", id="falls from the start"),
        pytest.param([0.1, 0.4, 0.5], "the last checkpoint is the best", id="rises to the end"),
        pytest.param([0.1, 0.51, 0.5], "falls by 0.01", id="hardly falls"),
        pytest.param([0.1, nan, 0.5], "undefined", id="undefined"),
        pytest.param([0.1, 0.53, 0.5], "", id="a hump"),
    ],
)
def test_a_hump_rises_and_falls(true, why):
    assert (why in no_hump(true)) if why else no_hump(true) == ""


def test_a_best_of_n_curve_is_found_again():
    distance = np.sqrt(KL)
    fit, reason = fit_best_of_n(KL, distance * (1.0 - 0.25 * distance))  # KA-23
    assert reason == ""
    close([fit.alpha.value, fit.beta.value, fit.peak_distance, fit.peak_score], [1.0, 0.25, 2.0, 1.0])
    close([fit.residual, fit.r_squared, fit.alpha.high - fit.alpha.low], [0.0, 1.0, 0.0])
    close(fit.alpha.value / fit.beta.value, 4.0)  # the distance at which all is lost


def test_a_curve_of_reinforcement_learning_is_found_again():
    moved = np.concatenate([KL, [25.0, 64.0]])
    distance = np.sqrt(moved)
    fit, _ = fit_rl(moved, distance * (1.0 - 0.5 * np.log(np.maximum(distance, 1e-300))))  # KA-23
    close([fit.alpha.value, fit.beta.value, fit.peak_distance, fit.peak_score], [1.0, 0.5, e, e / 2])
    close([fit.peak_distance**2, fit.peak_score], [e**2, 1.359140914229523])  # the KL at the peak


def test_each_form_fits_the_other_worse():
    distance = np.sqrt(KL)
    true = distance * (1.0 - 0.25 * distance)
    own, other = (fit(KL, true)[0] for fit in (fit_best_of_n, fit_rl))
    assert own.residual < 1e-9 < 0.02 < other.residual
    assert other.r_squared < own.r_squared


def test_intervals_are_those_of_a_linear_model():
    rng = np.random.default_rng(5)
    distance = np.linspace(0.1, 3.5, 12)
    true = distance * (1.0 - 0.25 * distance) + rng.normal(0.0, 0.05, size=12)
    fit, _ = fit_best_of_n(distance**2, true)
    # by hand, from the normal equations of two unknowns and the 97.5 % point of t with 10 degrees of freedom
    a, b, c = (distance**2).sum(), -(distance**3).sum(), (distance**4).sum()
    u, v = (distance * true).sum(), -(distance**2 * true).sum()
    alpha, beta = (c * u - b * v) / (a * c - b * b), (a * v - b * u) / (a * c - b * b)
    variance = ((true - alpha * distance + beta * distance**2) ** 2).sum() / 10
    reach = 2.228138852 * np.sqrt(variance / (a * c - b * b) * np.array([c, a]))
    np.testing.assert_allclose([fit.alpha.value, fit.beta.value], [alpha, beta], atol=1e-9)
    np.testing.assert_allclose([fit.alpha.high - alpha, fit.beta.high - beta], reach, rtol=1e-8)
    assert fit.residual == pytest.approx(sqrt(variance * 10 / 12))


def test_intervals_hold_the_truth_nineteen_times_in_twenty():
    rng = np.random.default_rng(6)
    distance = np.linspace(0.1, 3.5, 8)
    held = 0
    for _ in range(400):
        true = distance * (1.0 - 0.25 * distance) + rng.normal(0.0, 0.05, size=8)
        alpha = fit_best_of_n(distance**2, true, least=-10.0)[0]
        held += alpha is not None and alpha.alpha.low <= 1.0 <= alpha.alpha.high
    assert 365 <= held <= 394


@pytest.mark.parametrize("fit", [fit_rl, fit_best_of_n])
def test_without_a_hump_nothing_is_fitted(fit):
    assert fit(KL, np.sqrt(KL)) == (None, "the last checkpoint is the best")
    found, reason = fit([0.0, 1.0, 1.0], [0.0, 1.0, 0.5])
    assert found is None
    assert "1 distinct distances" in reason


def test_the_best_of_two_arms_with_a_hump():
    found = best_of_n([1 / 3] * 3, [0, 1, 2], [0, 2, 1], 2)  # KA-4
    close([found.proxy, found.true, found.kl], [13 / 9, 11 / 9, 0.161723981])
    assert found.kl < log(2) - 1 / 2


def test_the_best_of_two_of_four_outcomes():
    found = best_of_n(EVEN, [0, 1, 2, 3], TRUE, 2)  # KA-16
    close([found.true, found.kl], [-1 / 2, 0.173980481])
    alone = best_of_n(EVEN, [0, 1, 2, 3], TRUE, 1)
    close([alone.proxy, alone.true, alone.kl], [1.5, 0.0, 0.0])


def test_ties_share_what_their_proxy_wins():
    found = best_of_n([0.2, 0.6, 0.2], [1, 1, 0], [1, -1, 0], 2)
    close(found.true, (1 - 0.2**2) * (0.2 - 0.6) / 0.8)
    close(found.kl, 0.96 * log(0.96 / 0.8) + 0.04 * log(0.04 / 0.2))


outcomes = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 3), st.integers(-3, 3)), min_size=1, max_size=4
)  # weight, proxy, true


@given(outcomes, st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_the_best_of_n_is_that_of_all_that_could_be_drawn(drawn, n):
    weights, proxy, true = (np.array(column, dtype=float) for column in zip(*drawn, strict=True))
    chances = weights / weights.sum()
    final = np.zeros(len(drawn))
    for places in product(range(len(drawn)), repeat=n):
        chance = np.prod(chances[list(places)])
        best = [place for place in places if proxy[place] == proxy[list(places)].max()]
        for place in best:
            final[place] += chance / len(best)
    found = best_of_n(chances, proxy, true, n)
    met = final > 0
    close([found.proxy, found.true], [final @ proxy, final @ true])
    close(found.kl, final[met] @ np.log(final[met] / chances[met]))


def test_the_estimate_weighs_by_places():
    assert estimated_best_of_n([0, 1, 2, 3], TRUE, 2) == pytest.approx(-2 / 3, abs=1e-9)  # KA-16
    assert estimated_best_of_n([0, 1, 2, 3], TRUE, 1) == pytest.approx(0.0, abs=1e-9)
    assert estimated_best_of_n([3, 0, 2, 1], [-3, 0, 2, 1], 4) == pytest.approx(-3.0, abs=1e-9)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-3, 3)), min_size=1, max_size=6), st.data())
@settings(max_examples=40, deadline=None)
def test_the_estimate_is_the_mean_over_all_subsets(samples, data):
    n = data.draw(st.integers(1, len(samples)))
    bests = []
    for subset in combinations(samples, n):
        top = max(proxy for proxy, _ in subset)
        bests.append(np.mean([true for proxy, true in subset if proxy == top]))
    proxy, true = zip(*samples, strict=True)
    assert estimated_best_of_n(proxy, true, n) == pytest.approx(float(np.mean(bests)), abs=1e-9)


def test_the_estimate_is_unbiased():
    wanted = best_of_n([0.5, 0.25, 0.25], [0, 1, 2], [0, 2, 1], 2).true
    chances = {0: 0.5, 1: 0.25, 2: 0.25}
    worth = {0: 0, 1: 2, 2: 1}
    found = sum(
        np.prod([chances[each] for each in drawn]) * estimated_best_of_n(drawn, [worth[each] for each in drawn], 2)
        for drawn in product(chances, repeat=4)
    )
    assert found == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: drop([]), r"shape \(0,\)"),
        (lambda: gap_area([0.1], [0.1, 0.2]), "paths of 1, 2"),
        (lambda: correlation_of_changes([0.1] * 9, [0.1] * 9, window=2), "a window of 2"),
        (lambda: fit_rl([0.0, nan, 1.0], [0.0, 1.0, 0.5]), "is nan"),
        (lambda: fit_rl([0.0, -1.0, 1.0], [0.0, 1.0, 0.5]), "a KL of -1"),
        (lambda: best_of_n([0.5, 0.4], [0, 1], [0, 1], 2), "summing to 0.9"),
        (lambda: best_of_n([1.5, -0.5], [0, 1], [0, 1], 2), "from -0.5"),
        (lambda: best_of_n([0.5, 0.5], [0, nan], [0, 1], 2), "is nan"),
        (lambda: best_of_n([0.5, 0.5], [0, 1], [0, 1], 0), "the best of 0"),
        (lambda: best_of_n([0.5, 0.5], [0, 1], [0, 1], 2.5), "the best of 2.5; give a whole number"),
        (lambda: best_of_n([0.5, 0.5], [0, 1], [0, 1], nan), "the best of nan"),
        (lambda: best_of_n([0.5, 0.5], [0, 1], [0, 1], True), "the best of True"),
        (lambda: estimated_best_of_n([0, 1], [0, 1], 1.5), "the best of 1.5"),
        (lambda: fit_best_of_n([0.0, inf, 1.0], [0.0, 1.0, 0.5]), "is inf"),
        (lambda: fit_rl([0.0, 0.5, 1.0], [0.0, inf, 0.5]), "a true score or a least fall of inf"),
        (lambda: fit_best_of_n([0.0, 0.5, 1.0], [0.0, 1.0, -inf]), "a true score or a least fall of -inf"),
        (lambda: fit_rl([0.0, 0.5, 1.0], [0.0, 1.0, 0.5], nan), "a true score or a least fall of nan"),
        (lambda: estimated_best_of_n([0, 1], [0, 1], 3), "the best of 3 from 2"),
    ],
)
def test_what_is_no_path_is_refused_in_a_line(call, says):
    with pytest.raises(InvalidScores, match=says) as refusal:
        call()
    assert "\n" not in str(refusal.value)
