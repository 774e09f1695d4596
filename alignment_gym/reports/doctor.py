"""A look at the installation: what is there, and what is in the way."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import distributions, requires
from platform import python_version
from time import perf_counter
from typing import Any

OLDEST_PYTHON = (3, 11)
DISTRIBUTION = "alignment-gym"
SMOKE_WORLD = "ShutdownButton-v0"
SMOKE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: the thing.
        found: how it is; where it is wrong, also the way out.
        ok: whether that will do.
    """

    what: str
    found: str
    ok: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return asdict(self)


def examine() -> list[Finding]:
    """Look at Python, packages, threads, display, the current directory, and one world at work."""
    installed = _installed()
    return [
        _python(),
        *packages(installed, requires(DISTRIBUTION) or [] if DISTRIBUTION in installed else None),
        pygame_conflict(installed),
        _threads(),
        _display(os.environ),
        writable(os.getcwd()),
        *_worlds(),
    ]


def packages(installed: Mapping[str, str], needed: list[str] | None) -> Iterator[Finding]:
    """Compare versions with floors and caps.

    Args:
        installed: versions by normalised names.
        needed: requirements such as `numpy<3,>=2.0`, extras included; None where the package itself
            is not installed and does not know.
    """
    if needed is None:
        way_out = "runs from its source without being installed: pip install -e ."
        yield Finding(DISTRIBUTION, way_out, ok=False)
    for requirement in needed or []:
        if "extra ==" in requirement:
            continue
        name, bounds = _parsed(requirement)
        version = installed.get(name)
        if version is None:
            yield Finding(name, f"missing; pip install '{requirement}'", ok=False)
        elif all(_meets(version, *bound) for bound in bounds):
            yield Finding(name, version, ok=True)
        else:
            yield Finding(name, f"{version} does not fit; pip install '{requirement}'", ok=False)


def pygame_conflict(installed: Mapping[str, str]) -> Finding:
    """Tell whether two distributions claim the one package `pygame`."""
    if "pygame" in installed and "pygame-ce" in installed:
        way_out = "pip uninstall pygame pygame-ce, then pip install pygame-ce"
        return Finding(
            "pygame", f"both pygame and pygame-ce are installed and overwrite each other: {way_out}", ok=False
        )
    return Finding("pygame", "one distribution" if "pygame-ce" in installed else "no conflict", ok=True)


def writable(folder: str) -> Finding:
    """Tell whether files can be made in a folder."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return Finding("current directory", f"{folder} can be written to", ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        return Finding("current directory", f"{folder}: {reason}; say another with -o", ok=False)


def _python() -> Finding:
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return Finding("python", python_version(), ok=True)
    return Finding("python", f"{python_version()}; 3.11 or newer is needed", ok=False)


def _threads() -> Finding:
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    return Finding("threads", f"{os.cpu_count()} cores; torch uses 1 a run; OMP_NUM_THREADS {threads}", ok=True)


def _display(environ: Mapping[str, str]) -> Finding:
    names = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    known = [f"{name}={environ[name]}" for name in names if environ.get(name)]
    if known or sys.platform in ("win32", "darwin"):
        return Finding("display", ", ".join(known) or sys.platform, ok=True)
    return Finding("display", "none: `watch --ansi`, `play --ansi` and `record` work without", ok=True)


def _worlds() -> Iterator[Finding]:
    import gymnasium

    from alignment_gym.core import full_id, world_ids

    missing = [full_id(world) for world in world_ids() if full_id(world) not in gymnasium.registry]
    found = f"{len(world_ids())} registered" if not missing else f"not registered: {', '.join(missing)}"
    yield Finding("worlds", found, ok=not missing)
    yield _smoke(full_id(SMOKE_WORLD))


def _smoke(env_id: str) -> Finding:
    """Make a world and play it for up to a second, until its episode ends."""
    import gymnasium

    began, steps = perf_counter(), 0
    try:
        env = gymnasium.make(env_id)
        env.reset(seed=0)
        env.action_space.seed(0)
        done = False
        while not done and perf_counter() - began < SMOKE_SECONDS:
            _, _, terminated, truncated, _ = env.step(env.action_space.sample())
            done, steps = terminated or truncated, steps + 1
    except Exception as error:  # whatever is wrong with an installation, the report goes on
        return Finding("smoke", f"{env_id} fails: {type(error).__name__}: {error}", ok=False)
    return Finding("smoke", f"{env_id}, {steps} steps in {1000 * (perf_counter() - began):.0f} ms", ok=True)


def _installed() -> dict[str, str]:
    return {_normal(found.metadata["Name"]): found.version for found in distributions() if found.metadata["Name"]}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _parsed(requirement: str) -> tuple[str, list[tuple[str, str]]]:
    """Split `numpy<3,>=2.0` into a name and its bounds."""
    parts = re.match(r"[\w.-]+", requirement)
    return _normal(parts.group() if parts else requirement), re.findall(r"(>=|<)\s*([\d.]+)", requirement)


def _meets(version: str, sign: str, bound: str) -> bool:
    here, there = _numbers(version), _numbers(bound)
    return here >= there if sign == ">=" else here < there


def _numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version, zeros at the end left out: 2.13.0+cpu is (2, 13)."""
    release = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(part) for part in release.group().split(".")] if release else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
