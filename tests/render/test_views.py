"""Scenes as planes, pixels and text, and masked."""

import numpy as np
import pytest

from alignment_gym.core import Meter, Scene, Sprite, Tint
from alignment_gym.render import views
from alignment_gym.render.text import details, scene_text
from alignment_gym.render.views import ACTOR, ELSE, Vocabulary, near

SHOP = Scene(
    tiles=(("wall",) * 5, ("wall", "floor", "floor", "floor", "wall"), ("wall",) * 5),
    sprites=(
        Sprite("box", (1, 2), label="7"),
        Sprite("lamp", (1, 3), faded=True),
        Sprite("robot", (1, 1), facing="east"),
    ),
    tints=(Tint("seen", frozenset({(1, 2), (1, 3)})),),
    meters=(Meter("water left", 3.0, 4.0), Meter("alarm", 0.0, 1.0)),
    note="the lamp is out",
)
WORDS = Vocabulary().with_scenes([SHOP])


def where(plane: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(cell) for cell in np.argwhere(plane).tolist()]


def test_planes_say_what_is_where():
    found = dict(zip(WORDS.planes, views.planes(SHOP, WORDS), strict=True))
    assert where(found["tile floor"]) == [(1, 1), (1, 2), (1, 3)]
    assert where(found["box"]) == where(found["box labelled 7"]) == [(1, 2)]
    assert where(found["faded lamp"]) == [(1, 3)]
    assert where(found["robot"]) == where(found["robot facing east"]) == where(found[ACTOR]) == [(1, 1)]
    assert where(found["tint seen"]) == [(1, 2), (1, 3)]
    assert (found["meter water left"] == 0.75).all()
    assert (found["meter alarm"] == 0.0).all()
    assert not found[ELSE].any()
    assert not found["tile unseen"].any()


def test_what_a_vocabulary_lacks_is_anything_else():
    stranger = Scene(SHOP.tiles, (Sprite("cat", (1, 3)), *SHOP.sprites), meters=(Meter("hunger", 1.0, 4.0),))
    other = views.planes(stranger, WORDS)[WORDS.place[ELSE]]
    assert other[1, 3] == 1.0
    assert (np.delete(other.ravel(), 1 * 5 + 3) == 0.25).all()


def test_smaller_maps_lie_in_the_upper_left_corner_and_nothing_is_beyond():
    wide = WORDS.with_scenes([Scene((("floor",) * 9,) * 4)])
    found = views.planes(SHOP, wide)
    assert found.shape == (len(WORDS.planes), 4, 9)
    np.testing.assert_array_equal(found[: len(WORDS.words), :3, :5], views.planes(SHOP, WORDS)[: len(WORDS.words)])
    assert not found[: len(WORDS.words), 3:].any()
    assert not found[: len(WORDS.words), :, 5:].any()
    assert (views.pixels(SHOP, wide)[4 * 8 - 8 : 4 * 8] == 255).all()


def test_a_vocabulary_is_the_same_in_whatever_order_it_was_learned():
    other = Scene((("lava",),), (Sprite("cat", (0, 0)),))
    assert Vocabulary().with_scenes([SHOP, other]) == Vocabulary().with_scenes([other]).with_scenes([SHOP])


def test_pixels_are_large_enough_for_the_usual_networks():
    image = views.pixels(Scene((("floor",),)), Vocabulary())
    assert image.shape == (36, 36, 3)
    assert image.dtype == np.uint8


def test_small_changes_of_a_meter_show_in_pixels_and_planes():
    scenes = [Scene((("floor",),), meters=(Meter("water", float(value), 200.0),)) for value in range(201)]
    words = Vocabulary().with_scenes(scenes)
    for view in (views.pixels, views.planes):
        assert len({view(scene, words).tobytes() for scene in scenes}) == 201


def test_every_meter_has_a_bar_of_its_own_wherever_the_others_are():
    one, both = (Scene((("floor",),), meters=meters) for meters in (SHOP.meters[:1], SHOP.meters))
    first, second = views.pixels(one, WORDS), views.pixels(both, WORDS)
    assert (first[-4:] == second[-4:]).all()
    assert (first[-9:-5] != second[-9:-5]).any()


def test_text_has_note_map_legend_details_and_meters():
    assert scene_text(SHOP).splitlines() == [
        "the lamp is out",
        "  #####",
        "  #RBl#",
        "  #####",
        "  R robot, B box, l lamp (not now), # wall, . floor",
        "  details: box 7 at (1, 2); robot facing east at (1, 1)",
        "water left: 3/4",
        "alarm: 0/1",
    ]


def test_text_tells_what_lies_under_others():
    scene = Scene((("floor",),), (Sprite("dirt", (0, 0)), Sprite("robot", (0, 0))))
    assert details(scene) == "  details: dirt at (0, 0), under robot"


def test_text_tells_of_things_without_a_letter_where_they_are_with_others():
    signs = Sprite("arrow", (0, 0), facing="east"), Sprite("arrow", (0, 1), facing="east")
    scene = Scene((("water",) * 2,), (*signs, Sprite("boat", (0, 0)), Sprite("stop", (0, 0))))
    assert details(scene) == "  details: arrow facing east at (0, 0), under boat; stop at (0, 0), on boat"


def test_a_mask_leaves_what_is_near_the_one_who_acts():
    masked = near(SHOP, 1)
    assert masked.tiles[1] == ("wall", "floor", "floor", "unseen", "unseen")
    assert [sprite.kind for sprite in masked.sprites] == ["box", "robot"]
    assert masked.tints == (Tint("seen", frozenset({(1, 2)})),)
    assert masked.meters == SHOP.meters
    assert not masked.note
    assert [sprite.kind for sprite in near(SHOP, 0).sprites] == ["robot"]
    assert near(SHOP, 0).tints == ()


def test_a_mask_reaches_as_far_diagonally():
    tiles = (("floor",) * 5,) * 5
    masked = near(Scene(tiles, (Sprite("robot", (2, 2)),)), 1)
    assert masked.tiles == (("unseen",) * 5, *((("unseen", *("floor",) * 3, "unseen"),) * 3), ("unseen",) * 5)


@pytest.mark.parametrize("cells", [0, 3])
def test_where_nobody_acts_a_mask_hides_everything(cells: int):
    assert near(Scene((("floor",) * 2,)), cells).tiles == (("unseen",) * 2,)


def test_a_sensors_picture_is_not_the_agents():
    tampered = Scene((("floor",),), sensor=Scene((("lava",),)))
    assert views.pictured(tampered) == Scene((("floor",),))
    assert "lava" not in scene_text(tampered)
    assert near(tampered, 5).sensor is None
