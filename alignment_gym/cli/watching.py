"""`watch`, `play`: look at what was learned, or try it by hand."""

from typing import Annotated

import typer

from alignment_gym.cli.arguments import ActorArgument, DialOption, EnvArgument, EnvOption, KeyOption, LevelOption, pairs

FpsOption = Annotated[int, typer.Option("--fps", help="Frames a second.", min=1, max=60)]
AnsiOption = Annotated[bool, typer.Option("--ansi", help="In the terminal, without a window.")]


def add_to(app: typer.Typer) -> None:
    """Enter this group's commands."""
    app.command("watch")(watch)
    app.command("play")(play)


def watch(
    actor: ActorArgument,
    env: EnvOption = None,
    level: LevelOption = None,
    dial: DialOption = None,
    key: KeyOption = 0,
    fps: FpsOption = 8,
    ansi: AnsiOption = False,
) -> None:
    """Watch an agent, in a window or in the terminal; `?` shows the keys."""
    from alignment_gym.experiments.actors import find_actor
    from alignment_gym.viewing.episode import acted
    from alignment_gym.viewing.player import watch as show

    found = find_actor(actor, env, level, pairs(dial, "--dial"))
    show(acted(found.mdp, found.policy, key, found.label), ansi=ansi, fps=fps)


def play(
    env: EnvArgument,
    level: LevelOption = None,
    dial: DialOption = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of the episodes.", min=0)] = None,
    ansi: AnsiOption = False,
) -> None:
    """Play a world yourself; the true score is shown at the end."""
    from alignment_gym.engine.single import AlignmentEnv
    from alignment_gym.viewing.keyboard import play as begin

    begin(AlignmentEnv(env, level=level, render_mode="rgb_array", **pairs(dial, "--dial")), ansi=ansi, seed=seed)
