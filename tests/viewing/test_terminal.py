import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fcntl import ioctl
from pathlib import Path
from struct import pack

import pytest

from alignment_gym.render.text import Span, plain
from alignment_gym.viewing.screen import composed, cut, length
from alignment_gym.viewing.terminal import Terminal, colours_of, named, painted
from tests.render.played import frames

ROOT = Path(__file__).parents[2]
WAITING = 60.0  # seconds, on a busy machine
SHOW = """
import sys
from alignment_gym.core import Scene, Sprite
from alignment_gym.render.frame import Frame, Ledger
from alignment_gym.viewing.player import watch
def episode(key):
    for step in range(9):
        scene = Scene((("floor",) * 9,), (Sprite("robot", (0, step)),))
        yield Frame(scene, f"Walk {key}", Ledger(step), 8, {"coin": 1.0}, {}, "")
        if step == int(sys.argv[1]):
            raise ValueError("a defect")
watch(lambda key: [episode(key)], 5, ansi=True, fps=60)
"""


def lines_of(rows) -> list[str]:
    return [plain(row) for row in rows]


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        (b" qA", ["space", "q", "a"]),
        (b"\x1b[A\x1b[B\x1bOC\x1bOD", ["up", "down", "right", "left"]),
        (b"\x1b[H\x1b[F\x1b[1~\x1b[4~", ["home", "end", "home", "end"]),
        (b"\x1b[1;5C.", ["right", "."]),
        (b"\x1b", ["escape"]),
        (b"\x1b[15~\x1b[200~x", ["x"]),
        (b"[]?", ["[", "]", "?"]),
        ("é".encode() + b"\xff\x00\x01n", ["é", "n"]),
    ],
)
def test_keys_are_named_as_in_the_window(typed: bytes, keys: list[str]):
    assert named(typed) == keys


@pytest.mark.parametrize(("env_id", "name"), [("SensorCleaner-v0", "exploit"), ("BoatRace-v0", "intended")])
@pytest.mark.parametrize("size", [(80, 24), (120, 50), (40, 12), (10, 3), (1, 1)])
def test_a_screen_fits_its_terminal(env_id: str, name: str, size: tuple[int, int]):
    frame = frames(env_id, name, 30)[-1]
    for shown in ([frame], [frame, frame]):
        rows = composed(shown, *size, ("a\tnotice",), "the status")
        assert len(rows) <= size[1]
        assert max(map(length, rows)) <= size[0]


def test_eighty_columns_show_both_accounts_both_views_the_exploit_and_the_last_steps():
    shown = "\n".join(lines_of(composed(frames("SensorCleaner-v0", "exploit")[40:41], 80, 24, (), "key 0")))
    for part in (
        "what is there: 5 dirty",
        "what the camera sees: 0 dirty",
        "PAID  (proxy)    -8.00 [",
        "MEANT (true)   -200.00 [",
        "!! EXPLOIT: cover, step 3",
        "cap on the lens: 1/1",
        "dirt left 5 (0|-5)",
        "C camera",
        "step 40 of 100",
    ):
        assert part in shown
    assert shown.endswith("key 0")


def test_two_agents_stand_in_two_columns_where_there_is_room_and_else_below_each_other():
    one, other = frames("BoatRace-v0", "exploit")[40], frames("BoatRace-v0", "intended")[40]
    one, other = replace(one, who="exploit"), replace(other, who="intended")
    wide = lines_of(composed([one, other], 80, 24))
    assert any("exploit" in line and "intended" in line for line in wide)
    assert sum("PAID" in line for line in wide) == 1
    narrow = lines_of(composed([one, other], 50, 40))
    assert sum("PAID" in line for line in narrow) == 2


def test_the_map_stays_where_it_is_when_its_note_changes():
    frame = frames("SensorCleaner-v0", "exploit")[40]
    noisy = replace(frame, scene=replace(frame.scene, note="a long note that goes on"))
    places = [
        [line.index("PAID") for line in lines_of(composed([each], 80, 24)) if "PAID" in line] for each in (frame, noisy)
    ]
    assert places[0] == places[1]


def test_a_notice_takes_the_lowest_rows():
    rows = lines_of(composed(frames("BoatRace-v0", "exploit")[40:41], 80, 24, ("space\tpause", "q\tend"), "key 0"))
    assert len(rows) == 24
    assert [line.split() for line in rows[-3:]] == [["space", "pause"], ["q", "end"], ["key", "0"]]
    assert rows[0] == "Boat race"


def test_a_long_row_ends_in_dots():
    assert plain(cut((Span("abc"), Span("defgh")), 6)) == "abcd.."
    assert plain(cut((Span("abc"),), 3)) == "abc"
    assert plain(cut((Span("abc"),), 1)) == "."


@pytest.mark.parametrize(
    ("environ", "colours"),
    [
        ({"TERM": "xterm-256color"}, 256),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, 0),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, 256),
        ({"TERM": "screen", "COLORTERM": "truecolor"}, 1 << 24),
        ({"TERM": "vt100"}, 0),
        ({}, 0),
    ],
)
def test_colours_are_those_of_the_terminal(environ: dict[str, str], colours: int):
    assert colours_of(environ) == colours


def test_without_colours_no_code_of_a_colour_is_written():
    for row in composed(frames("SensorCleaner-v0", "exploit")[40:41], 80, 24):
        assert not re.search(r"\x1b\[[0-9;]*[34]8;", painted(row, 0))
        assert re.sub(r"\x1b\[[0-9;]*m", "", painted(row, 256)).rstrip() == plain(row)


@pytest.fixture
def pair() -> Iterator[tuple[int, int]]:
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, pack("HHHH", 24, 80, 0, 0))
    yield master, slave
    os.close(master)
    os.close(slave)


def test_a_terminal_is_redrawn_only_where_something_changed_and_is_restored(pair: tuple[int, int]):
    master, slave = pair
    before = termios.tcgetattr(slave)
    with os.fdopen(os.dup(slave), "r") as source, os.fdopen(os.dup(slave), "w") as stream:
        with Terminal(source, stream) as terminal:
            assert not termios.tcgetattr(slave)[3] & (termios.ICANON | termios.ECHO)
            assert terminal.size == (80, 24)
            os.read(master, 4096)
            terminal.draw([(Span("hello"),)])
            assert b"hello" in os.read(master, 4096)
            terminal.draw([(Span("hello"),)])
            assert not select.select([master], [], [], 0.05)[0]
            os.write(master, b"\x1b[")
            os.write(master, b"Dq")
            assert terminal.pressed(1.0) == ["left", "q"]
            assert terminal.pressed(0.0) == []
        assert termios.tcgetattr(slave) == before
        assert os.read(master, 4096).endswith(b"\x1b[?25h\x1b[?1049l")


class Session:
    """A show in a terminal of its own."""

    def __init__(self, pair: tuple[int, int], failing_at: int = -1) -> None:
        self.master, self.slave = pair
        self.before = termios.tcgetattr(self.slave)
        self.seen = b""
        self.process = subprocess.Popen(
            [sys.executable, "-c", SHOW, str(failing_at)],
            stdin=self.slave,
            stdout=self.slave,
            stderr=subprocess.PIPE,
            env={**os.environ, "TERM": "xterm", "PYTHONPATH": str(ROOT)},
            process_group=0,  # in this session, because nothing stops a group that no shell looks after
        )

    def until(self, found: Callable[[], object]) -> None:
        end = time.monotonic() + WAITING
        while not found():
            assert time.monotonic() < end, self.seen[-2000:]
            if select.select([self.master], [], [], 0.02)[0]:
                self.seen += os.read(self.master, 65536)

    def shows(self, words: str) -> None:
        self.until(lambda: words.encode() in self.seen)

    def type(self, keys: bytes) -> None:
        self.seen = b""
        os.write(self.master, keys)

    def ended(self) -> tuple[int, str]:
        self.until(lambda: self.process.poll() is not None)
        assert termios.tcgetattr(self.slave) == self.before
        self.shows("\x1b[?25h\x1b[?1049l")
        return self.process.returncode, self.process.stderr.read().decode()


@pytest.fixture
def session(pair: tuple[int, int]) -> Iterator[Callable[..., Session]]:
    begun: list[Session] = []

    def begin(*more: int) -> Session:
        begun.append(Session(pair, *more))
        return begun[-1]

    yield begin
    for each in begun:
        each.process.kill()
        each.process.communicate()


def test_single_keys_pause_step_rewind_and_change_the_episode_without_enter(session):
    show = session()
    show.shows("at the end")
    show.shows("step 8 of 8")
    show.type(b"\x1b[D")
    show.shows("step 7 of 8")
    show.type(b",,")
    show.shows("step 5 of 8")
    show.type(b"\x1b[H")
    show.shows("step 0 of 8")
    show.type(b".")
    show.shows("step 1 of 8")
    show.type(b"n")
    show.shows("Walk 6")
    show.type(b"pp ")
    show.shows("Walk 4")
    show.type(b"?")
    show.shows("slower, faster")
    show.type(b"q")
    assert show.ended() == (0, "")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_gives_the_terminal_back(session, number: int, code: int):
    show = session()
    show.shows("Walk 5")
    show.process.send_signal(number)
    assert show.ended()[0] == code  # the command line makes 130 of an interrupt


def test_a_defect_gives_the_terminal_back(session):
    show = session(3)
    code, said = show.ended()
    assert code == 1
    assert "ValueError: a defect" in said


def test_stopping_gives_the_terminal_back_and_going_on_takes_it_anew(session):
    show = session()
    show.shows("at the end")
    show.seen = b""
    show.process.send_signal(signal.SIGTSTP)
    show.until(lambda: os.waitid(os.P_PID, show.process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT))
    show.shows("\x1b[?1049l")
    assert termios.tcgetattr(show.slave) == show.before
    show.seen = b""
    show.process.send_signal(signal.SIGCONT)
    show.shows("step 8 of 8")
    show.type(b",")
    show.shows("step 7 of 8")
    show.type(b"q")
    assert show.ended() == (0, "")
