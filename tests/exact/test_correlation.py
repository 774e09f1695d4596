"""How alike two rewards look: answers known by hand, walks through every episode, and a bound that must hold."""

from math import isnan, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from alignment_gym import FiniteMDP
from alignment_gym.core import World
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.exact.correlation import (
    laidlaw_bound,
    rank_correlation,
    return_correlation,
    reward_correlation,
    sampled_returns,
    trajectory_rank_correlation,
)
from alignment_gym.exact.evaluation import returns
from alignment_gym.exact.values import greedy, uniform
from tests.exact.oracles import pays
from tests.tiny import arms, random_arrays, random_table

KNOWN = [
    pytest.param((1, 0), (2, 1), 1, 1, id="KA-1"),
    pytest.param((1, 0), (0, 1), -1, -1, id="KA-2"),
    pytest.param((0, 1, 2), (0, 2, -1), -1 / sqrt(2 * 14 / 3), -1 / 3, id="KA-3"),
    pytest.param((0, 1, 2), (0, 2, 1), 1 / 2, 1 / 3, id="KA-4"),
    pytest.param((1, 1, 0), (1, -1, 0), 0, 0, id="KA-7"),
]


def close(actual, desired):
    assert_allclose(actual, desired, rtol=0, atol=1e-9)


def mdps(rng: np.random.Generator) -> list[FiniteMDP]:
    return [
        random_arrays(rng, states=4, gamma=0.5),
        random_arrays(rng, states=4, horizon=4),
        random_arrays(rng, states=4, horizon=4, gamma=0.9),
        as_mdp(random_table(rng, states=4, horizon=4)),  # terminations, pay at the end
    ]


def walks(world: World, state, steps: int) -> list[tuple[float, float, float]]:
    """Return (chance, proxy return, true return) of every episode of uniform play from a state on."""
    spec, found = world.specification, []
    for action in world.actions:
        for chance, after, events, terminated in world.outcomes(state, action):
            over = terminated or steps == 1
            emitted = [events, world.final(after)] if over else [events]
            proxy, true = (sum(pays(weights, each) for each in emitted) for weights in (spec.proxy, spec.true))
            later = [(1.0, 0.0, 0.0)] if over else walks(world, after, steps - 1)
            found += [(chance / len(world.actions) * p, proxy + x, true + y) for p, x, y in later]
    return found


def standard_error(batches: np.ndarray) -> float:
    return float(batches.std(ddof=1) / sqrt(len(batches)))


@pytest.mark.parametrize(("proxy", "true", "correlation", "tau"), KNOWN)
def test_correlations_of_bandits_are_the_known_ones(proxy, true, correlation, tau):
    bandit = arms(proxy, true)
    found = reward_correlation(bandit)
    close([found.value, return_correlation(bandit), rank_correlation(proxy, true)], [correlation, correlation, tau])
    close([found.proxy_deviation, found.true_deviation], [np.std(proxy), np.std(true)])
    assert found.reason == ""
    assert abs(trajectory_rank_correlation(bandit, np.random.default_rng(0), 3_000) - tau) < 0.05


@pytest.mark.parametrize(("proxy", "true", "flat"), [((0, 1), (1, 1), "true"), ((0, 0), (0, 1), "proxy")])
def test_ka_20_a_reward_that_does_not_vary_leaves_all_undefined_and_says_so(proxy, true, flat):
    bandit = arms(proxy, true)
    found = reward_correlation(bandit)
    assert isnan(found.value)
    assert found.reason == f"the {flat} reward does not vary"
    assert isnan(return_correlation(bandit))
    assert isnan(rank_correlation(proxy, true))
    floor = laidlaw_bound(bandit, np.array([[0.0, 1.0]]))
    assert isnan(floor.bound)
    assert floor.reason == found.reason
    close(floor.gain, 0.5 * (true[1] - true[0]))


def test_the_correlation_of_rewards_is_that_where_the_policy_goes():
    bandit = arms((0, 1, 2), (0, 2, 1))
    close(reward_correlation(bandit, np.array([[0.5, 0.5, 0.0]])).value, 1)
    close(reward_correlation(bandit, np.array([[0.0, 0.5, 0.5]])).value, -1)
    assert isnan(reward_correlation(bandit, np.array([[0.0, 0.0, 1.0]])).value)


def test_time_after_an_episodes_end_counts_as_paying_nothing():
    chances = np.array([[[0.0, 1.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
    pay = np.array([[1.0, 2.0], [0.0, 0.0]])
    mdp = FiniteMDP.from_arrays(chances, pay, pay[:, ::-1], [1, 0], horizon=2, terminal=[False, True])
    found = reward_correlation(mdp)  # entries (1, 2), (2, 1) with a quarter each, (0, 0) with a half
    close(found.value, (1.0 - 0.75**2) / (1.25 - 0.75**2))


def test_laidlaws_bound_holds_for_400_policies():
    rng, slack, without = np.random.default_rng(0), [], 0
    while len(slack) < 400:
        for mdp in mdps(rng):
            steps = () if mdp.horizon is None else (mdp.horizon,)
            size = *steps, mdp.state_count
            policies = [rng.dirichlet(np.full(len(mdp.actions), each), size) for each in (0.05, 0.3, 1, 5, 20)]
            found = [
                laidlaw_bound(mdp, each) for each in (*policies, uniform(mdp), greedy(mdp, mdp.specification.proxy))
            ]
            if not found[0].correlation > 0:
                without += 1
                continue
            close([found[0].gain, found[0].gain - found[0].slack], [gain(mdp, policies[0]), found[0].bound])
            slack += [each.slack for each in found]
    assert without > 0
    assert min(slack) >= -1e-9


def gain(mdp: FiniteMDP, policy: np.ndarray) -> float:
    return returns(mdp, policy)[1] - returns(mdp, uniform(mdp))[1]


def test_laidlaws_bound_is_reached_by_moving_along_what_the_true_reward_does_not_explain():
    proxy, true = np.array([0.0, 1.0, 2.0]), np.array([0.0, 2.0, 1.0])
    standard = [(each - each.mean()) / each.std() for each in (proxy, true)]
    along = standard[0] - 0.5 * standard[1]  # their correlation is 1/2
    found = laidlaw_bound(arms(proxy, true), ((1 + 0.3 * along) / 3)[None])
    close(found.chi_squared, 0.3**2 * 0.75)
    close([found.gain, found.bound, found.slack], 0)
    further = laidlaw_bound(arms(proxy, true), ((1 + 0.3 * along - 0.1 * standard[1]) / 3)[None])
    assert further.bound < further.gain < -0.01


def test_without_positive_correlation_there_is_no_bound():
    found = laidlaw_bound(arms((1, 0), (0, 1)), np.array([[1.0, 0.0]]))
    assert isnan(found.bound)
    assert isnan(found.slack)
    assert "positively" in found.reason


@pytest.mark.parametrize("seed", range(6))
def test_correlation_of_returns_is_that_over_all_episodes(seed):
    world = random_table(np.random.default_rng(seed), horizon=4)
    found = [
        (start * chance, proxy, true)
        for start, state in world.initial()
        for chance, proxy, true in walks(world, state, world.horizon)
    ]
    chance, *pay = np.array(found).T
    close(chance.sum(), 1)
    covariance = np.cov(pay, aweights=chance, ddof=0)
    close(return_correlation(world), covariance[0, 1] / np.sqrt(covariance.diagonal().prod()))


@pytest.mark.parametrize("seed", range(2))
def test_sampled_episodes_agree_with_exact_returns_and_their_correlation(seed):
    rng = np.random.default_rng(seed)
    for mdp in mdps(rng):
        batches = sampled_returns(mdp, rng, 20_000).reshape(2, 20, -1)
        for each, exact in zip(batches, returns(mdp, uniform(mdp)), strict=True):
            assert abs(each.mean() - exact) <= 4 * standard_error(each.mean(axis=1))
        found = np.array([np.corrcoef(batches[:, number])[0, 1] for number in range(20)])
        assert abs(found.mean() - return_correlation(mdp)) <= 4 * standard_error(found)


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 9))
def test_factors_and_constants_leave_correlations_alone(seed, factor):
    rng = np.random.default_rng(seed)
    chances, (proxy, true) = rng.dirichlet(np.ones(3), size=(3, 2)), rng.normal(size=(2, 3, 2))
    mdp, other = (
        FiniteMDP.from_arrays(chances, proxy, each, [1, 0, 0], horizon=3) for each in (true, factor * true + 2.0)
    )
    close(reward_correlation(other).value, reward_correlation(mdp).value)
    close(return_correlation(other), return_correlation(mdp))
    one, same = (trajectory_rank_correlation(each, np.random.default_rng(seed), 50) for each in (mdp, other))
    close(one, same)


def test_large_constants_cost_correlation_of_returns_no_digits():
    rng = np.random.default_rng(1)
    chances, (proxy, true) = rng.dirichlet(np.ones(3), size=(3, 2)), rng.normal(size=(2, 3, 2))
    near, far = (
        return_correlation(FiniteMDP.from_arrays(chances, proxy + more, true + more, [1, 0, 0], horizon=5))
        for more in (0.0, 1e5)
    )
    close(near, far)


def test_sums_in_another_order_are_ties():
    assert 0.1 + 0.2 + 0.3 != 0.3 + 0.2 + 0.1
    one = np.array([0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1, 0.0])
    close(rank_correlation(one, [1, 1, 0]), 1)
    assert isnan(rank_correlation(one[:2], [1, 2]))


def test_the_same_generator_draws_the_same_episodes():
    mdp = random_arrays(np.random.default_rng(2), horizon=4)
    one, same, other = (trajectory_rank_correlation(mdp, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert one == same != other
