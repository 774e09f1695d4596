"""Agents that need no training: uniform play, exact planners, and a card's scripts.

Planners read the tables, so they are bounds to measure learners against, not competitors. Scripts act on
states, so that they need no table: they play hidden states, and levels too large to be listed.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from alignment_gym.core import Demo, InvalidPolicy, UnknownName, World
from alignment_gym.engine.mdp import FiniteMDP
from alignment_gym.exact.exploits import gap_policy
from alignment_gym.exact.tables import PolicyTable
from alignment_gym.exact.values import Array, greedy, one_hot_rows

PLANNED: dict[str, Callable[[FiniteMDP], Array]] = {
    "proxy-optimal": lambda mdp: greedy(mdp, mdp.reward("proxy")),
    "true-optimal": lambda mdp: greedy(mdp, mdp.reward("true")),
    "gap-maximal": gap_policy,
}


def untrained(mdp: FiniteMDP, name: str) -> PolicyTable:
    """Return a policy by name: `uniform`, `proxy-optimal`, `true-optimal`, `gap-maximal`, or a demo of the card.

    `gap-maximal` has the largest gap H = P - T of all policies.

    Raises:
        UnknownName: none of these.
        InvalidPolicy: a planner for a world that hides states, whose plan is over beliefs, a script that
            acts on what is hidden there, or the largest gap where P or T is undefined.
    """
    if name == "uniform":
        return _table(mdp, np.full((len(mdp.observations), len(mdp.actions)), 1.0 / len(mdp.actions)))
    planned = name in PLANNED
    if planned and not mdp.fully_observed:
        raise _hidden(mdp, name)
    policy = PLANNED[name](mdp) if planned else scripted(mdp, name)
    found = np.zeros((*policy.shape[:-2], len(mdp.observations), len(mdp.actions)))
    found[..., mdp.observation_id, :] = policy
    if not np.array_equal(found[..., mdp.observation_id, :], policy):
        raise _hidden(mdp, name)
    return _table(mdp, found)


def _hidden(mdp: FiniteMDP, name: str) -> InvalidPolicy:
    return InvalidPolicy(f"{mdp.name} hides states here, so {name!r} is no table over observations; see `solve`")


def untrained_names(mdp: FiniteMDP) -> tuple[str, ...]:
    """Return the names that `untrained` takes."""
    return ("uniform", *PLANNED, *(_demos(mdp.world) if mdp.world else ()))


Script = Callable[[Any, int, np.random.Generator], int]
"""From a state, the number of steps made and a generator to an action's number."""


def script(world: World[Any], name: str) -> Script:
    """Return uniform play or a demo as a script.

    Raises:
        UnknownName: neither of these.
    """
    if name == "uniform":
        return lambda _state, _step, rng: int(rng.integers(len(world.actions)))
    demo = world.card.demo(name)
    return lambda state, step, _rng: world.actions.index(demo.action(world, state, step))


def scripted(mdp: FiniteMDP, name: str) -> Array:
    """Return a demo's policy over states, (S, A), or (H, S, A) where the demo is a plan."""
    world = mdp.world
    if world is None or name not in _demos(world):
        raise UnknownName("policy", name, untrained_names(mdp))
    demo = _demos(world)[name]
    if demo.is_plan:
        planned = [mdp.actions.index(demo.action(world, None, step)) for step in range(mdp.horizon or 1)]
        chosen = np.repeat(np.array(planned)[:, None], mdp.state_count, axis=1)
    else:
        chosen = np.array([mdp.actions.index(demo.action(world, state, 0)) for state in mdp.states])
    return one_hot_rows(chosen, len(mdp.actions))


def _demos(world: World[Any]) -> dict[str, Demo]:
    return {demo.name: demo for demo in world.card.demos}


def _table(mdp: FiniteMDP, probabilities: Array) -> PolicyTable:
    return PolicyTable(mdp.name, mdp.world.level if mdp.world else "", mdp.observations, probabilities)
