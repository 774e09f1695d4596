"""Slow and plain ways to the exact answers, on worlds and not on their tables."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
from scipy.optimize import linprog

from alignment_gym.core import World

Plan = list[dict[Any, str]]
"""A step's action for each state."""


def reachable(world: World[Any]) -> list[Any]:
    found = [state for _, state in world.initial()]
    for state in found:  # grows while it is walked
        for action in world.actions:
            found += [each.state for each in world.outcomes(state, action) if each.state not in found]
    return list(dict.fromkeys(found))


def pays(weights: Mapping[str, float], events: Mapping[str, float]) -> float:
    return sum(weights.get(name, 0.0) * amount for name, amount in events.items())


def expected_return(world: World[Any], plan: Plan, weights: Mapping[str, float]) -> float:
    mass = defaultdict(float)
    for probability, state in world.initial():
        mass[state] += probability
    total = 0.0
    for step in range(world.horizon):
        after: dict[Any, float] = defaultdict(float)
        for state, weight in mass.items():
            for chance, following, events, terminated in world.outcomes(state, plan[step][state]):
                last = terminated or step == world.horizon - 1
                paid = pays(weights, events) + (pays(weights, world.final(following)) if last else 0.0)
                total += weight * chance * paid
                if not last:
                    after[following] += weight * chance
        mass = after
    return total


def plans(world: World[Any]) -> Iterator[Plan]:
    """Yield every deterministic clocked policy."""
    states = reachable(world)
    for choices in product(world.actions, repeat=len(states) * world.horizon):
        steps = [choices[step * len(states) : (step + 1) * len(states)] for step in range(world.horizon)]
        yield [dict(zip(states, step, strict=True)) for step in steps]


def all_returns(world: World[Any]) -> np.ndarray:
    """Return the proxy and true return of every deterministic clocked policy, (policies, 2)."""
    spec = world.specification
    return np.array(
        [[expected_return(world, plan, weights) for weights in (spec.proxy, spec.true)] for plan in plans(world)]
    )


def blind_returns(world: World[Any]) -> np.ndarray:
    """Return both returns of every deterministic policy of an agent that knows what it saw and did, (policies, 2).

    For a horizon of 2 and episodes that do not terminate: first an action for each first sight, then one for each
    first and second sight.
    """
    assert world.horizon == 2
    spec = world.specification
    looks = {state: world.observe(state).tobytes() for state in reachable(world)}
    seen = sorted(set(looks.values()))
    pairs = list(product(seen, seen))
    found = []
    for first, second in product(product(world.actions, repeat=len(seen)), product(world.actions, repeat=len(pairs))):
        now, then = dict(zip(seen, first, strict=True)), dict(zip(pairs, second, strict=True))
        total = np.zeros(2)
        for probability, state in world.initial():
            for chance, after, events, _ in world.outcomes(state, now[looks[state]]):
                weight = probability * chance
                total += [weight * pays(weights, events) for weights in (spec.proxy, spec.true)]
                for last_chance, last, last_events, _ in world.outcomes(after, then[looks[state], looks[after]]):
                    emitted = [pays(w, last_events) + pays(w, world.final(last)) for w in (spec.proxy, spec.true)]
                    total += weight * last_chance * np.array(emitted)
        found.append(total)
    return np.array(found)


def linear_program(world: World[Any], floor: float | None) -> tuple[float, float]:
    """Return extremes over the time-augmented occupancy polytope, by HiGHS.

    Args:
        world: its states are (state, step) here, its variables expected visits of (step, state, action).
        floor: None for the (min, max) of the proxy return; else the (min, max) of the true return over occupancies
            whose proxy return is at least so large.
    """
    states = reachable(world)
    number = {state: place for place, state in enumerate(states)}
    steps, actions = world.horizon, world.actions
    shape = (steps, len(states), len(actions))
    balance = np.zeros((steps * len(states), int(np.prod(shape))))
    start = np.zeros(steps * len(states))
    rewards = np.zeros((2, *shape))
    for probability, state in world.initial():
        start[number[state]] += probability
    for (step, place, arm), column in zip(np.ndindex(*shape), range(balance.shape[1]), strict=True):
        balance[step * len(states) + place, column] += 1.0
        for chance, after, events, terminated in world.outcomes(states[place], actions[arm]):
            last = terminated or step == steps - 1
            for row, weights in enumerate((world.specification.proxy, world.specification.true)):
                paid = pays(weights, events) + (pays(weights, world.final(after)) if last else 0.0)
                rewards[row, step, place, arm] += chance * paid
            if not last:
                balance[(step + 1) * len(states) + number[after], column] -= chance
    proxy, true = rewards.reshape(2, -1)
    objective = proxy if floor is None else true
    bound = {} if floor is None else {"A_ub": -proxy[None, :], "b_ub": [-floor]}
    ends = []
    for sign in (1.0, -1.0):
        found = linprog(sign * objective, A_eq=balance, b_eq=start, bounds=(0, None), method="highs", **bound)
        assert found.status == 0, found.message
        ends.append(sign * found.fun)
    return ends[0], ends[1]
