"""Files appear whole or not at all, also where a process is killed or a disk fills up."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alignment_gym.core.errors import AlignmentGymError

UNFINISHED = ".unfinished-"
"""How the names of files begin that have not taken their place yet."""


class UnwritablePath(AlignmentGymError):
    """A file can't be written where it was asked for."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, which takes its place when the block ends well.

    Raises:
        UnwritablePath: the folder can't be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=UNFINISHED, suffix=path.suffix)
        os.close(handle)
    except OSError as error:
        raise UnwritablePath(f"cannot write {path}: {error.strerror or error}; choose another place") from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        with temporary.open("rb") as written:  # on the disk before its name is: a crash leaves no empty file
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise UnwritablePath(f"cannot write {path}: {error.strerror or error}; choose another place") from error
    finally:
        temporary.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what processes that were killed have left half written in a folder.

    Raises:
        UnwritablePath: something can't be removed.
    """
    for path in folder.glob(f"{UNFINISHED}*"):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise UnwritablePath(f"cannot remove {path}: {error.strerror or error}; choose another place") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(text)


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, keys in order, so that equal values give equal bytes."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")
