import os

import pytest
from hypothesis import settings

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # Gymnasium's checker opens windows
os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: a worker a core, and threads only wait

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regenerate-golden", action="store_true", help="write tests/golden/*.json anew")
