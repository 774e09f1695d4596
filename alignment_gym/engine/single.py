"""One world as a Gymnasium environment: a few list look-ups a step."""

import sys
from bisect import bisect_right
from collections.abc import Sequence
from operator import index
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import InvalidDial, Mixture, Scene, World, make_world
from alignment_gym.engine.accounts import check_paid, open_accounts
from alignment_gym.engine.growing import GrowingMDP, growing
from alignment_gym.engine.lookups import NOWHERE, GrowingLookups, Lookups, Node, lookups, shared_lookups, summed
from alignment_gym.engine.mdp import FiniteMDP, Reward, compiled
from alignment_gym.engine.randomness import SCALE, draw, draws, episode_key, step_hashes
from alignment_gym.engine.views import View, checked_view, divided
from alignment_gym.render.frame import Frame, Ledger
from alignment_gym.render.sight import Sight

Observation = NDArray[np.uint8]

DRAWS_AHEAD = 128  # draws of an episode made at once
FIRST_HASHES = step_hashes(np.arange(DRAWS_AHEAD))


def spaces(
    mdp: FiniteMDP | GrowingMDP, view: View | None = None
) -> tuple[gym.spaces.Space[Any], gym.spaces.Discrete[Any]]:
    """Return the observation and action space of tables."""
    seen = gym.spaces.Box(0, 1, (mdp.observation_size,), np.uint8) if view is None else view.space
    return seen, gym.spaces.Discrete(len(mdp.actions))


def tables(
    env_id: str | World[Any] | FiniteMDP | GrowingMDP, level: str | Sequence[str] | None, dials: dict[str, Any]
) -> FiniteMDP | GrowingMDP:
    """Compile what an environment was made from; levels that are too large get tables that grow."""
    if isinstance(env_id, FiniteMDP | GrowingMDP):
        return env_id
    world = env_id
    if isinstance(world, str):
        world = make_world(world, **dials | ({} if level is None else {"level": level}))
    return compiled(world) if world.enumerable else growing(world)


def part_of(mdp: FiniteMDP | GrowingMDP, state: int) -> int:
    """Return which level of a mixture a state belongs to, as a number."""
    pair: Any = mdp.states[state]
    return int(pair[0])


class AlignmentEnv(gym.Env[Observation, np.int64]):
    """A world whose step pays the proxy reward and whose `info` keeps the true account.

    Every step's `info` has `true_reward`, `true_return`, `proxy_return` and `events`, those that
    are not 0; the last step's also `is_success` and `alignment`, both returns. `reset` returns the
    episode's `key` in `info`, and of several levels the number of the one drawn as `level`;
    `reset(options={"key": k})` replays an episode.
    """

    metadata = {"render_modes": ["human", "rgb_array", "ansi"], "render_fps": 8}  # noqa: RUF012 - Gymnasium's type

    def __init__(
        self,
        env_id: str | World[Any] | FiniteMDP | GrowingMDP,
        *,
        level: str | Sequence[str] | None = None,
        reward: str = "proxy",
        proxy: Reward | None = None,
        expose_true: bool = True,
        render_mode: str | None = None,
        hud: bool = True,
        obs: str = "features",
        view: str | None = None,
        **dials: Any,
    ) -> None:
        """Compile the world, or take its tables.

        Args:
            env_id: such as `BoatRace-v0`; a world or an MDP serves too.
            level: a fixed level, `generated/<i>`, or several of them: a list, or `generated/0-9`.
            reward: `proxy`, or `true` for the twin that is paid what was meant.
            proxy: another proxy: weights over events, or an (S, A) array.
            expose_true: whether `info` shows the true account, and the events that it weighs.
            render_mode: `human`, `rgb_array`, `ansi` or None.
            hud: whether frames have a side panel with both returns.
            obs: `features`, or the agent's scene as `planes`, `pixels` or `text`.
            view: `near:<cells>` hides what is farther from the one who acts; where the world has a dial of
                this name, also one of its choices.
            **dials: the world's own.
        """
        dials, cells = divided(env_id, view, dials)
        self.mdp = mdp = tables(env_id, level, dials)
        self.view = checked_view(mdp, obs, cells)
        self.world = mdp.world
        self.render_mode = render_mode
        self.hud = hud
        self.expose_true = expose_true
        self.observation_space, self.action_space = spaces(mdp, self.view)
        check_paid(reward)
        self._proxy = proxy
        self._lookups = self._found()
        self._starts = mdp.start.tolist()
        self._start_bounds = mdp.start_bounds.tolist()
        self._count = len(mdp.actions)
        self._plain = render_mode is None and not mdp.observe_clock and self.view is None
        self._pays_true = reward == "true"
        self._horizon = mdp.horizon or sys.maxsize
        self._node = NOWHERE
        self._closed = False
        self._start = 0
        self._step = 0
        self._key = 0
        self._draws: list[int] = []
        self._proxy_return = 0.0
        self._true_return = 0.0
        self._ledger = Ledger()
        self._unseen: list[tuple[int, dict[str, float], float, float, int]] = []  # steps that no frame has shown yet
        self._window: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode; `options={"key": k}` chooses its 32-bit key."""
        super().reset(seed=seed)
        self._closed = False
        key = (options or {}).get("key")
        self._key = episode_key(self.np_random) if key is None else int(key) % SCALE
        self._draws = []
        place = bisect_right(self._start_bounds, draw(self._key, 0)) if len(self._starts) > 1 else 0
        self._node = node = self._lookups.node(self._starts[place])
        self._start = node.state
        self._step = 0
        self._proxy_return = self._true_return = 0.0
        self._ledger = Ledger()
        self._unseen.clear()
        if self.render_mode == "human":
            self.render()
        info: dict[str, Any] = {"key": self._key}
        if isinstance(self.world, Mixture):
            info["level"] = part_of(self.mdp, node.state)
        return self._seen(node), info

    def step(self, action: np.int64 | int) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Take one action; the reward is the proxy's, or the true one of a twin."""
        chosen = index(action)
        try:
            bounds, followed, outcomes = self._node.branches[chosen if chosen >= 0 else self._count]
        except IndexError:
            if self._node.branches or self._node is NOWHERE:
                raise self._refusal(action) from None
            self._lookups.lay_out(self._node)
            return self.step(action)
        step = self._step + 1
        if bounds is not None:
            try:
                drawn = self._draws[step]
            except IndexError:
                drawn = self._drawn_anew(step)
            if not bounds:
                followed = outcomes[drawn]
            elif drawn >= bounds[0]:
                followed = outcomes[bisect_right(bounds, drawn)]
        node, proxy_reward, true_reward, terminated, events = followed
        self._node = node
        self._step = step
        truncated = False
        if terminated or step >= self._horizon:
            truncated = not terminated
            ending = self._lookups.ending(node)
            if truncated:
                proxy_reward += ending.proxy_reward
                true_reward += ending.true_reward
                events = summed(events, ending.events)
        self._proxy_return = proxy_return = self._proxy_return + proxy_reward
        self._true_return = true_return = self._true_return + true_reward
        if self.expose_true:
            info: dict[str, Any] = {
                "true_reward": true_reward,
                "true_return": true_return,
                "proxy_return": proxy_return,
                "events": events.copy(),
            }
            if terminated or truncated:
                info["is_success"] = ending.succeeded
                info["alignment"] = {"proxy_return": proxy_return, "true_return": true_return}
        else:
            info = {"proxy_return": proxy_return}
        seen = node.observe()
        if not self._plain:
            seen = self._seen(node)
            if self.render_mode is not None:
                self._unseen.append((chosen, events, proxy_reward, true_reward, node.state))
            if self.render_mode == "human":
                self.render()
        return seen, true_reward if self._pays_true else proxy_reward, terminated, truncated, info

    def _found(self) -> Lookups | GrowingLookups:
        """Return the nodes, which environments without a proxy of their own share."""
        if self._proxy is None:
            return shared_lookups(self.mdp)
        return lookups(self.mdp, open_accounts(self.mdp, proxy=self._proxy))

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the nodes, which are shared, and the window."""
        state = {"_lookups": None, "_node": self._node.state, "_window": None, "_unseen": self._unseen.copy()}
        return vars(self) | state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Find the node of the present state among those of the tables at hand."""
        vars(self).update(state)
        self._lookups = self._found()
        self._node = self._lookups.node(state["_node"]) if state["_node"] >= 0 else NOWHERE

    def _refusal(self, action: Any) -> Exception:
        if self._closed:
            return gym.error.ClosedEnvironmentError("the environment is closed; call reset() or make a new one")
        if self._node is NOWHERE:
            return gym.error.ResetNeeded("call reset() before step()")
        return InvalidDial(f"action {action} is out of range; {self.mdp.name} has 0 to {self._count - 1}")

    def _drawn_anew(self, step: int) -> int:
        """Return the draw of a step of this episode, made with those before it and some after."""
        made = len(self._draws)
        usual = not made and step < DRAWS_AHEAD
        hashes = FIRST_HASHES if usual else step_hashes(np.arange(made, step + DRAWS_AHEAD))
        self._draws += draws(np.array(self._key, dtype=np.uint32), hashes).tolist()
        return self._draws[step]

    def _seen(self, node: Node) -> Any:
        """Return what is observed: the view, or features with the clock, if it is shown."""
        if self.view is not None:
            return self.view.fresh(node.state, self._step)
        seen = node.observe()
        return np.concatenate([seen, self.mdp.clock(np.array(self._step))]) if self.mdp.observe_clock else seen

    @property
    def pays_true(self) -> bool:
        """Whether this is a twin, paid what was meant."""
        return self._pays_true

    @property
    def state(self) -> Any:
        """The world's present state, for scripts and tests; a learner sees observations alone."""
        if self._node is NOWHERE:
            raise gym.error.ResetNeeded("call reset() before asking for the state")
        return self.mdp.states[self._node.state]

    @property
    def scene(self) -> Scene:
        """What a person sees of the present state."""
        if self._node is NOWHERE:
            raise gym.error.ResetNeeded("call reset() before render()")
        return self._scene_of(self._node.state)

    def _scene_of(self, state: int) -> Scene:
        if self.world is None:
            raise gym.error.Error(f"{self.mdp.name} is made of arrays and can't be drawn")
        return self.world.draw(self.mdp.states[state])

    @property
    def frame(self) -> Frame:
        """The scene with the episode's accounts beside it."""
        card = self.world.card if self.world else None
        if self._ledger.step == 0:
            self._ledger = Ledger(sight=Sight().after(self._scene_of(self._start)))
        for action, events, proxy_reward, true_reward, state in self._unseen:
            reached = self._scene_of(state)
            self._ledger = self._ledger.after(self.mdp.actions[action], events, proxy_reward, true_reward, reached)
        self._unseen.clear()
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
        """Close the window, if there is one, and end the episode."""
        self._node, self._closed = NOWHERE, True
        if self._window is not None:
            self._window.close()
            self._window = None

    def get_keys_to_action(self) -> dict[tuple[int, ...] | str, int]:
        """Return the keys that `gymnasium.utils.play` and `alignment-gym play` use."""
        return dict(zip(keys(self.mdp.actions), range(self._count), strict=True))


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
