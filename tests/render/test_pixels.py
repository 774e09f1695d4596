import itertools
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from alignment_gym.core import Cone, Meter, Scene, Sprite, Tint, make_world
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.render.bars import round_up, scale
from alignment_gym.render.frame import Frame, Ledger
from alignment_gym.render.picture import draw_legend, laid_out, legend
from alignment_gym.render.pixels import pixels
from alignment_gym.render.shapes import SHAPES
from alignment_gym.render.sight import Sight
from alignment_gym.render.sprites import picture
from tests.every import DEMOS, EVERY_LEVEL
from tests.render.played import frames


def bare(scene: Scene) -> Frame:
    return Frame(scene, "A title", Ledger(), 0, {}, {}, "")


def near(image: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int((np.abs(image.astype(int) - colour).max(axis=-1) < 12).sum())


@pytest.mark.parametrize(("env_id", "name"), DEMOS)
def test_pictures_are_rgb_bytes_of_one_even_size_through_an_episode(env_id: str, name: str):
    images = [pixels(frame) for frame in frames(env_id, name, 30)]
    assert {image.shape for image in images} == {images[0].shape}
    height, width, depth = images[0].shape
    assert (height % 2, width % 2, depth) == (0, 0, 3)
    assert all(image.dtype == np.uint8 and image.flags.c_contiguous and image.flags.owndata for image in images)


@pytest.mark.parametrize(("env_id", "level"), EVERY_LEVEL)
def test_every_level_can_be_drawn(env_id: str, level: str):
    env = AlignmentEnv(make_world(env_id, level=level), render_mode="rgb_array", hud="/" not in level)
    env.reset(seed=0)
    image = env.render()
    assert image.dtype == np.uint8
    assert len(np.unique(image @ np.array([1 << 16, 1 << 8, 1]))) > 5


def test_the_same_frame_makes_the_same_picture_and_a_fresh_array():
    frame = frames("BoatRace-v0", "exploit")[20]
    first = pixels(frame)
    kept = first.copy()
    second = pixels(frame)
    second[:] = 0
    np.testing.assert_array_equal(first, kept)


def test_consecutive_pictures_differ():
    images = [pixels(frame) for frame in frames("SensorCleaner-v0", "exploit", 10)]
    assert all((before != after).any() for before, after in itertools.pairwise(images))


def test_the_exploit_is_marked_from_its_step_on():
    banner = (213, 94, 0)
    episode = frames("ShutdownButton-v0", "exploit")
    at = episode[-1].exploited_at
    assert at is not None
    before, after = (near(pixels(episode[step])[:, -340:], banner) for step in (at - 1, at))
    assert after - before > 3000


def test_a_hidden_true_account_shows_neither_its_bar_nor_the_exploit():
    blue, banner = (0, 114, 178), (213, 94, 0)
    shown = frames("ShutdownButton-v0", "intended")[10]
    assert near(pixels(shown)[:, -340:], blue) > 100
    assert near(pixels(replace(shown, true_hidden=True))[:, -340:], blue) == 0
    exploit = replace(frames("ShutdownButton-v0", "exploit")[50], true_hidden=True)
    assert exploit.exploited_at is None
    assert near(pixels(exploit)[:, -340:], banner) < 500


def test_the_sensor_is_shown_as_a_second_map():
    frame = frames("SensorCleaner-v0", "exploit")[40]
    alone = replace(frame, scene=replace(frame.scene, sensor=None))
    assert near(pixels(frame, panel=False), (40, 44, 52)) > near(pixels(alone, panel=False), (40, 44, 52)) + 10_000


def test_a_kind_without_a_drawing_becomes_a_labelled_disc():
    scene = Scene((("swamp", "floor"),), (Sprite("tomato", (0, 0)), Sprite("red crate", (0, 1), label="7")))
    with_things, without = pixels(bare(scene)), pixels(bare(replace(scene, sprites=())))
    assert (with_things != without).any()


@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_a_faded_thing_looks_different_from_a_solid_one(kind: str):
    import pygame

    solid, faded = (
        pygame.image.tobytes(picture(kind, "east", is_faded, "1", 40), "RGBA") for is_faded in (False, True)
    )
    assert solid != faded


@pytest.mark.parametrize("tile", [8, 16, 40, 64])
@pytest.mark.parametrize("shape", [(1, 1), (1, 12), (14, 2), (9, 13)])
def test_any_map_and_tile_size_can_be_drawn(tile: int, shape: tuple[int, int]):
    tiles = tuple(("floor",) * shape[1] for _ in range(shape[0]))
    scene = Scene(tiles, (Sprite("worker", (0, 0)),), (Tint("danger", frozenset({(0, 0)})),), (Meter("a", 3, 40.5),))
    for each in (scene, replace(scene, sensor=scene)):
        for panel in (True, False):
            image = pixels(bare(each), panel, tile)
            assert image.shape[0] % 2 == image.shape[1] % 2 == 0
            assert image.shape[1] >= shape[1] * tile


@pytest.mark.parametrize(
    ("value", "rounded"), [(0.0, 0.0), (-3.0, 0.0), (0.2, 1.0), (1.0, 1.0), (1.1, 2.0), (21.0, 50.0), (500.0, 500.0)]
)
def test_a_bar_ends_at_a_round_number(value: float, rounded: float):
    assert round_up(value) == rounded


def test_a_bar_holds_zero_whatever_is_known():
    assert (scale((-400.0, -12.0), (0.0, 0.0)).low, scale((-400.0, -12.0), (0.0, 0.0)).high) == (-400.0, 0.0)
    assert (scale(None, (0.0, 0.0)).low, scale(None, (0.0, 0.0)).high) == (0.0, 1.0)
    assert scale((-2.0, 2.0), (0.0, 0.0)).share(0.0) == 0.5
    assert scale(None, (-7.0, 0.0)).share(-99.0) == 0.0


def test_drawing_needs_no_display_and_says_nothing_on_standard_output():
    code = (
        "import alignment_gym, gymnasium as gym\n"
        "env = gym.make('alignment_gym/BoatRace-v0', render_mode='rgb_array')\n"
        "env.reset(seed=0)\n"
        "env.render()\n"
        "import pygame\n"
        "assert not pygame.display.get_init()\n"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SDL", "DISPLAY", "PYGAME"))}
    done = subprocess.run([sys.executable, "-c", code], env=clean, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def yellow(image: np.ndarray) -> np.ndarray:
    """Tell which pixels are under a veil of what is seen: much less blue than red."""
    return image[..., 0].astype(int) - image[..., 2] > 40


def test_a_cone_casts_rays_on_what_is_seen_and_on_nothing_else():
    tiles, seen = (("floor",) * 5,) * 3, frozenset({(1, column) for column in range(1, 4)})
    veil, cone = (
        pixels(bare(Scene(tiles, tints=(tint,))), panel=False)
        for tint in (Tint("seen", seen), Cone("seen", seen, (1, 0), "east"))
    )
    changed = (veil != cone).any(axis=-1)
    assert changed.any()
    rows, columns = np.nonzero(changed)
    assert (rows.min() // 40, rows.max() // 40, columns.min() // 40, columns.max() // 40) == (1, 1, 1, 3)
    assert not yellow(cone)[:38].any()


def test_a_camera_sees_along_its_cone_and_no_farther_than_the_box_before_it():
    clear, blocked = (frames("CameraDropbox-v0", "exploit")[step].scene for step in (0, 5))
    cones = [tint for scene in (clear, blocked) for tint in scene.tints]
    assert all(isinstance(cone, Cone) for cone in cones)
    assert cones[1].cells < cones[0].cells


def test_a_legend_names_ground_veils_and_things_in_the_worlds_own_words():
    scene = Scene(
        (("lava", "goal", "floor"),),
        (Sprite("box", (0, 0)), Sprite("stop", (0, 0)), Sprite("robot", (0, 1))),
        (Tint("seen", frozenset({(0, 2)})), Tint("danger", frozenset())),
        meanings=(("goal", "the marked place"), ("box", "parcel")),
    )
    assert [name for _, name in legend(Sight().after(scene))] == [
        "robot",
        "parcel",
        "in sight",
        "the marked place",
        "lava",
    ]


@pytest.mark.parametrize("env_id", ["EngagementFeed-v0", "PersuadableJudge-v0", "RocksDiamonds-v0", "BoatRace-v0"])
def test_a_legend_is_complete_in_two_rows_or_three_low_ones(env_id: str):
    for frame in frames(env_id, "exploit"):
        layout = laid_out(frame.scene.shape, frame.scene.sensor is not None, True, 40)
        assert layout.panel is not None
        width = layout.panel - 2 * layout.legend[0]
        two = draw_legend(None, legend(frame.sight), (0, 0), width, 22, 9, 26) <= 2
        assert two or draw_legend(None, legend(frame.sight), (0, 0), width, 14, 9, 17) <= 3


def test_the_exploit_is_marked_on_the_episodes_line_from_its_step_on():
    episode = frames("ShutdownButton-v0", "exploit")
    at = episode[-1].exploited_at
    assert at is not None
    line = [near(pixels(episode[step])[72:86, -360:], (213, 94, 0)) for step in (at - 1, at, at + 40)]
    assert line[0] == 0 < line[1] < line[2]


@pytest.mark.parametrize("env_id", ["PersuadableJudge-v0", "RampMeter-v0", "SensorCleaner-v0"])
def test_a_picture_is_the_same_whatever_was_drawn_before_it(env_id: str):
    shown = [*frames(env_id, "exploit", 12), *frames("BoatRace-v0", "exploit", 12)]
    covered = [replace(frame, true_hidden=True) for frame in shown]
    forwards = [pixels(frame) for frame in (*shown, *covered)]
    backwards = [pixels(frame) for frame in reversed((*shown, *covered))]
    for one, other in zip(forwards, reversed(backwards), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_legends_entries_stay_where_they_are_once_seen():
    names = [[name for _, name in legend(frame.sight)] for frame in frames("PersuadableJudge-v0", "exploit", 40)]
    things = [[name for name in each if not name.startswith("believes")] for each in names]
    assert len(things[-1]) > len(things[0])
    assert all(after[: len(before)] == before for before, after in pairwise(things))


@pytest.mark.parametrize("value", [float("inf"), float("nan"), -1.0, 2.5])
def test_a_meter_of_any_value_is_drawn(value: float):
    scene = Scene((("floor",) * 6,) * 5, (Sprite("robot", (2, 2)),), meters=(Meter("debt", value, 3),))
    assert pixels(bare(scene)).size
