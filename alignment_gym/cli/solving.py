"""`solve`: the exact analysis of a world, or of a specification of one's own on it."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alignment_gym.cli.arguments import (
    DialOption,
    EnvArgument,
    JsonOption,
    LevelOption,
    pairs,
    print_json,
    print_markdown,
    weights,
)

if TYPE_CHECKING:
    from alignment_gym.engine.mdp import FiniteMDP
    from alignment_gym.exact.analysis import Analysis


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
        list[str] | None, typer.Option("--true", help="Another true objective: event=weight, separated by commas.")
    ] = None,
    geometry: Annotated[
        bool, typer.Option("--geometry", help="Add the angle between the rewards and its kin; slower.")
    ] = False,
    figure: Annotated[
        Path | None, typer.Option("--figure", help="Write all policies and the Goodhart curve: x.svg, x.png, x.pdf.")
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
    from alignment_gym.reports.analysis import analysis_record, analysis_text

    own = [*(proxy or []), *(more or [])]
    if more and not proxy:
        raise InvalidDial(f"{more[0]!r} is left over: weights follow --proxy, and there is none")
    mdp = _tables(env, pairs(dial, "--dial") | ({} if level is None else {"level": level}), own, true or [])
    found = analyse(mdp, geometry=geometry)
    written = _figure(found, figure, runs) if figure else []
    written += _animation(found, animation) if animation else []
    if as_json:
        print_json(analysis_record(found))
    else:
        print_markdown(analysis_text(found))
    for path in written:
        typer.echo(path, err=as_json)


def _tables(env: str, dials: dict[str, Any], proxy: list[str], true: list[str]) -> "FiniteMDP":
    """Compile a world, under its own specification or another."""
    from alignment_gym.engine.mdp import as_mdp

    mdp = as_mdp(env, **dials)
    if not proxy and not true:
        return mdp
    chosen = {"proxy": proxy, "true": true}
    own = {name: weights(words, f"--{name}") for name, words in chosen.items() if words}
    return mdp.with_specification(replace(mdp.specification, **own))


def _figure(found: "Analysis", path: Path, runs: Path | None) -> list[Path]:
    """Draw all policies, the Goodhart curve, and the agents of some runs."""
    from alignment_gym.reports.geometry_figures import agents_on, write_plane
    from alignment_gym.reports.tables import read_records

    agents = [] if runs is None else agents_on(read_records(runs), found.mdp)
    return write_plane(found.frontier, found.curve, agents, path)


def _animation(found: "Analysis", path: Path) -> list[Path]:
    """Play the shortest sure exploit."""
    from alignment_gym.core import InvalidPolicy
    from alignment_gym.viewing.exploits import write_exploit_animation

    exploit = found.shortest.exploit
    if exploit is None:
        raise InvalidPolicy(f"there is no plan to play: {found.shortest.reason}")
    write_exploit_animation(path, found.mdp, exploit)
    return [path]
