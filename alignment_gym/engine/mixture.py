"""Several tables laid end to end as one: an episode begins in one of them, and stays there."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import InvalidWorld, Mixture, TooLargeToEnumerate, World
from alignment_gym.core.mixture import checked_weights
from alignment_gym.engine.enumeration import numbered
from alignment_gym.engine.mdp import FiniteMDP

MAX_STATES = 1_000_000  # of all parts together
SHARED = ("actions", "events", "horizon", "discount", "observe_clock", "specification")


def mixture(mdps: Sequence[FiniteMDP], weights: Sequence[float] | None = None) -> FiniteMDP:
    """Return one MDP that draws one of several at the start of an episode.

    Where states of two parts look alike, they share an observation. The exact values of the
    mixture are the weighted means of its parts' values, as far as observations tell these apart.

    Args:
        mdps: the parts, with the same actions, events, specification, horizon, discount and clock,
            and observations of one size. A state of the mixture is a part's number with its state.
        weights: how often each is drawn, in any unit; equally often by default.

    Raises:
        InvalidWorld: parts that don't fit together.
        InvalidDial: no parts, or other than one positive weight for each.
        TooLargeToEnumerate: more than a million states together.
    """
    shares = checked_weights(len(mdps), weights)
    for other in mdps[1:]:
        _check_fit(mdps[0], other)
    states = np.array([mdp.state_count for mdp in mdps])
    _check_size(len(mdps), int(states.sum()))
    event_rows, event_id = _merged([(mdp.event_rows, mdp.event_id) for mdp in mdps])
    observations, observation_id = _merged([(mdp.observations, mdp.observation_id) for mdp in mdps])
    transitions = _before([mdp.transition_count for mdp in mdps])
    offsets = [mdp.offset[1:] + before for mdp, before in zip(mdps, transitions, strict=True)]
    starts = [mdp.start_probability * share for mdp, share in zip(mdps, shares, strict=True)]
    return replace(
        mdps[0],
        name=" + ".join(dict.fromkeys(mdp.name for mdp in mdps)),
        offset=np.concatenate([[0], *offsets]).astype(np.int64),
        next_state=_shifted([mdp.next_state for mdp in mdps], states),
        probability=np.concatenate([mdp.probability for mdp in mdps]),
        event_id=event_id,
        event_rows=event_rows,
        terminated=np.concatenate([mdp.terminated for mdp in mdps]),
        final=np.concatenate([mdp.final for mdp in mdps]),
        succeeded=np.concatenate([mdp.succeeded for mdp in mdps]),
        start=_shifted([mdp.start for mdp in mdps], states),
        start_probability=np.concatenate(starts),
        observations=observations,
        observation_id=observation_id,
        states=tuple(
            (number, state) for number, mdp in enumerate(mdps) for state in mdp.states or range(mdp.state_count)
        ),
        world=_world(mdps, shares),
    )


def compile_mixture(world: Mixture, compile_part: Callable[[World[Any]], FiniteMDP]) -> FiniteMDP:
    """Compile the parts of a mixture, as long as there is room for them, and lay them end to end."""
    parts: list[FiniteMDP] = []
    states = 0
    for part in world.parts:
        parts.append(compile_part(part))
        states += parts[-1].state_count
        _check_size(len(parts), states)
    return replace(mixture(parts, world.weights), world=world)


def _check_size(levels: int, states: int) -> None:
    if states > MAX_STATES:
        raise TooLargeToEnumerate(f"{levels} levels have more than {MAX_STATES:,} states together; take fewer")


def _check_fit(one: FiniteMDP, other: FiniteMDP) -> None:
    """Refuse parts that differ in what a mixture has once."""
    pairs = {name: (getattr(one, name), getattr(other, name)) for name in SHARED}
    pairs["observation_size"] = one.observation_size, other.observation_size
    for name, (mine, theirs) in pairs.items():
        if mine != theirs:
            raise InvalidWorld(
                f"levels of one mixture agree in {name}: {_label(one)} has {mine}, {_label(other)} has {theirs}"
            )


def _label(mdp: FiniteMDP) -> str:
    return f"{mdp.name}, level {mdp.world.level}" if mdp.world else mdp.name


def _before(counts: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many come before each part."""
    return np.cumsum([0, *counts])[:-1]


def _shifted(numbers: list[NDArray[np.int32]], counts: NDArray[np.int64]) -> NDArray[np.int32]:
    """Lay numbers end to end, each part's behind those of the parts before."""
    parts = [each + before for each, before in zip(numbers, _before(counts), strict=True)]
    return np.concatenate(parts).astype(np.int32)


def _merged(parts: list[tuple[NDArray[Any], NDArray[np.int32]]]) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """Lay rows and the numbers that point to them end to end; equal rows become one."""
    rows = np.concatenate([each for each, _ in parts])
    first, which = numbered(rows)
    return rows[first], which[_shifted([ids for _, ids in parts], np.array([len(each) for each, _ in parts]))]


def _world(mdps: Sequence[FiniteMDP], shares: tuple[float, ...]) -> Mixture | None:
    """Return what draws the states, where all parts come from one class of worlds."""
    worlds = tuple(mdp.world for mdp in mdps if mdp.world is not None)
    if len(worlds) < len(mdps) or len({type(world) for world in worlds}) > 1:
        return None
    return Mixture(parts=worlds, weights=shares)
