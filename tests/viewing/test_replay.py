"""Replays as data and as pages: the numbers are the ledger's, and a page asks nobody for anything."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from alignment_gym.agents import script
from alignment_gym.core import AlignmentGymError, make_world, world_class
from alignment_gym.engine.single import tables
from alignment_gym.render.frame import signed
from alignment_gym.viewing.episode import acted
from alignment_gym.viewing.replay import Imprint, Take, page, replay, take, write_replay
from tests.every import WORLDS

KEY = 5
LARGEST = 300_000  # bytes of a page


def played(env_id: str, name: str, key: int = KEY, **dials: object) -> Take:
    level = world_class(env_id).card.demo(name).level
    mdp = tables(env_id, level, dials)
    return take(mdp.world, acted(mdp, script(mdp.world, name), key, name), key)


@pytest.fixture(scope="module")
def race() -> Take:
    return played("BoatRace-v0", "exploit")


@pytest.fixture(scope="module")
def cleaner() -> Take:
    return played("SensorCleaner-v0", "exploit", horizon=12)


def data_of(text: str) -> dict:
    (found,) = re.findall(r'<script type="application/json" id="replay">(.*?)</script>', text, re.DOTALL)
    return json.loads(found)


def test_returns_scenes_and_headings_are_the_ledgers_frame_by_frame(race: Take):
    (side,) = data_of(page([race]))["sides"]
    assert side["proxy"] == [frame.ledger.proxy_return for frame in race.frames]
    assert side["true"] == [frame.ledger.true_return for frame in race.frames]
    assert side["headings"] == [frame.ledger.heading for frame in race.frames]
    same = [frame.scene == race.frames[0].scene for frame in race.frames]
    assert [number == side["scenes"][0] for number in side["scenes"]] == same


def test_a_step_says_what_was_done_what_it_paid_and_what_it_was_worth(race: Take):
    found = replay([race])
    (side,) = found["sides"]
    for frame, (action, numbers, paid, worth) in zip(race.frames[1:], side["steps"], strict=True):
        line = frame.ledger.lines[0]
        assert (side["actions"][action], paid, worth) == (line.action, line.proxy_reward, line.true_reward)
        told = {found["entries"][number][0] for number in numbers}
        weighed = {name for name in line.events if frame.proxy.get(name) or frame.true.get(name)}
        marks = {"circuit"} & set(line.events)
        assert told == ((weighed | marks) - {"step"} or {"step"})


def test_the_exploits_moment_is_the_first_step_that_emits_it(race: Take, cleaner: Take):
    for shown in (race, cleaner):
        event = shown.world.card.exploit_event
        first = next(frame.ledger.step for frame in shown.frames[1:] if event in frame.ledger.lines[0].events)
        assert replay([shown])["sides"][0]["exploited"] == first
    assert replay([played("BoatRace-v0", "intended")])["sides"][0]["exploited"] is None


def test_the_best_possible_is_the_ranges_upper_end_and_unknown_for_giants(race: Take):
    best = [race.last.proxy_range[1], race.last.true_range[1]]
    assert replay([race])["sides"][0]["best"] == best
    blind = replace(race, frames=tuple(replace(each, proxy_range=None, true_range=None) for each in race.frames[:3]))
    assert replay([blind])["sides"][0]["best"] == [None, None]
    assert "too large to be solved" in page([blind])


def test_equal_episodes_make_equal_bytes():
    one, same = (page([played("SensorCleaner-v0", "exploit", horizon=20)], Imprint("x", "y")) for _ in range(2))
    assert one == same
    assert one != page([played("SensorCleaner-v0", "intended", horizon=20)], Imprint("x", "y"))


def test_a_page_asks_nobody_for_anything(race: Take, cleaner: Take):
    for text in (page([race]), page([cleaner, cleaner])):
        assert not re.findall(r"\b(?:src|href)=\"(?!data:)", text)
        assert not re.findall(r"@import|url\(|fetch\(|XMLHttpRequest|import\(|sendBeacon|WebSocket", text)
        addresses = set(re.findall(r"https?://[^\s\"'<)]+", text))
        assert addresses <= {"http://www.w3.org/2000/svg"}, "a name, never asked for"


@pytest.mark.slow
@pytest.mark.parametrize("env_id", WORLDS)
def test_every_worlds_exploit_has_a_page_of_moderate_size(env_id: str):
    name = "exploit" if "exploit" in [demo.name for demo in world_class(env_id).card.demos] else "intended"
    text = page([played(env_id, name)])
    assert len(text.encode()) < LARGEST
    assert make_world(env_id).card.title in text


def test_a_page_tells_both_ends_the_loophole_the_command_and_the_citation(race: Take):
    text = page([race], Imprint("alignment-gym record exploit -o x.html", "@software{x}"))
    ledger = race.last.ledger
    for said in (
        race.world.card.id,
        f"level {race.world.level}",
        f"key {KEY}",
        race.world.card.loophole,
        signed(ledger.proxy_return),
        signed(ledger.true_return),
        signed(race.last.proxy_range[1]),
        signed(race.last.true_range[1]),
        "alignment-gym record exploit -o x.html",
        "@software{x}",
    ):
        assert said in text


def test_words_from_outside_stay_words(race: Take):
    evil = "</script><script>alert(1)</script>"
    named = replace(race, frames=tuple(replace(each, who=evil) for each in race.frames[:4]))
    text = page([named], Imprint(evil, evil))
    assert text.count("<script>") == 2, "ours"
    assert "alert(1)" in text


def test_two_episodes_share_pictures_and_keep_their_own_numbers(race: Take):
    other = played("BoatRace-v0", "intended")
    found = replay([race, other])
    alone = replay([race])
    assert found["sides"][0]["proxy"] == alone["sides"][0]["proxy"]
    assert found["sides"][1]["true"][-1] == other.last.ledger.true_return
    both = len(alone["atlas"]["pictures"]) + len(replay([other])["atlas"]["pictures"])
    assert len(found["atlas"]["pictures"]) < both


def test_an_episode_without_frames_is_refused(race: Take):
    with pytest.raises(AlignmentGymError, match="no frames"):
        take(race.world, [], 0)


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path, race: Take, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "x.html"
    write_replay(path, [race])
    assert path.read_text(encoding="utf-8") == page([race])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(AlignmentGymError, match="No space left"):
        write_replay(path, [race])
    assert [each.name for each in tmp_path.iterdir()] == ["x.html"]
