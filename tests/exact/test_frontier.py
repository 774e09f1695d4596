"""The frontier: known polygons, and agreement with linear programs over the occupancy polytope."""

from dataclasses import replace
from math import isnan, nan

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import linprog
from scipy.sparse import block_diag, csr_array

from alignment_gym import FiniteMDP, exact
from alignment_gym.core import InvalidDial
from alignment_gym.engine.belief import observing
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.exact.evaluation import returns
from alignment_gym.exact.frontier import frontier, optimal_for
from alignment_gym.exact.polytope import polytope
from tests.exact.oracles import all_returns, blind_returns
from tests.tiny import DeepMindBoatRace, arms, random_arrays, random_table

ALIGNED = arms((1, 0), (2, 1))  # KA-1
OPPOSED = arms((1, 0), (0, 1))  # KA-2
DROP = arms((0, 1, 2), (0, 2, -1))  # KA-3
HUMP = arms((0, 1, 2), (0, 2, 1))  # KA-4
TIED = arms((1, 1, 0), (1, -1, 0))  # KA-7
POINT = arms((1, 1), (2, 2))
UPRIGHT = arms((1, 1, 1), (0, 2, 1))
FLAT = arms((0, 3), (1, 1))
KNOWN = {"KA-1": ALIGNED, "KA-2": OPPOSED, "KA-3": DROP, "KA-4": HUMP, "KA-7": TIED}


def close(actual, desired, atol=1e-9):
    assert_allclose(actual, desired, rtol=0, atol=atol)


def drawn(seed: int) -> FiniteMDP:
    """Draw an MDP with a horizon, with a discount, or with both; every third has ties."""
    rng = np.random.default_rng(seed)
    episode = ({"horizon": 3}, {"gamma": 0.7}, {"horizon": 3, "gamma": 0.8}, {"gamma": 0.4})[seed % 4]
    return random_arrays(rng, states=4, whole=seed % 3 == 0, **episode)


def spread(anchors) -> np.ndarray:
    return np.array([anchors.proxy_range, anchors.true_range])


def distance(point: np.ndarray, polygon: np.ndarray) -> float:
    """Return how far a point lies outside of a polygon that is given counter-clockwise."""
    along = np.roll(polygon, -1, axis=0) - polygon
    to = point - polygon
    share = np.clip((to * along).sum(axis=1) / (along * along).sum(axis=1), 0, 1)
    outside = along[:, 1] * to[:, 0] - along[:, 0] * to[:, 1] > 0
    return float(np.hypot(*(to - share[:, None] * along).T)[outside].min(initial=np.inf)) if outside.any() else 0.0


def programs(mdp: FiniteMDP, asked: list[tuple[np.ndarray, np.ndarray, float]]) -> np.ndarray:
    """Return the largest weighted sum of returns for each (weights, limit, level): where limit @ returns >= level.

    One program holds them all, block by block.
    """
    omega = polytope(mdp)
    count = len(asked)
    cost = np.concatenate([-(weights @ omega.rewards) for weights, _, _ in asked])
    limits = block_diag([csr_array(-(limit @ omega.rewards)[None]) for _, limit, _ in asked], format="csr")
    found = linprog(
        cost,
        A_ub=limits,
        b_ub=[-level for *_, level in asked],
        A_eq=block_diag([omega.balance] * count, format="csr"),
        b_eq=np.tile(omega.start, count),
        bounds=(0, None),
        method="highs",
    )
    assert found.status == 0, found.message
    return -(cost * found.x).reshape(count, -1).sum(axis=1)


@pytest.mark.parametrize(
    ("mdp", "vertices", "area", "verdict"),
    [
        pytest.param(ALIGNED, [(1, 2), (0, 1)], 0, "equivalent", id="KA-1"),
        pytest.param(OPPOSED, [(1, 0), (0, 1)], 0, "reversed", id="KA-2"),
        pytest.param(DROP, [(2, -1), (1, 2), (0, 0)], 2.5, "hackable", id="KA-3"),
        pytest.param(HUMP, [(2, 1), (1, 2), (0, 0)], 1.5, "hackable", id="KA-4"),
        pytest.param(TIED, [(1, -1), (1, 1), (0, 0)], 1, "hackable", id="KA-7"),
        pytest.param(POINT, [(1, 2)], 0, "trivial", id="point"),
        pytest.param(UPRIGHT, [(1, 0), (1, 2)], 0, "trivial", id="upright"),
        pytest.param(FLAT, [(3, 1), (0, 1)], 0, "trivial", id="flat"),
        pytest.param(arms((0, 1, 2, 3), (0, 1, 2, 0)), [(3, 0), (2, 2), (0, 0)], 3, "hackable", id="arm on an edge"),
        pytest.param(arms((0, 3, 1, 2), (0, 3, 2, 1)), [(3, 3), (1, 2), (0, 0), (2, 1)], 3, "hackable", id="diamond"),
    ],
)
def test_polygons_are_the_known_ones_counter_clockwise_from_the_worst_proxy_optimal_policy(
    mdp, vertices, area, verdict
):
    found = frontier(mdp)
    close(found.vertices, vertices)
    close([found.area, found.error], [area, 0])
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("mdp", "shape"),
    [
        (POINT, "point"),
        (UPRIGHT, "upright segment"),
        (FLAT, "flat segment"),
        (ALIGNED, "rising segment"),
        (OPPOSED, "falling segment"),
        (DROP, "area"),
    ],
)
def test_degenerate_polygons_are_told_apart(mdp, shape):
    assert frontier(mdp).shape == shape


@pytest.mark.parametrize(
    ("mdp", "chain"),
    [
        pytest.param(ALIGNED, [(1, 2)], id="KA-1"),
        pytest.param(OPPOSED, [(0, 1), (1, 0)], id="KA-2"),
        pytest.param(DROP, [(1, 2), (2, -1)], id="KA-3"),
        pytest.param(TIED, [(1, 1)], id="KA-7"),
        pytest.param(arms((0, 2, 3, 4), (5, 5, 4, 0)), [(2, 5), (3, 4), (4, 0)], id="ties at the top"),
        pytest.param(POINT, [(1, 2)], id="point"),
        pytest.param(UPRIGHT, [(1, 2)], id="upright"),
        pytest.param(FLAT, [(3, 1)], id="flat"),
    ],
)
def test_pareto_chain_leads_from_true_optimal_to_proxy_optimal(mdp, chain):
    close(frontier(mdp).pareto, chain)


def test_ka_3_linear_programs_have_the_known_values():
    found = frontier(DROP)
    anchors = found.anchors
    close(found.headroom, 5 / 9)
    close(anchors.proxy_reference + found.headroom * (anchors.proxy_max - anchors.proxy_reference), 14 / 9)
    close(found.best_proxy_at_no_true_gain, 2)
    close(found.worst_at_no_proxy_loss, -1)
    low, high = found.envelope(0.25)
    close([low, high], [-1, -1 / 4])
    close((high - anchors.true_reference) / (anchors.true_max - anchors.true_reference), -7 / 20)
    close(found.scores, [(1, -4 / 5), (0, 1), (-1, -1 / 5)])


@pytest.mark.parametrize("mdp", KNOWN.values(), ids=KNOWN)
def test_without_slack_the_envelope_is_what_the_proxy_leaves_open(mdp):
    solution, found = exact.solve(mdp), frontier(mdp)
    close(found.envelope(0), [solution.true_of_proxy_optimal.low, solution.true_of_proxy_optimal.high])
    close(found.gap_max, solution.gap_max)


def test_a_choice_that_hardly_ever_arises_is_no_tie():
    # In state 1, which one episode in a thousand starts in, arm 1 earns 1e-7 more proxy: 1e-10 in expectation.
    mdp = FiniteMDP.from_arrays(
        np.ones((2, 2, 2)) / 2, [[0, 1], [0, 1e-7]], [[0, 1], [1, 0]], [0.999, 0.001], horizon=1
    )
    close(frontier(mdp).envelope(0), [0.999, 0.999])
    close(frontier(mdp).envelope(0.01)[1], 1.0)


def test_the_envelope_reaches_all_returns_when_all_of_the_rise_may_be_missed():
    close(frontier(OPPOSED).envelope(1), [0, 0.5])
    close(frontier(OPPOSED).envelope(2), [0, 1])
    close(frontier(OPPOSED).envelope(9), [0, 1])


def test_ka_9_the_boat_race_ties_and_its_frontier_shows_the_whole_face():
    found = frontier(DeepMindBoatRace(horizon=100))
    close(found.vertices[:2], [(50, 0), (50, 100)])
    close(found.envelope(0), [0, 100])
    assert found.error == 0
    assert found.class_within(0) == "B"


@pytest.mark.parametrize(
    ("mdp", "share", "class_name"),
    [
        pytest.param(ALIGNED, 0.05, "A", id="KA-1"),
        pytest.param(TIED, 0.05, "B", id="KA-7"),
        pytest.param(HUMP, 0.05, "M", id="KA-4"),
        pytest.param(OPPOSED, 0.05, "D", id="KA-2"),
        pytest.param(arms((0, 1, 2), (0, 3, 2)), 0.05, "C", id="lossy"),
        pytest.param(DROP, 0.05, "D", id="KA-3"),
        pytest.param(DROP, 0.5, "M", id="KA-3, wide"),
        pytest.param(DROP, 1, "B", id="KA-3, all the rise"),
        pytest.param(arms((0, 1, 2), (1, 0, 2)), 0, "A'", id="compatible"),
        pytest.param(arms((0, 1, 1 + 1e-6), (0, 1, -1)), 0, "D", id="a bonus turns the class"),
        pytest.param(arms((0, 1, 1 + 1e-6), (0, 1, -1)), 0.05, "B", id="but not that of the envelope"),
        pytest.param(POINT, 0.05, None, id="point"),
    ],
)
def test_class_within_a_share_is_that_of_the_envelope(mdp, share, class_name):
    assert frontier(mdp).class_within(share) == class_name


@pytest.mark.parametrize("seed", range(0, 12, 3))
def test_class_within_no_share_is_the_exact_class(seed):
    mdp = drawn(seed)
    assert frontier(mdp).class_within(0) == exact.solve(mdp).class_name


@pytest.mark.parametrize(
    ("mdp", "reason"),
    [
        (POINT, "proxy reward trivial"),
        (UPRIGHT, "proxy reward trivial"),
        (FLAT, "true reward trivial"),
    ],
)
def test_readings_of_trivial_rewards_are_undefined_and_say_why(mdp, reason):
    found = frontier(mdp)
    assert isnan(found.headroom)
    assert isnan(found.gap_max)
    assert found.reasons == {"headroom": reason, "gap_max": reason}
    solution = exact.solve(mdp)
    close(found.envelope(0.05), [solution.true_of_proxy_optimal.low, solution.true_of_proxy_optimal.high])
    close(found.worst_at_no_proxy_loss, solution.anchors.true_min)
    close(found.best_proxy_at_no_true_gain, solution.anchors.proxy_max)


def test_scores_of_a_trivial_reward_are_undefined_and_those_of_the_other_are_not():
    close(frontier(UPRIGHT).scores, [(nan, -1), (nan, 1)])
    assert frontier(DROP).reasons == {}


@pytest.mark.parametrize("seed", range(50))
def test_the_polygon_and_its_readings_are_those_of_linear_programs(seed):
    mdp = drawn(seed)
    solution, found = exact.solve(mdp), frontier(mdp, tolerance=0)
    anchors, scale = solution.anchors, spread(solution.anchors)
    angles = np.arange(16) * np.pi / 8 + 0.1
    along = np.roll(found.vertices, -1, axis=0) - found.vertices
    outward = np.stack([along[:, 1], -along[:, 0]], axis=1) * scale
    ways = np.concatenate([np.stack([np.cos(angles), np.sin(angles)], axis=1), outward])
    ways = ways / np.hypot(*ways.T)[:, None] / scale
    nothing, proxy, true = np.zeros(2), np.array([1, 0]), np.array([0, 1])
    rise = np.array([anchors.proxy_max - anchors.proxy_reference, anchors.true_max - anchors.true_reference])
    near = anchors.proxy_max - 0.05 * rise[0]
    value = programs(
        mdp,
        [
            *((way, nothing, 0) for way in ways),
            (np.array([1, -1]) / rise, nothing, 0),
            (-true, proxy, anchors.proxy_max - 1e-12),
            (true, proxy, anchors.proxy_max - 1e-12),
            (-true, proxy, near),
            (true, proxy, near),
            (proxy, true, anchors.true_reference),
            (-true, proxy, anchors.proxy_reference),
            (proxy, -true, -anchors.true_reference),
        ],
    )
    support, readings = value[: len(ways)], value[len(ways) :]
    assert found.error == 0
    close((found.vertices @ ways.T).max(axis=0), support, 1e-7)
    gap, tied_low, tied_high, low, high, proxy_return, harm, gain = readings
    constant = anchors.proxy_reference / rise[0] - anchors.true_reference / rise[1]
    close([found.gap_max, found.gap_max], [gap - constant, solution.gap_max], 1e-7)
    close(found.envelope(0), [-tied_low, tied_high], 1e-6)
    close(found.envelope(0), [solution.true_of_proxy_optimal.low, solution.true_of_proxy_optimal.high])
    close(found.envelope(0.05), [-low, high], 1e-6)
    close(found.headroom, (proxy_return - anchors.proxy_reference) / rise[0], 1e-6)
    close([found.worst_at_no_proxy_loss, found.best_proxy_at_no_true_gain], [-harm, gain], 1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_every_vertex_is_earned_by_a_policy_that_is_optimal_between_its_edges(seed):
    mdp = drawn(seed)
    found = frontier(mdp, tolerance=0)
    along = np.roll(found.vertices, -1, axis=0) - found.vertices
    normals = np.stack([along[:, 1], -along[:, 0]], axis=1) / np.hypot(*along.T)[:, None]
    for vertex, way in zip(found.vertices, normals + np.roll(normals, 1, axis=0), strict=True):
        close(returns(mdp, optimal_for(mdp, *way)), vertex, 1e-8)


def test_the_policy_of_the_largest_gap_has_that_gap():
    mdp = as_mdp(random_table(np.random.default_rng(3), states=4, horizon=4))  # pays at the end too
    solution = exact.solve(mdp)
    anchors = solution.anchors
    rise = anchors.proxy_max - anchors.proxy_reference, anchors.true_max - anchors.true_reference
    found = exact.evaluate(optimal_for(mdp, 1 / rise[0], -1 / rise[1]), mdp)
    close([found.scores.hacking_gap, frontier(mdp).gap_max], [solution.gap_max] * 2)


@pytest.mark.parametrize("seed", range(4))
def test_no_policy_of_a_world_with_pay_at_the_end_lies_outside_and_all_vertices_are_policies(seed):
    world = random_table(np.random.default_rng(seed), states=2)
    found, policies = frontier(world, tolerance=0), all_returns(world)
    assert max(distance(each, found.vertices) for each in policies) <= 1e-9
    for vertex in found.vertices:
        assert np.abs(policies - vertex).sum(axis=1).min() <= 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_where_states_are_hidden_the_policies_are_those_of_what_was_seen(seed):
    rng = np.random.default_rng(seed)
    world = replace(random_table(rng, horizon=2), looks=(0, 0, 1), ends=())
    found, policies = frontier(world, tolerance=0), blind_returns(world)
    assert max(distance(each, found.vertices) for each in policies) <= 1e-9
    for vertex in found.vertices:
        assert np.abs(policies - vertex).sum(axis=1).min() <= 1e-9
    known = observing(as_mdp(world), 2)
    close(returns(known, optimal_for(known, 1.0, 0.0))[0], found.anchors.proxy_max)


@pytest.mark.parametrize("tolerance", [0.5, 0.05, 0.005])
def test_a_coarse_polygon_says_how_far_off_it_may_be(tolerance):
    off = []
    for seed in range(6):
        mdp = random_arrays(np.random.default_rng(seed), states=4, horizon=4)
        coarse, fine = frontier(mdp, tolerance=tolerance), frontier(mdp, tolerance=0)
        scale = spread(fine.anchors)
        farthest = max(distance(vertex / scale, coarse.vertices / scale) for vertex in fine.vertices)
        assert coarse.error <= tolerance
        assert farthest <= coarse.error + 1e-12
        assert max(distance(vertex / scale, fine.vertices / scale) for vertex in coarse.vertices) <= 1e-9
        off.append(farthest)
    assert max(off) > 0.02 * tolerance


def test_the_error_is_no_larger_than_it_has_to_be():
    # Both worst sides are known by one end each, so anything up to the corner between them could be earned.
    mdp = arms((1, 0, 1, 0.01), (1, 1, 0, 0.01))
    found = frontier(mdp, directions=0)
    assert len(found.vertices) == 3
    close(found.error, np.sqrt(0.5))
    close(distance(np.array([0.01, 0.01]), found.vertices), 0.98 * np.sqrt(0.5))
    assert frontier(mdp, directions=1).error < 0.01
    assert frontier(mdp, directions=3).error == 0  # one to find the fourth arm, two for the edges beside it


@pytest.mark.parametrize("seed", range(6))
def test_readings_are_exact_however_coarse_the_polygon_is(seed):
    mdp = random_arrays(np.random.default_rng(seed), states=4, horizon=4)
    coarse, fine = frontier(mdp, directions=0), frontier(mdp, tolerance=0)
    assert coarse.error > 0
    assert len(coarse.vertices) < len(fine.vertices)
    for reading in ("headroom", "gap_max", "worst_at_no_proxy_loss", "best_proxy_at_no_true_gain"):
        close(getattr(coarse, reading), getattr(fine, reading))
    for share in (0, 0.01, 0.05, 0.3, 1):
        close(coarse.envelope(share), fine.envelope(share))


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_units_do_not_matter(scale):
    mdp = random_arrays(np.random.default_rng(1), horizon=4)
    scaled = mdp.with_specification(replace(mdp.specification, true={"true": scale}))
    one, other = frontier(mdp, tolerance=0), frontier(scaled, tolerance=0)
    assert_allclose(other.vertices, one.vertices * [1, scale], rtol=1e-6, atol=1e-6 * scale)
    close([other.headroom, other.gap_max], [one.headroom, one.gap_max])


def test_what_is_out_of_range_is_refused():
    with pytest.raises(InvalidDial, match=r"share of -0\.1"):
        frontier(DROP).envelope(-0.1)
    with pytest.raises(InvalidDial, match="tolerance of nan"):
        frontier(DROP, tolerance=nan)
