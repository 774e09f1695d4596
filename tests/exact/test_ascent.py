"""Steepest ascent of the proxy: known answers, and what has to hold along the path."""

from math import isnan, nan, pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.linalg import null_space
from scipy.optimize import lsq_linear

from alignment_gym import FiniteMDP, exact
from alignment_gym.core import InvalidDial, TooLargeToEnumerate
from alignment_gym.engine.belief import knowing
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.exact.ascent import Ascent, steepest_ascent
from alignment_gym.exact.evaluation import returns
from alignment_gym.exact.polytope import polytope
from tests.tiny import arms, random_arrays, random_table

HUMP = arms((0, 1, 2), (0, 2, 1))  # KA-4
EPISODES = [{"gamma": 0.7}, {"horizon": 4}, {"horizon": 4, "gamma": 0.9}]

seeds = st.integers(0, 2**32 - 1)


def close(actual, desired, **more):
    assert_allclose(actual, desired, rtol=0, atol=1e-9, **more)


def tilted(mdp: FiniteMDP, angle: float, rng: np.random.Generator) -> tuple[FiniteMDP, np.ndarray]:
    """Return an endless MDP with a true reward at an angle to the proxy, once both are projected, and its values."""
    omega = polytope(mdp)
    basis = null_space(omega.balance.toarray())
    proxy = basis.T @ omega.rewards[0]
    across = rng.normal(size=len(proxy))
    across -= across @ proxy / (proxy @ proxy) * proxy
    true = np.cos(angle) * proxy / np.linalg.norm(proxy) + np.sin(angle) * across / np.linalg.norm(across)
    table = np.zeros((mdp.state_count, len(mdp.actions)))
    table[omega.state] = (basis @ true).reshape(-1, len(mdp.actions))
    chances = np.zeros((mdp.state_count * len(mdp.actions), mdp.state_count))
    row = np.repeat(np.arange(len(chances)), np.diff(mdp.offset))
    chances[row, mdp.next_state] = mdp.probability
    start = np.zeros(mdp.state_count)
    start[mdp.start] = mdp.start_probability
    paid = mdp.transition_rewards(mdp.specification.proxy)
    proxy_table = np.bincount(row, mdp.probability * paid).reshape(table.shape)
    shape = mdp.state_count, len(mdp.actions), mdp.state_count
    tilt = FiniteMDP.from_arrays(chances.reshape(shape), proxy_table, table, start, gamma=mdp.discount)
    return tilt, omega.rewards[0]


def directions(ascent: Ascent) -> np.ndarray:
    steps = np.diff(ascent.occupancy, axis=0)
    return steps / np.linalg.norm(steps, axis=1, keepdims=True)


def test_ka_4_the_path_turns_once_and_drops_a_sixth():
    ascent = steepest_ascent(HUMP)
    close(ascent.occupancy, [[1 / 3, 1 / 3, 1 / 3], [0, 1 / 3, 2 / 3], [0, 0, 1]])
    close(ascent.cosine, [1, 1 / 2, 0])
    close(ascent.proxy_return, [1, 5 / 3, 2])
    close(ascent.true_return, [1, 4 / 3, 1])
    close(ascent.drop, 1 / 6)
    assert ascent.stop is None


@pytest.mark.parametrize(
    ("degrees", "place", "true_return", "policy"),
    [(0, 2, 1, (0, 0, 1)), (29, 2, 1, (0, 0, 1)), (31, 1, 4 / 3, (0, 1 / 3, 2 / 3)), (60, 1, 4 / 3, (0, 1 / 3, 2 / 3))],
)
def test_ka_4_a_wider_angle_stops_earlier(degrees, place, true_return, policy):
    # The second direction's cosine is 1 / 2 = sin 30 degrees; the rewards are 60 degrees apart.
    stop = steepest_ascent(HUMP, np.radians(degrees)).stop
    assert stop.place == place
    close(stop.true_return, true_return)
    close(stop.policy, [[policy]])
    close(returns(HUMP, stop.policy), [stop.proxy_return, stop.true_return])


@pytest.mark.parametrize("episode", EPISODES, ids=str)
@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_the_path_stays_inside_turns_away_and_ends_at_the_optimum(episode, seed):
    mdp = random_arrays(np.random.default_rng(seed), states=5, whole=seed % 2 == 0, **episode)
    ascent = steepest_ascent(mdp)
    if ascent.reason == "proxy reward trivial":
        return
    omega = ascent.polytope
    assert ascent.occupancy.min() >= 0.0
    assert_allclose(ascent.occupancy @ omega.balance.T, np.tile(omega.start, (len(ascent.cosine), 1)), atol=1e-10)
    assert (np.diff(ascent.cosine) <= 1e-9).all()
    assert (np.diff(ascent.proxy_return) > 0.0).all()
    assert_allclose(ascent.proxy_return[-1], exact.solve(mdp).anchors.proxy_max, atol=1e-8)
    basis = null_space(omega.balance.toarray())
    proxy = basis @ (basis.T @ omega.rewards[0])
    assert_allclose(directions(ascent) @ proxy / np.linalg.norm(proxy), ascent.cosine[:-1], atol=1e-6)


def test_a_long_path_does_not_drift_out_of_the_polytope():
    ascent = steepest_ascent(random_arrays(np.random.default_rng(0), horizon=20))
    omega = ascent.polytope
    assert len(ascent.cosine) > 250
    assert np.abs(ascent.occupancy @ omega.balance.T - omega.start).max() < 1e-11
    close(ascent.proxy_return[-1], ascent.anchors.proxy_max)


@pytest.mark.parametrize(
    ("seed", "episode"), [(86, {"horizon": 12, "gamma": 0.9}), (698, {"horizon": 12, "gamma": 0.9})], ids=["86", "698"]
)
def test_columns_that_depend_on_one_another_do_not_hold_the_path_up(seed, episode):
    # With ties, unvisited states' columns are dependent; an inverse that takes them in goes round in circles.
    rng = np.random.default_rng(seed)
    states, actions = int(rng.integers(2, 8)), int(rng.integers(2, 5))
    ascent = steepest_ascent(random_arrays(rng, states=states, actions=actions, whole=True, **episode))
    close(ascent.proxy_return[-1], ascent.anchors.proxy_max)


@pytest.mark.parametrize("episode", EPISODES, ids=str)
def test_every_direction_is_the_nearest_feasible_one(episode):
    mdp = random_arrays(np.random.default_rng(5), states=4, **episode)
    ascent = steepest_ascent(mdp)
    basis = null_space(ascent.polytope.balance.toarray())
    target = basis.T @ ascent.polytope.rewards[0]
    for eta, cosine in zip(ascent.occupancy, ascent.cosine, strict=True):
        # The cone's projection by its dual, weights on unvisited columns, in another solver.
        unvisited = basis[eta == 0.0]
        weights = np.zeros(0)
        if len(unvisited):
            weights = lsq_linear(unvisited.T, -target, bounds=(0.0, np.inf), method="bvls", tol=1e-14).x
        assert_allclose(np.linalg.norm(target + unvisited.T @ weights) / np.linalg.norm(target), cosine, atol=1e-7)


@pytest.mark.parametrize("seed", range(10))
def test_no_true_reward_within_the_assumed_angle_falls_before_the_stop(seed):
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0.2, 1.3)
    mdp, proxy = tilted(random_arrays(rng, gamma=0.9), angle, rng)
    ascent = steepest_ascent(mdp, angle)
    close(ascent.polytope.rewards[0], proxy)
    assert ascent.stop.place > 0
    assert (np.diff(ascent.true_return[: ascent.stop.place + 1]) >= -1e-9).all()
    if ascent.stop.place + 1 < len(ascent.cosine):
        # The next direction is unsafe: the true reward in its plane with the proxy, on its far side, falls along it.
        projected = directions(ascent)[0]  # the first direction is the projected proxy itself
        onward = directions(ascent)[ascent.stop.place]
        across = projected * (onward @ projected) - onward
        worst = np.cos(angle) * projected + np.sin(angle) * across / np.linalg.norm(across)
        assert worst @ onward < 0.0


def test_the_returns_of_the_stop_are_those_of_its_policy():
    for episode in EPISODES:
        mdp = random_arrays(np.random.default_rng(2), **episode)
        stop = steepest_ascent(mdp, 1.0).stop
        assert_allclose(returns(mdp, stop.policy), [stop.proxy_return, stop.true_return], atol=1e-8)


def test_worlds_with_terminations_and_pay_at_the_end_and_hidden_states():
    for seed in range(6):
        for looks in ((), (0, 0, 1)):
            world = random_table(np.random.default_rng(seed), looks=looks)
            ascent, solution = steepest_ascent(world, 0.5), exact.solve(world)
            mdp = as_mdp(world)
            assert ascent.mdp is knowing(mdp)
            assert_allclose(ascent.proxy_return[0], solution.anchors.proxy_reference, atol=1e-9)
            if not ascent.reason:
                assert_allclose(ascent.proxy_return[-1], solution.anchors.proxy_max, atol=1e-9)
                low, high = solution.true_of_proxy_optimal.low, solution.true_of_proxy_optimal.high
                assert low - 1e-7 <= ascent.true_return[-1] <= high + 1e-7
                assert 0.0 <= ascent.drop <= 1.0


def test_a_trivial_proxy_goes_nowhere_and_says_why():
    ascent = steepest_ascent(arms((1, 1), (0, 1)), 0.5)
    assert ascent.reason == "proxy reward trivial"
    assert len(ascent.occupancy) == 1
    assert isnan(ascent.drop)
    assert isnan(ascent.cosine[0])
    close(ascent.stop.policy, [[[0.5, 0.5]]])
    careless = steepest_ascent(arms((0, 1), (1, 1)))
    assert careless.reason == "true reward trivial"
    assert isnan(careless.drop)
    close(careless.proxy_return, [0.5, 1])


@pytest.mark.parametrize("angle", [-0.1, pi, nan])
def test_an_angle_out_of_range_is_refused(angle):
    with pytest.raises(InvalidDial, match="between 0 and pi / 2"):
        steepest_ascent(HUMP, angle)


def test_more_columns_than_allowed_are_refused_with_their_number():
    mdp = random_arrays(np.random.default_rng(0), horizon=4)
    with pytest.raises(TooLargeToEnumerate, match=r"more than 50 pairs.*max_columns"):
        steepest_ascent(mdp, max_columns=50)
