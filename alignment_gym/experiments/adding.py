"""Agents trained elsewhere join a study: their policies are scored exactly, and lie beside runs as one of them.

What joins is a policy file, which any agent becomes that can be asked about observations:

    from alignment_gym import tabulate
    from alignment_gym.agents import save_policy

    table = tabulate(lambda observations: my_model(observations), "BoatRace-v0", level="lagoon", depth=2)
    save_policy(Path("policy.npz"), table, dials={"depth": 2})

The callable takes features, uint8 (N, D), and returns probabilities (N, A) or actions (N,); the file has to say with
which dials its world was made. Nothing in it is unpickled. Its run directory holds what is known: a configuration
whose key covers the policy, a provenance without a training time, and the exact result; but no curve.
"""

import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from alignment_gym.agents import RECIPES, load_policy, save_policy
from alignment_gym.core import InvalidDial, InvalidPolicy, InvalidRun
from alignment_gym.core.files import write_json
from alignment_gym.exact import PolicyTable
from alignment_gym.experiments.config import RunConfig, read_config, resolve
from alignment_gym.experiments.run import provenance, read_result, result_of
from alignment_gym.experiments.verifying import policy_digest

NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


def add_policies(
    files: Sequence[Path],
    study: Path,
    name: str,
    *,
    reward: str = "proxy",
    seed: int = 0,
    steps: int = 0,
    env: str | None = None,
) -> list[Path]:
    """Score policies and write a run directory each; all are checked before the first is written.

    A policy that is there already, under this name and seed, is left as it is.

    Args:
        files: written by `save_policy`; their seeds count up in this order.
        study: the folder of the study.
        name: what the agents go by, as a recipe does.
        reward: what they were paid: `proxy`, or `true`.
        seed: of the first.
        steps: of training, each; 0 if that is not known.
        env: the world as module:id, where it is one of your own.

    Returns:
        The run directories, in the same order.

    Raises:
        InvalidPolicy: a file that is no policy, or none for its world.
        InvalidDial: a name that can't be one.
        InvalidRun: another policy has this name and seed.
        UnknownName: the policy's world, level, dial or the reward is none.
        TooLargeToEnumerate: the world has no exact scores.
    """
    if not NAME.fullmatch(name) or name in RECIPES:
        taken = "the name of a recipe of ours" if name in RECIPES else "no name of letters, digits, dots and dashes"
        raise InvalidDial(f"{name!r} is {taken}; give another --name, such as my-{name.strip('-/. ') or 'agent'}")
    ready = [_prepared(file, name, reward, seed + number, steps, env) for number, file in enumerate(files)]
    folders = [config.folder(study.parent, study.name) for config, *_ in ready]
    for folder, (config, *_) in zip(folders, ready, strict=True):
        _check_free(folder, config)
    for folder, file, (config, table, dials) in zip(folders, files, ready, strict=True):
        _write(folder, file, config, table, dials)
    return folders


def _prepared(
    file: Path, name: str, reward: str, seed: int, steps: int, env: str | None
) -> tuple[RunConfig, PolicyTable, dict[str, Any]]:
    """Read a policy, check that it fits its world, and return its run's configuration."""
    table, dials = load_policy(file)
    known = resolve(env or table.env, level=table.level, dials=dials, reward=reward, seed=seed, steps=steps or None)
    if known.env.rpartition(":")[2] != table.env:
        raise InvalidPolicy(f"{file} was made for {table.env}; it can't be added to {known.env}")
    _check_fit(file, table, known)
    changes = {"recipe": name, "settings": {}, "steps": steps, "policy": policy_digest(table, known.dials)}
    return known.model_copy(update=changes), table, known.dials


def _check_fit(file: Path, table: PolicyTable, config: RunConfig) -> None:
    """Refuse a policy that knows nothing of its world, or says two things of one observation."""
    seen = table.observations
    if seen.dtype != np.uint8:
        raise InvalidPolicy(f"{file} has observations of {seen.dtype}; features are uint8, as `tabulate` writes them")
    if len(np.unique(seen, axis=0)) < len(seen):
        raise InvalidPolicy(f"{file} has an observation twice; give one row of probabilities each")
    unseen = table.on(config.mdp).unseen
    if unseen == len(config.mdp.observations):
        raise InvalidPolicy(f"{file} has none of the {unseen} observations of {table.env} {table.level}")


def _check_free(folder: Path, config: RunConfig) -> None:
    """Refuse a name and seed that another policy has on the same world, level and dials."""
    for other in sorted(folder.parent.glob(f"*-seed-{config.seed}")):
        if other == folder or not (other / "config.json").is_file():
            continue
        there = read_config(other)
        if there.dials == config.dials:
            what = "other steps" if there.policy == config.policy else "another policy"
            raise InvalidRun(
                f"{config.recipe} with seed {config.seed} is there already, with {what}: {other}; "
                "give another --seed or --name, or delete it"
            )


def _write(folder: Path, file: Path, config: RunConfig, table: PolicyTable, dials: dict[str, Any]) -> None:
    """Write a run directory, its result last, unless it is there."""
    if (folder / "result.json").is_file():
        read_result(folder)
        return
    result = result_of(config, table)
    write_json(folder / "config.json", config.model_dump())
    save_policy(folder / "policy.npz", table, dials)
    known = provenance(config, dict.fromkeys(("training", "whole", "processor"), 0.0))
    seconds = dict.fromkeys(("training_seconds", "seconds", "processor_seconds"))
    unknown = {**seconds, "torch_threads": None, "expose_true": None}
    added = {"added": True, "sha256": sha256(file.read_bytes()).hexdigest()}
    write_json(folder / "provenance.json", known | unknown | added)
    write_json(folder / "result.json", result)
