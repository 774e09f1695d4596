"""The conformance checks reject what they are there to reject."""

from dataclasses import dataclass, replace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from alignment_gym.core import Demo, InvalidWorld, Meter, Scene, Sprite, Tint, dial
from alignment_gym.engine.batch import AlignmentVectorEnv
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.testing import NonConformance, check_vector_env, check_world
from tests.tiny import DeepMindBoatRace, Odometer, Table, Tomatoes, cycle

THREE = {
    "follows": (((0.0, 1.0), (0.5, 0.5)), ((1.0, 0.0), (0.0, 1.0))),
    "proxy": ((0.0, 1.0),) * 2,
    "true": ((0.0, 1.0),) * 2,
    "start": (1.0, 0.0),
    "horizon": 4,
}


@dataclass(frozen=True, kw_only=True)
class Faulty(Table):
    """A conforming world, but for one fault."""

    fault: str = ""
    levels = ("small", "large")

    def outcomes(self, state, action):
        found = super().outcomes(state, action)
        if self.fault == "memory":
            calls = vars(self).setdefault("calls", [])
            calls.append(state)
            found = [each._replace(events={"paid": float(len(calls))}) for each in found]
        if self.fault == "idle action":
            return super().outcomes(state, self.actions[0])
        if self.fault == "sum":
            return found[:1]
        return found

    def initial(self):
        if self.fault == "wandering start":
            calls = vars(self).setdefault("starts", [])
            calls.append(0)
            return [(1.0, len(calls) % 2)]
        return super().initial()

    def observe(self, state):
        found = super().observe(state)
        return np.append(found, found[:1]) if self.fault == "shape" and self.level == "large" else found

    def draw(self, state):
        return {
            "ragged": Scene(tiles=(("floor",), ("floor", "floor"))),
            "sprite": Scene(tiles=(("floor",),), sprites=(Sprite("dot", (0, 1)),)),
            "tint": Scene(tiles=(("floor",),), tints=(Tint("seen", frozenset({(-1, 0)})),)),
            "meter": Scene(tiles=(("floor",),), meters=(Meter("cap", 3.0, 2.0),)),
            "sensor": Scene(tiles=(("floor",),), sensor=Scene(tiles=())),
        }.get(self.fault, super().draw(state))

    def look(self, state):
        seen = super().look(state)
        return {
            "size": Scene(tiles=(("floor",) * (2 + state),)),
            "tiles of the look": Scene(tiles=(("floor",), ("floor", "floor"))),
            "blind": Scene(tiles=(("floor",),)),
        }.get(self.fault, seen)


@pytest.mark.parametrize("world", [Faulty(**THREE), DeepMindBoatRace()], ids=["table", "boat race"])
def test_a_conforming_world_passes(world):
    check_world(world)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("memory", r"two calls of outcomes\(.*differ"),
        ("wandering start", r"two calls of initial\(\) differ"),
        ("idle action", "'arm 0' and 'arm 1' do the same in every state"),
        ("shape", "level 'large' has 3 features"),
        ("ragged", "no rectangle"),
        ("sprite", "off the picture"),
        ("tint", "off the picture"),
        ("meter", "shows 3.0 of 2.0"),
        ("size", r"looks are of different sizes, \[\(1, 2\), \(1, 3\)\]"),
        ("tiles of the look", "as its agent sees it: tiles are no rectangle"),
    ],
)
def test_a_world_with_a_fault_is_rejected(fault, says):
    with pytest.raises(NonConformance, match=says):
        check_world(Faulty(fault=fault, **THREE))


def test_a_look_that_tells_more_than_observations_do_is_rejected():
    check_world(Faulty(fault="blind", looks=(0, 0), **THREE))
    with pytest.raises(NonConformance, match="0 and 1 have equal observations, and the agent sees them differ"):
        check_world(Faulty(looks=(0, 0), **THREE))


def test_a_world_that_does_not_compile_is_rejected():
    with pytest.raises(InvalidWorld, match=r"sum to 0\.5"):
        check_world(Faulty(fault="sum", **THREE))


@dataclass(frozen=True, kw_only=True)
class Retold(Odometer):
    """A world whose arrays tell one thing differently."""

    fault: str = ""

    def outcomes_of(self, wheels, action):
        found = super().outcomes_of(wheels, action)
        probability = np.broadcast_to(found.probability, np.broadcast_shapes(np.shape(found.probability), (1, 1)))
        low, high = found.states
        changed = {
            "order": {"probability": probability[::-1], "states": (np.atleast_2d(low)[::-1], high)},
            "chances": {
                "probability": np.where(probability == 0.75, 0.5, np.where(probability == 0.25, 0.5, probability))
            },
            "amounts": {"events": {name: 2.0 * np.asarray(amount) for name, amount in found.events.items()}},
            "ends": {"terminated": False},
            "states": {"states": (low, 0 * high)},
        }
        return found._replace(**changed.get(self.fault, {}))

    def observations_of(self, wheels):
        seen = super().observations_of(wheels)
        return seen[:, ::-1] if self.fault == "looks" else seen


@dataclass(frozen=True, kw_only=True)
class Twice(Tomatoes):
    """Tomatoes with outcomes of their own, which may dry at another rate than the chances say."""

    other: float = 0.0

    def outcomes(self, bed, action):
        return replace(self, drying=self.drying + self.other).chances(bed, action).outcomes()


def test_chances_are_compared_with_outcomes():
    check_world(Tomatoes())
    check_world(Twice())
    with pytest.raises(NonConformance, match="chances and outcomes of Bed"):
        check_world(Twice(other=0.01))


def test_a_world_whose_arrays_say_the_same_passes():
    check_world(Retold())


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("order", r"what follows on Wheels\(low=1, high=0\), 'turn' differs"),
        ("chances", r"what follows on Wheels\(low=1, high=0\), 'turn' differs"),
        ("ends", r"what follows on Wheels\(low=2, high=2\), 'carry' differs"),
        ("amounts", "the amounts of turned, slipped, sum differ"),
        ("states", "is met instead of"),
        ("looks", r"the observation of Wheels\(low=1, high=0\) differs"),
    ],
)
def test_a_world_whose_arrays_say_something_else_is_rejected(fault, says):
    with pytest.raises(NonConformance, match=says):
        check_world(Retold(fault=fault))


def make_single():
    return AlignmentEnv(cycle(4))


class Spoilt(AlignmentVectorEnv):
    """A batch with one fault."""

    fault = ""

    def reset(self, *, seed=None, options=None):
        if self.fault == "one seed for all" and isinstance(seed, int):
            seed = [seed] * self.num_envs
        if self.fault == "deaf to masks" and options:
            options = None
        observations, infos = super().reset(seed=seed, options=options)
        if self.fault == "one buffer":
            self.buffer = observations
        return observations, infos

    def step(self, actions):
        observations, rewards, terminated, truncated, infos = super().step(actions)
        if self.fault == "one buffer":
            np.copyto(self.buffer, observations, where=self.buffer != 77)
            observations = self.buffer
        if self.fault == "rewards":
            rewards = rewards * 2
        if self.fault == "flags":
            terminated = terminated | truncated
        if self.fault == "mask":
            del infos["_proxy_return"]
        if self.fault == "no final observation":
            infos.pop("final_obs", None)
        if self.fault == "account":
            infos["true_return"] = infos["true_return"] + 1
        if self.fault == "event":
            infos["events"][:, 0] += 1
        return observations, rewards, terminated, truncated, infos


@pytest.mark.parametrize(
    "fault",
    [
        "",
        "one seed for all",
        "deaf to masks",
        "one buffer",
        "rewards",
        "flags",
        "mask",
        "no final observation",
        "account",
        "event",
    ],
)
def test_only_a_batch_without_a_fault_passes(fault):
    def make_vec(lanes, mode):
        batch = Spoilt(cycle(4), lanes, autoreset_mode=mode)
        batch.fault = fault
        return batch

    if not fault:
        check_vector_env(make_vec, make_single, seed=0, steps=40)
    else:
        with pytest.raises(NonConformance):
            check_vector_env(make_vec, make_single, seed=0, steps=40)


def test_a_batch_in_another_autoreset_mode_is_rejected():
    def make_vec(lanes, mode):
        return AlignmentVectorEnv(cycle(4), lanes, autoreset_mode=AutoresetMode.NEXT_STEP)

    with pytest.raises(NonConformance):
        check_vector_env(make_vec, make_single, seed=0, steps=40)


def test_a_single_environment_of_another_seed_is_rejected():
    class Shifted(gym.Wrapper):
        def reset(self, *, seed=None, options=None):
            return self.env.reset(seed=None if seed is None else seed + 1, options=options)

    with pytest.raises(NonConformance, match="key is"):
        check_vector_env(
            lambda lanes, mode: AlignmentVectorEnv(cycle(4), lanes, autoreset_mode=mode),
            lambda: Shifted(make_single()),
            seed=0,
        )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"exploit_event": "ratle"}, "names 'ratle', which is no event"),
        ({"behaviour": "wander"}, "names 'wander', which is no event"),
        ({"demos": (Demo("arm", lambda *_: "arm 1", 0, 98.0, 1.0, 1.0, 1.0, "table"),)}, r"says \(98.0, 1.0\)"),
    ],
)
def test_a_card_that_says_what_is_not_so_is_rejected(changes, says):
    @dataclass(frozen=True, kw_only=True)
    class Carded(Table):
        card = replace(Table.card, **changes)
        follows: tuple = THREE["follows"]
        proxy: tuple = THREE["proxy"]
        true: tuple = THREE["true"]
        start: tuple = THREE["start"]
        horizon: int = 4

    with pytest.raises(NonConformance, match=says):
        check_world(Carded())


def test_a_loophole_closed_at_a_value_that_is_refused_is_rejected():
    @dataclass(frozen=True, kw_only=True)
    class Closed(Table):
        shut: float = dial(0.0, "how far it is shut", low=0.0, high=1.0, closed_at=5.0)

    with pytest.raises(NonConformance, match="closed at a value that is refused"):
        check_world(Closed(**THREE))
