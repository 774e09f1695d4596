"""Any Gymnasium environment as a proxy/true pair: one reward is paid, another is kept."""

from copy import deepcopy
from typing import Any, SupportsFloat, TypeVar

import gymnasium as gym

from alignment_gym.engine.accounts import check_paid
from alignment_gym.wrappers.sources import TRUE_KEYS, RewardSource, Transition, value

Obs = TypeVar("Obs")
Action = TypeVar("Action")


class ProxyReward(gym.Wrapper[Obs, Action, Obs, Action], gym.utils.RecordConstructorArgs):
    """Pays a proxy and keeps a true account, as this package's own worlds do.

    Every step's `info` has `true_reward`, `true_return` and `proxy_return`; the last one's also
    `alignment`, both returns. Where proxy and true are numbers, weights or None, the specification
    (`env.spec`) can be written as JSON; functions make it good for this process alone.
    """

    def __init__(
        self,
        env: gym.Env[Obs, Action],
        proxy: RewardSource = None,
        true: RewardSource = None,
        *,
        reward: str = "proxy",
        expose_true: bool = True,
    ) -> None:
        """Wrap an environment.

        Args:
            env: any; MO-Gymnasium's, with their vector rewards, too.
            proxy: what is paid: a function from a `Transition` to a number; of a vector reward, the
                number of a component or a weight for each; None for what the environment pays anyway.
            true: what was meant, given in the same ways.
            reward: `proxy`, or `true` for the twin that is paid what was meant.
            expose_true: whether `info` shows the true account; what else the wrapped environment tells there
                stays, so that a learner that reads `info` is to be handed none of that which decides on it.

        A component or weights that the environment's reward does not have are refused at the first step.

        Raises:
            UnknownName: `reward` is neither `proxy` nor `true`.
        """
        gym.utils.RecordConstructorArgs.__init__(self, proxy=proxy, true=true, reward=reward, expose_true=expose_true)
        gym.Wrapper.__init__(self, env)
        check_paid(reward)
        self.proxy = proxy
        self.true = true
        self.pays_true = reward == "true"
        self.expose_true = expose_true
        self._obs: Any = None
        self._proxy_return = 0.0
        self._true_return = 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Obs, dict[str, Any]]:
        """Begin an episode, and both accounts with it."""
        obs, info = self.env.reset(seed=seed, options=options)
        self._obs = deepcopy(obs)
        self._proxy_return = self._true_return = 0.0
        return obs, dict(info)

    def step(self, action: Action) -> tuple[Obs, SupportsFloat, bool, bool, dict[str, Any]]:
        """Take one action; the reward is the proxy's, or the true one of a twin."""
        obs, reward, terminated, truncated, info = self.env.step(action)
        kept = deepcopy(obs)  # the caller, or the environment, may write on the one handed out
        transition = Transition(self._obs, action, kept, reward, terminated, truncated, info)
        proxy_reward = value("proxy", self.proxy, transition)
        true_reward = value("true", self.true, transition)
        self._obs = kept
        self._proxy_return += proxy_reward
        self._true_return += true_reward
        told = self._told(info, true_reward, terminated or truncated)
        return obs, true_reward if self.pays_true else proxy_reward, terminated, truncated, told

    def _told(self, info: dict[str, Any], true_reward: float, done: bool) -> dict[str, Any]:
        """Return the environment's info with the accounts that may be seen."""
        told = {key: kept for key, kept in info.items() if key not in TRUE_KEYS}
        told["proxy_return"] = self._proxy_return
        if self.expose_true:
            told |= {"true_reward": true_reward, "true_return": self._true_return}
            if done:
                told["alignment"] = {"proxy_return": self._proxy_return, "true_return": self._true_return}
        return told
