"""MDPs from plain arrays: what they mean, and what is refused."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignment_gym import FiniteMDP, exact
from alignment_gym.core import InvalidWorld
from alignment_gym.exact.evaluation import returns

# From state 0, action 1 leads to 1 or ends in 2; state 1 pays 1 to the proxy for staying.
P = np.array([[[1.0, 0, 0], [0, 0.5, 0.5]], [[0, 1.0, 0], [1.0, 0, 0]], [[0, 0, 1.0], [0, 0, 1.0]]])
PAID = np.array([[0.0, 0.0], [1.0, 0.0], [9.0, 9.0]])
MEANT = np.zeros((3, 2, 3))
MEANT[0, 1, 2] = 4.0
MU = [1.0, 0.0, 0.0]
ENDS = np.array([False, False, True])


def changed(array, place, value):
    copy = np.array(array, dtype=float)
    copy[place] = value
    return copy


def test_returns_are_those_worked_out_by_hand():
    mdp = FiniteMDP.from_arrays(P, PAID, MEANT, MU, horizon=3, terminal=ENDS)
    go_and_stay = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    assert_allclose(returns(mdp, go_and_stay), [0.5 * 2, 0.5 * 4])  # half ends at once, half is paid for two steps
    assert_allclose(exact.solve(mdp).anchors.proxy_max, 1.0)


def test_a_discount_without_horizon_and_with_one():
    stay = np.array([[1.0, 0.0]] * 3)
    endless = FiniteMDP.from_arrays(P, PAID, MEANT, [0, 1, 0], gamma=0.9)
    assert_allclose(returns(endless, stay), [10.0, 0.0])
    two_steps = FiniteMDP.from_arrays(P, PAID, MEANT, [0, 1, 0], horizon=2, gamma=0.9)
    assert_allclose(returns(two_steps, stay), [1.9, 0.0])


def test_without_terminal_states_episodes_go_on():
    mdp = FiniteMDP.from_arrays(P, PAID, MEANT, MU, horizon=3)
    assert_allclose(exact.solve(mdp).anchors.proxy_max, 0.5 * 18 + 0.5 * 2)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ((changed(P, (1, 1, 0), 0.25), PAID, MEANT, MU), r"P\[1, 1\] sums to 0\.25 over next states, not to 1"),
        ((changed(P, (0, 1), [0, 1.5, -0.5]), PAID, MEANT, MU), r"P\[0, 1, 2\] is -0\.5"),
        ((changed(P, (2, 0, 1), np.nan), PAID, MEANT, MU), r"P\[2, 0, 1\] is nan"),
        ((P[:, :, :2], PAID, MEANT, MU), r"P has the shape \(S, A, S\).*not \(3, 2, 2\)"),
        ((P[0], PAID, MEANT, MU), r"P has the shape \(S, A, S\).*not \(2, 3\)"),
        ((P, changed(PAID, (2, 1), np.inf), MEANT, MU), r"r_proxy\[2, 1\] is inf"),
        ((P, PAID, changed(MEANT, (0, 1, 2), np.nan), MU), r"r_true\[0, 1, 2\] is nan"),
        ((P, PAID.T, MEANT, MU), r"r_proxy has the shape \(3, 2\).*not \(2, 3\)"),
        ((P, PAID, MEANT, [0.5, 0.4, 0.0]), "mu sums to 0.9, not to 1"),
        ((P, PAID, MEANT, [1.5, -0.5, 0.0]), r"mu\[1\] is -0\.5"),
        ((P, PAID, MEANT, [1.0, 0.0]), r"mu has the shape \(3,\).*not \(2,\)"),
        (("words", PAID, MEANT, MU), "P is no array of numbers"),
        ((P.astype(complex), PAID, MEANT, MU), "P is no array of numbers: complex128 is not real"),
        ((P, PAID, [[1j, 0]] * 3, MU), "r_true is no array of numbers: complex128 is not real"),
        ((changed(P, (0, 0, 0), 1 - 2e-6), PAID, MEANT, MU), r"P\[0, 0\] sums to 0\.999998"),
    ],
)
def test_arrays_that_are_no_mdp_are_refused_with_the_index_at_fault(arrays, said):
    with pytest.raises(InvalidWorld, match=said):
        FiniteMDP.from_arrays(*arrays, horizon=3)


@pytest.mark.parametrize(
    ("episode", "said"),
    [
        ({}, "without a horizon the discount must be below 1, not 1"),
        ({"gamma": 1.0}, "without a horizon the discount must be below 1, not 1"),
        ({"gamma": 1.5}, "a discount lies above 0 and is at most 1, not 1.5"),
        ({"gamma": float("nan")}, "a discount lies above 0 and is at most 1, not nan"),
        ({"horizon": 0}, "at least 1 step, not horizon = 0"),
        ({"horizon": 2.5}, "a horizon is a whole number of steps, or None, not 2.5"),
        ({"horizon": True}, "a horizon is a whole number of steps, or None, not True"),
        ({"horizon": "3"}, "a horizon is a whole number of steps, or None, not '3'"),
        ({"horizon": 3, "gamma": None}, "gamma is a number above 0 and at most 1, not None"),
        ({"horizon": 3, "gamma": "0.9"}, "gamma is a number above 0 and at most 1, not '0.9'"),
        ({"horizon": 3, "gamma": 0.9j}, "gamma is a number above 0 and at most 1, not 0.9j"),
        ({"horizon": 3, "terminal": [0.0, 0.0, 1.0]}, r"terminal has the shape \(3,\) and holds booleans"),
        ({"horizon": 3, "terminal": [False, True]}, r"terminal has the shape \(3,\) and holds booleans"),
        ({"horizon": 3, "terminal": [0, 0, 2]}, r"terminal\[2\] is 2"),
        ({"horizon": 3, "terminal": [1, 0, 1]}, r"mu\[0\] is 1, and this state is terminal; an episode does not begin"),
    ],
)
def test_episodes_that_do_not_end_and_odd_ends_are_refused(episode, said):
    with pytest.raises(InvalidWorld, match=said):
        FiniteMDP.from_arrays(P, PAID, MEANT, MU, **episode)


def test_ends_may_be_told_by_zeros_and_ones_and_numbers_be_numpys():
    told = FiniteMDP.from_arrays(P, PAID, MEANT, MU, np.int64(3), np.float32(0.5), terminal=[0, 0, 1])
    same = FiniteMDP.from_arrays(P, PAID, MEANT, MU, 3, 0.5, terminal=ENDS)
    assert [told.terminated.tolist(), told.horizon, told.discount] == [same.terminated.tolist(), 3, 0.5]
    assert [type(told.horizon), type(told.discount)] == [int, float]
    assert same.terminated.any()


def test_rows_of_float32_are_scaled_to_sum_to_one():
    chances = np.random.default_rng(0).dirichlet(np.ones(5), size=(5, 2))
    single = chances.astype(np.float32)
    mdp = FiniteMDP.from_arrays(single, np.zeros((5, 2)), np.zeros((5, 2)), single[0, 0], horizon=2)
    assert np.abs(single.astype(float).sum(axis=2) - 1).max() > 1e-9
    sums = np.add.reduceat(mdp.probability, mdp.offset[:-1])
    assert_allclose([*sums, mdp.start_probability.sum()], 1, rtol=0, atol=4e-16)
    exactly = FiniteMDP.from_arrays(chances, np.zeros((5, 2)), np.zeros((5, 2)), chances[0, 0], horizon=2)
    assert_allclose(exactly.probability, chances.ravel(), rtol=0, atol=4e-16)


def test_tables_are_told_in_a_line_and_so_is_what_holds_them():
    mdp = FiniteMDP.from_arrays(P, PAID, MEANT, MU, horizon=3, gamma=0.9, terminal=ENDS, name="a fork")
    assert repr(mdp) == "FiniteMDP('a fork', 3 states, 2 actions, horizon=3, discount=0.9)"
    endless = FiniteMDP.from_arrays(P, PAID, MEANT, MU, gamma=0.5)
    assert repr(endless) == "FiniteMDP('arrays', 3 states, 2 actions, discount=0.5)"
    assert repr(mdp) in repr(exact.frontier(mdp))
