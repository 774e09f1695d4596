"""Several levels behind one: an episode begins in one of them, and goes on as it would there."""

import pickle
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from hypothesis import given
from hypothesis import strategies as st

import alignment_gym  # noqa: F401 - registers the environments
from alignment_gym import exact
from alignment_gym.agents.planner import scripted
from alignment_gym.core import (
    InvalidDial,
    InvalidWorld,
    Mixture,
    Outcome,
    Specification,
    TooLargeToEnumerate,
    UnknownName,
    full_id,
    make_world,
    world_class,
)
from alignment_gym.engine import mixture as module
from alignment_gym.engine.batch import AlignmentVectorEnv
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.engine.mixture import mixture
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.exact.evaluation import returns
from alignment_gym.exact.values import at_start, maximal, minimal, of_policy, uniform
from alignment_gym.testing import check_vector_env
from tests.every import levels
from tests.tiny import Table, Tomatoes, bandit, random_table

SEVERAL = ("BoatRace-v0", "SensorCleaner-v0", "ShutdownButton-v0")


class Wide(Table):
    """A table whose observation has five features, whatever its number of states."""

    def observe(self, state):
        return np.pad(super().observe(state), (0, 5 - len(self.follows)))


def levels_of(env_id):
    return [level for level in levels(env_id, drawn=2) if make_world(env_id, level=level).enumerable]


def values(mdp):
    """Return the best, the worst and the uniform policy's return under both rewards."""
    rewards = [mdp.specification.proxy, mdp.specification.true]
    found = maximal(mdp, rewards), minimal(mdp, rewards), of_policy(mdp, rewards, uniform(mdp))
    return np.array([at_start(mdp, each) for each in found])


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 5)), min_size=1, max_size=4),
    st.lists(st.floats(0.1, 10.0), min_size=4, max_size=4),
)
def test_values_are_the_weighted_means_of_the_parts_values(tables, weights):
    worlds = [random_table(np.random.default_rng(seed), states=states) for seed, states in tables]
    worlds = [replace(world, looks=tuple(range(len(world.proxy)))) for world in worlds]
    parts = [as_mdp(Wide(**vars(world))) for world in worlds]
    weights = weights[: len(parts)]
    expected = np.average([values(part) for part in parts], axis=0, weights=weights)
    np.testing.assert_allclose(values(mixture(parts, weights)), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("env_id", SEVERAL)
def test_values_of_levels_are_the_means_of_the_levels_values(env_id):
    names = levels_of(env_id)
    expected = np.mean([values(as_mdp(env_id, level=level, horizon=9)) for level in names], axis=0)
    np.testing.assert_allclose(values(as_mdp(env_id, level=names, horizon=9)), expected, rtol=1e-12, atol=1e-12)


def test_levels_that_look_different_are_solved_to_their_mean():
    mdp = as_mdp("BoatRace", level="lagoon,cove", horizon=8)
    assert mdp.fully_observed
    found = exact.solve(mdp)
    parts = [exact.solve("BoatRace", level=level, horizon=8) for level in ("lagoon", "cove")]
    for name in ("proxy_max", "proxy_min", "proxy_reference", "true_max", "true_min", "true_reference"):
        mean = sum(getattr(part.anchors, name) for part in parts) / 2
        assert getattr(found.anchors, name) == pytest.approx(mean, abs=1e-9), name
    assert found.level == "lagoon,cove"


def test_levels_that_look_alike_are_played_without_knowing_which_it_is():
    parts = [as_mdp(bandit(pays, pays)) for pays in ((1.0, 0.0), (0.0, 4.0))]
    mdp = mixture(parts, weights=(3.0, 1.0))
    assert (mdp.state_count, len(mdp.observations)) == (2, 1)
    found = exact.solve(mdp)
    assert found.anchors.proxy_max == pytest.approx(1.0)  # the second arm: a quarter of 4
    assert found.full_state.proxy_max == pytest.approx(1.75)  # who knew would have 1 or 4


@pytest.mark.parametrize("env_id", SEVERAL)
def test_tables_are_those_of_the_mixtures_functions(env_id):
    mdp = as_mdp(env_id, level=levels_of(env_id))
    rng = np.random.default_rng(0)
    assert mdp.states[mdp.start[-1]] == mdp.world.initial()[-1][1]
    for state in rng.integers(mdp.state_count, size=60).tolist():
        action = int(rng.integers(len(mdp.actions)))
        row = state * len(mdp.actions) + action
        found = [
            Outcome(
                mdp.probability[place],
                mdp.states[mdp.next_state[place]],
                dict(zip(mdp.events, mdp.event_rows[mdp.event_id[place]].tolist(), strict=True)),
                bool(mdp.terminated[place]),
            )
            for place in range(mdp.offset[row], mdp.offset[row + 1])
        ]
        expected = [
            each._replace(events={name: each.events.get(name, 0.0) for name in mdp.events})
            for each in mdp.world.outcomes(mdp.states[state], mdp.actions[action])
        ]
        assert found == expected
        np.testing.assert_array_equal(mdp.observations[mdp.observation_id[state]], mdp.world.observe(mdp.states[state]))
        assert mdp.succeeded[state] == mdp.world.succeeded(mdp.states[state])


def episode(env, key, actions):
    obs, _ = env.reset(options={"key": key})
    steps = [(obs.tolist(), env.scene)]
    for action in actions:
        obs, *rest = env.step(action)
        steps.append((obs.tolist(), rest, env.scene))
    return steps


@pytest.mark.parametrize("env_id", SEVERAL)
def test_an_episode_is_that_of_its_level_with_the_same_key(env_id):
    names = levels_of(env_id)
    env = AlignmentEnv(env_id, level=names, horizon=30)
    alone = [AlignmentEnv(env_id, level=level, horizon=30) for level in names]
    rng, met = np.random.default_rng(0), set()
    for key in range(0, 2**32, 2**28 + 12345):
        actions = rng.integers(int(env.action_space.n), size=30).tolist()
        played = episode(env, key, actions)
        same = [level for level, single in zip(names, alone, strict=True) if episode(single, key, actions) == played]
        assert len(same) == 1, f"key {key} plays {same}"
        met |= set(same)
    assert met == set(names)


def test_levels_are_drawn_by_their_weights():
    parts = tuple(make_world("BoatRace", level=level) for level in ("lagoon", "harbour", "cove"))
    mdp = as_mdp(Mixture(parts=parts, weights=(1.0, 2.0, 5.0)))
    np.testing.assert_allclose(mdp.start_probability, [0.125, 0.25, 0.625], rtol=1e-15)
    batch = AlignmentVectorEnv(mdp, 4000)
    batch.reset(seed=0)
    drawn = np.bincount([mdp.states[state][0] for state in batch.lanes.state]) / 4000
    np.testing.assert_allclose(drawn, mdp.start_probability, atol=4 * 0.5 / 4000**0.5)


@pytest.mark.parametrize("env_id", SEVERAL)
@pytest.mark.parametrize("level", [["generated/0", "generated/2"], "generated/0-3"], ids=str)
def test_lanes_equal_single_environments_in_every_mode(env_id, level):
    more = {"level": level, "horizon": 13}
    check_vector_env(
        lambda lanes, mode: AlignmentVectorEnv(env_id, lanes, autoreset_mode=mode, **more),
        lambda: AlignmentEnv(env_id, **more),
        seed=5,
        steps=40,
    )


@pytest.mark.parametrize(
    ("level", "names"),
    [
        (["lagoon", "cove"], ["lagoon", "cove"]),
        (("lagoon", "generated/3"), ["lagoon", "generated/3"]),
        ("lagoon, generated/3-5", ["lagoon", "generated/3", "generated/4", "generated/5"]),
        ("generated/9-11", ["generated/9", "generated/10", "generated/11"]),
    ],
    ids=str,
)
def test_several_levels_are_named_by_lists_commas_and_ranges(level, names):
    world = make_world("BoatRace", level=level, respawn=3)
    assert [part.level for part in world.parts] == names
    assert world.level == (level if isinstance(level, str) else ",".join(level))
    assert world.respawn == 3
    assert as_mdp("BoatRace", level=world.level, respawn=3) is as_mdp(world)


@pytest.mark.parametrize("level", ["generated/3-3", ["generated/3"], "generated/3"], ids=str)
def test_one_level_is_no_mixture(level):
    assert make_world("BoatRace", level=level) == world_class("BoatRace")(level="generated/3")


@pytest.mark.parametrize(
    ("level", "error", "says"),
    [
        ("generated/5-3", InvalidDial, "the range 'generated/5-3' holds no level"),
        ("lagoon,", InvalidDial, "has no name"),
        (f"generated/0-{'9' * 5000}", UnknownName, "unknown level"),
        ("generated/0-99999999999", InvalidDial, "more than 10,000"),
        ("generated/0-x", UnknownName, "unknown level 'generated/0-x'"),
        ("harbor,cove", UnknownName, "did you mean 'harbour'"),
        ("lagoon/0-1", UnknownName, "did you mean 'lagoon'"),
        ([], InvalidDial, "level takes a word, or several in a list"),
        ([3], InvalidDial, "level takes a word, or several in a list"),
        (3, InvalidDial, "level takes a word, or several in a list"),
    ],
    ids=str,
)
def test_levels_that_are_none_are_refused(level, error, says):
    with pytest.raises(error, match=says):
        make_world("BoatRace", level=level)


def test_a_spec_of_several_levels_survives_json():
    env = gym.make(full_id("BoatRace-v0"), level=["lagoon", "cove"])
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.unwrapped.world == env.unwrapped.world


def part(**more):
    return replace(as_mdp(bandit((1.0, 0.0), (0.0, 1.0))), **more)


@pytest.mark.parametrize(
    "more",
    [
        {"actions": ("arm 0", "arm 2")},
        {"events": ("paid", "ment")},
        {"horizon": 2},
        {"discount": 0.9},
        {"observe_clock": True},
        {"specification": Specification(proxy={"paid": 2.0}, true={"meant": 1.0})},
    ],
    ids=lambda more: next(iter(more)),
)
def test_parts_that_do_not_fit_together_are_refused(more):
    (name,) = more
    with pytest.raises(InvalidWorld, match=f"agree in {name}: Table-v0, level table has .*, Table-v0, level table has"):
        mixture([part(), part(**more)])


def test_parts_whose_observations_differ_in_size_are_refused():
    wide = part(observations=np.zeros((1, 3), dtype=np.uint8))
    with pytest.raises(InvalidWorld, match=r"agree in observation_size: .* has 1, .* has 3"):
        mixture([part(), wide])


@pytest.mark.parametrize(
    ("parts", "weights"),
    [([], None), ([1, 1], [1.0]), ([1, 1], [1.0, 0.0]), ([1, 1], [1.0, -1.0]), ([1, 1], [1.0, float("nan")])],
    ids=str,
)
def test_weights_that_are_none_are_refused(parts, weights):
    with pytest.raises(InvalidDial, match="a positive weight for each"):
        mixture([part() for _ in parts], weights)


def test_too_many_levels_are_refused_before_all_are_compiled(monkeypatch):
    monkeypatch.setattr(module, "MAX_STATES", 4000)
    with pytest.raises(TooLargeToEnumerate, match="3 levels have more than 4,000 states together"):
        as_mdp("BoatRace", level="generated/0-9")


def test_a_giant_among_the_levels_is_refused():
    with pytest.raises(TooLargeToEnumerate):
        as_mdp(Mixture(parts=(Tomatoes(), Tomatoes(level="field"))))


def test_giants_are_played_side_by_side():
    parts = tuple(Tomatoes(level="field", drying=drying, horizon=5) for drying in (0.0, 1.0))
    env, wet = AlignmentEnv(Mixture(parts=parts)), set()
    for seed in range(20):
        env.reset(seed=seed)
        wet.add(env.step(0)[4]["events"].get("wet", 0.0))
    assert wet == {30.0, 0.0}


def test_parts_of_arrays_alone_are_not_drawn():
    mdp = mixture([replace(part(), world=None, states=()), part()])
    assert (mdp.world, mdp.states) == (None, ((0, 0), (1, 0)))
    env = AlignmentEnv(mdp)
    env.reset(seed=0)
    with pytest.raises(gym.error.Error, match="can't be drawn"):
        _ = env.scene


def test_demos_play_every_level():
    tables = [as_mdp("BoatRace", level=level, horizon=40) for level in ("lagoon,cove", "lagoon", "cove")]
    both, lagoon, cove = (returns(mdp, scripted(mdp, "exploit")) for mdp in tables)
    assert both == pytest.approx(np.mean([lagoon, cove], axis=0), abs=1e-12)
    assert both[0] > 10.0


def test_a_mixture_goes_through_a_pickle():
    env = AlignmentEnv("BoatRace", level=["lagoon", "harbour"])
    env.reset(seed=0)
    twin = pickle.loads(pickle.dumps(env))
    for action in (0, 1, 2, 3):
        np.testing.assert_array_equal(twin.step(action)[0], env.step(action)[0])


def test_another_horizon_is_that_of_all_levels():
    world = make_world("BoatRace", level=["lagoon", "cove"])
    assert world.horizon == 100
    shorter = replace(world, horizon=5)
    assert [part.horizon for part in shorter.parts] == [5, 5]
    assert as_mdp(shorter).horizon == shorter.horizon == 5


def test_levels_with_different_horizons_are_refused():
    parts = tuple(make_world("BoatRace", horizon=horizon) for horizon in (9, 20))
    with pytest.raises(InvalidDial, match="agree in horizon"):
        Mixture(parts=parts)


def test_a_reset_tells_which_level_was_drawn():
    env = AlignmentEnv("BoatRace", level=["lagoon", "harbour", "cove"])
    drawn = set()
    for seed in range(20):
        seen, info = env.reset(seed=seed)
        part = env.world.parts[info["level"]]
        np.testing.assert_array_equal(seen, part.observe(part.initial()[0][1]))
        drawn.add(info["level"])
    assert drawn == {0, 1, 2}
    batch = AlignmentVectorEnv("BoatRace", 20, level=["lagoon", "harbour", "cove"])
    assert batch.reset(seed=0)[1]["level"].tolist() == [env.reset(seed=seed)[1]["level"] for seed in range(20)]
    assert "level" not in AlignmentEnv("BoatRace").reset(seed=0)[1]
