"""Worlds that say what follows by independent chances."""

from dataclasses import dataclass
from itertools import product
from math import fsum, prod

import numpy as np
import pytest

from alignment_gym import exact
from alignment_gym.core import Chances, InvalidWorld, TooLargeToEnumerate, World
from alignment_gym.engine.mdp import as_mdp, compile_world
from tests.tiny import Bed, Tomatoes


def brute_force(world, bed, action):
    """Return the probability of each set of wet tomatoes, by letting every one dry or not."""
    place = min(max(bed.place + {"west": -1, "east": 1, "water": 0}[action], 0), len(bed.wet) - 1)
    found = {}
    for dries in product((False, True), repeat=len(bed.wet)):
        chance = prod(world.drying if dry else 1 - world.drying for dry in dries)
        wet = [was and not dry for was, dry in zip(bed.wet, dries, strict=True)]
        watered = action == "water" and not bed.wet[place]
        if watered:
            wet[place] = True
        key = Bed(place, tuple(wet)), float(sum(wet)), float(watered)
        found[key] = found.get(key, 0.0) + chance
    return {key: chance for key, chance in found.items() if chance}


@pytest.mark.parametrize("drying", [0.0, 0.25, 0.3, 1.0])
def test_outcomes_derived_from_chances_are_right(drying):
    world = Tomatoes(drying=drying)
    for place, wet in product(range(3), product((False, True), repeat=3)):
        for action in world.actions:
            found = world.outcomes(Bed(place, wet), action)
            assert fsum(outcome.probability for outcome in found) == pytest.approx(1.0, abs=1e-15)
            merged = {(each.state, each.events["wet"], each.events["watered"]): each.probability for each in found}
            assert len(merged) == len(found)
            assert merged == pytest.approx(brute_force(world, Bed(place, wet), action), abs=1e-15)
            assert not any(each.terminated for each in found)


def test_outcomes_come_in_the_order_of_the_factors_values_and_equal_ones_are_merged():
    def combine(drawn):
        return min(sum(drawn), 2), {"drawn": 1.0}, sum(drawn) > 2

    found = Chances(((0.5, 0.5), (0.25, 0.0, 0.75), (1.0,)), combine).outcomes()
    assert found == [  # 0+0, 0+2, 1+0, 1+2
        (0.125, 0, {"drawn": 1.0}, False),
        (0.375, 2, {"drawn": 1.0}, False),
        (0.125, 1, {"drawn": 1.0}, False),
        (0.375, 2, {"drawn": 1.0}, True),
    ]
    thrice = Chances(((0.1, 0.2, 0.7),), lambda drawn: (0, {}, drawn == (9,))).outcomes()
    assert thrice == [(1.0, 0, {}, False)]


@pytest.mark.parametrize("factor", [(0.5, 0.6), (1.5, -0.5), (0.0,)])
def test_a_factor_that_is_no_distribution_is_refused(factor):
    with pytest.raises(InvalidWorld, match="is none"):
        Chances(((1.0,), factor), lambda drawn: (drawn, {}, False)).outcomes()


def test_a_world_of_chances_is_solved():
    world = Tomatoes(tomatoes=1, drying=0.25, horizon=6)
    mdp = as_mdp(world)
    assert mdp.state_count == 2
    waiting = np.zeros((2, 3))
    waiting[:, mdp.actions.index("west")] = 1.0
    expected = sum(0.75**step for step in range(1, 7))
    assert exact.evaluate(waiting, mdp).true_return == pytest.approx(expected, abs=1e-12)
    watering = {(False,): 1.0, (True,): 0.75}  # the chance that it is wet next, with water
    value = dict.fromkeys(watering, 0.0)
    for _ in range(6):
        value = {
            wet: chance * (1.0 + value[(True,)]) + (1.0 - chance) * value[(False,)] for wet, chance in watering.items()
        }
    assert exact.solve(mdp).anchors.true_max == pytest.approx(value[(True,)], abs=1e-12)


def test_a_world_that_does_not_say_what_follows_is_refused():
    @dataclass(frozen=True, kw_only=True)
    class Silent(Tomatoes):
        chances = World.chances

    with pytest.raises(InvalidWorld, match=r"Tomatoes-v0 says neither by `outcomes` nor by `chances`"):
        compile_world(Silent())


@dataclass(frozen=True, kw_only=True)
class Prairie(Tomatoes):
    """Tomatoes on fields only."""

    levels = ("field", "larger field")


@pytest.mark.parametrize(
    ("world", "says"),
    [
        (Tomatoes(level="field"), "Tomatoes-v0, level field: .* a smaller level, such as 'row'"),
        (Prairie(), "Tomatoes-v0, level field: .* smaller dials"),
    ],
    ids=["with a small level", "without one"],
)
@pytest.mark.parametrize("ask", [compile_world, as_mdp, exact.solve], ids=lambda ask: ask.__name__)
def test_a_giant_is_refused_at_once(ask, world, says):
    with pytest.raises(TooLargeToEnumerate, match=says):
        ask(world)
