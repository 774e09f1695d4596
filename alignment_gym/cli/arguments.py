"""Arguments and options that several commands share."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from alignment_gym.experiments.collected import Collected

EnvArgument = Annotated[
    str,
    typer.Argument(help="A world, such as BoatRace-v0, see `alignment-gym list`; or module:id for one of your own."),
]
ActorArgument = Annotated[
    str,
    typer.Argument(
        help="A run directory, a policy.npz, or uniform, proxy-optimal, true-optimal, gap-maximal, a demo's name."
    ),
]
EnvOption = Annotated[str | None, typer.Option("--env", help="The world, where the policy does not say.")]
LevelOption = Annotated[
    str | None, typer.Option("--level", help="A level, or several: a,b or generated/0-9; see `alignment-gym info ENV`.")
]
DialOption = Annotated[list[str] | None, typer.Option("--dial", help="A dial of the world, as name=value; repeatable.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
KEYS = 2**32  # of episodes
KeyOption = Annotated[
    int, typer.Option("--key", help="The episode's 32-bit key, which fixes chance.", min=0, max=KEYS - 1)
]

SMALLEST, LARGEST = 1e-6, 1e9  # of a weight that is not 0: beyond these, tolerances and rounding decide


def pairs(words: list[str] | None, option: str) -> dict[str, Any]:
    """Read `name=value` words; values are JSON where they can be, words otherwise."""
    from alignment_gym.core import InvalidDial

    found: dict[str, Any] = {}
    for word in words or []:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise InvalidDial(f"{option} takes name=value, not {word!r}")
        try:
            found[name.strip()] = json.loads(value)
        except ValueError:
            found[name.strip()] = value.strip()
    return found


def weights(words: list[str], option: str) -> dict[str, float]:
    """Read `event=weight` words, which blanks or commas part."""
    from math import isfinite

    from alignment_gym.core import InvalidDial

    split = [part for word in words for part in word.replace(",", " ").split()]
    wrong = next((part for part in split if part.count("=") != 1 or part.startswith("=")), None if split else "")
    if wrong is not None:
        raise InvalidDial(f"{option} takes event=weight, such as {option} buoy=1, not {wrong!r}")
    found = pairs(split, option)
    if len(found) < len(split):
        events = [part.partition("=")[0] for part in split]
        twice = next(event for event in events if events.count(event) > 1)
        raise InvalidDial(f"{option} takes one weight for each event, and {twice!r} has {events.count(twice)}")
    for event, weight in found.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not isfinite(weight):
            raise InvalidDial(f"{option} takes event=weight with a number, not {event}={weight}")
        if weight and not SMALLEST <= abs(weight) <= LARGEST:
            raise InvalidDial(
                f"{option} {event}={weight} is out of range; no score depends on the scale, so give weights of order 1"
            )
    return {event: float(weight) for event, weight in found.items()}


def collected(runs: Path) -> "Collected":
    """Read the records of runs; those that are damaged or failed are told on stderr, and left out."""
    from alignment_gym.experiments.collected import collect

    found = collect(runs)
    for trouble in found.troubles:
        typer.echo(f"left out: {trouble}", err=True)
    return found


def print_json(value: Any) -> None:
    """Print a value as JSON on stdout."""
    typer.echo(json.dumps(value, indent=2, allow_nan=False))


def print_markdown(text: str) -> None:
    """Print Markdown on stdout, as a terminal shows it."""
    from rich.console import Console
    from rich.markdown import Markdown

    console: Any = Console()
    console.print(Markdown(text))
