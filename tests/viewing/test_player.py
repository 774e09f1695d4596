import io

import pygame
import pytest

from alignment_gym.core import AlignmentGymError
from alignment_gym.render.window import NoDisplay, Window
from alignment_gym.viewing import player
from alignment_gym.viewing.player import SPEEDS, Playback, watch
from tests.render.played import frames


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def race(steps: int = 6):
    return frames("BoatRace-v0", "exploit", 100)[: steps + 1]


def step(playback: Playback) -> int:
    return playback.frame.ledger.step


def test_space_pauses_and_goes_on():
    playback = Playback(race())
    assert playback.playing
    playback.press("space")
    assert not playback.playing
    playback.press("space")
    assert playback.playing


@pytest.mark.parametrize("key", [".", "right"])
def test_a_single_step_goes_on_by_one_and_pauses(key: str):
    playback = Playback(race())
    playback.press(key)
    assert (step(playback), playback.playing) == (1, False)


def test_rewinding_stops_at_the_start():
    playback = Playback(race())
    for key in (".", ".", "left"):
        playback.press(key)
    assert step(playback) == 1
    for _ in range(5):
        playback.press("left")
    assert step(playback) == 0


def test_an_episode_ends_at_its_last_frame_and_starts_again():
    playback = Playback(iter(race(3)))
    while playback.forward():
        pass
    assert step(playback) == 3
    playback.press("r")
    assert (step(playback), playback.playing) == (0, True)


def test_brackets_change_the_speed_within_bounds():
    playback = Playback(race(), fps=8)
    playback.press("]")
    assert playback.fps == 15
    for _ in range(20):
        playback.press("]")
    assert playback.fps == SPEEDS[-1]
    for _ in range(20):
        playback.press("[")
    assert playback.fps == SPEEDS[0]


def test_help_is_shown_and_hidden_and_other_keys_do_nothing():
    playback = Playback(race())
    playback.press("?")
    assert playback.helping
    playback.press("h")
    assert not playback.helping
    playback.press("x")
    assert (step(playback), playback.playing) == (0, True)


def test_frames_are_played_no_further_than_watched():
    coming = iter(race())
    playback = Playback(coming)
    playback.forward()
    assert next(coming).ledger.step == 2


def test_nothing_to_watch_is_refused():
    with pytest.raises(AlignmentGymError, match="no frames"):
        Playback(())


def test_a_file_gets_one_frame_after_the_other():
    stream = io.StringIO()
    watch(race(3), ansi=True, stream=stream)
    assert stream.getvalue().count("step ") >= 4
    assert "\x1b" not in stream.getvalue()


def test_a_terminal_is_redrawn_in_place():
    stream = Terminal()
    watch(race(3), ansi=True, fps=1000, stream=stream)
    assert stream.getvalue().count(player.HOME_AND_CLEAR) == 4


def test_an_interrupt_ends_the_watching():
    def interrupted():
        yield race()[0]
        raise KeyboardInterrupt

    stream = io.StringIO()
    watch(interrupted(), ansi=True, stream=stream)
    assert "step 0" in stream.getvalue()


def test_a_window_plays_to_the_end_and_closes_with_escape(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    shown = []
    show = Window.show

    def counted(window: Window, image, fps: float) -> None:
        shown.append(image)
        if len(shown) == 8:
            pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_h, unicode="h", mod=0, scancode=0))
        if len(shown) == 12:
            pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_ESCAPE, unicode="", mod=0, scancode=0))
        show(window, image, 1000)

    monkeypatch.setattr(Window, "show", counted)
    watch(race(3))
    assert len(shown) == 12
    assert (shown[3] == shown[5]).all()
    assert (shown[3] != shown[9]).any()
    assert not pygame.display.get_init()


def test_without_a_display_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch):
    for name in ("SDL_VIDEODRIVER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(NoDisplay):
        watch(race())
