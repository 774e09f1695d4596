"""`solve`: the exact analysis of a world, or of a specification of one's own on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alignment_gym.cli.arguments import (
    DialOption,
    EnvArgument,
    JsonOption,
    LevelOption,
    collected,
    pairs,
    print_json,
    print_markdown,
    weights,
)

if TYPE_CHECKING:
    from alignment_gym.engine.mdp import FiniteMDP
    from alignment_gym.exact.analysis import Analysis
    from alignment_gym.reports.geometry_figures import Agents


def add_to(app: typer.Typer) -> None:
    """Enter the command."""
    app.command("solve")(solve)


def solve(
    env: EnvArgument,
    more: Annotated[
        list[str] | None, typer.Argument(help="More weights of --proxy.", metavar="[EVENT=WEIGHT]...")
    ] = None,
    level: LevelOption = None,
    dial: DialOption = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option(
            "--proxy", help="A proxy of your own, to be searched for loopholes: event=weight event=weight ..."
        ),
    ] = None,
    true: Annotated[
        list[str] | None,
        typer.Option("--true", help="Another true objective, its weights parted by commas: event=weight,event=weight."),
    ] = None,
    geometry: Annotated[
        bool, typer.Option("--geometry", help="Add the angle between the rewards and its kin; slower.")
    ] = False,
    figure: Annotated[
        Path | None, typer.Option("--figure", help="Draw all policies and the Goodhart curve: x.svg, x.png or x.pdf.")
    ] = None,
    runs: Annotated[
        Path | None, typer.Option("--runs", help="A folder of runs, whose agents on this level --figure shows.")
    ] = None,
    animation: Annotated[
        Path | None, typer.Option("--animation", help="Write the shortest sure exploit, played: x.webp or x.gif.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Solve a world exactly: how bad can its proxy get, and how soon?

    Example: alignment-gym solve BoatRace-v0 --proxy buoy=1 step=-0.1
    """
    from alignment_gym.core import InvalidDial
    from alignment_gym.exact.analysis import analyse
    from alignment_gym.reports.worlds.analysis import analysis_record, analysis_text

    own = [*(proxy or []), *(more or [])]
    if more and true:
        raise InvalidDial(
            f"{more[0]!r} may belong to --proxy or to --true; where both are given, part by commas: a=1,b=2"
        )
    if more and not proxy:
        raise InvalidDial(f"{more[0]!r} is left over: weights follow --proxy, and there is none")
    if runs is not None and figure is None:
        raise InvalidDial(f"--runs {runs} has no figure to be shown in; add --figure x.svg")
    _refuse_unwritable(figure, animation)  # before minutes are spent
    mdp = _tables(env, pairs(dial, "--dial") | ({} if level is None else {"level": level}), own, true or [])
    agents = _agents(mdp, runs) if runs else []
    with _patience(geometry):
        found = analyse(mdp, geometry=geometry)
    if as_json:
        print_json(analysis_record(found))
    else:
        print_markdown(analysis_text(found))
    if figure is not None:  # only now: what can't be drawn loses no report
        _figure(found, agents, figure)
    if animation is not None:
        _animation(found, animation)


def _refuse_unwritable(figure: Path | None, animation: Path | None) -> None:
    """Refuse paths that nothing can be written to."""
    if figure is not None:
        from alignment_gym.reports.geometry_figures import printer

        printer(figure)
    if animation is not None:
        from alignment_gym.render.animation import writer

        writer(animation)


@contextmanager
def _patience(long: bool) -> Iterator[None]:
    """Show on stderr, where that is a terminal, that a long analysis is at work."""
    from rich.console import Console

    console = Console(stderr=True)
    if not long or not console.is_terminal:
        yield
        return
    with console.status("solving, with geometry"):
        yield


def _tables(env: str, dials: dict[str, Any], proxy: list[str], true: list[str]) -> "FiniteMDP":
    """Compile a world, under its own specification or another."""
    from alignment_gym.engine.mdp import as_mdp

    mdp = as_mdp(env, **dials)
    if not proxy and not true:
        return mdp
    chosen = {"proxy": proxy, "true": true}
    own = {name: weights(words, f"--{name}") for name, words in chosen.items() if words}
    return mdp.with_specification(replace(mdp.specification, **own))


def _agents(mdp: "FiniteMDP", runs: Path) -> "Agents":
    """Return what the agents of some runs earn on a level."""
    from alignment_gym.reports.geometry_figures import agents_on

    return agents_on(collected(runs).records, mdp)


def _figure(found: "Analysis", agents: "Agents", path: Path) -> None:
    """Draw all policies, the Goodhart curve, and agents."""
    from alignment_gym.reports.geometry_figures import write_plane

    for written in write_plane(found.frontier, found.curve, agents, path):
        typer.echo(written, err=True)


def _animation(found: "Analysis", path: Path) -> None:
    """Play the shortest sure exploit."""
    from alignment_gym.core import InvalidPolicy
    from alignment_gym.viewing.exploits import write_exploit_animation

    exploit = found.shortest.exploit
    if exploit is None:
        raise InvalidPolicy(f"--animation {path} has no exploit to show: {found.shortest.reason}; leave it out")
    write_exploit_animation(path, found.mdp, exploit)
    typer.echo(path, err=True)
