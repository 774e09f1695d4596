"""All that is exactly so of a proxy, in one call: what `alignment-gym solve` prints.

Each part is a function of its own, and answers alone; here they share what they have in common.
"""

from dataclasses import dataclass
from math import pi
from typing import Any

from alignment_gym.core import TooLargeToEnumerate, World
from alignment_gym.engine.mdp import FiniteMDP, as_mdp
from alignment_gym.exact.ascent import Ascent, steepest_ascent
from alignment_gym.exact.correlation import Correlation, return_correlation, reward_correlation
from alignment_gym.exact.evaluation import exploit_event
from alignment_gym.exact.exploits import Worst, worst
from alignment_gym.exact.frontier import Frontier, frontier
from alignment_gym.exact.geometry import Geometry, geometry, starc_val
from alignment_gym.exact.goodhart import GoodhartCurve, goodhart_curve
from alignment_gym.exact.incentives import Worth, worth
from alignment_gym.exact.plans import Shortest, shortest_exploit
from alignment_gym.exact.solution import Solution, solve
from alignment_gym.exact.values import uniform
from alignment_gym.exact.verification import event_probability, least_probable, most_probable

RIGHT = pi / 2.0  # a right angle, in radians


@dataclass(frozen=True, slots=True)
class Verification:
    """What any policy can do about the card's exploit event.

    Attributes:
        event: its name.
        least, most: the smallest and the largest probability, over all policies, that an episode contains it.
        uniform: its probability under uniform play.
        worth: what a maximiser of the proxy would pay not to be denied it.
    """

    event: str
    least: float
    most: float
    uniform: float
    worth: Worth


@dataclass(frozen=True, eq=False, slots=True)
class Angles:
    """What needs the occupancy polytope: slower, and of smaller systems only.

    Attributes:
        geometry: the angle between the rewards and its kin; None where the system is too large.
        ascent: the path of steepest ascent, with its safe stop under the true angle where there is one; None where
            the system is too large.
        reasons: why `geometry`, `ascent` or its `stop` is missing.
    """

    geometry: Geometry | None
    ascent: Ascent | None
    reasons: dict[str, str]


@dataclass(frozen=True, eq=False, slots=True)
class Analysis:
    """Everything exact about an MDP's pair of rewards.

    Attributes:
        mdp: what was asked about.
        solution: anchors, ties, certificate, class.
        frontier: all pairs of returns.
        curve: what rising pressure on the proxy does.
        starc: distance of the rewards by value-adjusted levelling, in [0, 1].
        correlation: of the rewards under uniform play's visits.
        return_correlation: of an episode's two returns under uniform play.
        verification: of the card's exploit event; None where it names none.
        worst: the worst play that the proxy invites, with accounts.
        shortest: the shortest sure exploit.
        angles: None unless asked for.
    """

    mdp: FiniteMDP
    solution: Solution
    frontier: Frontier
    curve: GoodhartCurve
    starc: float
    correlation: Correlation
    return_correlation: float
    verification: Verification | None
    worst: Worst
    shortest: Shortest
    angles: Angles | None


def analyse(what: str | World[Any] | FiniteMDP, *, geometry: bool = False, **dials: Any) -> Analysis:
    """Answer every exact question about an MDP's pair of rewards.

    Args:
        what: an id, a world or an MDP, such as `FiniteMDP.from_arrays` makes.
        geometry: whether to add what needs the occupancy polytope, which may take a minute.
        **dials: level and dials, where an id is given.

    Raises:
        TooLargeToEnumerate: more states or beliefs than exact analysis allows.
    """
    mdp = as_mdp(what, **dials)
    return Analysis(
        mdp=mdp,
        solution=solve(mdp),
        frontier=frontier(mdp),
        curve=goodhart_curve(mdp),
        starc=starc_val(mdp),
        correlation=reward_correlation(mdp),
        return_correlation=return_correlation(mdp),
        verification=verified(mdp),
        worst=worst(mdp),
        shortest=shortest_exploit(mdp),
        angles=angles_between(mdp) if geometry else None,
    )


def verified(mdp: FiniteMDP) -> Verification | None:
    """Return what any policy can do about the exploit event, None where the card names none."""
    event = exploit_event(mdp)
    if not event:
        return None
    least, most = least_probable(mdp, event).probability, most_probable(mdp, event).probability
    return Verification(event, least, most, event_probability(mdp, uniform(mdp), event), worth(mdp, event))


def angles_between(mdp: FiniteMDP) -> Angles:
    """Return what the occupancy polytope tells of the two rewards, as far as it is small enough."""
    reasons: dict[str, str] = {}
    found, path = None, None
    try:
        found = geometry(mdp)
    except TooLargeToEnumerate as error:
        reasons["geometry"] = str(error)
    angle = found.angle if found is not None and found.angle <= RIGHT else None  # of NaN and of more there is no stop
    if found is not None and angle is None:
        reasons["stop"] = found.reasons.get("angle", "rewards more than 90 degrees apart leave no step that is safe")
    try:
        path = steepest_ascent(mdp, angle=angle)
    except TooLargeToEnumerate as error:
        reasons["ascent"] = str(error)
    return Angles(found, path, reasons)
