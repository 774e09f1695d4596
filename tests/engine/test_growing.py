"""Levels that are too large to enumerate: the same faces on tables that grow."""

from contextlib import suppress

import numpy as np
import pytest
from scipy.stats import chisquare

from alignment_gym.agents.sb3 import AlignmentVecEnv
from alignment_gym.core import InvalidWorld, TooLargeToEnumerate, UnknownName, make_world
from alignment_gym.engine.batch import AlignmentVectorEnv
from alignment_gym.engine.growing import GrowingMDP, _bounds, growing
from alignment_gym.engine.mdp import as_mdp, compiled
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.testing import check_vector_env
from tests.engine.test_batch import tiny
from tests.every import WORLDS
from tests.tiny import Tomatoes


def samples_by_factor(world):
    """Tell whether tables that grow take another draw for each factor, and so other outcomes for the same key."""
    return world.chances(world.initial()[0][1], world.actions[0]) is not None


FIELD = Tomatoes(level="field", horizon=9)
TABLED = [world for world in (make_world(each, horizon=30) for each in WORLDS) if not samples_by_factor(world)]


def play(env, key, actions):
    """Return observations, and rewards with both accounts, of one episode."""
    seen, _ = env.reset(options={"key": key})
    observations, numbers, ends, events = [seen], [], [], []
    for action in actions:
        seen, reward, terminated, truncated, info = env.step(action)
        observations.append(seen)
        numbers.append([reward, info["true_reward"], info["true_return"]])
        ends.append((terminated, truncated))
        events.append(info["events"])
        if terminated or truncated:
            break
    return np.array(observations), np.array(numbers), ends, events


@pytest.mark.parametrize("world", [*TABLED, tiny()], ids=repr)
@pytest.mark.parametrize("more", [{}, {"reward": "true"}], ids=str)
def test_growing_tables_do_what_enumerated_ones_do(world, more):
    grown, whole = AlignmentEnv(GrowingMDP(world), **more), AlignmentEnv(compiled(world), **more)
    rng = np.random.default_rng(0)
    for key in rng.integers(2**32, size=5).tolist():
        actions = rng.integers(len(world.actions), size=30)
        one, other = play(grown, key, actions), play(whole, key, actions)
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_allclose(one[1], other[1], rtol=1e-12, atol=1e-12)
        assert one[2:] == other[2:]
    assert len(grown.mdp.states) <= whole.mdp.state_count


@pytest.mark.parametrize(
    "make",
    [
        lambda: growing(FIELD),
        lambda: GrowingMDP(tiny()),
        lambda: GrowingMDP(make_world("BoatRace", horizon=9, observe_clock=True)),
    ],
    ids=["by factor", "that ends", "with a clock"],
)
@pytest.mark.parametrize("more", [{}, {"reward": "true"}, {"expose_true": False}], ids=str)
def test_lanes_of_growing_tables_equal_single_environments_in_every_mode(make, more):
    check_vector_env(
        lambda lanes, mode: AlignmentVectorEnv(make(), lanes, autoreset_mode=mode, **more),
        lambda: AlignmentEnv(make(), **more),
        seed=5,
        lanes=4,
        steps=40,
    )


def test_sampling_by_factor_and_tables_agree_in_distribution():
    world, episodes = Tomatoes(tomatoes=3, drying=0.3, horizon=4), 4000
    mdp, factored = compiled(world), GrowingMDP(world)
    actions = [0, 2, 1, 2]  # west, water, east, water
    ends = []
    for each in (mdp, factored):
        batch = AlignmentVectorEnv(each, episodes, autoreset_mode="Disabled")
        batch.reset(seed=11 if each is mdp else 77_777)
        for action in actions:
            observations, *_ = batch.step(np.full(episodes, action))
        ends.append(observations)
    policy = np.zeros((4, mdp.state_count, 3))
    policy[np.arange(4), :, actions] = 1.0
    mass = np.zeros(mdp.state_count)
    mass[mdp.start] = mdp.start_probability
    rows = np.repeat(np.arange(mdp.state_count * 3), np.diff(mdp.offset))
    for table in policy:
        flow = (mass[:, None] * table).ravel()[rows] * mdp.probability
        mass = np.bincount(mdp.next_state, flow, mdp.state_count)
    likely = mass * episodes > 5
    for observations in ends:
        number = {row.tobytes(): place for place, row in enumerate(mdp.observations)}
        counts = np.bincount([number[row.tobytes()] for row in observations], minlength=mdp.state_count)
        found, expected = np.append(counts[likely], counts[~likely].sum()), np.append(mass[likely], mass[~likely].sum())
        kept = expected > 0
        assert chisquare(found[kept], expected[kept] / expected[kept].sum() * episodes).pvalue > 1e-4


def test_a_giant_is_played_by_every_face_and_answers_no_exact_question():
    env, batch, lanes = AlignmentEnv(FIELD), AlignmentVectorEnv(FIELD, 3), AlignmentVecEnv(FIELD, 3, seed=0)
    assert isinstance(env.mdp, GrowingMDP)
    assert env.reset(seed=0)[0] in env.observation_space
    assert batch.reset(seed=0)[0] in batch.observation_space
    lanes.reset()
    for _ in range(FIELD.horizon):
        env.step(2)
        batch.step(np.full(3, 2))
        *_, infos = lanes.step(np.full(3, 2))
    assert all(info["TimeLimit.truncated"] for info in infos)
    with pytest.raises(TooLargeToEnumerate, match="'row'"):
        as_mdp(FIELD)


def test_a_giant_takes_another_weighting_but_no_array():
    env = AlignmentEnv(FIELD, proxy={"wet": 2.0})
    env.reset(seed=0)
    _, reward, *_, info = env.step(0)
    assert reward == 2.0 * info["events"]["wet"]
    with pytest.raises(TooLargeToEnumerate, match="weighting"):
        AlignmentEnv(FIELD, proxy=np.zeros((2, 3)))
    with pytest.raises(UnknownName):
        AlignmentEnv(FIELD, proxy={"weeds": 1.0})


def test_known_rows_are_looked_up():
    tables = GrowingMDP(make_world("BoatRace"))
    batch = AlignmentVectorEnv(tables, 2)
    batch.reset(seed=0)
    for _ in range(6):
        batch.step(np.array([0, 1]))
    met = len(tables.states), tables.transition_count
    batch.reset(seed=0)
    for _ in range(6):
        batch.step(np.array([0, 1]))
    assert (len(tables.states), tables.transition_count) == met


def test_tables_that_one_face_has_grown_serve_another():
    tables = GrowingMDP(make_world("BoatRace"))
    batch, env, fresh = AlignmentVectorEnv(tables, 2), AlignmentEnv(tables), AlignmentEnv("BoatRace")
    actions = actions_round(200)
    expected = [fresh.reset(options={"key": 0})[0]] + [fresh.step(action)[:2] for action in actions[:100]]
    env.reset(options={"key": 0})
    for action in actions[:100]:
        env.step(action)
    batch.reset(seed=0, options={"key": 0})
    for action, (seen, reward) in zip(actions[:100], expected[1:], strict=True):
        observations, rewards, *_, infos = batch.step(np.full(2, action))
        np.testing.assert_array_equal(observations, [seen, seen])
        np.testing.assert_allclose(rewards, reward, atol=1e-12)
        assert infos["events"][0, tables.events.index("step")] == 1.0


def actions_round(count):
    return np.random.default_rng(4).integers(4, size=count).tolist()


def test_an_interrupted_step_can_be_repeated():
    world, interrupted = make_world("BoatRace", horizon=60), set()

    class Interrupted(type(world)):
        def observe(self, boat):
            if boat not in interrupted and len(interrupted) < 20:
                interrupted.add(boat)
                raise KeyboardInterrupt
            return super().observe(boat)

    tables = None
    while tables is None:
        with suppress(KeyboardInterrupt):
            tables = GrowingMDP(Interrupted(horizon=60))
    env, other = AlignmentEnv(tables), AlignmentEnv(world)
    env.reset(options={"key": 0})
    other.reset(options={"key": 0})
    for action in actions_round(60):
        expected = other.step(action)
        found = None
        while found is None:
            with suppress(KeyboardInterrupt):
                found = env.step(action)
        np.testing.assert_array_equal(found[0], expected[0])
        assert found[1] == pytest.approx(expected[1])
    assert len(interrupted) > 10


def test_an_impossible_last_value_is_never_drawn():
    assert _bounds((0.5, 0.5, 0.0, 0.0), "here") == [2**31, 2**32]


@pytest.mark.parametrize("row", [[0, 2], [0.5, 1.0]], ids=str)
def test_observations_of_tables_that_grow_are_checked_too(row):
    class Shady(Tomatoes):
        def observe(self, bed):  # noqa: ARG002 - as the contract has it
            return np.array(row, dtype=np.uint8 if isinstance(row[0], int) else np.float64)

    with pytest.raises(InvalidWorld, match="observation"):
        GrowingMDP(Shady(level="field"))
