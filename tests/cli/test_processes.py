"""What only a process of its own can show: loaded modules, tracebacks, interrupts."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ALIGNMENT_GYM = (sys.executable, "-m", "alignment_gym")
HEAVY = ("torch", "matplotlib", "pygame", "scipy", "stable_baselines3", "numpy", "gymnasium")
PATIENCE = 60  # seconds


def in_a_process(argv: list[str], code: str) -> str:
    """Run code in a fresh interpreter that was started under other words, and return what it printed."""
    start = f"import sys\nsys.argv = {argv!r}\n"
    return subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("words", [(), ("--help",), ("train", "--help"), ("study", "run", "-h"), ("--version",)])
def test_help_loads_no_heavy_package(words):
    code = (
        "from alignment_gym.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit as done:\n    print('ended', done.code)\n"
        f"print('loaded', *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    *shown, loaded = in_a_process(["alignment-gym", *words], code).splitlines()
    assert len(shown) > 1, "it says something before it ends"
    assert loaded == "loaded"


@pytest.mark.parametrize(
    "argv",
    [
        ["mine.py", "--help"],
        ["train.py"],
        ["-c"],
        ["", "-h"],
        ["-m", "-h"],
        ["bin/alignment-gym", "list"],
        ["bin/alignment-gym", "list", "--json"],
    ],
)
def test_all_but_the_help_of_the_command_line_register_the_worlds(argv):
    code = "import alignment_gym, gymnasium\nprint('alignment_gym/BoatRace-v0' in gymnasium.registry)"
    assert in_a_process(argv, code) == "True\n"


@pytest.mark.parametrize(("words", "shown"), [((), False), (("--debug",), True)])
def test_only_debug_prints_a_traceback(words, shown):
    done = subprocess.run([*ALIGNMENT_GYM, "info", "BoatRase-v0", *words], capture_output=True, text=True, check=False)
    assert done.returncode == (1 if shown else 2)
    assert ("Traceback" in done.stderr) == shown


def test_an_interrupted_training_exits_130_and_leaves_no_result(tmp_path):
    words = ("train", "ShutdownButton-v0", "--algo", "q-learning", "--steps", "100000000", "-o", str(tmp_path))
    with subprocess.Popen(
        [*ALIGNMENT_GYM, *words], stderr=subprocess.PIPE, text=True, preexec_fn=listen_to_interrupts
    ) as process:
        try:
            waited_for(lambda: list(tmp_path.rglob("config.json")))
            time.sleep(0.5)  # into the training proper
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert not list(tmp_path.rglob("result.json"))
    assert not [path for path in tmp_path.rglob(".*") if path.is_file()], "no temporary file stays behind"


def listen_to_interrupts() -> None:
    """Undo what a shell does to jobs in the background: they inherit a deaf ear for SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def waited_for(condition) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_closed_pipe_is_no_error():
    command = f"{sys.executable} -m alignment_gym list --json | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)
    assert done.stderr == ""
