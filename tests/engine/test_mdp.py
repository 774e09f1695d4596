"""Compiling worlds to tables, and refusing those that break the contract."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from alignment_gym.core import InvalidWorld, Outcome, Specification, TooLargeToEnumerate, UnknownName
from alignment_gym.engine.belief import belief_mdp
from alignment_gym.engine.mdp import as_mdp, compile_world
from tests.every import LEVELS
from tests.tiny import Table, Tiger, bandit, cycle


@pytest.mark.parametrize(("env_id", "level"), LEVELS)
def test_tables_are_those_of_the_worlds_functions(env_id, level):
    mdp = as_mdp(env_id, level=level)
    rng = np.random.default_rng(0)
    for state in rng.integers(mdp.state_count, size=40).tolist():
        action = int(rng.integers(len(mdp.actions)))
        row = state * len(mdp.actions) + action
        found = [
            (
                mdp.probability[place],
                mdp.states[mdp.next_state[place]],
                dict(zip(mdp.events, mdp.event_rows[mdp.event_id[place]].tolist(), strict=True)),
                bool(mdp.terminated[place]),
            )
            for place in range(mdp.offset[row], mdp.offset[row + 1])
        ]
        expected = [
            (chance, after, {name: events.get(name, 0.0) for name in mdp.events}, terminated)
            for chance, after, events, terminated in mdp.world.outcomes(mdp.states[state], mdp.actions[action])
        ]
        assert found == expected
        np.testing.assert_array_equal(mdp.observations[mdp.observation_id[state]], mdp.world.observe(mdp.states[state]))


@pytest.mark.parametrize(("env_id", "level"), LEVELS)
def test_levels_are_small_enough_for_exact_answers(env_id, level):
    mdp = as_mdp(env_id, level=level)
    assert mdp.state_count <= 50_000
    assert mdp.transition_count <= 500_000


def test_only_reachable_states_are_enumerated():
    world = Table(follows=(((0.0, 1.0, 0.0),),) * 3, proxy=((0.0,),) * 3, true=((0.0,),) * 3, start=(1.0, 0.0, 0.0))
    assert as_mdp(world).states == (0, 1)


@dataclass(frozen=True, kw_only=True)
class Broken(Table):
    """A bandit that breaks one rule."""

    fault: str = ""

    def initial(self):
        return [(0.5, 0)] if self.fault == "starts" else super().initial()

    def outcomes(self, state, action):
        found = super().outcomes(state, action)
        if self.fault == "sum":
            return [found[0]._replace(probability=0.9)]
        if self.fault == "none":
            return []
        if self.fault == "negative":
            return [found[0]._replace(probability=1.5), found[0]._replace(probability=-0.5)]
        if self.fault == "event":
            return [found[0]._replace(events={"payed": 1.0})]
        return found

    @property
    def specification(self):
        return Specification({"payed": 1.0}, {}) if self.fault == "weights" else super().specification

    def final(self, state):
        return {"payed": 1.0} if self.fault == "final" else super().final(state)

    def observe(self, state):
        wrong = {
            "two": np.full(1, 2, dtype=np.uint8),
            "floats": np.zeros(1),
            "flat": np.zeros((1, 1), dtype=np.uint8),
            "ragged": np.eye(3, dtype=np.uint8)[state, : 2 + state],
            "alike": np.zeros(1, dtype=np.uint8),
        }
        return wrong.get(self.fault, super().observe(state))


TWO = {"follows": (((0.0, 1.0),), ((1.0, 0.0),)), "proxy": ((0.0,),) * 2, "true": ((0.0,),) * 2, "start": (1.0, 0.0)}


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("starts", "initial probabilities"),
        ("sum", "sum to 0.9, not 1"),
        ("none", "sum to 0.0, not 1"),
        ("negative", "probability -0.5"),
        ("event", "'payed', which it does not declare"),
        ("final", "'payed', which it does not declare"),
        ("two", "no 1-D uint8 array of 0 and 1"),
        ("floats", "no 1-D uint8 array of 0 and 1"),
        ("flat", "no 1-D uint8 array of 0 and 1"),
        ("ragged", "3 features, others 2"),
        ("alike", "1 and 0 look alike"),
    ],
)
def test_a_world_that_breaks_the_contract_is_refused(fault, says):
    with pytest.raises(InvalidWorld, match=says):
        compile_world(Broken(fault=fault, **TWO))


def test_the_same_world_without_a_fault_compiles():
    assert compile_world(Broken(**TWO)).state_count == 2


def test_a_weight_on_no_event_is_refused_with_the_nearest_one():
    with pytest.raises(UnknownName, match="did you mean 'paid'"):
        compile_world(Broken(fault="weights", **TWO))


def test_worlds_may_look_alike_where_they_say_so():
    mdp = as_mdp(Table(looks=(0, 0), **TWO))
    assert mdp.state_count == 2
    assert len(mdp.observations) == 1
    assert not mdp.fully_observed


@pytest.mark.parametrize("limits", [{"max_states": 2}, {"max_transitions": 5}], ids=str)
def test_too_large_a_world_is_refused(limits):
    assert compile_world(cycle(3), max_states=3, max_transitions=6).state_count == 3
    with pytest.raises(TooLargeToEnumerate, match="smaller level"):
        compile_world(cycle(3), **limits)


def test_beliefs_without_a_horizon_are_refused():
    endless = replace(as_mdp(Tiger(horizon=3)), horizon=None, discount=0.9)
    with pytest.raises(TooLargeToEnumerate, match="horizon"):
        belief_mdp(endless)


@pytest.mark.parametrize(
    "table", [np.zeros((1, 3)), np.zeros(2), np.array([[np.nan, 0.0]])], ids=["shape", "flat", "nan"]
)
def test_a_reward_table_that_does_not_fit_is_refused(table):
    with pytest.raises(InvalidWorld, match="reward table"):
        as_mdp(bandit((1, 0), (0, 1))).transition_rewards(table)


def test_a_world_is_compiled_once():
    assert as_mdp("BoatRace", respawn=3) is as_mdp("BoatRace-v0", respawn=3)


def test_outcomes_are_tuples_that_do_not_terminate_by_default():
    assert Outcome(1.0, 0, {}) == (1.0, 0, {}, False)


@pytest.mark.parametrize("world", [Table(follows=(((float("nan"),),),)), Table(start=(float("nan"),))], ids=repr)
def test_probabilities_that_are_no_numbers_are_refused(world):
    with pytest.raises(InvalidWorld, match="sum to"):
        compile_world(world)


def test_amounts_that_are_no_numbers_are_refused():
    with pytest.raises(InvalidWorld, match="finite"):
        compile_world(Table(proxy=((float("inf"),),)))
