from dataclasses import replace

import pytest

from alignment_gym.core import Scene, Sprite
from alignment_gym.render.frame import Frame, Ledger
from alignment_gym.render.shapes import LETTERS
from alignment_gym.render.text import grid, lettering, text
from tests.every import DEMOS
from tests.render.played import frames


@pytest.mark.parametrize(("env_id", "name"), DEMOS)
def test_text_shows_both_returns_the_step_and_every_row(env_id: str, name: str):
    frame = frames(env_id, name, 30)[-1]
    shown = text(frame)
    assert f"{frame.ledger.proxy_return:+.2f}".replace("+0.00", "0.00") in shown
    assert f"{frame.ledger.true_return:+.2f}".replace("+0.00", "0.00").replace("-0.00", "0.00") in shown
    assert f"step {frame.ledger.step} of {frame.horizon}" in shown
    assert "\x1b" not in shown
    assert len(grid(frame.scene)) == frame.scene.shape[0]


def test_text_marks_the_exploit():
    episode = frames("BoatRace-v0", "exploit")
    assert "EXPLOIT: circuit" in text(episode[-1])
    assert "EXPLOIT" not in text(frames("BoatRace-v0", "intended")[-1])
    assert "EXPLOIT" not in text(replace(episode[-1], true_hidden=True))


def test_text_shows_what_the_camera_sees():
    shown = text(frames("SensorCleaner-v0", "exploit")[40])
    assert "what is there: 5 dirty" in shown
    assert "what the camera sees: 0 dirty" in shown
    assert "????" in shown


def test_a_hidden_true_account_stays_hidden_in_text():
    frame = frames("SensorCleaner-v0", "exploit")[40]
    assert "-200.00" in text(frame)
    assert "-200.00" not in text(replace(frame, true_hidden=True))


def test_without_a_panel_the_accounts_are_left_out():
    frame = frames("BoatRace-v0", "exploit")[10]
    assert "PAID" in text(frame)
    assert "PAID" not in text(frame, panel=False)


def test_faded_things_are_small_letters():
    scene = Scene((("floor", "floor"),), (Sprite("buoy", (0, 0), faded=True), Sprite("boat", (0, 1))))
    assert grid(scene) == ["  oB"]


def test_unknown_kinds_get_letters_of_their_own():
    kinds = ("boat", "bear", "bee", "tomato")
    scene = Scene((("swamp",) * 4,), tuple(Sprite(kind, (0, place)) for place, kind in enumerate(kinds)))
    letters = lettering(scene)
    assert letters["boat"] == "B"
    assert len(set(letters.values())) == len(letters) == 5


def test_kinds_that_share_a_letter_differ_in_one_scene(monkeypatch):
    monkeypatch.setitem(LETTERS, "barge", "B")
    letters = lettering(Scene((("water",) * 2,), (Sprite("barge", (0, 0)), Sprite("boat", (0, 1)))))
    assert letters == {"barge": "B", "boat": "O"}


def test_an_empty_scene_can_be_written():
    assert "." in text(Frame(Scene((("floor",),)), "", Ledger(), 0, {}, {}, ""))
