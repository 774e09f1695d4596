"""What every registered world keeps to, whoever wrote it."""

from dataclasses import fields
from functools import cache
from itertools import count
from time import process_time
from typing import get_args

import pytest

from alignment_gym import exact
from alignment_gym.agents.planner import scripted
from alignment_gym.core import (
    FAILURE_MODES,
    InvalidDial,
    TooLargeToEnumerate,
    UnknownName,
    dials,
    make_world,
    world_class,
)
from alignment_gym.core.card import Structure
from alignment_gym.engine.mdp import as_mdp, compile_world
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.testing import check_world
from tests.every import CERTIFIED, DEMOS, EVERY_LEVEL, GIANTS, LEVELS, WORLDS, timed_solution

COMPILED_WITHIN = 2.0  # seconds of processor time a level
SOLVED_WITHIN = 10.0


@pytest.mark.parametrize("env_id", WORLDS)
def test_a_world_conforms_to_the_contract(env_id):
    check_world(make_world(env_id))


@pytest.mark.parametrize("env_id", WORLDS)
def test_a_card_is_filled_in(env_id):
    card = world_class(env_id).card
    for name in ("title", "intent", "proxy", "loophole", "why", "analogue"):
        assert getattr(card, name).strip(), name
    assert card.failure_modes
    assert set(card.failure_modes) <= set(FAILURE_MODES)
    assert card.structure in get_args(Structure)
    assert card.sources
    assert all(source.strip() for source in card.sources)
    assert card.id == env_id
    assert bool(card.parity) == bool(card.parity_levels)
    assert card.behaviour in ("", *world_class(env_id).events)
    version = int(card.id.rpartition("-v")[2])
    assert [line.partition(":")[0] for line in card.history] == [f"v{number}" for number in range(version + 1)]


@pytest.mark.parametrize("env_id", WORLDS)
def test_a_card_has_the_demos_intended_and_exploit_and_one_more(env_id):
    names = [demo.name for demo in world_class(env_id).card.demos]
    assert len(names) == len(set(names)) >= 3
    assert "intended" in names
    assert "exploit" in names or env_id not in CERTIFIED


@pytest.mark.parametrize("env_id", WORLDS)
def test_specification_and_exploit_event_name_events_that_exist(env_id):
    world = make_world(env_id)
    assert world.card.exploit_event in world.events or not (world.card.exploit_event or env_id in CERTIFIED)
    assert set(world.specification.proxy) <= set(world.events)
    assert set(world.specification.true) <= set(world.events)
    assert all(meaning.strip() for meaning in world.events.values())


@pytest.mark.parametrize("env_id", WORLDS)
def test_every_event_happens_somewhere(env_id):
    happens = set()
    for mdp in [as_mdp(named, level=level) for named, level in LEVELS if named == env_id]:
        ever = (mdp.event_rows != 0).any(axis=0) | (mdp.final != 0).any(axis=0)
        happens |= {name for name, does in zip(mdp.events, ever, strict=True) if does}
    assert set(world_class(env_id).events) - happens == set()


@pytest.mark.parametrize("env_id", WORLDS)
def test_success_is_possible_and_not_certain(env_id):
    succeeded = as_mdp(env_id).succeeded
    assert succeeded.any()
    assert not succeeded.all()


@cache
def evaluated(env_id, name):
    """Return what a demo's policy earns exactly, on its own level."""
    mdp = as_mdp(env_id, level=world_class(env_id).card.demo(name).level)
    return exact.evaluate(scripted(mdp, name), mdp)


@pytest.mark.parametrize(("env_id", "name"), DEMOS)
def test_demo_earns_what_its_card_says(env_id, name):
    demo = next(each for each in world_class(env_id).card.demos if each.name == name)
    env = AlignmentEnv(env_id, level=demo.level)
    env.reset(options={"key": demo.key})
    for step in count():
        chosen = demo.action(env.world, env.state, step)
        *_, terminated, truncated, info = env.step(env.mdp.actions.index(chosen))
        if terminated or truncated:
            break
    found = info["proxy_return"], info["true_return"]
    assert found == pytest.approx((demo.proxy_return, demo.true_return), abs=1e-9)


@pytest.mark.parametrize(("env_id", "name"), DEMOS)
def test_demo_earns_in_expectation_what_its_card_says(env_id, name):
    demo, found = world_class(env_id).card.demo(name), evaluated(env_id, name)
    # cards are typed by hand: eight digits are enough
    expected = pytest.approx((demo.expected_proxy, demo.expected_true), rel=1e-8, abs=1e-8)
    assert (found.proxy_return, found.true_return) == expected


@pytest.mark.parametrize("env_id", CERTIFIED)
def test_intended_demo_is_no_hack_and_exploit_demo_is_one(env_id):
    scores = {name: evaluated(env_id, name).scores for name in ("intended", "exploit")}
    assert scores["intended"].hack is False
    assert scores["intended"].true_loss < 0.05
    assert scores["exploit"].hack is True
    assert scores["exploit"].exploitation > 0.5


@pytest.mark.parametrize("env_id", CERTIFIED)
def test_exploit_event_marks_the_exploit_demo_and_not_the_intended_one(env_id):
    probability = {name: evaluated(env_id, name).exploit_probability for name in ("intended", "exploit")}
    assert probability["intended"] < 0.01
    assert probability["exploit"] > 0.9


@pytest.mark.parametrize(("env_id", "level"), LEVELS)
def test_compiling_a_level_takes_less_than_two_seconds(env_id, level):
    world = make_world(env_id, level=level)
    before = process_time()
    compile_world(world)
    assert process_time() - before < COMPILED_WITHIN


@pytest.mark.parametrize(("env_id", "level"), LEVELS)
def test_solving_a_level_takes_seconds(env_id, level):
    assert timed_solution(env_id, level)[1] < SOLVED_WITHIN


@pytest.mark.parametrize("env_id", WORLDS)
def test_every_dial_has_a_meaning_and_its_range_is_enforced(env_id):
    for dial in dials(world_class(env_id)):
        assert dial.metadata["meaning"].strip(), dial.name
        for bound, beyond in (("low", -1), ("high", 1)):
            if dial.metadata.get(bound) is not None:
                with pytest.raises(InvalidDial, match=f"{dial.name} = .* out of range"):
                    make_world(env_id, **{dial.name: dial.metadata[bound] + beyond})
        if dial.metadata.get("choices"):
            near = dial.metadata["choices"][-1]
            with pytest.raises(UnknownName, match=f"did you mean '{near}'"):
                make_world(env_id, **{dial.name: near + "x"})


@pytest.mark.parametrize("env_id", WORLDS)
def test_unknown_levels_and_dials_are_refused_with_the_nearest_one(env_id):
    level = world_class(env_id).levels[0]
    with pytest.raises(UnknownName, match=f"unknown level '{level}x'; did you mean '{level}'"):
        make_world(env_id, level=level + "x")
    name = dials(world_class(env_id))[-1].name
    with pytest.raises(UnknownName, match=f"did you mean '{name}'"):
        make_world(env_id, **{name + "x": 1})


@pytest.mark.parametrize("env_id", WORLDS)
def test_worlds_are_values(env_id):
    world = make_world(env_id)
    assert world == make_world(env_id)
    assert hash(world) == hash(make_world(env_id))
    assert len({each.name for each in fields(world)}) == len(fields(world))


@pytest.mark.parametrize(("env_id", "level"), EVERY_LEVEL)
def test_observations_are_of_one_shape_over_all_levels(env_id, level):
    worlds = [make_world(env_id, level=each) for each in (level, world_class(env_id).levels[0])]
    assert len({world.observe(world.initial()[0][1]).shape for world in worlds}) == 1


@pytest.mark.parametrize("env_id", WORLDS)
def test_the_first_level_can_be_enumerated(env_id):
    assert make_world(env_id).enumerable


@pytest.mark.parametrize(("env_id", "level"), GIANTS)
def test_a_level_too_large_is_refused_with_one_that_is_small_enough(env_id, level):
    with pytest.raises(TooLargeToEnumerate, match=world_class(env_id).levels[0]):
        exact.solve(env_id, level=level)
