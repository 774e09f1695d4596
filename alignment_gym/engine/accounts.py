"""The two accounts of an episode: what each transition pays under the proxy and the true objective."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import UnknownName
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
        if paid not in REWARDS:
            raise UnknownName("reward", str(paid), REWARDS)
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
