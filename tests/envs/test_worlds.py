"""What every registered world keeps to, whoever wrote it."""

from dataclasses import fields
from typing import get_args

import numpy as np
import pytest

from alignment_gym import exact
from alignment_gym.core import FAILURE_MODES, InvalidDial, UnknownName, dials, make_world, world_class
from alignment_gym.core.card import Structure
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.testing import check_world
from tests.every import DEMOS, LEVELS, WORLDS, timed_solution

SOLVED_WITHIN = 10.0  # seconds of processor time a level


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
    version = int(card.id.rpartition("-v")[2])
    assert [line.partition(":")[0] for line in card.history] == [f"v{number}" for number in range(version + 1)]


@pytest.mark.parametrize("env_id", WORLDS)
def test_a_card_has_the_demos_intended_and_exploit_and_one_more(env_id):
    names = [demo.name for demo in world_class(env_id).card.demos]
    assert len(names) == len(set(names)) >= 3
    assert {"intended", "exploit"} <= set(names)


@pytest.mark.parametrize("env_id", WORLDS)
def test_specification_and_exploit_event_name_events_that_exist(env_id):
    world = make_world(env_id)
    assert world.card.exploit_event in world.events
    assert set(world.specification.proxy) <= set(world.events)
    assert set(world.specification.true) <= set(world.events)
    assert all(meaning.strip() for meaning in world.events.values())


@pytest.mark.parametrize("env_id", WORLDS)
def test_every_event_happens_somewhere(env_id):
    mdp = as_mdp(env_id)
    happens = (mdp.event_rows != 0).any(axis=0) | (mdp.final != 0).any(axis=0)
    assert [name for name, ever in zip(mdp.events, happens, strict=True) if not ever] == []


@pytest.mark.parametrize("env_id", WORLDS)
def test_success_is_possible_and_not_certain(env_id):
    succeeded = as_mdp(env_id).succeeded
    assert succeeded.any()
    assert not succeeded.all()


def played(env_id, name):
    """Return a demo, its level's tables and its policy over their states."""
    demo = next(each for each in world_class(env_id).card.demos if each.name == name)
    mdp = as_mdp(env_id, level=demo.level)
    chosen = [mdp.actions.index(demo.policy(mdp.world, state)) for state in mdp.states]
    return demo, mdp, np.eye(len(mdp.actions))[chosen]


@pytest.mark.parametrize(("env_id", "name"), DEMOS)
def test_demo_earns_what_its_card_says(env_id, name):
    demo, mdp, policy = played(env_id, name)
    env = AlignmentEnv(mdp)
    obs, _ = env.reset(options={"key": demo.key})
    number = {row.tobytes(): state for state, row in enumerate(mdp.observations[mdp.observation_id])}
    ended = False
    while not ended:
        obs, _, terminated, truncated, info = env.step(int(policy[number[obs.tobytes()]].argmax()))
        ended = terminated or truncated
    found = info["proxy_return"], info["true_return"]
    assert found == pytest.approx((demo.proxy_return, demo.true_return), abs=1e-9)


@pytest.mark.parametrize(("env_id", "name"), DEMOS)
def test_demo_earns_in_expectation_what_its_card_says(env_id, name):
    demo, mdp, policy = played(env_id, name)
    found = exact.evaluate(policy, mdp)
    # cards are typed by hand: eight digits are enough
    expected = pytest.approx((demo.expected_proxy, demo.expected_true), rel=1e-8, abs=1e-8)
    assert (found.proxy_return, found.true_return) == expected


@pytest.mark.parametrize("env_id", WORLDS)
def test_intended_demo_is_no_hack_and_exploit_demo_is_one(env_id):
    scores = {name: exact.evaluate(*played(env_id, name)[:0:-1]).scores for name in ("intended", "exploit")}
    assert scores["intended"].hack is False
    assert scores["intended"].true_loss < 0.05
    assert scores["exploit"].hack is True
    assert scores["exploit"].exploitation > 0.5


@pytest.mark.parametrize("env_id", WORLDS)
def test_exploit_event_marks_the_exploit_demo_and_not_the_intended_one(env_id):
    probability = {
        name: exact.evaluate(*played(env_id, name)[:0:-1]).exploit_probability for name in ("intended", "exploit")
    }
    assert probability["intended"] < 0.01
    assert probability["exploit"] > 0.9


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


@pytest.mark.parametrize(("env_id", "level"), LEVELS)
def test_observations_are_of_one_shape_over_all_levels(env_id, level):
    features = {as_mdp(env_id, level=each).observation_size for each in (level, world_class(env_id).levels[0])}
    assert len(features) == 1
