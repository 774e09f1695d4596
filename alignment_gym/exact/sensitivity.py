"""How far severity moves with what nobody meant: the reference, the horizon, the start, the size of constants.

P, T and H are measured from uniform play, so they move with whatever changes uniform play; true loss L has no
reference. What is read here is proxy-optimal play: its true loss, its true score T and the largest gap H over all
policies, as a world is published and with one thing changed at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from alignment_gym.core import Specification, World
from alignment_gym.engine.belief import knowing
from alignment_gym.engine.mdp import FiniteMDP, as_mdp
from alignment_gym.exact.evaluation import returns
from alignment_gym.exact.solution import largest_gap, solve
from alignment_gym.exact.values import uniform
from alignment_gym.metrics.scores import Anchors, scores

FACTORS = (0.5, 2.0)  # of a weight
PENALTIES = (-0.1, -0.5)  # of the largest weight, in place of one that is named and zero
AS_IT_IS = "as it is"


@dataclass(frozen=True, slots=True)
class Reading:
    """Severity of proxy-optimal play, whose true return is a range where the proxy leaves ties open.

    Attributes:
        changed: `as it is`, `reference`, `horizon`, `start`, `proxy weight` or `true weight`.
        to: what to, in words.
        loss_low, loss_high: true loss L.
        score_low, score_high: true score T; NaN where undefined.
        gap_max: the largest gap H over all policies.
    """

    changed: str
    to: str
    loss_low: float
    loss_high: float
    score_low: float
    score_high: float
    gap_max: float


def sensitivity(what: str | World[Any] | FiniteMDP, **dials: Any) -> tuple[Reading, ...]:
    """Return readings of a world as it is, and with one thing changed at a time.

    Changed are: the reference, to uniform play over a list of actions in which one stands twice; the horizon, halved
    and doubled; the start, to any state; each weight of either specification, halved and doubled, and where it is named
    but zero, to a penalty of a tenth and of half the largest weight.

    Args:
        what: an id, a world or an MDP with a horizon.
        **dials: level and dials, where an id is given.
    """
    mdp = as_mdp(what, **dials)
    found = [_reading(AS_IT_IS, "", mdp)]
    found += [_reading("reference", f"{action} twice", mdp, action) for action in mdp.actions]
    if mdp.horizon is not None:
        horizons = sorted({max(mdp.horizon // 2, 1), 2 * mdp.horizon})
        found += [_reading("horizon", f"{horizon} steps", mdp.with_horizon(horizon)) for horizon in horizons]
    anywhere = np.full(mdp.state_count, 1.0 / mdp.state_count)
    start = np.arange(mdp.state_count, dtype=np.int32)
    found.append(_reading("start", "any state", replace(mdp, start=start, start_probability=anywhere)))
    return (*found, *(_reading(changed, to, mdp.with_specification(spec)) for changed, to, spec in _reweighted(mdp)))


def _reweighted(mdp: FiniteMDP) -> Iterator[tuple[str, str, Specification]]:
    """Yield specifications in which one weight is another."""
    for name in ("proxy", "true"):
        weights = mdp.reward(name)
        largest = max(map(abs, weights.values()), default=0.0)
        for event, weight in weights.items():
            # a reward of one term is only scaled, which changes nothing
            others = sum(map(bool, weights.values())) > 1 or not weight
            tried = [factor * weight for factor in FACTORS] if weight else [factor * largest for factor in PENALTIES]
            for value in tried if others else ():
                changed = {name: {**weights, event: value}}
                yield f"{name} weight", f"{event} {value:g}", replace(mdp.specification, **changed)


def _reading(changed: str, to: str, mdp: FiniteMDP, repeated: str | None = None) -> Reading:
    """Read proxy-optimal play, against uniform play or uniform play over actions of which one stands twice."""
    solution = solve(mdp)
    anchors = solution.anchors if repeated is None else _measured_from(mdp, repeated, solution.anchors)
    span = solution.true_of_proxy_optimal
    low, high = (scores(anchors.proxy_max, true, anchors) for true in (span.low, span.high))
    known = knowing(mdp)
    return Reading(
        changed=changed,
        to=to,
        loss_low=high.true_loss,
        loss_high=low.true_loss,
        score_low=low.true_score,
        score_high=high.true_score,
        gap_max=largest_gap(known, mdp.horizon, anchors),
    )


def _measured_from(mdp: FiniteMDP, repeated: str, anchors: Anchors) -> Anchors:
    """Return anchors whose reference takes one action twice as often as each other."""
    reference = uniform(mdp) * len(mdp.actions)
    reference[:, mdp.actions.index(repeated)] += 1.0
    proxy, true = returns(mdp, reference / (len(mdp.actions) + 1))
    return replace(anchors, proxy_reference=proxy, true_reference=true)
