"""MDPs that others wrote: Gymnasium's tables, under rewards that somebody might have paid."""

import gymnasium as gym
import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignment_gym import FiniteMDP, exact

PICK_UP, DROP_OFF = 4, 5
IN_TAXI = 4  # where the passenger is


def arrays(name, states, actions):
    """Return an environment of Gymnasium, its chances and rewards, (S, A, S), and the states that end episodes."""
    env = gym.make(name).unwrapped
    chances, rewards = np.zeros((states, actions, states)), np.zeros((states, actions, states))
    ends = np.zeros(states, dtype=bool)
    for state, action in np.ndindex(states, actions):
        for chance, after, reward, done in env.P[state][action]:
            chances[state, action, after] += chance
            rewards[state, action, after] = reward
            ends[after] |= done
    return env, chances, rewards, ends


@pytest.fixture(scope="module")
def taxi():
    """The taxi, paid 5 for every passenger that gets in, less 1 a step; deliveries are forgotten."""
    env, chances, meant, ends = arrays("Taxi-v4", 500, 6)
    inside = np.array([list(env.decode(state))[2] == IN_TAXI for state in range(500)])
    gets_in = ~inside[:, None, None] & inside & (chances > 0.0)
    paid = np.where(gets_in, 5.0, -1.0)
    start = env.initial_state_distrib
    return FiniteMDP.from_arrays(chances, paid, meant, start, horizon=20, terminal=ends, name="Taxi-v4")


def test_the_frozen_lake_is_crossed_as_often_as_is_known():
    _, chances, reached, ends = arrays("FrozenLake-v1", 16, 4)
    lake = FiniteMDP.from_arrays(chances, reached, -reached, np.eye(16)[0], horizon=100, terminal=ends)
    solution = exact.solve(lake)
    assert_allclose(solution.anchors.proxy_max, 0.7442, atol=5e-5)  # 0.74 in a hundred steps
    assert exact.frontier(lake).verdict == "reversed"


def test_a_taxi_paid_for_passengers_that_get_in_lets_them_out_and_in_again(taxi):
    found = exact.analyse(taxi)
    assert found.solution.class_name == "C"
    assert found.worst.best_paid.scores.hack
    best = found.worst.best_paid.account
    assert best.proxy_return > found.solution.anchors.intended_proxy + 10
    assert best.true_return < found.solution.anchors.true_max - 10
    plan = found.shortest.exploit
    assert plan is not None
    letters = [int(action.split()[1]) for action in plan.actions]
    assert letters.count(PICK_UP) >= 2
    assert DROP_OFF in letters
