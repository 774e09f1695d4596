"""Answers known by hand, under the numbers of the definitions' own list (KA)."""

from dataclasses import replace
from math import exp, isnan, log, sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignment_gym import FiniteMDP, exact
from alignment_gym.core import InvalidWorld, TooLargeToEnumerate, World
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.exact.ties import over_optimal
from alignment_gym.exact.values import at_start, maximal, minimal, occupancy, uniform
from alignment_gym.metrics.scores import Anchors, scores
from tests.tiny import DeepMindBoatRace, arms, bandit, cycle

ALIGNED = bandit((1, 0), (2, 1))  # KA-1
OPPOSED = bandit((1, 0), (0, 1))  # KA-2
DROP = bandit((0, 1, 2), (0, 2, -1))  # KA-3
HUMP = bandit((0, 1, 2), (0, 2, 1))  # KA-4
TIED = bandit((1, 1, 0), (1, -1, 0))  # KA-7
COMPATIBLE = bandit((0, 1, 2), (1, 0, 2))  # another order below the same optimum
MIXED = bandit((1, 1, 0, 0), (1, -2, 2, -1))  # ties on both sides of uniform play
RACE = DeepMindBoatRace(horizon=100)  # KA-9


def close(actual, desired, **more):
    assert_allclose(actual, desired, rtol=0, atol=1e-9, **more)


def play(world: World, *probabilities: float) -> exact.Evaluation:
    return exact.evaluate(np.array([probabilities], dtype=float), world)


def only(world: World, arm: int) -> exact.Evaluation:
    return play(world, *np.eye(len(world.actions))[arm])


@pytest.mark.parametrize(
    ("world", "proxy", "true", "kappa"),
    [
        pytest.param(ALIGNED, (1, 0, 0.5), (2, 1, 1.5), (0.5, 0.5), id="KA-1"),
        pytest.param(OPPOSED, (1, 0, 0.5), (1, 0, 0.5), (0.5, 0.5), id="KA-2"),
        pytest.param(DROP, (2, 0, 1), (2, -1, 1 / 3), (0.5, 5 / 9), id="KA-3"),
        pytest.param(HUMP, (2, 0, 1), (2, 0, 1), (0.5, 0.5), id="KA-4"),
        pytest.param(TIED, (1, 0, 2 / 3), (1, -1, 0), (1 / 3, 0.5), id="KA-7"),
        pytest.param(RACE, (50, -100, -62.125), (100, -100, -50), (0.7475, 0.75), id="KA-9"),
    ],
)
def test_anchors_and_conditioning_are_the_known_ones(world, proxy, true, kappa):
    solution = exact.solve(world)
    anchors = solution.anchors
    close([anchors.proxy_max, anchors.proxy_min, anchors.proxy_reference], proxy)
    close([anchors.true_max, anchors.true_min, anchors.true_reference], true)
    close([solution.kappa_proxy, solution.kappa_true], kappa)


@pytest.mark.parametrize(
    ("world", "class_name", "true_range", "intended"),
    [
        pytest.param(ALIGNED, "A", (2, 2), 1, id="KA-1"),
        pytest.param(COMPATIBLE, "A'", (2, 2), 2, id="compatible"),
        pytest.param(TIED, "B", (-1, 1), 1, id="KA-7"),
        pytest.param(RACE, "B", (0, 100), 50, id="KA-9"),
        pytest.param(HUMP, "C", (1, 1), 1, id="KA-4"),
        pytest.param(MIXED, "M", (-2, 1), 0, id="mixed"),
        pytest.param(OPPOSED, "D", (0, 0), 0, id="KA-2"),
        pytest.param(DROP, "D", (-1, -1), 1, id="KA-3"),
    ],
)
def test_class_ties_and_intended_proxy_are_the_known_ones(world, class_name, true_range, intended):
    solution = exact.solve(world)
    assert solution.class_name == class_name
    close([solution.true_of_proxy_optimal.low, solution.true_of_proxy_optimal.high], true_range)
    close(solution.anchors.intended_proxy, intended)


@pytest.mark.parametrize(
    ("world", "proxy_scores", "true_scores"),
    [
        pytest.param(ALIGNED, (1, -1), (1, -1), id="KA-1"),
        pytest.param(OPPOSED, (1, -1), (-1, 1), id="KA-2"),
        pytest.param(DROP, (-1, 0, 1), (-1 / 5, 1, -4 / 5), id="KA-3"),
        pytest.param(HUMP, (-1, 0, 1), (-1, 1, 0), id="KA-4"),
        pytest.param(TIED, (1, 1, -2), (1, -1, 0), id="KA-7"),
    ],
)
def test_scores_of_every_arm_are_the_known_ones(world, proxy_scores, true_scores):
    found = [only(world, arm).scores for arm in range(len(world.actions))]
    close([each.proxy_score for each in found], proxy_scores)
    close([each.true_score for each in found], true_scores)
    close([each.hacking_gap for each in found], np.subtract(proxy_scores, true_scores))


@pytest.mark.parametrize(
    ("world", "largest"),
    [(ALIGNED, 0), (OPPOSED, 2), (DROP, 9 / 5), (HUMP, 1), (TIED, 2)],
    ids=["KA-1", "KA-2", "KA-3", "KA-4", "KA-7"],
)
def test_largest_hacking_gap_is_that_of_the_worst_arm(world, largest):
    close(exact.solve(world).gap_max, largest)


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        pytest.param(ALIGNED, (False, False), id="KA-1"),
        pytest.param(OPPOSED, (True, False), id="KA-2"),
        pytest.param(DROP, (False, False, True), id="KA-3"),
        pytest.param(HUMP, (False, False, False), id="KA-4"),
    ],
)
def test_which_arms_are_worse_than_random_is_known(world, expected):
    assert tuple(only(world, arm).scores.worse_than_random for arm in range(len(world.actions))) == expected


def test_ka_3_no_true_score_is_lower_than_conditioning_allows():
    solution = exact.solve(DROP)
    lowest = 1 - 1 / solution.kappa_true
    close([lowest, only(DROP, 2).scores.true_score], -4 / 5)
    close(exact.frontier(DROP).scores[:, 1].min(), lowest)


@pytest.mark.parametrize(
    ("proxy", "true", "degrees"),
    [
        pytest.param((1, 0), (2, 1), 0, id="KA-1"),
        pytest.param((1, 0), (0, 1), 180, id="KA-2"),
        pytest.param((0, 1, 2), (0, 2, -1), 109.10660535, id="KA-3"),
        pytest.param((0, 1, 2), (0, 2, 1), 60, id="KA-4"),
        pytest.param((1, 1, 0), (1, -1, 0), 90, id="KA-7"),
    ],
)
def test_angles_in_degrees_and_distances_of_length_one_are_the_known_ones(proxy, true, degrees):
    found = exact.geometry(arms(proxy, true))
    assert_allclose(np.degrees(found.angle), degrees, rtol=0, atol=1e-8)
    close(2 * found.starc_minimal, 2 * np.sin(np.radians(degrees) / 2))  # 2 for KA-2


def test_deepmind_boat_race_leaves_the_true_score_open_between_a_third_and_one():
    solution = exact.solve(RACE)
    low, high = solution.true_of_proxy_optimal.low, solution.true_of_proxy_optimal.high
    ends = [scores(50.0, true_return, solution.anchors).true_score for true_return in (low, high)]
    close(ends, (1 / 3, 1))


def test_ka_4_true_score_peaks_at_moderate_pressure():
    x = 1 + sqrt(3)  # exp(beta) at the peak of 2x / (1 + x + x^2) + x^2 / (1 + x + x^2)
    weights = np.array([1, x, x * x])
    found = play(HUMP, *(weights / weights.sum()))
    close([found.true_return, found.scores.proxy_score], [2 / sqrt(3), 1 / sqrt(3)])
    close(found.scores.true_score, 2 / sqrt(3) - 1)
    for beta in (log(x) - 0.01, log(x) + 0.01):
        pressed = np.array([1, exp(beta), exp(2 * beta)])
        assert play(HUMP, *(pressed / pressed.sum())).true_return < found.true_return


def test_ka_11_occupancy_sums_to_the_inverse_of_the_lost_discount():
    endless = replace(as_mdp(bandit((0, 0), (0, 0))), horizon=None, discount=0.9)
    eta = occupancy(endless, uniform(endless))
    close(eta, [[5.0, 5.0]])
    close((0.1 * eta).sum(), 1.0)  # B eta = mu


def test_discounted_values_of_a_two_state_world_solve_their_equations():
    # KA-6's world: paid 1 for switching away from state 0; V0 = 1 + 0.9 V1 and V1 = 0.9 V0.
    world = cycle(2)
    mdp = as_mdp(
        replace(
            world,
            follows=(((1.0, 0.0), (0.0, 1.0)), ((0.0, 1.0), (1.0, 0.0))),
            proxy=((0.0, 1.0), (0.0, 0.0)),
            true=((0.0, 0.0), (0.0, 0.0)),
            start=(1.0, 0.0),
            ends=(),
        )
    )
    endless = replace(mdp, horizon=None, discount=0.9)
    close(maximal(endless, [{"paid": 1.0}]), [[1 / 0.19, 0.9 / 0.19]])
    close(minimal(endless, [{"paid": 1.0}]), [[0.0, 0.0]])
    solution = exact.solve(endless)
    close([solution.anchors.proxy_max, solution.anchors.proxy_reference], [5.263157894736842, 2.75])


STAY_SWITCH = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]])  # KA-6's two states


def paid_for(*entry: int) -> np.ndarray:
    """Return a reward of 1 for one (state, action, next state)."""
    reward = np.zeros((2, 2, 2))
    reward[entry] = 1.0
    return reward


def between(proxy: np.ndarray, true: np.ndarray, start: tuple[float, float] = (1.0, 0.0)) -> FiniteMDP:
    return FiniteMDP.from_arrays(STAY_SWITCH, proxy, true, start, gamma=0.9)


FIRST, SECOND = paid_for(0, 1, 1), paid_for(1, 1, 0)
POTENTIAL = np.array([0.0, 10.0])
SHAPED = FIRST + 0.9 * POTENTIAL - POTENTIAL[:, None, None]


@pytest.mark.parametrize(
    ("start", "best", "even", "shift"),
    [((1, 0), 5.263157894736842, 2.75, 0), ((0, 1), 4.736842105263158, 2.25, -10)],
    ids=["from state 0", "from state 1"],
)
def test_ka_6_shaping_moves_all_returns_alike(start, best, even, shift):
    anchors = exact.solve(between(FIRST, SHAPED, start)).anchors
    close([anchors.proxy_max, anchors.proxy_reference, anchors.proxy_min], [best, even, 0])
    close([anchors.true_max, anchors.true_reference, anchors.true_min], np.add([best, even, 0], shift))


def test_ka_6_every_analysis_calls_the_shaped_reward_the_same():
    mdp = between(FIRST, SHAPED)
    assert exact.solve(mdp).class_name == "A"
    assert exact.frontier(mdp).verdict == exact.geometry(mdp).verdict == "equivalent"
    curve, ascent = exact.goodhart_curve(mdp), exact.steepest_ascent(mdp)
    close([curve.drop, ascent.drop, exact.frontier(mdp).gap_max, exact.starc_val(mdp)], 0)
    close(curve.proxy_score, curve.true_score)
    close(exact.epic_distance(FIRST, SHAPED, 0.9), 0)


def test_ka_6_canonical_rewards_show_in_the_distance_from_their_mirror_image():
    # Levelled, the reward is (-.275, .275, -.225, .225), projected (-100, 91, -81, 90) / 362; paid for in state 1
    # instead, both have their halves exchanged, so that their cosines are 99 / 101 and 90 / 91.
    mdp = between(FIRST, SECOND)
    close(exact.starc_val(mdp), sqrt(1 / 101))
    close(exact.geometry(mdp).cosine, 90 / 91)
    # EPIC's rows, (-.1375, -.3625), (-.1375, .6375) and twice (.1125, -.1125), are exchanged alike: .12375 / .62625
    close(exact.epic_distance(FIRST, SECOND, 0.9), sqrt((1 - 33 / 167) / 2))


def test_ka_19_what_never_happens_moves_no_return():
    mdp = between(FIRST, FIRST + 7 * paid_for(0, 0, 1))
    policies = np.random.default_rng(0).dirichlet(np.ones(2), size=(5, 2))
    for found in (exact.evaluate(policy, mdp) for policy in policies):
        close(found.true_return, found.proxy_return)
    assert exact.solve(mdp).class_name == "A"
    close([exact.starc_val(mdp), exact.geometry(mdp).angle], 0)


def test_ka_20_trivial_rewards_leave_scores_undefined_and_say_why():
    flat_true = only(bandit((0, 1), (1, 1)), 1).scores
    close(flat_true.proxy_score, 1)
    assert isnan(flat_true.true_score)
    assert isnan(flat_true.true_loss)
    assert isnan(flat_true.hacking_gap)
    assert {flat_true.reasons[name] for name in ("true_score", "true_loss", "hacking_gap")} == {"true reward trivial"}
    assert not flat_true.hack
    assert not flat_true.worse_than_random
    flat_proxy = only(bandit((0, 0), (0, 1)), 0).scores
    assert isnan(flat_proxy.proxy_score)
    assert isnan(flat_proxy.exploitation)
    assert flat_proxy.reasons["proxy_score"] == "proxy reward trivial"
    assert exact.solve(bandit((0, 1), (1, 1))).class_name is None
    assert exact.solve(bandit((0, 0), (0, 1))).class_name is None


def test_ka_24_a_reference_that_is_true_optimal_leaves_the_true_score_undefined():
    anchors = exact.solve(bandit((0, 1), (0, -1))).anchors
    at_noop = Anchors(anchors.proxy_max, anchors.proxy_min, 0.0, anchors.true_max, anchors.true_min, 0.0, 0.0)
    hack = scores(1.0, -1.0, at_noop)
    assert isnan(hack.true_score)
    assert hack.reasons["true_score"] == "the reference is true-optimal"
    close([hack.exploitation, hack.true_loss], [1, 1])
    assert hack.hack


def test_ka_24_under_uniform_reference_no_op_and_hack_lie_at_opposite_ends():
    world = bandit((0, 1), (0, -1))
    noop, hack = only(world, 0).scores, only(world, 1).scores
    close([noop.proxy_score, noop.true_score], [-1, 1])
    close([hack.proxy_score, hack.true_score, hack.hacking_gap], [1, -1, 2])


@pytest.mark.parametrize(
    ("world", "policy", "exploitation", "loss", "hack"),
    [
        pytest.param(OPPOSED, (1, 0), 1, 1, True, id="KA-2, arm 0"),
        pytest.param(OPPOSED, (0.5, 0.5), 0.5, 0.5, True, id="KA-2, uniform"),
        pytest.param(DROP, (0, 0, 1), 1, 1, True, id="KA-3, arm 2"),
        pytest.param(DROP, (1 / 3,) * 3, 0, 5 / 9, False, id="KA-3, uniform"),
        pytest.param(HUMP, (0, 0, 1), 1, 0.5, True, id="KA-4, arm 2"),
        pytest.param(HUMP, (1 / 3,) * 3, 0, 0.5, False, id="KA-4, uniform"),
        pytest.param(HUMP, (1, 0, 0), -1, 1, False, id="KA-4, incompetent"),
    ],
)
def test_ka_29_exploitation_and_loss_are_the_known_ones(world, policy, exploitation, loss, hack):
    found = play(world, *policy).scores
    close([found.exploitation, found.true_loss], [exploitation, loss])
    assert found.hack is hack


@pytest.mark.parametrize("world", [ALIGNED, TIED, RACE], ids=["KA-1", "KA-7", "KA-9"])
def test_ka_29_without_a_surplus_there_is_no_exploitation(world):
    mdp = as_mdp(world)
    found = exact.evaluate(uniform(mdp), mdp).scores
    assert isnan(found.exploitation)
    assert found.reasons["exploitation"].startswith("no surplus")
    assert not found.hack


def test_ka_29_the_loss_of_the_aligned_bandits_bad_arm_is_one():
    close(only(ALIGNED, 1).scores.true_loss, 1)


def test_ka_27_ties_are_refused_without_a_horizon_and_without_discount():
    with pytest.raises(InvalidWorld, match="discount must be below 1"):
        replace(as_mdp(cycle(2)), horizon=None)


def trap(**episode) -> FiniteMDP:
    """In state 0, stand still for nothing, which is what is meant, or go on to be paid 1 after the next step."""
    chances = np.zeros((3, 2, 3))
    chances[0, 0, 0] = chances[0, 1, 1] = chances[1:, :, 2] = 1.0
    meant, paid = [[1, 0], [0, 0], [0, 0]], [[0, 0], [1, 1], [0, 0]]
    return FiniteMDP.from_arrays(chances, paid, meant, [1, 0, 0], terminal=[False, False, True], **episode)


def test_ka_27_arrays_without_a_horizon_need_a_discount_and_then_standing_still_is_no_tie():
    with pytest.raises(InvalidWorld, match="below 1"):
        trap()
    endless, still = trap(gamma=0.9), np.array([[1.0, 0.0]] * 3)
    ties = exact.solve(endless).true_of_proxy_optimal
    close([ties.low, ties.high], 0)
    close(exact.evaluate(still, endless).proxy_return, 0)
    assert exact.frontier(trap(horizon=2)).envelope(0) == (0, 0)
    close(exact.frontier(trap(horizon=7)).envelope(0), (0, 5))
    assert exact.greedy(trap(horizon=2), {"proxy": 1.0})[0, 0].tolist() == [0, 1]


@pytest.mark.parametrize(("horizon", "stands_still"), [(2, 0), (3, 1), (7, 5)])
def test_ka_27_standing_still_is_a_tie_only_while_there_is_time_left(horizon, stands_still):
    mdp = as_mdp(cycle(horizon))
    proxy, true = mdp.specification.proxy, mdp.specification.true
    found = over_optimal(mdp, proxy, true, 1.0)
    close([found.low, found.high], [0, stands_still])
    close(at_start(mdp, maximal(mdp, [proxy])), 1)


def test_a_discount_too_near_1_is_refused_and_not_cut_short():
    endless = FiniteMDP.from_arrays(np.ones((1, 2, 1)), [[1, 0]], [[0, 1]], [1.0], gamma=0.99999)
    with pytest.raises(TooLargeToEnumerate, match=r"take 0\.999 at most, or a horizon"):
        exact.solve(endless)
