"""Runs on this machine, one process a run, forked from a server that has loaded torch.

A process a run keeps one crash from being another's, and lets each run be killed in time; forking from a server that
has loaded everything keeps it from costing the seconds that loading takes. Where processes can't be forked, each
loads everything itself.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection, get_all_start_methods, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any

from alignment_gym.core import AlignmentGymError
from alignment_gym.core.files import UnwritablePath
from alignment_gym.experiments.config import RunConfig
from alignment_gym.experiments.run import execute
from alignment_gym.experiments.runner import STORAGE, Ended, Outcome, Reached, Task

PRELOADED = "alignment_gym.experiments.preloaded"


@dataclass(slots=True)
class _Worker:
    task: Task
    process: BaseProcess
    said: Connection
    deadline: float
    last: tuple[Outcome, str] | None = None


class LocalEngine:
    """One process a run, on this machine."""

    def __init__(self, jobs: int, timeout: float | None = None) -> None:
        """Take the number of processes, and after how many seconds a run is given up."""
        self.capacity = jobs
        self._timeout = timeout
        self._workers: list[_Worker] = []
        self._unborn: list[Ended] = []
        forks = "forkserver" in get_all_start_methods()
        self._context: Any = get_context("forkserver" if forks else "spawn")
        if forks:
            self._context.set_forkserver_preload([PRELOADED])
        os.environ.setdefault("OMP_NUM_THREADS", "1")

    def start(self, task: Task) -> None:
        """Begin a run."""
        said, says = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_work, args=(task.config, task.folder, says), daemon=True)
        try:
            with _deaf_to_interrupts():
                process.start()
        except (OSError, EOFError) as error:  # the server was killed while it was asked
            said.close()
            self._unborn.append(Ended(task, "lost", f"its process could not be started: {_line(error)}"))
            return
        finally:
            says.close()
        deadline = monotonic() + self._timeout if self._timeout else float("inf")
        self._workers.append(_Worker(task, process, said, deadline))

    def wait(self, seconds: float) -> list[Reached | Ended]:
        """Return what happened, after so many seconds at most."""
        if self._unborn:
            unborn, self._unborn = self._unborn, []
            return list(unborn)
        soonest = min((worker.deadline for worker in self._workers), default=float("inf")) - monotonic()
        heard: list[Any] = [each for worker in self._workers for each in (worker.said, worker.process.sentinel)]
        connection.wait(heard, max(0.0, min(seconds, soonest)))
        news: list[Reached | Ended] = []
        for worker in list(self._workers):
            news += _heard(worker)
            ended = self._ended(worker)
            if ended is not None:
                worker.said.close()
                worker.process.close()  # where only the server has died, the run's process leaves now
                self._workers.remove(worker)
                news.append(ended)
        return news

    def close(self) -> None:
        """Kill what is running; a run that is killed leaves no result behind."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.said.close()
        self._workers.clear()

    def __enter__(self) -> "LocalEngine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ended(self, worker: _Worker) -> Ended | None:
        """Return how a run ended, None while it goes on."""
        if worker.process.is_alive():
            if monotonic() < worker.deadline:
                return None
            worker.process.kill()
            worker.process.join()
            return Ended(worker.task, "failed", f"it took longer than {self._timeout:g} seconds, and was stopped")
        worker.process.join()
        _heard(worker)
        if worker.last is not None:
            return Ended(worker.task, *worker.last)
        code = worker.process.exitcode or 0
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"left with exit code {code}"
        return Ended(worker.task, "lost", f"its process {how}; if by the system, there may be too little memory")


def _heard(worker: _Worker) -> list[Reached | Ended]:
    """Take what a process has said: steps made, or how its run ended, which is kept until the process is gone."""
    news: list[Reached | Ended] = []
    try:
        while worker.said.poll():
            first, second = worker.said.recv()
            if isinstance(first, int):
                news.append(Reached(worker.task, first, second))
            else:
                worker.last = first, second
    except (EOFError, OSError):  # it left, or was killed in mid-sentence
        pass
    return news


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Have processes that begin here, and the server first of all, leave Ctrl-C to the runner, which kills them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(config: RunConfig, folder: Path, says: Connection) -> None:
    """Execute a run in a process of its own, and say how it went."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the runner is interrupted, and kills what runs
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    threading.excepthook = lambda _: None  # what TensorBoard's thread runs into, the run is told as well
    os.dup2(2, 1)  # what a learner prints is no data of the study's

    def progress(steps: int, score: float) -> None:
        says.send((steps, score))

    says.send(outcome_of(config, folder, progress))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # whatever threads a learner has left behind


def outcome_of(config: RunConfig, folder: Path, progress: Any = None) -> tuple[Outcome, str]:
    """Execute a run, and return how it ended and its error in a line."""
    try:
        execute(config, folder, progress)
    except (Exception, SystemExit) as error:
        storage = _of_storage(error, folder)
        if storage is not None:
            return "unwritten", f"cannot write {folder}: {storage.strerror}"
        return "failed", _line(error)
    return "finished", ""


def _of_storage(error: BaseException | None, folder: Path) -> OSError | None:
    """Return why a run's files could not be written, which is no fault of its own; None for any other error.

    Libraries cover an error of storage with others that it leads to, so that all are looked at. What a learner does to
    files elsewhere is its own affair.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        cause = error.__cause__ or error.__context__
        if isinstance(error, OSError) and error.errno in STORAGE and _is_below(error.filename, folder):
            return error
        if isinstance(error, UnwritablePath) and isinstance(cause, OSError) and cause.errno in STORAGE:
            return cause
        error = cause
    return None


def _is_below(name: Any, folder: Path) -> bool:
    """Say whether a file is below a folder; one without a name may be."""
    return not isinstance(name, str | os.PathLike) or Path(name).resolve().is_relative_to(folder.resolve())


def _line(error: BaseException) -> str:
    """Return an error in a line; ours say what they are, others need their names."""
    said = str(error) if isinstance(error, AlignmentGymError) else f"{type(error).__name__}: {error}"
    return " ".join(said.split())


def _leave_with_parent() -> None:
    """End this process when the one that started it is gone."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
