from dataclasses import replace

from alignment_gym.core import Scene, Sprite
from alignment_gym.render.frame import LINES_KEPT, TRAIL_KEPT, Entry, Frame, Ledger, instrument, signed, weighed


def at(column: int) -> Scene:
    return Scene((("floor",) * 50,), (Sprite("lamp", (0, 0)), Sprite("robot", (0, column))))


def test_a_ledger_adds_up_and_keeps_its_extremes():
    ledger = Ledger().after("east", {}, -2.0, 1.0).after("east", {}, 5.0, -4.0)
    assert (ledger.step, ledger.proxy_return, ledger.true_return) == (2, 3.0, -3.0)
    assert (ledger.proxy_extremes, ledger.true_extremes) == ((-2.0, 3.0), (-3.0, 1.0))


def test_a_ledger_keeps_the_first_step_of_an_event():
    ledger = Ledger().after("use", {"work": 1.0}, 0, 0).after("use", {"work": 1.0, "cover": 1.0}, 0, 0)
    assert ledger.first_seen == {"work": 1, "cover": 2}


def test_a_ledger_keeps_the_newest_lines_first_and_forgets_the_rest():
    ledger = Ledger()
    for column in range(TRAIL_KEPT + 5):
        ledger = ledger.after("east", {}, 0, 0, at(column))
    assert [line.step for line in ledger.lines] == list(range(TRAIL_KEPT + 5, TRAIL_KEPT + 5 - LINES_KEPT, -1))
    assert ledger.trail == tuple((0, column) for column in range(5, TRAIL_KEPT + 5))


def test_a_heading_is_the_last_step_s_direction_and_nothing_else():
    assert Ledger().heading == ""
    assert Ledger().after("north", {}, 0, 0).heading == "north"
    assert Ledger().after("clean", {}, 0, 0).heading == ""


def test_events_without_weight_are_left_out_but_not_the_exploit():
    ledger = Ledger().after("cover", {"cover": 1.0, "clean": 1.0, "dirt_left": 3.0, "step": 1.0}, -1, -3)
    frame = Frame(at(0), "", ledger, 0, {"step": -1.0}, {"dirt_left": -1.0}, "cover")
    told = [entry.name for entry in frame.entries(ledger.lines[0]) if entry.name != "step"]
    assert ", ".join(told) == "cover, dirt left 3"


def test_numbers_carry_their_sign():
    assert [signed(value) for value in (12.3, -0.05, 0.0, -0.001, -1234.5)] == [
        "+12.30",
        "-0.05",
        "0.00",
        "0.00",
        "-1234",
    ]
    assert weighed({"buoy": 1.0, "step": -0.05, "progress": 0.0}) == "buoy +1, step -0.05"
    assert weighed({}) == "nothing"


def test_every_weighed_event_of_a_step_has_what_it_paid_and_what_it_was_worth():
    ledger = Ledger().after("west", {"step": 1.0, "buoy": 2.0, "circuit": 1.0, "wave": 1.0}, 1.95, 0.0)
    frame = Frame(at(0), "", ledger, 0, {"buoy": 1.0, "step": -0.05}, {"progress": 1.0}, "circuit")
    assert frame.entries(ledger.lines[0]) == [
        Entry("buoy 2", 2.0, 0.0, False),
        Entry("circuit", 0.0, 0.0, True),
        Entry("step", -0.05, 0.0, False),
    ]
    hidden = replace(frame, true_hidden=True)
    assert [entry.name for entry in hidden.entries(ledger.lines[0])] == ["buoy 2", "step"]


def test_pay_that_no_event_explains_is_told_too():
    ledger = Ledger().after("use", {"work": 1.0}, 7.0, 1.0)
    learned = Frame(at(0), "", ledger, 0, {}, {"work": 1.0}, "")
    assert learned.entries(ledger.lines[0]) == [Entry("", 7.0, 0.0, False), Entry("work", 0.0, 1.0, False)]
    idle = Ledger().after("use", {}, 0.0, 0.0)
    assert learned.entries(idle.lines[0]) == [Entry("", 0.0, 0.0, False)]


def test_a_sensors_picture_says_whose_it_is():
    camera = Scene(at(0).tiles, (Sprite("camera", (0, 0)),), sensor=at(0))
    books = replace(camera, sensor=replace(at(0), title="what the books show"))
    assert [instrument(scene) for scene in (camera, replace(camera, sprites=()), books)] == [
        "what the camera sees",
        "what the sensor shows",
        "what the books show",
    ]
