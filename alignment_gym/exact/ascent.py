"""Steepest ascent of the proxy through the polytope of occupancies, and where it is safe to stop.

From uniform play's visits the path follows the proxy reward as far as the polytope lets it: at every point along the
nearest feasible direction to it, which changes only where some action is no longer taken. So the path is piecewise
linear, returns on it are too, and the true return is extremal at its breakpoints. If all that is known of the true
reward is its angle to the proxy, both projected onto the directions in which occupancies can differ, no direction
whose cosine with the proxy is at least the sine of that angle can lower it, and beyond one that is smaller the worst
case falls (after Karwowski et al. 2024, arXiv:2310.09144; the condition is derived here).

The feasible directions at a point are those with B t = 0 and t >= 0 wherever nothing is visited. The nearest to M r, M
the projector onto the null space of B, is M r + M[:, Z] w, with w >= 0 on unvisited columns Z: non-negative least
squares, which the path's own last answer starts, so that most breakpoints cost one small linear system.
"""

from dataclasses import dataclass, field
from math import nan, pi, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import InvalidDial, TooLargeToEnumerate, World
from alignment_gym.engine.belief import knowing
from alignment_gym.engine.mdp import FiniteMDP, as_mdp
from alignment_gym.exact.polytope import Polytope, polytope
from alignment_gym.exact.solution import solve
from alignment_gym.exact.values import Array, uniform
from alignment_gym.metrics.scores import NEGLIGIBLE, Anchors, trivial

VANISHED = 1e-12  # of the largest entry: visits and directions below it are none
DEPENDENT = 1e-10  # squared length of a column's part, of 1, that those held leave free: below it there is none
REFRESHED = 30  # changes after which the inverse is worked out anew
Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False, slots=True)
class Stop:
    """The last point that is safe under an assumed angle.

    Attributes:
        angle: the largest angle between the projected rewards, as assumed, in radians.
        place: which breakpoint it is.
        proxy_return, true_return: there.
        policy: (S, A) or (H, S, A), over the states of the ascent's MDP.
    """

    angle: float
    place: int
    proxy_return: float
    true_return: float
    policy: Array = field(repr=False)


@dataclass(frozen=True, eq=False, slots=True)
class Ascent:
    """A path of steepest ascent from uniform play to a proxy-optimal policy; K breakpoints, both ends included.

    Attributes:
        mdp: what the agent can know: the world's states, or its beliefs.
        anchors: returns between which scores are measured.
        polytope: the system whose solutions the path runs through, of C columns.
        occupancy: (K, C), expected discounted visits.
        proxy_return, true_return: (K,).
        cosine: (K,), of the direction in which the path goes on, with the projected proxy; 0 at the optimum.
        stop: under the assumed angle; None where none is assumed.
        reason: why there is no path or no drop; empty where there is.
    """

    mdp: FiniteMDP
    anchors: Anchors
    polytope: Polytope = field(repr=False)
    occupancy: Array = field(repr=False)
    proxy_return: Array
    true_return: Array
    cosine: Array
    stop: Stop | None
    reason: str

    @property
    def drop(self) -> float:
        """What the true return loses from its largest value on the path to the end, as a share of its range.

        The normalised drop height of Karwowski et al. (2024), arXiv:2310.09144, with the sign turned, on this path.
        """
        return nan if self.reason else float(self.true_return.max() - self.true_return[-1]) / self.anchors.true_range


def steepest_ascent(
    what: str | World[Any] | FiniteMDP, angle: float | None = None, *, max_columns: int = 2000, **dials: Any
) -> Ascent:
    """Follow the proxy from uniform play to its optimum by steepest ascent of the return.

    Args:
        what: an id, a world or an MDP; if it hides states, policies remember.
        angle: the largest angle assumed between the two projected rewards, in radians, at most pi / 2.
        max_columns: pairs of state and action, with a horizon at each step anew, that are worth the time: the work
            grows with the cube of their number, and more.
        **dials: level and dials, where an id is given.

    Raises:
        InvalidDial: an angle out of range.
        TooLargeToEnumerate: more columns, states or beliefs than allowed.
    """
    if angle is not None and not 0.0 <= angle <= pi / 2.0:
        raise InvalidDial(f"an angle between rewards lies between 0 and pi / 2 radians, not at {angle}")
    mdp = as_mdp(what, **dials)
    known = knowing(mdp)
    try:
        omega = polytope(known, max_columns)
    except TooLargeToEnumerate as error:
        raise TooLargeToEnumerate(f"{error}; steepest ascent takes as many as `max_columns` says") from None
    anchors = solve(mdp).anchors
    reason = "proxy reward trivial" if trivial(anchors.proxy_max, anchors.proxy_min) else ""
    start = omega.occupancy(known, uniform(known))
    occupancy, cosine = _climb(omega, start) if not reason else (start[None], np.array([nan]))
    if not reason and trivial(anchors.true_max, anchors.true_min):
        reason = "true reward trivial"
    proxy_return, true_return = omega.rewards @ occupancy.T
    stop = None
    if angle is not None:
        unsafe = np.flatnonzero(cosine < sin(angle))
        place = int(unsafe[0]) if len(unsafe) else len(cosine) - 1
        policy = omega.policy(occupancy[place], known)
        stop = Stop(angle, place, float(proxy_return[place]), float(true_return[place]), policy)
    return Ascent(known, anchors, omega, occupancy, proxy_return, true_return, cosine, stop, reason)


def _climb(omega: Polytope, eta: Array) -> tuple[Array, Array]:
    """Return the occupancies at breakpoints, (K, C), and the cosines of the directions that leave them, (K,)."""
    cone = _Cone(omega)
    path, cosines = [eta], []
    while True:
        direction = cone.nearest(eta == 0.0)
        cosines.append(float(np.linalg.norm(direction)) / cone.length)
        if cosines[-1] <= NEGLIGIBLE:
            cosines[-1] = 0.0
            return np.stack(path), np.array(cosines)
        falls = direction < 0.0
        step = (eta[falls] / -direction[falls]).min()
        eta = eta + step * direction
        eta[eta < VANISHED * eta.max()] = 0.0
        if np.abs(omega.balance @ eta - omega.start).max() > VANISHED:
            eta = _consistent(omega, eta)
        path.append(eta)


def _consistent(omega: Polytope, eta: Array) -> Array:
    """Return the exact visits of the policy of some visits that rounding has led astray."""
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import spsolve

    visits = eta.reshape(-1, omega.actions)
    total = visits.sum(axis=1, keepdims=True)
    policy = np.where(total > 0.0, visits / np.where(total > 0.0, total, 1.0), 1.0 / omega.actions)
    rows = len(visits)
    choice = csr_array((policy.ravel(), np.repeat(np.arange(rows), omega.actions), np.arange(rows * omega.actions + 1)))
    exact = spsolve((omega.balance @ choice).tocsc(), omega.start)[:, None] * policy
    exact[exact < VANISHED * exact.max()] = 0.0
    return np.asarray(exact.ravel())


class _Cone:
    """The feasible direction that is nearest to the proxy, by the active-set method of Lawson and Hanson (1974).

    Attributes:
        length: of the projected proxy.
    """

    def __init__(self, omega: Polytope) -> None:
        rows, _ = np.linalg.qr(omega.balance.toarray().T)
        self._projector = np.eye(omega.columns) - rows @ rows.T
        self._proxy = self._projector @ omega.rewards[0]
        self._proxy -= rows @ (rows.T @ self._proxy)  # once more, for what rounding left
        self.length = float(np.linalg.norm(self._proxy))
        self._held: list[int] = []  # the unvisited columns with a weight
        self._inverse = np.empty((0, 0))  # of the projector's part in those columns
        self._changes = 0  # of the inverse, since it was worked out anew
        self._weight = np.zeros(omega.columns)

    def nearest(self, unvisited: NDArray[np.bool_]) -> Array:
        """Return the projection of the proxy onto the cone, (C,): no unvisited column falls."""
        open_ = unvisited.copy()  # but for columns that fall by rounding alone
        while True:
            direction = self._proxy + self._projector @ self._weight
            if np.abs(direction[self._held]).max(initial=0.0) > VANISHED * self.length:  # the inverse has a history
                self._weight[self._held] -= self._inverse @ direction[self._held]
                direction = self._proxy + self._projector @ self._weight
            direction[self._held] = 0.0
            direction[np.abs(direction) < VANISHED * self.length] = 0.0
            falling = np.where(open_, direction, 0.0)
            worst = int(falling.argmin())
            if falling[worst] >= 0.0:
                return np.asarray(np.where(unvisited, np.maximum(direction, 0.0), direction))
            self._hold(worst)
            while len(needless := self._settle()):
                for place in needless[::-1]:
                    self._let_go(int(place))
            open_[worst] = worst in self._held

    def _settle(self) -> Index:
        """Move weights towards those that keep held columns still, until some vanish; return the places of these."""
        held = self._held
        target = -(self._inverse @ self._proxy[held])
        weight = self._weight[held]
        below = np.flatnonzero(target <= 0.0)
        share = (weight[below] / (weight[below] - target[below])).min(initial=1.0)
        self._weight[held] = weight + share * (target - weight)
        gone = below[self._weight[held][below] <= VANISHED * self._weight.max()]
        self._weight[np.array(held)[gone]] = 0.0
        return np.asarray(gone)

    def _hold(self, column: int) -> None:
        """Border the inverse, unless the columns that are held hold this one too."""
        if self._changes >= REFRESHED:
            self._inverse = np.linalg.inv(self._projector[np.ix_(self._held, self._held)])
            self._changes = 0
        across = self._inverse @ self._projector[self._held, column]
        rest = self._projector[column, column] - self._projector[column, self._held] @ across
        if rest < DEPENDENT:
            return
        count = len(self._held)
        inverse = np.empty((count + 1, count + 1))
        inverse[:count, :count] = self._inverse + np.outer(across / rest, across)
        inverse[count, :count] = inverse[:count, count] = -across / rest
        inverse[count, count] = 1.0 / rest
        self._inverse = inverse
        self._held.append(column)
        self._changes += 1

    def _let_go(self, place: int) -> None:
        """Take a border off the inverse."""
        stay = np.delete(np.arange(len(self._held)), place)
        across = self._inverse[stay, place]
        inverse = self._inverse[np.ix_(stay, stay)]
        inverse -= np.outer(across / self._inverse[place, place], across)
        self._inverse = inverse
        del self._held[place]
        self._changes += 1
