"""`alignment-gym`: one file a command group, heavy imports inside the commands.

Data goes to stdout; progress, logs and errors to stderr. Exit codes: 0 ok, 1 failure, 2 usage, 3 a study finished
with failed runs, 4 a check failed, 130 interrupted. Errors are one line; `--debug` shows the traceback.
"""

import os
import re
import sys
from pathlib import Path
from traceback import extract_tb

import typer

from alignment_gym.cli import (
    catalogue,
    comparing,
    demo,
    figures,
    geometry,
    playing,
    recording,
    reporting,
    solving,
    speed,
    studies,
    training,
    verifying,
    watching,
)

OWN_WORLD = r"[A-Za-z_][\w.]*:[\w./-]+"  # module:id; a mistake in it is the user's, not a defect of ours

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


for _group in (
    demo,
    catalogue,
    solving,
    training,
    watching,
    playing,
    recording,
    studies,
    reporting,
    figures,
    comparing,
    verifying,
    geometry,
    speed,
):
    _group.add_to(app)


def main() -> None:
    """Run the command line; `--debug` may stand anywhere."""
    sys.path.append(os.getcwd())  # so that `module:id` finds a world in a file here
    debugging = "--debug" in sys.argv
    arguments = ["--debug"] * debugging + [word for word in sys.argv[1:] if word != "--debug"]
    try:
        sys.exit(app(arguments, standalone_mode=False))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        code = _exit_code(error)
        own = code is None and any(re.fullmatch(OWN_WORLD, word) for word in arguments)
        if debugging or (code is None and not own):
            raise
        if own:
            sys.stderr.write(f"alignment-gym: {_place(error)}: {type(error).__name__}: {_line(error)}; see --debug\n")
            sys.exit(1)
        if type(error).__name__ == "NoArgsIsHelpError":  # its message is the help page
            error.show()  # type: ignore[attr-defined]
        else:
            sys.stderr.write(f"alignment-gym: {_line(error)}\n")
        sys.exit(code)


def _exit_code(error: Exception) -> int | None:
    """Return the exit code of an error that is said in one line, None for a defect."""
    usage = getattr(error, "exit_code", None)  # Typer's own
    if isinstance(usage, int):
        return usage
    from alignment_gym.core import AlignmentGymError, InvalidDial, InvalidStudy, UnknownName

    if isinstance(error, AlignmentGymError | OSError):
        return 2 if isinstance(error, UnknownName | InvalidDial | InvalidStudy) else 1
    return None


def _place(error: Exception) -> str:
    """Return where an error arose: in a file of the user's own, if it came through one."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = extract_tb(error.__traceback__)
    ours = (str(Path(__file__).parents[1]), sys.prefix, sys.base_prefix, "<")
    last = [frame for frame in frames if not frame.filename.startswith(ours)][-1:] or frames[-1:]
    return f"{last[0].filename}:{last[0].lineno}"


def _line(error: Exception) -> str:
    said = error.format_message() if hasattr(error, "format_message") else str(error)
    if isinstance(error, OSError):
        said = f"{error.strerror or error}: {error.filename or ''}"
    return " ".join(said.split())
