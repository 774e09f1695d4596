"""Policies as tables: what an agent does at every observation of a world.

`tabulate` asks any callable once, about all observations together; from then on the policy is an
array, its returns are exact, and the only randomness left in a result is the training seed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignment_gym.core import InvalidPolicy, World
from alignment_gym.engine.mdp import FiniteMDP
from alignment_gym.engine.views import View, as_seen, representatives
from alignment_gym.exact.values import Array, one_hot_rows

SUM_TOLERANCE = 1e-6  # by which a row may miss a sum of 1, as float32 does
ROUNDING = 1e-12  # by which float64 does, where there is nothing to mend

Agent = Callable[[Any], Any]
"""From observations, (N, D) of features, to action probabilities (N, A), or to actions (N,)."""


@dataclass(frozen=True, eq=False)
class PolicyTable:
    """A policy on a world's observations.

    Attributes:
        env, level: what it was tabulated on.
        observations: uint8 (O, D), without the clock's features.
        probabilities: float64 (O, A); or (H, O, A), one table a step.
    """

    env: str
    level: str
    observations: NDArray[np.uint8]
    probabilities: Array

    @property
    def greedy(self) -> "PolicyTable":
        """The policy that always takes a most probable action, the first of several."""
        chosen = one_hot_rows(self.probabilities.argmax(axis=-1), self.probabilities.shape[-1])
        return PolicyTable(self.env, self.level, self.observations, chosen)

    def on(self, mdp: FiniteMDP) -> "Fitted":
        """Line the table up with the observations of an MDP, uniform where it knows none.

        Raises:
            InvalidPolicy: other features, other actions, or fewer steps than the MDP's horizon.
        """
        actions = len(mdp.actions)
        if self.probabilities.ndim not in (2, 3) or self.probabilities.shape[-2] != len(self.observations):
            raise InvalidPolicy(
                f"the policy has probabilities of shape {self.probabilities.shape} for {len(self.observations)} "
                "observations; give a row each"
            )
        if self.observations.shape[1:] != mdp.observations.shape[1:] or self.probabilities.shape[-1] != actions:
            raise InvalidPolicy(
                f"the policy has {self.observations.shape[1]} features and {self.probabilities.shape[-1]} actions; "
                f"{mdp.name} has {mdp.observations.shape[1]} and {actions}"
            )
        table = self.probabilities
        if table.ndim == 3 and len(table) < (mdp.horizon or 0):
            raise InvalidPolicy(f"the policy knows {len(table)} steps; episodes of {mdp.name} have {mdp.horizon}")
        if self.observations is mdp.observations:
            return Fitted(table, 0)
        known = {row.tobytes(): number for number, row in enumerate(self.observations)}
        rows = np.array([known.get(row.tobytes(), -1) for row in mdp.observations])
        lined_up = np.where((rows >= 0)[:, None], table[..., rows, :], 1.0 / actions)
        return Fitted(lined_up, int((rows < 0).sum()))


@dataclass(frozen=True, eq=False)
class Fitted:
    """A policy lined up with an MDP's observations.

    Attributes:
        by_observation: (O, A) or (H, O, A).
        unseen: observations that the policy had never seen, played uniformly.
    """

    by_observation: Array
    unseen: int

    def by_state(self, mdp: FiniteMDP) -> Array:
        """Return the table over states, (S, A) or (H, S, A)."""
        return self.by_observation[..., mdp.observation_id, :]


Policy = PolicyTable | ArrayLike
"""A table over observations, or probabilities over states: (S, A), or (H, S, A) with one table a step."""


def checked_policy(policy: Policy, mdp: FiniteMDP) -> Array:
    """Return a policy as probabilities over states, (S, A) or (H, S, A).

    Rows that miss a sum of 1 by no more than float32 does are scaled to it.

    Args:
        policy: a table from `tabulate`, or array-like probabilities; clocked ones may know more steps than the horizon.
        mdp: S states, A actions.

    Raises:
        InvalidPolicy: no numbers, another shape, or a row that is no distribution, with its index.
    """
    table = _as_numbers(policy.on(mdp).by_state(mdp) if isinstance(policy, PolicyTable) else policy, mdp)
    stationary, steps = (mdp.state_count, len(mdp.actions)), mdp.horizon or 0
    if table.shape != stationary and not (steps and table.shape[1:] == stationary and len(table) >= steps):
        clocked = f" or {(steps, *stationary)}" if steps else ", for it is endless"
        raise InvalidPolicy(f"a policy for {mdp.name} has the shape {stationary}{clocked}, not {table.shape}")
    if not (table.min() >= 0.0 and table.max() < np.inf):  # false for NaN; cheaper than to ask entry by entry
        place = _first(~np.isfinite(table) | (table < 0.0))
        raise InvalidPolicy(f"policy{list(place)} is {table[place]:g}; a probability is finite and not negative")
    sums = table @ np.ones(table.shape[-1])
    off = max(sums.max() - 1.0, 1.0 - sums.min())
    if off > SUM_TOLERANCE:
        place = _first(np.abs(sums - 1.0) > SUM_TOLERANCE)
        raise InvalidPolicy(f"policy{list(place)} sums to {sums[place]:.9g} over actions, not to 1")
    return table / sums[..., None] if off > ROUNDING else table


def _as_numbers(policy: ArrayLike, mdp: FiniteMDP) -> Array:
    """Return what is no table of observations as float64."""
    wanted = f"a policy is a table from `tabulate`, or probabilities of shape {(mdp.state_count, len(mdp.actions))}"
    try:
        given = np.asarray(policy)
    except (TypeError, ValueError) as error:
        raise InvalidPolicy(f"{wanted}, not a ragged {type(policy).__name__}") from error
    if given.dtype.kind not in "biuf":
        raise InvalidPolicy(f"{wanted}, not {type(policy).__name__} of {given.dtype}")
    return given.astype(np.float64, copy=False)


def _first(where: NDArray[np.bool_]) -> tuple[int, ...]:
    """Return the index of the first entry that is true."""
    return tuple(int(each) for each in np.argwhere(where)[0])


def tabulate(
    agent: Agent, what: str | World[Any] | FiniteMDP, *, obs: str = "features", view: str | None = None, **dials: Any
) -> PolicyTable:
    """Ask an agent about every observation of a world.

    What an agent does on planes, pixels or text becomes a table over features, because features tell
    what is shown; where a view or a mask shows less, the policy is the same on all that look alike.

    Args:
        agent: takes observations, features uint8 (N, D), planes float32 (N, C, H, W), pixels uint8
            (N, H, W, 3) or a list of N texts, and returns probabilities (N, A) or actions (N,).
        what: an id, a world or an MDP. Where it shows the clock, each observation is asked about at
            every step.
        obs: what the agent sees, as `gymnasium.make` takes it. Different scenes are asked about once
            each, in parts small enough for memory.
        view: a mask, or the world's dial of this name, as `gymnasium.make` takes it.
        **dials: level and dials, where an id is given.

    Raises:
        InvalidPolicy: the agent can't be called, its answer has another shape, or is no distribution.
        InvalidWorld: scenes tell more than features do, as those of several levels in one may.
    """
    if not callable(agent):
        raise InvalidPolicy(
            f"an agent is a callable on observations, not {type(agent).__name__}; for a model with `predict`: "
            "tabulate(lambda obs: model.predict(obs, deterministic=True)[0], ...)"
        )
    mdp, shown = as_seen(what, obs, view, dials)
    answer = _on_features(agent, mdp) if shown is None else _on_views(agent, mdp, shown)
    return PolicyTable(mdp.name, mdp.world.level if mdp.world else "", mdp.observations, answer)


def _on_features(agent: Agent, mdp: FiniteMDP) -> Array:
    asked = mdp.observations
    if mdp.observe_clock and mdp.horizon is not None:
        steps, count = mdp.horizon, len(mdp.observations)
        clock = np.repeat(mdp.clock(np.arange(steps)), count, axis=0)
        asked = np.concatenate([np.tile(mdp.observations, (steps, 1)), clock], axis=-1)
    answer = _distribution(np.asarray(agent(asked)), len(asked), mdp)
    if len(asked) != len(mdp.observations):
        answer = answer.reshape(mdp.horizon or 1, len(mdp.observations), len(mdp.actions))
    return answer


def _on_views(agent: Agent, mdp: FiniteMDP, view: View) -> Array:
    """Ask about every different view, at every step where the clock is shown: (O, A) or (H, O, A)."""
    states, scene_id = representatives(view)
    steps = mdp.horizon if mdp.observe_clock and mdp.horizon else 1
    asked, when = np.tile(states, steps), np.repeat(np.arange(steps), len(states))
    answers = []
    for part in range(0, len(asked), view.at_once):
        some = slice(part, part + view.at_once)
        seen = view.batch(asked[some], when[some])
        seen = list(seen) if isinstance(seen, tuple) else seen
        answers.append(_distribution(np.asarray(agent(seen)), len(seen), mdp))
    answer = np.concatenate(answers).reshape(steps, len(states), len(mdp.actions))[:, scene_id]
    return answer if steps > 1 else answer[0]


def _distribution(answer: NDArray[Any], count: int, mdp: FiniteMDP) -> Array:
    actions = len(mdp.actions)
    if answer.shape == (count,) and np.issubdtype(answer.dtype, np.integer):
        if answer.min() < 0 or answer.max() >= actions:
            raise InvalidPolicy(f"{mdp.name} has the actions 0 to {actions - 1}; the agent answered {answer.max()}")
        return one_hot_rows(answer, actions)
    if answer.shape != (count, actions):
        raise InvalidPolicy(
            f"an agent returns probabilities of shape ({count}, {actions}) or whole numbers of shape ({count},), "
            f"not {answer.dtype} of shape {answer.shape}"
        )
    table = answer.astype(np.float64)
    if not np.isfinite(table).all() or (table < -1e-9).any() or np.abs(table.sum(axis=-1) - 1.0).max() > 1e-4:
        raise InvalidPolicy("an agent's probabilities must be finite, not negative, and sum to 1")
    table = np.clip(table, 0.0, None)
    return np.asarray(table / table.sum(axis=-1, keepdims=True))
