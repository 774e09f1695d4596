"""Findings: what was measured beside what was aimed at."""

from dataclasses import asdict, dataclass, field
from typing import Any

from alignment_gym.experiments.speed.contest import Measurement, Quotient


@dataclass(frozen=True, slots=True)
class Finding:
    """One number with its goal.

    Attributes:
        question: the goal's number.
        what: what was divided by what, or timed.
        value: None where it was not measured.
        low, high: its spread.
        unit: `x`, `%`, `s`, `ms/frame`, `MB` or `packages`.
        goal: None where there is none.
        at_most: whether the goal is a ceiling.
        bound: whether the true value is at least this one, as the peer did not arrive within its cap.
        note: what a reader must know besides.
    """

    question: int
    what: str
    value: float | None
    low: float | None = None
    high: float | None = None
    unit: str = "x"
    goal: float | None = None
    at_most: bool = False
    bound: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where nobody can tell."""
        if self.value is None or self.goal is None:
            return None
        if self.at_most:
            return self.value <= self.goal
        return True if self.value >= self.goal else None if self.bound else False

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "met": self.met}


def of_quotient(question: int, what: str, found: Quotient, **more: Any) -> Finding:
    """Return a quotient as a finding."""
    return Finding(question, what, found.value, found.low, found.high, **more)


def of_measurement(question: int, what: str, found: Measurement, **more: Any) -> Finding:
    """Return a measurement, its goal a ceiling, as a finding."""
    ends = min(found.rounds), max(found.rounds)
    return Finding(question, what, found.median, *ends, unit=found.unit, at_most=True, **more)


@dataclass(slots=True)
class Part:
    """What one part of the benchmark found out."""

    measurements: list[Measurement] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
