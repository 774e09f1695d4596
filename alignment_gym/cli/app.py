"""`alignment-gym`: one file a command group, heavy imports inside the commands.

Data goes to stdout; progress, logs and errors to stderr. Exit codes: 0 ok, 1 failure, 2 usage, 3 a study finished
with failed runs, 4 a check failed, 130 interrupted. Errors are one line; `--debug` shows the traceback.
"""

import os
import sys

import typer

from alignment_gym.cli import catalogue, demo, studies, training, watching
from alignment_gym.core import AlignmentGymError, InvalidDial, UnknownName

app = typer.Typer(
    name="alignment-gym",
    help="Worlds that pay a proxy reward and hide the true objective: train, watch, and score agents exactly.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=True,
)


def _version(wanted: bool) -> None:
    if wanted:
        from alignment_gym import __version__

        typer.echo(f"alignment-gym {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    debug: bool = typer.Option(False, "--debug", help="Show tracebacks."),
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    """Take the options that all commands share."""


for _group in (demo, catalogue, training, watching, studies):
    _group.add_to(app)


def main() -> None:
    """Run the command line; `--debug` may stand anywhere."""
    debugging = "--debug" in sys.argv
    arguments = ["--debug"] * debugging + [word for word in sys.argv[1:] if word != "--debug"]
    try:
        app(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except AlignmentGymError as error:
        if debugging:
            raise
        sys.stderr.write(f"alignment-gym: {' '.join(str(error).split())}\n")
        sys.exit(2 if isinstance(error, UnknownName | InvalidDial) else 1)
    except OSError as error:
        if debugging:
            raise
        sys.stderr.write(f"alignment-gym: {error.strerror or error}: {error.filename or ''}\n")
        sys.exit(1)
