"""A family of MDPs that grows to 100,000 states: a plain whose steps lead somewhere near, for sure or by chance.

Pay is drawn anew for every state and action, so that no two states are alike: nothing is gained by solving states that
are alike once, as in most worlds it is. This is what an analysis costs at the worst.
"""

import numpy as np

from alignment_gym.core import Specification
from alignment_gym.engine.arrays import digits
from alignment_gym.engine.mdp import FiniteMDP

SIZES = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)  # states
STEPS = 100
ACTIONS = 4
REACH = 0.02  # of all states, to either side: what a step may lead to


def plain(states: int, outcomes: int, rng: np.random.Generator) -> FiniteMDP:
    """Return an MDP of so many states, with so many outcomes an action, of random chances and random pay."""
    rows = states * ACTIONS
    reach = max(int(REACH * states), 1)
    near = rng.integers(-reach, reach + 1, size=(states, ACTIONS, outcomes))
    following = (np.arange(states)[:, None, None] + near) % states
    return FiniteMDP(
        name=f"plain of {states:,} states",
        actions=tuple(f"action {number}" for number in range(ACTIONS)),
        events=("paid", "meant"),
        offset=np.arange(0, rows * outcomes + 1, outcomes, dtype=np.int64),
        next_state=following.ravel().astype(np.int32),
        probability=rng.dirichlet(np.ones(outcomes), size=rows).ravel(),
        event_id=np.repeat(np.arange(rows, dtype=np.int32), outcomes),
        event_rows=rng.normal(size=(rows, 2)),
        terminated=np.zeros(rows * outcomes, dtype=np.bool_),
        final=np.zeros((states, 2)),
        succeeded=np.zeros(states, dtype=np.bool_),
        start=np.array([0], dtype=np.int32),
        start_probability=np.ones(1),
        observations=digits(states),
        observation_id=np.arange(states, dtype=np.int32),
        specification=Specification(proxy={"paid": 1.0}, true={"meant": 1.0}),
        horizon=STEPS,
    )
