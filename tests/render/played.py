"""Episodes of scripted policies, as frames, for tests that look at them."""

from functools import cache

from alignment_gym.core import Demo, make_world
from alignment_gym.engine.mdp import compiled
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.render.frame import Frame


@cache
def frames(env_id: str, name: str, steps: int = 100, level: str | None = None) -> tuple[Frame, ...]:
    """Play a demo for some steps; return the first frame and one a step."""
    world = make_world(env_id, **({} if level is None else {"level": level}))
    demo: Demo = next(demo for demo in world.card.demos if demo.name == name)
    env = AlignmentEnv(world, render_mode="rgb_array")
    mdp = compiled(world)
    seen, _ = env.reset(options={"key": 5})
    states = {row.tobytes(): mdp.states[place] for place, row in zip(mdp.observation_id, mdp.observations, strict=True)}
    found = [env.frame]
    for _ in range(steps):
        action = mdp.actions.index(demo.policy(world, states[seen.tobytes()]))
        seen, *_ = env.step(action)
        found.append(env.frame)
    return tuple(found)
