"""Names that are refused, and what is offered in their place."""

from dataclasses import dataclass

import pytest

from alignment_gym import core
from alignment_gym.core import (
    InvalidDial,
    InvalidWorld,
    Specification,
    UnknownName,
    full_id,
    generated_index,
    make_world,
    register,
    registry,
    world_class,
    world_ids,
)
from alignment_gym.core.errors import suggestion
from tests.tiny import Table, card


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("lagon", "did you mean 'lagoon'?"),
        ("HARBOUR", "did you mean 'harbour'?"),
        ("xyz", "there are: lagoon, harbour"),
    ],
)
def test_the_nearest_name_is_suggested_or_all_are_listed(value, says):
    assert suggestion(value, ["lagoon", "harbour"]) == says


def test_a_suggestion_keeps_the_spelling_of_the_name():
    assert suggestion("boatrace", ["BoatRace-v0"]) == "did you mean 'BoatRace-v0'?"


@pytest.mark.parametrize("env_id", ["BoatRace-v0", "BoatRace", "alignment_gym/BoatRace-v0", "alignment_gym/BoatRace"])
def test_a_world_goes_by_its_id_with_or_without_namespace_and_version(env_id):
    assert world_class(env_id).card.id == "BoatRace-v0"


def test_without_a_version_the_newest_is_meant(monkeypatch):
    monkeypatch.setattr(registry, "_WORLDS", {})

    def version(id):
        @register
        @dataclass(frozen=True, kw_only=True)
        class Versioned(Table):
            pass

        Versioned.card = card(id)
        return Versioned

    for id in ("Thing-v2", "Thing-v10", "Thing-v9"):
        registry._WORLDS[id] = version(id)
    assert world_class("Thing").card.id == "Thing-v10"
    assert world_class("Thing-v2").card.id == "Thing-v2"


@pytest.mark.parametrize(
    ("id", "says"), [("Lamp", "a name with a version"), ("BoatRace-v0", "taken by alignment_gym.envs.boat_race")]
)
def test_a_world_of_ones_own_needs_an_id_of_its_own(id, says):
    class Mine(Table):
        pass

    Mine.card = card(id)
    with pytest.raises(InvalidWorld, match=says):
        register(Mine)


def test_an_unknown_world_is_refused_with_the_nearest_one():
    with pytest.raises(UnknownName, match=r"unknown environment 'BoatRacing-v0'; did you mean 'BoatRace-v0'\?"):
        world_class("BoatRacing-v0")
    with pytest.raises(UnknownName, match="unknown environment 'BoatRace-v77'"):
        world_class("BoatRace-v77")


def test_an_unknown_dial_is_refused_with_the_nearest_one():
    with pytest.raises(UnknownName, match=r"unknown dial of BoatRace-v0 'respwan'; did you mean 'respawn'\?"):
        make_world("BoatRace", respwan=3)


def test_ids_are_sorted_and_carry_the_namespace_for_gymnasium():
    assert list(world_ids()) == sorted(world_ids())
    assert full_id("BoatRace-v0") == "alignment_gym/BoatRace-v0"


def test_a_weight_on_no_event_is_refused():
    with pytest.raises(UnknownName, match="did you mean 'buoy'"):
        Specification({"buoys": 1.0}, {}).check(("buoy", "lap"))
    with pytest.raises(UnknownName, match="did you mean 'lap'"):
        Specification({}, {"laps": 1.0}).check(("buoy", "lap"))
    Specification({"buoy": 1.0}, {"lap": 1.0}).check(("buoy", "lap"))


@pytest.mark.parametrize(
    ("dials", "says"),
    [
        ({"respawn": 0}, r"respawn = 0 is out of range; it goes from 1 to 20"),
        ({"respawn": 41}, r"respawn = 41 is out of range"),
        ({"respawn": 2.5}, r"respawn takes a whole number, not 2.5"),
        ({"respawn": True}, r"respawn takes a whole number, not True"),
        ({"respawn": "2"}, r"respawn takes a whole number, not '2'"),
        ({"lap_bonus": "much"}, r"lap_bonus takes a number, not 'much'"),
        ({"lap_bonus": float("nan")}, r"lap_bonus = nan is out of range"),
        ({"observe_clock": 1}, r"observe_clock takes true or false, not 1"),
        ({"horizon": 0}, r"horizon = 0 is out of range"),
    ],
    ids=str,
)
def test_a_dials_value_is_checked(dials, says):
    with pytest.raises(InvalidDial, match=says):
        make_world("BoatRace", **dials)


def test_a_whole_number_serves_where_a_number_is_asked_for():
    assert make_world("BoatRace", lap_bonus=3).specification.proxy["progress"] == 3


def test_a_choice_is_refused_with_the_nearest_one():
    with pytest.raises(UnknownName, match="did you mean 'sticks'"):
        make_world("SensorCleaner", cap="stick")


@pytest.mark.parametrize(
    "level",
    [
        "generated/-1",
        "generated/x",
        "generated",
        "generated/",
        f"generated/{2**32}",
        "lagoon/1",
        "generated/²",
        "generated/00",
        "generated/٣",
    ],
)
def test_levels_are_fixed_ones_or_generated_by_a_32_bit_index(level):
    with pytest.raises(UnknownName, match="unknown level"):
        make_world("BoatRace", level=level)


def test_a_world_that_generates_no_levels_refuses_them():
    with pytest.raises(UnknownName, match="unknown level 'generated/0'"):
        Table(level="generated/0")


def test_the_first_level_is_the_default():
    world = make_world("BoatRace")
    assert world.level == world.levels[0]
    assert generated_index(world.level) is None
    assert generated_index("generated/17") == 17


def test_generated_levels_are_drawn_from_their_index():
    for env_id, family in [(each, family) for each in world_ids() for family in world_class(each).families]:
        made = [make_world(env_id, level=f"{family}/{index}") for index in (0, 0, 1, 2, 3, 4)]
        scenes = [world.draw(world.initial()[0][1]) for world in made]
        assert scenes[0] == scenes[1]
        assert any(scene != scenes[0] for scene in scenes[2:])


def test_every_refusal_is_one_of_the_packages_errors():
    errors = [getattr(core, name) for name in core.__all__ if name.startswith(("Invalid", "Unknown", "TooLarge"))]
    assert len(errors) == 8
    assert all(issubclass(each, core.AlignmentGymError) for each in errors)
