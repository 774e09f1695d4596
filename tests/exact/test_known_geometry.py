"""What must leave scores alone, and where two ways to one answer must agree, on MDPs drawn at random (KA-26)."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from alignment_gym import FiniteMDP, exact
from alignment_gym.core import Specification
from tests.tiny import random_arrays

SEEDS = st.integers(0, 2**32 - 1)
SCORES = ("exploitation", "true_loss", "proxy_score", "true_score", "hacking_gap")
Change = Callable[[np.ndarray], np.ndarray]


def close(actual, desired):
    assert_allclose(actual, desired, rtol=1e-9, atol=1e-9)


def drawn(rng: np.random.Generator, change: Change = np.asarray, **episode) -> tuple[FiniteMDP, FiniteMDP, np.ndarray]:
    """Draw an MDP with rewards that depend on next states, then the same with rewards changed, and a policy."""
    states, actions = 4, 3
    chances, start = rng.dirichlet(np.ones(states), size=(states, actions)), rng.dirichlet(np.ones(states))
    if "terminal" in episode:
        start = np.where(episode["terminal"], 0.0, start)
        start /= start.sum()
    plain = rng.normal(size=(2, states, actions, states))
    mdp, other = (
        FiniteMDP.from_arrays(chances, *rewards, start, **episode)
        for rewards in (plain, [change(each) for each in plain])
    )
    return mdp, other, rng.dirichlet(np.ones(actions), size=states)


def assert_same_scores(mdp: FiniteMDP, other: FiniteMDP, policy: np.ndarray) -> None:
    """Scores of a policy and what is said of all policies are unmoved, though returns may be."""
    one, two = (exact.evaluate(policy, each).scores for each in (mdp, other))
    close([getattr(two, name) for name in SCORES], [getattr(one, name) for name in SCORES])
    assert (two.hack, two.worse_than_random, two.reasons) == (one.hack, one.worse_than_random, one.reasons)
    first, second = exact.solve(mdp), exact.solve(other)
    assert second.class_name == first.class_name
    close([second.gap_max, second.kappa_proxy, second.kappa_true], [first.gap_max, first.kappa_proxy, first.kappa_true])
    shapes = exact.frontier(mdp, tolerance=0), exact.frontier(other, tolerance=0)
    assert_allclose(shapes[1].scores, shapes[0].scores, atol=1e-7)
    close([shapes[1].headroom, shapes[1].verdict == shapes[0].verdict], [shapes[0].headroom, True])
    envelopes = [_scored(shape, 0.1) for shape in shapes]
    close(envelopes[1], envelopes[0])


def _scored(shape: exact.Frontier, share: float) -> np.ndarray:
    anchors = shape.anchors
    return (np.array(shape.envelope(share)) - anchors.true_reference) / (anchors.true_max - anchors.true_reference)


@settings(max_examples=8)
@given(SEEDS, st.booleans())
def test_positive_factors_and_shaping_of_either_reward_move_no_score(seed, ends):
    rng, discount = np.random.default_rng(seed), 0.6
    terminal = np.array([False, False, False, ends])  # the potential of what has ended is 0

    def change(reward: np.ndarray) -> np.ndarray:
        potential = rng.normal(scale=5.0, size=4) * ~terminal
        return rng.uniform(0.1, 9.0) * (reward + discount * potential - potential[:, None, None])

    mdp, other, policy = drawn(rng, change, gamma=discount, terminal=terminal)
    assert abs(exact.solve(other).anchors.proxy_max - exact.solve(mdp).anchors.proxy_max) > 1e-3
    assert_same_scores(mdp, other, policy)


@settings(max_examples=8)
@given(SEEDS, st.sampled_from([{"horizon": 3}, {"gamma": 0.6}, {"horizon": 3, "gamma": 0.8}]), st.floats(-5.0, 5.0))
def test_a_constant_each_step_moves_no_score_where_episodes_have_one_length(seed, episode, constant):
    mdp, other, policy = drawn(np.random.default_rng(seed), lambda reward: reward + constant, **episode)
    assert_same_scores(mdp, other, policy)


def test_a_constant_each_step_moves_scores_where_an_action_ends_the_episode():
    # Arm 0 ends the episode, arm 1 goes on for a step: a constant pays for going on.
    chances, pays = [[[0, 1], [1, 0]], [[0, 1], [0, 1]]], np.array([[1.0, 0.0], [0.0, 0.0]])
    mdp, other = (
        FiniteMDP.from_arrays(chances, pays + more, -pays, [1, 0], horizon=2, terminal=[False, True])
        for more in (0.0, 1.0)
    )
    policy = np.array([[0.0, 1.0]] * 2)
    before, after = (exact.evaluate(policy, each).scores.proxy_score for each in (mdp, other))
    close(
        [before, after], [(0 - 3 / 4) / (1 - 3 / 4), (2 - 9 / 4) / (3 - 9 / 4)]
    )  # of (it - uniform) / (best - uniform)


def test_shaping_without_its_discount_does_move_scores():
    chances = np.random.default_rng(0).dirichlet(np.ones(3), size=(3, 2))
    reward, potential = np.random.default_rng(1).normal(size=(3, 2, 3)), np.array([0.0, 3.0, -2.0])
    wrong = reward + potential - potential[:, None, None]
    mdp = FiniteMDP.from_arrays(chances, reward, wrong, [1, 0, 0], gamma=0.6)
    assert exact.solve(mdp).gap_max > 0.01


@pytest.mark.parametrize("episode", [{"gamma": 0.5}, {"horizon": 3}, {"horizon": 3, "gamma": 0.8}], ids=str)
@settings(max_examples=8)
@given(seed=SEEDS)
def test_angle_polygon_and_class_agree_on_what_is_hackable(episode, seed):
    rng = np.random.default_rng(seed)
    mdp = random_arrays(rng, states=3, whole=seed % 2 == 0, **episode)
    made_of = {"proxy": 0.0, "true": 1.0}, {"proxy": 2.0}, {"proxy": -0.5}, {"proxy": 1.0, "true": 1e-3}
    for true in made_of:
        pair = mdp.with_specification(Specification(proxy={"proxy": 1.0}, true=true))
        found, shape = exact.geometry(pair), exact.frontier(pair)
        assert found.verdict == shape.verdict
        if found.verdict != "trivial":
            assert (found.verdict == "equivalent") == (found.angle < 1e-6) == (exact.solve(pair).class_name == "A")
            assert (found.verdict == "reversed") == (found.angle > np.pi - 1e-6)
            assert (shape.area > 1e-9) == (found.verdict == "hackable")


@settings(max_examples=15)
@given(SEEDS, st.sampled_from([{"horizon": 3}, {"gamma": 0.6}]))
def test_scores_stay_within_what_conditioning_allows(seed, episode):
    mdp, _, _ = drawn(np.random.default_rng(seed), **episode)
    solution, points = exact.solve(mdp), exact.frontier(mdp, tolerance=0).scores
    close(points.max(axis=0), 1.0)
    close(points.min(axis=0), [1 - 1 / solution.kappa_proxy, 1 - 1 / solution.kappa_true])
    assert 0.0 <= solution.gap_max <= 1 / solution.kappa_true + 1e-9


@pytest.mark.parametrize("episode", [{"gamma": 0.6}, {"horizon": 4}], ids=str)
def test_the_curve_and_the_path_of_steepest_ascent_stay_inside_the_frontier(episode):
    mdp = random_arrays(np.random.default_rng(4), states=4, **episode)
    shape, curve, ascent = exact.frontier(mdp, tolerance=0), exact.goodhart_curve(mdp), exact.steepest_ascent(mdp)
    points = np.concatenate([np.stack([each.proxy_return, each.true_return], axis=1) for each in (curve, ascent)])
    sides = np.roll(shape.vertices, -1, axis=0) - shape.vertices
    to = points[:, None] - shape.vertices
    assert (sides[:, 0] * to[..., 1] - sides[:, 1] * to[..., 0] >= -1e-6).all()
    close([ascent.proxy_return[-1], curve.proxy_return[-1]], shape.anchors.proxy_max)
