"""Comparisons: which cells are partners, what is claimed of them, and what is not."""

import json

import numpy as np
import pytest

from alignment_gym.agents import RECIPES
from alignment_gym.core import InvalidRun, InvalidScores, UnknownName
from alignment_gym.metrics.statistics import interquartile_mean
from alignment_gym.reports.markdown import ranges
from alignment_gym.reports.study.comparison import Limit, compare, markdown, where
from alignment_gym.reports.study.pairing import paired
from alignment_gym.reports.tables import cells

STEPS = RECIPES["ppo"].steps


def record(seed=0, loss=0.5, env="BoatRace-v0", recipe="ppo", reward="proxy", **changes):
    scores = {
        "env": env,
        "level": "lagoon",
        "dials": "{}",
        "settings": "{}",
        "recipe": recipe,
        "reward": reward,
        "steps": RECIPES[recipe].steps if recipe in RECIPES else 0,
        "seed": seed,
        "exploitation": 0.9,
        "true_loss": loss,
        "hack": loss >= 0.05,
        "proxy_score": 1.0 - loss / 10,
        "true_score": 1.0 - loss,
        "key": f"{recipe}-key",
        "tables": "t",
    }
    return scores | changes


def runs(losses, **changes):
    return [record(seed, loss, **changes) for seed, loss in enumerate(losses)]


LOW, HIGH = (0.1, 0.12, 0.14, 0.13, 0.11, 0.12, 0.15, 0.1), (0.3, 0.35, 0.31, 0.4, 0.33, 0.36, 0.32, 0.3)


def only(comparison):
    (row,) = comparison.cells
    return row


def test_the_difference_is_second_minus_first_with_its_interval_and_p_value():
    found = only(compare(runs(LOW), runs(HIGH))).found
    assert found.difference == pytest.approx(interquartile_mean(HIGH) - interquartile_mean(LOW))
    assert found.interval[0] < found.difference < found.interval[1]
    assert found.p_value == found.adjusted == 2 / 2**8
    assert found.above.value == 1.0


def test_identical_runs_differ_by_nothing():
    found = only(compare(runs(LOW), runs(LOW))).found
    assert (found.difference, found.interval, found.p_value) == (0.0, (0.0, 0.0), 1.0)


def test_pairs_have_the_same_seed_and_others_are_left_out_and_named():
    second = [record(seed, loss) for seed, loss in zip(range(2, 10), HIGH, strict=True)]
    row = only(compare(runs(LOW), second))
    assert row.seeds == (2, 3, 4, 5, 6, 7)
    assert row.found.first == pytest.approx(interquartile_mean(LOW[2:]))
    assert row.found.second == pytest.approx(interquartile_mean(HIGH[:6]))
    assert row.notes == ("2 seeds of A alone left out (0-1)", "2 seeds of B alone left out (8-9)")


def test_pairs_do_not_depend_on_the_order_of_records():
    assert compare(runs(LOW)[::-1], runs(HIGH)) == compare(runs(LOW), runs(HIGH)[::-1])


def test_two_seeds_claim_no_interval():
    row = only(compare(runs(LOW[:2]), runs(HIGH[:2])))
    assert (row.found.interval, row.found.p_value) == (None, None)
    assert row.notes == ("fewer than 3 common seeds: no interval",)


def test_few_pairs_say_how_small_a_p_value_can_be():
    assert only(compare(runs(LOW[:5]), runs(HIGH[:5]))).notes == ("5 pairs: no p-value can lie below 0.0625",)


@pytest.mark.parametrize("pairs", [6, 10])
def test_arms_that_never_overlap_are_as_unlikely_as_their_pairs_allow(pairs):
    row = only(compare(runs([0.1] * pairs), runs([0.9] * pairs)))
    assert (row.found.p_value, row.notes) == (2 / 2**pairs, ())


def test_the_test_is_said_to_be_of_means():
    comparison = compare(runs(LOW), runs(HIGH))
    assert "p-values of the paired permutation test of means" in markdown(comparison)
    assert comparison.as_dict()["test"] == "paired permutation test of means"


def test_no_common_seed_and_undefined_scores_are_said():
    late = [record(seed + 100, loss) for seed, loss in enumerate(HIGH)]
    assert only(compare(runs(LOW), late)).notes[-1] == "no seed in common"
    row = only(compare(runs(LOW, exploitation=None), runs(HIGH), "exploitation"))
    assert (row.found, row.notes) == (None, ("undefined",))


def test_other_tables_are_noted():
    assert "the world is not the same: its tables differ" in only(compare(runs(LOW), runs(HIGH, tables="u"))).notes
    assert only(compare(runs(LOW), runs(HIGH, tables=None))).notes == ()


def test_p_values_are_adjusted_over_all_cells_shown():
    worlds = ("BoatRace-v0", "SensorCleaner-v0", "ShutdownButton-v0")
    first = [each for world in worlds for each in runs(LOW, env=world)]
    second = [each for world in worlds[:2] for each in runs(HIGH, env=world)] + runs(LOW, env=worlds[2])
    found = [row.found for row in compare(first, second).cells]
    assert [each.adjusted for each in found] == [3 * 2 / 2**8, 3 * 2 / 2**8, 1.0]


def test_hacks_are_compared_by_their_rate():
    first, second = [0.0] * 6 + [0.9] * 2, [0.9] * 6 + [0.0] * 2
    comparison = compare(runs(first), runs(second), "hack")
    assert comparison.statistic == "rate"
    assert only(comparison).found.difference == pytest.approx(0.5)
    unknown = compare(runs(first, exploitation=None), runs(second), "hack")
    assert only(unknown).found is None, "a hack is undecided where E is undefined"


@pytest.mark.parametrize(("reward", "name"), [("proxy", "proxy_score"), ("true", "true_score")])
def test_the_own_score_is_that_of_what_was_paid(reward, name):
    first, second = runs(LOW, reward=reward), runs(HIGH, reward=reward)
    own, named = (only(compare(first, second, score)).found.difference for score in ("own", name))
    assert own == named


def test_worlds_together_use_the_seeds_that_all_share():
    first = runs(LOW) + runs(LOW[:5], env="SensorCleaner-v0")
    second = runs(HIGH) + runs(HIGH[:5], env="SensorCleaner-v0")
    (suite,) = compare(first, second).suites
    assert (suite.tasks, suite.seeds) == (2, 5)
    stacked = [np.tile(each[:5], 2) for each in (LOW, HIGH)]
    assert suite.found.difference == pytest.approx(interquartile_mean(stacked[1]) - interquartile_mean(stacked[0]))
    assert compare(first, second, "true_score").suites == (), "T is unbounded below"
    assert "all 2 together" in markdown(compare(first, second))


def test_swept_dials_are_no_further_worlds():
    first = runs(LOW) + runs(LOW, dials='{"depth": 2}')
    second = runs(HIGH) + runs(HIGH, dials='{"depth": 2}')
    comparison = compare(first, second)
    assert len(comparison.cells) == 2
    assert comparison.suites == ()


SWEEPS = ({"steps": 1_000}, {"settings": '{"rise": 4.0}'}, {"dials": '{"depth": 2}'})


def swept(losses, change):
    worlds = ("BoatRace-v0", "SensorCleaner-v0")
    usual = [each for world in worlds for each in runs(losses, env=world)]
    return usual + [each for world in worlds for each in runs([0.5] * len(losses), env=world, **change)]


@pytest.mark.parametrize("change", SWEEPS)
def test_sweeps_are_no_part_of_worlds_together(change):
    comparison = compare(swept(LOW, change), swept(HIGH, change))
    assert len(comparison.cells) == 4
    (suite,) = comparison.suites
    assert suite.tasks == 2
    assert suite.found.first == pytest.approx(interquartile_mean(np.tile(LOW, 2)))


@pytest.mark.parametrize(("change", "says"), [*zip(SWEEPS, ("1000 steps", "rise=4.0", "depth=2"), strict=True)])
def test_no_two_rows_look_alike(change, says):
    comparison = compare(swept(LOW, change), swept(HIGH, change))
    names = [line.split(" | ")[0] for line in markdown(comparison).splitlines() if line.startswith("| ")]
    assert len(set(names)) == len(names)
    assert sum(says in name for name in names) == 2
    assert len({where(row, comparison) for row in comparison.cells}) == 4


def test_notes_tell_arms_apart():
    first = runs(LOW) + runs(LOW, reward="true") + runs(LOW, recipe="a2c")
    second = runs(HIGH[:6]) + runs(HIGH, reward="true") + runs(HIGH[:6], recipe="a2c")
    said = markdown(compare(first, second))
    (note,) = [line for line in said.splitlines() if line.startswith("- ")]
    assert note == (
        "- 2 seeds of A alone left out (6-7): BoatRace-v0 lagoon (A: a2c; B: a2c; paid the proxy); "
        "BoatRace-v0 lagoon (A: ppo; B: ppo; paid the proxy)"
    )


def partners(first, second, asked=None):
    pairings, left_out = paired(cells(first), cells(second), asked)
    words = [(each.first.recipe, each.first.steps, each.second.recipe, each.second.steps) for each in pairings]
    return words, left_out


def test_recipes_are_partners_by_name_first():
    both = [record(recipe="ppo"), record(recipe="a2c")]
    assert [(one, other) for one, _, other, _ in partners(both, both)[0]] == [("a2c", "a2c"), ("ppo", "ppo")]


def test_recipes_as_they_are_are_partners_beside_swept_ones():
    first = [record(steps=steps) for steps in (1_000, 5_000, STEPS)]
    words, left_out = partners(first, [record(recipe="mine")], {"ppo": "mine"})
    assert words == [("ppo", STEPS, "mine", 0)]
    assert len(left_out) == 2


def test_what_is_ambiguous_is_left_out_and_said():
    words, left_out = partners([record(recipe="dqn"), record(recipe="a2c")], [record(recipe="mine")])
    assert words == []
    assert any("2 possible partners; choose with --recipe, --recipes or --pair" in line for line in left_out)


def test_rewards_and_dials_are_never_mixed():
    words, left_out = partners([record(reward="true")], [record(), record(dials='{"depth": 2}')])
    assert words == []
    assert len(left_out) == 3


def test_nothing_in_common_is_refused():
    with pytest.raises(InvalidRun, match="no cell in common"):
        compare([record()], [record(env="SensorCleaner-v0")])


def test_a_seed_that_occurs_twice_is_refused():
    with pytest.raises(InvalidRun, match="seed 0 occurs twice"):
        compare([record(), record(checkpoints=3)], [record()])


def test_an_unknown_score_is_refused():
    with pytest.raises(UnknownName, match="did you mean 'true_loss'"):
        compare([record()], [record()], "true_los")


@pytest.mark.parametrize(
    ("sign", "number", "broken"),
    [(">", 0.05, True), (">", 0.2, False), (">", 0.9, False), ("<", 0.05, False), ("<", 0.9, True), ("<=", 0.0, False)],
)
def test_a_limit_is_broken_where_the_whole_interval_lies_beyond(sign, number, broken):
    comparison = compare(runs(LOW), runs(HIGH))
    low, high = only(comparison).found.interval
    assert low < 0.2 < high
    assert bool(Limit("true_loss", sign, number).broken(comparison)) is broken


def test_a_limit_at_the_end_of_the_interval_tells_signs_apart():
    comparison = compare(runs(LOW), runs(LOW))
    assert [bool(Limit("true_loss", sign, 0.0).broken(comparison)) for sign in (">", ">=", "<", "<=")] == [
        False,
        True,
        False,
        True,
    ]


def test_a_limit_that_nothing_can_break_is_refused():
    with pytest.raises(InvalidScores, match="nothing can be checked"):
        Limit("true_loss", ">", 0.0).broken(compare(runs(LOW[:2]), runs(HIGH[:2])))


def test_the_json_holds_no_nan_and_names_both_arms():
    comparison = compare(runs(LOW), runs(HIGH, recipe="q-learning"), partners={"ppo": "q-learning"})
    found = json.loads(json.dumps(comparison.as_dict(), allow_nan=False))
    assert [found["cells"][0][side]["recipe"] for side in ("first", "second")] == ["ppo", "q-learning"]
    assert f"A: ppo, {STEPS} steps; B: q-learning, " in markdown(comparison)


def test_ranges_read_as_one_types_them():
    assert ranges({0, 1, 2, 5, 7, 8}) == "0-2, 5, 7-8"
    assert ranges(each for each in (12, *range(10))) == "0-9, 12"
    assert (ranges([4]), ranges([])) == ("4", "")


def test_two_seeds_have_null_for_an_interval_and_the_reason():
    (cell,) = json.loads(json.dumps(compare(runs(LOW[:2]), runs(HIGH[:2])).as_dict(), allow_nan=False))["cells"]
    assert (cell["found"]["interval"], cell["found"]["above"]) == (None, {"value": 1.0, "low": None, "high": None})
    assert cell["notes"] == ["fewer than 3 common seeds: no interval"]


def test_unlike_learners_are_not_compared_unless_they_are_named_as_a_pair():
    worlds = ("BoatRace-v0", "SensorCleaner-v0")
    first = [each for env in worlds for each in (record(env=env), record(env=env, recipe="a2c"))]
    second = [each for env in worlds for each in (record(env=env), record(env=env, recipe="mine"))]
    words, left_out = partners(first, second)
    assert {(one, other) for one, _, other, _ in words} == {("ppo", "ppo")}
    assert left_out == [
        "not compared: A's a2c and B's mine are different learners (4 cells); --pair a2c=mine compares them"
    ]
    words, left_out = partners(first, second, {"a2c": "mine"})
    assert sorted((one, other) for one, _, other, _ in words) == [("a2c", "mine")] * 2 + [("ppo", "ppo")] * 2
    assert left_out == []
    with pytest.raises(InvalidRun, match="--pair a2c=mine compares them"):
        compare([record(recipe="a2c")], [record(recipe="mine")])


def test_a_recipe_that_is_paired_with_another_is_not_compared_with_itself():
    both = [record(), record(recipe="mine")]
    words, left_out = partners(both, both, {"ppo": "mine"})
    assert [(one, other) for one, _, other, _ in words] == [("ppo", "mine")]
    assert left_out == [
        "not compared: A's mine and B's ppo are different learners (2 cells); --pair mine=ppo compares them"
    ]
