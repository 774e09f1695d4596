"""One world as a Gymnasium environment."""

import copy
import json
import pickle
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env

import alignment_gym  # noqa: F401 - registers the environments
from alignment_gym.core import InvalidDial, Specification, UnknownName, full_id, make_world, world_class
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.engine.randomness import SCALE, draw
from alignment_gym.engine.single import AlignmentEnv, keys
from tests.every import WORLDS
from tests.tiny import Table, cycle


def weights(env_id: str) -> dict[str, float]:
    return {event: 0.5 + place for place, event in enumerate(world_class(env_id).events)}


MODES = {
    "proxy": {},
    "true": {"reward": "true"},
    "own proxy": {"proxy": "weights"},
    "true account hidden": {"expose_true": False},
    "clock": {"observe_clock": True},
}


def episode(env, actions, **options):
    """Play actions from a reset and return all that came back."""
    found = [env.reset(**options)]
    found += [env.step(action) for action in actions]
    return found


def same(one, other):
    assert len(one) == len(other)
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(left[0], right[0])
        assert left[1:] == right[1:]


def actions_of(env, count, seed=0):
    return np.random.default_rng(seed).integers(env.action_space.n, size=count).tolist()


@pytest.mark.parametrize("env_id", WORLDS)
@pytest.mark.parametrize("mode", MODES)
def test_gymnasiums_checker_finds_nothing(env_id, mode, monkeypatch):
    monkeypatch.setitem(AlignmentEnv.metadata, "render_fps", 1000)  # a window waits between frames
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        more = {"proxy": weights(env_id)} if "proxy" in MODES[mode] else MODES[mode]
        env = gym.make(full_id(env_id), **more)
        check_env(env.unwrapped, skip_render_check=False)


@pytest.mark.parametrize("env_id", WORLDS)
def test_every_step_keeps_both_accounts(env_id):
    env = AlignmentEnv(env_id)
    spec = env.world.specification
    _, first = env.reset(seed=3)
    assert set(first) == {"key"}
    proxy_return = true_return = 0.0
    for step, action in enumerate(actions_of(env, env.mdp.horizon), start=1):
        _, reward, terminated, truncated, info = env.step(action)
        events = info["events"]
        proxy_return += sum(spec.proxy.get(name, 0.0) * amount for name, amount in events.items())
        true_reward = sum(spec.true.get(name, 0.0) * amount for name, amount in events.items())
        true_return += true_reward
        assert all(events.values())
        assert info["true_reward"] == pytest.approx(true_reward, abs=1e-9)
        assert info["proxy_return"] == pytest.approx(proxy_return, abs=1e-9)
        assert info["true_return"] == pytest.approx(true_return, abs=1e-9)
        assert truncated == (step == env.mdp.horizon and not terminated)
        assert ("alignment" in info) == ("is_success" in info) == (terminated or truncated)
        if terminated:
            break
    assert info["alignment"] == {"proxy_return": info["proxy_return"], "true_return": info["true_return"]}
    assert isinstance(info["is_success"], bool)
    assert reward is not None


@pytest.mark.parametrize("env_id", WORLDS)
def test_the_twin_is_paid_the_true_reward_and_keeps_the_same_accounts(env_id):
    one, twin = AlignmentEnv(env_id), AlignmentEnv(env_id, reward="true")
    for (_, *paid), (_, *meant) in zip(
        episode(one, actions_of(one, 60), seed=1)[1:], episode(twin, actions_of(one, 60), seed=1)[1:], strict=True
    ):
        assert meant[0] == paid[3]["true_reward"]
        assert meant[1:] == paid[1:]


def test_own_proxy_pays_its_weights_over_events():
    env = AlignmentEnv("BoatRace", proxy={"step": -2.0, "progress": 1.0})
    env.reset(seed=0)
    for action in actions_of(env, 50):
        _, reward, _, _, info = env.step(action)
        assert reward == pytest.approx(-2.0 + info["events"].get("progress", 0.0))


def test_own_proxy_may_be_a_table_over_states_and_actions():
    mdp = as_mdp("BoatRace")
    table = np.random.default_rng(0).normal(size=(mdp.state_count, len(mdp.actions)))
    env = AlignmentEnv("BoatRace", proxy=table)
    obs, _ = env.reset(seed=0)
    number = {row.tobytes(): state for state, row in enumerate(mdp.observations[mdp.observation_id])}
    for action in actions_of(env, 50):
        expected = table[number[obs.tobytes()], action]
        obs, reward, *_ = env.step(action)
        assert reward == expected


@pytest.mark.parametrize("env_id", WORLDS)
def test_a_key_replays_its_episode(env_id):
    env = AlignmentEnv(env_id)
    actions = actions_of(env, 100)
    first = episode(env, actions, seed=11)
    key = first[0][1]["key"]
    same(episode(env, actions, options={"key": key}), first)
    same(episode(AlignmentEnv(env_id), actions, options={"key": key}, seed=99), first)


@pytest.mark.parametrize("env_id", WORLDS)
def test_later_episodes_do_not_depend_on_what_was_done_before(env_id):
    one, other = AlignmentEnv(env_id), AlignmentEnv(env_id)
    one.reset(seed=4), other.reset(seed=4)
    for action in actions_of(one, 37, seed=1):
        one.step(action)
    actions = actions_of(one, 100, seed=2)
    same(episode(one, actions), episode(other, actions))


def test_seeds_choose_keys_and_different_seeds_choose_different_ones():
    env = AlignmentEnv("ShutdownButton")
    drawn = [env.reset(seed=seed)[1]["key"] for seed in range(20)]
    assert drawn == [env.reset(seed=seed)[1]["key"] for seed in range(20)]
    assert len(set(drawn)) == 20
    assert env.reset()[1]["key"] != drawn[-1]


def test_an_outcome_is_the_first_whose_bound_exceeds_the_steps_draw():
    third = Table(follows=(((0.5, 0.25, 0.25),),) * 3, proxy=((0.0,),) * 3, true=((0.0,),) * 3, start=(0.25, 0.25, 0.5))
    env = AlignmentEnv(third)
    seen = set()
    for key in range(40):
        obs, _ = env.reset(options={"key": key})
        chance = draw(key, 0) / SCALE
        assert obs.argmax() == (0 if chance < 0.25 else 1 if chance < 0.5 else 2)
        for step in range(1, 6):
            obs, *_ = env.step(0)
            chance = draw(key, step) / SCALE
            assert obs.argmax() == (0 if chance < 0.5 else 1 if chance < 0.75 else 2)
            seen.add(int(obs.argmax()))
    assert seen == {0, 1, 2}


def test_termination_ends_an_episode_before_its_horizon_and_pays_what_is_final():
    world = cycle(9)
    env = AlignmentEnv(type(world)(**{**vars(world), "final_pay": ((5.0, 7.0), (0.0, 0.0), (2.0, 3.0))}))
    env.reset(seed=0)
    assert env.step(1)[1:4] == (0.0, False, False)
    _, reward, terminated, truncated, info = env.step(0)
    assert (reward, terminated, truncated) == (3.0, True, False)
    assert info["alignment"] == {"proxy_return": 3.0, "true_return": 3.0}
    env.reset(seed=0)
    for _ in range(8):
        assert env.step(0)[1:4] == (0.0, False, False)
    _, reward, terminated, truncated, info = env.step(0)
    assert (reward, terminated, truncated) == (5.0, False, True)
    assert info["true_return"] == 9.0 + 7.0


def test_horizon_level_and_dials_reach_the_world():
    env = gym.make(full_id("BoatRace-v0"), horizon=5, level="cove", respawn=4)
    world = env.unwrapped.world
    assert (world.horizon, world.level, world.respawn) == (5, "cove", 4)
    env.reset(seed=0)
    assert [env.step(0)[3] for _ in range(5)] == [False] * 4 + [True]


def test_the_clock_is_the_steps_number_in_binary_after_the_worlds_features():
    env, plain = AlignmentEnv("BoatRace", observe_clock=True), AlignmentEnv("BoatRace")
    actions = actions_of(env, 100)
    bits = env.observation_space.shape[0] - plain.observation_space.shape[0]
    assert bits == 7
    found = zip(episode(env, actions, seed=2), episode(plain, actions, seed=2), strict=True)
    for step, ((clocked, *_), (obs, *_)) in enumerate(found):
        np.testing.assert_array_equal(clocked[:-bits], obs)
        assert sum(int(bit) << place for place, bit in enumerate(clocked[-bits:])) == step


@pytest.mark.parametrize("env_id", WORLDS)
def test_a_spec_survives_json(env_id):
    env = gym.make(full_id(env_id), level=world_class(env_id).levels[-1], horizon=30, proxy=weights(env_id))
    text = env.spec.to_json()
    json.loads(text)
    again = gym.make(EnvSpec.from_json(text))
    actions = actions_of(env, 30)
    same(episode(env, actions, seed=5), episode(again, actions, seed=5))


@pytest.mark.parametrize("env_id", WORLDS)
def test_with_the_true_account_hidden_nothing_depends_on_the_true_weights(env_id):
    mdp = as_mdp(env_id)
    spec = mdp.specification
    other = Specification(spec.proxy, {event: -13.0 * (1 + place) for place, event in enumerate(mdp.events)})
    differing = (mdp.transition_rewards(spec.true) != mdp.transition_rewards(other.true)).any()
    actions = np.random.default_rng(0).integers(len(mdp.actions), size=mdp.horizon).tolist()
    tables = mdp, mdp.with_specification(other)
    one, changed = (episode(AlignmentEnv(each, expose_true=False), actions, seed=7) for each in tables)
    same(one, changed)
    assert all(set(step[4]) == {"proxy_return"} for step in one[1:])
    assert differing, "else nothing is hidden"


def test_observations_and_infos_are_fresh():
    env, twin = AlignmentEnv("SensorCleaner"), AlignmentEnv("SensorCleaner")
    for each in (env, twin):
        each.reset(seed=0)
    for action in actions_of(env, 100):
        obs, *_, info = env.step(action)
        kept, *_, expected = twin.step(action)
        np.testing.assert_array_equal(obs, kept)
        assert info == expected
        obs[:] = 9
        info["events"].clear()
        info.clear()


def test_stepping_before_a_reset_is_refused():
    with pytest.raises(gym.error.ResetNeeded):
        AlignmentEnv("BoatRace").step(0)


def test_unknown_names_are_refused_with_the_nearest_one():
    with pytest.raises(UnknownName, match="did you mean 'proxy'"):
        AlignmentEnv("BoatRace", reward="proxi")
    with pytest.raises(UnknownName, match="did you mean 'buoy'"):
        AlignmentEnv("BoatRace", proxy={"boy": 1.0})
    with pytest.raises(UnknownName, match="did you mean 'lagoon'"):
        AlignmentEnv("BoatRace", level="lagon")
    with pytest.raises(InvalidDial, match="respawn"):
        AlignmentEnv("BoatRace", respawn=0)


def test_a_world_and_its_tables_serve_as_well_as_an_id():
    world = make_world("BoatRace", level="harbour")
    actions = actions_of(AlignmentEnv(world), 50)
    by_id = episode(AlignmentEnv("BoatRace", level="harbour"), actions, seed=3)
    same(by_id, episode(AlignmentEnv(world), actions, seed=3))
    same(by_id, episode(AlignmentEnv(as_mdp(world)), actions, seed=3))


@pytest.mark.parametrize("env_id", WORLDS)
def test_every_action_has_a_key_of_its_own(env_id):
    chosen = AlignmentEnv(env_id).get_keys_to_action()
    assert sorted(chosen.values()) == list(range(len(world_class(env_id).actions)))


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        (("north", "east", "south", "west"), ("w", "d", "s", "a")),
        (("north", "west", "work"), ("w", "a", "o")),
        (("aa", "a", "b"), ("a", "1", "b")),
    ],
)
def test_keys_are_arrows_then_free_letters_then_digits(actions, expected):
    assert keys(actions) == expected


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))], ids=["copy", "pickle"]
)
def test_a_copy_goes_on_where_the_original_stands(duplicate):
    env = AlignmentEnv("SensorCleaner")
    actions = actions_of(env, 90)
    episode(env, actions[:40], seed=4)
    twin = duplicate(env)
    same([env.step(action) for action in actions[40:]], [twin.step(action) for action in actions[40:]])


def test_a_closed_environment_is_stepped_only_after_a_reset():
    env = AlignmentEnv("BoatRace")
    env.reset(seed=0)
    env.close()
    with pytest.raises(gym.error.ClosedEnvironmentError):
        env.step(0)
    env.reset(seed=0)
    env.step(0)


@pytest.mark.parametrize("action", [-1, 4, np.int64(77), -(2**40)], ids=str)
def test_an_action_out_of_range_leaves_the_episode_as_it_was(action):
    env, other = AlignmentEnv("BoatRace"), AlignmentEnv("BoatRace")
    for each in (env, other):
        each.reset(seed=0)
    with pytest.raises(InvalidDial, match="out of range"):
        env.step(action)
    same([env.step(1)], [other.step(1)])


def test_an_action_that_is_no_whole_number_is_refused():
    env = AlignmentEnv("BoatRace")
    env.reset(seed=0)
    with pytest.raises(TypeError):
        env.step(1.5)


def test_a_shallow_copy_leaves_the_originals_frames_alone():
    env = AlignmentEnv("BoatRace", render_mode="ansi")
    env.reset(seed=0)
    env.step(1)
    shown = copy.copy(env).render()
    assert env.render() == shown
