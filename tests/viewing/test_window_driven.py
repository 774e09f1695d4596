"""`watch` and `play` in windows on a virtual screen, by real keys; run by `make test-window`.

Pictures of the screen are written to the folder that `SCREENSHOTS` names, to be looked at.
"""

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.window

WAITING = 60.0  # seconds, on a busy machine
ROOT = Path(__file__).parents[2]
SCREEN_SIZE = "1280x800x24"


class Screen:
    """A virtual screen without a window manager."""

    def __init__(self, display: str) -> None:
        self.display = display
        self.environ = {**os.environ, "DISPLAY": display, "PYTHONPATH": str(ROOT), "SDL_VIDEODRIVER": "x11"}

    def do(self, *words: str) -> str:
        done = subprocess.run(
            ["xdotool", *words], env=self.environ, capture_output=True, text=True, timeout=WAITING, check=False
        )
        return done.stdout.strip()

    def photograph(self, name: str) -> None:
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            path = Path(folder) / f"window-{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["import", "-window", "root", path], env=self.environ, timeout=WAITING, check=True)


class Program:
    """A command with a window of its own."""

    def __init__(self, screen: Screen, folder: Path, *words: str) -> None:
        self.screen = screen
        self.process = subprocess.Popen(
            [sys.executable, "-m", "alignment_gym", *words],
            env=screen.environ,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.window = ""

    def opened(self) -> "Program":
        self.window = str(until(self._found, lambda: f"no window; exit code {self.process.poll()}"))
        self.screen.do("windowfocus", "--sync", self.window)
        return self

    def _found(self) -> str:
        found = self.screen.do("search", "--onlyvisible", "--pid", str(self.process.pid)).split()
        return next((each for each in found if ", step " in self.screen.do("getwindowname", each)), "")

    @property
    def title(self) -> str:
        return self.screen.do("getwindowname", self.window)

    @property
    def step(self) -> int:
        return self._number("step")

    @property
    def key(self) -> int:
        return self._number("key")

    def _number(self, what: str) -> int:
        found = re.search(rf"{what} (\d+)", self.title)
        return int(found[1]) if found else -1

    def press(self, *keys: str) -> None:
        for key in keys:
            self.screen.do("key", key)

    def shows(self, step: int, key: int | None = None) -> None:
        until(lambda: self.step == step and key in (None, self.key), lambda: f"{self.title}, not {step}")

    def click_close(self) -> None:
        close(self.screen.display, int(self.window))

    def ended(self) -> tuple[int, str]:
        """Wait for the end; return the exit code and what was said on stderr, once nothing is left behind."""
        _, said = self.process.communicate(timeout=WAITING)
        with pytest.raises(ProcessLookupError):
            os.killpg(self.process.pid, 0)
        return self.process.returncode, said

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()


def until(found: Callable[[], object], said: Callable[[], str] = str) -> object:
    end = time.monotonic() + WAITING
    while not (what := found()):
        assert time.monotonic() < end, said()
        time.sleep(0.05)
    return what


class Message(ctypes.Structure):
    """XClientMessageEvent, padded to the size of XEvent."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("rest", ctypes.c_long * 24),
    )


def close(display: str, window: int) -> None:
    """Send what a window manager sends when the close button is clicked."""
    x = ctypes.CDLL("libX11.so.6")
    x.XOpenDisplay.restype = ctypes.c_void_p
    x.XInternAtom.restype = ctypes.c_ulong
    opened = ctypes.c_void_p(x.XOpenDisplay(display.encode()))
    protocols, delete = (x.XInternAtom(opened, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
    message = Message(type=33, window=window, message_type=protocols, format=32)
    message.data[0] = delete
    x.XSendEvent(opened, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(message))
    x.XCloseDisplay(opened)


@pytest.fixture(scope="module")
def screen() -> Iterator[Screen]:
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", SCREEN_SIZE, "-noreset"],
        pass_fds=(writing,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as file:
            yield Screen(f":{file.readline().strip()}")
    finally:
        server.terminate()
        server.wait(timeout=WAITING)


@pytest.fixture
def start(screen: Screen, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    begun: list[Program] = []

    def begin(*words: str) -> Program:
        begun.append(Program(screen, tmp_path, *words))
        return begun[-1]

    yield begin
    for program in begun:
        program.kill()


def race(*more: str) -> tuple[str, ...]:
    return ("watch", "exploit", "--env", "BoatRace-v0", "--dial", "horizon=40", *more)


def test_a_watcher_pauses_steps_rewinds_and_goes_to_the_next_episode(start, screen, tmp_path):
    program = start(*race("--key", "7", "--fps", "1")).opened()
    assert program.key == 7
    program.press("period", "Home")
    program.shows(0)
    program.press("period", "period", "Right")
    program.shows(3)
    program.press("comma", "Left")
    program.shows(1)
    program.press("End")
    program.shows(40)
    screen.photograph("end")
    program.press("Home")
    program.shows(0)
    program.press("n", "period")
    program.shows(1, key=8)
    program.press("p", "p", "period", "period")
    program.shows(2, key=6)
    program.press("s")
    until(lambda: [path.name for path in tmp_path.iterdir()] == ["boat-race-key-6-step-2.png"])
    screen.photograph("saved")
    program.press("question")
    time.sleep(0.5)
    screen.photograph("help")
    program.press("Escape")
    assert program.ended() == (0, "")


def test_a_held_key_runs_the_episode_backwards(start, screen):
    program = start(*race("--fps", "1")).opened()
    program.press("End")
    program.shows(40)
    screen.do("keydown", "Left")
    until(lambda: program.step <= 20)
    screen.do("keyup", "Left")
    program.press("q")
    assert program.ended() == (0, "")


def test_two_agents_are_watched_under_one_clock(start, screen):
    words = ("watch", "exploit", "--beside", "intended", "--env", "SensorCleaner-v0", "--fps", "30")
    program = start(*words).opened()
    until(lambda: program.step >= 12)
    program.press("space")
    time.sleep(0.5)
    screen.photograph("beside")
    program.press("Escape")
    assert program.ended() == (0, "")


@pytest.mark.parametrize("size", [(1240, 760), (420, 330), (300, 640), (150, 120), (1, 1)])
def test_a_resized_window_is_drawn_anew(start, screen, size):
    program = start(*race("--fps", "4")).opened()
    screen.do("windowsize", program.window, *map(str, size))
    before = program.step
    until(lambda: program.step > before + 1)
    screen.photograph(f"{size[0]}x{size[1]}")
    program.click_close()
    assert program.ended() == (0, "")


@pytest.mark.parametrize("when", ["at once", "stopped", "reading the keys", "running backwards", "at the end"])
def test_a_window_is_closed_at_any_moment(start, screen, when):
    program = start(*race()).opened()
    keys = {"stopped": ["space"], "reading the keys": ["question"], "at the end": ["End"]}
    program.press(*keys.get(when, []))
    if when == "running backwards":
        program.press("End")
        screen.do("keydown", "Left")
    program.click_close()
    ended = program.ended()
    screen.do("keyup", "Left")
    assert ended == (0, "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("helping", [False, True])
def test_a_signal_ends_it_at_once_and_without_a_traceback(start, number, code, helping):
    program = start(*race("--fps", "1")).opened()
    if helping:
        program.press("question")
    program.process.send_signal(number)
    found, said = program.ended()
    assert (found, "Traceback" in said) == (code, False)


def test_a_person_plays_beside_an_agent_to_the_end_and_again(start, screen):
    program = start("play", "BoatRace-v0", "--dial", "horizon=6", "--policy", "exploit", "--key", "3").opened()
    screen.photograph("play-keys")
    program.press("Up", "w", "d")
    program.shows(3, key=3)
    screen.photograph("play")
    program.press("w", "w", "w")
    program.shows(6)
    time.sleep(0.5)
    screen.photograph("play-end")
    program.press("comma", "comma")
    program.shows(4)
    program.press("r")
    program.shows(0, key=3)
    program.press("n")
    program.shows(0, key=4)
    program.press("Escape")
    program.process.wait(WAITING)
    assert "--key 4" in program.process.stdout.read()
    assert program.process.returncode == 0
