"""How alike two rewards look from where a policy goes: step by step, over episodes, and in the order of episodes.

A proxy that correlates with the true reward may still be hacked: the correlation is that of the places that a
reference policy visits, and optimisation leaves them. How far it may leave before the true return can fall is
bounded by the correlation and the chi-squared divergence of visits (C. Laidlaw, S. Singhal, A. Dragan, Correlated
Proxies (2024), arXiv:2403.03185).

Uniform play is over states here, so nothing is enumerated that an agent has to remember.
"""

from dataclasses import dataclass
from math import ceil, log, nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignment_gym.core import InvalidScores, World
from alignment_gym.engine.mdp import FiniteMDP, as_mdp
from alignment_gym.exact.deviation import padded_length, padded_rewards, padded_visits
from alignment_gym.exact.lumping import lumped
from alignment_gym.exact.tables import Policy, checked_policy
from alignment_gym.exact.values import MAX_SWEEPS, STILL, Array, at_start, uniform
from alignment_gym.metrics.scores import NEGLIGIBLE
from alignment_gym.metrics.statistics import checked, checked_count

NAMES = ("proxy", "true")
ROUNDING = 1e-12  # of the largest return: what sums over an episode may be off by
CUT_OFF = 1e-12  # of the first step's weight: an endless episode that is sampled ends below
ENTRIES = ((0, 0), (0, 1), (1, 1))  # of a symmetric matrix


@dataclass(frozen=True, slots=True)
class Correlation:
    """How proxy and true reward vary together where a policy goes.

    Attributes:
        value: Pearson's correlation; NaN where a reward does not vary.
        proxy_deviation, true_deviation: standard deviations, in units of reward.
        reason: why the value is NaN; else empty.
    """

    value: float
    proxy_deviation: float
    true_deviation: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Floor:
    """What a policy surely gains on uniform play in true return, told by its proxy return and by where it goes.

    Attributes:
        bound: a lower bound on the gain; NaN where there is none.
        gain: the true return of the policy, less that of uniform play.
        slack: gain - bound, never negative.
        correlation: of the rewards under uniform play.
        chi_squared: the divergence of the policy's visits from those of uniform play.
        reason: why there is no bound; else empty.
    """

    bound: float
    gain: float
    slack: float
    correlation: float
    chi_squared: float
    reason: str = ""


def reward_correlation(what: str | World[Any] | FiniteMDP, policy: Policy | None = None, **dials: Any) -> Correlation:
    """Return how the two rewards vary together under a policy's visits.

    Visits are those of `padded_visits`: what an episode that ends early leaves of its horizon pays nothing and counts,
    and so does what the horizon pays. Rewards are expected over next states.

    Args:
        what: an id, a world or an MDP.
        policy: a table from `tabulate`, or probabilities over states, (S, A) or (H, S, A); uniform play by default.
        **dials: level and dials, where an id is given.

    Raises:
        InvalidPolicy: a policy that does not fit, or is no distribution.
    """
    mdp = as_mdp(what, **dials)
    table = uniform(mdp) if policy is None else checked_policy(policy, mdp)
    visits, paid = padded_visits(mdp, table), padded_rewards(mdp)
    centred = paid - (paid @ visits)[:, None]
    return _correlation(centred * visits @ centred.T, np.abs(paid[:, visits > 0.0]).max(axis=1))


def _correlation(covariance: Array, scale: Array) -> Correlation:
    """Return the correlation of a covariance (2, 2); deviations that are nothing beside their scale (2,) are none."""
    deviation = np.sqrt(covariance.diagonal())
    proxy, true = deviation.tolist()
    flat = [name for name, one, size in zip(NAMES, deviation, scale, strict=True) if one <= NEGLIGIBLE * size]
    if flat:
        return Correlation(nan, proxy, true, f"the {flat[0]} reward does not vary")
    return Correlation(float(np.clip(covariance[0, 1] / (proxy * true), -1.0, 1.0)), proxy, true)


def laidlaw_bound(what: str | World[Any] | FiniteMDP, policy: Policy) -> Floor:
    """Return a lower bound on a policy's gain in true return over uniform play, from its gain in proxy return.

    With deviations s, correlation r > 0 and both gains per entry of `padded_visits`:

        true gain / s_true >= (proxy gain / s_proxy - sqrt((1 - r**2) chi_squared)) / r

    The setting is that of C. Laidlaw et al. (2024), arXiv:2403.03185. The bound is derived here: the standardised
    proxy is r times the true reward plus what is uncorrelated with it, and Cauchy-Schwarz holds for the latter.

    Args:
        what: an id, a world or an MDP.
        policy: a table from `tabulate`, or probabilities over states, (S, A) or (H, S, A).

    Raises:
        InvalidPolicy: a policy that does not fit, or is no distribution.
    """
    mdp = as_mdp(what)
    table = checked_policy(policy, mdp)
    found, length = reward_correlation(mdp), padded_length(mdp)
    visits = padded_visits(mdp, uniform(mdp))
    moved, met = padded_visits(mdp, table) - visits, visits > 0.0
    divergence = float((moved[met] ** 2 / visits[met]).sum())  # from differences, as small ones enter by their root
    proxy_gain, true_gain = (padded_rewards(mdp) @ moved).tolist()
    if not found.value > 0.0:
        reason = found.reason or "the rewards do not correlate positively under uniform play"
        return Floor(nan, length * true_gain, nan, found.value, divergence, reason)
    unexplained = sqrt((1.0 - found.value**2) * divergence)
    bound = found.true_deviation * (proxy_gain / found.proxy_deviation - unexplained) / found.value
    return Floor(length * bound, length * true_gain, length * (true_gain - bound), found.value, divergence)


def return_correlation(what: str | World[Any] | FiniteMDP, **dials: Any) -> float:
    """Return Pearson's correlation of an episode's two returns under uniform play, exactly.

    NaN where one of the returns is the same in all episodes. Returns are discounted if the MDP discounts.

    Args:
        what: an id, a world or an MDP.
        **dials: level and dials, where an id is given.
    """
    mdp = as_mdp(what, **dials)
    # returns of a sure world hang on its rows' pay alone, which states that are alike share
    covariance, scale = _return_covariance(lumped(mdp) if mdp.deterministic else mdp)
    return _correlation(covariance, scale).value


def _return_covariance(mdp: FiniteMDP) -> tuple[Array, Array]:
    """Return the covariance (2, 2) of an episode's returns under uniform play, and the size (2,) of values.

    Given the state, a return's surprise is that of the next step plus, discounted, that of what follows, and the two
    are uncorrelated. So covariances obey a recursion of their own, and nothing is lost to cancellation.
    """
    tables = _Tables.of(mdp)
    values = np.stack([mdp.final_rewards(mdp.reward(name)) for name in NAMES])
    spread = np.zeros((3, mdp.state_count))  # the covariance of both returns from each state on, by its entries
    for _ in range(mdp.horizon or MAX_SWEEPS):
        before, before_spread = values, spread
        targets = [tables.paid[each] + tables.onward(values[each]) for each in range(2)]
        values = np.stack([tables.mean(target) for target in targets])
        surprise = [target - tables.here(value) for target, value in zip(targets, values, strict=True)]
        spread = np.stack(
            [
                tables.mean(surprise[one] * surprise[other] + mdp.discount * tables.onward(spread[entry]))
                for entry, (one, other) in enumerate(ENTRIES)
            ]
        )
        if mdp.horizon is None and _still(values, before) and _still(spread, before_spread):
            break
    mean = at_start(mdp, values)
    off = values - mean[:, None]
    entries = [at_start(mdp, spread[entry] + off[one] * off[other]) for entry, (one, other) in enumerate(ENTRIES)]
    covariance = np.array([[entries[0], entries[1]], [entries[1], entries[2]]])
    return covariance, np.abs(values).max(axis=1) + np.abs(tables.paid).max(axis=1)


def _still(now: Array, before: Array) -> bool:
    return bool(np.abs(now - before).max() <= STILL * np.abs(now).max())


@dataclass(frozen=True, eq=False, slots=True)
class _Tables:
    """Transitions under uniform play.

    Attributes:
        mdp: S states, N transitions.
        paid: (2, N), proxy and true.
        chance: (N,), of the transition in its state.
        begin: (S,), where a state's transitions begin.
        count: (S,), how many it has.
        ahead: (N,), the discount, 0 where the episode ends.
    """

    mdp: FiniteMDP
    paid: Array
    chance: Array
    begin: NDArray[np.int64]
    count: NDArray[np.int64]
    ahead: Array

    @classmethod
    def of(cls, mdp: FiniteMDP) -> "_Tables":
        edges = mdp.offset[:: len(mdp.actions)]
        return cls(
            mdp=mdp,
            paid=np.stack([mdp.transition_rewards(mdp.reward(name)) for name in NAMES]),
            chance=mdp.probability / len(mdp.actions),
            begin=edges[:-1],
            count=np.diff(edges),
            ahead=np.where(mdp.terminated, 0.0, mdp.discount),
        )

    def onward(self, values: Array) -> Array:
        """Return what each transition leads to, discounted, (N,)."""
        return values.take(self.mdp.next_state) * self.ahead

    def here(self, values: Array) -> Array:
        """Return the values of each transition's own state, (N,)."""
        return np.repeat(values, self.count)

    def mean(self, quantity: Array) -> Array:
        """Return the expectation of a quantity (N,) in each state, (S,)."""
        if self.mdp.deterministic:  # as many transitions in each state: a product, and no sums of different lengths
            return np.asarray(quantity.reshape(len(self.begin), -1) @ self.chance[: len(self.mdp.actions)])
        return np.asarray(np.add.reduceat(quantity * self.chance, self.begin))


def rank_correlation(proxy_returns: ArrayLike, true_returns: ArrayLike) -> float:
    """Return Kendall's tau-b between two lists of returns, in [-1, 1]; NaN where either holds nothing but ties.

    Returns apart by less than a billionth of their range are ties: sums of the same rewards in another order.

    Args:
        proxy_returns: one for each episode or policy.
        true_returns: of the same.

    Raises:
        InvalidScores: lists differ in length, are empty, or hold what is no finite number.
    """
    from scipy.stats import kendalltau

    proxy, true = checked(proxy_returns, dimensions=1), checked(true_returns, dimensions=1)
    if len(proxy) != len(true):
        raise InvalidScores(f"{len(proxy)} proxy and {len(true)} true returns; give both of the same episodes")
    return float(kendalltau(_ranks(proxy), _ranks(true), variant="b").statistic)


def _ranks(values: Array) -> NDArray[np.intp]:
    """Number the distinct returns, in ascending order."""
    order = np.argsort(values, kind="stable")
    step = np.diff(values[order], prepend=values[order][:1])
    tolerance = max(NEGLIGIBLE * np.ptp(values), ROUNDING * np.abs(values).max())
    ranks = np.empty(len(values), dtype=np.intp)
    ranks[order] = np.cumsum(step > tolerance)
    return ranks


def trajectory_rank_correlation(
    what: str | World[Any] | FiniteMDP, rng: np.random.Generator, episodes: int = 1_000, **dials: Any
) -> float:
    """Return Kendall's tau-b between the two returns of sampled episodes of uniform play.

    The Trajectory Alignment Coefficient (Muslimani et al. 2026, arXiv:2601.16906) of this sample. Positive factors
    leave it unchanged, and so does shaping by potentials that are 0 where episodes begin and end. NaN where either
    return is the same in all episodes.

    Args:
        what: an id, a world or an MDP.
        rng: draws the episodes.
        episodes: how many, at least one.
        **dials: level and dials, where an id is given.

    Raises:
        InvalidScores: no episodes.
    """
    return rank_correlation(*sampled_returns(as_mdp(what, **dials), rng, episodes))


def sampled_returns(mdp: FiniteMDP, rng: np.random.Generator, episodes: int) -> Array:
    """Return the proxy and the true returns, (2, episodes), of sampled episodes of uniform play.

    Endless ones are followed until a step weighs less than 1e-12 of the first.
    """
    episodes = checked_count(episodes, "episodes:")
    paid = np.stack([mdp.transition_rewards(mdp.reward(name)) for name in NAMES])
    final = np.stack([mdp.final_rewards(mdp.reward(name)) for name in NAMES])
    bounds = np.cumsum(mdp.probability)
    state = rng.choice(mdp.start, size=episodes, p=mdp.start_probability / mdp.start_probability.sum())
    total, live = np.zeros((2, episodes)), np.arange(episodes)
    steps = ceil(log(CUT_OFF) / log(mdp.discount)) if mdp.horizon is None else mdp.horizon
    for step in range(steps):
        row = state * len(mdp.actions) + rng.integers(len(mdp.actions), size=len(live))
        first, last = mdp.offset[row], mdp.offset[row + 1] - 1
        sought = bounds[last] - rng.random(len(live)) * (bounds[last] - bounds[first] + mdp.probability[first])
        chosen = np.clip(np.searchsorted(bounds, sought), first, last)
        total[:, live] += mdp.discount**step * paid[:, chosen]
        going = ~mdp.terminated[chosen]
        live, state = live[going], mdp.next_state[chosen[going]]
    if mdp.horizon is not None:
        total[:, live] += mdp.discount**steps * final[:, state]
    return total
