"""Side effects: the known answers, shortest ways, recursion, sums over all pairs, and the classic."""

from dataclasses import replace
from functools import cache
from importlib import import_module
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignment_gym import FiniteMDP
from alignment_gym.agents.planner import scripted
from alignment_gym.core import InvalidWorld, TooLargeToEnumerate, UnknownName
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.exact.side_effects import (
    SideEffects,
    attainable_utility_penalty,
    endings,
    reachability,
    relative_reachability,
    side_effects,
    unreachability,
)
from alignment_gym.exact.values import maximal, uniform
from tests.tiny import random_arrays, random_table

A, B = 0, 1
STAY, GO = 0, 1


def close(actual, desired, **more):
    assert_allclose(actual, desired, rtol=0, atol=1e-9, **more)


def one_way(**episode) -> FiniteMDP:
    """A can be stayed in or left for B, which can't be left."""
    P = np.zeros((2, 2, 2))
    P[A, STAY, A] = P[A, GO, B] = P[B, :, B] = 1
    return FiniteMDP.from_arrays(P, [[1, 0], [0, 0]], np.zeros((2, 2)), [1, 0], **(episode or {"horizon": 3}))


@pytest.mark.parametrize("discount", [1.0, 0.9])
def test_ka_15_a_door_that_closes(discount):
    reach = reachability(one_way(), discount)
    close(reach, [[1, discount], [0, 1]])
    close([relative_reachability(B, A, reach), unreachability(B, A, reach)], [0.5, 1])
    close([relative_reachability(A, A, reach), unreachability(A, A, reach)], [0, 0])


def test_ka_15_what_a_change_of_attainable_utility_costs():
    quality = [[1, 3], [2, 2]]  # of the action and of doing nothing, under two rewards
    close(attainable_utility_penalty(quality, noop=1, strength=0.5), [0.5, 0])
    close(attainable_utility_penalty(quality, noop=1, strength=0.5, scale="noop"), [0.5 * 2 / 5, 0])
    by_state = attainable_utility_penalty(np.stack([quality, quality], axis=1), noop=1)
    close(by_state, [[1, 0], [1, 0]])
    assert np.isnan(attainable_utility_penalty([[1, 0]], noop=1, scale="noop")).all()
    with pytest.raises(UnknownName, match="did you mean 'noop'"):
        attainable_utility_penalty(quality, noop=1, scale="no-op")


def test_ka_15_leaving_for_good_as_an_episode():
    mdp = one_way()
    leaves, stays = np.array([[0.0, 1.0]] * 2), np.array([[1.0, 0.0]] * 2)
    left = side_effects(mdp, leaves, mdp.actions[STAY], discount=0.9, auxiliary={"pay": {"proxy": 1.0}})
    close([left.relative_reachability, left.unreachability], [0.5, 1])
    close([left.attainable_utility, left.attainable_utility_lost], [1, 1])  # 1 a step for ever, times 1 - 0.9
    for inaction in (mdp.actions[STAY], None):
        assert side_effects(mdp, stays, inaction, discount=0.9) == SideEffects(0.0, 0.0, 0.0, 0.0)
    gained = side_effects(mdp, stays, mdp.actions[GO], discount=0.9, auxiliary={"pay": {"proxy": 1.0}})
    close([gained.relative_reachability, gained.unreachability], [0.5 * (1 - 0.9), 1 - 0.9])
    close([gained.attainable_utility, gained.attainable_utility_lost], [1, 0])
    assert np.isnan(side_effects(mdp, leaves, discount=1.0).attainable_utility)


@pytest.mark.parametrize("discount", [1.0, 0.9])
def test_reachability_of_a_deterministic_world_is_by_the_shortest_way(discount):
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import shortest_path

    mdp = as_mdp("SideEffectsSokoban")
    row = np.repeat(np.arange(mdp.state_count), len(mdp.actions))
    graph = coo_array((np.ones(len(row)), (row, mdp.next_state)), shape=(mdp.state_count,) * 2)
    steps = shortest_path(graph, unweighted=True)
    # Nothing can be reached from an end, and nothing through one: none of its own transitions leaves it.
    close(
        reachability(mdp, discount), np.where(np.isfinite(steps), discount ** np.where(np.isfinite(steps), steps, 0), 0)
    )


@pytest.mark.parametrize("seed", range(3))
def test_reachability_solves_its_equation_and_is_attained_where_chance_goes_on(seed):
    mdp = as_mdp(random_table(np.random.default_rng(seed), states=4, actions=2, horizon=3))
    world, discount = mdp.world, 0.8

    @cache
    def reach(state, target, to_go):
        if state == target:
            return 1.0
        if to_go == 0:
            return 0.0
        found = []
        for action in world.actions:
            total = 0.0
            for each in world.outcomes(state, action):
                onward = float(each.state == target) if each.terminated else reach(each.state, target, to_go - 1)
                total += each.probability * onward
            found.append(discount * total)
        return max(found)

    expected = [[reach(x, y, 120) for y in mdp.states] for x in mdp.states]
    assert_allclose(reachability(mdp, discount), expected, atol=1e-11)


def test_without_a_discount_a_leaky_path_is_reached_with_its_probability():
    # From 0, arm 0 tries for 2 and falls into 1 with probability 1/4, stays else with 1/4.
    P = np.zeros((3, 1, 3))
    P[0, 0] = 0.25, 0.25, 0.5
    P[1, 0, 1] = P[2, 0, 2] = 1
    mdp = FiniteMDP.from_arrays(P, np.zeros((3, 1)), np.zeros((3, 1)), [1, 0, 0], horizon=1)
    close(reachability(mdp), [[1, 1 / 3, 2 / 3], [0, 1, 0], [0, 0, 1]])
    close(reachability(mdp, 0.5)[0, 2], 0.25 / (1 - 0.125))


@pytest.mark.parametrize("seed", range(3))
def test_expectations_are_sums_over_all_pairs_of_ends_from_the_same_start(seed):
    rng = np.random.default_rng(seed)
    mdp = random_arrays(rng, states=5, horizon=4)
    policy = rng.dirichlet(np.ones(3), size=(4, 5))
    idle = np.zeros((5, 3))
    idle[:, 1] = 1
    reach = reachability(mdp, 0.9)
    value = 0.1 * maximal(replace(mdp, horizon=None, discount=0.9), [{"proxy": 1.0}, {"true": 1.0}]).T
    expected = np.zeros(4)
    for start, chance in zip(mdp.start, mdp.start_probability, strict=True):
        ends = []
        for table in (policy, np.stack([idle] * 4)):
            mass = np.eye(5)[start]
            for step in range(4):
                flow = (mass[:, None] * table[step]).ravel()[np.repeat(np.arange(15), np.diff(mdp.offset))]
                mass = np.bincount(mdp.next_state, flow * mdp.probability, 5)
            ends.append(mass)
        for s, b in product(range(5), repeat=2):
            changes = value[b] - value[s]
            measures = [relative_reachability(s, b, reach), unreachability(s, b, reach)]
            measures += [np.abs(changes).mean(), np.maximum(changes, 0).mean()]
            expected += chance * ends[0][s] * ends[1][b] * np.array(measures)
    found = side_effects(mdp, policy, mdp.actions[1], discount=0.9)
    close(
        [found.relative_reachability, found.unreachability, found.attainable_utility, found.attainable_utility_lost],
        expected,
    )


def test_an_episode_that_terminates_is_judged_by_where_its_last_action_was_taken():
    mdp = as_mdp("SideEffectsSokoban")
    (place,) = np.flatnonzero(endings(mdp, scripted(mdp, "intended")))
    world, store = mdp.world, mdp.states[place]
    assert not world.over(store)
    assert any(each.terminated for action in world.actions for each in world.outcomes(store, action))


def test_endings_are_a_distribution_with_a_discount_as_the_chance_to_go_on():
    endless = one_way(gamma=0.5)
    close(endings(endless, uniform(endless)), [1 / 3, 2 / 3])
    short = replace(endless, horizon=1, discount=1.0)
    close(endings(short, uniform(short)), [0.5, 0.5])


def test_the_classics_quick_way_loses_what_the_careful_way_keeps():
    mdp = as_mdp("SideEffectsSokoban", level="0")
    careful, quick = (side_effects(mdp, scripted(mdp, name), "north", discount=1.0) for name in ("intended", "exploit"))
    assert mdp.state_count == 60
    close(careful.relative_reachability, 13 / 60)
    close(quick.relative_reachability, 50 / 60)
    bumps, nothing = (side_effects(mdp, scripted(mdp, "exploit"), inaction) for inaction in ("north", None))
    assert bumps == nothing  # a wall lies north of the start


def test_the_quick_ways_states_are_lost_for_a_box_in_a_corner():
    # By hand: breadth first from either end, over the world's own rules.
    mdp = as_mdp("SideEffectsSokoban", level="0")
    world = mdp.world

    def within_reach(store):
        found = [store]
        for each in found:
            for action in world.actions if not world.over(each) else ():
                found += [after.state for after in world.outcomes(each, action) if after.state not in found]
        return set(found)

    from_start = within_reach(world.start)
    for name, lost in [("intended", 13), ("exploit", 50)]:
        (place,) = np.flatnonzero(endings(mdp, scripted(mdp, name)))
        assert len(from_start - within_reach(mdp.states[place])) == lost


def test_what_cannot_be_asked_is_refused(monkeypatch):
    module = import_module("alignment_gym.exact.side_effects")  # `exact` has a function of this name
    monkeypatch.setattr(module, "MAX_STATES", 1)
    with pytest.raises(TooLargeToEnumerate, match="smaller level"):
        reachability(one_way())
    monkeypatch.undo()
    with pytest.raises(InvalidWorld, match="not 0"):
        reachability(one_way(), 0)
    with pytest.raises(UnknownName, match="unknown action 'stay'"):
        side_effects("SideEffectsSokoban", np.full((60, 4), 0.25), "stay")
