"""How a study stands, and how long the rest of it may take."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import time
from typing import Any

from alignment_gym.experiments.runner import LEASE, Task, read_state
from alignment_gym.experiments.study import Planned

STATES = ("finished", "running", "failed", "damaged", "open")

PACE = {"ppo": 20.0, "a2c": 12.0, "dqn": 30.0, "qr-dqn": 60.0, "q-learning": 2.0, "sarsa": 2.0}
"""Seconds a million steps, of one core of an AMD EPYC VM: rough, and only for estimates."""

ELSE = 100.0
"""The same of a learner that is not known: SB3's defaults make some ten thousand steps a second."""

SCORING = 1.0
"""Seconds for starting, compiling, solving and scoring a run."""


def standing(planned: Sequence[Planned], root: Path, name: str) -> dict[str, Any]:
    """Return counts of runs by grid and state, and why those failed that did, as JSON values."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    troubles = []
    for each in planned:
        folder = each.config.folder(root, name)
        state, why = read_state(folder)
        shown = "running" if state == "open" and _is_leased(folder) else state
        counts[each.grid][shown] += 1
        if why:
            troubles.append({"run": str(folder), "state": shown, "why": why})
    return {
        "study": name,
        "grids": {grid: {state: found[state] for state in STATES} for grid, found in counts.items()},
        "troubles": troubles,
    }


def estimate(tasks: Sequence[Task], jobs: int) -> str:
    """Return how long the open ones of some runs may take, in words.

    Runs of the same recipe that are finished tell the pace; where there are none, a table does.
    """
    seen: dict[str, list[float]] = defaultdict(list)
    left: list[Task] = []
    for task in tasks:
        if read_state(task.folder)[0] == "finished":
            seconds = _seconds(task.folder)
            if seconds is not None:
                seen[task.config.recipe].append(max(seconds - SCORING, 0.0) / task.config.steps)
        else:
            left.append(task)
    pace = {recipe: median(found) for recipe, found in seen.items()}
    each = [SCORING + task.config.steps * _pace(task.config.recipe, pace) for task in left]
    longest = max(each, default=0.0)
    whole = max(sum(each) / jobs, longest)
    return f"{len(left)} of them open: about {_spoken(whole)} in {jobs} process{'es' * (jobs > 1)}"


def _pace(recipe: str, seen: dict[str, float]) -> float:
    return seen.get(recipe, PACE.get(recipe, ELSE) / 1e6)


def _seconds(folder: Path) -> float | None:
    try:
        found = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
        return float(found.get("processor_seconds", found["training_seconds"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_leased(folder: Path) -> bool:
    try:
        return time() - (folder / ".lease").stat().st_mtime < LEASE
    except OSError:
        return False


def _spoken(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
