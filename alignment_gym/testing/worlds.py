"""Conformance of one world: what compiling can't see because it looks at each thing once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, count, product, zip_longest
from math import isclose
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import AlignmentGymError, Demo, Outcome, Scene, World, dials
from alignment_gym.engine.mdp import FiniteMDP, compile_world, compiled
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.testing.nonconformance import NonConformance, demand

STATES_TRIED = 300  # a world's states are tried at even distances, so many of them
LOOKED_AT = 3_000  # the same for looks


def check_world(world: World[Any]) -> None:
    """Check a world against the contract.

    Tried are: all that compiling checks; that starts, outcomes, observations and scenes are pure
    functions; that `chances` agree with `outcomes`, and arrays with both, on every level; that any
    two actions differ in some state of some level; that observations have one shape over all levels;
    that every scene is a rectangle with everything on it; that looks have one size, and tell no more
    than observations do; that the card names events that exist, and demos that earn what it says.
    Choose dials at which every action is of use.

    Raises:
        InvalidWorld: the world can't be compiled.
        NonConformance: it can be, and breaks another rule.
    """
    mdp = compiled(world)
    tried = mdp.states[:: max(len(mdp.states) // STATES_TRIED, 1)]
    _check_purity(world, tried)
    _check_chances(world, tried)
    _check_actions(world)
    _check_card(world)
    _check_levels(world)
    for level in _levels(world):
        _check_arrays(replace(world, level=level))
    for state in tried:
        _check_scene(world, state)
    _check_looks(mdp)


def _check_purity(world: World[Any], states: tuple[Any, ...]) -> None:
    """Ask twice, and a fresh copy of the world in the other order."""
    name, fresh = world.card.id, replace(world)
    demand(list(world.initial()) == list(world.initial()), f"{name}: two calls of initial() differ")
    asked = [(state, action) for state in states for action in world.actions]
    first = [list(world.outcomes(state, action)) for state, action in asked]
    again = [list(fresh.outcomes(state, action)) for state, action in reversed(asked)]
    for (state, action), one, other in zip(asked, first, reversed(again), strict=True):
        demand(one == other, f"{name}: two calls of outcomes({state!r}, {action!r}) differ")
    for state in states:
        demand((world.observe(state) == fresh.observe(state)).all(), f"{name}: two observations of {state!r} differ")


def _check_chances(world: World[Any], states: tuple[Any, ...]) -> None:
    """Demand of a world that says twice what follows that it says the same."""
    for state, action in product(states, world.actions):
        chances = world.chances(state, action)
        if chances is not None:
            one, other = _summed(chances.outcomes()), _summed(world.outcomes(state, action))
            same = one.keys() == other.keys() and all(isclose(one[each], other[each]) for each in one)
            demand(same, f"{world.card.id}: chances and outcomes of {state!r}, {action!r} differ")


def _summed(outcomes: Sequence[Outcome[Any]]) -> dict[Any, float]:
    """Return the probability of each next state with its events."""
    total: dict[Any, float] = defaultdict(float)
    for probability, state, events, terminated in outcomes:
        total[state, frozenset(events.items()), terminated] += probability
    return total


def _check_actions(world: World[Any]) -> None:
    """Demand for any two actions a state, on this level or another, in which they lead to different things."""
    levels = [world, *(replace(world, level=level) for level in _levels(world) if level != world.level)]
    for one, other in combinations(range(len(world.actions)), 2):
        differ = any(_differ(compiled(level), one, other) for level in levels if level.enumerable)
        first, second = world.actions[one], world.actions[other]
        demand(differ, f"{world.card.id}: {first!r} and {second!r} do the same in every state")


def _differ(mdp: FiniteMDP, one: int, other: int) -> bool:
    """Tell whether two actions lead to different things somewhere."""
    rows = range(0, mdp.state_count * len(mdp.actions), len(mdp.actions))
    return any(sorted(_row(mdp, row + one)) != sorted(_row(mdp, row + other)) for row in rows)


def _check_card(world: World[Any]) -> None:
    """Demand events that exist, dials that can be closed, and demos that earn what they say, at default dials."""
    card = world.card
    for name in (card.exploit_event, card.behaviour):
        demand(not name or name in world.events, f"{card.id}: its card names {name!r}, which is no event")
    for dial in dials(type(world)):
        closed = dial.metadata.get("closed_at")
        if closed is not None:
            try:
                replace(world, **{dial.name: closed})
            except AlignmentGymError as error:
                raise NonConformance(
                    f"{card.id}: the loophole is closed at a value that is refused: {error}"
                ) from error
    for demo in card.demos:
        paid, meant = _played(AlignmentEnv(type(world)(level=demo.level)), demo)
        right = isclose(paid, demo.proxy_return, abs_tol=1e-6) and isclose(meant, demo.true_return, abs_tol=1e-6)
        said = demo.proxy_return, demo.true_return
        demand(
            right, f"{card.id}: the demo {demo.name!r} says {said} of the episode {demo.key}, and earns {(paid, meant)}"
        )


def _played(env: AlignmentEnv, demo: Demo) -> tuple[float, float]:
    """Return what a demo's episode earns."""
    env.reset(options={"key": demo.key})
    for step in count():
        *_, terminated, truncated, info = env.step(env.mdp.actions.index(demo.action(env.world, env.state, step)))
        if terminated or truncated:
            break
    return info["proxy_return"], info["true_return"]


def _row(mdp: FiniteMDP, row: int) -> list[tuple[Any, ...]]:
    """Return what may follow a state and an action."""
    places = slice(int(mdp.offset[row]), int(mdp.offset[row + 1]))
    columns = (mdp.next_state[places], mdp.probability[places], mdp.terminated[places], mdp.event_id[places])
    return list(zip(*[column.tolist() for column in columns], strict=True))


def _seen(mdp: FiniteMDP) -> NDArray[np.uint8]:
    return mdp.observations[mdp.observation_id]


def _check_levels(world: World[Any]) -> None:
    features = len(world.observe(world.initial()[0][1]))
    for level in _levels(world):
        other = replace(world, level=level)
        found = len(other.observe(other.initial()[0][1]))
        demand(
            found == features,
            f"{world.card.id}: level {level!r} has {found} features, level {world.level!r} {features}",
        )


def _levels(world: World[Any]) -> tuple[str, ...]:
    return (*world.levels, *(f"{family}/{index}" for family in world.families for index in range(2)))


def _check_arrays(world: World[Any]) -> None:
    """Demand the same tables by arrays as state by state."""
    if not world.domains() or not world.enumerable:
        return
    arrays, plain = compile_world(world), compile_world(world, arrays=False)
    where = f"{world.card.id}, level {world.level!r}, by arrays"
    for one, other in zip_longest(arrays.states, plain.states):
        demand(repr(one) == repr(other), f"{where}: {one!r} is met instead of {other!r}")
    for row in range(plain.state_count * len(plain.actions)):
        state, action = divmod(row, len(plain.actions))
        same = _row(arrays, row) == _row(plain, row)
        demand(same, f"{where}: what follows on {plain.states[state]!r}, {plain.actions[action]!r} differs")
    differ = np.flatnonzero((arrays.event_rows != plain.event_rows).any(axis=0)).tolist()
    demand(not differ, f"{where}: the amounts of {', '.join(plain.events[place] for place in differ)} differ")
    for state, (one, other) in enumerate(zip(_seen(arrays), _seen(plain), strict=True)):
        demand(np.array_equal(one, other), f"{where}: the observation of {plain.states[state]!r} differs")


def _check_scene(world: World[Any], state: Any) -> None:
    for show, seen in ((world.draw, ""), (world.look, ", as its agent sees it")):
        scene, where = show(state), f"{world.card.id}, {state!r}{seen}"
        demand(scene == show(state), f"{where}: two scenes differ")
        _check_layout(scene, where)
        if scene.sensor is not None:
            _check_layout(scene.sensor, f"{where}, sensor")


def _check_looks(mdp: FiniteMDP) -> None:
    """Demand looks of one size, and equal looks where observations are equal."""
    world = mdp.world
    assert world is not None
    known: dict[int, tuple[Any, Scene]] = {}
    sizes: set[tuple[int, int]] = set()
    for state in range(0, mdp.state_count, max(mdp.state_count // LOOKED_AT, 1)):
        here = mdp.states[state]
        before, look = known.setdefault(int(mdp.observation_id[state]), (here, world.look(here)))
        sizes.add(look.shape)
        demand(len(sizes) == 1, f"{mdp.name}: looks are of different sizes, {sorted(sizes)}")
        same = before is here or look == world.look(here)
        demand(same, f"{mdp.name}: {before!r} and {here!r} have equal observations, and the agent sees them differ")


def _check_layout(scene: Scene, where: str) -> None:
    rows, columns = scene.shape
    demand(rows and columns and {len(line) for line in scene.tiles} == {columns}, f"{where}: tiles are no rectangle")
    cells = [(sprite.kind, sprite.cell) for sprite in scene.sprites]
    cells += [(tint.kind, cell) for tint in scene.tints for cell in tint.cells]
    for kind, (row, column) in cells:
        demand(0 <= row < rows and 0 <= column < columns, f"{where}: {kind!r} at {(row, column)} is off the picture")
    for meter in scene.meters:
        inside = np.isfinite(meter.value) and 0.0 <= meter.value <= meter.full
        demand(inside, f"{where}: the meter {meter.label!r} shows {meter.value} of {meter.full}")
