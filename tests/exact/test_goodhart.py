"""The Goodhart curve: known answers, a plain soft recursion, and what has to hold on every world."""

from dataclasses import replace
from math import inf, isnan, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from alignment_gym import FiniteMDP, exact
from alignment_gym.engine.belief import knowing
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.exact import goodhart, lumping
from alignment_gym.exact.goodhart import GoodhartCurve, goodhart_curve
from alignment_gym.exact.values import forward, occupancy, of_policy, uniform
from tests.tiny import Table, Tiger, arms, bandit, random_arrays, random_table

ALIGNED = arms((1, 0), (2, 1))  # KA-1
OPPOSED = arms((1, 0), (0, 1))  # KA-2
DROP = arms((0, 1, 2), (0, 2, -1))  # KA-3
HUMP = arms((0, 1, 2), (0, 2, 1))  # KA-4
TIED = arms((1, 1, 0), (1, -1, 0))  # KA-7

seeds = st.integers(0, 2**32 - 1)


def close(actual, desired, **more):
    assert_allclose(actual, desired, rtol=0, atol=1e-9, **more)


def mdp_of(seed: int, kind: int) -> FiniteMDP:
    """Draw a small MDP: endless, with a horizon, with both, or a world with terminations and pay at the end."""
    rng = np.random.default_rng(seed)
    if kind == 3:
        return as_mdp(random_table(rng, states=4, actions=3, horizon=5))
    episode = [{"gamma": 0.6}, {"horizon": 4}, {"horizon": 4, "gamma": 0.9}][kind]
    return random_arrays(rng, states=4, whole=seed % 2 == 0, **episode)


KINDS = ["endless", "horizon", "horizon and discount", "world"]
kinds = pytest.mark.parametrize("kind", range(4), ids=KINDS)


def softened(mdp: FiniteMDP, beta: float) -> tuple[float, float, float]:
    """Return proxy return, true return and KL of the soft policy, worked out state by state, in D_p's units."""
    anchors = exact.solve(mdp).anchors
    rise = anchors.proxy_max - anchors.proxy_reference
    spec, states, actions = mdp.specification, mdp.state_count, len(mdp.actions)
    paid = [mdp.transition_rewards(weights) for weights in (spec.proxy, spec.true)]
    value = np.zeros((states, 4))  # soft, proxy, true, KL
    if mdp.horizon is not None:
        final = [mdp.final_rewards(weights) for weights in (spec.proxy, spec.true)]
        value[:, 0], value[:, 1], value[:, 2] = final[0] / rise, final[0], final[1]
    for _ in range(mdp.horizon or 80):
        before, value = value, np.zeros((states, 4))
        for state in range(states):
            quality = np.zeros((actions, 4))
            for action in range(actions):
                row = state * actions + action
                for outcome in range(mdp.offset[row], mdp.offset[row + 1]):
                    now = np.array([paid[0][outcome] / rise, paid[0][outcome], paid[1][outcome], 0.0])
                    later = 0.0 if mdp.terminated[outcome] else mdp.discount * before[mdp.next_state[outcome]]
                    quality[action] += mdp.probability[outcome] * (now + later)
            weight = np.exp(beta * (quality[:, 0] - quality[:, 0].max()))
            policy = weight / weight.sum()
            value[state] = policy @ quality
            value[state, 0] = quality[:, 0].max() + log(weight.mean()) / beta
            value[state, 3] += policy @ np.log(np.maximum(policy * actions, 1e-300))
    return tuple(mdp.start_probability @ value[mdp.start, 1:])


def at(curve: GoodhartCurve, beta: float) -> tuple[float, float, float]:
    place = int(np.flatnonzero(curve.beta == beta)[0])
    return curve.proxy_return[place], curve.true_return[place], curve.kl[place]


def pressed(mdp: FiniteMDP, beta: float) -> np.ndarray:
    anchors = exact.solve(mdp).anchors
    return goodhart._pressed(mdp, np.array([beta]) / (anchors.proxy_max - anchors.proxy_reference))[:3, 0]


def cost(mdp: FiniteMDP, policy: np.ndarray) -> float:
    """Return a policy's KL from uniform play, from the visits it makes."""
    actions = len(mdp.actions)
    total = 0.0
    for step, visits in enumerate(forward(mdp, policy)):
        table = policy[step] if policy.ndim == 3 else policy
        total += float((visits * np.log(actions * table.T)).sum())
    return total


def test_ka_3_true_return_only_falls_and_its_drop_is_four_ninths():
    curve = goodhart_curve(DROP)
    x = np.exp(curve.beta[:-1].clip(max=300.0))
    near = curve.beta[:-1] < 300.0
    close(curve.true_return[:-1][near], ((2 - x) / (1 / x + 1 + x))[near])
    assert (np.diff(curve.true_return) <= 0.0).all()
    close([curve.drop, curve.onset, curve.peak.beta], [4 / 9, 0, 0])
    close(curve.true_return[-1], -1)


def test_ka_4_the_hump_is_found_to_nine_digits():
    curve = goodhart_curve(HUMP)
    root = sqrt(3)
    close(curve.peak.beta, log(1 + root))
    close([curve.peak.true_return, curve.peak.proxy_score, curve.peak.true_score], [2 / root, 1 / root, 2 / root - 1])
    policy = np.array([1, 1 + root, (1 + root) ** 2])
    policy /= policy.sum()
    close(curve.peak.kl, policy @ np.log(3 * policy))
    assert_allclose(curve.peak.kl, 0.268361996, atol=1e-9)
    close(curve.drop, (2 / root - 1) / 2)
    assert curve.onset == curve.peak.proxy_score


def test_ka_7_between_tied_arms_the_limit_does_not_choose():
    curve = goodhart_curve(TIED)
    close([curve.proxy_return[-1], curve.true_return[-1], curve.true_score[-1]], [1, 0, 0])
    close(curve.kl[-1], log(3 / 2))
    close(curve.drop, 0)


@pytest.mark.parametrize(
    ("mdp", "slope"), [(OPPOSED, -1 / 4), (DROP, -1 / 3), (HUMP, 1 / 3)], ids=["KA-2", "KA-3", "KA-4"]
)
def test_ka_28_initial_slopes_in_raw_units(mdp, slope):
    curve = goodhart_curve(mdp)
    rise = curve.anchors.proxy_max - curve.anchors.proxy_reference
    close(curve.raw_initial_slope, slope)
    close(curve.initial_slope_by_differences * rise, slope)


def test_ka_1_an_aligned_proxy_peaks_at_infinity_and_drops_nothing():
    curve = goodhart_curve(ALIGNED)
    assert (curve.drop, curve.peak.beta) == (0.0, inf)
    close([curve.peak.proxy_score, curve.peak.true_score], [1, 1])
    close(curve.proxy_score, curve.true_score)
    close(curve.raw_initial_slope, 1 / 4)


@pytest.mark.parametrize(("above", "settles"), [(4e-5, True), (4e-4, False)])
def test_what_falls_by_less_than_a_billionth_of_the_range_peaks_at_infinity(above, settles):
    curve = goodhart_curve(arms((0, 1, 2), (0, 1 + above, 1)))  # rises to above**2 / 4 over its limit
    assert (curve.peak.beta == inf) == settles
    assert (curve.drop == 0.0) == settles


def test_the_path_starts_at_uniform_play_and_runs_over_the_powers_of_two():
    curve = goodhart_curve(HUMP)
    assert (curve.beta[0], curve.beta[-1]) == (0.0, inf)
    assert (np.diff(curve.beta) > 0.0).all()
    assert set(2.0 ** np.arange(-6, 13)) <= set(curve.beta)
    assert at(curve, 0.0) == pytest.approx((1.0, 1.0, 0.0), abs=1e-12)


@kinds
@pytest.mark.parametrize("seed", range(3))
def test_returns_and_kl_are_those_of_a_plain_recursion(seed, kind):
    mdp = mdp_of(seed, kind)
    curve = goodhart_curve(mdp)
    if curve.reason == "proxy reward trivial":
        pytest.skip("no curve")
    for beta in (2.0**-4, 4.0):
        assert_allclose(at(curve, beta), softened(mdp, beta), atol=1e-8)


@kinds
@settings(max_examples=8, deadline=None)
@given(seed=seeds)
def test_proxy_return_and_kl_never_fall_and_end_at_the_optimum_within_its_ties(kind, seed):
    mdp = mdp_of(seed, kind)
    curve = goodhart_curve(mdp)
    if curve.reason == "proxy reward trivial":
        return
    solution = exact.solve(mdp)
    assert (np.diff(curve.proxy_return) >= -1e-9).all()
    assert (np.diff(curve.kl) >= -1e-8).all()
    close(curve.proxy_return[-1], solution.anchors.proxy_max)
    ties = solution.true_of_proxy_optimal
    assert ties.low - 1e-7 <= curve.true_return[-1] <= ties.high + 1e-7
    if not curve.reason:
        assert 0.0 <= curve.drop <= 1.0
        assert curve.peak.true_return >= curve.true_return.max() - 1e-9 * solution.anchors.true_range


@kinds
@settings(max_examples=8, deadline=None)
@given(seed=seeds)
def test_slopes_are_the_advantages_inner_product_and_finite_differences(kind, seed):
    mdp = mdp_of(seed, kind)
    curve = goodhart_curve(mdp)
    if curve.reason == "proxy reward trivial":
        return
    assert_allclose(curve.initial_slope_by_differences, curve.initial_slope, atol=1e-7, rtol=1e-7)
    place = int(np.flatnonzero(curve.beta == 1.0)[0])
    around = [pressed(mdp, 1.0 + nudge)[1] for nudge in (-2e-3, -1e-3, 1e-3, 2e-3)]
    assert_allclose(curve.slope[place], np.dot(around, [1, -8, 8, -1]) / 12e-3, atol=1e-7, rtol=1e-7)
    if mdp.horizon is None:  # METRICS' identity, from values and visits that other code has worked out
        spec, rise = mdp.specification, curve.anchors.proxy_max - curve.anchors.proxy_reference
        advantages = []
        for weights in (spec.proxy, spec.true):
            value = of_policy(mdp, [weights], uniform(mdp))[0]
            paid = mdp.probability * (mdp.transition_rewards(weights) + mdp.discount * value[mdp.next_state])
            quality = np.add.reduceat(paid, mdp.offset[:-1]).reshape(mdp.state_count, -1)
            advantages.append(quality - value[:, None])
        identity = (occupancy(mdp, uniform(mdp)) * advantages[0] * advantages[1]).sum() / rise
        close(curve.initial_slope, identity)


@pytest.mark.parametrize("kind", range(3), ids=KINDS[:3])
def test_no_policy_gains_more_proxy_for_its_kl(kind):
    for seed in range(4):
        mdp, rng = mdp_of(2 * seed + 1, kind), np.random.default_rng(seed)
        curve = goodhart_curve(mdp)
        rise = curve.anchors.proxy_max - curve.anchors.proxy_reference
        steps = () if mdp.horizon is None else (mdp.horizon,)
        policies = [
            rng.dirichlet(np.full(len(mdp.actions), spread), size=(*steps, mdp.state_count)) + 1e-9
            for spread in (0.5, 3.0, 30.0) * 4
        ]
        for policy in policies:
            policy /= policy.sum(axis=-1, keepdims=True)
            gain, kl = exact.evaluate(policy, mdp).proxy_return / rise, cost(mdp, policy)
            for beta in (2.0**-6, 1.0, 16.0, 2.0**12):
                best = at(curve, beta)
                assert gain - kl / beta <= best[0] / rise - best[2] / beta + 1e-9


@kinds
def test_the_limit_is_what_strong_pressure_tends_to(kind):
    for seed in (0, 2, 4, 6):  # rewards in whole numbers, so that there are ties
        mdp = mdp_of(seed, kind)
        curve = goodhart_curve(mdp)
        if curve.reason == "proxy reward trivial":
            continue
        limit = curve.proxy_return[-1], curve.true_return[-1], curve.kl[-1]
        assert_allclose(pressed(mdp, 2.0**20), limit, atol=1e-6)


@settings(max_examples=8, deadline=None)
@given(seed=seeds)
def test_scores_do_not_change_under_positive_scale_or_potential_shaping_of_either_reward(seed):
    rng = np.random.default_rng(seed)
    chances, discount, start = rng.dirichlet(np.ones(4), size=(4, 3)), 0.6, rng.dirichlet(np.ones(4))
    proxy, true = rng.normal(size=(2, 4, 3, 4))

    def shaped(reward: np.ndarray) -> np.ndarray:
        potential = rng.normal(size=4)
        return rng.uniform(0.1, 10.0) * (reward + discount * potential - potential[:, None, None])

    plain = goodhart_curve(FiniteMDP.from_arrays(chances, proxy, true, start, gamma=discount))
    other = goodhart_curve(FiniteMDP.from_arrays(chances, shaped(proxy), shaped(true), start, gamma=discount))
    for beta in (0.0, 0.25, 8.0, 512.0, inf):
        one, two = (int(np.flatnonzero(each.beta == beta)[0]) for each in (plain, other))
        for name in ("proxy_score", "true_score", "kl"):
            assert_allclose(getattr(other, name)[two], getattr(plain, name)[one], atol=1e-7)
    assert_allclose([other.onset, other.peak.true_score], [plain.onset, plain.peak.true_score], atol=1e-6)


def test_alike_states_are_solved_once_whatever_their_actions_are_called():
    # State 0 leads to 1 or 2 by chance, which pay alike in another order of their arms, and differ from 3.
    chances = np.zeros((4, 2, 4))
    chances[0, 0, 1:3], chances[0, 1, 3], chances[1:, :, 0] = [0.25, 0.75], 1.0, 1.0
    proxy, true = [[0, 0], [1, 2], [2, 1], [0, 3]], [[0, 1], [5, 0], [0, 5], [1, 1]]
    mdp = FiniteMDP.from_arrays(chances, proxy, true, [0.5, 0.25, 0.25, 0.0], horizon=5)
    lumped = lumping.lumped(mdp)
    assert (lumped.state_count, lumped.start_probability.tolist()) == (3, [0.5, 0.5])
    for beta in (0.5, 4.0):
        assert_allclose(at(goodhart_curve(mdp), beta), softened(mdp, beta), atol=1e-9)
    told_apart = FiniteMDP.from_arrays(chances, proxy, [[0, 1], [5, 0], [5, 0], [1, 1]], [0.5, 0.25, 0.25, 0], 5)
    assert lumping.lumped(told_apart).state_count == 4


def test_states_that_differ_only_in_what_comes_at_the_end_are_told_apart():
    # Arms 0 and 1 lead to states 1 and 2, which differ in what the horizon pays there, and then in who terminates.
    follows = (((0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), ((0.0, 1.0, 0.0),) * 2, ((0.0, 1.0, 0.0),) * 2)
    paid, start = ((0.0, 1.0), (1.0, 2.0), (1.0, 2.0)), (1.0, 0.0, 0.0)
    worlds = [
        Table(follows=follows, proxy=paid, true=paid, start=start, final_pay=pay, horizon=4)
        for pay in (((0, 0),) * 3, ((0, 0), (0, 0), (0, 1)), ((0, 0), (0, 0), (1, 0)))
    ]
    alike, *others = (as_mdp(world) for world in worlds)
    others.append(replace(alike, terminated=np.array([False, False, False, False, False, True])))
    assert lumping.lumped(alike).state_count == 2
    for mdp in others:
        assert lumping.lumped(mdp) is mdp
        assert_allclose(at(goodhart_curve(mdp), 2.0), softened(mdp, 2.0), atol=1e-9)


def test_a_large_world_gets_a_sparser_grid_and_the_same_peak(monkeypatch):
    mdp = random_arrays(np.random.default_rng(1), states=8, gamma=0.8)
    full = goodhart_curve(mdp)
    monkeypatch.setattr(goodhart, "EFFORT", 0)
    sparse = goodhart_curve(mdp)
    assert len(sparse.beta) < len(full.beta) / 2
    assert_allclose(sparse.peak.true_score, full.peak.true_score, atol=1e-4)
    assert_allclose([sparse.true_return[-1], sparse.initial_slope], [full.true_return[-1], full.initial_slope])
    assert sparse.drop <= full.drop + 1e-12


def test_one_beta_at_a_time_or_all_side_by_side(monkeypatch):
    together = goodhart_curve(HUMP)
    monkeypatch.setattr(goodhart, "TOGETHER", 1)
    alone = goodhart_curve(HUMP)
    close(alone.true_return, together.true_return)


def test_in_a_world_that_hides_states_policies_remember():
    for world in (random_table(np.random.default_rng(3), looks=(0, 0, 1)), Tiger(horizon=4)):
        mdp = as_mdp(world)
        curve = goodhart_curve(world)
        known = knowing(mdp)
        assert curve.mdp is known is not mdp
        close(curve.proxy_return[-1], exact.solve(world).anchors.proxy_max)
        close(curve.proxy_return[0], exact.solve(world).anchors.proxy_reference)
        assert_allclose(at(curve, 4.0), softened(known, 4.0), atol=1e-8)


def test_trivial_rewards_leave_nothing_to_say_and_say_why():
    flat = goodhart_curve(bandit((1, 1), (0, 1)))
    assert flat.reason == "proxy reward trivial"
    assert (flat.proxy_return[0], flat.true_return[0]) == (1.0, 0.5)
    undefined = flat.drop, flat.onset, flat.initial_slope, flat.initial_slope_by_differences, flat.proxy_score[0]
    assert all(map(isnan, undefined))
    careless = goodhart_curve(bandit((0, 1), (3, 3)))
    assert careless.reason == "true reward trivial"
    assert isnan(careless.drop)
    assert isnan(careless.peak.beta)
    close([careless.proxy_score[0], careless.proxy_score[-1]], [0, 1])


@pytest.mark.parametrize("gamma", [0.9, 0.99])
def test_pressure_rises_until_the_limit_is_near_however_long_the_future(gamma):
    rng = np.random.default_rng(0)
    chances, proxy, true = rng.dirichlet(np.ones(5), size=(5, 3)), rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    curve = goodhart_curve(FiniteMDP.from_arrays(chances, proxy, true, np.full(5, 0.2), gamma=gamma))
    assert curve.proxy_score[-2] > 0.95


def test_a_catastrophe_that_uniform_play_hardly_ever_meets_has_its_drop():
    # 30 steps right in a row earn proxy 1 and true -1, a wrong one begins anew: uniform play is as good as true-optimal
    steps = 30
    chances, paid = np.zeros((steps, 2, steps)), np.zeros((steps, 2))
    chances[:, 0, 0] = 1.0
    chances[np.arange(steps), 1, np.minimum(np.arange(steps) + 1, steps - 1)] = 1.0
    paid[-1, 1] = 1.0
    mdp = FiniteMDP.from_arrays(chances, paid, -paid, np.eye(steps)[0], horizon=steps)
    curve = goodhart_curve(mdp)
    assert np.isnan(curve.true_score).all()
    close(curve.drop, 1.0)
