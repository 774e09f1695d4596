import os
from typing import Any

import pytest
from hypothesis import settings

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # Gymnasium's checker opens windows
os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: a worker a core, and threads only wait

from alignment_gym.core import world_class, world_ids

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regenerate-golden", action="store_true", help="write tests/golden/*.json anew")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one worker have all that is asked of a world, so that each of its levels is compiled and solved once."""
    homes = {world_class(env_id).__module__.rpartition(".")[2]: env_id for env_id in world_ids()}
    for item in items:
        if item.get_closest_marker("xdist_group"):
            continue
        params = item.callspec.params.values() if hasattr(item, "callspec") else ()
        world = next((name for name in map(id_of, params) if name in homes.values()), None)
        home = homes.get(item.path.stem.removeprefix("test_"), item.path.stem)
        item.add_marker(pytest.mark.xdist_group(world or home))


def id_of(param: Any) -> Any:
    """Return the id that a parameter is, or that of the world that it is."""
    return param if isinstance(param, str) else getattr(getattr(param, "card", None), "id", None)
