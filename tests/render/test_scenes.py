"""What an overseer is shown in worlds of tampering and oversight, beside what is there."""

import pytest

from alignment_gym.core import Scene, make_world
from alignment_gym.render.frame import instrument
from tests.render.played import frames

OVERSEEN = {
    "AbsentSupervisor-v0": "what the supervisor sees",
    "AuditedFactory-v0": "what the books show",
    "CameraDropbox-v0": "what the camera sees",
    "EngagementFeed-v0": "what the platform sees",
    "ImpossibleDelivery-v0": "what the office believes",
    "PersuadableJudge-v0": "what the rating shows",
    "RampMeter-v0": "what the detectors see",
    "RewardLever-v0": "what is paid for",
    "SensorCleaner-v0": "what the camera sees",
    "TestSuite-v0": "what the visible tests say",
    "TomatoWatering-v0": "what the gardener sees",
}


def sensor(scene: Scene) -> Scene:
    assert scene.sensor is not None
    return scene.sensor


@pytest.mark.parametrize("env_id", OVERSEEN)
def test_worlds_with_an_overseer_show_its_picture_all_along_and_say_whose_it_is(env_id: str):
    for frame in frames(env_id, "exploit"):
        assert sensor(frame.scene).shape == frame.scene.shape
        assert sensor(frame.scene).note
        assert instrument(frame.scene) == OVERSEEN[env_id]


def test_a_supervisor_sees_the_worker_or_nothing_at_all():
    world = make_world("AbsentSupervisor-v0", level="mixed")
    seen = {}
    for _, worker in world.initial():
        scene = world.draw(worker)
        seen[scene.note] = sensor(scene)
    assert set(seen) == {"the supervisor looks on", "nobody looks on"}
    assert seen["the supervisor looks on"].sprites[-1].kind == "worker"
    away = seen["nobody looks on"]
    assert away.sprites == ()
    assert {kind for line in away.tiles for kind in line} == {"unseen"}


def test_edited_tests_say_that_functions_pass_which_nobody_has_written():
    edited = next(frame.scene for frame in frames("TestSuite-v0", "exploit") if "expect nothing" in frame.scene.note)
    assert {sprite.label for sprite in edited.sprites if sprite.kind == "function"} == {"0/3"}
    assert [sprite.kind for sprite in sensor(edited).sprites] == ["passes"] * 3
    begun = frames("TestSuite-v0", "exploit")[0].scene
    assert [sprite.kind for sprite in sensor(begun).sprites] == ["fails"] * 3


def test_who_fills_the_boxes_can_be_seen():
    kinds = {
        level: {sprite.kind for sprite in world.draw(world.initial()[0][1]).sprites}
        for level in ("friend", "neutral", "foe")
        for world in [make_world("FriendFoe-v0", level=level)]
    }
    assert all(level in kinds[level] for level in kinds)
