"""Stable-Baselines3: a native `VecEnv` on the tables, and trained networks as tables.

The only file that imports torch and SB3. `VecEnv` resets finished lanes at once, keeps the last
observation under `terminal_observation`, and tells truncation from termination, so that learners
bootstrap where the horizon cuts an episode.
"""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from sb3_contrib import QRDQN
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env as looped
from stable_baselines3.common.preprocessing import maybe_transpose
from stable_baselines3.common.vec_env import VecEnv, VecMonitor
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvObs, VecEnvStepReturn

from alignment_gym.agents.recipes import Recipe
from alignment_gym.agents.training import AS_IT_IS, Checkpoint, Learned, Pay
from alignment_gym.core import InvalidDial, UnknownName, World, full_id
from alignment_gym.engine.accounts import open_accounts
from alignment_gym.engine.growing import GrowingMDP
from alignment_gym.engine.lanes import Advance, Lanes, taken
from alignment_gym.engine.mdp import FiniteMDP, Reward
from alignment_gym.engine.randomness import derived_seed
from alignment_gym.engine.single import spaces, tables
from alignment_gym.engine.views import checked_view, divided

_Algorithm = type[PPO] | type[A2C] | type[DQN] | type[QRDQN]
ALGORITHMS: dict[str, _Algorithm] = {"ppo": PPO, "a2c": A2C, "dqn": DQN, "qr-dqn": QRDQN}
ACTIVATIONS = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}


class AlignmentVecEnv(VecEnv):
    """Lanes of one world behind SB3's interface."""

    def __init__(
        self,
        env_id: str | World[Any] | FiniteMDP | GrowingMDP,
        n_envs: int = 1,
        seed: int | None = None,
        *,
        level: str | Sequence[str] | None = None,
        reward: str = "proxy",
        proxy: Reward | None = None,
        expose_true: bool = True,
        pay: Pay = AS_IT_IS,
        obs: str = "features",
        view: str | None = None,
        **dials: Any,
    ) -> None:
        """Compile the world, or take its tables.

        Args:
            env_id: such as `BoatRace-v0`; a world or an MDP serves too.
            n_envs: lanes.
            seed: lane i gets `seed + i`; None for an unpredictable one.
            level: a fixed level, `generated/<i>`, or several of them: a list, or `generated/0-9`.
            reward: `proxy`, or `true` for the twin.
            proxy: another proxy: weights over events, or an (S, A) array.
            expose_true: whether infos of finished lanes show the true account.
            pay: the scale on which the learner is paid.
            obs: what is observed, as in the single environment; SB3's own learners take no text.
            view: a mask, or the world's dial of this name, as in the single environment.
            **dials: the world's own.
        """
        if n_envs < 1:
            raise InvalidDial(f"n_envs = {n_envs} is out of range; at least 1 lane")
        dials, cells = divided(env_id, view, dials)
        mdp = tables(env_id, level, dials)
        shown = checked_view(mdp, obs, cells)
        self.mdp = mdp
        self.lanes = Lanes(mdp, n_envs, open_accounts(mdp, reward, proxy), expose_true, shown)
        self.expose_true = expose_true
        self.pay = pay
        self._none: list[dict[str, Any]] = [{}] * n_envs
        self._began = perf_counter()
        self._closed = False
        observation_space, action_space = spaces(mdp, shown)
        super().__init__(n_envs, observation_space, action_space)
        self._actions: NDArray[np.int64] = np.zeros(n_envs, dtype=np.int64)
        self.seed(seed)

    def reset(self) -> VecEnvObs:
        """Begin episodes in all lanes, with the seeds that `seed` set, if it did."""
        self._check_open()
        if self._seeds[0] is not None:
            self.lanes.seed([int(each or 0) for each in self._seeds])
        self._reset_seeds()
        self._reset_options()
        self.lanes.begin(np.arange(self.num_envs))
        return self.lanes.observe()  # type: ignore[no-any-return] # an array, or a tuple of texts

    def step_async(self, actions: NDArray[np.integer[Any]]) -> None:
        """Keep the actions for `step_wait`."""
        self._check_open()
        self._actions[:] = self.lanes.checked(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """Take the actions; lanes that finish begin anew at once."""
        lanes = self.lanes
        advance = lanes.advance(self._actions)
        observations = lanes.observe()
        infos = list(map(dict.copy, self._none))
        if len(advance.ended):
            self._tell_last(infos, advance, observations)
            lanes.begin(advance.ended)
            observations = lanes.observe()
        reward = advance.true_reward if lanes.pays_true else advance.proxy_reward
        paid = ((reward - self.pay.base) * self.pay.scale).astype(np.float32)
        return observations, paid, advance.terminated | advance.truncated, infos

    def _tell_last(self, infos: list[dict[str, Any]], advance: Advance, observations: Any) -> None:
        """Enter what finished lanes say; `episode` has the keys of SB3's monitor, its return unscaled."""
        lanes, ended = self.lanes, advance.ended
        seconds = round(perf_counter() - self._began, 6)
        proxy_returns, true_returns = lanes.proxy_return[ended].tolist(), lanes.true_return[ended].tolist()
        earned = true_returns if lanes.pays_true else proxy_returns
        lengths, truncated = lanes.step[ended].tolist(), advance.truncated[ended].tolist()
        for place, lane in enumerate(ended.tolist()):
            infos[lane] = {
                "terminal_observation": taken(observations, lane),
                "TimeLimit.truncated": truncated[place],
                "episode": {"r": round(earned[place], 6), "l": lengths[place], "t": seconds},
            }
        if self.expose_true:
            succeeded = lanes.gathers.succeeded(lanes.state[ended]).tolist()
            for lane, *told in zip(ended.tolist(), proxy_returns, true_returns, succeeded, strict=True):
                infos[lane] |= dict(zip(("proxy_return", "true_return", "is_success"), told, strict=True))

    def _check_open(self) -> None:
        if self._closed:
            raise gym.error.ClosedEnvironmentError("the lanes are closed; make new ones")

    def close(self) -> None:
        """Refuse further steps; there is nothing to free."""
        self._closed = True

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """Return an attribute, the same for every lane."""
        if attr_name == "render_mode":
            return [None for _ in self._get_indices(indices)]
        value = getattr(self, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:  # noqa: ARG002 - SB3's interface
        """Set an attribute for all lanes together."""
        setattr(self, attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: VecEnvIndices = None, **kwargs: Any) -> list[Any]:
        """Call a method, the same for every lane."""
        return [getattr(self, method_name)(*args, **kwargs) for _ in self._get_indices(indices)]

    def env_is_wrapped(
        self,
        wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]],  # noqa: ARG002 - SB3's interface
        indices: VecEnvIndices = None,
    ) -> list[bool]:
        """Say that no lane is wrapped."""
        return [False for _ in self._get_indices(indices)]


def make_vec_env(env_id: str, n_envs: int = 1, seed: int | None = None, **options: Any) -> VecMonitor:
    """Return a world's native `VecEnv`, monitored, ready for any SB3 learner."""
    return VecMonitor(AlignmentVecEnv(env_id, n_envs, seed, **options))


def looped_vec_env(env_id: str, n_envs: int = 1, seed: int | None = None, **options: Any) -> VecEnv:
    """Return SB3's own loop over a world's single environments: what the native `VecEnv` is compared with.

    They are monitored, and not prepared to be drawn, which SB3 would have them otherwise.
    """
    return looped(full_id(env_id), n_envs, seed, env_kwargs={"render_mode": None, **options})


def network_agent(model: BaseAlgorithm) -> Callable[[NDArray[np.uint8]], NDArray[Any]]:
    """Return a trained network as a callable: probabilities for PPO and A2C, greedy actions for DQN and QR-DQN.

    QR-DQN's values are the means of its quantiles: Dabney et al., Distributional reinforcement learning with
    quantile regression (2018), arXiv 1710.10044, algorithm 1.
    """

    def ask(observations: NDArray[np.uint8]) -> NDArray[Any]:
        with torch.no_grad():
            batch = torch.as_tensor(maybe_transpose(observations, model.observation_space))
            if isinstance(model, DQN):
                return np.asarray(model.q_net(batch).argmax(dim=-1).numpy())
            if isinstance(model, QRDQN):
                return np.asarray(model.quantile_net(batch).mean(dim=1).argmax(dim=-1).numpy())
            distribution = model.policy.get_distribution(batch).distribution  # type: ignore[operator]
            return np.asarray(distribution.probs.double().numpy())

    return ask


class _Schedule(BaseCallback):
    """Before each rollout, lower the entropy bonus and hand the agent over at its marks."""

    def __init__(self, marks: Sequence[int], reached: Checkpoint, held: float, gone: float) -> None:
        """Take marks in steps, and the shares of training up to which the bonus is whole and after which it is gone.

        A bonus that is never gone (0) stays as it is.
        """
        super().__init__()
        self._marks = list(marks)
        self._reached = reached
        self._held = held
        self._gone = gone
        self._bonus = 0.0

    def _on_training_start(self) -> None:
        self._bonus = getattr(self.model, "ent_coef", 0.0)

    def _on_rollout_start(self) -> None:
        if self._bonus and self._gone:
            made = 1.0 - self.model._current_progress_remaining
            falling = max(self._gone - self._held, 1e-9)
            share = min(1.0, max(0.0, (self._gone - made) / falling))
            self.model.ent_coef = self._bonus * share  # type: ignore[attr-defined]
        while self._marks and self.num_timesteps >= self._marks[0]:
            self._marks.pop(0)
            if not self._marks or self.num_timesteps < self._marks[0]:
                self._reached(self.num_timesteps, network_agent(self.model))

    def _on_step(self) -> bool:
        return True


def learn(
    recipe: Recipe,
    env: VecEnv,
    steps: int,
    seed: int,
    marks: Sequence[int],
    reached: Checkpoint,
    log_folder: str | None = None,
) -> Learned:
    """Train a network with one torch thread.

    Args:
        recipe: algorithm and hyperparameters.
        env: lanes that pay the training reward, and tell `episode` as SB3's monitor does.
        steps: of the environment, all lanes together.
        seed: of the network and of exploration; the lanes' seeds are derived from it.
        marks: steps at which `reached` is called with the agent.
        reached: takes the number of steps and the agent.
        log_folder: where TensorBoard events go.
    """
    torch.set_num_threads(1)
    settings = dict(recipe.settings)
    network = _network(settings)
    schedule = _Schedule(marks, reached, settings.pop("bonus_held", 0.0), settings.pop("bonus_gone", 0.0))
    if settings.pop("decay", False):
        settings["learning_rate"] = _linear(settings["learning_rate"])
    model = ALGORITHMS[recipe.algorithm](
        "MlpPolicy",
        env,
        seed=seed,
        device="cpu",
        gamma=recipe.discount,
        policy_kwargs=network,
        tensorboard_log=log_folder,
        **settings,
    )
    # SB3 has given the lanes the network's seed: neighbouring runs would share most of their chance
    env.seed(derived_seed("lanes", seed))
    model.learn(steps, callback=schedule, log_interval=10, tb_log_name="tensorboard")
    return Learned(network_agent(model), model.save)


def _network(settings: dict[str, Any]) -> dict[str, Any]:
    """Take a network's settings out, and return them as SB3's policies name them."""
    network: dict[str, Any] = {"net_arch": list(settings.pop("net_arch"))}
    activation = settings.pop("activation", None)
    if activation is not None:
        if activation not in ACTIVATIONS:
            raise UnknownName("activation", activation, ACTIVATIONS)
        network["activation_fn"] = ACTIVATIONS[activation]
    if "n_quantiles" in settings:
        network["n_quantiles"] = settings.pop("n_quantiles")
    if settings.pop("fused", False):
        network |= {"optimizer_class": torch.optim.Adam, "optimizer_kwargs": {"fused": True}}
    return network


def _linear(start: float) -> Callable[[float], float]:
    return lambda remaining: start * remaining
