"""Contests: all contestants take turns, so that what slows the machine down slows all of them down.

A round gives every contestant one turn; the garbage collector sleeps while a turn is timed. Reported are
the median over rounds and its spread, the slowest and the fastest round. Quotients are quotients of
medians; their spread is that of the rounds' own quotients.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter
from typing import Any

SPREAD = "lowest and highest of all rounds"

Run = Callable[[int], int]
"""Makes at least so many steps, all lanes together, and returns how many it made."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a contestant is; whoever reads a rate needs all of it.

    Attributes:
        name: unlike every other's.
        world: what is stepped, trained on or solved.
        level: its map, where it has one.
        lanes: episodes side by side.
        outcomes: the most that may follow on a state and an action.
        infos: `full`, `true account hidden`, or a peer's own.
        autoreset: who begins the next episode, and when.
        about: settings that matter, a few words.
    """

    name: str
    world: str = ""
    level: str = ""
    lanes: int | None = None
    outcomes: int | None = None
    infos: str = ""
    autoreset: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One who takes part.

    Attributes:
        entry: what it is.
        begin: sets it up, which is not timed, and returns what is.
        steps: of a turn; None for as many as fill the time.
        unit: `steps/s`, or `s` for the seconds of a turn.
    """

    entry: Entry
    begin: Callable[[], Run]
    steps: int | None = None
    unit: str = "steps/s"


@dataclass(frozen=True, slots=True)
class Measurement:
    """What came out for one contestant, a number a round."""

    entry: Entry
    unit: str
    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle round."""
        return median(self.rounds)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        numbers = {"median": self.median, "low": min(self.rounds), "high": max(self.rounds)}
        return {**asdict(self.entry), "unit": self.unit, **numbers, "rounds": list(self.rounds)}


@dataclass(frozen=True, slots=True)
class Quotient:
    """One contestant's number over another's."""

    value: float
    low: float
    high: float


def quotient(first: Measurement, second: Measurement) -> Quotient:
    """Divide two contestants of one contest."""
    each = [above / below for above, below in zip(first.rounds, second.rounds, strict=True)]
    return Quotient(first.median / second.median, min(each), max(each))


def hold(contestants: Sequence[Contestant], rounds: int, seconds: float) -> dict[str, Measurement]:
    """Hold a contest, and return measurements by names.

    Args:
        contestants: set up and alive together, so that no turn pays for it.
        rounds: turns each; every round begins with the next contestant.
        seconds: of a turn, for those whose steps are left open.
    """
    runs = [each.begin() for each in contestants]
    steps = [each.steps or _filling(run, seconds) for each, run in zip(contestants, runs, strict=True)]
    found: list[list[float]] = [[] for _ in contestants]
    for number in range(rounds):
        for turn in range(len(contestants)):
            place = (number + turn) % len(contestants)
            made, spent = _timed(runs[place], steps[place])
            found[place].append(spent if contestants[place].unit == "s" else made / spent)
        gc.collect()
    return {
        each.entry.name: Measurement(each.entry, each.unit, tuple(numbers))
        for each, numbers in zip(contestants, found, strict=True)
    }


def _filling(run: Run, seconds: float) -> int:
    """Return how many steps fill a time, by doubling."""
    steps = 1
    while True:
        made, spent = _timed(run, steps)
        if spent >= seconds / 4:
            return max(1, round(made * seconds / spent))
        steps = made * 2


def _timed(run: Run, steps: int) -> tuple[int, float]:
    with _no_collection():
        began = perf_counter()
        made = run(steps)
        return made, perf_counter() - began


@contextmanager
def _no_collection() -> Iterator[None]:
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
