"""What a study is: worlds x levels x dials x recipes x settings x rewards x steps x seeds, as a TOML file.

Everything in it is resolved, and refused where it is wrong, before anything runs. A run that a study asks for twice is
a mistake; a twin is left out where the proxy is what was meant, as it would be the same run.
"""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from alignment_gym.core import (
    FAILURE_MODES,
    InvalidStudy,
    TooLargeToEnumerate,
    UnknownName,
    make_world,
    world_class,
    world_ids,
)
from alignment_gym.engine.enumeration import check_enumerable
from alignment_gym.experiments.config import CHECKPOINTS, RunConfig, resolve

SUITES = Path(__file__).parent / "suites"
"""Frozen studies that a paper can cite by name, such as `core-1`."""


SEED_LIMIT = 2**32
"""Seeds are below it: PyTorch and NumPy's legacy generators take no others."""

MOST_SEEDS = 10_000
"""In a range: more are a slip of the pen."""


def numbers(given: Any) -> Any:
    """Read `"0-29"` as the whole numbers from 0 to 29, and leave anything else as it is."""
    if isinstance(given, str):
        low, dash, high = given.partition("-")
        if not (dash and low.isdecimal() and high.isdecimal() and int(low) <= int(high) < SEED_LIMIT):
            raise ValueError(f"{given!r} is no range such as '0-29'")
        if int(high) - int(low) >= MOST_SEEDS:
            raise ValueError(f"{given!r} are {int(high) - int(low) + 1:,} seeds; at most {MOST_SEEDS:,}")
        return list(range(int(low), int(high) + 1))
    return given


def listed(given: Any) -> Any:
    """Read one value as a list of one."""
    return given if isinstance(given, list) or given is None else [given]


def finite(values: list[Any]) -> list[Any]:
    """Refuse what no configuration can hold: NaN and infinity, which are no JSON."""
    for value in values:
        if isinstance(value, float) and not isfinite(value):
            raise ValueError(f"{value} is no value; give a finite number")
    return values


Seed = Annotated[int, Field(ge=0, lt=SEED_LIMIT, strict=True)]
Seeds = Annotated[list[Seed], BeforeValidator(numbers), Field(min_length=1)]
Steps = Annotated[
    list[Annotated[int, Field(gt=0, le=10**12, strict=True)]], BeforeValidator(listed), Field(min_length=1)
]
Swept = dict[str, Annotated[list[Any], Field(min_length=1), AfterValidator(finite)]]


class Part(BaseModel):
    """A part of a study file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Grid(Part):
    """All combinations of what it lists."""

    name: str | None = Field(
        default=None, pattern=r"^[\w.-]+$", description="What reports call it; its number if none."
    )
    envs: list[str] = Field(default=[], description="Worlds, by id.")
    tags: list[str] = Field(default=[], description="Worlds with any of these failure modes.")
    exclude: list[str] = Field(default=[], description="Worlds that the tags name, and that are left out.")
    levels: list[str | None] = Field(default=[None], min_length=1, description="Levels; the world's first if none.")
    dials: Swept = Field(default={}, description="Dials, each with the values that are swept.")
    recipes: list[str] = Field(min_length=1, description="Our recipes by name, or your own as module:function.")
    settings: Swept = Field(default={}, description="Hyperparameters, each with the values that are swept.")
    rewards: list[Literal["proxy", "true"]] = Field(default=["proxy", "true"], min_length=1)
    seeds: Seeds = Field(description="A list of numbers from 0 on, or a range such as '0-29'.")
    steps: Steps | None = Field(
        default=None, description="Environment steps, one number or several; the recipe's if none."
    )
    test_level: str | None = Field(
        default=None, description="Levels to be scored on, where they are not those trained on."
    )

    @property
    def worlds(self) -> list[str]:
        """The ids that it names, by tags or one by one."""
        for tag in self.tags:
            if tag not in FAILURE_MODES:
                raise UnknownName("tag", tag, FAILURE_MODES)
        tagged = [each for each in world_ids() if set(self.tags) & set(world_class(each).card.failure_modes)]
        for each in self.exclude:
            if world_class(each).card.id not in tagged:
                raise InvalidStudy(
                    f"exclude names {each!r}, which none of the tags {self.tags} brings in; leave it out"
                )
        left_out = {world_class(each).card.id for each in self.exclude}
        found = [*self.envs, *(each for each in tagged if each not in left_out)]
        if not found:
            raise InvalidStudy("a grid names no world: give envs, or tags that some world carries")
        return found

    def configs(self, checkpoints: int = CHECKPOINTS) -> Iterator[RunConfig]:
        """Yield its runs, resolved, those of one cell beside each other."""
        for first in self.cells(checkpoints):
            if not is_needless(first):
                yield from (first.model_copy(update={"seed": seed}) for seed in self.seeds)

    def cells(self, checkpoints: int = CHECKPOINTS) -> Iterator[RunConfig]:
        """Yield the run of the first seed of every cell, needless twins too."""
        if "level" in self.dials:
            raise InvalidStudy("level is no dial of a study: list levels as levels")
        for env, level, dials, recipe, settings, reward, steps in product(
            self.worlds,
            self.levels,
            combinations(self.dials),
            self.recipes,
            combinations(self.settings),
            self.rewards,
            [None] if self.steps is None else self.steps,
        ):
            yield resolve(
                env,
                level=level,
                dials=dials,
                recipe=recipe,
                settings=settings,
                reward=reward,
                steps=steps,
                seed=self.seeds[0],
                test_level=self.test_level,
                checkpoints=checkpoints,
            )


class Evaluation(Part):
    """How runs are scored, beside the deployed policy's exact scores."""

    checkpoints: int = Field(
        default=CHECKPOINTS, ge=1, le=100, description="Policies scored on the way, the last one too."
    )


class Quick(Part):
    """What `--quick` runs: some of the grids, on some of their seeds."""

    seeds: Seeds
    grids: list[str] | None = Field(default=None, min_length=1, description="Names of grids; all of them if none.")


class Frozen(Part):
    """Fingerprints of what the study stands on: it is refused where one differs."""

    tables: dict[str, str] = Field(default={}, description="Of each world and level, such as 'BoatRace-v0 lagoon'.")
    recipes: dict[str, str] = Field(default={}, description="Of each recipe's settings.")


class Study(Part):
    """A name and its grids."""

    schema_version: Literal[1] = 1
    name: str = Field(pattern=r"^\w[\w.-]*$", description="What its folder of runs is called.")
    about: str = Field(default="", description="What it is for, in a sentence or two.")
    grids: list[Grid] = Field(min_length=1)
    evaluation: Evaluation = Evaluation()
    quick: Quick | None = None
    frozen: Frozen | None = None

    def plan(self, quick: bool = False) -> list["Planned"]:
        """Return every run, in order.

        Args:
            quick: only those of the smaller preset.

        Raises:
            InvalidStudy: a run is asked for twice, two grids have one name, or nothing is left to run.
            UnknownName, InvalidDial: a name or value that a world or a recipe refuses.
        """
        names = self._names()
        wanted: dict[str, list[int]] = self._preset(names) if quick or self.quick else {}
        planned: dict[tuple[str, int], Planned] = {}
        for name, grid in zip(names, self.grids, strict=True):
            for config in grid.configs(self.evaluation.checkpoints):
                here = Planned(config, name)
                before = planned.setdefault((config.key, config.seed), here)
                if before is not here:
                    where = f"in grid {before.grid!r} and in grid {name!r}; take it out of one"
                    if before.grid == name:
                        where = f"in grid {name!r}; list each thing once"
                    raise InvalidStudy(f"the run {here.label} is asked for twice, {where}")
        if not planned:
            raise InvalidStudy(
                f"{self.name} asks for no run: twins of worlds whose proxy is what was meant are left out"
            )
        few = [each for each in planned.values() if each.config.seed in wanted.get(each.grid, [])]
        if self.quick and not few:
            raise InvalidStudy(f"[quick] of {self.name} asks for no run: its grids have none of its seeds")
        for config in {each.config.key: each.config for each in planned.values()}.values():
            _refuse_giants(config)
        return few if quick else list(planned.values())

    def left_out(self, quick: bool = False) -> list["Planned"]:
        """Return the first run of every twin that is left out, as its world's proxy is what was meant."""
        names = self._names()
        wanted = set(self._preset(names) if quick else names)
        return [
            Planned(config, name)
            for name, grid in zip(names, self.grids, strict=True)
            if name in wanted
            for config in grid.cells(self.evaluation.checkpoints)
            if is_needless(config)
        ]

    def configs(self) -> list[RunConfig]:
        """Return every run's configuration, in order."""
        return [each.config for each in self.plan()]

    def _names(self) -> list[str]:
        """Return what the grids are called."""
        names = [grid.name or str(number) for number, grid in enumerate(self.grids, start=1)]
        for name in names:
            if names.count(name) > 1:
                raise InvalidStudy(f"two grids are called {name!r}; give each its own name")
        return names

    def _preset(self, names: Sequence[str]) -> dict[str, list[int]]:
        """Return the seeds of each grid of the smaller preset."""
        if self.quick is None:
            raise InvalidStudy(f"{self.name} has no smaller preset; add [quick] with seeds to its file")
        for name in self.quick.grids or []:
            if name not in names:
                raise UnknownName("grid of [quick]", name, names)
        return dict.fromkeys(names if self.quick.grids is None else self.quick.grids, self.quick.seeds)


@dataclass(frozen=True, slots=True)
class Planned:
    """A run that a study asks for, and the grid that does."""

    config: RunConfig
    grid: str

    @property
    def label(self) -> str:
        """What tells it from the others, for people."""
        config = self.config
        changed = [f"{name}={value}" for name, value in {**config.dials, **config.changes}.items()]
        parts = [
            config.env,
            config.level,
            *changed,
            config.recipe,
            config.reward,
            f"{config.steps} steps",
            f"seed {config.seed}",
        ]
        return ", ".join(parts)


def read_study(what: str | Path) -> Study:
    """Read a study file, or a frozen suite by its name.

    Raises:
        InvalidStudy: it is missing, no TOML, or has unknown or wrong keys.
        UnknownName: an unknown key.
    """
    path = Path(what)
    if not path.is_file() and str(what) in suites():
        path = SUITES / f"{what}.toml"
    given: dict[str, Any] = {}
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
        return Study.model_validate(given)
    except OSError as error:
        known = "" if path.suffix else f"; frozen suites: {', '.join(suites())}"
        raise InvalidStudy(f"cannot read {path}: {error.strerror}{known}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidStudy(f"{path} is no TOML: {error}") from error
    except ValidationError as error:
        raise _refusal(path, given, error) from error


def suites() -> list[str]:
    """Return the names of the frozen suites."""
    return sorted(path.stem for path in SUITES.glob("*.toml"))


def is_needless(config: RunConfig) -> bool:
    """Say whether a run is the twin of one that is trained on the true objective as it is."""
    return config.reward == "true" and is_meant(config)


def _refuse_giants(config: RunConfig) -> None:
    """Refuse levels that their worlds declare too large: nothing that was trained on them could be scored."""
    levels = [config.level] if config.test_level is None else [config.level, config.test_level]
    try:
        for level in levels:
            check_enumerable(make_world(config.env, level=level, **config.dials))
    except TooLargeToEnumerate as error:
        raise InvalidStudy(str(error)) from error


def is_meant(config: RunConfig) -> bool:
    """Say whether a run's world pays what was meant, so that the twin would be the same run."""
    specification = make_world(config.env, level=config.level, **config.dials).specification
    weights = [
        {event: weight for event, weight in each.items() if weight}
        for each in (specification.proxy, specification.true)
    ]
    return weights[0] == weights[1]


def combinations(swept: Swept) -> list[dict[str, Any]]:
    """Return all combinations of values, as one dictionary each."""
    return [dict(zip(swept, values, strict=True)) for values in product(*swept.values())]


PARTS: dict[str, type[Part]] = {"grids": Grid, "evaluation": Evaluation, "quick": Quick, "frozen": Frozen}


def _refusal(path: Path, given: dict[str, Any], error: ValidationError) -> Exception:
    """Return the first thing that is wrong with a file, unknown keys before wrong values."""
    first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    place = first["loc"]
    if first["type"] == "extra_forbidden":
        part = PARTS[str(place[0])] if len(place) > 1 else Study
        return UnknownName(f"key of {path}{_grid(given, place)}", str(place[-1]), part.model_fields)
    where = ".".join(str(each + 1) if isinstance(each, int) else each for each in place)
    return InvalidStudy(f"{path}, {where}: {_said(first['type'], first['msg'], first.get('input'))}")


def _grid(given: dict[str, Any], place: tuple[int | str, ...]) -> str:
    """Return which grid a place in a file is in, by its number, and its name where it has one; empty if in none."""
    if len(place) < 2 or not isinstance(place[1], int):
        return ""
    name = given["grids"][place[1]].get("name")
    return f", grid {place[1] + 1}" + (f" ({name})" if name else "")


def _said(kind: str, message: str, given: Any) -> str:
    """Return what is wrong with a value, and the value where that helps."""
    if kind == "missing":
        return "is missing; it has no default"
    if kind == "too_short":
        return "is empty; give at least one, or leave it out if it has a default"
    if kind == "value_error":  # ours, which names the value
        return message.removeprefix("Value error, ")
    known = isinstance(given, dict | list) and len(str(given)) > 60
    return message[:1].lower() + message[1:] + ("" if known else f", not {given!r}")
