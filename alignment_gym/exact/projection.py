"""Rewards projected on what orders policies, by sparse least squares over the occupancy polytope.

Returns are linear in a policy's visits, and visits solve B eta = mu. So what a reward has in the span of B's rows,
expected potential shaping, pays every policy alike, and only the rest, its projection on the null space of B,
orders policies. The angle between two projections is 0 if and only if both order all policies alike
(J. Karwowski et al., Goodhart's Law in Reinforcement Learning (2023), arXiv:2310.09144). The rest r - B^T phi is
the smallest reward, in L2, that differs from r by shaping (derived here).
"""

from dataclasses import dataclass
from math import asin, nan
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from alignment_gym.core import World
from alignment_gym.engine.belief import knowing
from alignment_gym.engine.mdp import FiniteMDP, as_mdp
from alignment_gym.exact.polytope import MAX_COLUMNS, Polytope, polytope
from alignment_gym.exact.values import Array
from alignment_gym.metrics.scores import NEGLIGIBLE

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import SuperLU

SAME = 1e-7  # radians: directions that differ by less are one
UNSURE = 1e-4  # radians: an angle less certain than that decides nothing
PRECISION = 1e-11  # of a reward's norm: how far a projection may be off
MAX_ITERATIONS = 2_000


@dataclass(frozen=True, eq=False, slots=True)
class Projection:
    """Both rewards on the null space of B, and what it took.

    Attributes:
        rewards: (2, R * A), of the proxy and of the true reward; columns as the polytope has them.
        norm: (2,), lengths of the rewards before.
        error: (2,), upper bounds on how far the projections are off.
        iterations: steps of conjugate gradients.
    """

    rewards: Array
    norm: Array
    error: Array
    iterations: int

    @property
    def trivial(self) -> tuple[bool, bool]:
        """Whether each reward pays all policies alike."""
        proxy, true = np.linalg.norm(self.rewards, axis=1) <= NEGLIGIBLE * self.norm
        return bool(proxy), bool(true)

    @property
    def angle(self) -> float:
        """Between the projections, in radians; NaN where one of them is trivial."""
        return nan if any(self.trivial) else angle_between(*self.rewards)

    @property
    def angle_error(self) -> float:
        """By how much the angle can be off, in radians."""
        if any(self.trivial):
            return nan
        return sum(asin(min(share, 1.0)) for share in self.error / np.linalg.norm(self.rewards, axis=1))

    @property
    def verdict(self) -> str:
        """As `Geometry` has it: `trivial`, `equivalent`, `reversed`, `hackable`, or `undecided` if unsure."""
        if any(self.trivial):
            return "trivial"
        tolerance = SAME + self.angle_error
        if self.angle_error > UNSURE:
            return "undecided"
        if self.angle <= tolerance:
            return "equivalent"
        return "reversed" if self.angle >= np.pi - tolerance else "hackable"


def projected_angle(what: str | World[Any] | FiniteMDP, **dials: Any) -> float:
    """Return the angle between the projected rewards, in radians; NaN where one is trivial. See `projected`."""
    return projected(what, **dials).angle


def projected(what: str | World[Any] | FiniteMDP, *, limit: int = MAX_COLUMNS, **dials: Any) -> Projection:
    """Return both rewards, projected on the null space of B: the rest r - B^T phi of a least-squares fit.

    Args:
        what: an id, a world or an MDP.
        limit: columns at most.
        **dials: level and dials, where an id is given.

    Raises:
        TooLargeToEnumerate: more columns than `limit`.
    """
    mdp = as_mdp(what, **dials)
    mdp = knowing(mdp)
    return project(polytope(mdp, limit), layered=mdp.horizon is not None)


def project(omega: Polytope, layered: bool) -> Projection:
    """Project a polytope's rewards, by conjugate gradients on B B^T phi = B r, preconditioned by uniform play.

    Args:
        omega: the polytope.
        layered: whether its rows go from step to step, so that uniform play's system is triangular.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import splu

    balance, shaping, actions = omega.balance, omega.balance.T.tocsr(), omega.actions
    rows, columns = balance.shape
    mean = np.full(columns, 1.0 / actions), np.arange(columns), np.arange(rows + 1) * actions
    means = csr_array(mean, shape=(rows, columns))
    order: Literal["NATURAL", "COLAMD"] = "NATURAL" if layered else "COLAMD"
    uniform = splu((means @ shaping).tocsc(), permc_spec=order, diag_pivot_thresh=0.0)
    rewards = np.ascontiguousarray(omega.rewards.T)
    norm = np.linalg.norm(rewards, axis=0)

    advantages = rewards - shaping @ uniform.solve(means @ rewards)
    system = _Normal((balance @ shaping).tocsr(), uniform, actions)
    more, iterations = system.solve(balance @ advantages, PRECISION * norm)
    left = advantages - shaping @ more
    return Projection(left.T, norm, system.error(system.halfway(balance @ left)), iterations)


@dataclass(frozen=True, eq=False, slots=True)
class _Normal:
    """The system B B^T phi = b, for columns side by side.

    Let L phi be the mean of B^T phi over actions, so that L^-1 evaluates uniform play. With phi = L^-1 x, the system
    becomes A + N^T N, where N x are next values, centred in each row. Its eigenvalues are at least A, however long
    the horizon. So what is missing of the right side there, over sqrt(A), bounds the error of B^T phi (derived here).

    Attributes:
        matrix: B B^T, (R, R).
        uniform: L, factorised.
        actions: A.
    """

    matrix: "csr_array[np.float64]"
    uniform: "SuperLU[np.float64]"
    actions: int

    def halfway(self, rest: Array) -> Array:
        """Return what is missing on the transformed right side, (R, columns)."""
        return np.asarray(self.uniform.solve(rest, trans="T"))  # type: ignore[call-overload]  # the stubs know no trans

    def error(self, halfway: Array) -> Array:
        """Return upper bounds on the errors of B^T phi, (columns,)."""
        return np.asarray(np.sqrt(_dots(halfway, halfway) / self.actions))

    def solve(self, rest: Array, goal: Array) -> tuple[Array, int]:
        """Return phi, once its errors are at most `goal`, and the number of steps taken."""
        potential, direction, before = np.zeros_like(rest), np.zeros_like(rest), np.zeros(rest.shape[1])
        for iteration in range(MAX_ITERATIONS):
            halfway = self.halfway(rest)
            if (self.error(halfway) <= goal).all():
                return potential, iteration
            size = _dots(halfway, halfway)
            direction = self.uniform.solve(halfway) + _ratio(size, before) * direction
            ahead = np.asarray(self.matrix @ direction)
            step = _ratio(size, _dots(direction, ahead))
            potential += step * direction
            rest = rest - step * ahead
            before = size
        return potential, MAX_ITERATIONS


def _dots(one: Array, other: Array) -> Array:
    """Return the inner products of columns."""
    return np.asarray(np.einsum("ij,ij->j", one, other))


def _ratio(part: Array, whole: Array) -> Array:
    """Divide, with 0 for what is done."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0.0)


def angle_between(one: Array, other: Array) -> float:
    """Return the angle between two vectors, in radians, as exact near 0 and pi as between; NaN for a zero vector.

    Twice the arc tangent of the distance of the unit vectors over the length of their sum.
    """
    lengths = np.linalg.norm(one), np.linalg.norm(other)
    if not all(lengths):
        return nan
    first, second = one / lengths[0], other / lengths[1]
    return float(2.0 * np.arctan2(np.linalg.norm(first - second), np.linalg.norm(first + second)))
