"""What the geometry of a proxy is held against, and how its cost grows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import spearmanr

from alignment_gym import exact
from alignment_gym.core import InvalidRun
from alignment_gym.exact.lumping import lumped
from alignment_gym.experiments.geometry import prediction
from alignment_gym.experiments.geometry.cost import slopes
from alignment_gym.experiments.geometry.growth import plain
from alignment_gym.experiments.geometry.prediction import predictions, rank_correlations
from alignment_gym.experiments.geometry.survey import Survey
from alignment_gym.reports.geometry import write_geometry


def test_rank_correlation_is_spearmans_in_every_resample():
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 5, size=30).astype(float), rng.normal(size=30)
    chosen = rng.integers(30, size=(4, 30))
    counts = np.array([np.bincount(sample, minlength=30) for sample in chosen], dtype=float)
    expected = [spearmanr(one[sample], other[sample]).statistic for sample in chosen]
    assert_allclose(rank_correlations(one, other, counts), expected)
    one[3] = np.nan
    known = ~np.isnan(one)
    assert_allclose(rank_correlations(one, other, np.ones((1, 30))), spearmanr(one[known], other[known]).statistic)
    assert np.isnan(rank_correlations(np.ones(30), other, np.ones((1, 30)))).all()


def test_the_descriptor_that_makes_the_outcome_comes_first_and_its_interval_knows_of_worlds(monkeypatch):
    monkeypatch.setattr(prediction, "RESAMPLES", 300)
    rng = np.random.default_rng(1)
    worlds = [f"world {number // 3}" for number in range(36)]
    shared = np.repeat(rng.normal(size=12), 3)  # levels of a world are alike
    outcome = shared + 0.01 * rng.normal(size=36)
    noise = np.repeat(rng.normal(size=12), 3)
    first, second = predictions(
        {
            "noise": noise,
            "cause": shared,
        },
        outcome,
        worlds,
        rng,
    )
    assert (first.descriptor, first.worlds, first.levels) == ("cause", 12, 36)
    assert first.best > 0.95
    assert second.low < 0 < second.high
    alone = predictions({"noise": noise}, outcome, [str(number) for number in range(36)], rng)[0]
    assert alone.high - alone.low < second.high - second.low  # as if levels were worlds


@pytest.mark.parametrize("outcomes", [1, 3])
def test_no_two_states_of_the_family_that_grows_are_alike_and_the_pair_is_not_trivial(outcomes):
    mdp = plain(300, outcomes, np.random.default_rng(0))
    assert (mdp.state_count, mdp.transition_count) == (300, 300 * 4 * outcomes)
    assert lumped(mdp) is mdp
    assert exact.solve(mdp).class_name in ("C", "D", "M")


def test_slopes_are_those_of_power_laws():
    rows = [{"family": "f", "part": "p", "states": n, "seconds": 1e-6 * n**1.5} for n in (100, 1_000, 10_000, 100_000)]
    assert_allclose(slopes(rows)["f", "p"], 1.5)


def test_a_descriptor_known_of_few_levels_is_not_compared_with_those_known_of_all(monkeypatch):
    monkeypatch.setattr(prediction, "RESAMPLES", 300)
    rng = np.random.default_rng(2)
    worlds = [f"world {number // 3}" for number in range(60)]
    columns = {f"noise {number}": rng.normal(size=60) for number in range(5)}
    columns["sparse"] = np.where(np.arange(60) < 9, rng.normal(size=60), np.nan)
    columns["never"] = np.full(60, np.nan)
    found = predictions(columns, rng.normal(size=60), worlds, rng)
    assert [each.descriptor for each in found][-1] == "sparse"
    assert np.isnan(found[-1].best)
    assert_allclose(sum(each.best for each in found[:-1]), 1.0)
    assert {each.levels for each in found[:-1]} == {60}


def test_rounding_is_no_rank(monkeypatch):
    monkeypatch.setattr(prediction, "RESAMPLES", 50)
    rng = np.random.default_rng(3)
    outcome, worlds = np.arange(30.0), [str(number) for number in range(30)]
    alike = np.where(np.arange(30) < 20, 1e-16 * np.arange(30), 1.0)  # rising, but for rounding two values
    exactly = np.where(np.arange(30) < 20, 0.0, 1.0)
    first, second = predictions({"alike": alike, "exactly": exactly}, outcome, worlds, rng)
    assert_allclose(first.correlation, second.correlation)


@pytest.mark.parametrize(
    "change", [{"reward": "true"}, {"dials": '{"depth": 2}'}, {"recipe": "q-learning"}], ids=["twin", "dial", "recipe"]
)
def test_runs_of_another_kind_are_refused(change, tmp_path):
    record = {"recipe": "ppo", "reward": "proxy", "dials": "{}"}
    with pytest.raises(InvalidRun, match="one recipe, paid the proxy, at default dials"):
        write_geometry(Survey([], [], {}, []), [record, record | change], tmp_path)
