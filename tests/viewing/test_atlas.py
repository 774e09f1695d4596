import json
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from alignment_gym.core import Scene, Sprite, make_world
from alignment_gym.render.pixels import plain_pixels
from alignment_gym.viewing.atlas import NONE, Atlas
from tests.every import WORLDS

TILE = 24
CLOSE = 8  # of 255: a picture with straight alpha is rounded twice
EARLY = 6  # states of a world that are looked at


def image(address):
    head, content = address.split(",")
    assert head == "data:image/webp;base64"
    return Image.open(BytesIO(b64decode(content))).convert("RGBA")


def put_together(atlas, number, heading=0):
    """Do what the page does."""
    still, actor, row, column, size, *_ = atlas["scenes"][number]
    ground, placed = atlas["stills"][still]
    tile = atlas["tile"]
    canvas = image(atlas["pictures"][atlas["grounds"][ground][0]])
    for picture, down, right in zip(placed[::3], placed[1::3], placed[2::3], strict=True):
        canvas.alpha_composite(image(atlas["pictures"][picture]), (right * tile, down * tile))
    if actor != NONE and size == 1.0:
        drawn = image(atlas["pictures"][atlas["actors"][actor][heading]])
        canvas.alpha_composite(drawn, (column * tile, row * tile))
    return np.asarray(canvas.convert("RGB")).astype(int), size


@pytest.mark.parametrize("env_id", WORLDS)
def test_parts_put_together_are_the_picture(env_id):
    world = make_world(env_id)
    atlas = Atlas(TILE)
    scenes = [world.draw(state) for _, state in world.initial()[:EARLY]]
    scenes += [scene.sensor for scene in scenes if scene.sensor]
    numbers = [atlas.add(scene) for scene in scenes]
    made = atlas.as_json()
    for scene, number in zip(scenes, numbers, strict=True):
        found, size = put_together(made, number)
        if size == 1.0:
            assert np.abs(found - plain_pixels(scene, TILE)).max() <= CLOSE


def test_what_is_drawn_twice_is_kept_once():
    floor = (("floor",) * 3,)
    rock = Sprite("rock", (0, 0))
    atlas = Atlas(TILE)
    first = atlas.add(Scene(floor, (rock, Sprite("boat", (0, 1)))))
    assert atlas.add(Scene(floor, (rock, Sprite("boat", (0, 1))))) == first
    assert atlas.add(Scene(floor, (rock, Sprite("boat", (0, 2))))) == first + 1
    made = atlas.as_json()
    assert [len(made[part]) for part in ("pictures", "grounds", "stills", "actors", "scenes")] == [7, 1, 1, 1, 2]


def test_who_turns_has_a_picture_a_heading_and_others_one():
    floor = (("floor",) * 3,)
    atlas = Atlas(TILE)
    for sprite, heading in (
        (Sprite("boat", (0, 0)), ""),
        (Sprite("boat", (0, 0)), "north"),
        (Sprite("boat", (0, 0), facing="south"), "north"),
        (Sprite("tomato", (0, 0)), "north"),
    ):
        atlas.add(Scene(floor, (sprite,)), heading)
    free, north, south, tomato = atlas.as_json()["actors"]
    assert len(set(free)) == 5
    assert north == [free[1]] * 5
    assert south == [free[3]] * 5
    assert len(set(tomato)) == 1


def test_the_sensors_view_is_a_scene_of_its_own():
    world = make_world("SensorCleaner-v0")
    atlas = Atlas(TILE)
    number = atlas.add(world.draw(world.initial()[0][1]))
    made = atlas.as_json()
    *_, note, meters, sensor, instrument = made["scenes"][number]
    assert made["words"][instrument] == "what the camera sees"
    assert made["words"][note].endswith("dirty")
    assert made["meters"][meters][0][0] == "cap on the lens"
    assert made["scenes"][sensor][-2:] == [NONE, NONE]


def test_equal_scenes_give_equal_bytes():
    def once():
        world, atlas = make_world("BoatRace-v0"), Atlas(TILE)
        atlas.add(world.draw(world.initial()[0][1]))
        return json.dumps(atlas.as_json())

    assert once() == once()
