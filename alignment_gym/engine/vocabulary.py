"""What the scenes of a world hold, so that views of all its levels have one shape.

Searched are all fixed levels, the first of each family, and the tables at hand; states at even
distances, or those that a walk meets where a level is too large. A rare thing may be missed: planes
then show it as anything else, and pixels show it anyway. A level with more than the others has a
larger shape.
"""

from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate
from typing import Any

from alignment_gym.core import AlignmentGymError, Meter, Mixture, World
from alignment_gym.engine.growing import GrowingMDP
from alignment_gym.engine.mdp import FiniteMDP, compiled
from alignment_gym.engine.randomness import SCALE, draw, mix
from alignment_gym.render import views
from alignment_gym.render.views import Vocabulary

LOOKED_AT = 1_000  # states of a level
WANDERED = 1_000  # steps of a walk
DRAWN = 32  # levels of a family whose maps are measured
CLOCK = Meter("step", 0.0, 1.0)


def vocabulary(mdp: FiniteMDP | GrowingMDP) -> Vocabulary:
    """Return what the scenes of tables hold, together with those of their world's other levels at the same dials."""
    world = mdp.world
    assert world is not None
    one = world.parts[0] if isinstance(world, Mixture) else world
    found = _of_class(replace(one, level=one.levels[0]))
    known = mdp.states if isinstance(mdp, FiniteMDP) else ()
    states = [state for _, state in world.initial()] + _some_states(world, known)
    scenes = list(map(world.look, states))
    return found.with_scenes([*scenes, views.with_meter(scenes[0], CLOCK)] if mdp.observe_clock else scenes)


@lru_cache(maxsize=32)
def _of_class(world: World[Any]) -> Vocabulary:
    """Return what the scenes of a world's levels hold."""
    found = Vocabulary()
    for name in (*world.levels, *(f"{family}/0" for family in world.families)):
        with suppress(AlignmentGymError):  # a level that can't be had at these dials
            level = replace(world, level=name)
            found = found.with_scenes(map(level.look, _some_states(level)))
    for name in (f"{family}/{index}" for family in world.families for index in range(1, DRAWN)):
        with suppress(AlignmentGymError):
            level = replace(world, level=name)
            found = found.with_scenes([level.look(level.initial()[0][1])])
    return found


def _some_states(world: World[Any], states: Sequence[Any] = ()) -> list[Any]:
    """Return states of a level, out of all where these are known or can be, and always the same ones."""
    if not world.enumerable:
        return list(_met(world))
    every = states or compiled(world).states
    return list(every[:: max(len(every) // LOOKED_AT, 1)])


@lru_cache(maxsize=32)
def _met(world: World[Any]) -> tuple[Any, ...]:
    """Return the states that a walk meets."""
    state = start = world.initial()[0][1]
    met = {start: None}
    for step in range(WANDERED):
        state, terminated = _followed(world, state, world.actions[mix(step) % len(world.actions)], step)
        met[state] = None
        if terminated or (step + 1) % world.horizon == 0:
            state = start
    return tuple(met)


def _followed(world: World[Any], state: Any, action: str, step: int) -> tuple[Any, bool]:
    """Return one state that may follow, and whether that ends the episode."""
    chances = world.chances(state, action)
    if chances is None:
        outcomes = world.outcomes(state, action)
        chosen = outcomes[_picked([outcome.probability for outcome in outcomes], draw(step, 0))]
        return chosen.state, chosen.terminated
    values = [_picked(factor, draw(step, place)) for place, factor in enumerate(chances.factors)]
    after, _, terminated = chances.combine(tuple(values))
    return after, terminated


def _picked(probabilities: Sequence[float], drawn: int) -> int:
    """Return the first place whose upper bound exceeds a draw."""
    return min(bisect_right(list(accumulate(probabilities)), drawn / SCALE), len(probabilities) - 1)
