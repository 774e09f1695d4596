import io
import os

import pytest
from pygame import KEYDOWN, display, event

from alignment_gym.core import AlignmentGymError
from alignment_gym.render import window as window_module
from alignment_gym.render.pixels import MissingExtra
from alignment_gym.render.window import NoDisplay, Window
from alignment_gym.viewing import stage
from alignment_gym.viewing.player import KEYS_OF_ALL, SPEEDS, Playback, Reel, watch
from tests.render.played import frames

ESCAPE, LETTER_H = 27, 104


def race(steps: int = 6):
    return frames("BoatRace-v0", "exploit", 100)[: steps + 1]


def playback(steps: int = 6, key: int = 0, fps: int = 8) -> Playback:
    return Playback(lambda _: [race(steps)], key, fps)


def step(shown: Playback) -> int:
    return shown.frames[0].ledger.step


def pressed(shown: Playback, *keys: str) -> Playback:
    for key in keys:
        shown.press(key)
    return shown


def test_space_pauses_and_goes_on():
    shown = playback()
    assert shown.moving
    assert not pressed(shown, "space").moving
    assert pressed(shown, "space").moving


@pytest.mark.parametrize("key", [".", "right"])
def test_a_single_step_goes_on_by_one_and_pauses(key: str):
    shown = pressed(playback(), key)
    assert (step(shown), shown.moving) == (1, False)


@pytest.mark.parametrize("key", [",", "left"])
def test_rewinding_stops_at_the_start(key: str):
    shown = pressed(playback(), ".", ".", key)
    assert (step(shown), shown.moving) == (1, False)
    assert step(pressed(shown, *[key] * 5)) == 0


def test_home_and_end_jump():
    shown = pressed(playback(), "end")
    assert step(shown) == 6
    assert "at the end" in pressed(shown, "space").status or step(shown) == 6
    assert step(pressed(shown, "home")) == 0


def test_an_episode_ends_at_its_last_frame_and_starts_again():
    shown = playback(3)
    for _ in range(9):
        shown.advance()
    assert (step(shown), shown.moving) == (3, False)
    assert "at the end" in shown.status
    pressed(shown, "r")
    assert (step(shown), shown.moving) == (0, True)


def test_brackets_change_the_speed_within_bounds():
    shown = pressed(playback(fps=8), "]")
    assert shown.fps == 15
    assert pressed(shown, *["]"] * 20).fps == SPEEDS[-1]
    assert pressed(shown, *["["] * 20).fps == SPEEDS[0]


def test_next_and_previous_episodes_have_neighbouring_keys():
    asked = []

    def episodes(key: int):
        asked.append(key)
        return [race()]

    shown = pressed(Playback(episodes, 0), ".", "n")
    assert (shown.key, step(shown)) == (1, 0)
    pressed(shown, "p", "p")
    assert asked == [0, 1, 0, KEYS_OF_ALL - 1]
    assert f"key {KEYS_OF_ALL - 1}" in shown.status


def test_the_shorter_of_two_stands_still_at_its_end():
    shown = Playback(lambda _: [race(2), race(5)])
    places = []
    for _ in range(7):
        places.append(tuple(frame.ledger.step for frame in shown.frames))
        shown.advance()
    assert places[-2:] == [(2, 5), (2, 5)]
    assert not shown.moving
    assert tuple(frame.ledger.step for frame in pressed(shown, "left").frames) == (2, 4)


def test_help_is_shown_and_hidden_and_stops_the_clock():
    shown = pressed(playback(), "?")
    assert any("slower, faster" in line for line in shown.notice)
    shown.advance()
    assert step(shown) == 0
    assert pressed(shown, "h").notice == ()
    assert not shown.press("x")
    assert (step(shown), shown.moving) == (0, True)


@pytest.mark.parametrize("key", ["q", "escape"])
def test_q_and_escape_end(key: str):
    assert pressed(playback(), key).over


def test_frames_are_played_no_further_than_watched():
    coming = iter(race())
    shown = Playback(lambda _: [coming])
    shown.advance()
    assert next(coming).ledger.step == 2


def test_nothing_to_watch_is_refused():
    with pytest.raises(AlignmentGymError, match="no frames"):
        Reel(())


def written(episodes) -> str:
    stream = io.StringIO()
    watch(episodes, ansi=True, source=io.StringIO(), stream=stream)
    return stream.getvalue()


def test_a_file_gets_one_frame_after_the_other():
    shown = written(lambda _: [race(3)])
    assert [f"step {number} of" in shown for number in range(5)] == [True] * 4 + [False]
    assert "\x1b" not in shown


def test_a_file_gets_both_of_two_agents():
    shown = written(lambda _: [race(1), race(3)])
    assert [shown.count(f"step {number} of") for number in range(4)] == [2, 4, 1, 1]


def test_an_interrupt_is_passed_on():
    def interrupted(_: int):
        def coming():
            yield race()[0]
            raise KeyboardInterrupt

        return [coming()]

    with pytest.raises(KeyboardInterrupt):
        written(interrupted)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    yield
    display.quit()


def scripted(monkeypatch: pytest.MonkeyPatch, script: dict[int, int]) -> list:
    """Press keys at some drawings and listenings; return the pictures drawn."""
    drawn, heard = [], []
    draw, listen = Window.draw, Window.listen

    def drawing(window: Window, image, *more) -> None:
        drawn.append(image)
        draw(window, image, *more)

    def listening(window: Window, _: float):
        heard.append(0)
        key = script.get(len(heard))
        if key is not None:
            event.post(event.Event(KEYDOWN, key=key, unicode=chr(key), mod=0, scancode=0))
        return listen(window, 0.001)

    monkeypatch.setattr(Window, "draw", drawing)
    monkeypatch.setattr(Window, "listen", listening)
    return drawn


@pytest.mark.usefixtures("screen")
def test_a_window_plays_to_the_end_draws_only_what_changes_and_closes_with_escape(monkeypatch: pytest.MonkeyPatch):
    drawn = scripted(monkeypatch, {300: LETTER_H, 310: ESCAPE})
    watch(lambda _: [race(3)], fps=1000)
    assert 5 <= len(drawn) <= 8
    assert (drawn[0] != drawn[3]).any()
    assert not display.get_init()


@pytest.mark.usefixtures("screen")
def test_a_saved_picture_says_where_it_is_and_an_unwritable_folder_is_no_end(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    shown = pressed(playback(), ".")
    assert stage._saved(shown) == "saved boat-race-key-0-step-1.png"
    assert os.listdir(tmp_path) == ["boat-race-key-0-step-1.png"]
    (tmp_path / "boat-race-key-0-step-1.png").unlink()
    (tmp_path / "boat-race-key-0-step-1.png").mkdir()
    assert stage._saved(shown).startswith("cannot write")


def test_without_a_display_the_way_out_is_named_before_anything_is_played(monkeypatch: pytest.MonkeyPatch):
    for name in ("SDL_VIDEODRIVER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")

    def never(_: int):
        raise AssertionError("played")

    with pytest.raises(NoDisplay):
        watch(never)


def test_without_pygame_the_package_is_named(monkeypatch: pytest.MonkeyPatch):
    def missing() -> None:
        raise MissingExtra("pictures need pygame-ce")

    monkeypatch.setattr(window_module, "import_pygame", missing)
    with pytest.raises(MissingExtra, match="pygame-ce"):
        watch(lambda _: [race()])
