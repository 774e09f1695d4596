"""What every learner shares: the shape of a result, and the scale of its reward."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from alignment_gym.core import Specification
from alignment_gym.engine.mdp import FiniteMDP
from alignment_gym.exact.tables import Agent
from alignment_gym.exact.values import at_start, maximal, of_policy, uniform

Checkpoint = Callable[[int, Agent], None]
"""Takes the number of steps made and the agent as it is then."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A trained agent, and how to save what it is made of (None where its table is all).

    Attributes:
        agent: answers for observations.
        save: writes what the agent is made of.
        generalises: whether the agent has an answer for observations that it was never shown; a table has none.
    """

    agent: Agent
    save: Callable[[str], None] | None
    generalises: bool = True


def stripped(mdp: FiniteMDP, reward: str) -> FiniteMDP:
    """Return tables that know only the reward that is trained on; both accounts hold it."""
    weights = mdp.reward(reward)
    return mdp.with_specification(Specification(proxy=weights, true=weights))


@dataclass(frozen=True, slots=True)
class Pay:
    """How a reward is brought to the learner's scale: `scale * (reward - base)`."""

    scale: float
    base: float


AS_IT_IS = Pay(scale=1.0, base=0.0)


@lru_cache(maxsize=64)
def span(mdp: FiniteMDP) -> tuple[float, float]:
    """Return the largest proxy return and that of uniform play; in training, the proxy is what is trained on.

    The largest is that of a player who sees every state. So of several levels both are means of the levels' own,
    and the largest is that of a player who is told the level: no belief over levels has to be solved.
    """
    weights = mdp.specification.proxy
    best = float(at_start(mdp, maximal(mdp, [weights]))[0])
    return best, float(at_start(mdp, of_policy(mdp, [weights], uniform(mdp)))[0])


def pay(mdp: FiniteMDP, rise: float) -> Pay:
    """Return the scale by which uniform play earns 0 an episode and optimal play `rise`.

    Reads the proxy of `mdp` alone, which in training is the reward that is trained on. Where
    episodes may terminate, nothing is subtracted, as that would pay for a shorter or longer one.
    A `rise` of 0 leaves the reward as it is.
    """
    if rise == 0.0:
        return AS_IT_IS
    best, reference = span(mdp)
    flat = best - reference <= 1e-9 * (1.0 + abs(best))
    shifted = mdp.horizon is not None and not mdp.terminated.any()
    return Pay(
        scale=1.0 if flat else rise / (best - reference),
        base=reference / mdp.horizon if shifted and mdp.horizon else 0.0,
    )
