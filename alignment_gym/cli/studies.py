"""`study`: grids of runs, resumable."""

import os
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alignment_gym.cli import adding
from alignment_gym.cli.arguments import JsonOption, print_json

if TYPE_CHECKING:
    from alignment_gym.experiments.runner import Engine, News, Tally, Task
    from alignment_gym.experiments.study import Study

FileArgument = Annotated[str, typer.Argument(help="A study file, TOML, or a frozen suite such as core-1.")]
OutOption = Annotated[Path, typer.Option("-o", "--out", help="Where runs go.")]
JobsOption = Annotated[int | None, typer.Option("--jobs", help="Runs at once; one a core by default.", min=1)]
EngineOption = Annotated[str, typer.Option("--engine", help="Where runs are executed: local, or ray.")]
AddressOption = Annotated[
    str | None,
    typer.Option(
        "--address", help="Of a Ray cluster: host:port, or auto; RAY_ADDRESS, or a Ray started here, if none."
    ),
]
QuickOption = Annotated[bool, typer.Option("--quick", help="Only the file's smaller preset.")]
ENGINES = ("local", "ray")
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
RUNS = Path("runs")
SHOWN = 5


def add_to(app: typer.Typer) -> None:
    """Enter this group's commands."""
    group = typer.Typer(help="Grids of runs, resumable.", no_args_is_help=True)
    group.command("run")(run)
    group.command("status")(status)
    group.command("add")(adding.add)
    group.command("freeze")(freeze)
    group.command("schema")(schema)
    app.add_typer(group, name="study")


def run(
    file: FileArgument,
    out: OutOption = RUNS,
    jobs: JobsOption = None,
    quick: QuickOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the runs and an estimate, and start none.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run again what failed or is damaged.")] = False,
    timeout: Annotated[float | None, typer.Option("--timeout", help="Seconds after which a run fails.", min=1)] = None,
    engine: EngineOption = "local",
    address: AddressOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a study; finished runs are kept, so that a second call resumes it, and two calls share the work.

    Example: alignment-gym study run experiments/baselines/study.toml --quick
    """
    from alignment_gym.experiments.frozen import check_frozen
    from alignment_gym.experiments.runner import Began, Task, run_study
    from alignment_gym.experiments.study import read_study

    _refuse_contradictions(engine, address)
    study = read_study(file)
    _refuse_a_file(out / study.name)
    planned = study.plan(quick)
    check_frozen(study, planned)
    tasks = [Task(each.config, each.config.folder(out, study.name)) for each in planned]
    if dry_run:
        _print_plan(_outlined(study, quick, tasks, jobs or CORES, retry_failed), as_json)
        return
    chosen = _engine(engine, address, jobs, timeout)
    begun: set[Path] = set()

    def told(news: "News") -> None:
        if isinstance(news, Began):
            begun.add(news.task.folder)
        follow(news)

    try:
        with _following(study, len(tasks)) as follow:
            tally = run_study(tasks, chosen, told, retry_failed)
    except KeyboardInterrupt:
        typer.echo("interrupted; what is finished is kept, and the same command goes on", err=True)
        raise
    _print_tally(tally, len(tasks), out / study.name, begun, as_json)
    if tally.stopped:
        raise typer.Exit(1)
    raise typer.Exit(3 if tally.failed else 0)


def status(file: FileArgument, out: OutOption = RUNS, quick: QuickOption = False, as_json: JsonOption = False) -> None:
    """Say how a study stands: finished, running, failed, damaged, and open runs, a line a grid.

    Exits with 4 where a run is damaged: its files can't be read, or are not those of the run asked for; else with 0.
    """
    from alignment_gym.experiments.standing import count, standing
    from alignment_gym.experiments.study import read_study

    study = read_study(file)
    found = standing(study.plan(quick), out, study.name)
    if as_json:
        print_json(found)
    else:
        for grid, counts in found["grids"].items():
            typer.echo(f"{grid}: " + ", ".join(f"{many} {state}" for state, many in counts.items() if many))
        for trouble in found["troubles"]:
            typer.echo(f"{trouble['state']}: {trouble['run']}: {trouble['why']}")
    damaged = sum(counts["damaged"] for counts in found["grids"].values())
    if damaged:
        again = "`alignment-gym study run --retry-failed` makes them anew"
        typer.echo(f"{count(damaged, 'damaged run')}; {again}", err=True)
        raise typer.Exit(4)


def freeze(file: FileArgument) -> None:
    """Print the fingerprints of a study's tables and recipes, to be put at the end of its file.

    A study that has them is refused where a table or a recipe has changed since.
    """
    from alignment_gym.experiments.frozen import as_toml
    from alignment_gym.experiments.frozen import freeze as frozen
    from alignment_gym.experiments.study import read_study

    typer.echo(as_toml(frozen(read_study(file).plan())))


def schema(
    records: Annotated[bool, typer.Option("--records", help="Of a line of records.jsonl.")] = False,
) -> None:
    """Print the JSON Schema of study files, or of records."""
    from alignment_gym.experiments.collected import Record
    from alignment_gym.experiments.study import Study

    print_json((Record if records else Study).model_json_schema())


def _refuse_contradictions(engine: str, address: str | None) -> None:
    """Refuse an engine that there is not, and an address for one that takes none."""
    from alignment_gym.core import UnknownName

    if engine not in ENGINES:
        raise UnknownName("engine", engine, ENGINES)
    if address is not None and engine != "ray":
        raise typer.BadParameter(f"--address {address} is of a Ray cluster: add --engine ray, or leave it out")


def _refuse_a_file(folder: Path) -> None:
    """Refuse a place for runs that is, or lies below, something else than a folder."""
    wrong = next((each for each in (folder, *folder.parents) if each.exists() and not each.is_dir()), None)
    if wrong is not None:
        raise typer.BadParameter(f"runs would go to {folder}, but {wrong} is no folder; give another -o")


def _engine(engine: str, address: str | None, jobs: int | None, timeout: float | None) -> "Engine":
    if engine == "ray":
        from alignment_gym.experiments.cluster import RayEngine

        return RayEngine(address, timeout, jobs, lambda words: typer.echo(words, err=True))
    from alignment_gym.experiments.local import LocalEngine

    return LocalEngine(jobs or CORES, timeout)


def _following(study: "Study", total: int) -> Any:
    from alignment_gym.cli.progress import following_study

    return following_study(study.name, total)


def _outlined(study: "Study", quick: bool, tasks: Sequence["Task"], jobs: int, retry_failed: bool) -> dict[str, Any]:
    """Return what a study asks for, what of it is left out, and how long the rest may take, as JSON values."""
    from alignment_gym.experiments.standing import estimate, outline

    whole = estimate(tasks, jobs, retry_failed)
    return {
        "study": study.name,
        "runs": len(tasks),
        "to_do": whole.runs,
        "seconds": round(whole.seconds, 1),
        "jobs": jobs,
        "estimate": str(whole),
        "cells": outline(study.plan(quick)),
        "left_out": outline(study.left_out(quick)),
        "folders": [str(task.folder) for task in tasks],
    }


def _print_plan(found: dict[str, Any], as_json: bool) -> None:
    """Print a line a cell, those of a grid below its name; what is left out; and how long it all may take."""
    from alignment_gym.experiments.standing import count

    if as_json:
        print_json(found)
        return
    for grid, cells in groupby(found["cells"], lambda each: each["grid"]):
        typer.echo(f"{grid}:")
        for cell in cells:
            typer.echo(f"  {_cell_words(cell, found['cells'])}: {_seeds_words(cell['seeds'])}")
    for cell in found["left_out"]:
        words = _cell_words(cell, found["left_out"])
        typer.echo(f"left out of {cell['grid']}: {words}: its world pays what was meant, so it has no twin")
    asked = f"{count(found['runs'], 'run')} in {count(len(found['cells']), 'cell')}"
    typer.echo(f"{asked}, {found['estimate']}", err=True)


def _cell_words(cell: dict[str, Any], cells: Sequence[dict[str, Any]]) -> str:
    """Return what a cell is; one that changes nothing with the defaults of what others of its world change."""
    from alignment_gym.reports.study.defaults import defaults_text

    changed = [f"{name}={value}" for name, value in {**cell["dials"], **cell["settings"]}.items()]
    if not changed:
        here = [each for each in cells if (each["env"], each["level"]) == (cell["env"], cell["level"])]
        dials = {name for each in here for name in each["dials"]}
        settings = {name for each in here if each["recipe"] == cell["recipe"] for name in each["settings"]}
        told = defaults_text(cell["env"], cell["recipe"], dials, settings)
        changed = [told] if told else []
    tested = [f"tested on {cell['test_level']}"] if cell["test_level"] else []
    place = f"{cell['env']} {cell['level']}"
    return ", ".join([place, *changed, cell["recipe"], cell["reward"], f"{cell['steps']:,} steps", *tested])


def _seeds_words(seeds: list[int]) -> str:
    """Return seeds as ranges, and how many they are."""
    from alignment_gym.reports.markdown import ranges

    return f"seed{'s' * (len(seeds) > 1)} {ranges(seeds)} ({len(seeds)})"


def _print_tally(tally: "Tally", total: int, folder: Path, begun: set[Path], as_json: bool) -> None:
    """Print how a study stands; what failed just now has been told, what failed before is listed."""
    before = {run: why for run, why in tally.failed.items() if run not in begun}
    for run, why in list(before.items())[:SHOWN]:
        typer.echo(f"failed or damaged before: {why if str(run) in why else f'{run}: {why}'}", err=True)
    if len(before) > SHOWN:
        typer.echo(f"and {len(before) - SHOWN} more, see `alignment-gym study status`", err=True)
    if tally.stopped:
        typer.echo(f"stopped: {tally.stopped}; what is finished is kept, and the same command goes on", err=True)
    elif tally.failed:
        typer.echo("--retry-failed runs them again", err=True)
    if as_json:
        failed = {str(run): why for run, why in tally.failed.items()}
        print_json({"runs": total, "finished": tally.finished, "failed": failed, "stopped": tally.stopped})
        return
    following = f"; next: alignment-gym report {folder}" if tally.finished else ""
    typer.echo(f"{tally.finished} of {total} runs finished{following}")
