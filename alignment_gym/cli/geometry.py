"""`geometry`: the exact geometry of every world's proxy, and what it foretells of trained agents."""

from pathlib import Path
from typing import Annotated

import typer

from alignment_gym.cli.arguments import collected


def add_to(app: typer.Typer) -> None:
    """Enter the command."""
    app.command("geometry")(geometry)


def geometry(
    runs: Annotated[Path | None, typer.Argument(help="Runs of one recipe, paid the proxy, on these levels.")] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="Where tables, data and figures go.")] = Path("geometry"),
    quick: Annotated[bool, typer.Option("--quick", help="One level a world, no angles, small sizes.")] = False,
) -> None:
    """Analyse every level's proxy exactly, and ask what of that foretells what agents did.

    Takes some minutes; processor seconds are measured on the way, so keep the machine idle.
    """
    from alignment_gym.cli.progress import counting
    from alignment_gym.experiments.geometry.survey import parts, survey
    from alignment_gym.reports.geometry import check_alike, write_geometry

    records = [] if runs is None else collected(runs).records
    check_alike(records)  # refused now rather than after minutes
    out.mkdir(parents=True, exist_ok=True)
    with counting("geometry", parts(quick)) as told:
        found = survey(quick, told)
    for path in write_geometry(found, records, out):
        typer.echo(path)
