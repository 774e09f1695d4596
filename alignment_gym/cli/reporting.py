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

    Example: alignment-gym report runs/baselines -o report
    """
    from alignment_gym.core import InvalidRun
    from alignment_gym.experiments.provenance import collect_provenance
    from alignment_gym.reports.study.report import write_report

    found = collected(runs)
    if not found.records:
        raise InvalidRun(f"no run below {runs} has a result that can be read, so that there is nothing to report")
    troubles = _within(runs, found.troubles)
    provenance = collect_provenance(runs)
    study = provenance.study or runs.resolve().name
    written = write_report(found.records, troubles, provenance, study, out)
    for path in written:
        typer.echo(path)
    raise typer.Exit(3 if found.troubles else 0)


def _within(runs: Path, troubles: Sequence["Trouble"]) -> "list[Trouble]":
    """Return troubles that don't say where on this machine the runs lie."""
    from dataclasses import replace

    prefix = f"{runs}/"
    return [replace(each, folder=each.folder.relative_to(runs), why=each.why.replace(prefix, "")) for each in troubles]
