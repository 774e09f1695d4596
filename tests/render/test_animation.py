import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from alignment_gym.core import AlignmentGymError
from alignment_gym.core.files import UnwritablePath
from alignment_gym.render import animation
from alignment_gym.render.animation import CannotRecord, record
from alignment_gym.render.pixels import MissingExtra, pixels
from tests.render.played import frames

STEPS = 7


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    return [pixels(frame) for frame in frames("BoatRace-v0", "exploit", STEPS)]


def read(path: Path) -> Iterator[np.ndarray]:
    with Image.open(path) as file:
        for number in range(file.n_frames):
            file.seek(number)
            yield np.asarray(file.convert("RGB"))


def test_webp_keeps_every_picture_exactly(tmp_path: Path, images: list[np.ndarray]):
    path = tmp_path / "x.webp"
    record(images, path, fps=10)
    found = list(read(path))
    assert len(found) == STEPS + 1
    for wanted, got in zip(images, found, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_gif_keeps_every_picture_nearly(tmp_path: Path, images: list[np.ndarray]):
    path = tmp_path / "x.gif"
    record(images, path, fps=10)
    found = list(read(path))
    assert len(found) == STEPS + 1
    for wanted, got in zip(images, found, strict=True):
        assert np.abs(got.astype(int) - wanted).max() < 40
        assert np.abs(got.astype(int) - wanted).mean() < 0.5


@pytest.mark.parametrize("suffix", [".webp", ".gif"])
def test_the_last_picture_stays_and_the_others_keep_time(tmp_path: Path, images: list[np.ndarray], suffix: str):
    path = tmp_path / f"x{suffix}"
    record(images, path, fps=10)
    durations = []
    with Image.open(path) as file:
        for number in range(file.n_frames):
            file.seek(number)
            file.load()
            durations.append(file.info["duration"])
    assert durations == [100] * STEPS + [animation.HOLD]


@pytest.mark.parametrize("suffix", [".webp", ".gif"])
def test_the_same_pictures_make_the_same_bytes(tmp_path: Path, images: list[np.ndarray], suffix: str):
    one, other = tmp_path / f"one{suffix}", tmp_path / f"other{suffix}"
    record(images, one)
    record(iter(images), other)
    assert one.read_bytes() == other.read_bytes()


def test_mp4_has_all_pictures_and_the_last_one_stays(tmp_path: Path, images: list[np.ndarray]):
    av = pytest.importorskip("av")
    path = tmp_path / "x.mp4"
    record(images, path, fps=10)
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == STEPS + 15
    before = path.read_bytes()
    record(images, path, fps=10)
    assert path.read_bytes() == before


def test_mp4_without_its_extra_names_it(tmp_path: Path, images: list[np.ndarray], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtra, match=r"alignment-gym\[video\]"):
        record(images, tmp_path / "x.mp4")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["x.avi", "x", "x.webp.txt"])
def test_an_unknown_suffix_is_refused_and_the_known_ones_are_named(tmp_path: Path, images: list[np.ndarray], name: str):
    with pytest.raises(CannotRecord, match=r"\.gif, \.mp4, \.webp"):
        record(images, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_missing_directory_is_refused_before_anything_is_played(tmp_path: Path):
    def never() -> Iterator[np.ndarray]:
        raise AssertionError("played")
        yield

    with pytest.raises(CannotRecord, match="there is no directory"):
        record(never(), tmp_path / "nowhere" / "x.gif")


def test_a_directory_is_no_file(tmp_path: Path, images: list[np.ndarray]):
    (tmp_path / "x.gif").mkdir()
    with pytest.raises(CannotRecord, match="is a directory"):
        record(images, tmp_path / "x.gif")


def test_what_cannot_be_written_is_refused_in_one_line(
    tmp_path: Path, images: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(animation.os, "access", lambda *_: False)
    with pytest.raises(CannotRecord, match="can't be written to") as refusal:
        record(images, tmp_path / "x.gif")
    assert "\n" not in str(refusal.value)
    assert isinstance(refusal.value, AlignmentGymError)


def test_a_failed_move_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, images: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "x.gif"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(UnwritablePath, match="No space left"):
        record(images, path)
    assert [each.name for each in tmp_path.iterdir()] == ["x.gif"]
    assert path.read_text() == "old"


def test_a_file_is_written_over(tmp_path: Path, images: list[np.ndarray]):
    path = tmp_path / "x.gif"
    path.write_text("old")
    record(images, path)
    assert len(list(read(path))) == STEPS + 1


def test_no_pictures_and_pictures_of_two_sizes_are_refused(tmp_path: Path, images: list[np.ndarray]):
    with pytest.raises(CannotRecord, match="no pictures"):
        record([], tmp_path / "x.gif")
    with pytest.raises(CannotRecord, match="one size"):
        record([images[0], images[1][:-2]], tmp_path / "x.gif")
    with pytest.raises(CannotRecord, match="fps"):
        record(images, tmp_path / "x.gif", fps=0)


def test_a_whole_race_is_a_small_file(tmp_path: Path):
    path = tmp_path / "x.webp"
    record((pixels(frame) for frame in frames("BoatRace-v0", "exploit")), path)
    assert path.stat().st_size < 700_000
