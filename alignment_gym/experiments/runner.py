"""Running a study: what has no result yet is handed to an engine, and what comes back is written down.

Run directories are the truth, so a study resumes by asking which results exist. A lease on each run, with a heartbeat,
lets several runners on one folder share the work; one that a killed runner left behind is taken over. Runs end in one
of four ways: `finished`; `failed`, which `failure.json` tells until `--retry-failed`; `lost`, when the process died
under it, which is tried again; and `unwritten`, when its files could not be written, which stops the study and leaves
the run open.
"""

import errno
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Literal, Protocol

from filelock import SoftFileLease, Timeout

from alignment_gym.core import InvalidRun
from alignment_gym.core.files import UnwritablePath, remove_unfinished, write_json
from alignment_gym.experiments.collected import read_failure, record_of
from alignment_gym.experiments.config import SCHEMA, RunConfig
from alignment_gym.experiments.frozen import tables_of

ATTEMPTS = 3
"""How often a run is tried whose process dies under it."""

LEASE = 15.0
"""Seconds without a heartbeat after which a run is taken over."""

LEASED = ".lease"
BIRTH = 5.0
"""Seconds after which a lease with nothing in it is nobody's: who made it was killed before it could sign."""

STORAGE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)
PATIENCE = 0.5
"""Seconds between two looks at runs that another runner holds."""

Outcome = Literal["finished", "failed", "lost", "unwritten"]
State = Literal["finished", "failed", "damaged", "open"]


@dataclass(frozen=True, slots=True)
class Task:
    """A run to be done, and where its files go."""

    config: RunConfig
    folder: Path


@dataclass(frozen=True, slots=True)
class Began:
    """A run was handed to the engine."""

    task: Task


@dataclass(frozen=True, slots=True)
class Reached:
    """A run has made so many steps; the score is on its own reward, 0 for uniform play and 1 for the optimum."""

    task: Task
    steps: int
    score: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A run ended; `error` is a line, empty where it finished."""

    task: Task
    outcome: Outcome
    error: str = ""


News = Began | Reached | Ended
Told = Callable[[News], None]


class Engine(Protocol):
    """Where runs are executed. It writes a run's directory, the result last, and nothing else."""

    capacity: int

    def start(self, task: Task) -> None:
        """Begin a run; never called for more than `capacity` at once."""

    def wait(self, seconds: float) -> list[Reached | Ended]:
        """Return what happened, after so many seconds at most."""

    def close(self) -> None:
        """Stop everything that is running."""


@dataclass(slots=True)
class Tally:
    """How a study stands.

    Attributes:
        finished: runs with a result, those of earlier and of other runners too.
        failed: runs that failed or are damaged, each with its error.
        stopped: why no more runs were begun, empty where all were.
    """

    finished: int = 0
    failed: dict[Path, str] = field(default_factory=dict)
    stopped: str = ""


def run_study(tasks: list[Task], engine: Engine, told: Told = lambda _: None, retry_failed: bool = False) -> Tally:
    """Run what has no result yet.

    Args:
        tasks: all runs of the study.
        engine: executes them; it is closed at the end.
        told: is told what happens.
        retry_failed: run again what failed or is damaged; what fails now is not run a third time.
    """
    tally = Tally()
    runner = _Runner(engine, told, tally)
    try:
        runner.run([task for task in tasks if not runner.is_settled(task, retry_failed)])
    finally:
        runner.close()
    return tally


def read_state(folder: Path, config: RunConfig | None = None) -> tuple[State, str]:
    """Return how a run stands, and why where it failed or is damaged.

    Args:
        folder: its directory.
        config: what it should be a run of; whatever its `config.json` says, if None.
    """
    if (folder / "result.json").exists():
        try:
            found = record_of(folder)
        except InvalidRun as error:
            return "damaged", str(error)
        if config is not None and (found["key"], found["seed"]) != (config.key, config.seed):
            return "damaged", f"{folder / 'result.json'} is another run's: key {found['key'][:8]}, seed {found['seed']}"
        if config is not None and found.get("tables") not in (None, tables_of(config)):
            return "damaged", f"{folder / 'result.json'} is of other tables: {config.env} has changed since it was run"
        return "finished", ""
    if (folder / "failure.json").is_file():
        return "failed", read_failure(folder)
    return "open", ""


def _lease_on(folder: Path) -> SoftFileLease:
    return SoftFileLease(folder / LEASED, lease_duration=LEASE, timeout=0)


def _empty_lease(folder: Path) -> tuple[int, int] | None:
    """Return which file and of when a lease is that nobody has signed, None where there is no such."""
    with suppress(OSError):
        found = (folder / LEASED).stat()
        return None if found.st_size else (found.st_ino, found.st_mtime_ns)
    return None


def _sweep(folder: Path) -> None:
    """Remove the lease of a runner that was killed between a run's end and its release, and what is half written."""
    if _empty_lease(folder):
        with suppress(OSError):
            (folder / LEASED).unlink()
    if (folder / LEASED).exists():
        # another's, or a place that can only be read, is left alone
        with suppress(OSError, UnwritablePath), _lease_on(folder):
            remove_unfinished(folder)


class _Runner:
    """Keeps the engine busy with runs whose lease it has."""

    def __init__(self, engine: Engine, told: Told, tally: Tally) -> None:
        self.engine = engine
        self.told = told
        self.tally = tally
        self.leases: dict[Path, SoftFileLease] = {}  # those that are held
        self.empty: dict[Path, tuple[tuple[int, int] | None, float]] = {}  # leases without a word, and since when
        self.sought: dict[Path, SoftFileLease] = {}  # those that others held: each remembers since when it saw no beat
        self.attempts: dict[Path, int] = {}
        self.again: set[Path] = set()  # those that are run although they failed or are damaged

    def is_settled(self, task: Task, retry_failed: bool) -> bool:
        """Say whether there is nothing to be done, and count the run if so."""
        state, why = read_state(task.folder, task.config)
        if state == "open":
            return False
        if state == "finished" or not retry_failed:
            _sweep(task.folder)
            self._count(task, state, why)
            return True
        self.again.add(task.folder)
        return False

    def run(self, tasks: list[Task]) -> None:
        """Do all tasks, or see them done by other runners."""
        waiting = {task.folder: task for task in tasks}
        running: set[Path] = set()
        while waiting or running:
            for task in self._next(waiting, running):
                del waiting[task.folder]
                running.add(task.folder)
                self.told(Began(task))
                self.engine.start(task)
            if not running and not waiting:
                return
            for news in self.engine.wait(PATIENCE) if running else self._pause():
                self.told(news)
                if isinstance(news, Ended):
                    running.discard(news.task.folder)
                    if self._settle(news):
                        waiting[news.task.folder] = news.task
            if self.tally.stopped:
                waiting.clear()

    def _next(self, waiting: dict[Path, Task], running: set[Path]) -> Iterator[Task]:
        """Yield tasks to begin now; those that others have finished are counted and dropped."""
        free = self.engine.capacity - len(running)
        for task in list(waiting.values()):
            if free <= 0 or self.tally.stopped:
                return
            if not self._lease(task.folder):
                continue
            state, why = read_state(task.folder, task.config)  # while it waited, another runner may have been here
            if state == "open" or self._reopen(task.folder, state):
                free -= 1
                yield task
                continue
            self._release(task.folder)
            if not self.tally.stopped:
                del waiting[task.folder]
                self._count(task, state, why)

    def _reopen(self, folder: Path, state: State) -> bool:
        """Clear a run that failed or is damaged for being run again, and say whether it is to be."""
        if state == "finished" or folder not in self.again:
            return False
        try:
            if state == "damaged":  # kept for whoever wants to know what happened to it
                (folder / "result.json").replace(folder / "result.json.damaged")
            else:
                (folder / "failure.json").unlink()
        except OSError as error:
            self.tally.stopped = f"cannot write {folder}: {error.strerror or error}"
            return False
        self.again.discard(folder)
        return True

    def _count(self, task: Task, state: str, why: str) -> None:
        """Count a run that ended before, or under another runner."""
        if state == "finished":
            self.tally.finished += 1
            self.told(Ended(task, "finished"))
        else:
            self.tally.failed[task.folder] = why
            self.told(Ended(task, "failed", why))

    def _settle(self, ended: Ended) -> bool:
        """Write down how a run ended, and say whether it is to be tried again."""
        folder = ended.task.folder
        if ended.outcome != "finished" and self.leases[folder].compromise is not None:
            self._release(folder)  # this process was asleep, and another runner has taken over: it will say
            return True
        tried = self.attempts[folder] = self.attempts.get(folder, 0) + 1
        again = ended.outcome == "lost" and tried < ATTEMPTS
        if ended.outcome == "finished":
            self.tally.finished += 1
        elif ended.outcome == "unwritten":
            self.tally.stopped = ended.error
        elif not again:
            self.tally.failed[folder] = ended.error
            self._write_failure(ended, tried)
        with suppress(UnwritablePath):
            remove_unfinished(folder)  # of a process that was dying when the next attempt began
        self._release(folder)
        return again

    def _write_failure(self, ended: Ended, attempts: int) -> None:
        config = ended.task.config
        told = {"schema_version": SCHEMA, "key": config.key, "seed": config.seed, "error": ended.error}
        try:
            write_json(ended.task.folder / "failure.json", {**told, "kind": ended.outcome, "attempts": attempts})
        except UnwritablePath as error:
            self.tally.stopped = str(error)

    def _lease(self, folder: Path) -> bool:
        """Try to be the one who works on a run."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lease = self.sought.pop(folder, None) or _lease_on(folder)
            lease.acquire()
        except Timeout:
            self.sought[folder] = lease
            self._bury(folder)
            return False
        except OSError as error:
            self.tally.stopped = f"cannot write {folder}: {error.strerror or error}"
            return False
        self.leases[folder] = lease
        return True

    def _bury(self, folder: Path) -> None:
        """Remove a lease that has been empty for long, which the library would wait for without end."""
        found = _empty_lease(folder)
        since = self.empty.setdefault(folder, (found, monotonic()))
        if found is None or since[0] != found:
            del self.empty[folder]
        elif monotonic() - since[1] >= BIRTH:
            del self.empty[folder]
            with suppress(OSError):
                (folder / LEASED).unlink()

    def _release(self, folder: Path) -> None:
        with suppress(OSError):  # where nothing can be written any more, it runs out
            self.leases.pop(folder).release()

    def _pause(self) -> list[Reached | Ended]:
        sleep(PATIENCE)
        return []

    def close(self) -> None:
        """Stop what runs, and let others have it."""
        self.engine.close()
        for folder in list(self.leases):
            self._release(folder)
