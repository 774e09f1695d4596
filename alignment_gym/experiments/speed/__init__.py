"""The speed benchmark: this machine, ours and the installed peers taking turns, told as quotients."""

from collections.abc import Callable
from typing import Any, Literal

from alignment_gym.experiments.speed.budget import FULL, QUICK, Budget
from alignment_gym.experiments.speed.contest import SPREAD
from alignment_gym.experiments.speed.machine import machine
from alignment_gym.experiments.speed.questions import QUESTIONS, curves

__all__ = ["FULL", "QUICK", "Budget", "benchmark", "parts"]

SCHEMA: Literal[1] = 1
CURVES = "cost curves"
NOTES = (
    "Random actions, drawn beforehand; episodes are renewed when they end; only steps are timed.",
    "A batch's lanes begin together, as `reset` has it, and so end together; where they are out of step, some end at "
    "every step, as CartPole's do.",
    "By `gym.make`, our worlds come without Gymnasium's wrappers, as they check order and actions themselves.",
    "DummyVecEnv is what SB3's `make_vec_env` returns, monitored, without a render mode; ours tells episodes itself.",
    "Measured elsewhere, by others: PufferLib's C environment `squared`, 123 M steps/s at 256 lanes and 81 M at 4096.",
)


def parts() -> list[str]:
    """Return the benchmark's parts, in order."""
    return [*QUESTIONS, CURVES]


def benchmark(budget: Budget, told: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Measure this machine, and return JSON values.

    Args:
        budget: how much.
        told: takes each part's name before it begins.
    """
    record: dict[str, Any] = {
        "schema_version": SCHEMA,
        "machine": machine(),
        "budget": budget.name,
        "rounds": budget.rounds,
        "spread": SPREAD,
        "notes": list(NOTES),
        "findings": [],
        "measurements": [],
        "runs": [],
        "absent": [],
    }
    for name, question in QUESTIONS.items():
        told(name)
        part = question(budget)
        record["findings"] += [each.as_dict() for each in part.findings]
        record["measurements"] += [each.as_dict() for each in part.measurements]
        record["runs"] += part.runs
        record["absent"] += part.absent
    told(CURVES)
    record["findings"].sort(key=lambda each: each["question"])
    record["curves"] = [{"curve": name, "x": x, **found.as_dict()} for name, x, found in curves(budget)]
    return record
