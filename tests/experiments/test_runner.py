"""The runner: what it counts, what it runs again, and what it writes down, with engines that do as they are told."""

import errno
import json
import shutil
import subprocess
import sys
import time

import pytest

from alignment_gym.experiments import run as run_module
from alignment_gym.experiments import runner
from alignment_gym.experiments.config import resolve
from alignment_gym.experiments.local import outcome_of
from alignment_gym.experiments.runner import ATTEMPTS, LEASE, Began, Ended, Task, read_state, run_study


class InThisProcess:
    """Executes runs when it is asked what happened; or says of those that are scripted what the script says."""

    capacity = 2

    def __init__(self, script=None):
        self.script = script or {}
        self.begun = []
        self.closed = False

    def start(self, task):
        self.begun.append(task)
        self.waiting = [*getattr(self, "waiting", []), task]

    def wait(self, _):
        tasks, self.waiting = self.waiting, []
        return [Ended(task, *self._outcome(task)) for task in tasks]

    def _outcome(self, task):
        scripted = self.script.get(task.config.seed)
        return scripted.pop(0) if scripted else outcome_of(task.config, task.folder)

    def close(self):
        self.closed = True


def tasks_below(root, count=3, **changes):
    few = {"recipe": "q-learning", "steps": 100, "checkpoints": 2}
    configs = [resolve("ShutdownButton", seed=seed, **few, **changes) for seed in range(count)]
    return [Task(config, config.folder(root, "small")) for config in configs]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    root = tmp_path_factory.mktemp("finished")
    assert run_study(tasks_below(root), InThisProcess()).finished == 3
    return root


@pytest.fixture
def finished(template, tmp_path):
    """Give three finished runs."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return tasks_below(tmp_path)


def cut(path, share):
    """Leave a share of a file, and return what that is."""
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return path.read_bytes()


@pytest.mark.parametrize("share", [0, 0.3, 0.5])
@pytest.mark.parametrize("name", ["result.json", "config.json", "curve.jsonl"])
def test_a_damaged_run_is_told_in_a_line_and_kept_until_it_is_run_again(tmp_path, finished, name, share):
    tasks = finished
    folder = tasks[1].folder
    left = cut(folder / name, share)
    result = (folder / "result.json").read_bytes()
    engine = InThisProcess()
    tally = run_study(tasks, engine)
    assert engine.begun == []
    assert tally.finished == 2
    assert list(tally.failed) == [folder]
    assert name in tally.failed[folder]
    assert "\n" not in tally.failed[folder]
    assert (folder / name).read_bytes() == left, "nothing is touched before it is asked for"

    engine = InThisProcess()
    assert run_study(tasks, engine, retry_failed=True).finished == 3
    assert engine.begun == [tasks[1]]
    assert (folder / "result.json.damaged").read_bytes() == result
    assert read_state(folder, tasks[1].config) == ("finished", "")


def test_a_result_of_another_run_is_damage(tmp_path):
    tasks = tasks_below(tmp_path, 2)
    run_study(tasks[:1], InThisProcess())
    tasks[0].folder.rename(tasks[1].folder)
    state, why = read_state(tasks[1].folder, tasks[1].config)
    assert state == "damaged"
    assert "another run's" in why
    assert list(run_study(tasks[1:], InThisProcess()).failed) == [tasks[1].folder]


def test_a_failure_is_kept_until_it_is_to_be_tried_again(tmp_path):
    tasks = tasks_below(tmp_path)
    tally = run_study(tasks, InThisProcess({1: [("failed", "it broke")]}))
    failure = tasks[1].folder / "failure.json"
    assert (tally.finished, tally.failed) == (2, {tasks[1].folder: "it broke"})
    assert json.loads(failure.read_text())["kind"] == "failed"

    engine = InThisProcess()
    assert run_study(tasks, engine).failed == {tasks[1].folder: "it broke"}
    assert engine.begun == []
    assert failure.is_file()

    assert run_study(tasks, engine, retry_failed=True).finished == 3
    assert engine.begun == [tasks[1]]
    assert not failure.exists()


def test_a_run_that_fails_again_is_not_tried_a_third_time(tmp_path):
    tasks = tasks_below(tmp_path, 1)
    run_study(tasks, InThisProcess({0: [("failed", "it broke")]}))
    engine = InThisProcess({0: [("failed", "and again"), ("failed", "never asked")]})
    assert run_study(tasks, engine, retry_failed=True).failed == {tasks[0].folder: "and again"}
    assert len(engine.begun) == 1


def test_a_run_that_is_lost_is_tried_three_times_at_most(tmp_path):
    tasks = tasks_below(tmp_path)
    lost = ("lost", "its process was killed")
    engine = InThisProcess({0: [lost], 1: [lost] * (ATTEMPTS + 1)})
    tally = run_study(tasks, engine)
    assert (tally.finished, list(tally.failed)) == (2, [tasks[1].folder])
    assert engine.begun.count(tasks[0]) == 2
    assert engine.begun.count(tasks[1]) == ATTEMPTS
    failure = json.loads((tasks[1].folder / "failure.json").read_text())
    assert (failure["kind"], failure["attempts"]) == ("lost", ATTEMPTS)


def test_storage_that_fails_stops_the_study_and_leaves_runs_open(tmp_path):
    tasks = tasks_below(tmp_path, 5)
    engine = InThisProcess({1: [("unwritten", "the disk is full")]})
    tally = run_study(tasks, engine)
    assert (tally.finished, tally.failed, tally.stopped) == (1, {}, "the disk is full")
    assert engine.begun == tasks[:2]
    assert engine.closed
    assert not list(tmp_path.rglob("failure.json"))
    assert not list(tmp_path.rglob(".lease"))
    assert run_study(tasks, InThisProcess()).finished == 5


def test_a_place_that_is_a_file_stops_the_study(tmp_path):
    (tmp_path / "small").write_text("")
    engine = InThisProcess()
    tally = run_study(tasks_below(tmp_path), engine)
    assert "cannot write" in tally.stopped
    assert engine.begun == []


@pytest.mark.parametrize("done", [False, True])
def test_a_lease_that_nobody_lived_to_sign_is_removed(tmp_path, monkeypatch, done):
    monkeypatch.setattr(runner, "BIRTH", 0.2)
    monkeypatch.setattr(runner, "PATIENCE", 0.05)
    (task,) = tasks_below(tmp_path, 1)
    if done:
        run_study([task], InThisProcess())
    task.folder.mkdir(parents=True, exist_ok=True)
    (task.folder / ".lease").touch()
    assert run_study([task], InThisProcess()).finished == 1
    assert not list(task.folder.glob(".*"))


def test_a_lease_that_is_being_signed_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "PATIENCE", 0.05)
    (task,) = tasks_below(tmp_path, 1)
    task.folder.mkdir(parents=True)
    lease = task.folder / ".lease"
    lease.touch()
    looks = []

    def signed(seconds):
        looks.append(lease.exists())
        if len(looks) == 5:
            lease.unlink()  # its owner is done
        time.sleep(seconds)

    monkeypatch.setattr(runner, "sleep", signed)
    assert run_study([task], InThisProcess()).finished == 1
    assert looks == [True] * 5


@pytest.mark.parametrize("done", [False, True])
def test_the_lease_of_a_dead_process_is_taken_over_at_once(tmp_path, done):
    (task,) = tasks_below(tmp_path, 1)
    if done:
        run_study([task], InThisProcess())
    hold = f"import os\nfrom filelock import SoftFileLease\nlease = SoftFileLease({str(task.folder / '.lease')!r}"
    hold += f", lease_duration={LEASE})\nlease.acquire()\nos.kill(os.getpid(), 9)"
    task.folder.mkdir(parents=True, exist_ok=True)
    (task.folder / ".unfinished-abc.json").write_text("{")
    subprocess.run([sys.executable, "-c", hold], check=False)
    assert (task.folder / ".lease").is_file()
    began = time.monotonic()
    assert run_study([task], InThisProcess()).finished == 1
    assert time.monotonic() - began < LEASE / 2
    assert not list(task.folder.glob(".*"))


def test_what_a_killed_attempt_left_behind_is_removed(tmp_path):
    (task,) = tasks_below(tmp_path, 1)
    events = task.folder / "tensorboard_1" / "events.out"
    events.parent.mkdir(parents=True)
    events.write_text("")
    (task.folder / ".unfinished-abc.json").write_text("{")
    assert run_study([task], InThisProcess()).finished == 1
    assert {path.name for path in task.folder.iterdir()} == {
        "config.json",
        "curve.jsonl",
        "policy.npz",
        "provenance.json",
        "result.json",
    }


def failing_with(error):
    def execute(*_):
        raise error

    return execute


def chained(error, cause):
    error.__context__ = cause
    return error


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (FULL, "unwritten"),
        (chained(ValueError("can't close the ZIP file"), FULL), "unwritten"),
        (PermissionError(errno.EACCES, "Permission denied", "{folder}/model.zip"), "unwritten"),
        (PermissionError(errno.EACCES, "Permission denied", "/etc/shadow"), "failed"),
        (chained(ValueError("no such thing"), KeyError("thing")), "failed"),
        (FileNotFoundError(errno.ENOENT, "No such file", "{folder}/data"), "failed"),
        (SystemExit(3), "failed"),
        (MemoryError(), "failed"),
    ],
    ids=repr,
)
def test_errors_of_storage_are_told_from_those_of_a_run(tmp_path, monkeypatch, error, outcome):
    if isinstance(error, OSError) and error.filename:
        error.filename = error.filename.format(folder=tmp_path)
    monkeypatch.setattr("alignment_gym.experiments.local.execute", failing_with(error))
    found, line = outcome_of(None, tmp_path)
    assert found == outcome
    assert line.count("\n") == 0
    assert line


def test_what_happens_is_told_in_order(tmp_path):
    tasks = tasks_below(tmp_path, 1)
    told = []
    run_study(tasks, InThisProcess({0: [("lost", "killed")]}), told.append)
    assert [(type(news), getattr(news, "outcome", "")) for news in told] == [
        (Began, ""),
        (Ended, "lost"),
        (Began, ""),
        (Ended, "finished"),
    ]


def test_a_result_appears_last(tmp_path, monkeypatch):
    (task,) = tasks_below(tmp_path, 1)
    written = []
    monkeypatch.setattr(run_module, "write_json", lambda path, _: written.append(path.name))
    run_module.execute(task.config, task.folder)
    assert written[-1] == "result.json"
