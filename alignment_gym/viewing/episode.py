"""Episodes as frames: a policy table plays, and every step becomes a picture's worth of data."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import count, zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment_gym.agents import Script
from alignment_gym.core import InvalidPolicy, TooLargeToEnumerate
from alignment_gym.engine.belief import observing
from alignment_gym.engine.growing import GrowingMDP
from alignment_gym.engine.mdp import FiniteMDP
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.exact.tables import PolicyTable
from alignment_gym.exact.values import Array, at_start, maximal, minimal, table_at
from alignment_gym.render.frame import Frame, Range
from alignment_gym.render.pixels import pixels

GAP = 6  # pixels between two pictures
GAP_SHADE = 60  # of 255
PAGE_SHADE = 246

Image = NDArray[np.uint8]


def episode(mdp: FiniteMDP, policy: Array, key: int, rng: np.random.Generator, who: str = "") -> Iterator[Frame]:
    """Play one episode and yield its frames, the first before any step.

    Args:
        mdp: compiled from a world, of O observations, A actions and a horizon H.
        policy: probabilities (O, A), or (H, O, A) with one table a step. A planner's policy on
            the hidden states of a partially observed world is none of these.
        key: the episode's 32-bit key, which fixes the world's chance.
        rng: draws the policy's actions.
        who: who acts, for the side panel.

    Raises:
        InvalidPolicy: a table of another shape.
    """
    actions = len(mdp.actions)
    if policy.shape[-2:] != (len(mdp.observations), actions):
        raise InvalidPolicy(
            f"a policy on {mdp.name} ends in the shape {(len(mdp.observations), actions)}, not {policy.shape[-2:]}"
        )
    number = dict(zip(mdp.states, mdp.observation_id.tolist(), strict=True))

    def drawn(state: Any, step: int, rng: np.random.Generator) -> int:
        chances = table_at(policy, step)[number[state]]
        return int(rng.choice(len(chances), p=chances / chances.sum()))

    return _played(mdp, drawn, key, rng, who)


def _played(
    mdp: FiniteMDP | GrowingMDP, script: Script, key: int, rng: np.random.Generator, who: str
) -> Iterator[Frame]:
    env = AlignmentEnv(mdp, render_mode="rgb_array")
    proxy_range, true_range = ranges(mdp)
    env.reset(options={"key": key})
    for step in count():
        yield replace(env.frame, who=who, proxy_range=proxy_range, true_range=true_range)
        *_, terminated, truncated, _ = env.step(script(env.state, step, rng))
        if terminated or truncated:
            yield replace(env.frame, who=who, proxy_range=proxy_range, true_range=true_range)
            return


@lru_cache(maxsize=16)
def ranges(mdp: FiniteMDP | GrowingMDP) -> tuple[Range | None, Range | None]:
    """Return what the worst and the best policy earn on average, of the proxy and of the true objective.

    Levels that are too large to be solved have neither.
    """
    if isinstance(mdp, GrowingMDP):
        return None, None
    try:
        known = observing(mdp)
    except TooLargeToEnumerate:  # the beliefs, where states are hidden
        return None, None
    rewards = [mdp.reward("proxy"), mdp.reward("true")]
    low, high = at_start(known, minimal(known, list(rewards))), at_start(known, maximal(known, list(rewards)))
    return (float(low[0]), float(high[0])), (float(low[1]), float(high[1]))


def beside(left: Iterable[Frame], right: Iterable[Frame], panel: bool = True, tile: int = 40) -> Iterator[Image]:
    """Yield pictures of two episodes next to each other; the shorter one stands still at its end."""
    last: list[Image | None] = [None, None]
    for pair in zip_longest(left, right):
        for side, frame in enumerate(pair):
            if frame is not None:
                last[side] = pixels(frame, panel, tile)
        if last[0] is None or last[1] is None:
            return
        yield joined(last[0], last[1])


def joined(*images: Image, down: bool = False) -> Image:
    """Return pictures next to each other, or one above the other, with lines between; even sides stay even."""
    axis, across = (0, 1) if down else (1, 0)
    longest = max(image.shape[across] for image in images)
    line = np.full((GAP, longest, 3) if down else (longest, GAP, 3), GAP_SHADE, dtype=np.uint8)
    parts: list[Image] = []
    for image in images:
        padding = [(0, 0), (0, 0), (0, 0)]
        padding[across] = (0, longest - image.shape[across])
        parts += [line] * bool(parts) + [np.pad(image, padding, constant_values=PAGE_SHADE)]
    return np.concatenate(parts, axis=axis)


def acted(mdp: FiniteMDP | GrowingMDP, policy: PolicyTable | Script, key: int, who: str = "") -> Iterator[Frame]:
    """Play one episode of a policy table or a script; the key fixes the world's chance and the policy's."""
    rng = np.random.default_rng([key, 1])
    if not isinstance(policy, PolicyTable):
        return _played(mdp, policy, key, rng, who)
    assert isinstance(mdp, FiniteMDP), "tables of policies need tables of worlds"
    return episode(mdp, policy.on(mdp).by_observation, key, rng, who)
