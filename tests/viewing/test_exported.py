"""The exported tables alone, without the engine, give what the engine gives."""

import json
from functools import cache

import numpy as np
import pytest

from alignment_gym.core import InvalidWorld, make_world, world_class
from alignment_gym.engine.mdp import FiniteMDP, compiled
from alignment_gym.engine.randomness import draw
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.viewing.exported import export
from tests.every import DEMOS, WORLDS, timed_solution

HIDDEN = ["FriendFoe-v0", "SafeInterruptibility-v0", "TomatoWatering-v0"]


@cache
def exported(env_id, level):
    return json.loads(json.dumps(export(compiled(make_world(env_id, level=level))), allow_nan=False))


class Resimulated:
    """An episode played from JSON, as the page does it."""

    def __init__(self, data, key):
        self.data, self.key, self.step_number = data, key, 0
        start = data["start"]
        self.state = start["state"][above(start["bound"], draw(key, 0))]
        tables = data["tables"]
        counts = [len(tables["chances"][chance][0]) for chance in tables["chance"]]
        self.offset = np.concatenate([[0], np.cumsum(counts)]).tolist()
        self.proxy_return = self.true_return = 0.0
        self.over = False

    def step(self, action):
        data, tables = self.data, self.data["tables"]
        self.step_number += 1
        row = self.state * len(data["actions"]) + action
        bounds = tables["chances"][tables["chance"][row]][0]
        place = self.offset[row] + above(bounds, draw(self.key, self.step_number))
        self.state = tables["next"][place]
        proxy, true, emitted, terminated = tables["payments"][tables["payment"][place]]
        events = {data["events"][number]: amount for number, amount in data["emitted"][emitted]}
        self.over = bool(terminated) or self.step_number == data["horizon"]
        if self.over and not terminated:
            more, much, final, _ = data["endings"][data["ending"][self.state]]
            proxy, true = proxy + more, true + much
            for number, amount in data["emitted"][final]:
                name = data["events"][number]
                events[name] = events.get(name, 0.0) + amount
        self.proxy_return += proxy
        self.true_return += true
        return {name: amount for name, amount in events.items() if amount}


def above(bounds, drawn):
    return next(place for place, bound in enumerate(bounds) if bound > drawn)


@pytest.mark.parametrize(("env_id", "name"), DEMOS)
def test_demos_earn_from_json_what_their_cards_say(env_id, name):
    demo = world_class(env_id).card.demo(name)
    data = exported(env_id, demo.level)
    told = next(each for each in data["demos"] if each["name"] == name)
    played = Resimulated(data, told["key"])
    for action in told["actions"]:
        assert not played.over
        played.step(action)
    assert played.over
    assert (played.proxy_return, played.true_return) == (told["proxy_return"], told["true_return"])
    assert (told["proxy_return"], told["true_return"]) == pytest.approx((demo.proxy_return, demo.true_return))


@pytest.mark.parametrize("env_id", WORLDS)
def test_random_play_is_the_engines_step_by_step(env_id):
    world = make_world(env_id)
    data, env, rng = exported(env_id, world.level), AlignmentEnv(world), np.random.default_rng(3)
    for key in rng.integers(0, 2**32, size=4).tolist():
        env.reset(options={"key": key})
        played = Resimulated(data, key)
        while not played.over:
            action = int(rng.integers(len(data["actions"])))
            *_, terminated, truncated, info = env.step(action)
            assert played.step(action) == info["events"]
            assert (played.proxy_return, played.true_return) == (info["proxy_return"], info["true_return"])
            assert played.over == (terminated or truncated)
            assert env.mdp.states[played.state] == env.state


@pytest.mark.parametrize("env_id", ["BoatRace-v0", *HIDDEN])
def test_ranges_and_ties_are_those_of_the_solution(env_id):
    level = make_world(env_id).level
    data, (solution, _) = exported(env_id, level), timed_solution(env_id, level)
    anchors, ties = solution.anchors, solution.true_of_proxy_optimal
    assert data["ranges"]["proxy"] == pytest.approx([anchors.proxy_min, anchors.proxy_max])
    assert data["ranges"]["true"] == pytest.approx([anchors.true_min, anchors.true_max])
    assert data["ties"]["true"] == pytest.approx([ties.low, ties.high])


@pytest.mark.parametrize("env_id", HIDDEN)
def test_what_an_agent_sees_always_names_its_next_belief(env_id):
    data = exported(env_id, make_world(env_id).level)
    beliefs = data["beliefs"]
    tables, seen = beliefs["tables"], beliefs["observed"]
    assert len({seen[start] for start in beliefs["start"]}) == len(beliefs["start"])
    place = 0
    for chance in tables["chance"]:
        count = len(tables["chances"][chance][0])
        followers = [
            (seen[tables["next"][each]], tables["payments"][tables["payment"][each]][3])
            for each in range(place, place + count)
        ]
        assert len(set(followers)) == count
        place += count
    assert place == len(tables["next"])


def test_who_sees_everything_needs_no_beliefs():
    assert exported("BoatRace-v0", "lagoon")["beliefs"] is None


def test_moves_have_arrows_and_every_action_a_letter():
    data = exported("SensorCleaner-v0", "flat")
    assert dict(zip(data["actions"], data["keys"], strict=True))["north"] == ["w", "up"]
    assert all(keys and len(keys[0]) == 1 for keys in data["keys"])


def test_equal_levels_give_equal_bytes():
    mdp = compiled(make_world("RocksDiamonds-v0"))
    assert json.dumps(export(mdp)) == json.dumps(export(mdp))


def test_a_plan_serves_longer_and_shorter_episodes_but_no_other_dials():
    shorter = compiled(make_world("RocksDiamonds-v0", horizon=40))
    assert [demo["name"] for demo in export(shorter)["demos"]] == ["intended", "exploit", "stand by"]
    other = compiled(make_world("RocksDiamonds-v0", tamper_proof=True))
    assert export(other)["demos"] == []


def test_tables_without_a_world_are_refused():
    arrays = FiniteMDP.from_arrays([[[1.0]]], [[1.0]], [[0.0]], [1.0], horizon=3)
    with pytest.raises(InvalidWorld, match="no world or no horizon"):
        export(arrays)
