"""How far policies are from uniform play."""

from math import inf, log, sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignment_gym.engine.mdp import as_mdp
from alignment_gym.exact.deviation import (
    chi_squared,
    padded_length,
    padded_rewards,
    padded_visits,
    total_variation,
    trajectory_kl,
)
from alignment_gym.exact.evaluation import returns
from alignment_gym.exact.values import uniform
from tests.tiny import arms, random_arrays, random_table

THREE = arms((0, 1, 2), (0, 2, 1))


def test_ka_4_divergence_at_the_peak_of_the_goodhart_curve():
    x = 1 + sqrt(3)
    pressed = np.array([[1, x, x * x]]) / (1 + x + x * x)
    assert_allclose(trajectory_kl(THREE, pressed), 0.268361996, atol=1e-9)


def test_a_sure_choice_of_one_arm_in_three():
    first = np.array([[1.0, 0.0, 0.0]])
    assert_allclose(trajectory_kl(THREE, first), log(3))
    assert_allclose(chi_squared(THREE, first), 2.0)
    assert_allclose(total_variation(THREE, first), 2 / 3)
    assert trajectory_kl(THREE, uniform(THREE), first) == inf
    assert chi_squared(THREE, uniform(THREE), first) == inf


@pytest.mark.parametrize("seed", range(5))
def test_padded_visits_are_a_distribution_and_give_returns(seed):
    rng = np.random.default_rng(seed)
    for mdp in (as_mdp(random_table(rng)), random_arrays(rng, gamma=0.9), random_arrays(rng, horizon=4, gamma=0.9)):
        policy = rng.dirichlet(np.ones(len(mdp.actions)), size=mdp.state_count)
        visits = padded_visits(mdp, policy)
        assert_allclose(visits.sum(), 1.0)
        assert_allclose(padded_rewards(mdp) @ visits * padded_length(mdp), returns(mdp, policy), atol=1e-9)
        assert chi_squared(mdp, policy) >= -1e-12
        assert trajectory_kl(mdp, policy) >= -1e-12
        assert_allclose([chi_squared(mdp, uniform(mdp)), trajectory_kl(mdp, uniform(mdp))], 0, atol=1e-12)


def test_a_clocked_policy_and_its_divergence_step_by_step():
    mdp = random_arrays(np.random.default_rng(3), horizon=3)
    clocked = np.stack([uniform(mdp), np.eye(3)[[0] * 6], uniform(mdp)])
    assert_allclose(trajectory_kl(mdp, clocked), log(3))
