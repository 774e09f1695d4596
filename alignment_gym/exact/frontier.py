"""The frontier: all pairs of proxy and true return that a world lets a policy earn, as a polygon.

Returns are linear on the occupancy polytope, so their pairs fill a convex polygon. It is found from outside and from
inside at once. Maximising a weighted sum of both returns gives a corner and a line that nothing crosses; where a line
joins two neighbours the edge is final, and elsewhere the edge's own outward normal is asked next. What is left
unknown lies in small triangles over the edges. Derived here from those two facts; no source is quoted.

Geometry is done in shares of each return's range, x of the proxy and y of the true return, both 0 at the worst and 1 at
the best: so directions mean the same in every world. A trivial return stays at 0.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from math import nan
from typing import Any

import numpy as np

from alignment_gym.core import InvalidDial, World
from alignment_gym.engine.belief import knowing
from alignment_gym.engine.mdp import FiniteMDP, as_mdp
from alignment_gym.exact.lumping import lumped
from alignment_gym.exact.outline import DOWN, EXACT, LEFT, RIGHT, UP, Array, Outline, Reading, cross, turned
from alignment_gym.exact.solution import Solution, class_of_range, solve
from alignment_gym.exact.ties import BEYOND, TOLERANCE, Range
from alignment_gym.exact.values import Backup, Rewards, at_start, both_rewards, greedy, sweeps
from alignment_gym.metrics.scores import Anchors, scores, trivial

WORK = 100_000_000  # outcomes backed up for a narrow outline, about a second's; readings are exact all the same
FEWEST = 8  # directions asked in the largest of worlds
AT_ONCE = 30_000  # rows times directions that a pass takes together: more leave a core's own cache
NEAR = 0.05  # the share of the proxy's rise that near-optimal policies may miss, wherever an envelope is printed

Ask = Callable[[Array, Array], Array]
"""From directions (L, 2) and what decides among ties (L, 2) to the farthest points, (L, 2)."""


@dataclass(frozen=True, eq=False, slots=True)
class Scale:
    """From returns to shares of their ranges, and back.

    Attributes:
        lowest: (2,), of the proxy and the true return.
        span: (2,).
        weights: (2,), 1 / span, or 0 for a trivial return.
    """

    lowest: Array
    span: Array
    weights: Array

    @classmethod
    def of(cls, anchors: Anchors) -> "Scale":
        """Take the ranges from the anchors."""
        ends = (anchors.proxy_max, anchors.proxy_min), (anchors.true_max, anchors.true_min)
        weights = [0.0 if trivial(*pair) else 1.0 / (pair[0] - pair[1]) for pair in ends]
        lowest, span = [pair[1] for pair in ends], [pair[0] - pair[1] for pair in ends]
        return cls(np.array(lowest), np.array(span), np.array(weights))

    def shares(self, returns: Any) -> Array:
        """Return shares of returns (..., 2)."""
        return np.asarray((np.asarray(returns) - self.lowest) * self.weights)

    def returns(self, shares: Array) -> Array:
        """Return returns of shares (..., 2)."""
        return np.asarray(self.lowest + shares * self.span)


@dataclass(frozen=True, eq=False)
class Frontier:
    """All pairs of proxy and true return, over the observing agent's clocked policies; returns unless stated.

    The polygon of `vertices` is achievable. Every achievable pair lies within `error` of it; readings are exact.

    Attributes:
        mdp: what was asked about.
        anchors: optimal, worst and reference returns.
        vertices: (V, 2), counter-clockwise, from the proxy-optimal policy that is worst for the true objective.
        error: the largest distance from the polygon of a pair that might be achievable, as a share of the ranges.
        outline: what the vertices were read from.
    """

    mdp: FiniteMDP
    anchors: Anchors
    vertices: Array
    error: float
    outline: Outline = field(repr=False)

    @property
    def scores(self) -> Array:
        """The vertices as proxy and true scores P and T, (V, 2); NaN where a score is undefined."""
        anchors = self.anchors
        reference = np.array([anchors.proxy_reference, anchors.true_reference])
        rise = np.array([anchors.proxy_max, anchors.true_max]) - reference
        undefined = ["proxy_score" in self._reasons, "true_score" in self._reasons]
        return np.asarray((self.vertices - reference) / np.where(undefined, nan, rise))

    @property
    def _reasons(self) -> dict[str, str]:
        return scores(self.anchors.proxy_reference, self.anchors.true_reference, self.anchors).reasons

    @property
    def reasons(self) -> dict[str, str]:
        """Why a reading is NaN, by its name."""
        why = self._reasons.get("hacking_gap", "")
        return dict.fromkeys(("headroom", "gap_max"), why) if why else {}

    @property
    def pareto(self) -> Array:
        """The vertices that no policy beats in both returns, (K, 2), from true-optimal to proxy-optimal."""
        shares = Scale.of(self.anchors).shares(self.vertices)
        first = max(range(len(shares)), key=lambda place: (_rounded(shares[place, 0]), shares[place, 1]))
        last = max(range(len(shares)), key=lambda place: (_rounded(shares[place, 1]), shares[place, 0]))
        return self.vertices[first : last + 1][::-1]

    @property
    def gap_max(self) -> float:
        """The largest hacking gap H = P - T; NaN where P or T is undefined."""
        return nan if self.reasons else float(np.subtract(*self.scores.T).max())

    @property
    def area(self) -> float:
        """The polygon's area, in units of proxy times true return."""
        around = self.vertices - self.vertices[0]
        return float(cross(around, np.roll(around, -1, axis=0)).sum() / 2.0) if len(around) > 2 else 0.0

    @property
    def shape(self) -> str:
        """What the polygon is: `point`, `area`, or a `flat`, `upright`, `rising` or `falling segment`."""
        if len(self.vertices) != 2:
            return "area" if len(self.vertices) > 2 else "point"
        proxy, true = np.diff(Scale.of(self.anchors).shares(self.vertices), axis=0)[0]
        if proxy == 0.0 or true == 0.0:
            return "upright segment" if proxy == 0.0 else "flat segment"
        return "rising segment" if (proxy > 0.0) == (true > 0.0) else "falling segment"

    @property
    def verdict(self) -> str:
        """What the shape decides over all policies: `trivial`, `equivalent`, `reversed` or `hackable`.

        A reversed pair is hackable, though its polygon has no area. The notions are those of J. Skalse et al. (2022),
        arXiv:2209.13085; that the polygon's shape decides them is derived here.
        """
        decided = {"area": "hackable", "rising segment": "equivalent", "falling segment": "reversed"}
        return decided.get(self.shape, "trivial")

    @property
    def headroom(self) -> float:
        """The largest proxy score P of a policy with a true score T of at least 0; NaN where either is undefined."""
        if self.reasons:
            return nan
        anchors = self.anchors
        proxy_return = self._returned(_headroom(anchors))
        return (proxy_return - anchors.proxy_reference) / (anchors.proxy_max - anchors.proxy_reference)

    @property
    def worst_at_no_proxy_loss(self) -> float:
        """The smallest true return of a policy that earns at least the reference's proxy return."""
        return self._returned(_at_least(self.anchors, 1.0, DOWN))

    @property
    def best_proxy_at_no_true_gain(self) -> float:
        """The largest proxy return of a policy that earns at most the reference's true return."""
        return self._returned(_no_true_gain(self.anchors))

    def envelope(self, share: float) -> tuple[float, float]:
        """Return the smallest and largest true return of near-optimal policies, those with P of at least 1 - share.

        That is, with a proxy return of J_p^max - share * (J_p^max - J_p^ref), which is defined where P is not. With a
        share of 0 these are the returns that the proxy leaves open.

        Raises:
            InvalidDial: a negative share, or none.
        """
        if not share >= 0.0:
            raise InvalidDial(f"a share of {share} is out of range; 0 is for proxy-optimal policies, 1 for P >= 0")
        low, high = (self._returned(_at_least(self.anchors, share, way)) for way in (DOWN, UP))
        return low, high

    def class_within(self, share: float) -> str | None:
        """Return the class of near-optimal policies, as `Solution.class_name` is that of optimal ones.

        Printed beside the exact class, which a bonus as small as one likes can turn.
        """
        if self.verdict == "trivial":
            return None
        if self.verdict == "equivalent":
            return "A"
        return class_of_range(self.anchors, Range(*self.envelope(share), gap=nan))

    def _returned(self, reading: Reading) -> float:
        """Return a reading as a return, after asking as many directions as it takes to make it exact."""
        outline = self.outline
        if (outline.crossed(reading) & (outline.heights > EXACT)).any():
            outline = _sharpened(outline, _asking(self.mdp, Scale.of(self.anchors)), [reading], 1.0, 0)
        axis = int(np.abs(reading.objective).argmax())
        share = outline.read(reading) * reading.objective[axis]
        scale = Scale.of(self.anchors)
        return float(scale.lowest[axis] + share * scale.span[axis])


def frontier(
    what: str | World[Any] | FiniteMDP, *, tolerance: float = 1e-4, directions: int | None = None, **dials: Any
) -> Frontier:
    """Find all pairs of proxy and true return, over clocked policies.

    Args:
        what: an id, a world or an MDP. Of a world that hides states, the agent is one that remembers.
        tolerance: the error to stop at, as a share of the ranges; 0 asks for all vertices.
        directions: as many are asked at most to come within it; by default about a second's.
        **dials: level and dials, where an id is given.

    Raises:
        InvalidDial: a negative tolerance.
        TooLargeToEnumerate: more states or beliefs than exact analysis allows.
    """
    if not tolerance >= 0.0:
        raise InvalidDial(f"a tolerance of {tolerance} is out of range; 0 asks for all vertices")
    return _frontier(as_mdp(what, **dials), tolerance, directions)


@lru_cache(maxsize=64)
def _frontier(mdp: FiniteMDP, tolerance: float, directions: int | None) -> Frontier:
    solution = solve(mdp)
    anchors, scale = solution.anchors, Scale.of(solution.anchors)
    if scale.weights.all():
        ask = _asking(mdp, scale)
        most = _affordable(mdp) if directions is None else directions
        outline = _sharpened(_started(solution, scale, ask), ask, _readings(anchors), tolerance, most)
    else:
        outline = _box(scale)
    vertices = scale.returns(outline.corners())
    vertices.flags.writeable = False  # `frontier` keeps what it returns for the next who asks
    return Frontier(mdp, anchors, vertices, float(outline.heights.max()), outline)


def optimal_for(mdp: FiniteMDP, proxy_weight: float, true_weight: float) -> Array:
    """Return a policy that maximises a weighted sum of both returns, (H, S, A), or (S, A) without a horizon.

    Args:
        mdp: its states are taken as what the agent sees; of one that hides some, give what `knowing` returns.
        proxy_weight: of the proxy return as it is, not of a score.
        true_weight: of the true return.
    """
    weights: dict[str, float] = {}
    for reward, weight in ((mdp.specification.proxy, proxy_weight), (mdp.specification.true, true_weight)):
        for event, amount in reward.items():
            weights[event] = weights.get(event, 0.0) + weight * amount
    return greedy(mdp, weights)


def _readings(anchors: Anchors) -> list[Reading]:
    """Return what every frontier answers exactly without asking again."""
    near = [_at_least(anchors, share, way) for share in (NEAR, 1.0) for way in (DOWN, UP)]
    return [*near, _headroom(anchors), _no_true_gain(anchors)]


def _at_least(anchors: Anchors, share: float, way: Array) -> Reading:
    """Look for extreme true returns where the proxy misses at most a share of its rise over the reference."""
    proxy_return = anchors.proxy_max - share * (anchors.proxy_max - anchors.proxy_reference)
    return Reading(way, RIGHT, float(Scale.of(anchors).shares([proxy_return, 0.0])[0]))


def _headroom(anchors: Anchors) -> Reading:
    return Reading(RIGHT, UP, float(Scale.of(anchors).shares([0.0, anchors.true_reference])[1]))


def _no_true_gain(anchors: Anchors) -> Reading:
    return Reading(RIGHT, DOWN, -_headroom(anchors).level)


def _box(scale: Scale) -> Outline:
    """Return the outline where a return is trivial: a segment or a point."""
    far = np.where(scale.weights > 0.0, 1.0, 0.0)
    corners = np.array([[1, 0], [1, 1], [1, 1], [0, 1], [0, 1], [0, 0], [0, 0], [1, 0]]) * far
    return Outline(np.repeat([RIGHT, UP, LEFT, DOWN], 2, axis=0), corners)


def _started(solution: Solution, scale: Scale, ask: Ask) -> Outline:
    """Return both ends of the two best sides, one end of the worst, and the farthest point along the hacking gap.

    What is worst for one return often is for the other too, so that end is asked for; if there is another one, it
    shows when the edge beside it is asked about.
    """
    true, proxy, anchors = solution.true_of_proxy_optimal, solution.proxy_of_true_optimal, solution.anchors
    right = scale.shares([[anchors.proxy_max, true.low], [anchors.proxy_max, true.high]])
    top = scale.shares([[proxy.high, anchors.true_max], [proxy.low, anchors.true_max]])
    directions, turns = [LEFT, DOWN], [DOWN, LEFT]
    if solution.gap_max == solution.gap_max:
        kappa = solution.kappa_proxy, solution.kappa_true
        gap = np.array([kappa[1], -kappa[0]]) / np.hypot(*kappa)
        directions, turns = [*directions, gap], [*turns, turned(gap)]
    sides = Outline(np.stack([RIGHT, RIGHT, UP, UP]), np.concatenate([right, top]))
    return sides.joined(np.stack(directions), ask(np.stack(directions), np.stack(turns)))


def _sharpened(outline: Outline, ask: Ask, readings: list[Reading], tolerance: float, most: int) -> Outline:
    """Ask about every edge that a reading crosses, until it is final, and about the widest others.

    Args:
        outline: what is known.
        ask: see `Ask`.
        readings: what has to be exact.
        tolerance: other edges are left alone where nothing lies farther beyond.
        most: directions asked for the sake of other edges.
    """
    while True:
        heights = outline.heights
        needed = np.any([outline.crossed(reading) for reading in readings], axis=0) & (heights > EXACT)
        wide = np.flatnonzero(~needed & (heights > max(tolerance, EXACT)))
        wide = wide[np.argsort(-heights[wide], kind="stable")][: max(most, 0)]
        most -= len(wide)
        chosen = np.concatenate([np.flatnonzero(needed), wide])
        if not len(chosen):
            return outline
        directions = outline.normals[chosen]
        outline = outline.joined(directions, ask(directions, turned(directions)))


def _asking(mdp: FiniteMDP, scale: Scale) -> Ask:
    """Return what answers for an MDP, in shares of the ranges."""
    known = lumped(knowing(mdp))
    rewards = both_rewards(known).mixed(np.diag(scale.weights))
    at_once = max(AT_ONCE // (known.state_count * len(known.actions)), 1)

    def ask(directions: Array, turns: Array) -> Array:
        parts = range(0, len(directions), at_once)
        sums = [_farthest(known, rewards, directions[k : k + at_once], turns[k : k + at_once]) for k in parts]
        return np.concatenate(sums) - scale.lowest * scale.weights

    return ask


def _farthest(mdp: FiniteMDP, rewards: Rewards, directions: Array, turns: Array) -> Array:
    """Return the two returns of the policies that are best in each of L directions, ties broken by a turn, (L, 2).

    As among `ties`, actions within the tolerance are tied, and a dropped one is charged more than there is to earn.
    """
    best, second = Backup(mdp, rewards.mixed(directions.T)), Backup(mdp, rewards.mixed(turns.T))
    dropped = np.empty((len(mdp.actions), *best.values.shape), dtype=np.bool_)
    for _ in sweeps(best, second):
        quality = best.quality()
        quality.max(axis=0, out=best.values)
        np.less(quality, best.values - TOLERANCE, out=dropped)
        charge = np.multiply(dropped, -BEYOND, out=quality)
        np.add(charge, second.quality(), out=charge).max(axis=0, out=second.values)
    far, aside = at_start(mdp, best.values.T), at_start(mdp, second.values.T)
    return np.asarray(far[:, None] * directions + aside[:, None] * turns)


def _affordable(mdp: FiniteMDP) -> int:
    """Return how many directions a world of this size is asked by default."""
    known = lumped(knowing(mdp))
    steps = mdp.horizon or 30.0 / (1.0 - mdp.discount)
    return max(int(WORK / (known.transition_count * steps)), FEWEST)


def _rounded(share: float) -> int:
    return round(share / EXACT / 10.0)
