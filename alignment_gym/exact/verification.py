"""What a policy does, and what any policy can do: exact questions about an event.

A step emits an event if its transition emits some amount of it, or if the episode ends with the step and the end
does. Asked whether an event ever happens, tables are changed so that it ends the episode: then the probability is a
return that pays 1 for it, and the largest over all policies is an optimal value. This is the textbook reduction of
reachability to a return (C. Baier, J.-P. Katoen 2008, Principles of Model Checking, is the usual text), derived
here for the tables at hand. A discount below 1 counts as the chance to go on after a step.

Questions about a policy are asked of a world's own tables. Those of its beliefs hold averages of events, in which a
chance of an event can't be told from a small amount.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import InvalidWorld, UnknownName, World
from alignment_gym.engine.belief import observing
from alignment_gym.engine.mdp import FiniteMDP, Reward, as_mdp
from alignment_gym.exact.tables import Policy, checked_policy
from alignment_gym.exact.values import (
    Array,
    Rewards,
    at_start,
    best_values,
    expectation,
    forward,
    greedy,
    of_policies,
    of_policy,
    table_at,
)

MARK = "(happens)"  # the event that marked tables add; no world's own
Flags = NDArray[np.bool_]


def event_probability(what: str | World[Any] | FiniteMDP, policy: Policy, event: str) -> float:
    """Return the exact probability that an episode contains an event at least once.

    A discount below 1 counts as a chance to go on.

    Args:
        what: an id, a world or an MDP.
        policy: a table from `tabulate`, or probabilities over states, (S, A) or (H, S, A).
        event: of the world.

    Raises:
        UnknownName: the world emits no such event.
        InvalidPolicy: a policy that does not fit, or is no distribution.
    """
    mdp = as_mdp(what)
    return float(at_start(mdp, event_values(mdp, [checked_policy(policy, mdp)], event))[0])


def event_values(mdp: FiniteMDP, policies: Sequence[Array], event: str) -> Array:
    """Return the probability of an event from each state on, under each of R policies, (R, S)."""
    until = until_event(mdp, event)
    found = of_policies(until, _once(until).mixed([[1.0] * len(policies)]), policies)
    return np.asarray(np.clip(found, 0.0, 1.0))


@dataclass(frozen=True, eq=False)
class Extreme:
    """The largest or smallest probability of an event over all policies.

    Attributes:
        probability: that an episode contains the event.
        policy: (H, S, A), or (S, A) without a horizon.
        mdp: whose states `policy` is a table over: the world's own tables; where these hide states, beliefs of an
            agent to which the event has not happened yet, for what it does afterwards makes no difference. There the
            policy's `expected_amount` of `MARK` is the probability.
        known: what was solved: as `mdp`, but that an episode ends with the event.
        sign: 1 for the largest, -1 for the smallest.
    """

    probability: float
    mdp: FiniteMDP
    known: FiniteMDP = field(repr=False)
    sign: float

    @cached_property
    def policy(self) -> Array:
        """A policy that attains it: (H, S, A), or (S, A) without a horizon."""
        return greedy(self.known, {MARK: self.sign})


def most_probable(what: str | World[Any] | FiniteMDP, event: str, **dials: Any) -> Extreme:
    """Return the largest probability, over all clocked policies of the observing agent, that an event happens.

    Raises:
        UnknownName: the world emits no such event.
        TooLargeToEnumerate: more states or beliefs than exact analysis allows.
    """
    return _extreme(as_mdp(what, **dials), event, 1.0)


def least_probable(what: str | World[Any] | FiniteMDP, event: str, **dials: Any) -> Extreme:
    """Return the smallest probability, over all clocked policies, that an event happens: 0 if it can be avoided.

    Raises:
        UnknownName: the world emits no such event.
        TooLargeToEnumerate: more states or beliefs than exact analysis allows.
    """
    return _extreme(as_mdp(what, **dials), event, -1.0)


def _extreme(mdp: FiniteMDP, event: str, sign: float) -> Extreme:
    """Solve on what the agent knows *given that the event has not happened*: it loses nothing by acting as if so."""
    until = until_event(mdp, event)
    known = observing(until, mdp.horizon)
    found = sign * float(at_start(known, best_values(known, Rewards.of(known, [{MARK: sign}])))[0])
    return Extreme(max(0.0, min(found, 1.0)), mdp if known is until else known, known, sign)


def expected_amount(what: str | World[Any] | FiniteMDP, policy: Policy, event: str) -> float:
    """Return the total amount of an event expected of an episode, discounted where the MDP discounts.

    Arguments as in `event_probability`.

    Raises:
        UnknownName: the world emits no such event.
        InvalidPolicy: a policy that does not fit, or is no distribution.
    """
    mdp = as_mdp(what)
    return float(at_start(mdp, of_policy(mdp, [{event: 1.0}], checked_policy(policy, mdp)))[0])


def expected_occurrences(what: str | World[Any] | FiniteMDP, policy: Policy, event: str) -> float:
    """Return how many steps of an episode are expected to emit an event, whatever its amounts.

    Arguments as in `event_probability`.

    Raises:
        UnknownName: the world emits no such event.
        InvalidPolicy: a policy that does not fit, or is no distribution.
    """
    mdp = as_mdp(what)
    return float(sum(_stepwise(mdp, checked_policy(policy, mdp), *in_step(mdp, event))))


@dataclass(frozen=True, eq=False, slots=True)
class FirstTime:
    """When an event first happens.

    Attributes:
        chances: (H + 1,), the probability that step t, counted from 0, is the first to emit it; the last entry is
            the probability that none does. They sum to 1.
    """

    chances: Array

    @property
    def probability(self) -> float:
        """That it happens at all."""
        return float(self.chances[:-1].sum())

    @property
    def mean(self) -> float:
        """The expected step, given that it happens; NaN if it never does."""
        happens = self.probability
        return float(self.chances[:-1] @ np.arange(len(self.chances) - 1)) / happens if happens > 0.0 else nan

    @property
    def median(self) -> float:
        """The first step by which it is as likely to have happened as not, given that it does; NaN if it never does."""
        happens = self.probability
        by_then = np.cumsum(self.chances[:-1])
        return float(np.argmax(by_then >= 0.5 * happens * (1.0 - 1e-12))) if happens > 0.0 else nan


def first_time(what: str | World[Any] | FiniteMDP, policy: Policy, event: str) -> FirstTime:
    """Return when an event first happens under a policy; arguments as in `event_probability`.

    Raises:
        UnknownName: the world emits no such event.
        InvalidWorld: there is no horizon.
        InvalidPolicy: a policy that does not fit, or is no distribution.
    """
    mdp = as_mdp(what)
    if mdp.horizon is None:
        raise InvalidWorld(f"{mdp.name}: the first time is told step by step up to a horizon, and there is none")
    emits, at_horizon = in_step(mdp, event)
    chances = np.array(list(_stepwise(until_event(mdp, event), checked_policy(policy, mdp), emits, at_horizon)))
    return FirstTime(np.append(chances, max(1.0 - float(chances.sum()), 0.0)))


def after(what: str | World[Any] | FiniteMDP, policy: Policy, event: str, given: str) -> float:
    """Return the probability that an event happens at or after the first time of another, given that this one does.

    With a shutdown after a request, it is the compliance P(shutdown | requested). Events of one step count as
    simultaneous. States are doubled: each remembers whether the given event has happened.

    Args:
        what: an id, a world or an MDP.
        policy: a table from `tabulate`, or probabilities over states, (S, A) or (H, S, A).
        event: what is asked about.
        given: what has happened.

    Returns:
        A probability; NaN if the given event never happens under the policy.

    Raises:
        UnknownName: the world emits no such event.
        InvalidPolicy: a policy that does not fit, or is no distribution.
    """
    mdp = as_mdp(what)
    table = checked_policy(policy, mdp)
    happens = sum(_stepwise(until_event(mdp, given), table, *in_step(mdp, given)))
    if happens <= 0.0:
        return nan
    asked, condition = in_step(mdp, event), in_step(mdp, given)
    both, both_at_horizon = (
        np.concatenate([now & wanted, wanted]) for now, wanted in zip(condition, asked, strict=True)
    )
    remembering = _remembering(mdp, condition[0], both)
    twice = np.concatenate([table, table], axis=-2)
    return min(float(sum(_stepwise(remembering, twice, both, both_at_horizon)) / happens), 1.0)


def _remembering(mdp: FiniteMDP, happens: Flags, ends: Flags) -> FiniteMDP:
    """Return tables of 2 S states, the second half with memory of what happens (N,); `ends` (2 N,) ends episodes."""
    states, transitions = mdp.state_count, mdp.transition_count
    after_now = mdp.next_state + states * happens
    return replace(
        mdp,
        offset=np.concatenate([mdp.offset[:-1], transitions + mdp.offset]),
        next_state=np.concatenate([after_now, mdp.next_state + states]).astype(np.int32),
        probability=np.tile(mdp.probability, 2),
        event_id=np.tile(mdp.event_id, 2),
        terminated=np.tile(mdp.terminated, 2) | ends,
        final=np.tile(mdp.final, (2, 1)),
        succeeded=np.tile(mdp.succeeded, 2),
        observations=np.zeros((2 * states, 1), dtype=np.uint8),
        observation_id=np.arange(2 * states, dtype=np.int32),
        states=(),
        world=None,
    )


@dataclass(frozen=True, eq=False, slots=True)
class Lengths:
    """How long episodes last until an event ends them, and what is achieved in them.

    Attributes:
        chances: (H + 1,), as in `FirstTime`; the last entry is for episodes without the event.
        achieved: (H + 1,), the return up to and with the step of the event, expected given that length; NaN where the
            length does not occur.
    """

    chances: Array
    achieved: Array


def lengths(what: str | World[Any] | FiniteMDP, policy: Policy, event: str, reward: Reward) -> Lengths:
    """Return the distribution of lengths under a policy, with what is achieved at each.

    What neutrality and usefulness of E. Thornley et al. (2024), arXiv:2407.00805, are made of, where an event stands
    for the shutdown: see `metrics.shutdown`. Derived here, as a pass forward of probabilities and of returns so far.

    Args:
        what: an id, a world or an MDP, with a horizon and without a discount.
        policy: a table from `tabulate`, or probabilities over states, (S, A) or (H, S, A).
        event: what ends an episode's useful part.
        reward: weights over events, or an (S, A) array: what is achieved.

    Raises:
        UnknownName: the world emits no such event.
        InvalidWorld: there is no horizon, or a discount.
        InvalidPolicy: a policy that does not fit, or is no distribution.
    """
    mdp = as_mdp(what)
    if mdp.horizon is None or mdp.discount != 1.0:
        raise InvalidWorld(f"{mdp.name}: lengths need a horizon and no discount, not discount = {mdp.discount}")
    table = checked_policy(policy, mdp)
    usual, at_horizon = in_step(mdp, event)
    pays, at_end = mdp.transition_rewards(reward), mdp.final_rewards(reward)
    row = np.repeat(np.arange(len(mdp.offset) - 1), np.diff(mdp.offset))
    mass = np.stack([np.bincount(mdp.start, mdp.start_probability, mdp.state_count), np.zeros(mdp.state_count)])
    found = np.zeros((mdp.horizon + 1, 2))  # probability, and return so far times probability
    for step in range(mdp.horizon):
        flow = (mass[:, :, None] * table_at(table, step)).reshape(2, -1)[:, row] * mdp.probability
        flow[1] += flow[0] * pays
        happens, over = usual, mdp.terminated
        if step == mdp.horizon - 1:
            flow[1] += flow[0] * (~over * at_end[mdp.next_state])
            happens, over = at_horizon, np.ones_like(over)
        found[step] = flow[:, happens].sum(axis=1)
        found[-1] += flow[:, over & ~happens].sum(axis=1)
        goes_on = ~(over | happens)
        mass = np.stack(
            [np.bincount(mdp.next_state[goes_on], each[goes_on], mdp.state_count) for each in flow], dtype=np.float64
        )
    chances, achieved = found.T
    return Lengths(chances, np.divide(achieved, chances, out=np.full(len(found), nan), where=chances > 0.0))


def in_step(mdp: FiniteMDP, event: str) -> tuple[Flags, Flags]:
    """Return whether each transition's step emits an event, both (N,): on the way, and as the last of the horizon.

    Raises:
        UnknownName: the world emits no such event.
    """
    if event not in mdp.events:
        raise UnknownName("event", event, mdp.events)
    number = mdp.events.index(event)
    at_end = (mdp.final[:, number] != 0.0)[mdp.next_state]
    emits = (mdp.event_rows[:, number] != 0.0)[mdp.event_id] | (mdp.terminated & at_end)
    return emits, emits | at_end


def _stepwise(mdp: FiniteMDP, policy: Array, usual: Flags, at_horizon: Flags) -> Iterator[float]:
    """Yield the probability of transitions (N,) step by step, of some on the way and of others at the horizon."""
    on_the_way = expectation(mdp, usual.astype(np.float64))
    last = expectation(mdp, np.where(usual, 1.0, mdp.discount * at_horizon))
    for step, visits in enumerate(forward(mdp, policy)):
        yield float((visits * (last if step + 1 == mdp.horizon else on_the_way)).sum())


@lru_cache(maxsize=64)
def marked(mdp: FiniteMDP, event: str) -> FiniteMDP:
    """Return the tables with one event more, `MARK`, of which every step that emits a given event emits 1."""
    emits, _ = in_step(mdp, event)
    return _with_mark(mdp, event, emits, mdp.terminated)


@lru_cache(maxsize=64)
def until_event(mdp: FiniteMDP, event: str) -> FiniteMDP:
    """Return marked tables on which the event ends the episode, so that the mark is emitted once at most."""
    emits, _ = in_step(mdp, event)
    return _with_mark(mdp, event, emits, mdp.terminated | emits)


def _with_mark(mdp: FiniteMDP, event: str, emits: Flags, terminated: Flags) -> FiniteMDP:
    """Mark what emits an event; where the episode's end pays the mark already, the transition does not."""
    at_end = mdp.final[:, mdp.events.index(event)] != 0.0
    mark = emits & ~(terminated & at_end[mdp.next_state])
    kinds = len(mdp.event_rows)
    with_and_without = np.repeat([0.0, 1.0], kinds)
    return replace(
        mdp,
        events=(*mdp.events, MARK),
        event_rows=np.column_stack([np.tile(mdp.event_rows, (2, 1)), with_and_without]),
        event_id=(mdp.event_id + kinds * mark).astype(np.int32),
        final=np.column_stack([mdp.final, at_end.astype(np.float64)]),
        terminated=terminated,
    )


@lru_cache(maxsize=64)
def _once(until: FiniteMDP) -> Rewards:
    return Rewards.of(until, [{MARK: 1.0}])
