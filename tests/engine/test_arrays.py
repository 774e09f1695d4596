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
        ({"horizon": 3, "terminal": [0, 0, 1]}, r"terminal has the shape \(3,\) and holds booleans"),
    ],
)
def test_episodes_that_do_not_end_and_odd_ends_are_refused(episode, said):
    with pytest.raises(InvalidWorld, match=said):
        FiniteMDP.from_arrays(P, PAID, MEANT, MU, **episode)
