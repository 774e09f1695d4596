"""Reward geometry: how far apart two rewards are, once all that no policy can tell apart is taken out of them.

Three canonical forms are compared, each by sin(angle / 2), half the distance of two unit vectors, in [0, 1]:

- projected: the smallest equivalent reward, in L2; see `projection`. STARC's minimal form (J. Skalse et al., STARC
  (2023), arXiv:2309.15257).
- levelled: the advantages under uniform play, by dynamic programming. STARC with value-adjusted levelling; that
  levelled rewards of state and action are advantages is derived here.
- EPIC's (A. Gleave et al., Quantifying Differences in Reward Functions (2020), arXiv:2006.13900), which knows
  nothing of the dynamics: transitions that never happen count as much as all others.

Over a horizon, entries are reachable triples of step, state and action; without one, pairs. Where the agent does not
see everything, they are of its beliefs.
"""

from dataclasses import dataclass
from math import cos, isnan, nan, sin
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignment_gym.core import InvalidWorld, World
from alignment_gym.engine.belief import knowing
from alignment_gym.engine.mdp import FiniteMDP, as_mdp
from alignment_gym.exact.afterstates import afterstates
from alignment_gym.exact.polytope import MAX_COLUMNS
from alignment_gym.exact.projection import angle_between, projected
from alignment_gym.exact.values import Array, Backup, Rewards, both_rewards, sweeps
from alignment_gym.metrics.scores import NEGLIGIBLE

STRAIGHT = 0.999999  # a cosine nearer to 1 is measured again, without cancellation
TRIVIAL = ("proxy reward trivial", "true reward trivial")


@dataclass(frozen=True, slots=True)
class Geometry:
    """How the proxy lies to the true reward; distances are in [0, 1], NaN where undefined.

    Attributes:
        angle: of the projected rewards, in radians.
        cosine: of the angle.
        angle_error: by how much rounding and early stopping can have moved the angle, in radians.
        verdict: over all policies: `trivial` where one reward pays all alike, `equivalent` where both order them
            alike, `reversed` where they order them the other way round, else `hackable`. A reversed pair is hackable.
        starc_minimal: distance of the projected rewards.
        starc_val: distance of the levelled rewards.
        epic: EPIC distance, blind to the dynamics.
        columns, iterations: the size of the projections' system, and the steps taken to solve it.
        reasons: why a quantity is NaN, by its name.
    """

    angle: float
    cosine: float
    angle_error: float
    verdict: str
    starc_minimal: float
    starc_val: float
    epic: float
    columns: int
    iterations: int
    reasons: dict[str, str]


def geometry(what: str | World[Any] | FiniteMDP, *, limit: int = MAX_COLUMNS, **dials: Any) -> Geometry:
    """Return how the proxy lies to the true reward: by all three canonical forms, and for all policies.

    Hackable, equivalent and trivial are those of J. Skalse et al., Defining and Characterizing Reward Hacking (2022),
    arXiv:2209.13085, over all policies, stochastic ones included. That angles decide is derived here.

    Args:
        what: an id, a world or an MDP.
        limit: columns at most.
        **dials: level and dials, where an id is given.

    Raises:
        TooLargeToEnumerate: more columns than `limit`; `starc_val` and `epic` have no such limit.
    """
    mdp = as_mdp(what, **dials)
    found = projected(mdp, limit=limit)
    reasons = {}
    if any(found.trivial):
        reasons = dict.fromkeys(("angle", "cosine", "angle_error", "starc_minimal"), TRIVIAL[found.trivial.index(True)])
    levelled, blind = starc_val(mdp), epic(mdp)
    if isnan(levelled):
        reasons["starc_val"] = reasons.get("angle", "a reward is trivial")
    if isnan(blind):
        reasons["epic"] = "a canonical reward is constant"
    return Geometry(
        angle=found.angle,
        cosine=cos(found.angle),
        angle_error=found.angle_error,
        verdict=found.verdict,
        starc_minimal=sin(found.angle / 2.0),
        starc_val=levelled,
        epic=blind,
        columns=found.rewards.shape[1],
        iterations=found.iterations,
        reasons=reasons,
    )


def starc_val(what: str | World[Any] | FiniteMDP, **dials: Any) -> float:
    """Return the STARC distance of both rewards by value-adjusted levelling, in [0, 1].

    Half the L2 distance of the two fields of advantages under uniform play, each of length 1, over what can be
    reached. One backward pass, a second one where they are nearly in line. NaN where a reward is trivial.

    Args:
        what: an id, a world or an MDP.
        **dials: level and dials, where an id is given.
    """
    mdp = as_mdp(what, **dials)
    mdp = knowing(mdp)
    rewards, reached = both_rewards(mdp), _reached(mdp)
    products, values = _levelled(mdp, rewards, reached)
    norm = np.sqrt(products.diagonal())
    if (norm <= NEGLIGIBLE * values).any():
        return nan
    cosine = products[0, 1] / norm.prod()
    if abs(cosine) <= STRAIGHT:
        return float(np.sqrt((1.0 - cosine) / 2.0))
    both_ways = rewards.mixed(np.array([[1.0, 1.0], [-1.0, 1.0]]) / norm[:, None])
    apart, together = np.sqrt(_levelled(mdp, both_ways, reached)[0].diagonal())
    return float(apart / np.hypot(apart, together))


def _levelled(mdp: FiniteMDP, rewards: Rewards, reached: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return the inner products (R, R) of advantages under uniform play, and the lengths (R,) of the values.

    Sums over steps are taken on the way back, so that no more than one step's advantages are held.
    """
    backup = Backup(mdp, rewards)
    count, actions = rewards.final.shape[1], len(mdp.actions)
    products, squares = np.zeros((2, count, count))
    for to_go in sweeps(backup):
        if mdp.horizon is None:
            products[:], squares[:] = 0.0, 0.0
        visible = reached[-to_go if mdp.horizon is not None else 0].astype(np.float64).repeat(count).reshape(-1, count)
        quality = backup.quality()
        quality.mean(axis=0, out=backup.values)
        squares += actions * _products(backup.values * visible)
        quality -= backup.values
        quality *= visible
        products += _products(quality)
    return products, np.sqrt(squares.diagonal())


def _products(field: Array) -> Array:
    """Return the inner products (R, R) of R fields, (..., R)."""
    flat = field.reshape(-1, field.shape[-1])
    return np.asarray(flat.T @ flat)


def _reached(mdp: FiniteMDP) -> NDArray[np.bool_]:
    """Return which states can be reached at each step, (H, S); without a horizon, at any, (1, S)."""
    ahead = afterstates(mdp)
    shape = (len(mdp.actions), mdp.state_count)
    reached = np.zeros((mdp.horizon or 1, mdp.state_count), dtype=np.bool_)
    now = np.zeros(mdp.state_count, dtype=np.bool_)
    now[mdp.start] = True
    for step in range(mdp.horizon or mdp.state_count):
        reached[step if mdp.horizon is not None else 0] = now
        after = ahead.onward(np.broadcast_to(now, shape)) > 0.0
        if mdp.horizon is None:
            after |= now
        if (after == now).all():
            reached[step:] = now
            break
        now = after
    return reached


def epic(what: str | World[Any] | FiniteMDP, **dials: Any) -> float:
    """Return the EPIC distance of both rewards r(s, a), expected over next states, in [0, 1].

    Tables hold no transitions that never happen, so the rewards are taken for functions of state and action, the
    same for every next state: all that the dynamics contribute. Shaping by next states is therefore not taken out;
    `epic_distance` does that, where whole arrays are given. What the horizon pays does not count.
    NaN where a canonical reward is constant.

    Args:
        what: an id, a world or an MDP.
        **dials: level and dials, where an id is given.
    """
    mdp = as_mdp(what, **dials)
    proxy, true = both_rewards(mdp).expected.T  # (2, S, A)
    return epic_distance(proxy, true, mdp.discount)


def epic_distance(first: ArrayLike, second: ArrayLike, discount: float) -> float:
    """Return the EPIC distance of two rewards under uniform coverage, in [0, 1].

    sqrt((1 - rho) / 2), with the Pearson correlation rho of R(s, a, s') + discount m(s') - m(s) - discount mean(m),
    where m(s) is the mean reward of a state's actions and next states (A. Gleave et al. 2020, arXiv:2006.13900).
    0 for rewards that differ by shaping and a positive factor, 1 for opposite ones. NaN where a canonical reward is
    constant.

    Args:
        first: (S, A, S), or (S, A) where next states make no difference: then no larger array is built.
        second: of either shape.
        discount: of the MDP; 1 serves for a horizon.

    Raises:
        InvalidWorld: arrays of other shapes, or of different numbers of states and actions, or a discount that does not
            lie above 0 and at most at 1.
    """
    if not 0.0 < discount <= 1.0:
        raise InvalidWorld(f"a discount lies above 0 and is at most 1, not {discount}")
    one, other = _table(first), _table(second)
    if one.shape[:2] != other.shape[:2]:
        raise InvalidWorld(f"rewards of one MDP have the same states and actions, not {one.shape} and {other.shape}")
    canonical = []
    for table in (one, other):
        whole = one.ndim != other.ndim and table.ndim == 2
        given = np.broadcast_to(table[:, :, None], (*table.shape, len(table))) if whole else table
        form = epic_canonical(given, discount)
        if np.linalg.norm(form) <= NEGLIGIBLE * np.linalg.norm(given):
            return nan
        canonical.append(form)
    return sin(angle_between(*canonical) / 2.0)


def _table(reward: ArrayLike) -> Array:
    table = np.asarray(reward, dtype=np.float64)
    if table.ndim not in (2, 3) or 0 in table.shape or (table.ndim == 3 and table.shape[2] != table.shape[0]):
        raise InvalidWorld(f"a reward has the shape (S, A), or (S, A, S) with next states, not {table.shape}")
    return table


def epic_canonical(reward: Array, discount: float) -> Array:
    """Return EPIC's canonical form, centred, as a vector whose inner products are those of the whole array.

    Of a reward (S, A), the canonical form is a function of state and action plus one of the next state, both centred:
    under uniform coverage they are orthogonal, and the second appears A times as often as the first.
    """
    states, actions = reward.shape[:2]
    mean = reward.reshape(states, -1).mean(axis=1)
    ahead = discount * (mean - mean.mean())
    if reward.ndim == 3:
        return np.asarray(reward - mean[:, None, None] + ahead).ravel()
    level = (reward - mean[:, None]).ravel()
    return np.concatenate([level, ahead * np.sqrt(actions)])
