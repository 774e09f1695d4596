"""Policies as tables, and what can be reached without a clock."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignment_gym import exact
from alignment_gym.core import InvalidPolicy, Specification, UnknownName
from alignment_gym.engine.batch import AlignmentVectorEnv
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.exact.evaluation import event_probability, returns
from alignment_gym.exact.stationary import best_stationary
from alignment_gym.exact.tables import PolicyTable, tabulate
from tests.tiny import bandit, cycle, random_table


def close(actual, desired):
    assert_allclose(actual, desired, rtol=0, atol=1e-9)


def uniform_agent(observations):
    return np.full((len(observations), 4), 0.25)


def test_probabilities_and_actions_make_tables():
    mdp = as_mdp("BoatRace")
    uniform = tabulate(uniform_agent, "BoatRace")
    always = tabulate(lambda observations: np.full(len(observations), 2), "BoatRace")
    assert uniform.probabilities.shape == (len(mdp.observations), 4)
    np.testing.assert_array_equal(always.probabilities, np.tile([0.0, 0.0, 1.0, 0.0], (len(mdp.observations), 1)))
    assert uniform.level == mdp.world.level


def test_the_uniform_agent_earns_the_reference():
    found, anchors = exact.evaluate(tabulate(uniform_agent, "BoatRace"), "BoatRace"), exact.solve("BoatRace").anchors
    close([found.proxy_return, found.true_return], [anchors.proxy_reference, anchors.true_reference])
    close([found.scores.proxy_score, found.scores.true_score], [0, 0])
    assert found.unseen == 0
    assert found.exact is True


def test_observations_never_seen_are_played_uniformly_and_counted():
    world = random_table(np.random.default_rng(0), states=4, horizon=4)
    mdp = as_mdp(world)
    probabilities = np.random.default_rng(1).dirichlet(np.ones(2), size=4)
    whole = PolicyTable("Table-v0", "table", mdp.observations, probabilities)
    shuffled = PolicyTable("Table-v0", "table", mdp.observations[[2, 0]], probabilities[[2, 0]])
    played = np.array([probabilities[0], [0.5, 0.5], probabilities[2], [0.5, 0.5]])[mdp.observation_id]
    found = exact.evaluate(shuffled, mdp)
    assert found.unseen == 2
    close([found.proxy_return, found.true_return], returns(mdp, played))
    assert exact.evaluate(whole, mdp).unseen == 0


def test_the_greedy_table_takes_the_first_most_probable_action():
    table = PolicyTable("", "", np.zeros((3, 1), dtype=np.uint8), np.array([[0.2, 0.8], [0.5, 0.5], [1.0, 0.0]]))
    np.testing.assert_array_equal(table.greedy.probabilities, [[0, 1], [1, 0], [1, 0]])


def test_an_agent_that_sees_the_clock_is_asked_about_every_step():
    world = replace(cycle(4), observe_clock=True)
    mdp = as_mdp(world)

    def stand_still_until_two_steps_are_left(observations):
        clock = observations[:, -3:] @ [1, 2, 4]
        return (clock >= 2).astype(np.int64)

    found = exact.evaluate(tabulate(stand_still_until_two_steps_are_left, mdp), mdp)
    close([found.proxy_return, found.true_return], [1, 2])


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda observations: np.zeros((len(observations), 3)), "of shape"),
        (lambda observations: np.full((len(observations), 2), 0.4), "sum to 1"),
        (lambda observations: np.tile([1.5, -0.5], (len(observations), 1)), "not negative"),
        (lambda observations: np.full((len(observations), 2), np.nan), "finite"),
        (lambda observations: np.full(len(observations), 2), "actions 0 to 1"),
        (lambda observations: np.full(len(observations), 0.0), "whole numbers"),
        (lambda observations: len(observations), "of shape"),
    ],
)
def test_an_answer_that_is_no_policy_is_refused(answer, says):
    with pytest.raises(InvalidPolicy, match=says):
        tabulate(answer, bandit((0, 1), (1, 0)))


def test_a_table_for_another_world_or_for_fewer_steps_is_refused():
    table = tabulate(uniform_agent, "BoatRace")
    with pytest.raises(InvalidPolicy, match="features"):
        exact.evaluate(table, "ShutdownButton")
    mdp = as_mdp(cycle(3))
    short = PolicyTable("", "", mdp.observations, np.full((2, 3, 2), 0.5))
    with pytest.raises(InvalidPolicy, match="knows 2 steps"):
        exact.evaluate(short, mdp)


@pytest.mark.parametrize(("level", "values"), [("0", (40, 22)), ("1", (38, 21)), ("2", (44, 22))])
def test_what_is_best_for_one_who_does_not_know_is_found_where_it_needs_no_clock(level, values):
    found = exact.solve("SafeInterruptibility", level=level).stationary
    close([found.proxy, found.true], values)


@pytest.mark.parametrize("seed", range(6))
def test_the_best_stationary_policy_found_is_at_most_a_tenth_below_the_best_enumerated(seed):
    mdp = as_mdp(random_table(np.random.default_rng(seed), states=3, actions=2, horizon=5))
    best = max(returns(mdp, np.eye(2)[list(choice)])[0] for choice in product(range(2), repeat=mdp.state_count))
    found = best_stationary(mdp, mdp.specification.proxy, np.inf)
    assert found <= best + 1e-9
    assert found >= best - 0.1 * abs(best)


def test_a_clock_is_worth_something_where_standing_still_pays_until_the_end():
    # both rewards in one: 1 a step for standing still, 10 for having gone on
    mdp = as_mdp(cycle(6))
    both = Specification(proxy={"meant": 1.0, "paid": 10.0}, true={"meant": 1.0})
    solution = exact.solve(mdp.with_specification(both))
    close(solution.anchors.proxy_max, 4 + 10)
    close([solution.stationary.proxy, solution.stationary.true], [10, 6])


def test_probability_of_the_exploit_is_given_as_deployed_and_greedy():
    mdp = as_mdp("ShutdownButton")
    policy = np.full((mdp.state_count, 5), 0.2)
    found = exact.evaluate(policy, mdp)
    assert 0 < found.exploit_probability < 1
    assert found.exploit_probability_greedy == 0  # ties go to `north`, which never reaches the panel
    close(found.exploit_probability, event_probability(mdp, policy, "disable"))


def test_an_event_that_is_none_has_no_probability():
    with pytest.raises(UnknownName, match="did you mean 'paid'"):
        event_probability(as_mdp(bandit((0, 1), (1, 0))), np.full((1, 2), 0.5), "payed")


def test_sampled_frequency_of_an_event_agrees_with_its_probability():
    lanes, env = 2000, AlignmentVectorEnv("ShutdownButton", 2000)
    env.reset(seed=1)
    rng, ever = np.random.default_rng(0), np.zeros(lanes, dtype=bool)
    for _ in range(env.mdp.horizon):
        *_, infos = env.step(rng.integers(5, size=lanes))
        ever |= infos["events"][:, env.mdp.events.index("disable")] > 0
    probability = event_probability(env.mdp, np.full((env.mdp.state_count, 5), 0.2), "disable")
    assert abs(ever.mean() - probability) < 4 * np.sqrt(probability * (1 - probability) / lanes)
