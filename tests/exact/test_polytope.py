"""The occupancy polytope: every policy solves it, and its dimension is the one known."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignment_gym import FiniteMDP
from alignment_gym.core import TooLargeToEnumerate
from alignment_gym.exact.evaluation import returns
from alignment_gym.exact.polytope import polytope
from tests.tiny import every_kind, random_arrays


@pytest.mark.parametrize("seed", range(4))
def test_visits_of_every_policy_solve_the_system_and_give_its_returns(seed):
    rng = np.random.default_rng(seed)
    for mdp in every_kind(seed):
        omega = polytope(mdp)
        steps = () if mdp.horizon is None else (mdp.horizon,)
        policy = rng.dirichlet(np.ones(len(mdp.actions)), size=(*steps, mdp.state_count))
        eta = omega.occupancy(mdp, policy)
        assert_allclose(omega.balance @ eta, omega.start, atol=1e-12)
        assert_allclose(omega.rewards @ eta, returns(mdp, policy), atol=1e-9)
        assert_allclose(omega.occupancy(mdp, omega.policy(eta, mdp)), eta, atol=1e-12)


def test_every_row_is_needed_and_the_dimension_is_that_of_free_choices():
    for mdp in every_kind(9):
        omega = polytope(mdp)
        rows, columns = omega.balance.shape
        assert np.linalg.matrix_rank(omega.balance.toarray()) == rows
        assert columns - rows == rows * (len(mdp.actions) - 1)


def test_ka_11_visits_sum_to_the_inverse_of_the_lost_discount():
    endless = FiniteMDP.from_arrays(np.ones((1, 2, 1)), [[0, 0]], [[0, 0]], [1.0], gamma=0.9)
    omega = polytope(endless)
    assert_allclose(omega.balance.toarray(), [[0.1, 0.1]], atol=1e-9)
    assert_allclose(omega.occupancy(endless, np.array([[0.5, 0.5]])), [5, 5], atol=1e-9)


def test_states_that_cannot_be_reached_have_no_row():
    P = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    assert polytope(FiniteMDP.from_arrays(P, [[1], [1]], [[1], [1]], [1, 0], gamma=0.5)).state.tolist() == [0]


def test_more_columns_than_allowed_are_refused():
    with pytest.raises(TooLargeToEnumerate, match="more than 10 pairs"):
        polytope(random_arrays(np.random.default_rng(0), horizon=4), limit=10)


def test_episodes_that_all_end_before_the_horizon_have_their_polytope():
    P = np.array([[[0.0, 1.0]], [[0.0, 1.0]]])
    short = FiniteMDP.from_arrays(P, [[1], [0]], [[2], [0]], [1, 0], horizon=3, terminal=[False, True])
    omega = polytope(short)
    assert_allclose(omega.rewards @ omega.occupancy(short, np.ones((2, 1))), [1, 2])
    ended = replace(short, final=np.ones((2, 2)))  # paid where the episode terminates
    assert_allclose(polytope(ended).rewards[:, 0], returns(ended, np.ones((2, 1))))
