"""`speed`: this machine, measured against peers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from alignment_gym.cli.arguments import JsonOption, print_json


def add_to(app: typer.Typer) -> None:
    """Enter the command."""
    app.command("speed")(speed)


def speed(
    quick: Annotated[bool, typer.Option("--quick", help="Some minutes: fewer and shorter rounds.")] = False,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Where tables, figures and data go.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure speed on this machine, ours and the installed peers' in turn, as ratios.

    Takes ten to twenty minutes; keep the machine idle.
    """
    from alignment_gym.cli.progress import counting
    from alignment_gym.experiments import speed as benchmarks

    if out is not None:
        out.mkdir(parents=True, exist_ok=True)  # refused now rather than after minutes
    with counting("speed", benchmarks.parts()) as told:
        record = benchmarks.benchmark(benchmarks.QUICK if quick else benchmarks.FULL, told)
    paths = _written(record, out) if out is not None else []
    if as_json:
        print_json(record)
    else:
        _print(record)
    for path in paths:
        typer.echo(path, err=as_json)


def _written(record: dict[str, Any], out: Path) -> list[Path]:
    from alignment_gym.reports.speed import write_speed
    from alignment_gym.reports.speed_figures import write_curves

    return [*write_speed(record, out), *write_curves(record, out)]


def _print(record: dict[str, Any]) -> None:
    from alignment_gym.reports import speed as words

    _print_table(words.MEASUREMENT_HEAD, words.measurement_rows(record))
    _print_table(words.FINDING_HEAD, words.finding_rows(record))
    for line in (*words.finding_notes(record), *words.notes(record), words.machine_line(record)):
        typer.echo(line)


def _print_table(head: Sequence[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for name in head:
        table.add_column(name)
    for row in rows:
        table.add_row(*row)
    console = Console(markup=False)
    console.print(table)
    console.print()
