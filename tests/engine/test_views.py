"""Observations of another kind than features: every face hands them out, and none tells more than features do."""

import copy
import pickle
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from alignment_gym.core import InvalidDial, UnknownName, full_id, make_world, world_ids
from alignment_gym.engine.batch import AlignmentVectorEnv
from alignment_gym.engine.growing import GrowingMDP
from alignment_gym.engine.mdp import as_mdp, compiled
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.engine.views import CHARSET, LONGEST_TEXT, checked_view, seen_through, view_of
from alignment_gym.engine.vocabulary import vocabulary
from alignment_gym.testing import check_vector_env
from tests.tiny import Tomatoes, random_table

VIEWS = ("planes", "pixels", "text")
FIELD = Tomatoes(level="field", horizon=9)

in_every_view = pytest.mark.parametrize("obs", VIEWS)
in_every_world = pytest.mark.parametrize("env_id", world_ids())


def same(one, other) -> bool:
    return one == other if isinstance(one, str) else np.array_equal(one, other)


@in_every_world
def test_gymnasiums_checker_finds_nothing(env_id):
    for obs in VIEWS:
        check_env(gym.make(full_id(env_id), obs=obs).unwrapped, skip_render_check=True)


@in_every_view
@pytest.mark.parametrize("more", [{"view": "near:2"}, {"observe_clock": True}], ids=str)
def test_gymnasiums_checker_finds_nothing_behind_a_mask_or_with_a_clock(obs, more):
    check_env(gym.make(full_id("ShutdownButton-v0"), obs=obs, **more).unwrapped, skip_render_check=True)


@pytest.mark.parametrize("env_id", ["BoatRace-v0", "ShutdownButton-v0"])
def test_spaces_are_what_networks_take(env_id):
    planes, pixels, text = (AlignmentEnv(env_id, obs=obs).observation_space for obs in VIEWS)
    assert (planes.dtype, len(planes.shape)) == (np.float32, 3)
    assert (planes.low.min(), planes.high.max()) == (0.0, 1.0)
    assert (pixels.dtype, pixels.shape[2]) == (np.uint8, 3)
    assert min(pixels.shape[:2]) >= 36
    assert text == gym.spaces.Text(LONGEST_TEXT, charset=CHARSET)


@pytest.mark.parametrize("env_id", ["BoatRace-v0", "SensorCleaner-v0"])
@pytest.mark.parametrize("obs", ["planes", "pixels"])
def test_all_levels_of_a_world_have_one_shape(env_id, obs):
    cls = type(make_world(env_id))
    names = [*cls.levels, *(f"{family}/{index}" for family in cls.families for index in range(2))]
    spaces = [AlignmentEnv(env_id, level=level, obs=obs).observation_space for level in names]
    assert all(space == spaces[0] for space in spaces)


@in_every_view
@pytest.mark.parametrize(
    "what",
    [
        lambda: compiled(make_world("ShutdownButton-v0", horizon=7, observe_clock=True)),
        lambda: as_mdp("SensorCleaner-v0", level="closet,flat", horizon=7),
        lambda: GrowingMDP(FIELD),
        lambda: compiled(random_table(np.random.default_rng(3), states=4, actions=3, horizon=5)),
    ],
    ids=["clock", "several levels", "giant", "that ends"],
)
def test_every_lane_is_the_single_environment_in_every_mode(what, obs):
    made, view = what(), "near:2" if obs == "planes" else None
    check_vector_env(
        lambda lanes, mode: AlignmentVectorEnv(made, lanes, autoreset_mode=mode, obs=obs, view=view),
        lambda: AlignmentEnv(made, obs=obs, view=view),
        seed=5,
        steps=20,
    )


def test_texts_come_as_gymnasiums_own_batch_has_them():
    ours = gym.make_vec(full_id("BoatRace-v0"), num_envs=2, obs="text")
    theirs = gym.vector.SyncVectorEnv([lambda: gym.make(full_id("BoatRace-v0"), obs="text")] * 2)
    assert ours.observation_space == theirs.observation_space
    (one, _), (other, _) = ours.reset(seed=0), theirs.reset(seed=0)
    assert one == other
    assert ours.observation_space.contains(one)


@in_every_view
def test_a_view_is_made_once_a_state_and_once_a_scene(obs):
    mdp = as_mdp("BoatRace-v0")
    view = view_of(mdp, obs)
    assert view_of(mdp, obs) is view
    assert view.shown(7) is view.shown(7)
    numbers = view.numbers.tolist()
    twins = next(
        (one, other) for other, number in enumerate(numbers) for one in [numbers.index(number)] if one != other
    )
    assert view.shown(twins[0]) is view.shown(twins[1])


@pytest.mark.parametrize("obs", ["planes", "pixels"])
def test_what_an_environment_hands_out_may_be_written_on(obs):
    env = AlignmentEnv("BoatRace-v0", obs=obs)
    first, _ = env.reset(seed=0)
    kept = first.copy()
    first[:] = 0
    assert np.array_equal(env.reset(seed=0)[0], kept)


@in_every_view
def test_a_view_depends_on_nothing_but_the_state(obs):
    env = AlignmentEnv("BoatRace-v0", obs=obs)
    env.reset(seed=0)
    there, *_ = env.step(env.mdp.actions.index("north"))
    env.step(env.mdp.actions.index("south"))
    back, *_ = env.step(env.mdp.actions.index("north"))
    assert same(there, back)


@pytest.mark.parametrize("view", [None, "near:1"])
@in_every_view
@pytest.mark.parametrize(
    "world", [make_world("SensorCleaner-v0", view="camera", level=level) for level in ("flat", "closet")], ids=repr
)
def test_where_states_are_hidden_equal_features_look_equal(world, obs, view):
    mdp = compiled(world)
    assert not mdp.fully_observed
    shown = view_of(mdp, obs, None if view is None else 1)
    known = {}
    for state, seen in enumerate(mdp.observation_id.tolist()):
        assert same(known.setdefault(seen, shown.shown(state)), shown.shown(state))


def test_the_camera_shows_the_robot_no_dirt_once_it_is_covered():
    world = make_world("SensorCleaner-v0", view="camera")
    robot = world.initial()[0][1]
    blinded = robot._replace(catch=world.depth)
    assert "dirt" in {sprite.kind for sprite in world.look(robot).sprites}
    assert {sprite.kind for sprite in world.look(blinded).sprites} == {"camera", "cap", "robot"}
    assert world.look(blinded).sprites[-1].cell == robot.cell
    assert "dirt" in {sprite.kind for sprite in world.draw(blinded).sprites}


def test_nobody_counts_the_dirt_for_the_robot():
    world = make_world("SensorCleaner-v0", view="flat")
    robot = world.initial()[0][1]
    assert world.draw(robot).note == f"{sum(robot.dirty)} dirty"
    assert world.look(robot) == replace(world.draw(robot), note="")


@in_every_view
def test_the_clock_is_seen_where_it_is_observed(obs):
    env = AlignmentEnv("ShutdownButton-v0", obs=obs, observe_clock=True, horizon=9)
    idle = env.mdp.actions.index("west")
    first, _ = env.reset(seed=0)
    seen = [first, *(env.step(idle)[0] for _ in range(9))]
    if obs == "text":
        assert [text.splitlines()[-1] for text in seen] == [f"step: {step}/9" for step in range(10)]
    if obs == "planes":
        place = env.view.vocabulary.place["meter step"]
        np.testing.assert_allclose([plane[place, 0, 0] for plane in seen], np.arange(10) / 9, rtol=1e-6)
    assert len({each if isinstance(each, str) else each.tobytes() for each in seen}) == 10


def test_a_mask_hides_the_far_side():
    env = AlignmentEnv("SensorCleaner-v0", obs="text", view="near:1")
    seen, _ = env.reset(seed=0)
    rows = [line.strip() for line in seen.splitlines()[:5]]
    row, column = env.state.cell
    for number, line in enumerate(rows):
        for place, letter in enumerate(line):
            assert (letter == "?") == (max(abs(number - row), abs(place - column)) > 1)


@in_every_view
def test_copies_and_pickles_go_on_with_the_same_view(obs):
    env = AlignmentEnv("SensorCleaner-v0", obs=obs, view="near:2")
    env.reset(seed=3)
    env.step(1)
    for other in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        one, two = env.step(2), other.step(2)
        assert same(one[0], two[0])
        env.reset(seed=3)
        env.step(1)


def test_a_view_that_is_a_choice_of_the_dial_goes_to_the_dial():
    env = AlignmentEnv("SensorCleaner-v0", view="camera")
    assert env.world.view == "camera"
    assert env.view is None
    both = AlignmentEnv(make_world("SensorCleaner-v0", view="camera"), obs="planes", view="near:2")
    assert (both.world.view, both.view.cells) == ("camera", 2)


@pytest.mark.parametrize(
    ("env_id", "asked", "error", "says"),
    [
        ("BoatRace-v0", {"obs": "pixel"}, UnknownName, r"unknown obs 'pixel'; did you mean 'pixels'\?"),
        ("BoatRace-v0", {"obs": 7}, UnknownName, "features, planes, pixels, text"),
        ("BoatRace-v0", {"obs": "planes", "view": "near:x"}, UnknownName, r"'near:x'; did you mean 'near:2'\?"),
        ("BoatRace-v0", {"obs": "planes", "view": "near:-1"}, UnknownName, "near:2"),
        ("BoatRace-v0", {"obs": "planes", "view": "2"}, UnknownName, "there are: near:2"),
        ("BoatRace-v0", {"obs": "planes", "view": 2}, UnknownName, "there are: near:2"),
        ("BoatRace-v0", {"obs": "planes", "view": "camera"}, UnknownName, "there are: near:2"),
        ("SensorCleaner-v0", {"obs": "planes", "view": "eyes"}, UnknownName, "there are: flat, camera, near:2"),
        ("BoatRace-v0", {"view": "near:2"}, InvalidDial, "masks a scene: give obs='planes', 'pixels' or 'text'"),
    ],
)
def test_unknown_views_are_refused_in_one_line(env_id, asked, error, says):
    for make in (AlignmentEnv, AlignmentVectorEnv):
        with pytest.raises(error, match=says) as refusal:
            make(env_id, **asked)
        assert "\n" not in str(refusal.value)


def test_tables_without_a_world_have_no_picture():
    mdp = seen_through(view_of(as_mdp("ShutdownButton-v0"), "planes", 1))
    bare = copy.copy(mdp)
    object.__setattr__(bare, "world", None)
    with pytest.raises(InvalidDial, match="made of arrays"):
        AlignmentEnv(bare, obs="pixels")


def test_a_giants_vocabulary_is_that_of_a_walk_and_always_the_same():
    words = vocabulary(GrowingMDP(FIELD))
    assert words == vocabulary(GrowingMDP(FIELD))
    assert words.shape == (1, 30)
    assert "robot" in words.words


def test_features_know_no_view():
    assert checked_view(as_mdp("BoatRace-v0"), "features", None) is None
