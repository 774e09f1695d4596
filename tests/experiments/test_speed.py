"""The speed benchmark: fair turns, honest quotients, absent peers named. Nothing here asserts a speed."""

import gc
import json
from dataclasses import replace

import numpy as np
import pytest

from alignment_gym.engine.mdp import compile_world
from alignment_gym.experiments import speed
from alignment_gym.experiments.speed import contest, questions, rendering, startup, stepping
from alignment_gym.experiments.speed.contest import Contestant, Entry, Measurement, hold, quotient
from alignment_gym.experiments.speed.findings import Finding
from alignment_gym.experiments.speed.worlds import Dice, Yard
from alignment_gym.reports.speed import finding_notes, markdown
from alignment_gym.testing import check_world
from tests.speeds import TINY, without_peers


def runner(name, clock, seconds_a_step, turns, **more):
    """Return a contestant that only moves a clock on, and notes its turns."""

    def begin():
        def run(steps):
            turns.append(name)
            clock[0] += steps * seconds_a_step
            return steps

        return run

    return Contestant(Entry(name), begin, **more)


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(contest, "perf_counter", lambda: now[0])
    return now


def test_contestants_take_turns_and_each_begins_once(clock):
    turns = []
    names = ["a", "b", "c"]
    hold([runner(name, clock, 1.0, turns, steps=1) for name in names], rounds=3, seconds=0)
    assert turns == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]


def test_a_turn_fills_its_time_and_gives_steps_a_second(clock):
    turns = []
    found = hold([runner("a", clock, 0.25, turns)], rounds=2, seconds=100.0)["a"]
    before = clock[0]
    assert found.rounds == (4.0, 4.0)
    assert before >= 200.0, "two whole turns"
    assert hold([runner("a", clock, 0.25, turns, steps=3, unit="s")], rounds=1, seconds=0.0)["a"].rounds == (0.75,)


def test_the_garbage_collector_sleeps_while_a_turn_is_timed():
    states = []

    def run(steps):
        states.append(gc.isenabled())
        return steps

    hold([Contestant(Entry("a"), lambda: run, steps=1)], rounds=1, seconds=0.0)
    assert states == [False]
    assert gc.isenabled()


def test_a_quotient_is_that_of_medians_and_its_spread_that_of_rounds():
    first = Measurement(Entry("a"), "steps/s", (10.0, 40.0, 30.0))
    second = Measurement(Entry("b"), "steps/s", (5.0, 10.0, 30.0))
    found = quotient(first, second)
    assert (found.value, found.low, found.high) == (3.0, 1.0, 4.0)


@pytest.mark.parametrize(
    ("value", "facts", "met"),
    [
        (7.0, {"goal": 7.0}, True),
        (6.9, {"goal": 7.0}, False),
        (6.9, {}, None),
        (None, {"goal": 7.0}, None),
        (3.0, {"goal": 3.0, "at_most": True}, True),
        (3.1, {"goal": 3.0, "at_most": True}, False),
        (12.0, {"goal": 10.0, "bound": True}, True),
        (9.0, {"goal": 10.0, "bound": True}, None),
    ],
)
def test_a_goal_is_met_missed_or_not_known(value, facts, met):
    assert Finding(1, "", value, **facts).met is met


def runs(recipe, *seconds):
    return [{"recipe": recipe, "seed": seed, "seconds": each} for seed, each in enumerate(seconds)]


@pytest.mark.parametrize(
    ("default", "value", "bound"),
    [((30.0, 20.0, 40.0), 15.0, False), ((30.0, None, 40.0), 20.0, False), ((30.0, None, None), 25.0, True)],
)
def test_who_does_not_arrive_counts_as_slowest_and_bounds_the_quotient(default, value, bound):
    record = [*runs("PPO recipe", 1.0, 2.0, 3.0), *runs("SB3's default PPO", *default)]
    found = questions._to_the_optimum(questions.BOAT, record, replace(TINY, optimum_cap=5_000), fastest_pace=100.0)
    assert (found.value, found.bound) == (value, bound)
    assert found.note.count("not reached") == default.count(None)


def test_no_quotient_is_made_up_where_our_own_recipe_does_not_arrive():
    record = [*runs("PPO recipe", None, None, 3.0), *runs("SB3's default PPO", 1.0, 1.0, 1.0)]
    found = questions._to_the_optimum(questions.BOAT, record, TINY, fastest_pace=100.0)
    assert (found.value, found.met) == (None, None)
    assert "did not arrive" in found.note


@pytest.mark.parametrize(("rows", "columns", "charges"), [(2, 1, 3), (2, 5, 5), (5, 10, 10), (3, 4, 63)])
def test_a_yard_has_as_many_states_as_its_dials_multiply_to(rows, columns, charges):
    mdp = compile_world(Yard(rows=rows, columns=columns, charges=charges))
    assert mdp.state_count == rows * columns * charges
    assert mdp.transition_count == 4 * mdp.state_count


def test_the_full_budgets_large_yard_has_50_000_states():
    rows, columns, charges = speed.FULL.large
    assert rows * columns * charges == 50_000
    assert Yard(rows=rows, columns=columns, charges=charges), "its dials are in range"


@pytest.mark.parametrize("sides", [1, 4, 32])
def test_dice_have_as_many_outcomes_as_sides(sides):
    mdp = compile_world(Dice(sides=sides))
    assert (np.diff(mdp.offset) == sides).all()
    assert stepping.widest(mdp) == sides


@pytest.mark.parametrize("world", [Yard(rows=4, columns=3, charges=4), Dice()], ids=["yard", "dice"])
def test_the_worlds_of_the_benchmark_keep_to_the_contract(world):
    check_world(world)


def test_absent_peers_are_named_and_present_ones_measured(monkeypatch):
    without_peers(monkeypatch, stepping.SAFETY_GRIDWORLD)
    part = questions.singles(TINY)
    assert part.absent == ["MiniGrid: not installed"]
    assert {each.entry.world for each in part.measurements} == {
        *questions.GOALS,
        stepping.CARTPOLE,
        stepping.FROZEN_LAKE,
        stepping.SAFETY_GRIDWORLD,
    }
    assert all(each.median > 0 for each in part.measurements)


def test_every_batch_says_what_it_is():
    found = questions.own_loop(TINY).measurements
    assert {each.entry.infos for each in found} == {stepping.FULL_INFOS, stepping.HIDDEN}
    for each in found:
        assert (each.entry.lanes, each.entry.autoreset) == (3, "next step")
        assert each.entry.level
        assert each.entry.outcomes == (1 if each.entry.world == questions.BOAT else 32)


def test_batches_are_compared_at_every_number_of_lanes():
    found = questions.batches(TINY).findings
    assert len(found) == len(questions.GOALS) * len(TINY.lanes) * 3
    assert {finding.question for finding in found} == {2, 3}
    apart = [finding for finding in found if "out of step" in finding.what]
    assert len(apart) == len(questions.GOALS) * len(TINY.lanes)
    assert all(finding.goal is None for finding in apart)


def test_lanes_out_of_step_end_at_every_step():
    envs = []
    make_vec = stepping.gym.make_vec
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stepping.gym, "make_vec", lambda *args, **more: envs.append(make_vec(*args, **more)) or envs[-1])
        stepping.out_of_step(questions.BOAT, 202).begin()
    ended = [envs[0].step(envs[0].action_space.sample())[3].sum() for _ in range(150)]
    assert min(ended) >= 1


def test_pictures_are_drawn_of_every_world_and_the_slowest_is_told(monkeypatch):
    some = ("BoatRace-v0", "SensorCleaner-v0")
    monkeypatch.setattr(questions, "world_ids", lambda: some)
    part = questions.pictures(TINY)
    assert [each.entry.world for each in part.measurements] == [*some, stepping.CARTPOLE]
    assert {each.unit for each in part.measurements} == {"ms/frame"}
    first, against = part.findings
    assert first.value == max(each.median for each in part.measurements[:-1])
    assert (first.goal, first.at_most, first.unit) == (1.0, True, "ms/frame")
    assert against.value == pytest.approx(first.value / part.measurements[-1].median)


def test_recordings_are_timed_and_weighed_and_the_worst_of_each_is_told(monkeypatch):
    monkeypatch.setattr(questions, "world_ids", lambda: ("BoatRace-v0", "SensorCleaner-v0"))
    monkeypatch.setattr(rendering, "RECORDED", 3)
    part = questions.recordings(TINY)
    slowest, largest = part.findings
    assert slowest.value == max(each.median for each in part.measurements)
    assert (slowest.goal, slowest.at_most, slowest.unit) == (2.0, True, "s")
    assert 0.001 < largest.value < 0.1
    assert (largest.goal, largest.at_most, largest.unit) == (1.0, True, "MB")


@pytest.mark.parametrize("env_id", ["BoatRace-v0", "SensorCleaner-v0"])
def test_timed_frames_are_of_real_episodes_and_about_as_high_as_said(env_id):
    frames = rendering.played(env_id, 120)
    assert len(frames) == 120
    assert [frame.ledger.step for frame in frames[:3]] == [0, 1, 2]
    assert sum(frame.ledger.step == 0 for frame in frames) == 2, "a second episode has begun"
    height = len(rendering.pixels(frames[0], tile=rendering.tile_for(frames[0])))
    assert abs(height - rendering.HEIGHT) <= 12


def test_solving_is_timed_afresh_every_time(monkeypatch):
    solved = []
    monkeypatch.setattr(questions.exact, "solve", solved.append)
    run = questions._solving(Yard(rows=2, columns=2, charges=2)).begin()
    run(3)
    assert len({id(mdp) for mdp in solved}) == 3


def test_curves_have_a_point_a_lane_a_size_and_a_number_of_outcomes():
    found = [(name, x) for name, x, _ in questions.curves(TINY)]
    assert [x for name, x in found if name == "lanes: BoatRace-v0"] == [1.0, 4.0]
    assert [x for name, x in found if name == "states: Yard-v0"] == [50.0, 100.0]
    assert [x for name, x in found if name == "outcomes: Dice-v0"] == [1.0, 4.0]


def test_the_look_at_heavy_packages_notices_one(monkeypatch):
    assert startup.heavy_packages_of_help() == []
    monkeypatch.setattr(startup, "HELP", ("-c", "import scipy"))
    assert startup.heavy_packages_of_help() == ["scipy"]


def test_the_page_has_every_finding_and_says_what_was_left_out(monkeypatch):
    without_peers(monkeypatch)
    monkeypatch.setattr(speed, "QUESTIONS", {"single environments": questions.singles})
    record = speed.benchmark(TINY)
    left_out = questions._to_the_optimum(questions.BOAT, [], TINY, 1.0)
    record["findings"].append(left_out.as_dict())
    page = markdown(record)
    assert all(finding["what"] in page for finding in record["findings"])
    assert finding_notes(record) == [f"7: {left_out.note}"]
    assert "not measured" in page


@pytest.mark.slow
def test_everything_that_trains_is_measured(monkeypatch):
    without_peers(monkeypatch)
    told = []
    record = speed.benchmark(replace(TINY, optimum_seeds=(1000,), optimum_cap=2_048), told.append)
    assert told == speed.parts()
    assert {finding["question"] for finding in record["findings"]} == set(range(1, 13))
    shares = [finding["value"] for finding in record["findings"] if finding["question"] == 5]
    assert all(0.0 < share < 100.0 for share in shares)
    assert [run["seed"] for run in record["runs"]] == [1000] * 2 * len(questions.GOALS)
    default = record["runs"][1]
    assert (default["reached"], default["seconds"]) == (False, None), "nobody learns the race in one rollout"
    json.dumps(record, allow_nan=False)
