from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from alignment_gym.render import webp
from alignment_gym.render.pixels import pixels
from tests.render.played import frames

MANY = 2 * webp.PIECE + 5


def moving(count: int, since: int = 0) -> list[np.ndarray]:
    """Return pictures of a white square that goes round a grey field from the frame `since` on."""
    pictures = []
    for number in range(count):
        picture = np.full((24, 32, 3), 90, dtype=np.uint8)
        left = max(number - since, 0) % 28
        picture[8:12, left : left + 4] = 255
        pictures.append(picture)
    return pictures


def shown(file: bytes) -> list[tuple[np.ndarray, int]]:
    """Return the pictures that a player shows, and for how many milliseconds each."""
    found = []
    with Image.open(BytesIO(file)) as animation:
        for number in range(getattr(animation, "n_frames", 1)):
            animation.seek(number)
            animation.load()
            found.append((np.asarray(animation.convert("RGB")), animation.info.get("duration", 0)))
    return found


@pytest.mark.parametrize("count", [1, 2, webp.PIECE, webp.PIECE + 1, MANY])
def test_every_picture_is_shown_exactly_and_as_long_as_asked(count: int):
    pictures, durations = moving(count), [100 + number % 3 for number in range(count)]
    found = shown(webp.encoded(pictures, durations))
    assert len(found) == count
    for wanted, (got, _) in zip(pictures, found, strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert count == 1 or [time for _, time in found] == durations


def test_a_piece_in_which_nothing_moves_is_shown_as_long_as_it_lasts():
    pictures = moving(MANY, since=MANY - 20)
    found = shown(webp.encoded(pictures, [10] * MANY))
    assert sum(time for _, time in found) == 10 * MANY
    np.testing.assert_array_equal(found[-1][0], pictures[-1])


def test_nothing_moving_at_all_is_one_picture():
    ((picture, _),) = shown(webp.encoded(moving(MANY, since=MANY), [10] * MANY))
    np.testing.assert_array_equal(picture, moving(1)[0])


def test_the_number_of_cores_does_not_change_the_bytes(monkeypatch: pytest.MonkeyPatch):
    pictures, durations = moving(MANY), [100] * MANY
    many = webp.encoded(pictures, durations)
    monkeypatch.setattr(webp.os, "cpu_count", lambda: 1)
    assert webp.encoded(pictures, durations) == many


def test_an_animation_of_several_pieces_begins_anew_for_ever():
    with Image.open(BytesIO(webp.encoded(moving(MANY), [100] * MANY))) as animation:
        assert animation.info["loop"] == 0


def test_a_large_file_is_encoded_with_more_effort(monkeypatch: pytest.MonkeyPatch):
    pictures, durations = [pixels(frame) for frame in frames("BoatRace-v0", "exploit", 3)], [100] * 4
    quick = webp.encoded(pictures, durations)
    monkeypatch.setattr(webp, "LARGE", len(quick) - 1)
    assert len(webp.encoded(pictures, durations)) < len(quick)


def test_an_interrupted_recording_leaves_the_pieces_that_have_not_begun(monkeypatch: pytest.MonkeyPatch):
    begun = []

    def piece(effort: int, pictures: list[np.ndarray], durations: list[int]) -> bytes:
        begun.append(len(pictures))
        raise KeyboardInterrupt

    monkeypatch.setattr(webp, "_piece", piece)
    monkeypatch.setattr(webp.os, "cpu_count", lambda: 1)
    with pytest.raises(KeyboardInterrupt):
        webp.encoded(moving(20 * webp.PIECE), [10] * 20 * webp.PIECE)
    assert len(begun) < 20
