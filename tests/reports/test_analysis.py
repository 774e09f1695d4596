"""What the solver says: of arrays as of worlds, first the answer, and JSON with every key explained."""

import json
from dataclasses import replace
from math import isnan

import numpy as np
import pytest

from alignment_gym import FiniteMDP, exact
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.reports.worlds.analysis import analysis_record, analysis_text
from alignment_gym.reports.worlds.analysis_keys import MEANING, PLAY
from alignment_gym.reports.worlds.headline import answer
from tests.tiny import arms, random_arrays


def test_arrays_take_five_lines():
    follows = np.ones((1, 3, 1))
    mdp = FiniteMDP.from_arrays(follows, [[0, 1, 2]], [[2, 1, 0]], [1.0], horizon=1)
    found = exact.analyse(mdp)
    assert "Every proxy-optimal policy is a hack." in analysis_text(found)
    assert json.loads(json.dumps(analysis_record(found), allow_nan=False))["exploit"]["shortest"]["text"] == "action 2"


@pytest.mark.parametrize(
    ("proxy", "true", "said"),
    [
        ((0, 1, 2), (0, 2, 4), "Not at all: both rewards rank all policies alike."),
        ((0, 0), (0, 1), "As bad as can be, for it asks for nothing: every policy is paid 0"),
        ((0, 1), (1, 1), "Not at all: there is nothing to lose. The true return is"),
        ((1, 1), (1, 1), "Not at all: there is nothing to lose. Both rewards are"),
        ((0, 1, 1), (0, 1, 0), "Left to chance: intended play is paid all there is, 1"),
        ((0, 1, 2), (1, 0, 2), "Not at all at its optimum"),
        ((0, 1, 2), (1, 2, 0), "Every proxy-optimal policy is a hack. Such play earns 2 of proxy and 0 of true return"),
        ((0, 2, 2), (100, 99, 0), "Some proxy-optimal policies are hacks, and others are not."),
        ((0, 1, 2, 0), (1, 1, 0.99, 0), "Not much over a whole episode"),
    ],
)
def test_how_bad_it_can_get_is_one_of_few_things(proxy, true, said):
    assert said in answer(exact.analyse(arms(proxy, true)))["how_bad"]


def test_uniform_play_is_praised_only_where_it_is_better():
    assert "Uniform play does better: 1." in answer(exact.analyse(arms((0, 1, 2), (2, 1, 0))))["how_bad"]
    assert "Uniform" not in answer(exact.analyse(arms((0, 1, 2), (2, -1, 1))))["how_bad"]


def test_a_plan_that_is_not_sure_is_no_sure_one():
    said = answer(exact.analyse("PersuadableJudge-v0", horizon=2))["how_soon"]
    assert said.startswith(
        "Already in an episode cut to 1 step, a fixed plan hacks in expectation, though not for sure. "
    )


def test_a_plan_of_the_whole_episode_is_not_called_early():
    said = answer(exact.analyse(arms((0, 1, 2), (2, 1, 0))))
    assert said["how_soon"].startswith("In a whole episode of 1 step, a fixed plan hacks. ")
    assert said["exploit"].startswith("Shortest plan: `action 2`. Over the whole episode the best paid policy, ")


@pytest.mark.parametrize(("proxy", "warned"), [(None, True), ({"reach_end": -1.0}, False)])
def test_a_right_reward_is_warned_of_another_goal(proxy, warned):
    mdp = as_mdp("CoinGoal-v0")
    own = mdp if proxy is None else mdp.with_specification(replace(mdp.specification, proxy=proxy))
    assert ("What can go wrong here is generalisation" in answer(exact.analyse(own))["how_bad"]) == warned


def test_no_drop_is_claimed_of_the_pressures_looked_at_alone():
    found = exact.analyse(arms((0, 1, 2), (0, 1, 2)))
    place = f"at none of the {len(found.curve.beta) - 1} pressures looked at larger than"
    assert f"{place} in the end." in answer(found)["how_soon"]
    assert f"{place} under endless pressure." in analysis_text(found)


@pytest.mark.parametrize(("slope", "rises"), [(0.5, True), (-0.5, False)])
def test_a_peak_at_the_last_pressure_is_a_lower_bound_where_it_still_rises(slope, rises):
    found = exact.analyse(arms((0, 1, 2), (0, 2, 1)))
    returns = np.array([1.0, 1.2, 1.5, 1.0])
    curve = replace(
        found.curve,
        beta=np.array([0.0, 1.0, 2.0, np.inf]),
        proxy_return=np.array([1.0, 1.2, 1.5, 2.0]),
        true_return=returns,
        kl=returns,
        slope=np.array([1.0, 1.0, slope, np.nan]),
    )
    found = replace(found, curve=curve)
    words = answer(found)["how_soon"]
    assert ("where it still rises, and at least 0.25 of its range lower" in words) == rises
    assert ("and 0.25 of its range lower" in words) == (not rises)
    assert ("so that the peak is further on." in analysis_text(found)) == rises
    assert ("it loses at least 0.25" in analysis_text(found)) == rises


def test_the_class_of_near_optimal_policies_is_told_in_words():
    text = analysis_text(exact.analyse(arms((0, 1, 2), (2, 1, 0))))
    assert "there it is class D, below random: every near-optimal policy is worse than uniform play." in text


@pytest.mark.parametrize("episode", [{"horizon": 3}, {"horizon": 4, "gamma": 0.9}, {"gamma": 0.8}])
def test_random_arrays_are_told_without_nan(episode):
    rng = np.random.default_rng(5)
    found = exact.analyse(random_arrays(rng, 3, 2, whole=True, **episode), geometry=True)
    words = analysis_text(found).lower().replace("|", " ").split()
    assert not {"nan", "none.", "-0", "inf"} & set(words)
    json.dumps(analysis_record(found), allow_nan=False)


@pytest.mark.parametrize(("proxy", "true"), [((0, 0), (0, 1)), ((0, 1), (1, 1)), ((1, 0), (0, 1)), ((1, 0), (2, 0))])
def test_null_has_a_reason(proxy, true):
    found = analysis_record(exact.analyse(arms(proxy, true), geometry=True))
    for part in (
        found["frontier"],
        found["likeness"],
        found["geometry"],
        found["uniform"],
        found["exploit"]["best_paid"],
    ):
        nulls = {key for key, value in part.items() if value is None} - {"class_near_optimal"}
        assert nulls - {"safe_stop"} <= part["reasons"].keys()
    assert (found["goodhart"]["drop"] is None) == (found["goodhart"]["reason"] is not None)
    assert (found["gap_max"] is None) == ("gap_max" in found["reasons"])
    assert (found["class"] is None) == (found["reason"] is not None)


def test_where_uniform_play_is_optimal_that_is_the_reason():
    """Each arm is as good as any other for the proxy, and hence uniform play; the true return differs."""
    found = exact.analyse(arms((1, 1), (0, 1)))
    assert isnan(found.solution.gap_max)
    assert analysis_record(found)["reasons"]["stationary.proxy_share"] == "uniform play is already optimal"


def keys(record, path=""):
    """Yield the paths of a record's leaves and lists."""
    for key, value in record.items():
        yield f"{path}{key}"
        if isinstance(value, dict):
            yield from keys(value, f"{path}{key}.")


@pytest.mark.parametrize("level", [("SensorCleaner-v0", {"horizon": 4}), ("TomatoWatering-v0", {"horizon": 3})])
def test_every_key_is_explained_and_every_explained_key_is_there(level):
    env, dials = level
    found = analysis_record(exact.analyse(env, geometry=True, **dials))
    paths = set(keys(found))
    deep = {"frontier", "goodhart", "likeness", "exploit_event", "geometry", "exploit"}
    told = {path for path in paths if path.count(".") == (path.partition(".")[0] in deep)}
    optional = {"full_state"} - paths
    assert told == MEANING.keys() - optional
    assert found["exploit"]["best_paid"].keys() == PLAY.keys()


def test_ones_own_specification_is_named():
    mdp = as_mdp("ShutdownButton-v0", horizon=6)
    own = mdp.with_specification(replace(mdp.specification, proxy={"good_work": 1.0, "work": 0.5}))
    assert "Proxy: `good_work` 1, `work` 0.5." in analysis_text(exact.analyse(own))
    assert "Not the world's own specification." in analysis_text(exact.analyse(own))
    assert "Not the world's own specification." not in analysis_text(exact.analyse(mdp))


def test_plays_on_beliefs_have_no_chance_of_the_event_and_say_so():
    found = exact.analyse("TomatoWatering-v0", horizon=3)
    assert "exploit is undefined: the play acts on beliefs" in analysis_text(found)
    assert "exploit_probability" in analysis_record(found)["exploit"]["best_paid"]["reasons"]


def test_what_no_policy_can_bring_about_is_said():
    text = analysis_text(exact.analyse("SafeInterruptibility-v0", horizon=6))
    assert "No policy can bring about `disable`" in text
