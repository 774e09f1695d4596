"""Every registered world and level, for parametrised tests, and their solutions, each made once."""

from functools import cache
from time import process_time

from alignment_gym import exact
from alignment_gym.core import world_class, world_ids

WORLDS = world_ids()
GENERATED = ("generated/0", "generated/1", "generated/2")


def levels(env_id: str) -> tuple[str, ...]:
    """Return a world's fixed levels and the first generated ones."""
    cls = world_class(env_id)
    return (*cls.levels, *(GENERATED if cls.generated else ()))


LEVELS = [(env_id, level) for env_id in WORLDS for level in levels(env_id)]
DEMOS = [(env_id, demo.name) for env_id in WORLDS for demo in world_class(env_id).card.demos]


@cache
def timed_solution(env_id: str, level: str) -> tuple[exact.Solution, float]:
    """Solve a level, and return how many seconds of processor time that took."""
    before = process_time()
    solution = exact.solve(env_id, level=level)
    return solution, process_time() - before
