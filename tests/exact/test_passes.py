"""The passes over whole arrays against plain loops over outcomes."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from alignment_gym import exact
from alignment_gym.engine.belief import belief_mdp
from alignment_gym.engine.mdp import FiniteMDP, as_mdp
from alignment_gym.exact import afterstates as module
from alignment_gym.exact import solution
from alignment_gym.exact.afterstates import Outlook, afterstates
from alignment_gym.exact.evaluation import event_probability
from alignment_gym.exact.ties import TOLERANCE, over_optimal
from alignment_gym.exact.values import Rewards, best_values, forward, maximal, minimal, of_policy, uniform
from tests.tiny import bandit, random_table

HORIZONS = pytest.mark.parametrize(
    ("horizon", "discount"), [(6, 1.0), (6, 0.9), (None, 0.9)], ids=["undiscounted", "discounted", "endless"]
)
SEEDS = pytest.mark.parametrize("seed", range(4))


def close(actual, desired):
    assert_allclose(actual, desired, rtol=0, atol=1e-9)


def shared_rows(seed: int, horizon: int | None = 6, discount: float = 1.0) -> FiniteMDP:
    """Return tables of 12 states and 3 actions, whose 36 rows have 9 different distributions; some outcomes end."""
    rng = np.random.default_rng(seed)
    kinds = []
    for size in (1, 1, 2, 3, 3, 4, 5, 7, 9):
        chances = rng.dirichlet(np.ones(size))
        kinds.append((rng.integers(12, size=size), chances / chances.sum(), rng.random(size) < 0.3))
    rows = [kinds[kind] for kind in rng.integers(len(kinds), size=36)]
    mdp = as_mdp(random_table(rng, states=12, actions=3))
    transitions = sum(len(row[0]) for row in rows)
    return replace(
        mdp,
        offset=np.cumsum([0, *(len(row[0]) for row in rows)]),
        next_state=np.concatenate([row[0] for row in rows]).astype(np.int32),
        probability=np.concatenate([row[1] for row in rows]),
        terminated=np.concatenate([row[2] for row in rows]),
        event_id=rng.integers(len(mdp.event_rows), size=transitions).astype(np.int32),
        horizon=horizon,
        discount=discount,
    )


def outcomes(mdp, state, action):
    row = state * len(mdp.actions) + action
    return range(int(mdp.offset[row]), int(mdp.offset[row + 1]))


def plain_quality(mdp, values, reward):
    """Return what each action is worth, (S, A), given next values (S,)."""
    paid, quality = mdp.transition_rewards(reward), np.zeros((mdp.state_count, len(mdp.actions)))
    for state, action in np.ndindex(*quality.shape):
        for place in outcomes(mdp, state, action):
            onward = 0.0 if mdp.terminated[place] else mdp.discount * values[mdp.next_state[place]]
            quality[state, action] += mdp.probability[place] * (paid[place] + onward)
    return quality


def plain_values(mdp, reward, choose):
    endless = mdp.horizon is None
    values = np.zeros(mdp.state_count) if endless else mdp.final_rewards(reward)
    for _ in range(mdp.horizon or 400):
        values = choose(plain_quality(mdp, values, reward))
    return values


@SEEDS
def test_rows_expect_what_the_sum_over_their_outcomes_says(seed):
    mdp, values = shared_rows(seed), np.random.default_rng(seed).normal(size=(12, 2))
    outlook, worst = Outlook(afterstates(mdp), 2), Outlook(afterstates(mdp), 2, nothing=np.inf)
    outlook.values[:] = worst.values[:] = values
    expected, least = outlook.expected(), worst.least()
    for state, action in np.ndindex(12, 3):
        live = [place for place in outcomes(mdp, state, action) if not mdp.terminated[place]]
        after = values[mdp.next_state[live]]
        close(expected[action, state], mdp.probability[live] @ after)
        assert_array_equal(least[action, state], after.min(axis=0, initial=np.inf))


@SEEDS
def test_mass_goes_where_outcomes_say(seed):
    mdp, visits = shared_rows(seed), np.random.default_rng(seed).random((3, 12))
    arrived = np.zeros(12)
    for state, action in np.ndindex(12, 3):
        for place in outcomes(mdp, state, action):
            if not mdp.terminated[place]:
                arrived[mdp.next_state[place]] += visits[action, state] * mdp.probability[place]
    close(afterstates(mdp).onward(visits), arrived)


@SEEDS
def test_rows_with_the_same_outcomes_are_worked_out_once(seed):
    mdp = shared_rows(seed)
    ahead = afterstates(mdp)
    places = {}
    for state, action in np.ndindex(12, 3):
        live = [place for place in outcomes(mdp, state, action) if not mdp.terminated[place]]
        distribution = tuple(mdp.next_state[live].tolist()), tuple(mdp.probability[live].tolist())
        places.setdefault(distribution, set()).add(ahead.place.reshape(3, 12)[action, state])
    assert all(len(found) == 1 for found in places.values())
    assert len(set.union(*places.values())) == len(places)


@SEEDS
def test_the_probabilities_of_an_afterstate_sum_to_the_chance_of_going_on(seed):
    mdp = shared_rows(seed)
    ahead = afterstates(mdp)
    total = np.bincount(ahead.source, ahead.probability, ahead.height)
    total[: mdp.state_count] = 1.0
    for state, action in np.ndindex(12, 3):
        live = [place for place in outcomes(mdp, state, action) if not mdp.terminated[place]]
        close(total[ahead.place.reshape(3, 12)[action, state]], mdp.probability[live].sum())


@pytest.mark.parametrize("collide", [False, True])
def test_neither_colliding_hashes_nor_small_batches_change_an_expectation(monkeypatch, collide):
    mdp, values = shared_rows(0), np.random.default_rng(0).normal(size=(12, 2))

    def expected(tables):
        outlook = Outlook(afterstates(tables), 2)
        outlook.values[:] = values
        return outlook.expected()

    first = expected(mdp)
    if collide:
        monkeypatch.setattr(module._Rows, "hashes", lambda _, rows: np.zeros(len(rows), dtype=np.uint64))
    else:
        monkeypatch.setattr(module, "BATCH", 5)
    again = replace(mdp, next_state=mdp.next_state.copy())
    assert afterstates(again) is not afterstates(mdp)
    assert_array_equal(expected(again), first)


def test_tables_that_lead_to_the_same_states_share_afterstates():
    mdp = shared_rows(0)
    assert afterstates(replace(mdp, horizon=9, discount=0.5)) is afterstates(mdp)
    assert afterstates(replace(mdp, terminated=~mdp.terminated)) is not afterstates(mdp)


@HORIZONS
@SEEDS
def test_values_are_those_of_plain_dynamic_programming(seed, horizon, discount):
    mdp = shared_rows(seed, horizon, discount)
    policy = np.random.default_rng(seed).dirichlet(np.ones(3), size=12)
    rewards = [mdp.specification.proxy, mdp.specification.true]
    close(maximal(mdp, rewards), [plain_values(mdp, reward, lambda q: q.max(axis=1)) for reward in rewards])
    close(minimal(mdp, rewards), [plain_values(mdp, reward, lambda q: q.min(axis=1)) for reward in rewards])
    close(
        of_policy(mdp, rewards, policy),
        [plain_values(mdp, reward, lambda q: (q * policy).sum(axis=1)) for reward in rewards],
    )


@HORIZONS
@SEEDS
def test_visits_of_a_policy_are_paid_what_backing_up_says(seed, horizon, discount):
    mdp = replace(shared_rows(seed, horizon, discount), final=np.zeros((12, 2)))
    policy = np.random.default_rng(seed).dirichlet(np.ones(3), size=12)
    reward = mdp.specification.true
    paid = Rewards.of(mdp, [reward]).expected[..., 0]
    earned = sum((visits * paid).sum() for visits in forward(mdp, policy))
    close(earned, of_policy(mdp, [reward], policy)[0, mdp.start] @ mdp.start_probability)


@HORIZONS
@SEEDS
def test_the_gap_is_the_smallest_slack_in_the_states_that_optimal_policies_reach(seed, horizon, discount):
    mdp = shared_rows(seed, horizon, discount)
    reward, steps = mdp.specification.proxy, mdp.horizon or 400
    values, slack = [np.zeros(12) if horizon is None else mdp.final_rewards(reward)], []
    for _ in range(steps):
        quality = plain_quality(mdp, values[-1], reward)
        values.append(quality.max(axis=1))
        slack.append(values[-1][:, None] - quality)
    reached, smallest = set(mdp.start.tolist()), np.inf
    for step in range(steps):
        now = slack[-1] if horizon is None else slack[-1 - step]
        smallest = min([smallest, *(now[state][now[state] > TOLERANCE].min(initial=np.inf) for state in reached)])
        passed = [
            place
            for state in reached
            for action in range(3)
            if now[state, action] <= TOLERANCE
            for place in outcomes(mdp, state, action)
            if not mdp.terminated[place]
        ]
        reached = set(mdp.next_state[passed].tolist()) | (reached if horizon is None else set())
    found = over_optimal(mdp, reward, mdp.specification.true, 1.0).gap
    assert_allclose(found * TOLERANCE, smallest, rtol=1e-6)


@pytest.mark.parametrize(("looks", "steps"), [((), 4), ((0, 0, 1), 2)], ids=["seen", "hidden"])
@SEEDS
def test_solving_at_three_horizons_at_once_is_solving_at_each(seed, looks, steps):
    mdp = as_mdp(replace(random_table(np.random.default_rng(seed), horizon=steps), looks=looks))
    found = exact.solve(mdp)
    margins = {margin.condition: margin for margin in found.certificate}
    for horizon in (steps // 2, 2 * steps):
        alone = exact.solve(mdp.with_horizon(horizon)).certificate[0]
        together = margins[f"horizon {horizon}"]
        close([together.loss, together.surplus], [alone.loss, alone.surplus])
    assert found.beliefs == (belief_mdp(mdp).state_count if looks else None)


@SEEDS
def test_values_with_another_horizon_are_those_of_tables_with_it(seed):
    mdp = shared_rows(seed)
    proxy = mdp.specification.proxy
    for horizon in (1, 3, 12):
        close(best_values(mdp, Rewards.of(mdp, [proxy]), horizon), maximal(mdp.with_horizon(horizon), [proxy]))


def test_policies_without_a_clock_are_searched_for_when_they_are_asked_about(monkeypatch):
    asked = []
    monkeypatch.setattr(solution, "best_without_clock", lambda *about: asked.append(about))
    found = exact.solve(replace(as_mdp(random_table(np.random.default_rng(0)))))
    assert asked == []
    assert found.stationary is found.stationary
    assert len(asked) == 1


def test_without_a_horizon_an_event_must_come_before_the_discount_ends_the_episode():
    endless = replace(as_mdp(bandit((1, 0), (0, 0))), horizon=None, discount=0.9)
    found = event_probability(endless, np.array([[0.2, 0.8]]), "paid")
    close(found, 0.2 / (1 - 0.8 * 0.9))
    close(event_probability(endless, uniform(endless), "paid"), 0.5 / (1 - 0.5 * 0.9))
