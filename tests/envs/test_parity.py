"""The classics are step-for-step equal to AI Safety Gridworlds 1.5.

`aisg-traces.jsonl.gz` holds 236 episodes of the reference implementation (Apache-2.0): 8 random ones a
level, and the best of 500 random ones by return and by performance. What a world hides is followed as
the set of its states that are compatible with what was seen.
"""

import gzip
import json
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from alignment_gym.core import make_world, world_class, world_ids

TRACES = Path(__file__).parent / "aisg-traces.jsonl.gz"
EPISODES = 236
PARITY = "step-for-step equal to AI Safety Gridworlds 1.5"
TRACED = {
    "boat_race": ("ClassicBoatRace-v0", "original"),
    "tomato_watering": ("TomatoWatering-v0", "full"),
    "safe_interruptibility_0": ("SafeInterruptibility-v0", "0"),
    "safe_interruptibility_1": ("SafeInterruptibility-v0", "1"),
    "safe_interruptibility_2": ("SafeInterruptibility-v0", "2"),
    "absent_supervisor_present": ("AbsentSupervisor-v0", "present"),
    "absent_supervisor_absent": ("AbsentSupervisor-v0", "absent"),
    "side_effects_sokoban_0": ("SideEffectsSokoban-v0", "0"),
    "side_effects_sokoban_1": ("SideEffectsSokoban-v0", "1"),
    "side_effects_sokoban_2": ("SideEffectsSokoban-v0", "2"),
    "side_effects_sokoban_3": ("SideEffectsSokoban-v0", "3"),
    "whisky_gold": ("WhiskyGold-v0", "original"),
    "conveyor_belt_vase": ("ConveyorBelt-v0", "vase"),
    "conveyor_belt_sushi": ("ConveyorBelt-v0", "sushi"),
    "conveyor_belt_sushi_goal": ("ConveyorBelt-v0", "sushi_goal"),
    "rocks_diamonds_0": ("RocksDiamonds-v0", "0"),
    "rocks_diamonds_1": ("RocksDiamonds-v0", "1"),
    "island_navigation": ("IslandNavigation-v0", "original"),
    "distributional_shift_train": ("DistributionalShift-v0", "train"),
    "distributional_shift_test_0": ("DistributionalShift-v0", "test_0"),
    "distributional_shift_test_1": ("DistributionalShift-v0", "test_1"),
}
UNBOOKED = ("whisky_gold", "distributional_shift")  # no hidden reward is booked: performance is the return
CLOSE = 1e-9


@cache
def episodes(name):
    with gzip.open(TRACES, "rt", encoding="utf-8") as lines:
        return [trace for trace in map(json.loads, lines) if trace["env"] == name]


def test_every_recorded_episode_is_replayed():
    with gzip.open(TRACES, "rt", encoding="utf-8") as lines:
        found = Counter(json.loads(line)["env"] for line in lines)
    assert found.total() == EPISODES
    assert found.keys() == TRACED.keys()


def test_parity_is_claimed_where_it_is_tested_and_nowhere_else():
    claimed = {(env_id, level) for env_id in world_ids() for level in world_class(env_id).card.parity_levels}
    assert claimed == set(TRACED.values())
    assert {world_class(env_id).card.parity for env_id, _ in claimed} == {PARITY}


@pytest.mark.parametrize("name", TRACED)
def test_recorded_episodes_happen_again_step_for_step(name):
    env_id, level = TRACED[name]
    world = make_world(env_id, level=level)
    assert world.horizon == 100
    for trace in episodes(name):
        replay(world, trace)


@pytest.mark.parametrize("name", TRACED)
def test_a_changed_episode_does_not_happen(name):
    env_id, level = TRACED[name]
    trace = episodes(name)[0]
    for key, changed in [("rewards", trace["rewards"][0] + 0.5), ("boards", trace["boards"][0].swapcase() + "?")]:
        with pytest.raises(AssertionError):
            replay(make_world(env_id, level=level), {**trace, key: [changed, *trace[key][1:]]})


def replay(world, trace):
    """Follow all states that a recorded episode may be in, each with its hidden reward so far."""
    proxy, true = world.specification.proxy, world.specification.true
    starts = [state for probability, state in world.initial() if probability > 0.0]
    possible = {(state, 0.0) for state in starts if world.board(state) == "\n".join(trace["board"])}
    steps = zip(trace["actions"], trace["rewards"], trace["hidden"], trace["boards"], strict=True)
    for step, (action, reward, hidden, board) in enumerate(steps, start=1):
        ends = step == len(trace["actions"])
        followed = set()
        for state, booked in possible:
            for outcome in world.outcomes(state, world.actions[action]):
                over = ends and (outcome.terminated or step == world.horizon)
                final = world.final(outcome.state) if over else {}
                paid, meant = (weighed(weights, outcome.events) + weighed(weights, final) for weights in (proxy, true))
                seen = reward if trace["env"].startswith(UNBOOKED) else (hidden or 0.0) - booked
                same = abs(paid - reward) < CLOSE and abs(meant - seen) < CLOSE
                terminated = outcome.terminated == (ends and trace["terminated"])
                if outcome.probability > 0.0 and same and terminated and world.board(outcome.state) == board:
                    followed.add((outcome.state, hidden or 0.0))
        possible = followed
        assert possible, f"{trace['env']}: no state is compatible with step {step}"
    booked = sum(trace["rewards"]) if trace["env"].startswith(UNBOOKED) else trace["hidden"][-1] or 0.0
    assert abs(booked - trace["performance"]) < CLOSE
    assert abs(sum(trace["rewards"]) - trace["return"]) < CLOSE


def weighed(weights, events):
    return sum(weights.get(name, 0.0) * amount for name, amount in events.items())
