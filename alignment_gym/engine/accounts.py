"""The two accounts of an episode: what each transition pays under the proxy and the true objective."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import TooLargeToEnumerate, UnknownName
from alignment_gym.engine.growing import GrowingMDP
from alignment_gym.engine.mdp import FiniteMDP, Reward

REWARDS = ("proxy", "true")


@dataclass(frozen=True, slots=True)
class Accounts:
    """Rewards by transition, and by state where the horizon ends an episode.

    Attributes:
        proxy, true: (N,).
        proxy_final, true_final: (S,).
        paid: `proxy` or `true`, the account that the agent is paid from.
    """

    proxy: NDArray[np.float64]
    true: NDArray[np.float64]
    proxy_final: NDArray[np.float64]
    true_final: NDArray[np.float64]
    paid: str

    @classmethod
    def open(cls, mdp: FiniteMDP, paid: str = "proxy", proxy: Reward | None = None) -> "Accounts":
        """Weigh an MDP's events.

        Args:
            mdp: the tables.
            paid: which account pays the agent.
            proxy: another proxy: weights over events, or an (S, A) array.

        Raises:
            UnknownName: `paid` is neither `proxy` nor `true`, or an event that the world does not emit.
        """
        check_paid(paid)
        chosen = mdp.specification.proxy if proxy is None else proxy
        if not isinstance(chosen, Mapping):
            chosen = np.asarray(chosen)
        true = mdp.specification.true
        return cls(
            proxy=mdp.transition_rewards(chosen),
            true=mdp.transition_rewards(true),
            proxy_final=mdp.final_rewards(chosen),
            true_final=mdp.final_rewards(true),
            paid=paid,
        )


@dataclass(frozen=True, slots=True)
class Weights:
    """The two accounts where tables grow: weights over events, (E,) each."""

    proxy: NDArray[np.float64]
    true: NDArray[np.float64]
    paid: str

    @classmethod
    def open(cls, mdp: GrowingMDP, paid: str = "proxy", proxy: Reward | None = None) -> "Weights":
        """Weigh the events that an MDP may emit; arguments and errors as of `Accounts.open`.

        Raises:
            TooLargeToEnumerate: `proxy` is an array, for which all states would have to be known.
        """
        check_paid(paid)
        chosen = mdp.specification.proxy if proxy is None else proxy
        if not isinstance(chosen, Mapping):
            raise TooLargeToEnumerate(f"{mdp.name} is not enumerated: its proxy is a weighting of events, no array")
        return cls(mdp.weights(chosen), mdp.weights(mdp.specification.true), paid)

    def pay(self, emitted: NDArray[np.float64]) -> tuple[float, float]:
        """Return what a row of events (E,) pays: proxy and true."""
        return fsum(emitted * self.proxy), fsum(emitted * self.true)


def open_accounts(mdp: FiniteMDP | GrowingMDP, paid: str = "proxy", proxy: Reward | None = None) -> Accounts | Weights:
    """Open the accounts that suit an MDP; arguments and errors as of `Accounts.open` and `Weights.open`."""
    return Weights.open(mdp, paid, proxy) if isinstance(mdp, GrowingMDP) else Accounts.open(mdp, paid, proxy)


def check_paid(paid: str) -> None:
    """Refuse an account that is neither `proxy` nor `true`."""
    if paid not in REWARDS:
        raise UnknownName("reward", str(paid), REWARDS)
