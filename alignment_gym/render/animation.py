"""Animation files: encoded in memory, then put in place in one move, so that no half of one is ever seen."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from alignment_gym.core import AlignmentGymError
from alignment_gym.core.files import replacing
from alignment_gym.render import webp
from alignment_gym.render.pixels import MissingExtra

HOLD = 1500  # milliseconds for which the last picture stays
UNCHANGED = 255  # the palette index that shows through; the others are colours
SAMPLED = 6  # pictures that a GIF's palette is taken from
BIT_RATE_QUALITY = "18"  # x264's constant rate factor: hard to tell from lossless

Pictures = Iterable[NDArray[np.uint8]]


class CannotRecord(AlignmentGymError):
    """An animation file can't be written as asked."""


def record(images: Pictures, path: Path, fps: int = 8) -> None:
    """Write pictures of one size as an animation; the suffix says which kind.

    `.webp` is lossless and small, `.gif` plays everywhere, `.mp4` needs the `video` extra. The
    same pictures make the same bytes. Nothing is left behind if writing fails.

    Args:
        images: uint8 (height, width, 3), at least one.
        path: in a directory that exists.
        fps: pictures a second.

    Raises:
        CannotRecord: an unknown suffix, no pictures, or a directory that can't be written to.
        MissingExtra: `.mp4` without PyAV.
    """
    path = Path(path)
    if not 1 <= fps <= 100:
        raise CannotRecord(f"fps = {fps} is out of range; it goes from 1 to 100")
    write = writer(path)
    pictures = list(images)
    if not pictures:
        raise CannotRecord(f"there are no pictures to write to {path}")
    if any(picture.shape != pictures[0].shape for picture in pictures):
        raise CannotRecord("the pictures of an animation have one size; these have several")
    content = write(pictures, fps)
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def writer(path: Path) -> Callable[[list[NDArray[np.uint8]], int], bytes]:
    """Return what encodes the kind of animation that a path's suffix says; asked early, it refuses early.

    Raises:
        CannotRecord, MissingExtra: as `record` does.
    """
    check_path(path)
    return WRITERS[path.suffix.lower()]


def check_path(path: Path, others: Sequence[str] = ()) -> None:
    """Refuse a path that no animation can be written to.

    Args:
        path: of the file.
        others: suffixes that somebody else writes.

    Raises:
        CannotRecord, MissingExtra: as `record` does.
    """
    suffix, known = path.suffix.lower(), sorted([*WRITERS, *others])
    if suffix not in known:
        said = f"{path.suffix!r}" if suffix else f"{path.name!r}, which has no suffix"
        near = get_close_matches(suffix, known, n=1, cutoff=0.6)
        meant = f"did you mean {path.stem}{near[0]}? " if near else ""
        raise CannotRecord(f"unknown kind of file {said}; {meant}the known ones are {', '.join(known)}")
    if suffix == ".mp4":
        _import_av()
    _check_directory(path)


def _check_directory(path: Path) -> None:
    directory = path.parent
    if not directory.is_dir():
        raise CannotRecord(f"there is no directory {str(directory)!r} to write {path.name} to; make it first")
    if path.is_dir():
        raise CannotRecord(f"{str(path)!r} is a directory; name a file in it")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise CannotRecord(f"the directory {str(directory)!r} can't be written to; choose another one")


def _durations(count: int, fps: int) -> list[int]:
    each = round(1000 / fps)
    return [each] * (count - 1) + [max(each, HOLD)]


def _webp(pictures: list[NDArray[np.uint8]], fps: int) -> bytes:
    return webp.encoded(pictures, _durations(len(pictures), fps))


def _gif(pictures: list[NDArray[np.uint8]], fps: int) -> bytes:
    """Encode with one palette for all; what has not changed is left transparent."""
    palette = _palette(pictures)
    indices = list(_indices(pictures, palette))
    changes = [np.where(now != before, now, UNCHANGED).astype(np.uint8) for before, now in pairwise(indices)]
    first, *rest = (Image.fromarray(each) for each in (indices[0], *changes))
    for image in (first, *rest):
        image.putpalette(_channels(palette).tobytes())
    buffer = BytesIO()
    first.save(
        buffer,
        "GIF",
        save_all=True,
        append_images=rest,
        duration=_durations(len(pictures), fps),
        loop=0,
        disposal=1,
        transparency=UNCHANGED,
        optimize=False,
    )
    return buffer.getvalue()


def _palette(pictures: list[NDArray[np.uint8]]) -> NDArray[np.uint32]:
    """Return the most frequent colours, 24 bits each: the flat areas; the others are shades of edges."""
    chosen = np.unique(np.linspace(0, len(pictures) - 1, SAMPLED).round().astype(int))
    colours, counts = np.unique(np.stack([_packed(pictures[place]) for place in chosen]), return_counts=True)
    return np.asarray(colours[np.argsort(-counts, kind="stable")[:UNCHANGED]], dtype=np.uint32)


def _indices(pictures: list[NDArray[np.uint8]], palette: NDArray[np.uint32]) -> Iterator[NDArray[np.uint8]]:
    """Yield each picture as places in the palette; Pillow's own search is not exact even for colours that are in it."""
    place = np.full(1 << 24, UNCHANGED, dtype=np.uint8)
    place[palette] = np.arange(len(palette))
    for picture in pictures:
        packed = _packed(picture)
        found = place[packed]
        strange = np.unique(packed[found == UNCHANGED])
        if len(strange):
            away = _channels(strange)[:, None].astype(np.int64) - _channels(palette)[None]
            place[strange] = (away**2).sum(axis=-1).argmin(axis=-1)
            found = place[packed]
        yield found


def _packed(picture: NDArray[np.uint8]) -> NDArray[np.uint32]:
    red, green, blue = (picture[..., channel].astype(np.uint32) for channel in range(3))
    return np.asarray(red << 16 | green << 8 | blue, dtype=np.uint32)


def _channels(colours: NDArray[np.uint32]) -> NDArray[np.uint8]:
    return (colours[:, None] >> np.array([16, 8, 0], dtype=np.uint32) & 0xFF).astype(np.uint8)


def _mp4(pictures: list[NDArray[np.uint8]], fps: int) -> bytes:
    av = _import_av()
    height, width = pictures[0].shape[:2]
    with TemporaryDirectory() as directory:  # moving the index to the front needs a file that can be read again
        path = Path(directory) / "animation.mp4"
        with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=Fraction(fps))
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.options = {"crf": BIT_RATE_QUALITY, "threads": "1"}
            for picture in [*pictures, *pictures[-1:] * (round(fps * HOLD / 1000) - 1)]:  # the last one stays
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
        return path.read_bytes()


def _import_av() -> Any:
    try:
        import av
    except ImportError:
        raise MissingExtra(
            "mp4 files need PyAV: pip install 'alignment-gym[video]'; .webp and .gif work without"
        ) from None
    return av


WRITERS: dict[str, Callable[[list[NDArray[np.uint8]], int], bytes]] = {".webp": _webp, ".gif": _gif, ".mp4": _mp4}
