"""Frozen studies: fingerprints of the tables and recipes that a study stands on, so that its name stays one thing.

A suite that a paper cites by name, such as `core-1`, says what its worlds and recipes were when it was made. Where one
has changed since, the suite is refused: its results would be those of another.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from inspect import getsource
from typing import Any

from alignment_gym.agents import recipe_named
from alignment_gym.core import InvalidStudy, make_world
from alignment_gym.engine.fingerprint import fingerprint
from alignment_gym.engine.mdp import compiled
from alignment_gym.experiments.config import RunConfig, settings_of
from alignment_gym.experiments.study import Frozen, Planned, Study, read_study, suites


def tables_of(config: RunConfig) -> str:
    """Return the fingerprint of the tables that a run is trained on."""
    return _fingerprint(config.env, config.level, json.dumps(config.dials, sort_keys=True))


@lru_cache(maxsize=256)
def _fingerprint(env: str, level: str, dials: str) -> str:
    return fingerprint(compiled(make_world(env, level=level, **json.loads(dials))))


def freeze(planned: Sequence[Planned]) -> Frozen:
    """Return the fingerprints of every table and recipe that some runs use."""
    worlds = {world_name(each): each for planned_run in planned for each in _places(planned_run.config)}
    recipes = sorted({each.config.recipe for each in planned})
    return Frozen(
        tables={name: tables_of(worlds[name]) for name in sorted(worlds)},
        recipes={name: recipe_fingerprint(name) for name in recipes},
    )


def check_frozen(study: Study, planned: Sequence[Planned]) -> None:
    """Compare what a frozen study stands on with what is here; of a study that is not frozen, nothing.

    Raises:
        InvalidStudy: a table or recipe differs, or is missing from the list.
    """
    if study.frozen is None:
        return
    found = freeze(planned)
    for kind, here, pinned in (
        ("table", found.tables, study.frozen.tables),
        ("recipe", found.recipes, study.frozen.recipes),
    ):
        changed = [name for name, digest in here.items() if pinned.get(name) != digest]
        if changed:
            raise InvalidStudy(
                f"{study.name} is frozen, and {len(changed)} of its {kind}s differ here, first {changed[0]!r}: "
                "use the version of alignment_gym that it was made with, or give your own study another name"
            )


def suite_of(records: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the frozen suite whose runs some records are, all of them; None if there is none."""
    for name in suites():
        study = read_study(name)
        known = {(each.config.key, each.config.seed): world_name(each.config) for each in study.plan()}
        pinned = study.frozen.tables if study.frozen else {}
        worlds = [known.get((record.get("key", ""), record["seed"]), "") for record in records]
        if all(
            world and record.get("tables") == pinned.get(world) for record, world in zip(records, worlds, strict=True)
        ):
            return name
    return None


def suite_fingerprint(study: Study) -> str:
    """Return the SHA-256 of a study as a whole: every run's configuration and every fingerprint."""
    runs = sorted((each.config.key, each.config.seed) for each in study.plan())
    pinned = study.frozen.model_dump() if study.frozen else {}
    return sha256(json.dumps([study.name, runs, pinned], sort_keys=True).encode()).hexdigest()


def _places(config: RunConfig) -> list[RunConfig]:
    """Return a run where it is trained, and where it is tested."""
    tested = [] if config.test_level is None else [config.model_copy(update={"level": config.test_level})]
    return [config, *tested]


def world_name(config: RunConfig) -> str:
    """Return what a table is called in a frozen study: the world, its level, and the dials that are changed."""
    return " ".join([config.env, config.level, *(f"{name}={value}" for name, value in config.dials.items())])


def recipe_fingerprint(name: str) -> str:
    """Return the SHA-256 of what a recipe sets; of one from elsewhere also of the source of its module."""
    recipe = recipe_named(name)
    content = [recipe.algorithm, recipe.deployed, recipe.steps, settings_of(recipe)]
    if ":" in recipe.algorithm:
        content.append(getsource(import_module(name.partition(":")[0])))
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def as_toml(frozen: Frozen) -> str:
    """Return fingerprints as the part of a study file that holds them."""
    parts = [(f"frozen.{name}", found) for name, found in frozen.model_dump().items()]
    lines = [line for name, found in parts for line in (f"[{name}]", *_pairs(found), "")]
    return "\n".join(lines)


def _pairs(found: dict[str, str]) -> list[str]:
    return [f"{json.dumps(name)} = {json.dumps(digest)}" for name, digest in found.items()]
