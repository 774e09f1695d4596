"""Whether a result is what it says: its policy is scored again, exactly, and where it takes little time trained again.

Numbers have to agree to 1e-9, as `agreement` says. That a run comes out equal when trained again is promised on one
machine with equal versions only, so that others are said beside what differs.

A published record has no policy. Its scores have to be those of its returns, but for several levels, which are scored
level by level; its returns and P(exploit) are checked by training again, and by nothing else.
"""

import json
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from alignment_gym.agents import RECIPES, load_policy
from alignment_gym.core import InvalidDial, InvalidPolicy, InvalidRun, Mixture, UnknownName
from alignment_gym.engine.fingerprint import fingerprint
from alignment_gym.engine.mdp import FiniteMDP
from alignment_gym.exact import PolicyTable, solve
from alignment_gym.experiments.agreement import Difference, differences, policy_differences
from alignment_gym.experiments.collected import Json, Record, Trouble, collect, read_curve, record_of
from alignment_gym.experiments.config import CHECKPOINTS, RunConfig, read_config, resolve
from alignment_gym.experiments.records import nulled
from alignment_gym.experiments.run import PLACE, execute, installed_version, result_of
from alignment_gym.metrics.scores import Scores, scores

SOON = 60.0
"""Seconds of training up to which a run is trained again unless told otherwise."""

CHANGED = "the recipe's settings, or the configuration's schema, have changed since"

REQUIRED = {name for name, field in Record.model_fields.items() if field.is_required()}

Train = Callable[[RunConfig, Path], Any]
"""Executes a run in a folder."""

Subject = Path | Json
"""A run directory, or a published record."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was done to verify a run, and what came of it.

    Attributes:
        run: which one.
        done: what was done, and what was not and why.
        differences: none where the result is what it says.
        notes: what may explain a difference, or could not be compared.
    """

    run: str
    done: tuple[str, ...]
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON values."""
        return {"ok": not self.differences, **asdict(self)}


def subjects(folder: Path) -> list[Subject]:
    """Return what can be verified there: the run itself, the finished runs below it, or published records.

    Raises:
        InvalidRun: there is nothing.
    """
    if (folder / "config.json").is_file():
        return [folder]
    runs: list[Subject] = [*sorted(path.parent for path in folder.rglob("result.json"))]
    return runs or list(collect(folder).records)


def verify(subject: Subject, retrain: bool | None = None, train: Train = execute) -> Verdict:
    """Verify a run directory or a published record.

    Args:
        subject: which one.
        retrain: whether it is trained again. None: if the recipe is one of ours and, of a run directory, training
            took less than a minute by its provenance; of a published record it may take any time.
        train: trains it.

    Raises:
        InvalidRun: its files are no run's.
    """
    return _verify_run(subject, retrain, train) if isinstance(subject, Path) else _record(subject, retrain, train)


def policy_digest(policy: PolicyTable, dials: Json) -> str:
    """Return the SHA-256 of what a policy file says, 64 hexadecimal digits, however it is packed."""
    words = {"env": policy.env, "level": policy.level, "dials": dials, "shape": policy.probabilities.shape}
    found = sha256(json.dumps(words, sort_keys=True).encode())
    for array, kind in ((policy.observations, "u1"), (policy.probabilities, "<f8")):
        found.update(np.ascontiguousarray(array, dtype=kind).tobytes())
    return found.hexdigest()


def _verify_run(folder: Path, retrain: bool | None, train: Train) -> Verdict:
    config, written = read_config(folder), _json(folder / "result.json")
    provenance = _json(folder / "provenance.json") if (folder / "provenance.json").is_file() else None
    notes = _versions(provenance)
    try:
        table, dials = load_policy(folder / "policy.npz")
        wrong = _evaluated(folder, config, written, table, dials, notes)
    except InvalidPolicy as error:
        return Verdict(str(folder), ("read",), (Difference("policy.npz", "a policy", str(error)),), tuple(notes))
    wrong += _unusable(folder)
    why_not = _not_trained(config, provenance, retrain)
    if not why_not:
        wrong += _trained(folder, config, written, table, train)
    done = ("scored again", f"not trained again: {why_not}" if why_not else "trained again")
    return Verdict(str(folder), done, tuple(wrong), tuple(notes))


def _unusable(folder: Path) -> list[Difference]:
    """Return why a run whose policy can be scored is no record of its study all the same, nothing where it is one."""
    try:
        record_of(folder)
    except InvalidRun as error:
        return [Difference("the run", "one that can be reported", str(error))]
    return []


def damaged(folder: Path) -> list[Trouble]:
    """Return the runs below a folder that are damaged; none of a run's own folder, or of published records."""
    if (folder / "config.json").is_file() or not any(folder.rglob("result.json")):
        return []
    return [each for each in collect(folder).troubles if each.kind == "damaged"]


def _evaluated(
    folder: Path, config: RunConfig, written: Json, policy: PolicyTable, dials: Json, notes: list[str]
) -> list[Difference]:
    """Compare what a run says with what its policy earns, and its files with each other."""
    found = result_of(config, policy)
    for name in sorted(set(found) - set(written) - REQUIRED):
        del found[name]
        notes.append(f"result.json does not say {name}, so that it was not compared")
    place = {"env": config.env.rpartition(":")[2], "level": config.level, "dials": config.dials}
    there = {"env": policy.env, "level": policy.level, "dials": dials}
    wrong = [*differences(written, found), *differences(place, there, "policy.npz")]
    if config.policy is not None:
        wrong += differences(config.policy, policy_digest(policy, dials), "policy.npz")
    for line in read_curve(folder)[-1:]:
        last = {name: value for name, value in found.items() if name in line}
        wrong += differences({name: line[name] for name in last}, last, "curve.jsonl, last line")
    return wrong


def _trained(folder: Path, config: RunConfig, written: Json, policy: PolicyTable, train: Train) -> list[Difference]:
    """Train a run again, and compare its result, its curve and its policy."""
    with TemporaryDirectory() as place:
        train(config, Path(place))
        result, curve = _json(Path(place) / "result.json"), read_curve(Path(place))
        again, _ = load_policy(Path(place) / "policy.npz")
    wrong = differences(written, {name: value for name, value in result.items() if name in {*written, *REQUIRED}})
    wrong += _curve_differences(read_curve(folder), curve) + policy_differences(policy, again)
    return [replace(each, name=f"trained again, {each.name}") for each in wrong]


def _curve_differences(written: list[Json], found: list[Json]) -> list[Difference]:
    """Compare checkpoints in what both say; a curve that was not kept says nothing."""
    said = {name for line in written for name, value in line.items() if value is not None}
    names = said & set(found[0]) if found else set()
    parts = [[{name: line.get(name) for name in names} for line in lines] for lines in (written, found)]
    return differences(parts[0], parts[1], "curve.jsonl") if names else []


def _not_trained(config: RunConfig, provenance: Json | None, retrain: bool | None) -> str:
    """Return why a run is not trained again, nothing where it is."""
    if config.policy is not None:
        return "it was trained elsewhere, and added here"
    if retrain is not None:
        return "" if retrain else "--no-retrain"
    if config.recipe not in RECIPES:
        return "its recipe is from elsewhere; --retrain does it"
    seconds = (provenance or {}).get("training_seconds")
    if not isinstance(seconds, int | float):
        return "how long that takes is not known; --retrain does it"
    return "" if seconds < SOON else f"that took {seconds:.0f} seconds; --retrain does it"


def _record(record: Json, retrain: bool | None, train: Train) -> Verdict:
    """Verify a published record: its key, its world's tables, its scores by its returns, and by training again."""
    name = ", ".join(f"{record[part]}" for part in ("env", "level", "recipe", "reward")) + f", seed {record['seed']}"
    try:
        config = _config_of(record)
    except (UnknownName, InvalidDial) as error:
        return Verdict(name, ("read",), (Difference("its configuration", "one that can be run", str(error)),), ())
    notes: tuple[str, ...] = ()
    wrong = differences(record["key"], config.key, "key")
    if wrong:
        notes = (f"unless the record was altered, {CHANGED}",)
    if record.get("tables"):
        wrong += differences(record["tables"], fingerprint(config.mdp), "tables")
    else:
        notes += ("the record does not say tables, so that they were not compared",)
    why_not = "it would not be the same run" if wrong else _not_trained(config, {"training_seconds": 0.0}, retrain)
    several = isinstance(config.mdp.world, Mixture)
    if not several:
        wrong += _score_differences(record, config.mdp)
    if not why_not:
        with TemporaryDirectory() as place:
            train(config, Path(place))
            found = record_of(Path(place))
        wrong += [replace(each, name=f"trained again, {each.name}") for each in _against(record, found)]
    scored = "scores not compared: several levels" if several else "scores compared with returns"
    done = (scored, f"not trained again: {why_not}" if why_not else "trained again")
    return Verdict(name, done, tuple(wrong), notes)


def _score_differences(record: Json, mdp: FiniteMDP) -> list[Difference]:
    """Compare a record's scores with those that its returns have; P(exploit) is none of them."""
    known = scores(record["proxy_return"], record["true_return"], solve(mdp).anchors)
    found = nulled({name: getattr(known, name) for name in Scores.__dataclass_fields__ if name in REQUIRED})
    return differences({name: record[name] for name in found}, found)


def _against(record: Json, found: Json) -> list[Difference]:
    """Compare a published record, and its curve, with one made anew."""
    names = {name for name, value in record.items() if value is not None or name in REQUIRED} - {"curve"}
    parts = [{name: each[name] for name in names & set(each)} for each in (record, found)]
    return differences(parts[0], parts[1]) + _curve_differences(record.get("curve", []), found["curve"])


def _config_of(record: Json) -> RunConfig:
    """Resolve a record's configuration anew, from what it changes."""
    if record.get("policy"):
        given = {name: record[name] for name in PLACE} | {"dials": json.loads(record["dials"]), "settings": {}}
        return RunConfig.model_validate(given | {"policy": record["policy"]})
    return resolve(
        record["env"],
        level=record["level"],
        dials=json.loads(record["dials"]),
        recipe=record["recipe"],
        settings=json.loads(record["settings"]),
        reward=record["reward"],
        steps=record["steps"],
        seed=record["seed"],
        test_level=record.get("test_level"),
        checkpoints=record.get("checkpoints", CHECKPOINTS),
    )


def _versions(provenance: Json | None) -> list[str]:
    """Return what differs between the versions that made a run and those that are here."""
    if provenance is None:
        return ["there is no provenance.json, so that versions were not compared"]
    made = {
        **provenance.get("versions", {}),
        "python": provenance.get("python"),
        "platform": provenance.get("platform"),
    }
    here = {package: installed_version(package) for package in provenance.get("versions", {})}
    here |= {"python": platform.python_version(), "platform": platform.platform()}
    other = [f"{name} {made[name]}, here {here[name]}" for name in made if made[name] != here[name]]
    promised = "equal results are promised on one machine with equal versions only"
    return [f"made with {'; '.join(other)}: {promised}"] if other else []


def _json(path: Path) -> Json:
    """Read a JSON object.

    Raises:
        InvalidRun: it is missing or damaged.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidRun(f"{path.parent} can't be verified: it has no readable {path.name}; train again") from error
    except ValueError as error:
        raise InvalidRun(f"{path} is damaged ({error}); delete it and train again") from error
    if not isinstance(found, dict):
        raise InvalidRun(f"{path} is damaged: it holds no JSON object; delete it and train again")
    return found
