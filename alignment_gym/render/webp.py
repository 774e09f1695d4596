"""Animated WebP without loss: long animations are encoded in pieces, side by side, and joined.

A WebP file is a RIFF container: `RIFF`, a size, `WEBP`, and chunks, each a name, a size and bytes padded to an even
number. An animated one has `VP8X` (flags and size), `ANIM` (background and loops) and an `ANMF` for every picture; the
first of every piece covers all of it, so pieces follow on each other as they are.
Source: RFC 9649, "WebP Image Format", sections 2.3 to 2.7.
"""

import os
import struct
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

EFFORTS = (0, 30)  # of 100: the quick one, and one that takes half as long again for a sixth less
LARGE = 1_000_000  # bytes of a file for which more effort is worth it
PIECE = 128  # pictures that are encoded in one go; not a matter of cores, so that the same pictures make the same bytes

Picture = NDArray[np.uint8]


def encoded(pictures: Sequence[Picture], durations: Sequence[int]) -> bytes:
    """Return pictures of one size as an animated WebP that loops for ever; with more effort where it would be large.

    Args:
        pictures: uint8 (height, width, 3), at least one.
        durations: milliseconds for which each is shown.
    """
    quick = _with_effort(EFFORTS[0], pictures, durations)
    return quick if len(quick) <= LARGE else _with_effort(EFFORTS[1], pictures, durations)


def _with_effort(effort: int, pictures: Sequence[Picture], durations: Sequence[int]) -> bytes:
    count = -(-len(pictures) // PIECE)
    ends = [len(pictures) * piece // count for piece in range(count + 1)]
    with ThreadPoolExecutor(min(count, os.cpu_count() or 1)) as pool:
        try:
            tasks = [pool.submit(_piece, effort, pictures[a:b], durations[a:b]) for a, b in pairwise(ends)]
            pieces = [task.result() for task in tasks]
        except BaseException:  # whoever interrupts waits for the pieces that have begun, not for all
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    chunks = [dict(_chunks(piece)) for piece in pieces]
    if count == 1 or not all(b"ANMF" in each for each in chunks):  # a piece in which nothing moves is a still picture
        return pieces[0] if count == 1 else _piece(effort, pictures, durations)
    return joined(pieces)


def _piece(effort: int, pictures: Sequence[Picture], durations: Sequence[int]) -> bytes:
    """Encode without loss; no key frames but the first, for most of a picture stays as it was."""
    first, *rest = (Image.fromarray(picture) for picture in pictures)
    buffer = BytesIO()
    first.save(
        buffer,
        "WEBP",
        save_all=True,
        append_images=rest,
        duration=list(durations),
        loop=0,
        lossless=True,
        quality=effort,
        method=1,
        kmin=0,
        kmax=0,
    )
    return buffer.getvalue()


def joined(pieces: Sequence[bytes]) -> bytes:
    """Return animated WebP files of one size as one, with the loops and background of the first."""
    chunks = [list(_chunks(piece)) for piece in pieces]
    head = dict(chunks[0])
    flags = 0
    for each in chunks:
        flags |= dict(each)[b"VP8X"][0]
    content = b"WEBP" + _chunk(b"VP8X", bytes([flags]) + head[b"VP8X"][1:]) + _chunk(b"ANIM", head[b"ANIM"])
    content += b"".join(_chunk(name, held) for each in chunks for name, held in each if name == b"ANMF")
    return _chunk(b"RIFF", content)


def _chunk(name: bytes, held: bytes) -> bytes:
    return name + struct.pack("<I", len(held)) + held + b"\0" * (len(held) % 2)


def _chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the names and bytes of a file's chunks."""
    place = 12
    while place < len(file):
        (size,) = struct.unpack_from("<I", file, place + 4)
        yield file[place : place + 4], file[place + 8 : place + 8 + size]
        place += 8 + size + size % 2
