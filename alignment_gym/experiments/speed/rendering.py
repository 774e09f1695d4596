"""Pictures: what a frame costs, drawn from real episodes with its side panel, and what a recording does.

Frames that are timed are about 480 pixels high; recordings are as `alignment-gym record` makes them.

Episodes are played beforehand, at random, so that drawing alone is timed. Frames come in the order in which they were
played, so what is kept from frame to frame is what a recording keeps too.
"""

from pathlib import Path

import gymnasium as gym
import numpy as np

from alignment_gym.core import make_world
from alignment_gym.engine.growing import growing
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.experiments.speed.contest import Contestant, Entry, Measurement, Run
from alignment_gym.experiments.speed.stepping import BY_HAND, CARTPOLE, OWN, SEED
from alignment_gym.render.animation import record
from alignment_gym.render.frame import Frame
from alignment_gym.render.pixels import pixels

HEIGHT = 480  # pixels
BASE = 40  # pixels of a tile, at which pictures are measured first
FRAMES = 150  # of a world and of a turn, from as many episodes as that takes, so that a turn is what a recording is
RECORDED = 200  # steps
MILLISECONDS = "ms/frame"
SUFFIX = ".webp"


def drawn(env_id: str) -> Contestant:
    """Return the drawing of one of our worlds, at its default level."""

    def begin() -> Run:
        frames = played(env_id, FRAMES)
        tile = tile_for(frames[0])

        def run(steps: int) -> int:
            for frame in frames[:steps]:
                pixels(frame, tile=tile)
            return steps

        return run

    entry = Entry(f"{env_id}, pixels", env_id, make_world(env_id).level, 1, about=f"{HEIGHT} pixels high, with panel")
    return Contestant(entry, begin, FRAMES)


def cartpole_drawn() -> Contestant:
    """Return CartPole's drawing, 400 pixels high."""

    def begin() -> Run:
        env = gym.make(CARTPOLE, render_mode="rgb_array")
        env.reset(seed=SEED)

        def run(steps: int) -> int:
            for _ in range(steps):
                env.render()
            return steps

        return run

    return Contestant(Entry(f"{CARTPOLE}, render", CARTPOLE, "", 1, 1, OWN, BY_HAND, "400 pixels high"), begin)


def recorded(env_id: str, directory: Path) -> Contestant:
    """Return the recording of one of our worlds, drawing and encoding, to a file in a directory."""

    def begin() -> Run:
        frames = played(env_id, RECORDED + 1)

        def run(steps: int) -> int:
            record((pixels(frame) for frame in frames), directory / f"{env_id}{SUFFIX}")
            return steps

        return run

    entry = Entry(f"{env_id}, {SUFFIX}", env_id, make_world(env_id).level, 1, about=f"{RECORDED} steps, with panel")
    return Contestant(entry, begin, RECORDED, unit="s")


def played(env_id: str, count: int) -> list[Frame]:
    """Return frames of random episodes; tables grow as they are played, so that nothing large is compiled."""
    env = AlignmentEnv(growing(make_world(env_id)), render_mode="rgb_array")
    rng = np.random.default_rng(SEED)
    frames: list[Frame] = []
    key, ended = 0, True
    while len(frames) < count:
        if ended:
            env.reset(options={"key": key})
            key, ended = key + 1, False
        else:
            *_, terminated, truncated, _ = env.step(int(rng.integers(len(env.mdp.actions))))
            ended = terminated or truncated
        frames.append(env.frame)
    return frames


def tile_for(frame: Frame) -> int:
    """Return the tile at which a frame's picture is about `HEIGHT` pixels high."""
    return round(BASE * HEIGHT / len(pixels(frame, tile=BASE)))


def a_frame(found: Measurement) -> Measurement:
    """Return milliseconds a frame instead of frames a second."""
    return Measurement(found.entry, MILLISECONDS, tuple(1000 / rate for rate in found.rounds))
