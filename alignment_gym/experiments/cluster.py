"""Runs on a Ray cluster, one task a run, with no file system shared.

A worker executes a run in a folder of its own and sends the files back; this side writes them into the run directory,
the result last, so that a run appears whole or not at all wherever it was made. Ray starts the task again when a worker
or a node is lost under it. What a run raises is an outcome, as on one machine. Ray keeps a worker for the next task, so
that each loads torch once. Only a worker with the driver's own source and versions executes anything.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from logging import getLogger
from pathlib import Path
from platform import node, python_version
from socket import create_connection
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from alignment_gym.core import AlignmentGymError
from alignment_gym.core.files import UnwritablePath, replacing
from alignment_gym.experiments.config import RunConfig
from alignment_gym.experiments.local import PRELOADED, outcome_of
from alignment_gym.experiments.run import PACKAGES, installed_version
from alignment_gym.experiments.runner import Ended, Outcome, Reached, Task

RETRIES = 1
"""How often Ray starts a task again whose worker is lost, before the runner hears of it."""

OBJECTS = 200_000_000
"""Bytes for results on their way, where Ray is started here; a run's files are less than a million."""

KNOCK = 5.0
"""Seconds for an address to accept a connection."""

GREETING = 40.0
"""Seconds for a cluster to admit a driver."""

WORKER_SETTINGS = {"OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0"}
"""What is set in a worker's environment: a core a run, on which threads would only wait, and no reports to Ray."""

DRIVER_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else Ray warns of a change to come
    "RAY_task_oom_retries": str(RETRIES),  # else a run too large for its node is started again for ever
}
"""What is set here before Ray is loaded, as it reads them then."""

LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""What keeps a Ray that is started here from listening to other machines, whose commands it would obey."""

GREET = "import sys, ray; ray.init(address=sys.argv[1], logging_level='ERROR', log_to_driver=False)"

_LOGGER = getLogger(__name__)

Files = dict[str, bytes]


class NoCluster(AlignmentGymError):
    """Ray is not installed, or no cluster answers."""


@dataclass(slots=True)
class _Running:
    task: Task
    number: int
    deadline: float = float("inf")


class RayEngine:
    """One Ray task a run, each on one core of a cluster, or of a Ray that is started on this machine.

    The clock of a run starts when a worker begins it, and again when it is begun again.
    """

    def __init__(
        self,
        address: str | None = None,
        timeout: float | None = None,
        jobs: int | None = None,
        say: Callable[[str], None] = _LOGGER.warning,
    ) -> None:
        """Take the cluster's address, after how many seconds a run is given up, and how many run at once at most.

        Args:
            address: `host:port` of a cluster that this machine is a node of, or `auto` to look for one here; None:
                what `RAY_ADDRESS` says, and where it says nothing, Ray is started here and stopped by `close`.
            timeout: seconds.
            jobs: all cores of the cluster if None.
            say: is told, in a line and once, that news of progress was lost.

        Raises:
            NoCluster: Ray is not installed, or no cluster answers there.
        """
        self._timeout = timeout
        self._jobs = jobs
        self._say = say
        self._said_lost = False
        self._ray = _connected(address or os.environ.get("RAY_ADDRESS") or None, jobs)
        self._running: dict[Any, _Running] = {}
        self._started = 0
        here = self._ray.get_runtime_context().get_node_id()
        beside = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(here, soft=True)
        board = self._ray.remote(num_cpus=0, max_restarts=-1, scheduling_strategy=beside)(_Board)
        self._board = board.remote()
        self._taken = self._board.take.remote()
        self._work = self._ray.remote(
            num_cpus=1, max_retries=RETRIES, retry_exceptions=False, runtime_env={"env_vars": WORKER_SETTINGS}
        )(_work)
        self.capacity = self._places()

    def start(self, task: Task) -> None:
        """Begin a run."""
        self._started += 1
        reference = self._work.remote(
            task.config.model_dump_json(), self._started, self._board, made_of(), tuple(sys.argv)
        )
        self._running[reference] = _Running(task, self._started)

    def wait(self, seconds: float) -> list[Reached | Ended]:
        """Return what happened, after so many seconds at most; nodes that came or went change the capacity."""
        self.capacity = self._places()
        soonest = min((each.deadline for each in self._running.values()), default=float("inf")) - monotonic()
        ended, _ = self._ray.wait(list(self._running), timeout=max(0.0, min(seconds, soonest)))
        news: list[Reached | Ended] = [*self._notices()]
        news += [self._ended(reference, self._running.pop(reference)) for reference in ended]
        return news + self._overdue()

    def close(self) -> None:
        """Stop what is running, and leave the cluster; a run that is stopped leaves no result behind."""
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        self._running.clear()
        self._ray.shutdown()

    def _places(self) -> int:
        """Return how many runs the cluster takes; one at least, which waits while there is no node."""
        cores = int(self._ray.cluster_resources().get("CPU", 0))
        return max(1, cores if self._jobs is None else min(cores, self._jobs))

    def _notices(self) -> list[Reached]:
        """Return what workers have pinned up; where one says that it begins, its run's clock starts."""
        ready, _ = self._ray.wait([self._taken], timeout=0)
        if not ready:
            return []
        try:
            notices = self._ray.get(self._taken)
        except self._ray.exceptions.RayError:  # the board is restarted, without what was on it
            notices = []
            self._say_lost()
        self._taken = self._board.take.remote()
        by_number = {each.number: each for each in self._running.values()}
        news = []
        for number, steps, score in notices:
            run = by_number.get(number)
            if run is not None and steps is None:
                run.deadline = monotonic() + self._timeout if self._timeout else float("inf")
            elif run is not None:
                news.append(Reached(run.task, steps, score))
        return news

    def _say_lost(self) -> None:
        """Say, the first time, that some news of progress was lost."""
        if not self._said_lost:
            clocks = "; a run that began unnoticed is not stopped by its timeout" if self._timeout else ""
            self._say(f"some news of progress was lost with Ray's actor that holds it; all runs go on{clocks}")
        self._said_lost = True

    def _ended(self, reference: Any, run: _Running) -> Ended:
        """Write down what came back, and return how the run ended."""
        errors = self._ray.exceptions
        try:
            outcome, error, files = self._ray.get(reference)
        except (errors.RayTaskError, errors.RuntimeEnvSetupError) as wrong:  # before or after the run: none would do
            return Ended(
                run.task, "unwritten", f"a worker could not take a run: {_line(getattr(wrong, 'cause', wrong))}"
            )
        except errors.RayError as wrong:
            why = f"its worker was lost {RETRIES + 1} times ({type(wrong).__name__}); there may be too little memory"
            return Ended(run.task, "lost", why)
        try:
            _write(run.task.folder, files)
        except UnwritablePath as wrong:
            return Ended(run.task, "unwritten", _line(wrong))
        return Ended(run.task, outcome, error)

    def _overdue(self) -> list[Reached | Ended]:
        """Stop the runs whose time is up."""
        news: list[Reached | Ended] = []
        for reference, run in list(self._running.items()):
            if monotonic() >= run.deadline:
                self._ray.cancel(reference, force=True)
                del self._running[reference]
                why = f"it took longer than {self._timeout:g} seconds, and was stopped"
                news.append(Ended(run.task, "failed", why))
        return news


class _Board:
    """An actor on which workers pin up how far they are, for the driver to take."""

    def __init__(self) -> None:
        self._notices: list[tuple[int, int | None, float]] = []

    def pin(self, number: int, steps: int | None, score: float) -> None:
        """Pin up that a run has made so many steps, None when it begins."""
        self._notices.append((number, steps, score))

    def take(self) -> list[tuple[int, int | None, float]]:
        """Return what was pinned up since the last time."""
        taken, self._notices = self._notices, []
        return taken


def _work(
    config: str, number: int, board: Any, expected: Mapping[str, str | None], words: tuple[str, ...]
) -> tuple[Outcome, str, Files]:
    """Execute a run on a worker, and return how it ended, its error in a line, and its files.

    Args:
        config: the run's, as JSON: what was pickled by another version might not even be read.
        number: what the driver calls the run.
        board: where to say how far it is.
        expected: what the driver is made of.
        words: the driver's command, for the run's provenance.
    """
    other = different(made_of(), expected)
    if other:  # not "failed", which would be put down to the run: nothing is wrong with it, and none would do here
        return "unwritten", f"the worker on {node()} {other}; install there what is here", {}
    sys.argv = list(words)
    import_module(PRELOADED)  # once a worker, and before the run's clock starts
    board.pin.remote(number, None, 0.0)

    def progress(steps: int, score: float) -> None:
        board.pin.remote(number, steps, score)

    with TemporaryDirectory(prefix="alignment-gym-") as name:
        outcome, error = outcome_of(RunConfig.model_validate_json(config), Path(name), progress)
        where = f" on {node()}" if outcome == "unwritten" else ""
        return outcome, error + where, _read(Path(name))


@lru_cache(maxsize=1)
def made_of() -> dict[str, str | None]:
    """Return what decides on a run's files besides its configuration: versions, and a hash of this package's source."""
    root = Path(__file__).parents[1]
    hashed = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        hashed.update(f"{path.relative_to(root).as_posix()}\n".encode() + path.read_bytes())
    versions = {package: installed_version(package) for package in PACKAGES}
    return {"python": python_version(), **versions, "source": hashed.hexdigest()[:12]}


def different(found: Mapping[str, str | None], expected: Mapping[str, str | None]) -> str:
    """Say in which first thing a worker differs from the driver, nothing where it does not."""
    for name, value in expected.items():
        if found.get(name) != value:
            what = "alignment-gym's source" if name == "source" else name
            return f"has {what} {found.get(name)}, not {value}"
    return ""


def _read(folder: Path) -> Files:
    """Return all files below a folder, by relative names."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _write(folder: Path, files: Files) -> None:
    """Write a run's files, each whole, and the result last: it is the completion mark.

    Raises:
        UnwritablePath: one can't be written.
    """
    for name in sorted(files, key=lambda name: (name == "result.json", name)):
        with replacing(folder / name) as temporary, temporary.open("wb") as file:
            file.write(files[name])
            file.flush()
            os.fsync(file.fileno())


def _connected(address: str | None, jobs: int | None) -> Any:
    """Return the library, connected: to the cluster at an address, or to a Ray started here.

    Raises:
        NoCluster: Ray is not installed, or no cluster answers there.
    """
    os.environ.update(DRIVER_SETTINGS)
    if address is None:
        for name, value in LOOPBACK.items():
            os.environ.setdefault(name, value)
    try:
        import ray
        import ray.exceptions
        import ray.util.scheduling_strategies
    except ImportError as error:
        raise NoCluster(
            'runs on Ray need it installed: pip install "alignment-gym[ray]"; --engine local works without'
        ) from error
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address is None:
            ray.init("local", num_cpus=jobs, num_gpus=0, include_dashboard=False, object_store_memory=OBJECTS, **quiet)
        else:
            _greet(address)
            ray.init(address, **quiet)
    except (OSError, ValueError, RuntimeError) as error:
        what = "Ray does not start here" if address is None else f"no Ray cluster answers at {address!r}"
        raise NoCluster(f"{what}: {_line(error)}") from error
    return ray


def _greet(address: str) -> None:
    """Let a process of its own try an address, as Ray waits for minutes, and may end the process, where none answers.

    Raises:
        NoCluster: no cluster answers in time.
    """
    way = "give the host:port that `ray start` names, on a machine that is a node of it"
    if "://" in address:
        raise NoCluster(f"{address!r} is no address of a cluster's head; {way}")
    host, _, port = address.rpartition(":")
    if host and port.isdecimal():
        try:
            create_connection((host.strip("[]"), int(port)), KNOCK).close()
        except (OSError, OverflowError) as error:
            raise NoCluster(f"no Ray cluster answers at {address!r} ({_line(error)}); {way}") from error
    command = [sys.executable, "-c", GREET, address]
    try:
        subprocess.run(command, capture_output=True, text=True, check=True, timeout=GREETING, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise NoCluster(f"no Ray cluster answers at {address!r} in {GREETING:g} seconds; {way}") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["it left without a word"])[-1]
        raise NoCluster(f"no Ray cluster answers at {address!r} ({last.strip()}); {way}") from error


def _line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
