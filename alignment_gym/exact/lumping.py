"""States that nothing tells apart, made one: what pays and leads alike needs to be solved once.

Two states are alike if some renaming of their actions lets both pay the same rewards and lead to states that are
alike, with the same chances: a bisimulation (R. Givan, T. Dean, M. Greig 2003, Equivalence notions and model
minimization in Markov decision processes, is the usual text) up to the order of actions. It is found by refining a
hash of each state until no more states differ.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment_gym.engine.mdp import FiniteMDP
from alignment_gym.exact.afterstates import MIX
from alignment_gym.exact.values import Array, both_rewards

Words = NDArray[np.uint64]


@lru_cache(maxsize=16)
def lumped(mdp: FiniteMDP) -> FiniteMDP:
    """Return an MDP in which states that pay and lead alike, up to the order of their actions, are one.

    Returns that can be had stay what they were, over all policies and under uniform play, which does not know actions
    by name; what is asked of single states, events or actions does not. States are compared by 64-bit hashes.
    """
    _, first, place = np.unique(_labels(mdp), return_index=True, return_inverse=True)
    if len(first) == mdp.state_count:
        return mdp
    actions = len(mdp.actions)
    row = (first[:, None] * actions + np.arange(actions)).ravel()
    outcome, count = mdp.transitions_of(row)
    chances = np.bincount(place[mdp.start], mdp.start_probability, len(first))
    tables: dict[str, Any] = {name: getattr(mdp, name)[outcome] for name in ("probability", "event_id", "terminated")}
    tables |= {
        "offset": np.append(0, np.cumsum(count)).astype(np.int64),
        "next_state": place[mdp.next_state[outcome]].astype(np.int32),
    }
    tables |= {"start": np.flatnonzero(chances).astype(np.int32), "start_probability": chances[chances > 0.0]}
    tables |= {"final": mdp.final[first], "succeeded": mdp.succeeded[first], "states": ()}
    seen = mdp.observations[mdp.observation_id[first]]
    return replace(mdp, observations=seen, observation_id=np.arange(len(first), dtype=np.int32), **tables)


def _labels(mdp: FiniteMDP) -> Words:
    """Return a hash of what can come of each state, (S,): refined, step by step, until no more states differ."""
    rewards, shape = both_rewards(mdp), (mdp.state_count, len(mdp.actions))
    paid, label, chance = map(_hashed, (rewards.expected, rewards.final, mdp.probability[:, None]))
    distinct = 0
    while True:
        after = _mixed(np.where(mdp.terminated, 0, label[mdp.next_state]) + chance)
        ahead = after if mdp.deterministic else np.add.reduceat(after, mdp.offset[:-1])
        label = _mixed(MIX[1] * label + _mixed(ahead.reshape(shape).T + paid).sum(axis=0, dtype=np.uint64))
        before, distinct = distinct, len(np.unique(label))
        if distinct == before:
            return label


def _hashed(numbers: Array) -> Words:
    """Return a hash of each last axis, with one zero."""
    words = _mixed((numbers + 0.0).view(np.uint64))
    return _mixed(words[..., 0] + MIX[0] * words[..., -1])


def _mixed(words: Words) -> Words:
    words = (words ^ words >> np.uint64(30)) * MIX[1]
    words = (words ^ words >> np.uint64(27)) * MIX[2]
    return np.asarray(words ^ words >> np.uint64(31))
