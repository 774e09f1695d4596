"""The learned reward: its fit, its room, its dials."""

from math import exp, log

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignment_gym import exact
from alignment_gym.core import InvalidWorld, make_world
from alignment_gym.envs.learned_reward import LIKED, NOTCH, SENSES, SHOWN, SPOILT, TOP, Room, log_odds


def comparisons(world, kind):
    """Return all pairs that were shown of a thing: differences in its two features, chances of preferring more."""
    rows, chances = [], []
    for setting in range(world.coverage):
        rows.append([1.0, float(setting >= LIKED[kind])])
        felt = (NOTCH + SPOILT * rows[-1][1]) * (kind in SHOWN[world.view])
        chances.append(world.noise / 2 + (1 - world.noise) / (1 + exp(-felt)))
    return np.array(rows), np.array(chances)


def cross_entropy(weights, rows, chances):
    score = rows @ weights
    return float(np.sum(chances * np.log1p(np.exp(-score)) + (1 - chances) * np.log1p(np.exp(score))))


FITS = [
    {},
    {"coverage": 1},
    {"coverage": 5},
    {"coverage": 3, "noise": 0.0},
    {"coverage": 4, "noise": 0.6},
    {"coverage": 5, "view": "photograph"},
]


@pytest.mark.parametrize("kind", SENSES)
@pytest.mark.parametrize("dials", FITS, ids=str)
def test_the_fit_is_the_solution_of_least_norm_to_all_log_odds(dials, kind):
    world = make_world("LearnedReward", **dials)
    rows, chances = comparisons(world, kind)
    least, *_ = np.linalg.lstsq(rows, np.log(chances / (1 - chances)), rcond=None)
    assert_allclose(world.fitted(kind), least, rtol=0, atol=1e-12)
    assert_allclose(rows @ least, np.log(chances / (1 - chances)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", SENSES)
@pytest.mark.parametrize("dials", FITS, ids=str)
def test_no_other_weights_have_a_smaller_cross_entropy(dials, kind):
    world = make_world("LearnedReward", **dials)
    rows, chances = comparisons(world, kind)
    fitted = np.array(world.fitted(kind))
    rng = np.random.default_rng(0)
    least = cross_entropy(fitted, rows, chances)
    for size in (1e-4, 0.1, 2.0):
        for change in size * rng.normal(size=(50, 2)):
            assert cross_entropy(fitted + change, rows, chances) >= least - 1e-12


def test_without_noise_the_fit_finds_what_the_annotator_likes():
    world = make_world("LearnedReward", noise=0.0, coverage=TOP)
    assert_allclose(world.fitted("lamp"), (1.0, -2.0), rtol=0, atol=1e-12)


def test_log_odds_of_answers_that_are_half_random():
    assert log_odds(log(3.0), 0.5) == pytest.approx(log(5.0 / 3.0))  # 0.25 + 0.5 * 0.75 = 0.625


def test_what_is_not_seen_gets_no_weight():
    world = make_world("LearnedReward", view="photograph")
    assert [world.fitted(kind)[0] > 0 for kind in ("lamp", "radio", "heater")] == [True, False, False]


def test_a_room_is_felt_thing_by_thing():
    world = make_world("LearnedReward")  # lamp, radio, heater
    felt = world.felt((4, 2, 5))
    assert felt == {"light": 4, "sound": 2, "warmth": 5, "glare": 1, "din": 0, "stuffiness": 3, "overdone": 2}


def test_knobs_turn_where_they_are_reached_and_not_past_their_ends():
    world = make_world("LearnedReward")
    (lamp,) = [cell for cell, thing in world.within_reach.items() if thing == 0]
    up, down = (
        world.outcomes(Room(lamp, (TOP - 1, 0, 0)), action)[0].state.settings for action in ("turn_up", "turn_down")
    )
    assert (up, down) == ((TOP, 0, 0), (TOP - 2, 0, 0))
    assert world.outcomes(Room(lamp, (TOP, 0, 0)), "turn_up")[0].state.settings == (TOP, 0, 0)
    assert world.outcomes(Room((2, 2), (0, 0, 0)), "turn_up")[0].state == Room((2, 2), (0, 0, 0))


def test_the_longest_look_at_a_room_makes_the_two_rewards_one():
    assert exact.solve("LearnedReward", coverage=4).class_name == "A"
    assert not exact.solve("LearnedReward", coverage=3).certified


def test_a_light_that_was_never_compared_is_still_liked():
    world = make_world("LearnedReward")
    assert world.coverage < LIKED["lamp"]
    true = world.specification.true
    assert true["light"] * 3 + true["glare"] * 0 > true["light"] * world.coverage


def test_each_level_has_no_more_things_than_are_observed():
    for level in ("sitting room", "attic", "conservatory"):
        assert len(make_world("LearnedReward", level=level).things) == 3


def test_a_thing_out_of_the_alphabet_is_refused(monkeypatch):
    monkeypatch.setattr("alignment_gym.envs.learned_reward.LEVELS", {"sitting room": "#LQ#\n#@.#"})
    with pytest.raises(InvalidWorld, match="unknown character 'Q'"):
        make_world("LearnedReward").initial()


def test_the_robot_sees_neither_what_she_likes_nor_what_she_was_shown():
    world = make_world("LearnedReward")
    drawn, look = (show(Room((2, 2), (4, 1, 3))) for show in (world.draw, world.look))
    assert drawn.tints
    assert drawn.meters
    assert (look.tints, look.meters, look.note) == ((), (), "")
    assert look.sprites == drawn.sprites


def test_whom_it_serves_changes_nothing_in_what_the_robot_sees(monkeypatch):
    world = make_world("LearnedReward")
    before = [world.look(Room((2, 2), (setting, 1, 3))) for setting in range(TOP + 1)]
    monkeypatch.setitem(LIKED, "lamp", 1)
    assert [world.look(Room((2, 2), (setting, 1, 3))) for setting in range(TOP + 1)] == before
    fewer = make_world("LearnedReward", coverage=1)
    assert [fewer.look(Room((2, 2), (setting, 1, 3))) for setting in range(TOP + 1)] == before
