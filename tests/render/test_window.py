import numpy as np
import pygame
import pytest

from alignment_gym.core import AlignmentGymError
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.render import window as window_module
from alignment_gym.render.window import NoDisplay, Window

IMAGE = np.full((40, 60, 3), 200, dtype=np.uint8)
FAST = 1000  # frames a second


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    yield
    pygame.display.quit()


def key(number: int, typed: str = "") -> None:
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=number, unicode=typed, mod=0, scancode=0))


@pytest.mark.usefixtures("screen")
def test_a_window_shows_a_picture_and_tells_the_keys():
    window = Window("A title")
    window.show(IMAGE, FAST)
    assert pygame.display.get_surface().get_size() == (60, 40)
    assert tuple(pygame.display.get_surface().get_at((30, 20)))[:3] == (200, 200, 200)
    key(pygame.K_SPACE, " ")
    key(pygame.K_LEFTBRACKET, "[")
    key(pygame.K_LEFT)
    window.show(IMAGE, FAST)
    assert window.pressed() == ["space", "[", "left"]
    assert window.pressed() == []
    window.close()


@pytest.mark.usefixtures("screen")
@pytest.mark.parametrize("how", ["button", "escape"])
def test_a_window_is_closed_by_its_button_and_by_escape(how: str):
    window = Window("A title")
    window.show(IMAGE, FAST)
    assert not window.closed
    if how == "button":
        pygame.event.post(pygame.event.Event(pygame.QUIT))
    else:
        key(pygame.K_ESCAPE)
    window.show(IMAGE, FAST)
    assert window.closed
    window.show(IMAGE, FAST)
    window.close()


@pytest.mark.usefixtures("screen")
def test_a_closed_window_stays_closed():
    window = Window("A title")
    window.close()
    window.show(IMAGE, FAST)
    assert not pygame.display.get_init()


def test_without_a_display_a_window_says_what_to_do(monkeypatch: pytest.MonkeyPatch):
    for name in ("SDL_VIDEODRIVER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(window_module.sys, "platform", "linux")
    with pytest.raises(NoDisplay, match="--ansi") as refusal:
        Window("A title")
    assert isinstance(refusal.value, AlignmentGymError)
    assert "alignment-gym record" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_driver_that_does_not_work_is_no_traceback_of_sdl(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "no such driver")
    with pytest.raises(NoDisplay, match="--ansi"):
        Window("A title")


@pytest.mark.usefixtures("screen")
def test_an_environment_shows_itself_to_a_person():
    env = AlignmentEnv("BoatRace-v0", render_mode="human")
    env.metadata = env.metadata | {"render_fps": FAST}
    env.reset(seed=0)
    env.step(0)
    assert pygame.display.get_init()
    env.close()
    assert not pygame.display.get_init()
