"""A study: levels x recipes x rewards x seeds, as a TOML file, run with one process a core."""

import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alignment_gym.core import AlignmentGymError, UnknownName
from alignment_gym.experiments.config import RunConfig, resolve
from alignment_gym.experiments.run import execute


class InvalidStudy(AlignmentGymError):
    """A study file can't be read, or asks for what does not exist."""


class Grid(BaseModel):
    """All combinations of what it lists."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    envs: list[str] = Field(min_length=1)
    levels: list[str | None] = [None]
    dials: dict[str, list[Any]] = {}
    recipes: list[str] = Field(min_length=1)
    rewards: list[Literal["proxy", "true"]] = ["proxy", "true"]
    seeds: list[int] = Field(min_length=1)
    steps: int | None = Field(default=None, gt=0)
    test_level: str | None = None

    def configs(self) -> Iterator[RunConfig]:
        """Yield the cells, resolved."""
        swept = [dict(zip(self.dials, values, strict=True)) for values in product(*self.dials.values())]
        for env, level, dials, recipe, reward, seed in product(
            self.envs, self.levels, swept, self.recipes, self.rewards, self.seeds
        ):
            yield resolve(
                env,
                level=level,
                dials=dials,
                recipe=recipe,
                reward=reward,
                steps=self.steps,
                seed=seed,
                test_level=self.test_level,
            )


class Study(BaseModel):
    """A name and its grids."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[\w.-]+$")
    grids: list[Grid] = Field(min_length=1)

    def configs(self) -> list[RunConfig]:
        """Return every run once, in order."""
        return list({(config.key, config.seed): config for grid in self.grids for config in grid.configs()}.values())


def read_study(path: Path) -> Study:
    """Read a study file.

    Raises:
        InvalidStudy: it is missing, no TOML, or has unknown or wrong keys.
    """
    try:
        return Study.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InvalidStudy(f"cannot read {path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidStudy(f"{path} is no TOML: {error}") from error
    except ValidationError as error:
        first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
        place = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = Grid.model_fields if len(first["loc"]) > 1 else Study.model_fields
            raise UnknownName(f"key of {path}", str(first["loc"][-1]), known) from error
        raise InvalidStudy(f"{path}, {place}: {first['msg']}") from error


def run_study(
    study: Study, root: Path, jobs: int, told: Callable[[RunConfig, dict[str, Any] | None, str], None]
) -> int:
    """Run what has no result yet, and return how many runs failed.

    Args:
        study: what to run.
        root: the folder of run directories.
        jobs: processes.
        told: takes each run with its result, or None and the error.
    """
    failed = 0
    # spawn: torch and forked processes don't agree
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(execute, config, config.folder(root, study.name)): config for config in study.configs()}
        for future in as_completed(waiting):
            error = future.exception()
            if error is None:
                told(waiting[future], future.result(), "")
            else:
                failed += 1
                told(waiting[future], None, f"{type(error).__name__}: {error}")
    return failed
