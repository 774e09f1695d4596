"""`record`: an episode as a file, to send, to show on a slide, or to put on a page."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignment_gym.cli.arguments import ActorArgument, DialOption, EnvOption, KeyOption, LevelOption, pairs

if TYPE_CHECKING:
    from alignment_gym.experiments.actors import Actor
    from alignment_gym.viewing.replay import Imprint, Take

DEFAULT_FPS, DEFAULT_TILE = 8, 40


def add_to(app: typer.Typer) -> None:
    """Enter the command."""
    app.command("record")(record)


def record(
    actor: ActorArgument,
    out: Annotated[Path, typer.Option("-o", "--out", help="A .webp, .gif, .mp4 or .html file; .html has a player.")],
    env: EnvOption = None,
    level: LevelOption = None,
    dial: DialOption = None,
    key: KeyOption = 0,
    beside: Annotated[str | None, typer.Option("--beside", help="A second agent, in the same episode.")] = None,
    fps: Annotated[int, typer.Option("--fps", help="Steps a second.", min=1, max=60)] = DEFAULT_FPS,
    tile: Annotated[
        int, typer.Option("--tile", help="Pixels a cell, of an animation.", min=16, max=120)
    ] = DEFAULT_TILE,
    panel: Annotated[
        bool, typer.Option("--panel/--no-panel", help="With both returns beside the map, in an animation.")
    ] = True,
) -> None:
    """Record one episode: as an animation, or as a page with a player."""
    from alignment_gym.experiments.actors import find_actor, find_companion
    from alignment_gym.render.animation import check_path
    from alignment_gym.viewing.replay import SUFFIX

    check_path(out, (SUFFIX,))  # refused before anything is solved or played
    if out.suffix.lower() == SUFFIX and (tile != DEFAULT_TILE or not panel):
        raise typer.BadParameter("--tile and --no-panel are for animations; a page fits itself to its reader's screen")
    dials = pairs(dial, "--dial")
    actors = [find_actor(actor, env, level, dials)]
    if beside is not None:
        actors.append(find_companion(beside, actors[0], level, dials))
    if out.suffix.lower() == SUFFIX:
        command = _command(actor, beside, env, level, dial, key, fps, out)
        write_page(actors, key, fps, command, out)
    else:
        _write_animation(actors, key, fps, tile, panel, out)
    typer.echo(out)


def write_page(actors: "list[Actor]", key: int, fps: int, command: str, out: Path) -> None:
    """Write the page of one episode, of one agent or of two side by side; the command makes it again."""
    from alignment_gym.viewing.replay import write_replay

    takes = [_taken(actor, key) for actor in actors]
    write_replay(out, takes, _imprint(takes[0], command), fps)


def _write_animation(actors: "list[Actor]", key: int, fps: int, tile: int, panel: bool, out: Path) -> None:
    from alignment_gym.render.animation import record as write
    from alignment_gym.render.pixels import pixels
    from alignment_gym.viewing.episode import acted, beside

    episodes = [acted(actor.mdp, actor.policy, key, actor.label) for actor in actors]
    if len(episodes) == 1:
        write((pixels(frame, panel, tile) for frame in episodes[0]), out, fps)
    else:
        left, right = episodes
        write(beside(left, right, panel, tile), out, fps)


def _taken(actor: "Actor", key: int) -> "Take":
    from alignment_gym.core import InvalidPolicy
    from alignment_gym.viewing.episode import acted
    from alignment_gym.viewing.replay import take

    world = actor.mdp.world
    if world is None:
        raise InvalidPolicy(f"{actor.mdp.name} is made of arrays, which have no pictures; only worlds can be drawn")
    return take(world, acted(actor.mdp, actor.policy, key, actor.label), key)


def _imprint(shown: "Take", command: str) -> "Imprint":
    from alignment_gym.core import world_ids
    from alignment_gym.reports.citation import bibtex
    from alignment_gym.viewing.replay import Imprint

    known = shown.world.card.id if shown.world.card.id in world_ids() else None
    return Imprint(command, bibtex(known))


def _command(
    actor: str,
    beside: str | None,
    env: str | None,
    level: str | None,
    dial: list[str] | None,
    key: int,
    fps: int,
    out: Path,
) -> str:
    """Return the command that makes a page again; absolute paths are cut to names, as they differ between machines."""
    words = ["alignment-gym", "record", _portable(actor)]
    words += ["--beside", _portable(beside)] if beside else []
    words += ["--env", env] if env else []
    words += ["--level", level] if level else []
    words += [word for each in dial or [] for word in ("--dial", each)]
    words += ["--key", str(key)]
    words += ["--fps", str(fps)] if fps != DEFAULT_FPS else []
    return shlex.join([*words, "-o", out.name])


def _portable(what: str) -> str:
    return Path(what).name if Path(what).is_absolute() else what
