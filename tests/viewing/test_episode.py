from itertools import pairwise

import numpy as np
import pytest

from alignment_gym import exact
from alignment_gym.core import InvalidPolicy, make_world
from alignment_gym.engine.mdp import FiniteMDP, compiled
from alignment_gym.engine.single import tables
from alignment_gym.render.pixels import pixels
from alignment_gym.viewing.episode import beside, episode, joined, ranges

SHORT = 12  # steps


@pytest.fixture(scope="module")
def race() -> FiniteMDP:
    return compiled(make_world("BoatRace-v0", horizon=SHORT))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_an_episode_has_a_frame_before_and_one_after_every_step(race: FiniteMDP):
    frames = list(episode(race, exact.uniform(race)[: len(race.observations)], 3, rng(), who="dice"))
    assert [frame.ledger.step for frame in frames] == list(range(SHORT + 1))
    assert {frame.who for frame in frames} == {"dice"}


def test_a_clocked_optimal_policy_earns_the_best_return_that_the_panel_names(race: FiniteMDP):
    policy = exact.greedy(race, race.specification.proxy)[:, np.argsort(race.observation_id)]
    last = list(episode(race, policy, 3, rng()))[-1]
    assert last.proxy_range is not None
    assert last.ledger.proxy_return == pytest.approx(last.proxy_range[1])
    assert last.proxy_range == pytest.approx((exact.solve(race).anchors.proxy_min, exact.solve(race).anchors.proxy_max))


def test_the_same_key_and_generator_make_the_same_episode(race: FiniteMDP):
    policy = exact.uniform(race)
    one, same, other = (list(episode(race, policy, 3, rng(seed))) for seed in (0, 0, 1))
    assert [frame.scene for frame in one] == [frame.scene for frame in same]
    assert [frame.scene for frame in one] != [frame.scene for frame in other]


def test_a_world_that_shows_its_clock_can_be_played():
    mdp = compiled(make_world("BoatRace-v0", horizon=SHORT, observe_clock=True))
    assert len(list(episode(mdp, exact.uniform(mdp), 0, rng()))) == SHORT + 1


def test_a_partially_observed_world_is_played_on_its_observations():
    mdp = compiled(make_world("SensorCleaner-v0", level="closet", view="camera", horizon=5))
    assert not mdp.fully_observed
    policy = np.full((len(mdp.observations), len(mdp.actions)), 1 / len(mdp.actions))
    assert len(list(episode(mdp, policy, 0, rng()))) == 6
    with pytest.raises(InvalidPolicy, match="shape"):
        episode(mdp, exact.uniform(mdp), 0, rng())


def test_levels_too_many_to_be_planned_for_have_no_ranges():
    assert ranges(tables("BoatRace-v0", "generated/0-99", {})) == (None, None)


def test_the_ranges_are_those_of_the_solution(race: FiniteMDP):
    anchors = exact.solve(race).anchors
    proxy, true = ranges(race)
    assert (*proxy, *true) == pytest.approx((anchors.proxy_min, anchors.proxy_max, anchors.true_min, anchors.true_max))


def test_two_episodes_are_shown_beside_each_other_and_the_shorter_one_waits(race: FiniteMDP):
    long = list(episode(race, exact.uniform(race), 3, rng()))
    short = long[:4]
    images = list(beside(long, short))
    assert len(images) == len(long)
    assert all(image.shape == images[0].shape for image in images)
    width = pixels(long[0]).shape[1]
    np.testing.assert_array_equal(images[-1][:, :width], pixels(long[-1]))
    np.testing.assert_array_equal(images[-1][:, -width:], pixels(short[-1]))


def test_pictures_of_different_heights_can_be_joined():
    low, high = np.zeros((10, 20, 3), np.uint8), np.zeros((30, 8, 3), np.uint8)
    assert joined(low, high).shape == (30, 34, 3)


def test_every_step_leaves_a_trail(race: FiniteMDP):
    frames = list(episode(race, exact.uniform(race), 3, rng()))
    for before, after in pairwise(frames[1:]):
        assert after.ledger.trail[:-1] == before.ledger.trail
        assert after.ledger.trail[-1] == after.scene.sprites[-1].cell
