"""`study run` and `report`: grids of runs, and what they say."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer


def add_to(app: typer.Typer) -> None:
    """Enter this group's commands."""
    group = typer.Typer(help="Grids of runs, resumable.", no_args_is_help=True)
    group.command("run")(run)
    app.add_typer(group, name="study")
    app.command("report")(report)


def run(
    file: Annotated[Path, typer.Argument(help="A study file, TOML.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Where runs go.")] = Path("runs"),
    jobs: Annotated[int, typer.Option("--jobs", help="Processes; one a core by default.", min=1)] = os.cpu_count() or 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the runs, and start none.")] = False,
) -> None:
    """Run a study; finished runs are kept, so that a second call resumes it."""
    from rich.console import Console
    from rich.progress import Progress

    from alignment_gym.experiments.config import RunConfig
    from alignment_gym.experiments.study import read_study, run_study

    study = read_study(file)
    configs = study.configs()
    if dry_run:
        for config in configs:
            typer.echo(config.folder(out, study.name))
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(study.name, total=len(configs))

        def told(config: RunConfig, result: dict[str, Any] | None, error: str) -> None:
            progress.advance(task)
            if result is None:
                console.print(f"failed: {config.folder(out, study.name)}: {error}", markup=False)

        failed = run_study(study, out, jobs, told)
    typer.echo(
        f"{len(configs) - failed} of {len(configs)} runs finished; next: alignment-gym report {out / study.name}"
    )
    raise typer.Exit(3 if failed else 0)


def report(
    runs: Annotated[Path, typer.Argument(help="A folder of run directories.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the report goes.")] = Path("report"),
) -> None:
    """Write records, tables and figures of finished runs; of runs that were tested on other levels, what they lost."""
    from alignment_gym.reports.curves import write_pressure
    from alignment_gym.reports.figures import write_figures
    from alignment_gym.reports.generalisation import write_generalisation
    from alignment_gym.reports.tables import read_records, write_tables

    records = read_records(runs)
    tested = [record for record in records if "test" in record]
    plain = [record for record in records if "test" not in record]
    written = [*write_tables(plain, out), *write_figures(plain, out), *write_pressure(plain, out)] if plain else []
    if tested:
        written += write_generalisation(tested, out / "generalisation" if plain else out)
    for path in written:
        typer.echo(path)
