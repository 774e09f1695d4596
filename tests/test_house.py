"""The house: who may import whom, what stays unloaded, and how long a file may be."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "alignment_gym"
FILES = sorted(ROOT.rglob("*.py"))
FLOORS = (
    {"core"},
    {"envs", "render", "metrics"},
    {"engine"},
    {"wrappers", "exact", "testing"},
    {"agents"},
    {"viewing", "experiments"},
    {"reports"},
    {"cli"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
LONGEST = 400  # lines
HEAVY = ("torch", "matplotlib", "pygame", "scipy", "stable_baselines3", "sb3_contrib", "typer", "rich", "pydantic")
SINKS = {"utils", "util", "common", "helpers", "misc"}


def imports(source: str, package: str) -> set[str]:
    """Return all modules that a source imports, at its top or inside of functions, by full names."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parent = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*parent, *([node.module] if node.module else [])])
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return found


def trespasses(room: str, source: str, package: str) -> list[str]:
    """Return the imports by which a room reaches one that is not below it."""
    wrong = []
    for name in imports(source, package):
        parts = name.split(".")
        if parts[0] != "alignment_gym" or len(parts) < 2 or parts[1] not in FLOOR:
            continue
        if parts[1] != room and FLOOR[parts[1]] >= FLOOR[room]:
            wrong.append(name)
    return sorted(wrong)


def printed(source: str) -> list[int]:
    """Return the lines that call print."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return parts[0] if len(parts) > 1 else ""


def package_of(path: Path) -> str:
    return ".".join(("alignment_gym", *path.relative_to(ROOT).parent.parts))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


in_rooms = pytest.mark.parametrize("path", [path for path in FILES if room_of(path)], ids=name_of)
everywhere = pytest.mark.parametrize("path", FILES, ids=name_of)


@in_rooms
def test_a_room_imports_only_rooms_below_it(path):
    assert room_of(path) in FLOOR, "a new room needs a floor in this test"
    assert trespasses(room_of(path), path.read_text(), package_of(path)) == []


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("[!_]*.py")), ids=name_of)
def test_a_world_imports_the_core_and_no_other_world(path):
    own = {name for name in imports(path.read_text(), package_of(path)) if name.startswith("alignment_gym")}
    assert {".".join(name.split(".")[:2]) for name in own} <= {"alignment_gym.core"}


@pytest.mark.parametrize(
    ("room", "source", "wrong"),
    [
        ("core", "from alignment_gym.engine import mdp", ["alignment_gym.engine", "alignment_gym.engine.mdp"]),
        ("engine", "def f():\n    import alignment_gym.exact.ties", ["alignment_gym.exact.ties"]),
        ("engine", "from alignment_gym import exact", ["alignment_gym.exact"]),
        ("exact", "from ..agents import sb3", ["alignment_gym.agents", "alignment_gym.agents.sb3"]),
        ("exact", "from alignment_gym.testing import check_world", ["alignment_gym.testing"]),
        ("exact", "from alignment_gym.engine.mdp import as_mdp\nfrom . import ties", []),
        ("engine", "from alignment_gym.render.frame import Frame\nfrom alignment_gym import __version__", []),
        ("cli", "from alignment_gym.reports import tables\nimport numpy", []),
    ],
)
def test_the_test_of_layers_tells_good_imports_from_bad(room, source, wrong):
    found = set(trespasses(room, source, f"alignment_gym.{room}"))
    assert set(wrong) <= found
    assert bool(found) == bool(wrong)


@everywhere
def test_only_the_sb3_module_imports_torch(path):
    tops = {name.split(".")[0] for name in imports(path.read_text(), package_of(path))}
    if name_of(path) != "agents/sb3.py":
        assert not tops & {"torch", "stable_baselines3", "sb3_contrib"}


@everywhere
def test_only_reports_import_matplotlib(path):
    tops = {name.split(".")[0] for name in imports(path.read_text(), package_of(path))}
    if room_of(path) != "reports":
        assert "matplotlib" not in tops


@everywhere
def test_libraries_do_not_print(path):
    if room_of(path) != "cli":
        assert printed(path.read_text()) == []


def test_the_test_of_printing_notices_a_print():
    assert printed("x = 1\nprint(x)") == [2]


@everywhere
def test_no_file_is_too_long(path):
    assert len(path.read_text().splitlines()) <= LONGEST


def test_no_module_is_a_sink():
    names = {path.stem for path in FILES} | {path.parent.name for path in FILES}
    assert not names & SINKS


def loaded(code: str) -> set[str]:
    """Run code in a fresh interpreter and return which heavy packages it has loaded."""
    tail = f"\nimport sys\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import alignment_gym", id="import"),
        pytest.param("import alignment_gym.wrappers", id="wrappers"),
        pytest.param(
            "from alignment_gym import exact\n"
            "from alignment_gym.exact import tabulate\n"
            "exact.solve('ShutdownButton-v0', horizon=5)\n"
            "table = tabulate(lambda obs: [0] * len(obs), 'ShutdownButton-v0', horizon=5)\n"
            "exact.evaluate(table, 'ShutdownButton-v0', horizon=5)",
            id="solve and evaluate",
        ),
    ],
)
def test_exact_answers_need_no_heavy_package(code):
    assert loaded(code) == set()


def test_the_test_of_loading_notices_a_package():
    assert loaded("import scipy") == {"scipy"}
