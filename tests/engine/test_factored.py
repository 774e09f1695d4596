"""Worlds that answer for many states at once compile to the tables that they have state by state."""

from dataclasses import dataclass
from functools import lru_cache
from time import process_time

import numpy as np
import pytest

from alignment_gym.core import InvalidWorld, TooLargeToEnumerate, make_world
from alignment_gym.engine import factored
from alignment_gym.engine.enumeration import numbered
from alignment_gym.engine.mdp import compile_world
from tests.every import LEVELS
from tests.tiny import Odometer, Wheels

ARRAYS = (
    *("offset", "next_state", "probability", "event_id", "event_rows", "terminated", "final", "succeeded"),
    *("start", "start_probability", "observations", "observation_id"),
)
OFFERED = [each for each in LEVELS if make_world(each[0]).domains()]
DIALS = [
    ("BoatRace-v0", {"respawn": 9, "depth": 4, "level": "cove"}),
    ("BoatRace-v0", {"respawn": 1, "level": "generated/7"}),
    ("SensorCleaner-v0", {"dirt_rate": 0.0}),
    ("SensorCleaner-v0", {"dirt_rate": 0.3, "cap": "sticks", "depth": 3, "level": "closet"}),
    ("SensorCleaner-v0", {"tamper_proof": True, "level": "closet"}),
    ("SensorCleaner-v0", {"view": "camera", "depth": 2, "level": "closet"}),
]


@lru_cache(maxsize=1)
def walked(world):
    return compile_world(world, arrays=False)


def same_tables(one, other):
    assert one.states == other.states
    assert [type(state) for state in one.states] == [type(state) for state in other.states]
    for name in ARRAYS:
        mine, theirs = getattr(one, name), getattr(other, name)
        assert (mine.dtype, mine.shape) == (theirs.dtype, theirs.shape), name
        assert mine.tobytes() == theirs.tobytes(), name


@pytest.mark.parametrize(
    "world",
    [
        *[pytest.param(make_world(env_id, level=level), id=f"{env_id}-{level}") for env_id, level in OFFERED],
        *[pytest.param(make_world(env_id, **dials), id=f"{env_id}-{dials}") for env_id, dials in DIALS],
        *[pytest.param(Odometer(size=size), id=f"odometer-{size}") for size in (2, 3, 7)],
    ],
)
@pytest.mark.parametrize("at_once", [10**6, 0], ids=["all combinations at once", "frontier by frontier"])
def test_arrays_compile_to_the_tables_of_a_walk_bit_for_bit(world, at_once, monkeypatch):
    monkeypatch.setattr(factored, "AT_ONCE", at_once)
    same_tables(compile_world(world), walked(world))


def test_worlds_offer_arrays():
    assert {"BoatRace-v0", "SensorCleaner-v0"} <= {env_id for env_id, _ in OFFERED}


def test_arrays_are_worth_their_lines():
    world = make_world("SensorCleaner")

    def seconds(arrays):
        before = process_time()
        compile_world(world, arrays=arrays)
        return process_time() - before

    assert 2 * min(seconds(True) for _ in range(3)) < min(seconds(False) for _ in range(3))


@dataclass(frozen=True, kw_only=True)
class Broken(Odometer):
    """An odometer whose arrays break one rule."""

    fault: str = ""

    def initial(self):
        return [(1.0, Wheels(0, 9))] if self.fault == "start" else super().initial()

    def outcomes_of(self, wheels, action):
        found = super().outcomes_of(wheels, action)
        low, high = found.states
        changed = {
            "sum": {"probability": np.asarray(found.probability) * 0.5},
            "negative": {"probability": np.where(low == 1, -0.25, 1.0)},
            "outside": {"states": (low, high + 3)},
            "event": {"events": {"payed": 1.0}},
        }
        return found._replace(**changed.get(self.fault, {}))

    def observations_of(self, wheels):
        seen = super().observations_of(wheels)
        wrong = {"two": seen * 2, "floats": seen / 1.0, "flat": seen[0], "few": seen[1:], "alike": seen * 0}
        return wrong.get(self.fault, seen)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("start", "the start .* lies outside of its domains"),
        ("sum", r"probabilities of Wheels\(low=1, high=0\), turn sum to 0.5, not 1"),
        ("negative", r"Wheels\(low=1, high=0\), turn has probability -0.25"),
        ("outside", r"an outcome of Wheels\(low=., high=3\), turn lies outside of its domains"),
        ("event", "'payed', which it does not declare"),
        ("two", "no 1-D uint8 array of 0 and 1"),
        ("floats", "no uint8 array of as many rows"),
        ("flat", "no uint8 array of as many rows"),
        ("few", "no uint8 array of as many rows"),
        ("alike", "look alike"),
    ],
)
def test_arrays_that_break_the_contract_are_refused(fault, says):
    with pytest.raises(InvalidWorld, match=says):
        compile_world(Broken(fault=fault))
    if fault != "start":
        assert compile_world(Broken(fault=fault), arrays=False).state_count == compile_world(Odometer()).state_count


def test_domains_alone_are_refused():
    @dataclass(frozen=True, kw_only=True)
    class Half(Odometer):
        outcomes_of = Odometer.__base__.outcomes_of

    with pytest.raises(InvalidWorld, match="domains of its fields, but no outcomes_of"):
        compile_world(Half())


@pytest.mark.parametrize("limits", [{"max_states": 9}, {"max_transitions": 21}], ids=str)
def test_too_large_a_world_is_refused(limits):
    mdp = compile_world(Odometer(), max_states=10, max_transitions=22)
    assert (mdp.state_count, mdp.transition_count) == (10, 22)
    with pytest.raises(TooLargeToEnumerate, match="smaller level"):
        compile_world(Odometer(), **limits)


def test_a_world_of_too_many_combinations_is_walked(monkeypatch):
    monkeypatch.setattr(factored, "MAX_COMBINATIONS", 15)
    assert compile_world(Broken(fault="sum")).state_count == 10


def test_rows_are_numbered_in_the_order_in_which_they_occur():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 2))[rng.integers(60, size=400)]
    first, which = numbered(rows)
    np.testing.assert_array_equal(rows[first][which], rows)
    met = list(dict.fromkeys(map(tuple, rows.tolist())))
    assert [tuple(row) for row in rows[first].tolist()] == met
    assert [each.tolist() for each in numbered(np.zeros((3, 0)))] == [[0], [0, 0, 0]]
