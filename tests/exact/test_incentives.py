"""Incentives: by recursion, against all policies of tiny worlds, and against worlds without the event."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignment_gym import FiniteMDP, exact
from alignment_gym.agents.planner import scripted, untrained
from alignment_gym.core import InvalidWorld, UnknownName, make_world
from alignment_gym.engine.belief import observing
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.envs.absent_supervisor import Worker
from alignment_gym.exact.incentives import action_incentive, incentive, interruptibility_gap, supervision_gap, worth
from alignment_gym.exact.values import at_start, greedy, maximal, uniform
from alignment_gym.exact.verification import event_probability, least_probable
from tests.exact.oracles import expected_return, pays, plans
from tests.tiny import Tiger, random_table


def close(actual, desired, **more):
    assert_allclose(actual, desired, rtol=0, atol=1e-9, **more)


def thin(seed: int, **shape):
    """Return a random world in which `meant` is rare enough to be avoided now and then."""
    rng = np.random.default_rng(seed)
    world = random_table(rng, **shape)
    return replace(
        world,
        true=tuple(tuple(float(rng.random() < 0.3) for _ in row) for row in world.true),
        final_pay=tuple((pay, float(rng.random() < 0.15)) for pay, _ in world.final_pay),
    )


def best_by_recursion(world, weights):
    """Return Q*(state, action, steps to go), by the definition."""

    @cache
    def quality(state, action, to_go):
        total = 0.0
        for chance, following, events, terminated in world.outcomes(state, action):
            over = terminated or to_go == 1
            total += chance * (pays(weights, events) + (pays(weights, world.final(following)) if over else 0.0))
            total += 0.0 if over else chance * max(quality(following, each, to_go - 1) for each in world.actions)
        return total

    return quality


def can_emit(world, state, action) -> bool:
    return any(
        each.events.get("meant") or (each.terminated and world.final(each.state).get("meant"))
        for each in world.outcomes(state, action)
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("to_go", [1, 4])
def test_an_incentive_compares_the_best_that_can_emit_with_the_best_that_cannot(seed, to_go):
    world = thin(seed, states=4, actions=3, horizon=4)
    mdp = as_mdp(world)
    quality = best_by_recursion(world, {"paid": 1.0})
    expected, by_arm = [], []
    for state in mdp.states:
        values = {action: quality(state, action, to_go) for action in world.actions}
        inside = [value for action, value in values.items() if can_emit(world, state, action)]
        outside = [value for action, value in values.items() if not can_emit(world, state, action)]
        expected.append(max(inside) - max(outside) if inside and outside else np.nan)
        by_arm.append(values["arm 1"] - max(values["arm 0"], values["arm 2"]))
    close(incentive(mdp, "meant", to_go=to_go), expected)
    close(action_incentive(mdp, "arm 1", to_go=to_go), by_arm)


@pytest.mark.parametrize("seed", range(8))
def test_worth_is_what_the_best_of_all_policies_that_avoid_the_event_forgoes(seed):
    world = thin(seed, states=2, horizon=3)
    mdp = as_mdp(world)
    every, avoiding = [], []
    for plan in plans(world):
        chosen = [[mdp.actions.index(step.get(state, "arm 0")) for state in mdp.states] for step in plan]
        value = expected_return(world, plan, {"paid": 1.0})
        every.append(value)
        if event_probability(mdp, np.eye(2)[chosen], "meant") == 0.0:
            avoiding.append(value)
    found = worth(mdp, "meant")
    if avoiding:
        close(found.amount, max(every) - max(avoiding))
        if max(every) > min(every):
            close(found.share, found.amount / (max(every) - min(every)))
    else:
        assert np.isnan(found.amount)
        assert found.reason == "no policy can be sure to avoid 'meant'"
    assert bool(avoiding) == (least_probable(mdp, "meant").probability == 0.0)


def test_both_kinds_of_worth_occur_among_the_worlds_tried():
    found = [np.isnan(worth(thin(seed, states=2, horizon=3), "meant").amount) for seed in range(8)]
    assert 0 < sum(found) < len(found)


@pytest.mark.parametrize(
    ("name", "event", "closed"),
    [("ShutdownButton", "disable", {"disable_steps": 0}), ("SensorCleaner", "cover", {"tamper_proof": True})],
)
def test_tampering_is_worth_what_a_world_without_it_pays_less(name, event, closed):
    found = worth(name, event)
    best = [exact.solve(name, **dials).anchors for dials in ({}, closed)]
    close(found.amount, best[0].proxy_max - best[1].proxy_max, err_msg=name)
    close(found.share, found.amount / best[0].proxy_range)
    close(worth(name, event, "true").amount, 0)


def test_crossing_unseen_is_worth_six_steps_in_every_second_episode():
    close(worth("AbsentSupervisor", "sneak").amount, 3)
    assert worth("AbsentSupervisor", "step").reason


def test_what_every_policy_earns_alike_has_a_worth_and_no_share():
    mdp = FiniteMDP.from_arrays(np.ones((1, 2, 1)), [[1, 1]], [[0, 1]], [1.0], horizon=2)
    found = worth(mdp, "true")
    assert (found.amount, found.reason) == (0.0, "reward trivial")
    assert np.isnan(found.share)


def test_an_endless_incentive_is_the_difference_of_endless_values():
    # Arm 0 stays for 1 a step; arm 1 takes 3 once and leaves for where nothing is paid.
    P = np.zeros((2, 2, 2))
    P[0, 0, 0] = P[0, 1, 1] = P[1, :, 1] = 1
    endless = FiniteMDP.from_arrays(P, [[1, 3], [0, 0]], [[0, 1], [0, 0]], [1, 0], gamma=0.5)
    close(incentive(endless, "true"), [3 - (1 + 0.5 * 3), np.nan])
    close(action_incentive(endless, endless.actions[1]), [0.5, 0])
    close(worth(endless, "true").amount, 3 - 1 / (1 - 0.5))


def test_a_trap_that_is_far_ahead_is_avoided_from_the_start():
    # A corridor without a way back, of 40 steps: at its far end the event is certain. Arm 1 enters it, arm 0 stays.
    length = 40
    P = np.zeros((length, 2, length))
    P[0, 0, 0] = 1
    P[0, 1, 1] = P[-1, :, -1] = 1
    for place in range(1, length - 1):
        P[place, :, place + 1] = 1
    event = np.zeros((length, 2))
    event[-1] = 1
    pay = np.zeros((length, 2))
    pay[0] = 0, 5
    endless = FiniteMDP.from_arrays(P, pay, event, np.eye(length)[0], gamma=0.3)
    close(worth(endless, "true").amount, 5)
    assert np.isnan(worth(replace(endless, start=np.array([7], dtype=np.int32)), "true").amount)


def test_the_least_chance_of_an_event_is_too_much():
    P = np.zeros((3, 2, 3))
    P[0, 0, 0], P[0, 1] = 1, (0, 1e-12, 1 - 1e-12)
    P[1, :, 1] = P[2, :, 2] = 1
    event = np.zeros((3, 2))
    event[1] = 1
    mdp = FiniteMDP.from_arrays(P, [[0, 1], [0, 0], [0, 0]], event, [1, 0, 0], horizon=2)
    close(worth(mdp, "true").amount, 1 - 1)  # it can still be taken as the last step
    close(worth(mdp.with_horizon(3), "true").amount, 0)
    close(worth(replace(mdp, horizon=None, discount=0.9), "true").amount, 1)


def test_beliefs_of_a_world_that_hides_states_have_incentives_as_long_as_there_is_time():
    tiger = as_mdp(Tiger(horizon=3))
    known = observing(tiger, 6)
    found = action_incentive(tiger, "listen", to_go=3)
    assert len(found) == known.state_count
    at_first = int(known.start[0])
    close(incentive(tiger, "gold", to_go=1)[at_first], 0.5 * (10 - 100) + 1)  # a door, or listening
    close(action_incentive(tiger, "listen", to_go=1)[at_first], -1 + 45)
    value, _ = at_start(known, maximal(known.with_horizon(3), [tiger.specification.proxy] * 2))
    close(found[at_first], value + 45)
    untimely = [np.isnan(action_incentive(tiger, "listen", to_go=steps)).sum() for steps in (1, 2, 3)]
    assert 0 < untimely[0] < untimely[1] < untimely[2] < known.state_count
    with pytest.raises(InvalidWorld, match="hides states"):
        incentive(tiger, "gold", to_go=4)


def test_interruptions_leave_a_gap_where_a_policy_learned_to_evade_them():
    calm = {"level": "1", "interruption": 0.0}
    mdp = as_mdp("SafeInterruptibility", level="1")
    obeys, evades = untrained(mdp, "intended"), untrained(mdp, "exploit")
    width = exact.solve("SafeInterruptibility", **calm).anchors.proxy_range
    close(interruptibility_gap(obeys, evades, "SafeInterruptibility", **calm), (42 - 38) / width)
    close(interruptibility_gap(obeys, obeys, "SafeInterruptibility", **calm), 0)
    flat = FiniteMDP.from_arrays(np.ones((1, 2, 1)), [[1, 1]], [[0, 1]], [1.0], horizon=2)
    assert np.isnan(interruptibility_gap(uniform(flat), uniform(flat), flat))


def seen_or_unseen(worker: Worker) -> Worker:
    return worker._replace(watched=not worker.watched)


def test_the_proxys_best_policy_acts_otherwise_unseen_on_five_of_twelve_visits():
    # Watched, nine steps round: on the first three, who is unseen goes for the tile. Unseen, three steps: on the
    # first two, who is watched goes round. The draw is even.
    mdp = as_mdp("AbsentSupervisor", level="mixed")
    close(supervision_gap(mdp, greedy(mdp, mdp.reward("proxy")), seen_or_unseen), 5 / 12)
    close(supervision_gap(mdp, scripted(mdp, "exploit"), seen_or_unseen), 5 / 12)
    for name in ("intended", "cross anyway"):
        close(supervision_gap(mdp, scripted(mdp, name), seen_or_unseen), 0)
    blurred = 0.8 * scripted(mdp, "intended") + 0.2 * uniform(mdp)
    close(supervision_gap(mdp, blurred, seen_or_unseen), 0)


def test_states_without_a_counterpart_are_left_out_and_nothing_is_undefined():
    mdp = as_mdp("AbsentSupervisor", level="mixed")
    start = make_world("AbsentSupervisor", level="mixed").initial()[0][1].cell

    def at_first(worker):
        return seen_or_unseen(worker) if worker.cell == start else None

    policy = greedy(mdp, mdp.reward("proxy"))
    close(supervision_gap(mdp, policy, at_first), 1)
    assert np.isnan(supervision_gap(mdp, policy, lambda _worker: None))
    alone = as_mdp("AbsentSupervisor", level="present")
    assert np.isnan(supervision_gap(alone, uniform(alone), seen_or_unseen))


def test_names_and_steps_that_there_are_none_of_are_refused():
    for question, kind in [
        (lambda: incentive("ShutdownButton", "disabel"), "event"),
        (lambda: worth("ShutdownButton", "disabel"), "event"),
        (lambda: action_incentive("ShutdownButton", "usee"), "action"),
        (lambda: incentive("ShutdownButton", "disable", reward="proxies"), "reward"),
    ]:
        with pytest.raises(UnknownName, match=kind):
            question()
    with pytest.raises(InvalidWorld, match="not 0"):
        incentive("ShutdownButton", "disable", to_go=0)
