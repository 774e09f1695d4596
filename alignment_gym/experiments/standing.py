"""How a study stands, and how long the rest of it may take."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import time
from typing import Any

from alignment_gym.experiments.runner import LEASE, LEASED, Task, read_state
from alignment_gym.experiments.study import Planned

STATES = ("finished", "running", "failed", "damaged", "open")

PACE = {"ppo": 20.0, "a2c": 12.0, "dqn": 30.0, "qr-dqn": 60.0, "q-learning": 2.0, "sarsa": 2.0}
"""Seconds a million steps, of one core of a server: rough, and only for estimates."""

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
        state, why = read_state(folder, each.config)
        shown = "running" if state == "open" and _is_leased(folder) else state
        counts[each.grid][shown] += 1
        if why:
            troubles.append({"run": str(folder), "state": shown, "why": why})
    return {
        "study": name,
        "grids": {grid: {state: found[state] for state in STATES} for grid, found in counts.items()},
        "troubles": troubles,
    }


def outline(planned: Sequence[Planned]) -> list[dict[str, Any]]:
    """Return what runs are asked for as JSON values, one a cell, in order: its grid, what it is, and its seeds."""
    cells: dict[tuple[str, str], dict[str, Any]] = {}
    for each in planned:
        config = each.config
        cell = {
            "grid": each.grid,
            **config.model_dump(include={"env", "level", "test_level", "dials", "recipe", "reward", "steps"}),
            "settings": config.changes,
            "seeds": [],
        }
        cells.setdefault((each.grid, config.key), cell)["seeds"].append(config.seed)
    return list(cells.values())


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many runs are to be done, and how long that may take, in seconds of the wall clock."""

    runs: int
    seconds: float
    jobs: int

    def __str__(self) -> str:
        return f"{self.runs} of them to be done: about {_spoken(self.seconds)} in {count(self.jobs, 'process', 'es')}"


def estimate(tasks: Sequence[Task], jobs: int, retry_failed: bool = False) -> Estimate:
    """Return how long the rest of some runs may take.

    Runs of the same recipe that are finished tell the pace; where there are none, a table does.

    Args:
        tasks: all runs.
        jobs: processes.
        retry_failed: whether those that failed or are damaged are run again.
    """
    seen: dict[str, list[float]] = defaultdict(list)
    left: list[Task] = []
    for task in tasks:
        state, _ = read_state(task.folder, task.config)
        seconds = _seconds(task.folder) if state == "finished" else None
        if seconds is not None:
            seen[task.config.recipe].append(max(seconds - SCORING, 0.0) / task.config.steps)
        elif state == "open" or (retry_failed and state != "finished"):
            left.append(task)
    pace = {recipe: median(found) for recipe, found in seen.items()}
    each = [SCORING + task.config.steps * _pace(task.config.recipe, pace) for task in left]
    longest = max(each, default=0.0)
    return Estimate(len(left), max(sum(each) / jobs, longest), jobs)


def count(number: int, thing: str, more: str = "s") -> str:
    """Return a number of things in words, such as `1 run` or `2 runs`."""
    return f"{number:,} {thing}{more * (number != 1)}"


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
        return time() - (folder / LEASED).stat().st_mtime < LEASE
    except OSError:
        return False


def _spoken(seconds: float) -> str:
    if seconds < 90:
        return count(round(seconds), "second")
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
