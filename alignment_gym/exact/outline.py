"""What is known of a convex polygon that answers which of its points is the farthest in a direction.

Every answer gives a point of the polygon and a line that it does not cross. Where a line joins two neighbours, the
edge between them is final; elsewhere what is unknown lies in a small triangle over the edge, and the edge's own outward
normal is the next to be asked about.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

EXACT = 1e-9  # of a range: distances below are rounding
ROUNDING = 1e-12  # a point misses a reading's level by more; near-optimal policies can be as near as EXACT
RIGHT, UP, LEFT, DOWN = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])


class Reading(NamedTuple):
    """A linear program over the polygon: the most of `objective` where `limit` is at least `level`.

    Objective and limit are two of the four axes, at right angles.
    """

    objective: Array
    limit: Array
    level: float


@dataclass(frozen=True, eq=False, slots=True)
class Outline:
    """What is known of a polygon: in each of K directions, counter-clockwise, a farthest point.

    The edge of place k leads from point k to the next one, the last to the first. Where neighbours share a line of
    support, no point lies outside of their edge. All four axes are among the directions, so that
    an edge lies within a quadrant.

    Attributes:
        directions: (K, 2), outward, of length 1.
        points: (K, 2).
    """

    directions: Array
    points: Array

    @property
    def edges(self) -> Array:
        """From each point to the next one, (K, 2)."""
        return np.asarray(np.roll(self.points, -1, axis=0) - self.points)

    @property
    def normals(self) -> Array:
        """The outward normals of edges, (K, 2); NaN where an edge has no length."""
        along = self.edges
        with np.errstate(invalid="ignore"):
            return np.asarray(-turned(along) / np.hypot(*along.T)[:, None])

    @property
    def heights(self) -> Array:
        """How far beyond each edge a point might lie: the height of the triangle under two lines of support, (K,)."""
        along, after = self.edges, np.roll(self.directions, -1, axis=0)
        below_first = -(self.directions * along).sum(axis=1)
        below_second = (after * along).sum(axis=1)
        final = np.minimum(below_first, below_second) <= EXACT
        turn = cross(self.directions, after)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(final, 0.0, below_first * below_second / (np.hypot(*along.T) * turn))

    def joined(self, directions: Array, points: Array) -> "Outline":
        """Return what is known with more farthest points, both (L, 2)."""
        directions, points = np.concatenate([self.directions, directions]), np.concatenate([self.points, points])
        angle = np.arctan2(directions[:, 1], directions[:, 0]) % (2.0 * np.pi)
        order = np.argsort(angle, kind="stable")
        return Outline(directions[order], points[order])

    def crossed(self, reading: Reading) -> NDArray[np.bool_]:
        """Tell which edge decides a reading, (K,): at most one, none where a point does."""
        objective, limit, level = reading
        reached = self.points @ limit >= level
        towards = (self.directions @ objective > -EXACT) & (self.directions @ limit > -EXACT)
        return np.asarray((reached != np.roll(reached, -1)) & towards & np.roll(towards, -1))

    def read(self, reading: Reading) -> float:
        """Return the value of a reading, over the points and what lies between them."""
        objective, limit, level = reading
        reach, value = self.points @ limit, self.points @ objective
        best = value[reach >= min(level, reach.max()) - ROUNDING].max()
        following, after = np.roll(reach, -1), np.roll(value, -1)
        for edge in np.flatnonzero((reach >= level) != (following >= level)):
            share = (level - reach[edge]) / (following[edge] - reach[edge])
            best = max(best, value[edge] + share * (after[edge] - value[edge]))
        return float(best)

    def corners(self) -> Array:
        """Return the points that are corners, (V, 2), from the lower end of the right side on."""
        kept = [self.points[0]]
        for point in self.points[1:]:
            if min(np.hypot(*(point - kept[-1])), np.hypot(*(point - kept[0]))) > EXACT:
                kept.append(point)
        place = 0
        while place < len(kept) > 2:
            if _beyond(kept[place - 1], kept[place], kept[(place + 1) % len(kept)]) > EXACT:
                place += 1
            else:
                del kept[place]
                place = max(place - 1, 0)
        return np.array(kept)


def cross(one: Array, other: Array) -> Array:
    """Return the areas that pairs of vectors (..., 2) span, positive where the second lies to the left."""
    return np.asarray(one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0])


def turned(directions: Array) -> Array:
    """Return vectors (..., 2) turned left by a right angle."""
    return np.stack([-directions[..., 1], directions[..., 0]], axis=-1)


def _beyond(before: Array, point: Array, after: Array) -> float:
    """Return how far a point lies outside of the segment between two others."""
    along, to = after - before, point - before
    if np.hypot(*along) <= EXACT:
        return float(np.hypot(*to))
    share = to @ along / (along @ along)
    if not 0.0 <= share <= 1.0:
        return float(np.hypot(*(to - np.clip(share, 0.0, 1.0) * along)))
    return float(cross(to, along) / np.hypot(*along))
