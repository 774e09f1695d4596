"""Agents that need no training: uniform play, exact planners, and a card's scripts.

Planners read the tables, so they are bounds to measure learners against, not competitors.
"""

from typing import Any

import numpy as np

from alignment_gym.core import InvalidPolicy, UnknownName, World
from alignment_gym.engine.mdp import FiniteMDP
from alignment_gym.exact.tables import PolicyTable
from alignment_gym.exact.values import Array, greedy, uniform

PLANNED = {"proxy-optimal": "proxy", "true-optimal": "true"}


def untrained(mdp: FiniteMDP, name: str) -> PolicyTable:
    """Return a policy by name: `uniform`, `proxy-optimal`, `true-optimal`, or a demo of the card.

    Raises:
        UnknownName: none of these.
        InvalidPolicy: a planner for a world that hides states, whose plan is over beliefs.
    """
    if name == "uniform":
        return _table(mdp, np.full((len(mdp.observations), len(mdp.actions)), 1.0 / len(mdp.actions)))
    if not mdp.fully_observed:
        raise InvalidPolicy(f"{mdp.name} hides states here, so {name!r} is no table over observations; see `solve`")
    if name in PLANNED:
        return _table(mdp, _by_observation(mdp, greedy(mdp, mdp.reward(PLANNED[name]))))
    return _table(mdp, _by_observation(mdp, scripted(mdp, name)))


def untrained_names(mdp: FiniteMDP) -> tuple[str, ...]:
    """Return the names that `untrained` takes."""
    return ("uniform", *PLANNED, *(_demos(mdp.world) if mdp.world else ()))


def scripted(mdp: FiniteMDP, name: str) -> Array:
    """Return a demo's policy over states, (S, A)."""
    world = mdp.world
    if world is None or name not in _demos(world):
        raise UnknownName("policy", name, untrained_names(mdp))
    script = _demos(world)[name].policy
    table = np.zeros_like(uniform(mdp))
    for number, state in enumerate(mdp.states):
        table[number, mdp.actions.index(script(world, state))] = 1.0
    return table


def _demos(world: World[Any]) -> dict[str, Any]:
    return {demo.name: demo for demo in world.card.demos}


def _by_observation(mdp: FiniteMDP, policy: Array) -> Array:
    """Reorder a policy over the states of a fully observed MDP by observation."""
    table = np.zeros_like(policy)
    table[..., mdp.observation_id, :] = policy
    return table


def _table(mdp: FiniteMDP, probabilities: Array) -> PolicyTable:
    return PolicyTable(mdp.name, mdp.world.level if mdp.world else "", mdp.observations, probabilities)
