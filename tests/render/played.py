"""Episodes of scripted policies, as frames, for tests that look at them."""

from functools import cache

from alignment_gym.core import Demo, world_class
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.render.frame import Frame


@cache
def frames(env_id: str, name: str, steps: int = 100, level: str | None = None) -> tuple[Frame, ...]:
    """Play a demo, on its own level unless told otherwise, for some steps; return the first frame and one a step."""
    demo: Demo = next(demo for demo in world_class(env_id).card.demos if demo.name == name)
    env = AlignmentEnv(env_id, level=demo.level if level is None else level, render_mode="rgb_array")
    env.reset(options={"key": 5})
    found = [env.frame]
    for step in range(steps):
        action = env.mdp.actions.index(demo.action(env.world, env.state, step))
        *_, terminated, truncated, _ = env.step(action)
        found.append(env.frame)
        if terminated or truncated:
            break
    return tuple(found)
