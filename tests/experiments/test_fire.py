"""Under fire: kills, interrupts, full disks and learners that misbehave cost time, and nothing else.

Processes of a study are found by a word in their environment, so that those whose parent is gone are found too.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from alignment_gym.experiments import local
from alignment_gym.experiments.collected import collect, write_records
from alignment_gym.experiments.config import resolve
from alignment_gym.experiments.local import LocalEngine
from alignment_gym.experiments.run import execute
from alignment_gym.experiments.runner import Task, run_study
from alignment_gym.experiments.study import read_study

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found by /proc")

LIGHT = "alignment_gym.experiments.local"  # loading torch would take most of these tests
COMMAND = f"""
import sys
from alignment_gym.experiments import local
local.PRELOADED = {LIGHT!r}
start = local.LocalEngine.start
def telling(engine, task):
    if "--json" in sys.argv:
        print("began", task.folder)
    start(engine, task)
local.LocalEngine.start = telling
from alignment_gym.cli.app import main
main()
"""
STUDY = """
name = "small"
[[grids]]
envs = ["ShutdownButton-v0"]
recipes = ["q-learning"]
rewards = ["proxy", "true"]
seeds = "0-{last}"
steps = {steps}
"""
PATIENCE = 120  # seconds
UNDISTURBED = {}
SOON = 30.0  # seconds in which orphans leave, on a busy machine; on a quiet one, less than one does


class Fire:
    """A study file, its runs, and commands that run it."""

    def __init__(self, folder, last=3, steps=300):
        self.folder = folder
        self.word = uuid4().hex
        self.file = folder / "study.toml"
        self.file.write_text(STUDY.format(last=last, steps=steps))
        self.runs = folder / "runs"
        self.study = read_study(self.file)

    def tasks(self, root):
        return [Task(config, config.folder(root, self.study.name)) for config in self.study.configs()]

    def start(self, *words, jobs=2):
        environment = {**os.environ, "STUDY_UNDER_FIRE": self.word, "OMP_NUM_THREADS": "1"}
        words = ("study", "run", self.file, "-o", self.runs, "--jobs", jobs, *words)
        return subprocess.Popen(
            [sys.executable, "-c", COMMAND, *map(str, words)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def processes(self):
        """Return the ids of all processes of the study that are alive."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                if self.word.encode() in (place / "environ").read_bytes():
                    found.append(int(place.name))
            except OSError:
                continue
        return found

    def finished(self):
        return len(list(self.runs.rglob("result.json")))

    def records(self, root=None):
        """Return the bytes of the three files of records."""
        collected = collect(root or self.runs)
        assert collected.troubles == []
        return [path.read_bytes() for path in write_records(collected.records, self.folder / "records")]

    def undisturbed(self):
        """Return the records of the same runs, executed one by one, here; small studies are all the same."""
        key = self.file.read_bytes()
        if key not in UNDISTURBED:
            root = self.folder / "undisturbed"
            for task in self.tasks(root):
                execute(task.config, task.folder)
            UNDISTURBED[key] = self.records(root)
        return UNDISTURBED[key]

    def leftovers(self):
        """Return leases and temporary files."""
        return [path for path in self.runs.rglob(".*") if path.is_file()]


def waited_for(condition, patience=PATIENCE):
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def kill(process_id):
    try:
        os.kill(process_id, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def ended(process):
    """Return a command's exit code and what it said."""
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


@pytest.fixture
def fire(tmp_path):
    made = Fire(tmp_path)
    yield made
    for process_id in made.processes():
        kill(process_id)


def test_a_kill_of_a_worker_and_one_of_the_runner_change_nothing(fire):
    process = fire.start()
    waited_for(lambda: fire.finished() >= 1)
    for process_id in fire.processes():
        if process_id != process.pid:  # workers, and the server that they are forked from
            kill(process_id)
    waited_for(lambda: fire.finished() >= 3)
    assert process.poll() is None, "it has survived"
    process.kill()
    waited_for(lambda: not fire.processes(), SOON)
    process.communicate()
    assert fire.finished() < 8
    code, out, err = ended(fire.start())
    assert (code, err) == (0, "")
    assert "8 of 8 runs finished" in out
    assert fire.records() == fire.undisturbed()
    assert fire.leftovers() == []


@pytest.mark.slow
def test_twenty_kills_at_random_change_nothing(tmp_path):
    chance = random.Random(0)  # noqa: S311 - of when to kill whom
    fire = Fire(tmp_path, last=29, steps=5_000)
    kills = 0
    process = fire.start()
    while kills < 20:
        while len(fire.processes()) < 4 and process.poll() is None:  # with its server, its tracker, and a worker
            time.sleep(0.02)
        time.sleep(chance.random() * 0.6)
        if process.poll() is not None:
            break
        if kills % 2:
            process.kill()
            waited_for(lambda: not fire.processes(), SOON)
            process.communicate()
            process, kills = fire.start(), kills + 1
        else:
            others = [each for each in fire.processes() if each != process.pid]
            kills += bool(others) and kill(chance.choice(others))
    code, out, _ = ended(process)
    assert kills == 20, "the study is long enough to be killed in"
    assert code == 0
    assert "60 of 60 runs finished" in out
    assert fire.records() == fire.undisturbed()
    assert fire.leftovers() == []
    assert not fire.processes()


@pytest.mark.slow
def test_two_runners_share_the_runs_and_do_none_twice(fire):
    processes = [fire.start("--json", jobs=1) for _ in range(2)]
    begun = 0
    for process in processes:
        code, out, err = ended(process)
        *told, tally = out.split("\n", out.count("began "))
        begun += len(told)
        assert (code, err) == (0, "")
        assert json.loads(tally) == {"runs": 8, "finished": 8, "failed": {}, "stopped": ""}
    assert begun == 8
    assert fire.records() == fire.undisturbed()
    assert fire.leftovers() == []


@pytest.mark.slow
def test_of_two_runners_one_finishes_what_the_other_was_killed_in(fire):
    first, second = fire.start("--json", jobs=1), fire.start("--json", jobs=1)
    waited_for(lambda: fire.finished() >= 1)
    first.kill()
    first.communicate()
    code, out, _ = ended(second)
    assert code == 0
    assert '"finished": 8' in out
    assert fire.records() == fire.undisturbed()
    waited_for(lambda: not fire.processes(), SOON)


@pytest.mark.slow
def test_an_interrupt_leaves_nothing_but_finished_runs(fire):
    process = fire.start()
    waited_for(lambda: fire.finished() >= 1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: workers and their server hear it too
    code, _, err = ended(process)
    assert code == 130
    assert err == "interrupted; what is finished is kept, and the same command goes on\n"
    waited_for(lambda: not fire.processes(), SOON)
    assert not list(fire.runs.rglob(".lease"))
    assert ended(fire.start())[0] == 0
    assert fire.records() == fire.undisturbed()


LEARNERS = """
import ctypes, os, sys, time, threading
import numpy as np

def uniform(observations):
    return np.zeros(len(observations), dtype=int)

def works(make_env, steps, seed):
    print("words that are no data of the study's")
    return uniform

def lingers(make_env, steps, seed):
    threading.Thread(target=time.sleep, args=(600,)).start()
    return uniform

def raises(make_env, steps, seed):
    raise RuntimeError("no idea\\nhow")

def ends(make_env, steps, seed):
    sys.exit(3)

def leaves(make_env, steps, seed):
    os._exit(7)

def crashes(make_env, steps, seed):
    ctypes.string_at(0)

def sleeps(make_env, steps, seed):
    time.sleep(600)
"""


@pytest.mark.slow
def test_learners_that_misbehave_are_told_apart_and_harm_no_other(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(local, "PRELOADED", LIGHT)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "misbehaving.py").write_text(LEARNERS)
    names = ["raises", "leaves", "crashes", "sleeps", "ends", "lingers", "works"]
    configs = [resolve("ShutdownButton", recipe=f"misbehaving:{name}", steps=10) for name in names]
    tasks = [Task(config, config.folder(tmp_path, "small")) for config in configs]
    engine = LocalEngine(2, timeout=4)
    tally = run_study(tasks, engine)
    told = {task.config.recipe.partition(":")[2]: tally.failed.get(task.folder) for task in tasks}
    kinds = {
        task.config.recipe.partition(":")[2]: json.loads((task.folder / "failure.json").read_text())["kind"]
        for task in tasks
        if task.folder in tally.failed
    }
    assert kinds == {"raises": "failed", "leaves": "lost", "crashes": "lost", "sleeps": "failed", "ends": "failed"}
    assert told["raises"] == "RuntimeError: no idea how"
    assert "left with exit code 7" in told["leaves"]
    assert "SIGSEGV" in told["crashes"]
    assert told["sleeps"] == "it took longer than 4 seconds, and was stopped"
    assert told["ends"] == "SystemExit: 3"
    assert tally.finished == 2
    assert capfd.readouterr().out == ""


@pytest.mark.slow
def test_a_run_is_the_same_to_the_byte_at_any_number_of_jobs(tmp_path, monkeypatch):
    monkeypatch.setattr(local, "PRELOADED", LIGHT)
    same_bytes(tmp_path, recipe="q-learning", steps=500)


@pytest.mark.slow
def test_a_network_is_the_same_to_the_byte_at_any_number_of_jobs(tmp_path):
    same_bytes(tmp_path, recipe="ppo", steps=6_000)


def same_bytes(tmp_path, **options):
    """Execute two runs here, one after the other in processes, and side by side, and compare their files."""
    configs = [resolve("ShutdownButton", seed=seed, **options) for seed in (0, 1)]
    for config in configs:
        execute(config, config.folder(tmp_path, "0"))
    for jobs in (1, 2):
        tasks = [Task(config, config.folder(tmp_path, str(jobs))) for config in configs]
        assert run_study(tasks, LocalEngine(jobs)).finished == 2
    for name in ("policy.npz", "curve.jsonl", "result.json", "config.json"):
        for config in configs:
            first, *others = [(config.folder(tmp_path, jobs) / name).read_bytes() for jobs in "012"]
            assert others == [first, first]


@contextmanager
def mounted(place, *options):
    """Mount something for a while; skip the test where that is not permitted."""
    place.mkdir(exist_ok=True)
    try:
        subprocess.run(["mount", *options, str(place)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting is not permitted")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.slow
def test_a_full_disk_stops_a_study_which_goes_on_when_there_is_space(fire):
    with mounted(fire.runs, "-t", "tmpfs", "-o", "size=70k", "tmpfs"):
        code, out, err = ended(fire.start())
        assert code == 1
        assert err.startswith("stopped: cannot write")
        assert "No space left on device" in err
        assert err.count("\n") == 1
        assert not [path for path in fire.runs.rglob(".*") if path.is_file()]
        assert not list(fire.runs.rglob("failure.json"))
        finished = fire.finished()
        assert 0 < finished < 8
        assert f"{finished} of 8" in out
        assert len(collect(fire.runs).records) == finished
        subprocess.run(["mount", "-o", "remount,size=2m", str(fire.runs)], check=True)
        assert ended(fire.start())[0] == 0
        assert fire.records() == fire.undisturbed()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # of TensorBoard's thread
def test_a_full_disk_is_no_fault_of_a_network(tmp_path):
    config = resolve("ShutdownButton", recipe="ppo", steps=3_000)
    outcomes = {}
    for size in (4, 12, 20, 40, 80, 120, 160, 2_000):  # KiB: events, policy, and the network's file are cut short
        with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs") as disk:
            outcomes[size] = local.outcome_of(config, config.folder(disk, "small"))[0]
            assert not [path for path in disk.rglob(".*") if path.is_file()]
    assert outcomes.pop(2_000) == "finished"
    assert set(outcomes.values()) == {"unwritten"}


def test_a_place_that_can_only_be_read_is_told_in_a_line(fire):
    with mounted(fire.runs, "-t", "tmpfs", "-o", "size=2m", "tmpfs"):
        subprocess.run(["mount", "-o", "remount,ro", str(fire.runs)], check=True)
        code, out, err = ended(fire.start())
        assert code == 1
        assert "Read-only file system" in err
        assert err.count("\n") == 1
        assert out == "0 of 8 runs finished\n"


def test_the_comparison_of_records_notices_a_difference(fire):
    for task in fire.tasks(fire.runs):
        execute(task.config, task.folder)
    undisturbed = fire.undisturbed()
    assert fire.records() == undisturbed
    path = next(fire.runs.rglob("result.json"))
    result = json.loads(path.read_text())
    path.write_text(json.dumps({**result, "proxy_return": result["proxy_return"] + 1e-9}))
    assert fire.records() != undisturbed
