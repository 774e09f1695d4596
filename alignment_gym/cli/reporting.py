"""`report`: what the runs of a study say, as records, tables, figures and one page."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignment_gym.cli.arguments import collected

if TYPE_CHECKING:
    from alignment_gym.experiments.collected import Trouble


def add_to(app: typer.Typer) -> None:
    """Enter this group's commands."""
    app.command("report")(report)


def report(
    runs: Annotated[Path, typer.Argument(help="A folder of run directories, or of published records.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the report goes.")] = Path("report"),
) -> None:
    """Write records, tables, figures and a page, index.html; of runs tested on other levels, what they lost.

    Example: alignment-gym report runs/catalogue -o report
    """
    from alignment_gym.experiments.collected import write_records
    from alignment_gym.reports.curves import write_pressure
    from alignment_gym.reports.figures import write_figures
    from alignment_gym.reports.generalisation import write_generalisation
    from alignment_gym.reports.html import write_page
    from alignment_gym.reports.tables import write_tables

    found = collected(runs)
    records = found.records
    tested = [record for record in records if "test" in record]
    plain = [record for record in records if "test" not in record]
    written = write_records(records, out)
    written += [*write_tables(plain, out), *write_figures(plain, out), *write_pressure(plain, out)] if plain else []
    if tested:
        written += write_generalisation(tested, out / "generalisation" if plain else out)
    if records:
        written += write_page(records, _within(runs, found.troubles), runs.resolve().name, out, written)
    for path in written:
        typer.echo(path)
    raise typer.Exit(3 if found.troubles else 0)


def _within(runs: Path, troubles: Sequence["Trouble"]) -> "list[Trouble]":
    """Return troubles that don't say where on this machine the runs lie."""
    from dataclasses import replace

    prefix = f"{runs}/"
    return [replace(each, folder=each.folder.relative_to(runs), why=each.why.replace(prefix, "")) for each in troubles]
