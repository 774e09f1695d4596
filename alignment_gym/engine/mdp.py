"""From a world to tables: every reachable state, what follows it, and what that emits.

Transitions are laid end to end. Row `state * actions + action` owns the outcomes from
`offset[row]` to `offset[row + 1]`. Many transitions emit the same events, so each points to a
row of `event_rows`. N transitions, S states, A actions, E events, O observations of D features.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignment_gym.core import InvalidWorld, Mixture, Specification, World, make_world
from alignment_gym.engine.arrays import EVENTS, checked_discount, checked_horizon, digits, laid
from alignment_gym.engine.enumeration import Limits, check_enumerable, checked_start, different, final_events, walk
from alignment_gym.engine.episodic import Episodic
from alignment_gym.engine.factored import enumerate_factored, factored
from alignment_gym.engine.randomness import upper_bounds

MAX_STATES = 50_000
MAX_TRANSITIONS = 500_000

Reward = Mapping[str, float] | NDArray[np.floating[Any]]
"""Weights over events, or an (S, A) array."""


@dataclass(frozen=True, eq=False)
class FiniteMDP(Episodic):
    """A finite MDP with named events, without reward until a specification weighs them.

    Attributes:
        name: the world's id, or what the arrays stand for.
        actions, events: names, A and E of them.
        offset: int64 (S * A + 1,).
        next_state: int32 (N,).
        probability: float64 (N,), summing to 1 in each row.
        event_id: int32 (N,), rows of `event_rows`.
        event_rows: float64 (U, E).
        terminated: bool (N,).
        final: float64 (S, E), paid where an episode ends.
        succeeded: bool (S,).
        start, start_probability: int32 and float64, the initial states.
        observations: uint8 (O, D).
        observation_id: int32 (S,).
        specification: the world's own two weightings.
        horizon: steps, or None for an endless episode with `discount` below 1.
        discount: per step.
        observe_clock: whether the step's number joins the observation.
        states: what the numbers stand for.
        world: the world that was compiled, where there is one.
    """

    name: str
    actions: tuple[str, ...]
    events: tuple[str, ...]
    offset: NDArray[np.int64]
    next_state: NDArray[np.int32]
    probability: NDArray[np.float64]
    event_id: NDArray[np.int32]
    event_rows: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    final: NDArray[np.float64]
    succeeded: NDArray[np.bool_]
    start: NDArray[np.int32]
    start_probability: NDArray[np.float64]
    observations: NDArray[np.uint8]
    observation_id: NDArray[np.int32]
    specification: Specification
    horizon: int | None
    discount: float = 1.0
    observe_clock: bool = False
    states: tuple[Hashable, ...] = ()
    world: World[Any] | None = None

    def __post_init__(self) -> None:
        if self.horizon is not None and self.horizon < 1:
            raise InvalidWorld(f"{self.name}: an episode has at least 1 step, not horizon = {self.horizon}")
        if not 0.0 < self.discount <= 1.0:
            raise InvalidWorld(f"{self.name}: a discount lies above 0 and is at most 1, not {self.discount}")
        if self.horizon is None and self.discount == 1.0:
            raise InvalidWorld(f"{self.name}: without a horizon the discount must be below 1, not {self.discount}")

    def __repr__(self) -> str:
        """Say the name, the sizes and how long episodes last."""
        lasts = [] if self.horizon is None else [f"horizon={self.horizon}"]
        lasts += [] if self.discount == 1.0 else [f"discount={self.discount:g}"]
        sizes = f"{self.state_count} states, {len(self.actions)} actions"
        return f"FiniteMDP({self.name!r}, {sizes}, {', '.join(lasts)})"

    @classmethod
    def from_arrays(
        cls,
        P: ArrayLike,
        r_proxy: ArrayLike,
        r_true: ArrayLike,
        mu: ArrayLike,
        horizon: int | None = None,
        gamma: float = 1.0,
        *,
        terminal: ArrayLike | None = None,
        name: str = "arrays",
    ) -> "FiniteMDP":
        """Return an MDP given by plain arrays, for `exact`; state i is row i.

        Its events are `proxy` and `true`: what the two rewards pay. Returns closer than about 1e-9 count as the same,
        so that rewards are best of order 1.

        Args:
            P: (S, A, S), probabilities of next states; rows that miss a sum of 1 by at most 1e-6 are scaled to it.
            r_proxy: the reward paid, (S, A), or (S, A, S) where it depends on the next state.
            r_true: the reward meant, of either shape.
            mu: (S,), probabilities of the states in which an episode starts; none of them terminal.
            horizon: steps in an episode; None for endless ones, with `gamma` below 1.
            gamma: discount a step.
            terminal: (S,) of booleans or 0 and 1, states whose entry ends the episode; none by default.
            name: what it is called in reports.

        Raises:
            InvalidWorld: arrays that are no MDP, with the index at fault, a horizon or gamma that is no number, or
                gamma = 1 without a horizon.
        """
        steps, discount = checked_horizon(horizon), checked_discount(gamma)
        found = laid(P, r_proxy, r_true, mu, terminal)
        states = len(np.atleast_1d(np.asarray(mu)))
        return cls(
            name=name,
            events=EVENTS,
            final=np.zeros((states, len(EVENTS))),
            succeeded=np.zeros(states, dtype=np.bool_),
            observations=digits(states),
            observation_id=np.arange(states, dtype=np.int32),
            specification=Specification(proxy={"proxy": 1.0}, true={"true": 1.0}),
            horizon=steps,
            discount=discount,
            states=tuple(range(states)),
            **found._asdict(),
        )

    @property
    def state_count(self) -> int:
        """S."""
        return len(self.observation_id)

    @property
    def transition_count(self) -> int:
        """N."""
        return len(self.next_state)

    @property
    def deterministic(self) -> bool:
        """Whether every row has one outcome."""
        return self.transition_count == self.state_count * len(self.actions)

    @property
    def fully_observed(self) -> bool:
        """Whether every state has an observation of its own."""
        return len(self.observations) == self.state_count

    @cached_property
    def bounds(self) -> NDArray[np.uint64]:
        """Upper bounds on the 32-bit draw, (N,); see `randomness`."""
        return upper_bounds(self.probability, self.offset)

    @property
    def observation_size(self) -> int:
        """Features of an observation, clock included."""
        return int(self.observations.shape[1]) + self.clock_bits

    def transitions_of(self, rows: NDArray[np.integer[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the numbers of all transitions of some rows, end to end, and how many each row has."""
        count = self.offset[rows + 1] - self.offset[rows]
        ends = np.cumsum(count)
        return np.repeat(self.offset[rows] - ends + count, count) + np.arange(count.sum()), count

    def transition_rewards(self, reward: Reward) -> NDArray[np.float64]:
        """Return what each transition pays, (N,), final events of terminations included."""
        if not isinstance(reward, Mapping):
            table = np.asarray(reward, dtype=np.float64)
            if table.shape != (self.state_count, len(self.actions)) or not np.isfinite(table).all():
                raise InvalidWorld(
                    f"a reward table for {self.name} is finite, of shape {(self.state_count, len(self.actions))}, "
                    f"not {table.shape}"
                )
            return np.repeat(table.ravel(), np.diff(self.offset))
        weights = self.weights(reward)
        paid = (self.event_rows @ weights)[self.event_id]
        return np.asarray(paid + self.terminated * (self.final @ weights)[self.next_state], dtype=np.float64)

    def final_rewards(self, reward: Reward) -> NDArray[np.float64]:
        """Return what the horizon pays in each state, (S,)."""
        if not isinstance(reward, Mapping):
            return np.zeros(self.state_count)
        return np.asarray(self.final @ self.weights(reward), dtype=np.float64)

    def reward(self, which: str) -> Mapping[str, float]:
        """Return the specification's weights, `proxy` or `true`."""
        return self.specification.proxy if which == "proxy" else self.specification.true

    def with_specification(self, specification: Specification) -> "FiniteMDP":
        """Return the same tables under other weights."""
        specification.check(self.events)
        return replace(self, specification=specification)

    def with_horizon(self, horizon: int) -> "FiniteMDP":
        """Return the same tables with longer or shorter episodes."""
        return replace(self, horizon=horizon)


def compile_world(
    world: World[Any],
    max_states: int = MAX_STATES,
    max_transitions: int = MAX_TRANSITIONS,
    arrays: bool = True,
) -> FiniteMDP:
    """Enumerate a world's reachable states, checking the contract on the way.

    Args:
        world: what to enumerate.
        max_states: S at most.
        max_transitions: N at most.
        arrays: whether a world that can answer for many states at once is asked so.

    Raises:
        InvalidWorld: probabilities that don't sum to 1, unknown events, observations that are
            no 0/1 features or that fail to tell states apart.
        TooLargeToEnumerate: the level is declared too large, or has more than `max_states` states
            or `max_transitions` transitions.
    """
    check_enumerable(world)
    if isinstance(world, Mixture):
        from alignment_gym.engine.mixture import compile_mixture

        return compile_mixture(world, lambda part: compile_world(part, max_states, max_transitions, arrays))
    world.specification.check(tuple(world.events))
    start_probability = checked_start(world)
    enumerate_states = enumerate_factored if arrays and factored(world) else walk
    found = enumerate_states(world, Limits(max_states, max_transitions))
    observations, observation_id = different(world, found.states, found.seen)
    return FiniteMDP(
        name=world.card.id,
        actions=world.actions,
        events=tuple(world.events),
        offset=found.offset,
        next_state=found.next_state,
        probability=found.probability,
        event_id=found.event_id,
        event_rows=found.event_rows,
        terminated=found.terminated,
        final=final_events(world, found.states),
        succeeded=np.array([world.succeeded(state) for state in found.states], dtype=np.bool_),
        start=found.start,
        start_probability=start_probability,
        observations=observations,
        observation_id=observation_id,
        specification=world.specification,
        horizon=world.horizon,
        observe_clock=world.observe_clock,
        states=found.states,
        world=world,
    )


@lru_cache(maxsize=256)
def compiled(world: World[Any]) -> FiniteMDP:
    """Compile a world once a process."""
    return compile_world(world)


def as_mdp(what: "str | World[Any] | FiniteMDP", **dials: Any) -> FiniteMDP:
    """Return tables for an id with dials, a world, or tables themselves."""
    if isinstance(what, FiniteMDP):
        return what
    return compiled(make_world(what, **dials) if isinstance(what, str) else what)
