"""`record` from the command line: pages and animations, and refusals that leave nothing behind."""

import re
from pathlib import Path

import pytest
from PIL import Image

from alignment_gym.agents import save_policy, untrained
from alignment_gym.core import make_world
from alignment_gym.engine.mdp import compiled
from tests.cli.conftest import call as call

QUICK = ("--env", "ShutdownButton-v0", "--dial", "horizon=4")


def files() -> list[str]:
    return sorted(each.name for each in Path().iterdir())


def test_a_page_is_recorded_and_says_how_to_make_it_again(call):
    said = call("record", "uniform", *QUICK, "--key", 7, "-o", "x.html")
    assert (said.code, said.out.strip(), files()) == (0, "x.html", ["x.html"])
    first = Path("x.html").read_text(encoding="utf-8")
    command = re.findall(r"<code>alignment-gym (record [^<]*)</code>", first)[0]
    assert command == "record uniform --env ShutdownButton-v0 --dial horizon=4 --key 7 -o x.html"
    Path("x.html").unlink()
    assert call(*command.split()).code == 0
    assert Path("x.html").read_text(encoding="utf-8") == first
    assert "@software{alignment_gym" in first


def test_no_path_of_this_machine_stands_in_a_page(call, tmp_path):
    mdp = compiled(make_world("ShutdownButton-v0", horizon=4))
    save_policy(tmp_path / "mine.npz", untrained(mdp, "uniform"), {"horizon": 4})
    assert call("record", tmp_path / "mine.npz", "-o", tmp_path / "x.html").code == 0
    page = Path("x.html").read_text(encoding="utf-8")
    assert str(tmp_path) not in page
    assert "record mine.npz --key 0 -o x.html" in page


@pytest.mark.parametrize("name", ["x.webp", "x.gif", "x.html"])
def test_the_same_command_makes_the_same_bytes_and_another_key_others(call, name):
    made = []
    for key in (3, 3, 4):
        assert (
            call("record", "uniform", "--env", "SensorCleaner-v0", "--dial", "horizon=6", "--key", key, "-o", name).code
            == 0
        )
        made.append(Path(name).read_bytes())
    assert made[0] == made[1] != made[2]


def test_beside_has_the_level_and_dials_of_the_first(call):
    mdp = compiled(make_world("SensorCleaner-v0", level="closet", horizon=5))
    save_policy(Path("mine.npz"), untrained(mdp, "uniform"), {"horizon": 5})
    assert call("record", "mine.npz", "--beside", "true-optimal", "-o", "x.html").code == 0
    page = Path("x.html").read_text(encoding="utf-8")
    assert "level closet" in page
    assert page.count('<section class="side"') == 2
    assert len(set(re.findall(r'<td class="number">(\d+)</td>', page))) == 1, "both last as long"


def test_without_a_panel_and_with_small_tiles_pictures_are_smaller(call):
    sizes = []
    for more in ((), ("--no-panel",), ("--tile", 20)):
        assert call("record", "uniform", *QUICK, *more, "-o", "x.webp").code == 0
        with Image.open("x.webp") as image:
            sizes.append(image.size)
    assert sizes[0][0] > sizes[1][0]
    assert sizes[0][1] > sizes[2][1]


@pytest.mark.parametrize("suffix", ["webp", "html"])
@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "no complete policy"), (b"PK\x03\x04 half of it", "no complete policy"), (None, "SensorCleaner-v0")],
    ids=["empty", "torn", "of another world"],
)
def test_a_policy_that_cannot_act_is_refused_in_a_line(call, content, told, suffix):
    if content is None:
        save_policy(Path("p.npz"), untrained(compiled(make_world("SensorCleaner-v0", horizon=3)), "uniform"))
    else:
        Path("p.npz").write_bytes(content)
    said = call("record", "p.npz", "--env", "ShutdownButton-v0", "-o", f"x.{suffix}")
    assert (said.code, said.out) == (1, "")
    assert told in said.err
    assert said.err.count("\n") == 1
    assert files() == ["p.npz"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("x.htm", "did you mean x.html?"),
        ("x.wepb", "did you mean x.webp?"),
        ("x", "no suffix"),
        ("nowhere/x.html", "there is no directory 'nowhere'"),
        ("file/x.html", "there is no directory 'file'"),
    ],
)
def test_a_place_or_kind_that_will_not_do_is_refused_before_anything_is_solved(call, monkeypatch, name, told):
    def never(*_: object) -> None:
        raise AssertionError("solved")

    monkeypatch.setattr("alignment_gym.experiments.actors.find_actor", never)
    Path("file").touch()
    said = call("record", "uniform", *QUICK, "-o", name)
    assert said.code == 1
    assert told in said.err
    assert said.err.count("\n") == 1
    assert files() == ["file"]
