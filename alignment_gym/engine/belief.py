"""Belief MDPs: what an agent that does not see everything can know, enumerated the same way.

A belief is a distribution over hidden states, given all that was observed. Its next belief
follows from the action and the next observation (Åström 1965; Kaelbling, Littman, Cassandra
1998). Only beliefs that are reachable within the horizon are expanded. Events are linear in the
belief, so their expectations are exact.
"""

from collections import defaultdict
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import TooLargeToEnumerate
from alignment_gym.engine.mdp import MAX_STATES, MAX_TRANSITIONS, FiniteMDP

DIGITS = 10  # two beliefs that agree to so many decimals are one

Belief = tuple[tuple[int, float], ...]
"""State numbers with their probabilities, in order of the numbers."""


def belief_mdp(mdp: FiniteMDP) -> FiniteMDP:
    """Return the fully observed MDP over the beliefs of an agent that sees `mdp`'s observations.

    Raises:
        TooLargeToEnumerate: more beliefs than exact analysis allows.
    """
    if mdp.horizon is None:
        raise TooLargeToEnumerate(f"{mdp.name}: beliefs are enumerated within a horizon, and there is none")
    start: dict[int, dict[int, float]] = defaultdict(dict)
    for state, probability in zip(mdp.start.tolist(), mdp.start_probability.tolist(), strict=True):
        group = start[int(mdp.observation_id[state])]
        group[state] = group.get(state, 0.0) + probability
    number: dict[Belief, int] = {}
    beliefs: list[Belief] = []
    depth: list[int] = []

    def enter(belief: Belief, steps: int) -> int:
        rounded = tuple((state, round(probability, DIGITS)) for state, probability in belief)
        if rounded not in number:
            number[rounded] = len(beliefs)
            beliefs.append(belief)
            depth.append(steps)
        return number[rounded]

    starts = [(enter(_normalised(group), 0), sum(group.values())) for group in start.values()]
    offset, targets, probabilities, ends = [0], [], [], []
    events: list[NDArray[np.float64]] = []
    for place, belief in enumerate(beliefs):  # grows while it is walked
        for action in range(len(mdp.actions)):
            if depth[place] >= mdp.horizon:
                followers = {(-1, False): (1.0, belief, np.zeros(len(mdp.events)))}
            else:
                followers = _followers(mdp, belief, action)
            for (_, terminated), (probability, after, emitted) in followers.items():
                targets.append(enter(after, depth[place] + 1))
                probabilities.append(probability)
                ends.append(terminated)
                events.append(emitted)
            offset.append(len(targets))
        if len(beliefs) > MAX_STATES or len(targets) > MAX_TRANSITIONS:
            raise TooLargeToEnumerate(f"{mdp.name}: more than {MAX_STATES:,} beliefs within {mdp.horizon} steps")
    event_rows, event_id = np.unique(np.array(events), axis=0, return_inverse=True)
    return replace(
        mdp,
        name=f"{mdp.name} (beliefs)",
        offset=np.array(offset, dtype=np.int64),
        next_state=np.array(targets, dtype=np.int32),
        probability=np.array(probabilities),
        event_id=event_id.ravel().astype(np.int32),
        event_rows=event_rows,
        terminated=np.array(ends, dtype=np.bool_),
        final=np.array([sum(p * mdp.final[s] for s, p in belief) for belief in beliefs]),
        succeeded=np.array([all(mdp.succeeded[s] for s, _ in belief) for belief in beliefs]),
        start=np.array([place for place, _ in starts], dtype=np.int32),
        start_probability=np.array([probability for _, probability in starts]),
        observations=np.zeros((len(beliefs), 1), dtype=np.uint8),
        observation_id=np.arange(len(beliefs), dtype=np.int32),
        states=tuple(beliefs),
        world=None,
    )


@lru_cache(maxsize=256)
def observing(mdp: FiniteMDP, horizon: int | None = None) -> FiniteMDP:
    """Return the MDP of what the agent can know: itself, or its belief MDP, within another horizon if one is given."""
    if mdp.fully_observed:
        return mdp
    return belief_mdp(mdp if horizon is None else mdp.with_horizon(horizon))


@lru_cache(maxsize=256)
def knowing(mdp: FiniteMDP) -> FiniteMDP:
    """Return what the agent can know, within the MDP's own horizon.

    Beliefs are those of twice the horizon, which certificates ask about: one enumeration serves all questions.
    """
    if mdp.fully_observed or mdp.horizon is None:
        return observing(mdp)
    return observing(mdp, 2 * mdp.horizon).with_horizon(mdp.horizon)


def _followers(
    mdp: FiniteMDP, belief: Belief, action: int
) -> dict[tuple[int, bool], tuple[float, Belief, NDArray[np.float64]]]:
    """Group what may follow by what would be seen: (observation, terminated) -> probability, belief, events."""
    mass: dict[tuple[int, bool], dict[int, float]] = defaultdict(dict)
    emitted: dict[tuple[int, bool], NDArray[np.float64]] = {}
    for state, weight in belief:
        row = state * len(mdp.actions) + action
        for place in range(int(mdp.offset[row]), int(mdp.offset[row + 1])):
            after = int(mdp.next_state[place])
            seen = int(mdp.observation_id[after]), bool(mdp.terminated[place])
            probability = weight * float(mdp.probability[place])
            mass[seen][after] = mass[seen].get(after, 0.0) + probability
            events = mdp.event_rows[mdp.event_id[place]] * probability
            emitted[seen] = emitted[seen] + events if seen in emitted else events
    found = {}
    for seen, group in mass.items():
        total = sum(group.values())
        found[seen] = total, _normalised(group), emitted[seen] / total
    return found


def _normalised(group: dict[int, float]) -> Belief:
    total = sum(group.values())
    return tuple((state, group[state] / total) for state in sorted(group))
