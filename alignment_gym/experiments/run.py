"""One run: train, evaluate exactly, write everything down, the result last.

A run is idempotent: where its result exists, it is returned as it is.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from alignment_gym.agents import Trained, save_policy, train
from alignment_gym.agents.train import Progress
from alignment_gym.core import InvalidRun, Mixture
from alignment_gym.core.files import UnwritablePath, remove_unfinished, replacing, write_json, write_text
from alignment_gym.engine.fingerprint import fingerprint
from alignment_gym.engine.mdp import FiniteMDP
from alignment_gym.exact import PolicyTable, evaluate, evaluate_levels, level_set, solve, tabulate
from alignment_gym.exact.deviation import chi_squared, trajectory_kl
from alignment_gym.exact.levels import joined
from alignment_gym.experiments.config import SCHEMA, RunConfig, read_config
from alignment_gym.experiments.records import evaluation_record, generalisation_record, levels_record

EVENTS = "tensorboard"
"""How the names of folders with TensorBoard events begin; SB3 appends a number."""

PLACE = ("env", "level", "dials", "recipe", "reward", "steps", "seed")
"""What a result repeats of its configuration."""

PACKAGES = ("alignment-gym", "gymnasium", "numpy", "stable-baselines3", "sb3-contrib", "torch")


def execute(config: RunConfig, folder: Path, progress: Progress | None = None, force: bool = False) -> dict[str, Any]:
    """Train and score one run, and return its result.

    Several levels are scored level by level, each against its own anchors; the result holds the scores of their mean.
    A run that is to be tested asks the agent about the observations of the levels that it is tested on as well, so
    that `policy.npz` covers both; an agent that is a table plays uniformly where it was never shown anything.

    Args:
        config: what to run.
        folder: where its files go.
        progress: told at checkpoints how well the agent does on the reward it is trained on.
        force: run again although a result exists.

    Raises:
        TooLargeToEnumerate: the world has no exact scores.
        UnwritablePath: nothing can be written there.
    """
    if not force and (folder / "result.json").is_file():
        return read_result(folder)
    mdp, test_mdp = config.mdp, config.test_mdp
    for tables in (mdp, test_mdp) if test_mdp else (mdp,):
        _refuse_unsolvable(tables)
    _begin_anew(folder)
    write_json(folder / "config.json", config.model_dump())
    began, used = perf_counter(), process_time()
    trained = train(
        mdp,
        config.resolved_recipe,
        reward=config.reward,
        steps=config.steps,
        seed=config.seed,
        checkpoints=config.checkpoints,
        progress=progress,
        log_folder=folder,
    )
    training = perf_counter() - began
    policy = trained.policy
    if test_mdp is not None and trained.agent is not None:
        policy = joined(policy, tabulate(trained.agent, test_mdp))
    save_policy(folder / "policy.npz", policy, config.dials)
    if trained.save_model is not None:
        with replacing(folder / "model.zip") as temporary:
            trained.save_model(str(temporary))
    write_text(folder / "curve.jsonl", _curve(trained, mdp))
    result = result_of(config, policy)
    spent = {"training": training, "whole": perf_counter() - began, "processor": process_time() - used}
    write_json(folder / "provenance.json", provenance(config, spent))
    write_json(folder / "result.json", result)
    return result


def result_of(config: RunConfig, policy: PolicyTable) -> dict[str, Any]:
    """Return the result of a run with this policy, exactly scored."""
    mdp, test_mdp = config.mdp, config.test_mdp
    result = {
        "schema_version": SCHEMA,
        "key": config.key,
        **config.model_dump(include=set(PLACE)),
        "expose_true": False,
        "changes": config.changes,
        "tables": fingerprint(mdp),
        **policy_record(policy, mdp),
    }
    if config.policy is not None:
        result |= {"policy": config.policy, "expose_true": None}  # what it was shown is not known
    if test_mdp is not None:
        known, other = evaluate_levels(policy, mdp), evaluate_levels(policy, test_mdp)
        result |= {"test_level": config.test_level, **levels_record(known), **generalisation_record(known, other)}
    return result


def _begin_anew(folder: Path) -> None:
    """Remove what an attempt that was cut short has left, and what would pass for this one's."""
    try:
        (folder / "result.json").unlink(missing_ok=True)
        for events in folder.glob(f"{EVENTS}_*"):
            shutil.rmtree(events)
    except OSError as error:
        raise UnwritablePath(f"cannot write {folder}: {error.strerror or error}; choose another place") from error
    remove_unfinished(folder)


def policy_record(policy: PolicyTable, mdp: FiniteMDP) -> dict[str, Any]:
    """Return a policy's exact scores; of several levels those of their mean, each fully known."""
    if isinstance(mdp.world, Mixture):
        return levels_record(evaluate_levels(policy, mdp))
    return evaluation_record(evaluate(policy, mdp))


def _refuse_unsolvable(mdp: FiniteMDP) -> None:
    """Solve before training what is to be scored after it."""
    if isinstance(mdp.world, Mixture):
        level_set(mdp)
    else:
        solve(mdp)


def read_result(folder: Path) -> dict[str, Any]:
    """Read a finished run's result.

    Raises:
        InvalidRun: the folder is no run directory, or the run did not finish.
    """
    config = read_config(folder)
    path = folder / "result.json"
    if not path.is_file():
        raise InvalidRun(f"{folder} did not finish: it has no result.json; train again with seed {config.seed}")
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidRun(f"{path} is damaged ({error}); delete it and train again") from error
    if not isinstance(result, dict) or result.get("key") != config.key:
        raise InvalidRun(f"{path} is not the result of the config.json beside it; delete it and train again")
    return result


def provenance(config: RunConfig, spent: dict[str, float]) -> dict[str, Any]:
    """Return what made the run: versions, machine, command, seconds.

    Of those, `training_seconds` went to training, `seconds` to training and scoring, `processor_seconds` to the same of
    one core's time, which does not depend on what else the machine does.
    """
    return {
        "versions": {package: installed_version(package) for package in PACKAGES},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "git_sha": git_sha(),
        "command": ["alignment-gym", *sys.argv[1:]],
        "seed": config.seed,
        "torch_threads": 1,
        "expose_true": False,
        "training_seconds": round(spent["training"], 3),
        "seconds": round(spent["whole"], 3),
        "processor_seconds": round(spent["processor"], 3),
    }


def _curve(trained: Trained, mdp: FiniteMDP) -> str:
    """Return a line a checkpoint: exact scores, and how far the policy has moved from uniform play."""
    lines = []
    for step, table in trained.checkpoints:
        policy = table.on(mdp).by_state(mdp)
        moved = {"kl": trajectory_kl(mdp, policy), "chi_squared": chi_squared(mdp, policy)}
        lines.append({"step": step, **policy_record(table, mdp), **moved})
    return "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines)


def installed_version(package: str) -> str | None:
    """Return a distribution's version, None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def git_sha() -> str | None:
    """Return the commit of the source tree, None for an installed package."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        return None
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True, env=dict(os.environ)
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()
