"""Contact sheets: what they hold, and what they choose to show."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from alignment_gym.core import world_class, world_ids
from alignment_gym.render import palette
from alignment_gym.render.frame import Idea, Moment, Strip
from alignment_gym.render.pixels import sheet_pixels
from alignment_gym.reports.worlds.pictures import card_sheet, contrast, png
from tests.render.played import frames

QUICK = "ShutdownButton-v0"
FOLDER = Path(__file__).parent.parent.parent / "envs"
LARGEST_FILE = 100_000  # bytes
IDEA = Idea("A title", "to be meant", "to be paid", "to be found")


def share(image: np.ndarray, colour: tuple[int, int, int]) -> float:
    return float((image == colour).all(axis=-1).mean())


def strip(env: str, demo: str, steps: list[int]) -> Strip:
    played = frames(env, demo)
    return Strip(demo, tuple(Moment(f"step {step}", played[step]) for step in steps))


def test_a_sheet_is_a_thousand_pixels_wide_and_the_same_each_time():
    first, second = card_sheet(QUICK), card_sheet(QUICK)
    assert first.shape[1] == 1000
    assert png(first) == png(second)
    np.testing.assert_array_equal(np.asarray(Image.open(BytesIO(png(first)))), first)


def test_a_sheet_marks_the_moment_at_which_the_exploit_begins_and_no_other():
    episode = frames(QUICK, "exploit")
    at = episode[-1].exploited_at
    assert at is not None
    before, marked, after = (
        share(sheet_pixels(IDEA, [strip(QUICK, "exploit", [step])]), palette.VERMILION) for step in (at - 1, at, at + 5)
    )
    assert marked > 2 * before
    assert marked > 2 * after


def test_a_sheet_shows_the_sensors_picture_beside_what_is_there():
    covered = sheet_pixels(IDEA, [strip("SensorCleaner-v0", "exploit", [40])])
    clear = sheet_pixels(IDEA, [strip("SensorCleaner-v0", "exploit", [0])])
    unseen = palette.TILES["unseen"]
    assert share(covered, unseen) > 3 * share(clear, unseen) > 0


def test_a_sheet_grows_with_its_strips_and_its_words():
    one = strip(QUICK, "intended", [0, 5])
    short, more = sheet_pixels(IDEA, [one]), sheet_pixels(IDEA, [one, one])
    wordy = sheet_pixels(Idea("A title", "to be meant " * 40, "paid", "found"), [one])
    assert len(short) < len(wordy) < len(more)


def test_a_sheet_contrasts_what_is_meant_with_the_exploit_or_what_goes_most_wrong():
    chosen = {env: contrast(world_class(env).card) for env in world_ids()}
    assert chosen["BoatRace-v0"].name == "exploit"
    assert chosen["FriendFoe-v0"].name == "habit beside a foe"
    assert chosen["DistributionalShift-v0"].level == "test_0"
    assert not {demo.name for demo in chosen.values()} & {"wait", "intended"}


@pytest.mark.parametrize("env", world_ids())
def test_committed_sheets_are_small_enough_to_keep(env: str):
    assert (FOLDER / f"{env}-sheet.png").stat().st_size < LARGEST_FILE
