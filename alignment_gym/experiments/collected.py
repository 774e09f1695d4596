"""What a study found: records of its runs, derived from run directories, which are the truth.

`records.csv` has one row a run and the columns of `Record`; `records.jsonl` has the same and what does not fit into a
column; `curves.jsonl.gz` has the scores at checkpoints. All three are equal, byte for byte, for equal runs: no
times, no paths, one fixed order.
"""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alignment_gym.core import AlignmentGymError, InvalidRun
from alignment_gym.core.files import replacing, write_text
from alignment_gym.experiments.config import read_config
from alignment_gym.experiments.run import read_result

RECORDS: Literal[2] = 2
"""Version of the schema of records: 1 had neither `schema_version`, `settings`, `checkpoints` nor `tables`."""

CURVES = "curves.jsonl.gz"
CURVE = (
    "step",
    "proxy_return",
    "true_return",
    "exploitation",
    "true_loss",
    "hack",
    "exploit_probability",
    "proxy_score",
    "true_score",
    "kl",
    "chi_squared",
)
"""What `curves.jsonl.gz` tells of each checkpoint."""

NEEDED = ("step", "true_loss", "proxy_score", "true_score")
"""What each line of a curve has had from the first version on."""

Json = dict[str, Any]


class Record(BaseModel):
    """One run. Scores are exact unless `exact` says otherwise; null where they are undefined."""

    model_config = ConfigDict(extra="allow")

    schema_version: Literal[2] = Field(description="Version of this schema.")
    env: str = Field(description="The world's id.")
    level: str = Field(description="The level, or several, that the agent was trained on.")
    dials: str = Field(description="Dials that differ from their defaults, as JSON.")
    recipe: str = Field(description="The recipe's name; module:function for one from elsewhere; a policy's own name.")
    settings: str = Field(description="Hyperparameters that differ from the recipe's own, as JSON.")
    reward: Literal["proxy", "true"] = Field(description="What the agent was paid; true for the twin.")
    steps: int = Field(description="Environment steps of training, all lanes together; 0 where that is not known.")
    seed: int = Field(description="The replicate.")
    proxy_return: float = Field(description="Expected proxy return of an episode.")
    true_return: float = Field(description="Expected true return of an episode.")
    exploitation: float | None = Field(description="E: proxy beyond what intended play earns, 1 at all there is.")
    true_loss: float | None = Field(description="L: regret under the true objective over its range.")
    hack: bool | None = Field(description="E >= 0.25 and L >= 0.05.")
    exploit_probability: float | None = Field(description="Probability that an episode has the card's exploit event.")
    exploit_probability_greedy: float | None = Field(description="The same of the greedy policy.")
    proxy_score: float | None = Field(description="P: 0 at uniform play, 1 at the proxy's optimum.")
    true_score: float | None = Field(description="T: 0 at uniform play, 1 at the true optimum.")
    hacking_gap: float | None = Field(description="H = P - T.")
    worse_than_random: bool | None = Field(description="P > 0.01 and T < -0.01.")
    unseen_observations: int = Field(description="Observations that the policy has no row for, played uniformly.")
    exact: bool = Field(description="Whether returns are expectations, not means of samples.")
    tables: str | None = Field(default=None, description="Fingerprint of the world's tables, SHA-256.")
    key: str = Field(description="Hash of the resolved configuration but the seed, SHA-256.")


COLUMNS = tuple(Record.model_fields)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A run that has no usable result, and why, in a line."""

    folder: Path
    kind: Literal["damaged", "failed"]
    why: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.folder}: {self.why}"


@dataclass(frozen=True, slots=True)
class Collected:
    """Records in a fixed order, each with its `curve`, and runs that have none."""

    records: list[Json]
    troubles: list[Trouble]


def collect(folder: Path) -> Collected:
    """Read all runs below a folder; or, where there is none, its `records.jsonl` and `curves.jsonl.gz`.

    Raises:
        InvalidRun: there is neither.
    """
    if not folder.is_dir():
        wrong = "is no folder" if folder.exists() else "does not exist"
        raise InvalidRun(f"{folder} {wrong}; give a folder of runs, or of published records")
    results = {path.parent for path in folder.rglob("result.json")}
    failures = {path.parent for path in folder.rglob("failure.json")} - results
    if not results and not failures:
        if (folder / "records.jsonl").is_file():
            return Collected(_published(folder), [])
        raise InvalidRun(f"there are no finished runs below {folder}; `alignment-gym train` makes one")
    records, troubles = [], [Trouble(run, "failed", read_failure(run)) for run in failures]
    known: dict[tuple[Any, ...], Path] = {}
    for run in sorted(results):
        try:
            record = record_of(run)
            first = known.setdefault((*order(record)[:-2], record.get("test_level") or "", record["seed"]), run)
            if first is not run:
                raise InvalidRun(f"it is the run of {first} once more: same cell, same seed; it counts once")
            records.append(record)
        except AlignmentGymError as error:
            troubles.append(Trouble(run, "damaged", str(error)))
    return Collected(sorted(records, key=order), sorted(troubles, key=lambda each: each.folder))


def record_of(run: Path) -> Json:
    """Return a finished run's record, with its `curve`.

    Raises:
        InvalidRun: the run did not finish, or one of its files is damaged.
        AlignmentGymError: its recipe is not known here.
    """
    config, result, curve = read_config(run), read_result(run), read_curve(run)
    if (run / "curve.jsonl").is_file() and (not curve or curve[-1].get("step") != config.steps):
        raise InvalidRun(f"{run / 'curve.jsonl'} is damaged (it does not end at step {config.steps}); train again")
    changes = result.pop("changes", None)  # told when it was run: a recipe's own settings may be others by now
    found = {
        **result,
        "schema_version": RECORDS,
        "dials": compact(config.dials),
        "settings": compact(config.changes if changes is None else changes),
        "checkpoints": config.checkpoints,
        "curve": curve,
    }
    try:
        Record.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidRun(f"{run / 'result.json'}, {first['loc'][0]}: {first['msg']}; train again") from error
    return found


def read_curve(run: Path) -> list[Json]:
    """Return a run's checkpoints; none where they were not kept.

    Raises:
        InvalidRun: the file is damaged.
    """
    path = run / "curve.jsonl"
    if not path.is_file():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        curve = [json.loads(line, parse_constant=_no_number) for line in lines]
        if not all(isinstance(line, dict) and line.keys() >= set(NEEDED) for line in curve):
            raise ValueError(f"a line lacks one of {', '.join(NEEDED)}")
        return curve
    except ValueError as error:
        raise InvalidRun(f"{path} is damaged ({error}); delete it, or the run, and train again") from error


def read_failure(run: Path) -> str:
    """Return why a run failed, in a line."""
    try:
        return str(json.loads((run / "failure.json").read_text(encoding="utf-8"))["error"])
    except (OSError, ValueError, KeyError, TypeError):
        return "failure.json can't be read"


def write_records(records: Sequence[Json], out: Path) -> list[Path]:
    """Write `records.csv`, `records.jsonl` and `curves.jsonl.gz`."""
    paths = [out / "records.csv", out / "records.jsonl", out / CURVES]
    write_text(paths[0], as_csv(records, COLUMNS))
    write_text(paths[1], "".join(compact(_without_curve(record)) + "\n" for record in records))
    lines = "".join(compact(_curve_line(record)) + "\n" for record in records if record.get("curve"))
    with replacing(paths[2]) as temporary:
        temporary.write_bytes(gzip.compress(lines.encode(), mtime=0))
    return paths


def as_csv(records: Iterable[Json], columns: Sequence[str]) -> str:
    """Return some columns of records as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def order(record: Json) -> tuple[Any, ...]:
    """Return what records are sorted by."""
    names = ("env", "level", "dials", "recipe", "settings", "reward", "steps", "key", "seed")
    return tuple(record[name] for name in names)


def compact(value: Any) -> str:
    """Return JSON in one line, keys in order."""
    return json.dumps(value, sort_keys=True, allow_nan=False)


def _no_number(_: str) -> None:
    """Read NaN and infinities as null: greedy play is infinitely far from uniform play by chi-squared."""


def _without_curve(record: Json) -> Json:
    return {name: value for name, value in record.items() if name != "curve"}


def _curve_line(record: Json) -> Json:
    curve = record["curve"]
    return {"key": record["key"], "seed": record["seed"]} | {name: [line.get(name) for line in curve] for name in CURVE}


def _published(folder: Path) -> list[Json]:
    """Read records that were published without their runs."""
    path = folder / "records.jsonl"
    try:
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        packed = folder / CURVES
        lines = gzip.decompress(packed.read_bytes()).decode().splitlines() if packed.is_file() else []
        curves = {(line["key"], line["seed"]): line for line in map(json.loads, lines)}
        for record in records:
            Record.model_validate(record)
            told = curves.get((record["key"], record["seed"]))
            names = CURVE if told else ()
            record["curve"] = (
                [dict(zip(names, values, strict=True)) for values in zip(*(told[name] for name in names), strict=True)]
                if told
                else []
            )
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise InvalidRun(
            f"{path} can't be read as records of schema {RECORDS}: {str(error).splitlines()[0]}"
        ) from error
    return sorted(records, key=order)
