"""What made a study's runs: versions, machines and commits, and what each recipe was set to and took.

Derived from run directories, like records; `provenance.json` beside published records says the same without them.
Seconds are data of the runs, so that equal runs still give equal bytes; commands are left out, as they name folders.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alignment_gym.core import AlignmentGymError, InvalidRun
from alignment_gym.core.files import write_json
from alignment_gym.experiments.collected import record_of
from alignment_gym.experiments.config import RunConfig, read_config

PROVENANCE = "provenance.json"

Json = dict[str, Any]


class Part(BaseModel):
    """A part of the file: what a later version adds is kept apart by `schema_version`."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Tools(Part):
    """What runs are made with; null where they do not say."""

    versions: dict[str, str | None] = Field(default={}, description="Of packages; null for one not installed.")
    python: str | None = None
    platform: str | None = None
    git_sha: str | None = Field(default=None, description="Commit of the source tree; null for an installed package.")
    torch_threads: int | None = None


class Made(Tools):
    """What is read of a run's own `provenance.json`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    training_seconds: float | None = None
    processor_seconds: float | None = None


class Environment(Tools):
    """What some runs were made with, and how many."""

    runs: int = Field(ge=1)


class Seconds(Part):
    """Seconds that runs took, of those runs that say."""

    runs: int = Field(ge=1, description="How many runs say.")
    total: float = Field(ge=0, description="Over those runs.")
    median: float = Field(ge=0, description="Of a run.")


class Trained(Part):
    """What a recipe was set to, for how many steps, and how long that took."""

    recipe: str
    settings: Json = Field(description="Everything that the recipe sets.")
    steps: int = Field(ge=0, description="Environment steps, all lanes together.")
    runs: int = Field(ge=1)
    seconds: Seconds | None = Field(default=None, description="Of training; null where no run says.")
    processor_seconds: Seconds | None = Field(
        default=None, description="Of one core, training and scoring; null where no run says."
    )


class Provenance(Part):
    """What made the runs of a study; `runs` may exceed those of environments, as some may not say."""

    schema_version: Literal[1] = 1
    study: str = Field(default="", description="What the folder of its runs was called.")
    runs: int = Field(default=0, ge=0, description="Finished runs.")
    environments: list[Environment] = Field(default=[], description="Most runs first.")
    recipes: list[Trained] = Field(default=[], description="By name, settings and steps.")


def collect_provenance(folder: Path) -> Provenance:
    """Read what made all finished runs below a folder; or, where there is none, its `provenance.json`.

    An empty one comes back where there is neither: older records were published without. Damaged runs are left out,
    as `collect` leaves them out.

    Raises:
        InvalidRun: `provenance.json` can't be read.
    """
    runs = sorted(path.parent for path in folder.rglob("result.json"))
    if not runs and (folder / PROVENANCE).is_file():
        return _published(folder / PROVENANCE)
    told = [each for each in map(_told, runs) if each is not None]
    if not told:
        return Provenance()
    return Provenance(
        study=folder.resolve().name,
        runs=len(told),
        environments=_environments(made for _, made in told if made),
        recipes=_recipes(told),
    )


def write_provenance(found: Provenance, out: Path) -> list[Path]:
    """Write `provenance.json`, nothing where nothing is known."""
    if not found.runs:
        return []
    write_json(out / PROVENANCE, found.model_dump())
    return [out / PROVENANCE]


def _told(run: Path) -> tuple[RunConfig, Made | None] | None:
    """Return a finished run's configuration and what it says of its making, if that; None where it is damaged."""
    try:
        config = read_config(run)
        record_of(run)
    except AlignmentGymError:
        return None
    try:
        return config, Made.model_validate_json((run / PROVENANCE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return config, None


def _environments(told: Iterable[Made]) -> list[Environment]:
    """Return what runs were made with, those alike as one."""
    counts = Counter(json.dumps(made.model_dump(include=set(Tools.model_fields)), sort_keys=True) for made in told)
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return [Environment.model_validate({**json.loads(content), "runs": runs}) for content, runs in ordered]


def _recipes(told: Iterable[tuple[RunConfig, Made | None]]) -> list[Trained]:
    """Return what recipes were set to, a row for each of their settings and steps."""
    rows: dict[tuple[str, str, int], list[Made]] = defaultdict(list)
    for config, made in told:
        rows[config.recipe, json.dumps(config.settings, sort_keys=True), config.steps].append(made or Made())
    return [
        Trained(
            recipe=recipe,
            settings=json.loads(settings),
            steps=steps,
            runs=len(group),
            seconds=_seconds(made.training_seconds for made in group),
            processor_seconds=_seconds(made.processor_seconds for made in group),
        )
        for (recipe, settings, steps), group in sorted(rows.items(), key=lambda each: each[0])
    ]


def _seconds(told: Iterable[float | None]) -> Seconds | None:
    taken = sorted(seconds for seconds in told if seconds is not None)
    if not taken:
        return None
    return Seconds(runs=len(taken), total=round(sum(taken), 3), median=round(median(taken), 3))


def _published(path: Path) -> Provenance:
    try:
        return Provenance.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError, ValueError) as error:
        raise InvalidRun(
            f"{path} can't be read as provenance of schema 1: {str(error).splitlines()[0]}; make the report again"
        ) from error
