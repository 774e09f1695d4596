"""Two families of MDPs that grow to 100,000 states: a yard walked for sure, and a plain scattered by chance."""

from dataclasses import replace

import numpy as np

from alignment_gym.core import Specification
from alignment_gym.engine.arrays import digits
from alignment_gym.engine.mdp import FiniteMDP, compile_world
from alignment_gym.experiments.speed.worlds import Yard

SIZES = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)  # states
STEPS = 100
ACTIONS = 4
OUTCOMES = 3
REACH = 0.02  # of all states, to either side: what a step may lead to
CHARGES = 50
COLUMNS = 63


def yard(states: int) -> FiniteMDP:
    """Return a deterministic world of about so many states; see `experiments.speed.worlds.Yard`."""
    charges = min(CHARGES, max(states // 20, 2))
    cells = states / (charges + 1)
    rows = min(max(round(np.sqrt(cells / 2)), 2), 32)
    columns = min(max(round(cells / rows), 1), COLUMNS)
    world = Yard(rows=rows, columns=columns, charges=charges, horizon=STEPS)
    return compile_world(world, max_states=2 * states + 1000, max_transitions=10 * states + 10_000)


def plain(states: int, rng: np.random.Generator) -> FiniteMDP:
    """Return an MDP in which each action has three outcomes not far away, of random chances and random pay."""
    rows = states * ACTIONS
    reach = max(int(REACH * states), 1)
    near = rng.integers(-reach, reach + 1, size=(states, ACTIONS, OUTCOMES))
    following = (np.arange(states)[:, None, None] + near) % states
    pays = rng.normal(size=(rows, 2))
    return FiniteMDP(
        name=f"plain of {states:,} states",
        actions=tuple(f"action {number}" for number in range(ACTIONS)),
        events=("paid", "meant"),
        offset=np.arange(0, rows * OUTCOMES + 1, OUTCOMES, dtype=np.int64),
        next_state=following.ravel().astype(np.int32),
        probability=rng.dirichlet(np.ones(OUTCOMES), size=rows).ravel(),
        event_id=np.repeat(np.arange(rows, dtype=np.int32), OUTCOMES),
        event_rows=pays,
        terminated=np.zeros(rows * OUTCOMES, dtype=np.bool_),
        final=np.zeros((states, 2)),
        succeeded=np.zeros(states, dtype=np.bool_),
        start=np.array([0], dtype=np.int32),
        start_probability=np.ones(1),
        observations=digits(states),
        observation_id=np.arange(states, dtype=np.int32),
        specification=Specification(proxy={"paid": 1.0}, true={"meant": 1.0}),
        horizon=STEPS,
    )


def untimed(mdp: FiniteMDP) -> FiniteMDP:
    """Return the same tables as another object, of which nothing is remembered."""
    return replace(mdp)
