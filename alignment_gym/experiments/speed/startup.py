"""What it costs to start: processes of their own, as imports are paid once a process."""

import os
import subprocess
import sys
from collections.abc import Sequence

from alignment_gym.experiments.speed.contest import Contestant, Entry, Run

HELP = ("-m", "alignment_gym", "--help")
HEAVY = ("torch", "matplotlib", "scipy", "pygame")


def starting(name: str, words: Sequence[str]) -> Contestant:
    """Return a Python process as a contestant, timed from its start to its end.

    Args:
        name: what it is called.
        words: of its command line, after `python`.
    """

    def begin() -> Run:
        _finished(words)  # compiles what is not yet compiled

        def run(steps: int) -> int:
            for _ in range(steps):
                _finished(words)
            return steps

        return run

    return Contestant(Entry(name, about=f"python {' '.join(words)}"), begin, steps=1, unit="s")


def heavy_packages_of_help() -> list[str]:
    """Return which heavy packages `alignment-gym --help` imports."""
    log = _finished(HELP, PYTHONPROFILEIMPORTTIME="1").stderr
    imported = {line.rpartition("|")[2].strip() for line in log.splitlines() if line.startswith("import time:")}
    return [name for name in HEAVY if name in imported]


def _finished(words: Sequence[str], **more: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run([sys.executable, *words], env=kept | more, capture_output=True, text=True, check=True)
