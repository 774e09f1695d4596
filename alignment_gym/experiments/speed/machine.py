"""The machine that measured: whoever compares numbers needs to know it."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alignment_gym import __version__
from alignment_gym.experiments.run import git_sha, installed_version

PACKAGES = ("gymnasium", "numpy", "stable-baselines3", "torch", "minigrid", "ai-safety-gridworlds")


def machine() -> dict[str, Any]:
    """Return CPU, cores, load at the start, Python and package versions, as JSON values."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load_at_start": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": {"alignment-gym": __version__, **{name: installed_version(name) for name in PACKAGES}},
        "git_sha": git_sha(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
