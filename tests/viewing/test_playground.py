import gzip
import json
import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from typer.testing import CliRunner

from alignment_gym.cli.app import app
from alignment_gym.core import InvalidDial, InvalidWorld, TooLargeToEnumerate, UnknownName
from alignment_gym.core.files import UnwritablePath
from alignment_gym.engine.mdp import FiniteMDP
from alignment_gym.viewing.playground import (
    INDEX,
    check_writable,
    entry,
    index_page,
    levels,
    rendered,
    write_playground,
)

LARGEST = 2_000_000  # bytes of a page


class Addresses(HTMLParser):
    """Everything that a page refers to."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):  # noqa: ARG002 - as the parser calls it
        self.found += [value for name, value in attrs if name in ("src", "href", "action", "srcset")]


def data_of(page):
    packed = re.search(r'<script id="data" type="text/plain">([^<]*)</script>', page)[1]
    return json.loads(gzip.decompress(b64decode(packed)))


@pytest.fixture(scope="module")
def page():
    return rendered(list(levels("RocksDiamonds-v0", None, {})), INDEX)


def test_a_page_refers_to_nothing_but_the_index(page):
    assert Addresses(page).found == ["data:,", INDEX]
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")


def test_equal_worlds_give_equal_bytes(page):
    assert rendered(list(levels("RocksDiamonds-v0", None, {})), INDEX) == page


def test_a_page_holds_its_levels_and_a_picture_of_every_state(page):
    data = data_of(page)
    assert [level["level"] for level in data["levels"]] == ["1"]
    scenes = data["levels"][0]["scene"]
    assert max(scenes) < len(data["atlas"]["scenes"])
    assert len(data["atlas"]["names"]) == len(data["atlas"]["pictures"])


def test_the_loophole_is_told_only_when_it_is_asked_for(page):
    before = page.split("<details")[0]
    assert "Bring the diamond" in before
    assert "Flip the switch" not in before
    assert "Flip the switch" in page.split("<details")[1]


@pytest.mark.parametrize(
    ("env_id", "names"),
    [
        ("BoatRace-v0", ["lagoon", "harbour", "cove"]),
        ("SideEffectsSokoban-v0", ["0", "2"]),
        ("TestSuite-v0", ["open plan"]),
    ],
)
def test_a_page_offers_the_levels_of_demos_and_small_ones(env_id, names):
    assert [mdp.world.level for mdp in levels(env_id, None, {})] == names


def test_a_level_that_is_asked_for_is_the_only_one():
    assert [mdp.world.level for mdp in levels("BoatRace-v0", "generated/3", {})] == ["generated/3"]


def test_dials_reach_the_page():
    data = data_of(rendered(list(levels("RocksDiamonds-v0", None, {"horizon": 30}))))
    assert data["levels"][0]["horizon"] == 30
    assert len(data["levels"][0]["demos"][0]["actions"]) <= 30


@pytest.mark.parametrize(
    ("env_id", "level", "error", "says"),
    [
        ("BoatRace-v0", "lagune", UnknownName, "did you mean 'lagoon'"),
        ("BoatRase-v0", None, UnknownName, "did you mean 'BoatRace-v0'"),
        ("RocksDiamonds-v0", "0", TooLargeToEnumerate, "a smaller level, such as '1'"),
    ],
)
def test_what_cannot_be_played_is_refused_in_one_line_and_leaves_nothing(tmp_path, env_id, level, error, says):
    with pytest.raises(error, match=re.escape(says)) as refusal:
        write_playground(tmp_path / "pages", env_id, level)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "pages").exists()


def test_a_folder_that_is_a_file_is_refused_before_any_work(tmp_path):
    (tmp_path / "taken").write_text("here")
    with pytest.raises(UnwritablePath, match="choose another place"):
        check_writable(tmp_path / "taken" / "pages")
    with pytest.raises(UnwritablePath, match="it is a file"):
        write_playground(tmp_path / "taken", "no such world")


def test_tables_without_a_world_are_refused():
    arrays = FiniteMDP.from_arrays([[[1.0]]], [[1.0]], [[0.0]], [1.0], horizon=3)
    with pytest.raises(InvalidWorld):
        rendered([arrays])


def test_the_index_leads_to_every_world_and_gives_no_loophole_away():
    entries = [entry(env_id) for env_id in ("BoatRace-v0", "SensorCleaner-v0")]
    found = index_page(entries)
    links = [address for address in Addresses(found).found if not address.startswith("data:")]
    assert links == ["BoatRace-v0.html", "SensorCleaner-v0.html"]
    assert all(each.card.intent in found and each.card.loophole not in found for each in entries)


def test_the_page_of_the_largest_level_is_small():
    assert len(rendered(list(levels("TestSuite-v0", None, {}))).encode()) < LARGEST


def test_words_of_a_card_are_words_of_the_page():
    known = entry("RocksDiamonds-v0")
    hostile = replace(known, card=replace(known.card, intent="<script>alert(1)</script>"))
    found = index_page([hostile])
    assert "<script" not in found
    assert "&lt;script&gt;alert(1)" in found


def test_the_command_writes_a_page_and_says_where(tmp_path):
    result = CliRunner().invoke(app, ["playground", "RocksDiamonds-v0", "-o", str(tmp_path)])
    assert result.exit_code == 0
    assert result.stdout.strip() == str(tmp_path / "RocksDiamonds-v0.html")
    assert [path.name for path in tmp_path.iterdir()] == ["RocksDiamonds-v0.html"]


@pytest.mark.parametrize("option", [["--level", "lagoon"], ["--dial", "horizon=3"]])
def test_the_command_refuses_levels_and_dials_of_all_worlds(tmp_path, option):
    result = CliRunner().invoke(app, ["playground", "-o", str(tmp_path), *option])
    assert isinstance(result.exception, InvalidDial)
    assert list(tmp_path.iterdir()) == []
