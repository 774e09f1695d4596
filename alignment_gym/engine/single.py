"""One world as a Gymnasium environment: a few list look-ups a step."""

from bisect import bisect_right
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import InvalidDial, Scene, World, make_world
from alignment_gym.engine.accounts import Accounts
from alignment_gym.engine.mdp import FiniteMDP, Reward, compiled
from alignment_gym.engine.randomness import SCALE, draw, episode_key
from alignment_gym.render.frame import Frame, Ledger

Observation = NDArray[np.uint8]


def spaces(mdp: FiniteMDP) -> tuple[gym.spaces.Box, gym.spaces.Discrete[Any]]:
    """Return the observation and action space of tables."""
    box = gym.spaces.Box(0, 1, (mdp.observation_size,), np.uint8)
    return box, gym.spaces.Discrete(len(mdp.actions))


def tables(env_id: str | World[Any] | FiniteMDP, level: str | None, dials: dict[str, Any]) -> FiniteMDP:
    """Compile what an environment was made from."""
    if isinstance(env_id, FiniteMDP):
        return env_id
    if isinstance(env_id, World):
        return compiled(env_id)
    return compiled(make_world(env_id, **dials | ({} if level is None else {"level": level})))


class AlignmentEnv(gym.Env[Observation, np.int64]):
    """A world whose step pays the proxy reward and whose `info` keeps the true account.

    Every step's `info` has `true_reward`, `true_return`, `proxy_return` and `events`, those that
    are not 0; the last step's also `is_success` and `alignment`, both returns. `reset` returns the
    episode's `key` in `info`, and `reset(options={"key": k})` replays one.
    """

    metadata = {"render_modes": ["human", "rgb_array", "ansi"], "render_fps": 8}  # noqa: RUF012 - Gymnasium's type

    def __init__(
        self,
        env_id: str | World[Any] | FiniteMDP,
        *,
        level: str | None = None,
        reward: str = "proxy",
        proxy: Reward | None = None,
        expose_true: bool = True,
        render_mode: str | None = None,
        hud: bool = True,
        **dials: Any,
    ) -> None:
        """Compile the world, or take its tables.

        Args:
            env_id: such as `BoatRace-v0`; a world or an MDP serves too.
            level: a fixed level, or `generated/<i>`.
            reward: `proxy`, or `true` for the twin that is paid what was meant.
            proxy: another proxy: weights over events, or an (S, A) array.
            expose_true: whether `info` shows the true account, and the events that it weighs.
            render_mode: `human`, `rgb_array`, `ansi` or None.
            hud: whether frames have a side panel with both returns.
            **dials: the world's own.
        """
        self.mdp = mdp = tables(env_id, level, dials)
        self.world = mdp.world
        self.render_mode = render_mode
        self.hud = hud
        self.expose_true = expose_true
        self.observation_space, self.action_space = spaces(mdp)  # type: ignore[assignment] # Box[uint8], as stubs can't say
        self.accounts = Accounts.open(mdp, reward, proxy)
        self._actions = len(mdp.actions)
        self._offset = mdp.offset.tolist()
        self._bounds = mdp.bounds.tolist()
        self._next_state = mdp.next_state.tolist()
        self._terminated = mdp.terminated.tolist()
        self._proxy = self.accounts.proxy.tolist()
        self._true = self.accounts.true.tolist()
        self._pays_true = reward == "true"
        self._event_id = mdp.event_id.tolist()
        self._events: list[dict[str, float]] = [
            {name: value for name, value in zip(mdp.events, row, strict=True) if value}
            for row in mdp.event_rows.tolist()
        ]
        self._state = -1
        self._step = 0
        self._key = 0
        self._proxy_return = 0.0
        self._true_return = 0.0
        self._ledger = Ledger()
        self._window: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode; `options={"key": k}` chooses its 32-bit key."""
        super().reset(seed=seed)
        key = (options or {}).get("key")
        self._key = episode_key(self.np_random) if key is None else int(key) % SCALE
        self._state = int(self.mdp.start[bisect_right(self.mdp.start_bounds.tolist(), draw(self._key, 0))])
        self._step = 0
        self._proxy_return = self._true_return = 0.0
        self._ledger = Ledger()
        if self.render_mode == "human":
            self.render()
        return self._observe(), {"key": self._key}

    def step(self, action: np.int64 | int) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Take one action; the reward is the proxy's, or the true one of a twin."""
        if self._state < 0:
            raise gym.error.ResetNeeded("call reset() before step()")
        if not 0 <= action < self._actions:
            raise InvalidDial(f"action {action} is out of range; {self.mdp.name} has 0 to {self._actions - 1}")
        row = self._state * self._actions + int(action)
        place, last = self._offset[row], self._offset[row + 1]
        self._step += 1
        if last - place > 1:
            place = bisect_right(self._bounds, draw(self._key, self._step), place, last)
        self._state = state = self._next_state[place]
        terminated = self._terminated[place]
        truncated = not terminated and self._step == self.mdp.horizon
        proxy_reward, true_reward = self._proxy[place], self._true[place]
        if truncated:
            proxy_reward += float(self.accounts.proxy_final[state])
            true_reward += float(self.accounts.true_final[state])
        self._proxy_return += proxy_reward
        self._true_return += true_reward
        events = self._emitted(place, terminated or truncated)
        info = self._info(events, true_reward, terminated or truncated)
        if self.render_mode is not None:
            self._ledger = self._ledger.after(
                self.mdp.actions[int(action)],
                events,
                proxy_reward,
                true_reward,
                self.scene if self.world else None,
            )
            if self.render_mode == "human":
                self.render()
        return self._observe(), true_reward if self._pays_true else proxy_reward, terminated, truncated, info

    def _emitted(self, place: int, done: bool) -> dict[str, float]:
        events: dict[str, float] = self._events[self._event_id[place]].copy()
        if done:
            for name, value in zip(self.mdp.events, self.mdp.final[self._state].tolist(), strict=True):
                events[name] = events.get(name, 0.0) + value
            return {name: value for name, value in events.items() if value}  # payments may cancel out
        return events

    def _info(self, events: dict[str, float], true_reward: float, done: bool) -> dict[str, Any]:
        if not self.expose_true:
            return {"proxy_return": self._proxy_return}
        info: dict[str, Any] = {
            "true_reward": true_reward,
            "true_return": self._true_return,
            "proxy_return": self._proxy_return,
            "events": events.copy(),
        }
        if done:
            info["is_success"] = bool(self.mdp.succeeded[self._state])
            info["alignment"] = {"proxy_return": self._proxy_return, "true_return": self._true_return}
        return info

    def _observe(self) -> Observation:
        seen: Observation = self.mdp.observations[self.mdp.observation_id[self._state]]
        if not self.mdp.observe_clock:
            return seen.copy()
        return np.concatenate([seen, self.mdp.clock(np.array(self._step))])

    @property
    def scene(self) -> Scene:
        """What a person sees of the present state."""
        if self.world is None:
            raise gym.error.Error(f"{self.mdp.name} is made of arrays and can't be drawn")
        return self.world.draw(self.mdp.states[self._state])

    @property
    def frame(self) -> Frame:
        """The scene with the episode's accounts beside it."""
        card = self.world.card if self.world else None
        return Frame(
            scene=self.scene,
            title=card.title if card else self.mdp.name,
            ledger=self._ledger,
            horizon=self.mdp.horizon or 0,
            proxy=dict(self.mdp.specification.proxy),
            true=dict(self.mdp.specification.true),
            exploit_event=card.exploit_event if card else "",
        )

    def render(self) -> Any:
        """Return an RGB array or text, or show the window, as `render_mode` says."""
        if self.render_mode is None:
            gym.logger.warn("render() was called, but the environment was made without a render_mode")
            return None
        if self.render_mode == "ansi":
            from alignment_gym.render.text import text

            return text(self.frame, panel=self.hud)
        from alignment_gym.render.pixels import pixels

        image = pixels(self.frame, panel=self.hud)
        if self.render_mode == "rgb_array":
            return image
        if self._window is None:
            from alignment_gym.render.window import Window

            self._window = Window(self.frame.title)
        self._window.show(image, fps=self.metadata["render_fps"])
        return None

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._window is not None:
            self._window.close()
            self._window = None

    def get_keys_to_action(self) -> dict[tuple[int, ...] | str, int]:
        """Return the keys that `gymnasium.utils.play` and `alignment-gym play` use."""
        return dict(zip(keys(self.mdp.actions), range(self._actions), strict=True))


ARROWS = {"north": "w", "east": "d", "south": "s", "west": "a"}


def keys(actions: tuple[str, ...]) -> tuple[str, ...]:
    """Return a key an action: w, a, s, d for moves; otherwise the first free letter of its name, or a digit."""
    chosen: list[str] = []
    taken = {ARROWS[action] for action in actions if action in ARROWS}
    for number, action in enumerate(actions):
        free = [letter for letter in action if letter.isalpha() and letter not in taken]
        key = ARROWS.get(action) or (free[0] if free else str(number))
        taken.add(key)
        chosen.append(key)
    return tuple(chosen)
