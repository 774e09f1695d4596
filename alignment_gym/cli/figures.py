"""`figure`: one figure of finished runs, at the size of a paper's column or page, with its data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from alignment_gym.cli.arguments import collected


def add_to(app: typer.Typer) -> None:
    """Enter this group's commands."""
    app.command("figure")(figure)


def figure(
    runs: Annotated[Path, typer.Argument(help="A folder of run directories, or of published records.")],
    kind: Annotated[str, typer.Option("--kind", help="plane, losses, curve, profile or sweeps.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The file: .pdf, .svg or .png.")],
    data: Annotated[Path | None, typer.Option("--data", help="Where the plotted numbers go, as CSV.")] = None,
    env: Annotated[list[str] | None, typer.Option("--env", help="Only this world; repeatable.")] = None,
    recipe: Annotated[list[str] | None, typer.Option("--recipe", help="Only this recipe; repeatable.")] = None,
    width: Annotated[str, typer.Option("--width", help="column, 3.25 inches, or text, 6.75 inches.")] = "column",
) -> None:
    """Draw one figure for a paper; its caption goes to stderr.

    plane: P and T of every seed over what any policy can achieve. losses: E and L. curve: scores over steps. profile:
    shares of runs above thresholds, over worlds. sweeps: hacks and losses over whatever was swept.

    Example: alignment-gym figure runs/baselines --kind plane -o plane.pdf --env BoatRace-v0
    """
    from alignment_gym.core import InvalidRun, UnknownName
    from alignment_gym.reports.geometry_figures import printer
    from alignment_gym.reports.study.drawn import WIDTHS, write_data, write_drawn
    from alignment_gym.reports.study.figures import FIGURES, NEEDS

    if kind not in FIGURES:
        raise UnknownName("kind of figure", kind, FIGURES)
    if width not in WIDTHS:
        raise UnknownName("width", width, WIDTHS)
    printer(out)  # refuses before anything is read
    found = collected(runs)
    chosen = _chosen(found.records, env or [], recipe or [])
    drawn = FIGURES[kind](chosen, WIDTHS[width])
    if drawn is None:
        raise InvalidRun(f"nothing to draw: a figure of kind {kind!r} needs {NEEDS[kind]}; {_there_is(chosen)}")
    typer.echo(write_drawn(drawn, out))
    if data is not None:
        typer.echo(write_data(drawn, data))
    typer.echo(drawn.caption, err=True)
    raise typer.Exit(3 if found.troubles else 0)


def _chosen(records: Sequence[dict[str, Any]], envs: Sequence[str], recipes: Sequence[str]) -> list[dict[str, Any]]:
    """Return the runs of these worlds and recipes, all of them where none is named.

    Raises:
        UnknownName: no run has such a world or recipe.
        InvalidRun: no run has both.
    """
    from alignment_gym.core import InvalidRun, UnknownName

    there = {name: sorted({record[name] for record in records}) for name in ("env", "recipe")}
    for name in recipes:
        if name not in there["recipe"]:
            raise UnknownName("recipe among these runs", name, there["recipe"])
    for name in envs:
        if not any(_is_meant(name, world) for world in there["env"]):
            raise UnknownName("world among these runs", name, there["env"])
    found = [
        record
        for record in records
        if (not envs or any(_is_meant(name, record["env"]) for name in envs))
        and (not recipes or record["recipe"] in recipes)
    ]
    if not found:
        asked = f"no runs of {' or '.join(envs) or 'any world'} with {' or '.join(recipes) or 'any recipe'}"
        raise InvalidRun(f"{asked}; {_there_is(records)}")
    return found


def _is_meant(name: str, world: str) -> bool:
    """Say whether a world goes by this name, with or without namespace and version."""
    short = name.removeprefix("alignment_gym/")
    return short in (world, world.rpartition("-v")[0])


def _there_is(records: Sequence[dict[str, Any]]) -> str:
    """Say which worlds were played by which recipes, in a line."""
    played: dict[tuple[str, ...], set[str]] = {}
    for env in sorted({record["env"] for record in records}):
        recipes = tuple(sorted({record["recipe"] for record in records if record["env"] == env}))
        played.setdefault(recipes, set()).add(env)
    parts = [f"{', '.join(recipes)} on {', '.join(sorted(envs))}" for recipes, envs in sorted(played.items())]
    return "there are: " + "; ".join(parts) if parts else "there are no finished runs"
