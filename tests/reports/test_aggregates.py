"""Aggregates over worlds: bounded scores alone, on worlds and seeds that all arms share."""

import pytest

from alignment_gym.agents import RECIPES
from alignment_gym.reports.study.aggregates import Arm, aggregates, write_aggregates
from alignment_gym.reports.study.usual import usual
from tests.reports.test_tables import record

ALL = ("ppo", "a2c")
FLAGSHIPS = ("BoatRace-v0", "SensorCleaner-v0")
OTHERS = ("CoinGoal-v0", "TestSuite-v0", "RampMeter-v0")


def runs(env, recipe, reward="proxy", seeds=range(3), **changes):
    changes = {"steps": RECIPES[recipe].steps, "recipe": recipe} | changes
    return [record(reward, seed, env, **changes) for seed in seeds]


def study():
    flagships = [run for env in FLAGSHIPS for name in ALL for run in runs(env, name, seeds=range(4))]
    return [*flagships, *(run for env in OTHERS for run in runs(env, "ppo", seeds=range(2)))]


def only(found, **wanted):
    (one,) = [each for each in found if all(getattr(each, name) == value for name, value in wanted.items())]
    return one


def test_a_comparison_takes_all_worlds_that_have_its_arms():
    found = aggregates(study())
    both, alone = (Arm("a2c", "proxy"), Arm("ppo", "proxy")), (Arm("ppo", "proxy"),)
    flagships = only(found, arms=both, recipe="ppo", score="kept", statistic="iqm")
    assert flagships.worlds == ("BoatRace-v0 lagoon", "SensorCleaner-v0 lagoon")
    everywhere = only(found, arms=alone, recipe="ppo", score="kept", statistic="iqm")
    assert len(everywhere.worlds) == 5
    assert {each.arms for each in found} == {both, alone}


def test_seeds_are_those_that_every_arm_has_on_every_world():
    found = aggregates(study())
    assert {(len(each.arms), each.seeds) for each in found} == {(2, (0, 1, 2, 3)), (1, (0, 1))}


def test_a_seed_that_one_run_misses_is_left_out_everywhere():
    records = [each for each in study() if (each["env"], each["recipe"], each["seed"]) != ("BoatRace-v0", "a2c", 1)]
    assert only(aggregates(records), recipe="a2c", score="kept", statistic="mean").seeds == (0, 2, 3)


def test_worlds_without_a_common_seed_have_no_aggregate():
    assert aggregates([*runs("BoatRace-v0", "ppo", seeds=[0]), *runs("CoinGoal-v0", "ppo", seeds=[1])]) == []


def test_a_single_world_is_no_aggregate():
    assert aggregates(runs("BoatRace-v0", "ppo")) == []


def two_worlds(first, second, reward="proxy", **both):
    return [
        *runs("BoatRace-v0", "ppo", reward, **first, **both),
        *runs("CoinGoal-v0", "ppo", reward, **second, **both),
    ]


def test_statistics_are_those_of_hand_calculation():
    found = aggregates(two_worlds({"true_loss": 0.2}, {"true_loss": 0.6}))
    values = {each.statistic: each.value for each in found if each.score == "kept"}
    # six runs: 0.8 three times and 0.4 three times; one is cut at either end
    assert values == pytest.approx({"iqm": 0.6, "mean": 0.6, "median": 0.6, "optimality_gap": 0.4})
    mean = only(found, score="kept", statistic="mean")
    assert (mean.low, mean.high) == pytest.approx((0.6, 0.6)), "seeds agree, and worlds are not resampled"


def test_intervals_come_from_seeds_and_repeat_themselves():
    records = [
        record(seed=seed, env=env, steps=200_000, true_loss=0.1 * seed) for env in FLAGSHIPS for seed in range(5)
    ]
    first = only(aggregates(records), score="kept", statistic="mean")
    assert first.value == pytest.approx(0.8)
    assert 0.6 < first.low < first.value < first.high < 1.0
    assert only(aggregates(records[::-1]), score="kept", statistic="mean") == first


def test_own_scores_are_those_of_what_was_paid_and_clipped():
    paid = two_worlds({"proxy_score": -3.0, "true_score": 1.0}, {"proxy_score": 0.5, "true_score": 1.0})
    twins = two_worlds({"true_score": -3.0}, {"true_score": 0.9}, "true")
    found = aggregates([*paid, *twins])
    assert only(found, reward="proxy", score="own", statistic="mean").value == pytest.approx(0.25)
    assert only(found, reward="true", score="own", statistic="mean").value == pytest.approx(0.45)


def test_hack_rates_leave_out_worlds_where_no_agent_can_hack():
    found = aggregates([*two_worlds({}, {"exploitation": None, "hack": False}), *runs("TestSuite-v0", "ppo")])
    rate = only(found, score="hack", statistic="mean")
    assert rate.worlds == ("BoatRace-v0 lagoon", "TestSuite-v0 lagoon")
    assert rate.value == 1.0
    assert len(only(found, score="kept", statistic="mean").worlds) == 3


def test_a_world_where_one_run_has_no_score_is_left_out_for_all():
    records = [*two_worlds({}, {}), *runs("TestSuite-v0", "ppo")]
    records[-1] |= {"true_loss": None}
    assert len(only(aggregates(records), score="kept", statistic="mean").worlds) == 2


def test_unbounded_scores_are_never_aggregated():
    assert {each.score for each in aggregates(study())} == {"kept", "own", "hack"}
    wild = [each | {"exploitation": -1e9, "hacking_gap": 1e9, "hack": True} for each in study()]
    assert aggregates(wild) == aggregates(study())


def test_only_default_dials_settings_and_steps_count():
    plain = two_worlds({}, {})
    swept = [
        plain[0] | {"dials": '{"depth": 4}'},
        plain[0] | {"settings": '{"net_arch": [8]}'},
        plain[0] | {"steps": 400_000},
    ]
    assert usual([*plain, *swept]) == plain


def test_two_seeds_have_no_interval_and_leave_its_ends_empty(tmp_path):
    few = [each for each in two_worlds({}, {}) if each["seed"] < 2]
    assert not any(each.low <= each.value for each in aggregates(few))
    (path,) = write_aggregates(few, tmp_path)
    assert path.read_text().splitlines()[1].startswith("ppo,proxy,kept,iqm,0.495,,,")
