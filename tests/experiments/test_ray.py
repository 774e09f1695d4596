"""Studies on Ray: the same files as on one machine, whatever is killed on the way.

What is marked `ray` runs on a cluster of this machine's, on loopback alone: no node listens to other machines.
"""

import errno
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import typer

from alignment_gym.cli import studies
from alignment_gym.core import UnknownName
from alignment_gym.core.files import UnwritablePath
from alignment_gym.experiments import cluster, runner
from alignment_gym.experiments.cluster import NoCluster, RayEngine
from alignment_gym.experiments.collected import collect, write_records
from alignment_gym.experiments.config import resolve
from alignment_gym.experiments.local import LocalEngine
from alignment_gym.experiments.runner import Reached, Task, run_study
from alignment_gym.experiments.study import read_study

STUDY = """
name = "small"
[[grids]]
envs = ["ShutdownButton-v0"]
recipes = ["q-learning"]
rewards = ["proxy", "true"]
seeds = "0-4"
steps = 3_000_000
"""
PATIENCE = 300  # seconds

on_ray = pytest.mark.ray


@pytest.fixture
def nodes(monkeypatch):
    """A cluster whose head has no core of its own."""
    for name, value in (cluster.DRIVER_SETTINGS | cluster.LOOPBACK | cluster.WORKER_SETTINGS).items():
        monkeypatch.setenv(name, value)  # before Ray is loaded
    ray_cluster = pytest.importorskip("ray.cluster_utils", reason="make test-ray installs Ray")
    found = ray_cluster.Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    assert found.address.startswith("127.0.0.1:"), "nothing listens to other machines"
    yield found
    found.shutdown()


def written(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    return path


def tasks_of(tmp_path, place):
    study = read_study(written(tmp_path))
    return [Task(each.config, each.config.folder(tmp_path / place, study.name)) for each in study.plan()]


def records(folder, out):
    found = collect(folder)
    assert found.troubles == []
    return {path.name: path.read_bytes() for path in write_records(found.records, out)}


def undisturbed(tmp_path):
    """Return the records of the same study, run on this machine."""
    run_study(tasks_of(tmp_path, "local"), LocalEngine(2))
    return records(tmp_path / "local", tmp_path / "local-records")


class Disturbing:
    """Does something once, when a run is in its first half and another has finished."""

    def __init__(self, disturb):
        self.disturb = disturb
        self.engine = None
        self.done = False
        self.started = set()
        self.capacities = []

    def __call__(self, news):
        self.capacities.append(self.engine.capacity)
        if not isinstance(news, Reached):
            return
        self.started.add(news.task.folder)
        if not self.done and len(self.started) > 1 and news.steps * 2 < news.task.config.steps:
            self.done = True
            self.disturb()


def run_disturbed(tmp_path, nodes, disturb, monkeypatch):
    monkeypatch.setattr(runner, "PATIENCE", 0.05)  # so that news of a run's first half comes while it still runs
    told = Disturbing(disturb)
    told.engine = RayEngine(nodes.address)
    tally = run_study(tasks_of(tmp_path, "ray"), told.engine, told)
    assert (tally.finished, tally.failed, tally.stopped) == (10, {}, "")
    assert told.done
    assert records(tmp_path / "ray", tmp_path / "ray-records") == undisturbed(tmp_path)
    return told


def workers(node):
    """Return the processes of a node that are at a run."""
    raylet = node.all_processes["raylet"][0].process.pid
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == raylet and (path / "cmdline").read_bytes().startswith(b"ray::_work"):
                found.append(int(path.name))
    return found


def kill_those_at_work(node):
    at_work = workers(node)
    assert at_work, "a run is under way where it is disturbed"
    for process in at_work:
        os.kill(process, signal.SIGKILL)


@on_ray
def test_a_killed_node_loses_nothing_and_fresh_ones_are_used(tmp_path, nodes, monkeypatch):
    node = nodes.add_node(num_cpus=1)

    def kill_and_replace():
        kill_those_at_work(node)  # a machine that dies takes them along; else they may end their run before they notice
        nodes.remove_node(node, allow_graceful=False)
        nodes.add_node(num_cpus=1)
        nodes.add_node(num_cpus=1)

    told = run_disturbed(tmp_path, nodes, kill_and_replace, monkeypatch)
    assert told.capacities[0] == 1
    assert told.capacities[-1] == 2


@on_ray
def test_a_killed_worker_loses_nothing(tmp_path, nodes, monkeypatch):
    node = nodes.add_node(num_cpus=1)

    run_disturbed(tmp_path, nodes, lambda: kill_those_at_work(node), monkeypatch)


@on_ray
def test_a_killed_driver_is_followed_by_another_that_ends_the_study(tmp_path, nodes):
    node = nodes.add_node(num_cpus=1)
    words = ["study", "run", str(written(tmp_path)), "-o", str(tmp_path / "ray")]
    command = [sys.executable, "-m", "alignment_gym", *words, "--engine", "ray", "--address", nodes.address]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        waited_for(lambda: len(list((tmp_path / "ray").rglob("result.json"))) > 1)
    finally:
        first.kill()
        first.wait()
    finished = list((tmp_path / "ray").rglob("result.json"))
    before = [path.stat().st_mtime_ns for path in finished]
    assert len(finished) < 10
    waited_for(lambda: not workers(node))
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (second.returncode, second.stderr) == (0, "")
    assert second.stdout.startswith("10 of 10 runs finished")
    assert [path.stat().st_mtime_ns for path in finished] == before
    assert records(tmp_path / "ray", tmp_path / "ray-records") == undisturbed(tmp_path)


def waited_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@on_ray
def test_every_file_that_a_seed_decides_is_the_same_as_on_one_machine(tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="make test-ray installs Ray")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    recipes = ("ppo", "dqn", "q-learning", "ppo")
    configs = [resolve("ShutdownButton-v0", recipe=each, steps=3000, seed=seed) for seed, each in enumerate(recipes)]
    engines = {"local": LocalEngine(1), "ray": RayEngine(jobs=1)}  # one worker, so that runs follow each other in it
    for place, engine in engines.items():
        tally = run_study([Task(config, config.folder(tmp_path / place, "one")) for config in configs], engine)
        assert (tally.finished, tally.failed) == (4, {})
    for config in configs:
        local, remote = (config.folder(tmp_path / place, "one") for place in engines)
        for name in ("config.json", "curve.jsonl", "policy.npz", "result.json"):
            assert (remote / name).read_bytes() == (local / name).read_bytes(), (config.recipe, name)
        kinds = [sorted((path.suffix, path.parent.name) for path in run.rglob("[!.]*")) for run in (local, remote)]
        assert len(kinds[0]) == len(kinds[1]), "the model and what TensorBoard reads come back too"
    assert list((tmp_path / "ray").rglob("events.out.tfevents*"))


@on_ray
def test_what_a_run_raises_and_what_takes_too_long_fails_in_the_same_words_as_on_one_machine(tmp_path, nodes):
    nodes.add_node(num_cpus=1)
    slow = resolve("ShutdownButton-v0", recipe="q-learning", steps=10**9)
    good = resolve("ShutdownButton-v0", recipe="q-learning", steps=500)
    wrong = good.model_copy(update={"settings": {"no": "such setting"}})
    told = {}
    for place, engine in (("local", LocalEngine(1, timeout=15)), ("ray", RayEngine(nodes.address, timeout=15))):
        tasks = [Task(config, tmp_path / place / str(at)) for at, config in enumerate((slow, wrong, good))]
        tally = run_study(tasks, engine)
        assert (tally.finished, tally.stopped) == (1, "")
        told[place] = {folder.name: why for folder, why in tally.failed.items()}
    assert told["ray"] == told["local"]
    assert told["ray"]["0"] == "it took longer than 15 seconds, and was stopped"
    assert "such setting" in told["ray"]["1"] or "'no'" in told["ray"]["1"]


@on_ray
def test_a_worker_with_other_source_or_without_it_stops_the_study_and_blames_no_run(tmp_path, nodes, monkeypatch):
    nodes.add_node(num_cpus=1)
    task = Task(resolve("ShutdownButton-v0", recipe="q-learning", steps=500), tmp_path / "run")
    older = cluster.made_of() | {"source": "0123456789ab"}
    with monkeypatch.context() as patched:
        patched.setattr(cluster, "made_of", lambda: older)
        stopped = run_study([task], RayEngine(nodes.address)).stopped
    assert "has alignment-gym's source" in stopped
    assert stopped.endswith("not 0123456789ab; install there what is here")
    only_here = ModuleType("only_here")
    exec("def _work(*_):\n    pass", vars(only_here))
    monkeypatch.setitem(sys.modules, "only_here", only_here)  # Ray sends a module's function by its name
    monkeypatch.setattr(cluster, "_work", only_here._work)
    stopped = run_study([task], RayEngine(nodes.address)).stopped
    assert "a worker could not take a run" in stopped
    assert "only_here" in stopped
    assert "\n" not in stopped
    assert [path for path in task.folder.rglob("*") if path.is_file()] == []


@on_ray
@pytest.mark.parametrize("address", ["127.0.0.1:1", "nonsense", "ray://127.0.0.1:1", "127.0.0.1:999999"])
def test_an_address_that_no_cluster_answers_at_is_refused_in_a_line(address):
    pytest.importorskip("ray", reason="make test-ray installs Ray")
    began = time.monotonic()
    with pytest.raises(NoCluster, match="is a node of it") as refusal:
        RayEngine(address)
    assert address in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert time.monotonic() - began < cluster.KNOCK + cluster.GREETING + 30


def test_without_ray_a_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(NoCluster, match=r'pip install "alignment-gym\[ray\]"'):
        RayEngine()


def test_an_address_without_ray_and_an_unknown_engine_are_usage_errors(tmp_path):
    with pytest.raises(typer.BadParameter, match="--engine ray") as refusal:
        studies.run(str(written(tmp_path)), address="127.0.0.1:6379")
    assert refusal.value.exit_code == 2
    with pytest.raises(UnknownName, match="did you mean 'ray'"):
        studies.run(str(written(tmp_path)), engine="rai")


def test_the_result_is_written_last_and_not_at_all_where_the_disk_is_full(tmp_path, monkeypatch):
    files = {"result.json": b"{}", "config.json": b"{}", "tensorboard_1/events": b"", "a": b"", "z": b""}
    replaced = []
    before = Path.replace
    monkeypatch.setattr(Path, "replace", lambda path, target: replaced.append(target.name) or before(path, target))
    cluster._write(tmp_path / "run", files)
    assert (len(replaced), replaced[-1]) == (5, "result.json")
    assert cluster._read(tmp_path / "run") == files

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnwritablePath, match="No space left"):
        cluster._write(tmp_path / "other", files)
    assert cluster._read(tmp_path / "other") == {}


@on_ray
def test_a_full_disk_here_stops_the_study_and_leaves_the_run_open(tmp_path, nodes, monkeypatch):
    nodes.add_node(num_cpus=1)
    tasks = tasks_of(tmp_path, "ray")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    engine = RayEngine(nodes.address)
    monkeypatch.setattr(os, "fsync", full)
    tally = run_study(tasks, engine)
    assert "No space left" in tally.stopped
    assert tally.finished == 0
    assert not list(tmp_path.rglob("result.json")) + list(tmp_path.rglob("failure.json"))


def test_a_worker_that_differs_is_told_by_the_first_difference():
    here = cluster.made_of()
    assert cluster.different(here, here) == ""
    assert cluster.different(here | {"torch": "1.0"}, here) == f"has torch 1.0, not {here['torch']}"
    assert cluster.different({}, here).startswith("has python None")


class Lost(Exception):
    """What Ray raises where an actor is gone."""


def test_news_that_was_lost_with_its_board_is_said_once():
    def gone(_):
        raise Lost

    said = []
    take = SimpleNamespace(remote=lambda: "taken")
    engine = RayEngine.__new__(RayEngine)
    engine._ray = SimpleNamespace(
        wait=lambda found, **_: (found, []), get=gone, exceptions=SimpleNamespace(RayError=Lost)
    )
    engine._taken, engine._board, engine._running = "taken", SimpleNamespace(take=take), {}
    engine._say, engine._said_lost, engine._timeout = said.append, False, 5.0
    assert engine._notices() == engine._notices() == []
    (words,) = said
    assert "news of progress was lost" in words
    assert "not stopped by its timeout" in words
