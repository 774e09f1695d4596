"""The Goodhart curve: what ever harder optimisation of the proxy does to the true return.

Pressure beta asks for the policy that maximises J_p / D_p - KL / beta: proxy return in units of the most that can be
gained on uniform play, less what it costs to leave uniform play, KL = E sum discount**t log(pi / uniform). Soft dynamic
programming finds it exactly, from uniform play at beta = 0 to the least committed of the optimal policies at infinity.
The path is that of maximal causal entropy (after Karwowski et al. 2024, arXiv:2310.09144, whose pressure is scaled
otherwise); recursions, limit and slopes are derived here. Along it

    d log pi / d beta = A_p / D_p,   so   d J_t / d beta = E[sum of discount**t A_p A_t] / D_p,

with A the advantages of the policy itself: slopes come with the returns, and a peak is a root.

States that no sum of rewards tells apart, whatever their actions are called, are solved once; as many betas stand side
by side as a core's cache holds; and a large world gets fewer of them, by `EFFORT`: a sparser grid, and then the peak.
"""

from dataclasses import dataclass, field
from math import ceil, inf, log, nan
from typing import Any

import numpy as np

from alignment_gym.core import World
from alignment_gym.engine.belief import knowing
from alignment_gym.engine.mdp import FiniteMDP, as_mdp
from alignment_gym.exact.afterstates import Outlook, afterstates
from alignment_gym.exact.lumping import lumped
from alignment_gym.exact.solution import solve
from alignment_gym.exact.ties import TOLERANCE
from alignment_gym.exact.values import Array, Backup, Rewards, at_start, both_rewards, sweeps
from alignment_gym.metrics.scores import NEGLIGIBLE, Anchors, scores, trivial

FIRST, LAST = -6, 12  # powers of 2: the grid's ends
FARTHEST = 24  # power of 2: beyond, KL drowns in rounding
EFFORT = 12_000_000  # betas, times sizes and steps: about a quarter of a second
BETAS = 10, 60  # the fewest and the most
TOGETHER = 1 << 16  # betas, times sizes, in one pass: half a megabyte an array
BEND = 0.01  # of the plot's height: how far the curve may leave the chord of three neighbours
SETTLED = 1e-8  # width of a peak's bracket, in log beta
FADED = 1e-17  # share of an endless episode's returns that is still to come where a pass stops


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the curve.

    Attributes:
        beta: inverse temperature, of the proxy in units of D_p.
        proxy_return, true_return: of its policy.
        proxy_score, true_score: P and T.
        kl: from uniform play, in nats.
    """

    beta: float
    proxy_return: float
    true_return: float
    proxy_score: float
    true_score: float
    kl: float


@dataclass(frozen=True, eq=False, slots=True)
class GoodhartCurve:
    """The path of maximal causal entropy, against uniform play; N points, of ascending beta.

    A finite grid may miss a hump: what it says of the peak and of the drop are lower bounds.

    Attributes:
        mdp: what the agent can know: the world's states, or its beliefs.
        anchors: returns between which scores are measured.
        beta: (N,), from 0 to infinity.
        proxy_return, true_return: (N,).
        kl: (N,), the expected discounted sum of log(pi / uniform), in nats.
        slope: (N,), d J_t / d beta; NaN at infinity.
        reason: why there is no peak and no drop; empty where there are. Scores may be NaN where these are not.
    """

    mdp: FiniteMDP
    anchors: Anchors
    beta: Array = field(repr=False)
    proxy_return: Array = field(repr=False)
    true_return: Array = field(repr=False)
    kl: Array = field(repr=False)
    slope: Array = field(repr=False)
    reason: str

    @property
    def proxy_score(self) -> Array:
        """P of each point."""
        return _scored(self.proxy_return, self.anchors.proxy_max, self.anchors.proxy_reference)

    @property
    def true_score(self) -> Array:
        """T of each point; NaN where the true reward is trivial."""
        return _scored(self.true_return, self.anchors.true_max, self.anchors.true_reference)

    @property
    def peak(self) -> Point:
        """The point of the largest true return, at infinity if nothing is lost there; NaN without a curve."""
        if self.reason:
            return Point(nan, nan, nan, nan, nan, nan)
        lost = self.true_return.max() - self.true_return
        flat = np.where(lost <= 1e-3 * NEGLIGIBLE * self.anchors.true_range, np.abs(self.slope), inf)
        place = -1 if lost[-1] <= NEGLIGIBLE * self.anchors.true_range else int(flat.argmin())
        columns = self.beta, self.proxy_return, self.true_return, self.proxy_score, self.true_score, self.kl
        return Point(*(float(column[place]) for column in columns))

    @property
    def onset(self) -> float:
        """P at the peak: how much of the proxy is gained before the true return falls."""
        return self.peak.proxy_score

    @property
    def drop(self) -> float:
        """What the true return loses from the peak to infinity, as a share of its range; never below 0.

        The normalised drop height of Karwowski et al. (2024), arXiv:2310.09144, with the sign turned, on the path of
        maximal causal entropy against uniform play; another path has another drop.
        """
        fall = self.peak.true_return - self.true_return[-1]
        return nan if self.reason else max(float(fall) / self.anchors.true_range, 0.0)

    @property
    def initial_slope(self) -> float:
        """How J_t rises with beta at 0: the advantages' inner product under uniform play's visits, over D_p.

        Its sign tells whether the lightest pressure helps. Derived here, as a policy gradient.
        """
        return float(self.slope[0])

    @property
    def raw_initial_slope(self) -> float:
        """The initial slope with the proxy in its own units: without 1 / D_p."""
        return self.initial_slope * (self.anchors.proxy_max - self.anchors.proxy_reference)

    @property
    def initial_slope_by_differences(self) -> float:
        """The initial slope from returns a little above and below beta = 0: worked out anew, as a check."""
        rise = self.anchors.proxy_max - self.anchors.proxy_reference
        if np.isnan(self.slope[0]):
            return nan
        step = 2.0**-8 * rise / self.anchors.proxy_range
        true_return = _pressed(lumped(self.mdp), np.array([-2.0, -1.0, 1.0, 2.0]) * step / rise)[1]
        return float(true_return @ [1.0, -8.0, 8.0, -1.0] / (12.0 * step))


def goodhart_curve(what: str | World[Any] | FiniteMDP, **dials: Any) -> GoodhartCurve:
    """Follow the proxy from uniform play to its optimum, exactly.

    Beta runs over 0, powers of 2 from 2**-6 to 2**12, what it takes to draw bends and to find the largest true return,
    and the limit. In larger worlds it takes every second power, or every third from 2**-4; in all it goes on to 2**24
    while the limit is far.

    Args:
        what: an id, a world or an MDP; if it hides states, policies remember.
        **dials: level and dials, where an id is given.

    Raises:
        TooLargeToEnumerate: more states or beliefs than exact analysis allows.
    """
    mdp = as_mdp(what, **dials)
    anchors = solve(mdp).anchors
    known = knowing(mdp)
    reasons = scores(anchors.proxy_reference, anchors.true_reference, anchors).reasons
    if "proxy_score" in reasons:
        start = anchors.proxy_reference, anchors.true_reference, 0.0, nan
        proxy, true, kl, slope = (np.array([each, nan]) for each in start)
        return GoodhartCurve(known, anchors, np.array([0.0, inf]), proxy, true, kl, slope, reasons["proxy_score"])
    path = _Path(lumped(known), anchors)
    path.lay_grid()
    path.fill_bends()
    reason = reasons.get("true_loss", "")  # a true reward that all policies earn alike; scores may lack more than that
    if not reason:
        path.close_in()
    proxy, true, kl, slope = np.concatenate([path.found, path.limit[:, None]], axis=1)
    return GoodhartCurve(known, anchors, np.append(path.beta, inf), proxy, true, kl, slope, reason)


def _scored(returns: Array, best: float, reference: float) -> Array:
    if trivial(best, reference):
        return np.full(len(returns), nan)
    return np.asarray((returns - reference) / (best - reference))


class _Path:
    """The finite part of the curve, while points are added to it.

    Attributes:
        beta: (N,), ascending.
        found: (4, N): proxy return, true return, KL, and the slope of the true return in beta.
        limit: (4,), the same at infinity.
    """

    def __init__(self, mdp: FiniteMDP, anchors: Anchors) -> None:
        self._mdp = mdp
        self._rise = anchors.proxy_max - anchors.proxy_reference
        self._height = anchors.true_range or 1.0
        self._room = int(np.clip(EFFORT // (_size(mdp) * _steps(mdp)), *BETAS))
        self._large = self._room < 2 * BETAS[0]
        self.beta, self.found = np.empty(0), np.empty((4, 0))
        self.limit = np.array([*_committed(mdp, TOLERANCE * anchors.proxy_range), nan])

    def add(self, beta: Array) -> None:
        """Solve for more betas."""
        self._room -= len(beta)
        found = _pressed(self._mdp, beta / self._rise)
        found[3] /= self._rise
        order = np.argsort(np.append(self.beta, beta))
        self.beta = np.append(self.beta, beta)[order]
        self.found = np.concatenate([self.found, found], axis=1)[:, order]

    def lay_grid(self) -> None:
        """Take 0 and powers of 2, in a large world few of them, and more while the limit is far."""
        if self._large:
            self.add(np.append(0.0, 2.0 ** np.arange(FIRST + 2, LAST - 3, 3)))
        else:
            self.add(np.append(0.0, 2.0 ** np.arange(FIRST, LAST + 1, 1 if self._room >= 4 * BETAS[0] else 2)))
        while self.beta[-1] < 2.0**FARTHEST and self._left() > 5 * BEND:
            self.add(np.minimum(self.beta[-1:] * 8.0, 2.0**FARTHEST))

    def _left(self) -> float:
        """Return how far the last finite point is from the limit, as drawn."""
        last = self._plotted()[:, -2:]
        return float(np.abs(last[:, 1] - last[:, 0]).max())

    def fill_bends(self) -> None:
        """Halve the intervals beside the sharpest bends, and leave room for the peak."""
        while (room := self._room - (4 if self._large else 12)) > 0:
            along, across = np.diff(self._plotted())
            chord = np.hypot(along[1:] + along[:-1], across[1:] + across[:-1])
            bend = np.abs(along[:-1] * across[1:] - along[1:] * across[:-1]) / np.maximum(chord, NEGLIGIBLE)
            worst = np.maximum(np.append(0.0, bend[:-1]), bend)  # of the intervals between finite betas
            sharp = np.argsort(-worst)[:room]
            sharp = sharp[worst[sharp] > BEND]
            if not len(sharp):
                return
            self.add(_beta_at((_place(self.beta[sharp]) + _place(self.beta[sharp + 1])) / 2.0))

    def close_in(self) -> None:
        """Add points about the highest summit, wherever a rise is followed by a fall, until it is known."""
        while self._room > 0 and len(trial := self._trial()):
            self.add(_beta_at(trial[: self._room]))

    def _trial(self) -> Array:
        """Return places about the highest summit, none if there is nothing more to learn of it."""
        place, height, width = _place(self.beta), self.found[1], np.diff(_place(self.beta))
        steep = self.found[3] * (self.beta + 2.0**FIRST)  # in terms of the place
        up, down, rise = steep[:-1] * width, steep[1:] * width, np.diff(height)
        noise = 1e-14 * self._height * (1.0 + self.beta[1:])
        left = np.flatnonzero((up > 0.0) & (down < 0.0) & (np.maximum(up, -down) > noise) & (width > SETTLED))
        if not len(left):
            return np.empty(0)
        share = _summits(up[left], down[left], rise[left], width[left])
        highest = height[left] + share * (1.0 - share) ** 2 * up[left]
        highest += share**2 * ((3.0 - 2.0 * share) * rise[left] - (1.0 - share) * down[left])
        best = int(highest.argmax())
        low, across = place[left[best]], width[left[best]]
        beside = across**2 / 16.0 * np.array([0.0] if self._large else [0.0, -1.0, 1.0])
        trial = low + share[best] * across + beside
        return np.asarray(trial[(trial > low) & (trial < low + across)])

    def _plotted(self) -> Array:
        """Return the points as drawn, (2, N + 1): both returns, as shares of their ranges."""
        returns = np.concatenate([self.found, self.limit[:, None]], axis=1)[:2]
        return np.asarray((returns - returns[:, :1]) / [[self._rise], [self._height]])


def _place(beta: Array) -> Array:
    """Return where betas stand on a scale that is logarithmic but for the first interval."""
    return np.asarray(np.log1p(beta * 2.0**-FIRST))


def _beta_at(place: Array) -> Array:
    return np.asarray(np.expm1(place) * 2.0**FIRST)


def _summits(up: Array, down: Array, rise: Array, width: Array) -> Array:
    """Return where, as a share of the interval, the cubic through two heights and slopes is highest."""
    linear, square = 2.0 * (3.0 * rise - 2.0 * up - down), 3.0 * (up + down - 2.0 * rise)
    cubic = 2.0 * up / (np.sqrt(np.maximum(linear**2 - 4.0 * square * up, 0.0)) - linear)
    return np.asarray(np.where(width > 1e-3, cubic, up / (up - down)))  # narrow ones' heights drown in rounding


def _size(mdp: FiniteMDP) -> int:
    """Return how many numbers a step works through, of each kind: rows, and what they have to be averaged over."""
    return mdp.state_count * len(mdp.actions) + len(afterstates(mdp).next_state)


def _steps(mdp: FiniteMDP) -> int:
    """Return how many steps a pass takes."""
    return mdp.horizon or ceil(log(FADED) / log(mdp.discount))


def _pressed(mdp: FiniteMDP, pressure: Array) -> Array:
    """Return proxy and true return, KL and d J_t / d pressure, (4, B), under B betas of the proxy in its own units."""
    together = max(TOGETHER // _size(mdp), 1)
    parts = [_passed(mdp, pressure[place : place + together]) for place in range(0, len(pressure), together)]
    return np.concatenate(parts, axis=1)


def _passed(mdp: FiniteMDP, pressure: Array) -> Array:
    """Answer as `_pressed` does, in one pass.

    Backed up is the soft value times the pressure, u(s) = log mean exp(pressure r_p + E u(s')), the largest
    pressure J_p - KL: it is defined at 0 too.
    """
    rewards, count = both_rewards(mdp), len(pressure)
    shape = *rewards.expected.shape[:2], count
    soft = Backup(mdp, rewards.mixed(np.stack([pressure, np.zeros(count)])))
    proxy, true = (
        Backup(mdp, Rewards(np.broadcast_to(rewards.expected[..., [each]], shape), rewards.final[:, [each]]))
        for each in (0, 1)
    )
    slope = Outlook(afterstates(mdp), count)
    largest, scale = np.empty(shape[1:]), np.empty(shape[1:])
    for _ in sweeps(soft, horizon=_steps(mdp)):
        policy = soft.quality()
        policy.max(axis=0, out=largest)
        np.exp(np.subtract(policy, largest, out=policy), out=policy)
        policy.sum(axis=0, out=scale)
        np.add(np.log(scale, out=soft.values), largest - log(shape[0]), out=soft.values)
        np.divide(1.0, scale, out=scale)
        gain, other = proxy.quality(), true.quality()
        _average(gain, policy, scale, proxy.values)
        _average(other, policy, scale, true.values)
        np.multiply(np.subtract(gain, proxy.values, out=gain), other, out=gain)
        _average(np.add(gain, slope.expected() * mdp.discount, out=gain), policy, scale, slope.values)
    returns, other, largest, slopes = (at_start(mdp, each.values.T) for each in (proxy, true, soft, slope))
    return np.stack([returns, other, pressure * returns - largest, slopes])


def _average(what: Array, weights: Array, scale: Array, into: Array) -> None:
    """Write averages over actions, (S, B), of what is (A, S, B), under weights whose sums are 1 / scale."""
    np.einsum("asb,asb->sb", what, weights, out=into)
    np.multiply(into, scale, out=into)


def _committed(mdp: FiniteMDP, tolerance: float) -> tuple[float, float, float]:
    """Return proxy return, true return and KL in the limit of endless pressure.

    Among the actions that are proxy-optimal to within a tolerance, pi is proportional to exp(E g(s')), where
    g(s) = log of the sum of exp(E g(s')) / A over them: the next order of the soft value, V = V* + g / beta + ...
    Its KL telescopes to -g. An endless pass is twice as long, as g stands on the optimum.
    """
    both = both_rewards(mdp)
    best = Backup(mdp, Rewards(both.expected[..., :1], both.final[:, :1]))
    true = Backup(mdp, Rewards(both.expected[..., 1:], both.final[:, 1:]))
    ways = Outlook(afterstates(mdp), 1)
    for _ in sweeps(best, horizon=_steps(mdp) * (1 if mdp.horizon else 2)):
        quality = best.quality()
        quality.max(axis=0, out=best.values)
        policy = np.where(quality >= best.values - tolerance, ways.expected() * mdp.discount, -inf)
        largest = policy.max(axis=0)
        np.exp(np.subtract(policy, largest, out=policy), out=policy)
        scale = policy.sum(axis=0)
        np.add(np.log(scale), largest - log(len(mdp.actions)), out=ways.values)
        _average(true.quality(), policy, 1.0 / scale, true.values)
    proxy_return, true_return, ways_left = (at_start(mdp, each.values.T)[0] for each in (best, true, ways))
    return float(proxy_return), float(true_return), 0.0 - float(ways_left)
