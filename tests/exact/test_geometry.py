"""Reward geometry: answers known by hand, slow and plain oracles, and what must leave angles alone."""

from itertools import product
from math import isnan, pi, radians, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.sparse.linalg import lsmr

from alignment_gym import FiniteMDP
from alignment_gym.core import InvalidWorld, TooLargeToEnumerate
from alignment_gym.engine.belief import observing
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.exact.geometry import epic, epic_canonical, epic_distance, geometry, starc_val
from alignment_gym.exact.polytope import polytope
from alignment_gym.exact.projection import angle_between, projected, projected_angle
from alignment_gym.exact.values import at_start, both_rewards, of_policies, one_hot_rows
from tests.tiny import Odometer, Tiger, arms, every_kind, random_arrays

SEEDS = st.integers(0, 2**32 - 1)

# KA-6: two states, actions stay and switch.
STAY_SWITCH = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]])
FIRST = np.zeros((2, 2, 2))
FIRST[0, 1, 1] = 1.0
POTENTIAL = np.array([0.0, 10.0])
IMPOSSIBLE = FIRST.copy()
IMPOSSIBLE[0, 0, 1] = 7.0  # KA-19


def shaped(reward, potential, discount):
    """Return a reward (S, A, S) with potential shaping."""
    return reward + discount * potential - potential[:, None, None]


SHAPED = shaped(FIRST, POTENTIAL, 0.9)


def between(one, other) -> FiniteMDP:
    return FiniteMDP.from_arrays(STAY_SWITCH, one, other, [1.0, 0.0], gamma=0.9)


def close(actual, desired):
    assert_allclose(actual, desired, rtol=0, atol=1e-9)


def levelled(mdp: FiniteMDP) -> np.ndarray:
    """Return the advantages of both rewards under uniform play, (2, R * A), from dense equations on the polytope."""
    omega = polytope(mdp)
    shaping = omega.balance.toarray().T
    mean = shaping.reshape(-1, omega.actions, shaping.shape[1]).mean(axis=1)
    paid = omega.rewards.reshape(2, -1, omega.actions).mean(axis=2)
    return omega.rewards - (shaping @ np.linalg.solve(mean, paid.T)).T


@pytest.mark.parametrize(
    ("proxy", "true", "cosine", "verdict"),
    [
        pytest.param((1, 0), (2, 1), 1, "equivalent", id="KA-1"),
        pytest.param((1, 0), (0, 1), -1, "reversed", id="KA-2"),
        pytest.param((0, 1, 2), (0, 2, -1), -1 / sqrt(2 * 14 / 3), "hackable", id="KA-3"),
        pytest.param((0, 1, 2), (0, 2, 1), 1 / 2, "hackable", id="KA-4"),
        pytest.param((1, 1, 0), (1, -1, 0), 0, "hackable", id="KA-7"),
    ],
)
def test_angles_and_distances_of_bandits_are_the_known_ones(proxy, true, cosine, verdict):
    found = geometry(arms(proxy, true))
    assert found.verdict == verdict
    assert found.reasons == {}
    close(found.cosine, cosine)
    half = sqrt((1 - cosine) / 2)
    close([found.starc_minimal, found.starc_val, found.epic], [half] * 3)


def test_ka_2_and_ka_4_in_degrees():
    close(projected_angle(arms((1, 0), (0, 1))), pi)
    close(projected_angle(arms((0, 1, 2), (0, 2, 1))), radians(60))


def test_ka_6_shaping_leaves_no_distance():
    mdp = between(FIRST, SHAPED)
    found = geometry(mdp)
    close([found.angle, found.starc_minimal, found.starc_val, epic_distance(FIRST, SHAPED, 0.9)], 0)
    assert found.verdict == "equivalent"
    feasible = STAY_SWITCH > 0
    close(np.corrcoef(FIRST[feasible], SHAPED[feasible])[0, 1], 0.835344191)  # what plain correlation says
    close(np.corrcoef(FIRST.ravel(), SHAPED.ravel())[0, 1], 0.567575271)


def test_ka_6_canonical_rewards_are_the_known_ones():
    mdp = between(FIRST, SHAPED)
    assert_allclose(projected(mdp).rewards, [[-0.276243, 0.251381, -0.223757, 0.248619]] * 2, atol=1e-6)
    close(levelled(mdp), [[-0.275, 0.275, -0.225, 0.225]] * 2)
    rows = [[(-0.1375, -0.3625), (-0.1375, 0.6375)], [(0.1125, -0.1125), (0.1125, -0.1125)]]
    for reward in (FIRST, SHAPED):
        close(epic_canonical(reward, 0.9).reshape(2, 2, 2), rows)


def test_ka_19_what_never_happens_moves_epic_alone():
    found = geometry(between(FIRST, IMPOSSIBLE))
    close([found.angle, found.starc_minimal, found.starc_val], 0)
    distance = epic_distance(FIRST, IMPOSSIBLE, 0.9)
    close(distance, 0.863831105)
    close(1 - 2 * distance**2, -0.492408355)


@pytest.mark.parametrize(
    ("proxy", "true", "reason"),
    [((0, 1), (1, 1), "true reward trivial"), ((0, 0), (0, 1), "proxy reward trivial")],
)
def test_ka_20_trivial_rewards_leave_all_undefined_and_say_why(proxy, true, reason):
    found = geometry(arms(proxy, true))
    assert found.verdict == "trivial"
    for name in ("angle", "cosine", "starc_minimal", "starc_val"):
        assert isnan(getattr(found, name))
        assert found.reasons[name] == reason
    assert isnan(found.epic)
    assert found.reasons["epic"]


def test_a_reward_that_is_all_shaping_is_trivial():
    nothing = shaped(np.zeros((2, 2, 2)), POTENTIAL, 0.9)
    found = geometry(between(FIRST, nothing))
    assert found.verdict == "trivial"
    assert isnan(found.starc_val)
    assert isnan(epic_distance(FIRST, nothing, 0.9))


@pytest.mark.parametrize("seed", range(4))
def test_projections_are_those_of_dense_and_of_sparse_least_squares(seed):
    for mdp in every_kind(seed):
        omega, found = polytope(mdp), projected(mdp)
        dense = omega.balance.toarray().T
        fit = np.linalg.lstsq(dense, omega.rewards.T, rcond=None)[0]
        close(found.rewards, omega.rewards - (dense @ fit).T)
        for given_reward, rest in zip(omega.rewards, found.rewards, strict=True):
            fit = lsmr(omega.balance.T, given_reward, atol=1e-14, btol=1e-14, conlim=0, maxiter=2000)[0]
            assert_allclose(rest, given_reward - omega.balance.T @ fit, atol=1e-8)


def test_directions_are_conjugate_so_that_there_are_no_more_steps_than_rows():
    endless = random_arrays(np.random.default_rng(0), states=4, gamma=0.9)
    assert projected(endless).iterations <= 4
    assert projected(Odometer(size=6, horizon=30)).iterations <= 60  # 511 rows; steepest descent takes 888 steps


def test_the_stated_error_bounds_the_true_one(monkeypatch):
    monkeypatch.setattr("alignment_gym.exact.projection.PRECISION", 1e-2)  # stop early, so that there is an error
    for mdp in every_kind(5):
        rough, omega = projected(mdp), polytope(mdp)
        dense = omega.balance.toarray().T
        fit = np.linalg.lstsq(dense, omega.rewards.T, rcond=None)[0]
        missed = np.linalg.norm(rough.rewards - omega.rewards + (dense @ fit).T, axis=1)
        assert (missed <= rough.error + 1e-12).all()
        assert (missed > 1e-9).any()
        assert (rough.error <= 1e-2 * rough.norm * (1 + 1e-9)).all()


@pytest.mark.parametrize("seed", range(4))
def test_levelled_distance_is_that_of_dense_equations(seed):
    for mdp in every_kind(seed):
        close(starc_val(mdp), np.sin(angle_between(*levelled(mdp)) / 2))


def test_distances_are_over_what_can_be_reached_be_it_left_for_good_or_never_entered():
    # State 0 is left at once and for good, and rewards disagree there as much as they agree in state 1; state 2, in
    # which they disagree most, is never entered.
    chances = np.zeros((3, 2, 3))
    chances[:2, :, 1] = chances[2, :, 2] = 1.0
    mdp = FiniteMDP.from_arrays(chances, [[1, 0]] * 3, [[0, 1], [1, 0], [-9, 9]], [1, 0, 0], gamma=0.9)
    found = geometry(mdp)
    close([found.starc_val, found.cosine], [sqrt(1 / 2), 0])


def test_of_hidden_states_beliefs_are_compared():
    tiger = as_mdp(Tiger(horizon=4))
    known = observing(tiger, tiger.horizon)
    assert known is not tiger
    close(starc_val(tiger), np.sin(angle_between(*levelled(known)) / 2))
    assert projected(tiger).rewards.shape[1] == polytope(known).columns


def draw(seed: int, states: int = 4, actions: int = 3):
    """Draw transition chances, three rewards that depend on next states, and the start."""
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.ones(states), size=(states, actions))
    return rng, chances, rng.normal(size=(3, states, actions, states)), rng.dirichlet(np.ones(states))


@settings(max_examples=10)
@given(SEEDS)
def test_positive_factors_and_shaping_move_no_distance(seed):
    rng, chances, rewards, start = draw(seed)
    factor, potential = rng.uniform(0.1, 9), rng.normal(scale=5, size=4)
    other = factor * shaped(rewards[1], potential, 0.8)
    before, after = (
        geometry(FiniteMDP.from_arrays(chances, rewards[0], each, start, gamma=0.8)) for each in (rewards[1], other)
    )
    close([after.angle, after.starc_val], [before.angle, before.starc_val])
    close(epic_distance(rewards[0], other, 0.8), epic_distance(rewards[0], rewards[1], 0.8))
    same = geometry(FiniteMDP.from_arrays(chances, rewards[1], other, start, gamma=0.8))
    close([same.angle, same.starc_val], 0)
    assert same.verdict == "equivalent"
    against = geometry(FiniteMDP.from_arrays(chances, rewards[1], -other, start, gamma=0.8))
    close([against.angle, against.starc_val], [pi, 1])
    assert against.verdict == "reversed"


@settings(max_examples=10)
@given(SEEDS, st.floats(-5, 5))
def test_a_constant_each_step_moves_no_distance_where_episodes_have_one_length(seed, constant):
    _, chances, rewards, start = draw(seed)
    before, after = (
        geometry(FiniteMDP.from_arrays(chances, rewards[0], rewards[1] + more, start, horizon=3))
        for more in (0.0, constant)
    )
    close([after.angle, after.starc_val, after.epic], [before.angle, before.starc_val, before.epic])


@settings(max_examples=10)
@given(SEEDS, st.sampled_from([{"gamma": 0.8}, {"horizon": 3}]))
def test_all_three_distances_are_symmetric_and_keep_the_triangle_inequality(seed, episode):
    _, chances, rewards, start = draw(seed)

    def distances(one: int, other: int) -> np.ndarray:
        mdp = FiniteMDP.from_arrays(chances, rewards[one], rewards[other], start, **episode)
        found = geometry(mdp)
        return np.array([found.starc_minimal, found.starc_val, found.epic, epic_distance(*rewards[[one, other]], 0.8)])

    close(distances(0, 1), distances(1, 0))
    assert (distances(0, 1) <= distances(0, 2) + distances(2, 1) + 1e-12).all()


def decided(points: np.ndarray) -> str:
    """Decide from all deterministic policies' returns, (policies, 2), by pairs and their mixtures alone."""
    if (np.ptp(points, axis=0) < 1e-9).any():
        return "trivial"
    mixtures = np.random.default_rng(0).dirichlet(np.full(len(points), 0.3), size=100) @ points
    both = np.concatenate([points, mixtures])
    steps = (both[:, None] - both[None]).reshape(-1, 2)
    steps[np.abs(steps) < 1e-9] = 0
    agree, differ = (steps.prod(axis=1) > 0).any(), (steps.prod(axis=1) < 0).any()
    indifferent = ((steps == 0).sum(axis=1) == 1).any()
    if not differ and not indifferent:
        return "equivalent"
    return "hackable" if agree or indifferent else "reversed"


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(-1, 1), st.integers(-1, 1)), min_size=2, max_size=4))
def test_of_bandits_the_verdict_is_that_of_all_pairs_of_policies(pays):
    points = np.array(pays, dtype=float)
    assert geometry(arms(*points.T)).verdict == decided(points)


@pytest.mark.parametrize("seed", range(12))
def test_the_verdict_is_that_of_all_pairs_of_policies(seed):
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.ones(2), size=(2, 2))
    proxy = rng.integers(-1, 2, size=(2, 2, 2)).astype(float)
    like = shaped(proxy, rng.normal(size=2), 0.7)
    for true in (rng.integers(-1, 2, size=(2, 2, 2)).astype(float), 3 * like, -like):
        mdp = FiniteMDP.from_arrays(chances, proxy, true, [0.5, 0.5], gamma=0.7)
        tables = [one_hot_rows(np.array(choice), 2) for choice in product(range(2), repeat=2)]
        points = np.array([at_start(mdp, of_policies(mdp, both_rewards(mdp), [each] * 2)) for each in tables])
        assert geometry(mdp).verdict == decided(points)


def test_epic_of_rewards_of_state_and_action_is_that_of_the_whole_array():
    rng = np.random.default_rng(3)
    one, other = rng.normal(size=(2, 5, 3))
    whole = [np.repeat(each[:, :, None], 5, axis=2) for each in (one, other)]
    for discount in (1.0, 0.7):
        expected = epic_distance(*whole, discount)
        close([epic_distance(one, other, discount), epic_distance(one, whole[1], discount)], expected)
    mdp = FiniteMDP.from_arrays(rng.dirichlet(np.ones(5), size=(5, 3)), one, other, np.full(5, 0.2), gamma=0.7)
    close(epic(mdp), expected)


@pytest.mark.parametrize(("one", "other"), [((2, 2), (2, 3)), ((2, 2, 3), (2, 2)), ((4,), (4,)), ((3, 2), (2, 2, 2))])
def test_epic_refuses_arrays_that_are_no_rewards_of_one_mdp(one, other):
    with pytest.raises(InvalidWorld, match="not"):
        epic_distance(np.ones(one), np.ones(other), 0.9)


def test_more_columns_than_allowed_are_refused():
    with pytest.raises(TooLargeToEnumerate, match="more than 10 pairs"):
        geometry(random_arrays(np.random.default_rng(0), horizon=4), limit=10)
