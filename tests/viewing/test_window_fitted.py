import numpy as np
import pytest

from alignment_gym.render.pixels import pixels
from alignment_gym.render.window import LINE
from alignment_gym.viewing.fitted import LARGEST, SMALLEST, USUAL, Fitting, together
from tests.render.played import frames


def one():
    return (frames("BoatRace-v0", "exploit", 12)[10],)


def two():
    return (*one(), frames("BoatRace-v0", "intended", 12)[10])


@pytest.mark.parametrize("room", [(1900, 1000), (1240, 760), (700, 420), (420, 330), (300, 640)])
@pytest.mark.parametrize("shown", [one, two])
def test_a_picture_fits_and_could_not_be_larger(room, shown):
    image, lines = Fitting().picture(shown(), room)
    height, width = image.shape[:2]
    assert width <= room[0]
    assert height + LINE * (len(lines) + 1) <= room[1]
    assert width >= 0.85 * room[0] or height >= 0.75 * room[1] - LINE * (len(lines) + 1)


def test_a_picture_is_drawn_at_its_size_and_not_scaled():
    image, _ = Fitting().picture(one(), (10_000, 10_000))
    np.testing.assert_array_equal(image, pixels(*one(), tile=LARGEST))
    image, lines = Fitting().picture(one(), (10_000, 10_000), USUAL)
    np.testing.assert_array_equal(image, pixels(*one()))
    assert lines == ()


def test_in_a_small_window_the_accounts_are_lines_of_readable_text():
    _, lines = Fitting().picture(two(), (420, 330))
    assert len(lines) == 2
    assert "paid +" in lines[0]
    assert "EXPLOIT, step 10" in lines[0]


def test_even_one_pixel_gets_a_picture():
    image, _ = Fitting().picture(one(), (1, 1))
    np.testing.assert_array_equal(image, pixels(*one(), panel=False, tile=SMALLEST))


@pytest.mark.parametrize("down", [False, True])
def test_two_pictures_are_joined_whole(down):
    image = together(two(), down=down)
    first, second = (pixels(frame) for frame in two())
    height, width = first.shape[:2]
    np.testing.assert_array_equal(image[:height, :width], first)
    np.testing.assert_array_equal(image[-height:, -width:], second)
