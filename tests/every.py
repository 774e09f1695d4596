"""Every registered world and level, for parametrised tests, and their solutions, each made once."""

from functools import cache
from time import process_time

from alignment_gym import exact
from alignment_gym.core import make_world, world_class, world_ids

DRAWN = 3  # levels of a family that are tried
SHORT = 13  # steps, so that episodes end often; where tests agree on it, tables are compiled once for all of them

WORLDS = world_ids()


def levels(env_id: str, drawn: int = DRAWN) -> tuple[str, ...]:
    """Return a world's fixed levels and the first ones of its families."""
    cls = world_class(env_id)
    return (*cls.levels, *(f"{family}/{index}" for family in cls.families for index in range(drawn)))


EVERY_LEVEL = [(env_id, level) for env_id in WORLDS for level in levels(env_id)]
LEVELS = [(env_id, level) for env_id, level in EVERY_LEVEL if make_world(env_id, level=level).enumerable]
GIANTS = [each for each in EVERY_LEVEL if each not in LEVELS]
CERTIFIED = [env_id for env_id in WORLDS if not world_class(env_id).card.uncertified]
DEMOS = [(env_id, demo.name) for env_id in WORLDS for demo in world_class(env_id).card.demos]


@cache
def timed_solution(env_id: str, level: str) -> tuple[exact.Solution, float]:
    """Solve a level, and return how many seconds of processor time that took."""
    before = process_time()
    solution = exact.solve(env_id, level=level)
    return solution, process_time() - before
