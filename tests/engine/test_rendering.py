"""Frames come without a screen, a window or any environment variable."""

import os
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import RenderCollection

from alignment_gym.core import full_id, world_ids
from tests.every import SHORT

# every world is drawn in a process that has drawn nothing before; what all of them import is imported once
SCRIPT = """
import gymnasium as gym, alignment_gym, os, sys
for env_id in sys.argv[1:]:
    child = os.fork()
    if not child:
        env = gym.make(env_id, render_mode="rgb_array")
        env.reset(seed=0)
        print(env_id, env.render().shape, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_frames_need_no_display_and_no_variable():
    bare = {key: value for key, value in os.environ.items() if not key.startswith(("SDL", "DISPLAY", "WAYLAND"))}
    worlds = [full_id(env_id) for env_id in world_ids()]
    command = [sys.executable, "-c", SCRIPT, *worlds]
    done = subprocess.run(command, env=bare, capture_output=True, text=True, check=True)
    shapes = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert {env_id for env_id, shape in shapes.items() if shape.endswith(", 3)")} == set(worlds)
    assert not done.stderr


@pytest.mark.parametrize("env_id", world_ids())
def test_gymnasiums_wrappers_collect_frames_of_one_size(env_id):
    env = RenderCollection(gym.make(full_id(env_id), render_mode="rgb_array", horizon=SHORT), pop_frames=False)
    env.reset(seed=0)
    ended, steps = False, 0
    while not ended:
        _, _, terminated, truncated, _ = env.step(env.action_space.sample())
        ended, steps = terminated or truncated, steps + 1
    frames = env.render()
    assert len(frames) == steps + 1
    assert {frame.shape for frame in frames} == {frames[0].shape}
    assert all(frame.dtype == np.uint8 and frame.ndim == 3 and frame.shape[-1] == 3 for frame in frames)


def test_pictures_come_and_go_without_changing_the_episode():
    plain, drawn = (gym.make(full_id("SensorCleaner-v0"), render_mode=mode) for mode in (None, "rgb_array"))
    for env in (plain, drawn):
        env.reset(seed=4)
    for action in (1, 1, 4, 5, 5, 2):
        drawn.render()
        assert plain.step(action)[1:] == drawn.step(action)[1:]
