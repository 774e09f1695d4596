"""Dynamic programming against enumeration, linear programs and plain sampling."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from alignment_gym import exact
from alignment_gym.core import Specification
from alignment_gym.engine.batch import AlignmentVectorEnv
from alignment_gym.engine.belief import belief_mdp
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.exact.evaluation import event_probability, returns
from alignment_gym.exact.ties import over_optimal
from alignment_gym.exact.values import at_start, greedy, maximal, occupancy, uniform
from tests.every import WORLDS
from tests.exact.oracles import all_returns, blind_returns, expected_return, linear_program
from tests.tiny import Tiger, bandit, random_table

SEEDS = st.integers(0, 10_000)


def close(actual, desired, atol=1e-9):
    assert_allclose(actual, desired, rtol=0, atol=atol)


@pytest.mark.parametrize(("seed", "states"), [(0, 2), (1, 2), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_extremes_ties_and_largest_gap_equal_those_of_all_policies_enumerated(seed, states):
    world = random_table(np.random.default_rng(seed), states=states)
    solution, anchors = exact.solve(world), exact.solve(world).anchors
    found = all_returns(world)
    (proxy_max, true_max), (proxy_min, true_min) = found.max(axis=0), found.min(axis=0)
    close([anchors.proxy_max, anchors.true_max], [proxy_max, true_max])
    close([anchors.proxy_min, anchors.true_min], [proxy_min, true_min])
    of_proxy_optimal = found[found[:, 0] >= proxy_max - 1e-9, 1]
    of_true_optimal = found[found[:, 1] >= true_max - 1e-9, 0]
    tied = solution.true_of_proxy_optimal
    close([tied.low, tied.high], [of_proxy_optimal.min(), of_proxy_optimal.max()])
    close(solution.proxy_of_true_optimal.low, of_true_optimal.min())
    close([solution.proxy_of_true_optimal.high, anchors.intended_proxy], of_true_optimal.max())
    proxy_score = (found[:, 0] - anchors.proxy_reference) / (proxy_max - anchors.proxy_reference)
    true_score = (found[:, 1] - anchors.true_reference) / (true_max - anchors.true_reference)
    close(solution.gap_max, (proxy_score - true_score).max())
    assert tied.gap > 100


def test_ties_do_occur_among_the_enumerated_worlds():
    mdps = [as_mdp(random_table(np.random.default_rng(seed))) for seed in range(6)]
    spans = [over_optimal(mdp, {"paid": 1.0}, {"meant": 1.0}, 1.0) for mdp in mdps]
    assert sum(span.high - span.low > 0.1 for span in spans) >= 2


@pytest.mark.parametrize("seed", range(10, 20))
def test_ties_equal_those_of_a_linear_program_over_occupancies(seed):
    world = random_table(np.random.default_rng(seed), states=4, actions=3, horizon=4)
    solution = exact.solve(world)
    lowest, highest = linear_program(world, None)
    close([solution.anchors.proxy_min, solution.anchors.proxy_max], [lowest, highest], 1e-7)
    tied = solution.true_of_proxy_optimal
    close([tied.low, tied.high], linear_program(world, highest - 1e-9), 1e-5)


@given(SEEDS)
@settings(max_examples=15)
def test_a_random_policy_earns_what_following_its_mass_says(seed):
    rng = np.random.default_rng(seed)
    world = random_table(rng)
    mdp = as_mdp(world)
    choice = rng.integers(len(mdp.actions), size=(world.horizon, mdp.state_count))
    plan = [
        {state: world.actions[choice[step, place]] for place, state in enumerate(mdp.states)}
        for step in range(world.horizon)
    ]
    spec = world.specification
    by_hand = [expected_return(world, plan, weights) for weights in (spec.proxy, spec.true)]
    close(returns(mdp, np.eye(len(mdp.actions))[choice]), by_hand)


@given(SEEDS)
@settings(max_examples=15)
def test_without_final_pay_return_is_reward_times_occupancy(seed):
    rng = np.random.default_rng(seed)
    world = replace(random_table(rng), final_pay=())
    mdp = as_mdp(world)
    policy = rng.dirichlet(np.ones(len(mdp.actions)), size=mdp.state_count)
    table = np.array(world.proxy)[list(mdp.states)]
    close((occupancy(mdp, policy) * table).sum(), returns(mdp, policy)[0])


@given(SEEDS)
@settings(max_examples=15)
def test_greedy_policy_earns_the_maximum(seed):
    mdp = as_mdp(random_table(np.random.default_rng(seed), states=4, actions=3, horizon=5))
    rewards = [mdp.specification.proxy, mdp.specification.true]
    best = at_start(mdp, maximal(mdp, rewards))
    close([returns(mdp, greedy(mdp, reward))[row] for row, reward in enumerate(rewards)], best)


@given(SEEDS, st.sampled_from([1e-3, 0.3, 7.0, 1e4]), st.sampled_from([1e-3, 0.3, 7.0, 1e4]))
@settings(max_examples=10)
def test_scores_classes_and_margins_do_not_depend_on_the_scale_of_rewards(seed, of_proxy, of_true):
    rng = np.random.default_rng(seed)
    mdp = as_mdp(random_table(rng, states=4, horizon=4))
    policy = rng.dirichlet(np.ones(2), size=mdp.state_count)
    scaled = mdp.with_specification(Specification(proxy={"paid": of_proxy}, true={"meant": of_true}))
    one, other = exact.evaluate(policy, mdp).scores, exact.evaluate(policy, scaled).scores
    for name in ("exploitation", "true_loss", "proxy_score", "true_score", "hacking_gap"):
        assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-7, atol=1e-7, err_msg=name)
    assert one.reasons == other.reasons
    first, second = exact.solve(mdp), exact.solve(scaled)
    assert first.class_name == second.class_name
    assert_allclose(first.gap_max, second.gap_max, rtol=1e-7)
    for margin, rescaled in zip(first.certificate, second.certificate, strict=True):
        assert_allclose([margin.loss, margin.surplus], [rescaled.loss, rescaled.surplus], rtol=1e-7, atol=1e-7)


@given(SEEDS)
@settings(max_examples=15)
def test_true_score_stays_between_its_bounds_and_loss_between_zero_and_one(seed):
    rng = np.random.default_rng(seed)
    mdp = as_mdp(random_table(rng))
    solution = exact.solve(mdp)
    found = exact.evaluate(rng.dirichlet(np.ones(2), size=mdp.state_count), mdp).scores
    if not found.reasons:
        assert 1 - 1 / solution.kappa_true - 1e-9 <= found.true_score <= 1 + 1e-9
        assert -1e-9 <= found.true_loss <= 1 + 1e-9
        assert found.proxy_score <= 1 + 1e-9
        assert found.hacking_gap <= solution.gap_max + 1e-9


@pytest.mark.parametrize("env_id", WORLDS)
def test_sampled_returns_lie_within_four_standard_errors_of_the_exact_ones(env_id):
    lanes = 512
    env = AlignmentVectorEnv(env_id, lanes)
    mdp = env.mdp
    rng = np.random.default_rng(12)
    policy = rng.dirichlet(np.ones(len(mdp.actions)), size=len(mdp.observations))
    env.reset(seed=5)
    earned = np.full((lanes, 2), np.nan)  # by the first episode of each lane
    while np.isnan(earned).any():
        cumulative = policy[mdp.observation_id[env.lanes.state]].cumsum(axis=1)
        actions = (rng.random((lanes, 1)) > cumulative).sum(axis=1).clip(0, len(mdp.actions) - 1)
        *_, infos = env.step(actions)
        if "alignment" in infos:
            first = infos["_alignment"] & np.isnan(earned[:, 0])
            both = np.stack([infos["alignment"][name] for name in ("proxy_return", "true_return")], axis=-1)
            earned[first] = both[first]
    for sample, value in zip(earned.T, returns(mdp, policy[mdp.observation_id]), strict=True):
        error = sample.std(ddof=1) / np.sqrt(lanes)
        assert abs(sample.mean() - value) < 4 * error + 1e-9


def test_a_reward_that_pays_the_same_for_everything_ties_all_policies():
    # 0.1 a step whatever is done: sums over outcomes may differ in their last digit, and that is no preference
    shares = (0.1, 0.2, 0.3, 0.4), (0.7, 0.1, 0.1, 0.1), (0.15, 0.35, 0.05, 0.45)
    world = replace(
        bandit((0.1,) * 3, (0, 1, 2)),
        follows=(shares,) * 4,
        proxy=((0.1,) * 3,) * 4,
        true=((0.0, 1.0, 2.0),) * 4,
        start=(1.0, 0.0, 0.0, 0.0),
        horizon=10,
    )
    solution = exact.solve(world)
    close([solution.true_of_proxy_optimal.low, solution.true_of_proxy_optimal.high], [0.0, 20.0])
    assert solution.class_name is None
    assert not solution.certified


@pytest.mark.parametrize(("chance", "steps"), [(0.25, 1), (0.25, 3), (0.9, 2)])
def test_probability_of_an_event_is_that_of_seeing_it_at_least_once(chance, steps):
    world = replace(bandit((1, 0), (0, 0)), horizon=steps)
    found = event_probability(as_mdp(world), np.array([[chance, 1 - chance]]), "paid")
    close(found, 1 - (1 - chance) ** steps)


# Hidden states.


def test_the_tigers_values_are_those_worked_out_by_hand():
    # 1 step: listen. 2 steps: listen twice, an open door is worth 0.85 * 10 - 0.15 * 100 = -6.5.
    # 3 steps: listen twice; open if both agree, 0.85^2 * 10 - 0.15^2 * 100, else (0.255) listen on.
    by_hand = {1: -1.0, 2: -2.0, 3: -2.0 + 7.225 - 2.25 - 0.255}
    for horizon, value in by_hand.items():
        solution = exact.solve(Tiger(horizon=horizon))
        close(solution.anchors.proxy_max, value)
        close(solution.full_state.proxy_max, 10.0)
    close(solution.anchors.proxy_reference, solution.full_state.proxy_reference)


def test_the_tigers_worst_play_is_to_listen_once_and_open_the_likelier_tigers_door():
    # unheard -45; heard once 0.15 * 10 - 0.85 * 100 = -83.5, which another step of listening costs 1 and leaves
    for horizon, value in {1: -45.0, 2: -84.5, 3: -85.5}.items():
        close(exact.solve(Tiger(horizon=horizon)).anchors.proxy_min, value)


def test_the_tigers_beliefs_after_two_steps_are_the_seven_that_can_arise():
    # the start, one thing heard (2), two things heard (4); an opened door leaves the belief of the start
    found = belief_mdp(as_mdp(Tiger(horizon=2)))
    weights = sorted({round(probability, 6) for belief in found.states for _, probability in belief})
    agree = 0.85**2 / (0.85**2 + 0.15**2)
    assert {0.15, 0.5, 0.85, round(agree, 6), round(1 - agree, 6)} <= set(weights)


@pytest.mark.parametrize("seed", range(4))
def test_beliefs_give_what_all_policies_of_what_was_seen_give(seed):
    rng = np.random.default_rng(seed)
    world = replace(random_table(rng, horizon=2), looks=(0, 0, 1), ends=())
    solution, found = exact.solve(world), blind_returns(world)
    anchors = solution.anchors
    close([anchors.proxy_max, anchors.true_max], found.max(axis=0))
    close([anchors.proxy_min, anchors.true_min], found.min(axis=0))
    tied = found[found[:, 0] >= found[:, 0].max() - 1e-9, 1]
    close([solution.true_of_proxy_optimal.low, solution.true_of_proxy_optimal.high], [tied.min(), tied.max()])
    assert solution.full_state.proxy_max >= anchors.proxy_max - 1e-9


def test_where_everything_is_seen_beliefs_change_nothing():
    for seed in range(2):
        mdp = as_mdp(random_table(np.random.default_rng(seed), states=4, horizon=4))
        one, other = exact.solve(mdp), exact.solve(belief_mdp(mdp))
        for name in ("proxy_max", "proxy_min", "proxy_reference", "true_max", "true_min", "true_reference"):
            close(getattr(one.anchors, name), getattr(other.anchors, name))
        close(one.true_of_proxy_optimal.low, other.true_of_proxy_optimal.low)
        close(one.gap_max, other.gap_max)
        assert one.beliefs is None


def test_uniform_play_earns_the_same_over_states_and_over_beliefs():
    mdp = as_mdp(replace(random_table(np.random.default_rng(8), horizon=4), looks=(0, 0, 1)))
    hidden = belief_mdp(mdp)
    close(returns(mdp, uniform(mdp)), returns(hidden, uniform(hidden)))
