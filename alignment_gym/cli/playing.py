"""`playground`: worlds as pages that a person plays in a browser."""

from pathlib import Path
from typing import Annotated

import typer

from alignment_gym.cli.arguments import DialOption, LevelOption, pairs


def add_to(app: typer.Typer) -> None:
    """Enter this group's commands."""
    app.command("playground")(playground)


def playground(
    out: Annotated[Path, typer.Option("-o", "--out", help="A folder for the pages.")],
    env: Annotated[
        str | None, typer.Argument(help="A world, such as BoatRace-v0; left out, all of them and an index.")
    ] = None,
    level: LevelOption = None,
    dial: DialOption = None,
) -> None:
    """Write a page on which a person plays a world by keys or touch; it works from the disk, without Python."""
    from alignment_gym.core import InvalidDial
    from alignment_gym.viewing.playground import write_playground, write_playgrounds

    if out.suffix.lower() in (".html", ".htm"):
        raise typer.BadParameter(f"{out} looks like a file; pages go into a folder: -o {out.with_suffix('')}")
    if env is not None:
        typer.echo(write_playground(out, env, level, pairs(dial, "--dial")))
        return
    if level is not None or dial:
        raise InvalidDial("--level and --dial are one world's: name it, as in `alignment-gym playground BoatRace-v0`")
    for path in write_playgrounds(out):
        typer.echo(path)
