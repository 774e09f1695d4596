"""`watch`, `play`: look at what was learned, or try it by hand."""

from typing import Annotated

import typer

from alignment_gym.cli.arguments import (
    KEYS,
    ActorArgument,
    DialOption,
    EnvArgument,
    EnvOption,
    KeyOption,
    LevelOption,
    pairs,
)

FpsOption = Annotated[int, typer.Option("--fps", help="Frames a second.", min=1, max=60)]
AnsiOption = Annotated[bool, typer.Option("--ansi", help="In the terminal, without a window.")]

BesideOption = Annotated[str | None, typer.Option("--beside", help="A second agent, shown to the right.")]
PolicyOption = Annotated[
    str | None, typer.Option("--policy", help="An agent that plays the same episode beside you, as `watch` takes it.")
]
PlayedKeyOption = Annotated[
    int | None,
    typer.Option(
        "--key", help="The episode's 32-bit key, which fixes chance; any one by default.", min=0, max=KEYS - 1
    ),
]


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
    beside: BesideOption = None,
    fps: FpsOption = 8,
    ansi: AnsiOption = False,
) -> None:
    """Watch an agent, or two in the same episode, in a window or in the terminal; `?` shows the keys."""
    from alignment_gym.experiments.actors import find_actor, find_companion
    from alignment_gym.viewing.episode import acted
    from alignment_gym.viewing.player import watch as show

    dials = pairs(dial, "--dial")
    found = [find_actor(actor, env, level, dials)]
    if beside is not None:
        found += [find_companion(beside, found[0], level, dials)]
    show(
        lambda number: [acted(each.mdp, each.policy, number, each.label) for each in found],
        key,
        ansi=ansi,
        fps=fps,
    )


def play(
    env: EnvArgument,
    level: LevelOption = None,
    dial: DialOption = None,
    policy: PolicyOption = None,
    key: PlayedKeyOption = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Draws the key of the first episode.", min=0)] = None,
    ansi: AnsiOption = False,
) -> None:
    """Play a world yourself, alone or beside an agent; the true score is shown at the end."""
    from alignment_gym.engine.single import AlignmentEnv
    from alignment_gym.experiments.actors import find_actor
    from alignment_gym.viewing.episode import acted
    from alignment_gym.viewing.keyboard import play as begin

    if key is not None and seed is not None:
        raise typer.BadParameter("--seed draws a key, and --key gives one; leave one of them out")
    dials = pairs(dial, "--dial")
    if policy is None:
        begin(AlignmentEnv(env, level=level, render_mode="rgb_array", **dials), key=key, seed=seed, ansi=ansi)
        return
    found = find_actor(policy, env, level, dials)
    begin(
        AlignmentEnv(found.mdp, render_mode="rgb_array"),
        key=key,
        seed=seed,
        companion=lambda number: acted(found.mdp, found.policy, number, found.label),
        ansi=ansi,
    )
