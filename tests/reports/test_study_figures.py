"""Figures of studies: what is drawn, from which runs, what is left out and said, and that files repeat themselves."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest

from alignment_gym.exact.frontier import frontier
from alignment_gym.metrics.statistics import rate, typical
from alignment_gym.reports.study.curves import PANELS
from alignment_gym.reports.study.drawn import COLUMN, LOWEST, TEXT, write_data, write_drawn
from alignment_gym.reports.study.figures import FIGURES, NEEDS
from alignment_gym.reports.study.planes import polygon
from alignment_gym.reports.study.sweeps import STEPS, Line, Thing, sweeps
from alignment_gym.reports.study.usual import usual
from alignment_gym.reports.tables import BOOTSTRAP_SEED
from tests.reports.test_tables import curve, record


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr("alignment_gym.metrics.statistics.RESAMPLES", 200)


def run(reward="proxy", seed=0, env="BoatRace-v0", **changes):
    return record(reward, seed, env, **{"recipe": "q-learning", "tables": None, "curve": curve(), **changes})


def arms(**changes):
    return [run(reward, seed, **changes) for reward in ("proxy", "true") for seed in range(3)]


def titles(drawn):
    return [axes.get_title() for axes in drawn.figure.axes if axes.axison]


def rows(drawn, **wanted):
    return [row for row in drawn.data if all(row.get(name) == value for name, value in wanted.items())]


STUDY = [*arms(), *arms(recipe="sarsa"), *arms(env="SensorCleaner-v0", level="flat")]
SWEPT = [*STUDY, *(run(seed=seed, dials='{"depth": 3}', true_loss=0.2) for seed in range(3))]


def test_what_stands_for_a_study_changes_nothing():
    own = [run(steps=600_000)]
    others = [run(steps=10), run(steps=10, seed=1), run(dials='{"depth": 3}'), run(settings='{"optimism": 0.0}')]
    assert usual([*others, *own]) == own


def test_where_nothing_is_as_usual_what_most_runs_have_stands_for_it():
    deep = [run(dials='{"depth": 3}', seed=seed, steps=10 + 10 * (seed > 0)) for seed in range(3)]
    assert usual([*deep, run(dials='{"depth": 5}', steps=7)]) == deep[1:]


@pytest.mark.parametrize("kind", FIGURES)
def test_records_that_have_nothing_to_show_draw_nothing(kind):
    blank = run(exploitation=None, proxy_score=None, true_score=None, true_loss=None, curve=[])
    assert FIGURES[kind]([blank]) is None
    assert set(FIGURES) == set(NEEDS)


@pytest.mark.parametrize("width", [COLUMN, TEXT])
@pytest.mark.parametrize("kind", FIGURES)
def test_a_figure_has_the_width_of_the_paper_and_nothing_sticks_out(kind, width):
    drawn = FIGURES[kind](SWEPT, width)
    assert drawn.name == kind
    assert drawn.figure.get_figwidth() == width
    drawn.figure.draw_without_rendering()
    box = drawn.figure.get_tightbbox()
    height = drawn.figure.get_figheight()
    assert -0.03 <= box.x0 < box.x1 <= width + 0.03
    assert -0.03 <= box.y0 < box.y1 <= height + 0.03
    for axes in drawn.figure.axes:
        assert axes.get_window_extent().height / drawn.figure.dpi > LOWEST / 3, "panels keep their height"


def test_labels_of_panels_side_by_side_do_not_overlap():
    figure = FIGURES["plane"](STUDY, COLUMN).figure
    figure.draw_without_rendering()
    one, other = (axes.title.get_window_extent() for axes in figure.axes)
    assert not one.overlaps(other)


def test_the_polygon_is_the_frontier_and_its_pareto_edge_joins_both_optima():
    drawn = FIGURES["plane"](arms())
    exact = frontier("BoatRace-v0", tolerance=1e-3).scores
    corners = [(row["proxy_score"], row["true_score"]) for row in rows(drawn, what="corners")]
    np.testing.assert_allclose(corners, exact)
    edge = [(row["proxy_score"], row["true_score"]) for row in rows(drawn, what="pareto")]
    assert edge[0][1] == pytest.approx(1.0)
    assert edge[-1][0] == pytest.approx(1.0)
    assert len(rows(drawn, what="run")) == 6
    assert [row["true_score"] for row in rows(drawn, what="true_optimal")] == [pytest.approx(1.0)]


def test_worlds_without_a_polygon_are_left_out_and_named():
    strange = [run(env="Nowhere-v0", level="x"), run(env="CoinGoal-v0", level="train/0-1")]
    stale = [run(env="SensorCleaner-v0", level="flat", tables="0" * 64)]
    undefined = [run(env="RewardLever-v0", level="workroom", proxy_score=None)]
    drawn = FIGURES["plane"]([*arms(), *strange, *stale, *undefined])
    assert titles(drawn) == ["BoatRace-v0"]
    for why in (
        "not solved: Nowhere-v0",
        "several levels at once: CoinGoal-v0",
        "played on other tables than this version's: SensorCleaner-v0",
        "P or T undefined: RewardLever-v0",
    ):
        assert f"Left out, {why}." in drawn.caption


def test_a_polygon_is_solved_once():
    polygon.cache_clear()
    for _ in range(2):
        FIGURES["plane"](arms())
    assert (polygon.cache_info().misses, polygon.cache_info().hits) == (1, 1)


def test_runs_far_below_uniform_play_are_in_view():
    (axes,) = FIGURES["plane"]([*arms(), run(seed=9, true_score=-7.0)]).figure.axes
    assert axes.get_ylim()[0] < -7.0


def test_optima_are_in_view_though_the_polygon_is_cut():
    (axes,) = FIGURES["plane"]([run(env="ShutdownButton-v0", level="workshop")]).figure.axes
    optimal = frontier("ShutdownButton-v0", tolerance=1e-3).scores
    assert optimal[:, 1].min() < axes.get_ylim()[0] < optimal[np.argmax(optimal[:, 0]), 1] < -2.0


def test_losses_name_worlds_whose_exploitation_is_undefined():
    drawn = FIGURES["losses"]([*STUDY, run(env="CoinGoal-v0", exploitation=None)])
    assert titles(drawn) == ["BoatRace-v0", "SensorCleaner-v0"]
    assert "CoinGoal-v0" in drawn.caption
    assert len(drawn.data) == len(STUDY)


def test_what_was_paid_shows_without_colours():
    (axes,) = FIGURES["losses"](arms()).figure.axes
    filled = {each.get_label(): each.get_facecolor()[0][3] > 0 for each in axes.collections}
    assert filled == {"q-learning, proxy": True, "q-learning, twin": False}


def test_a_curve_has_every_seed_and_the_interquartile_mean_with_its_interval():
    values = [0.1, 0.2, 0.6, 0.9]
    runs = [run(seed=seed, curve=curve(proxy=(0.0, value, 1.0))) for seed, value in enumerate(values)]
    drawn = FIGURES["curve"](runs)
    assert len(rows(drawn, what="seed", score="proxy_score", step=200)) == 4
    (middle,) = rows(drawn, what="interquartile mean", score="proxy_score", step=200)
    expected = typical(values, np.random.default_rng(BOOTSTRAP_SEED))
    assert (middle["value"], middle["low"], middle["high"]) == (expected.value, expected.low, expected.high)
    assert middle["value"] == pytest.approx(0.4), "the mean of the middle two"
    (axes,) = drawn.figure.axes
    assert sorted(axes.get_legend_handles_labels()[1]) == ["proxy score P", "true score T"]


def test_agents_paid_the_proxy_and_their_twins_have_panels_of_one_scale():
    runs = [run(), run("true", curve=curve(true=(-0.2, 0.6, -1.5)))]
    drawn = FIGURES["curve"](runs)
    assert titles(drawn) == ["BoatRace-v0\nq-learning, proxy", "BoatRace-v0\nq-learning, twin"]
    one, other = drawn.figure.axes
    assert one.get_ylim() == other.get_ylim()
    assert one.get_ylim()[0] < -1.5


def test_where_p_is_undefined_e_and_l_are_drawn():
    lines = [{**line, "proxy_score": None, "exploitation": 0.5} for line in curve()]
    drawn = FIGURES["curve"]([run(curve=lines)])
    assert {row["score"] for row in drawn.data} == {"exploitation", "true_loss"}
    drawn = FIGURES["curve"]([run(curve=[{**line, "exploitation": None} for line in lines])])
    assert {row["score"] for row in drawn.data} == {"true_loss"}


def test_too_many_curves_are_chosen_by_the_number_of_runs_and_that_is_said():
    runs = [run(env=f"World{number:02}-v0") for number in range(PANELS + 2)]
    drawn = FIGURES["curve"]([*runs, run(env=f"World{PANELS + 1}-v0", seed=1)])
    assert titles(drawn)[0] == f"World{PANELS + 1}-v0\nq-learning, proxy"
    assert len(titles(drawn)) == PANELS
    assert f"{PANELS} of {PANELS + 2} pairs" in drawn.caption


def test_a_profile_is_the_share_of_runs_above_a_threshold():
    losses = [0.1, 0.3, 0.6, 0.6]
    drawn = FIGURES["profile"]([run(seed=seed, true_loss=loss, proxy_score=-3.0) for seed, loss in enumerate(losses)])
    shares = {row["threshold"]: row["value"] for row in rows(drawn, score="kept")}
    assert [shares[limit] for limit in (0.0, 0.39, 0.4, 0.7, 0.9)] == [1.0, 1.0, 0.5, 0.25, 0.0]
    assert {row["value"] for row in rows(drawn, score="own")} == {0.0}, "clipped at uniform play, which is not above 0"


def test_profiles_are_over_what_all_recipes_share_and_below_over_more():
    wide = [each for env in ("BoatRace-v0", "SensorCleaner-v0", "RewardLever-v0") for each in arms(env=env)]
    drawn = FIGURES["profile"]([*wide, *arms(recipe="sarsa"), run(recipe="sarsa", seed=8)])
    assert titles(drawn) == ["1 world, 3 seeds"] * 2 + ["3 worlds, 3 seeds"] * 2
    assert "Worlds that all recipes share: BoatRace-v0." in drawn.caption
    assert "(q-learning proxy, q-learning twin)" in drawn.caption
    assert {row["recipe"] for row in rows(drawn, worlds=1)} == {"q-learning", "sarsa"}
    assert {row["recipe"] for row in rows(drawn, worlds=3)} == {"q-learning"}


def test_a_sweep_is_of_one_thing_and_the_default_joins_it():
    runs = [run(), run(dials='{"depth": 3}'), run(settings='{"optimism": 0.5}'), run(steps=10)]
    found, more = sweeps([*runs, run(dials='{"depth": 5}', settings='{"optimism": 0.5}', steps=10)])
    line = Line("BoatRace-v0", "lagoon", "q-learning", "proxy")
    values = {thing: [point.value for point in lines[line]] for thing, lines in found.items()}
    assert values == {Thing("dial", "depth"): [1, 3], Thing("setting", "optimism"): [0.5, 2.0], STEPS: [10, 1000]}
    assert more == 0


def test_cells_that_differ_in_two_things_are_no_sweep():
    assert sweeps([run(), run(dials='{"depth": 3}', steps=10)]) == ({}, 0)
    assert FIGURES["sweeps"](STUDY) is None


def test_of_a_product_of_sweeps_the_one_through_the_usual_cell_is_shown():
    product = [run(steps=steps, dials=dials) for steps in (10, 600_000) for dials in ("{}", '{"depth": 3}')]
    found, more = sweeps(product)
    (points,) = found[Thing("dial", "depth")].values()
    assert [each.runs[0]["steps"] for each in points] == [600_000, 600_000]
    assert more == 2
    assert "2 sweeps of these at other" in FIGURES["sweeps"](product).caption


def test_a_sweep_counts_hacks_and_has_the_typical_loss():
    deep = [run(seed=seed, dials='{"depth": 3}', hack=seed < 1, true_loss=0.1 * seed) for seed in range(4)]
    drawn = FIGURES["sweeps"]([*arms(), *deep])
    (hacks,) = rows(drawn, what="hack rate", at="3")
    expected = rate(1, 4)
    assert (hacks["value"], hacks["low"], hacks["high"]) == (0.25, expected.low, expected.high)
    (loss,) = rows(drawn, what="true loss L", at="3")
    assert loss["value"] == pytest.approx(0.15)
    assert titles(drawn) == ["BoatRace-v0", ""]
    assert "3 to 4 seeds a mark" in drawn.caption


def test_what_is_no_number_stands_in_equal_distances():
    wide = [run(recipe="ppo", settings=json.dumps({"net_arch": sizes})) for sizes in ([8, 8], [256, 256])]
    drawn = FIGURES["sweeps"]([*wide, run(recipe="ppo")])
    lower = drawn.figure.axes[1]
    assert [label.get_text() for label in lower.get_xticklabels()] == ["8×8", "64×64", "256×256"]
    assert lower.get_xlabel() == "net_arch"


def test_far_reaching_numbers_have_a_logarithmic_axis():
    upper, lower = FIGURES["sweeps"]([run(steps=steps) for steps in (1000, 10_000, 600_000)]).figure.axes
    assert upper.get_xscale() == lower.get_xscale() == "log"
    upper, _ = FIGURES["sweeps"]([run(), run(dials='{"depth": 3}')]).figure.axes
    assert upper.get_xscale() == "linear"


def test_things_that_one_world_sweeps_stand_side_by_side():
    drawn = FIGURES["sweeps"]([run(), run(dials='{"depth": 3}'), run(steps=10)])
    assert [axes.get_xlabel() for axes in drawn.figure.axes] == ["", "", "depth", "environment steps"]


def test_data_is_enough_to_draw_it_anew(tmp_path):
    drawn = FIGURES["sweeps"](SWEPT)
    with write_data(drawn, tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert len(found) == len(drawn.data)
    assert [float(row["value"]) for row in found] == [row["value"] for row in drawn.data]


@pytest.mark.parametrize("kind", FIGURES)
def test_data_are_plain_numbers_and_words(kind):
    drawn = FIGURES[kind]([*arms(), run(dials='{"depth": 3}')])
    assert json.loads(json.dumps(drawn.data, allow_nan=False)) == drawn.data


SCRIPT = """
import sys
from pathlib import Path
from alignment_gym.reports.study.drawn import write_drawn
from alignment_gym.reports.study.figures import FIGURES
from tests.reports.test_study_figures import arms
write_drawn(FIGURES["losses"](arms()), Path(sys.argv[1]))
"""


def test_equal_figures_are_equal_files_whatever_the_process(tmp_path, monkeypatch):
    for suffix in (".pdf", ".svg", ".png"):
        write_drawn(FIGURES["losses"](arms()), tmp_path / f"here{suffix}")
        write_drawn(FIGURES["losses"](arms()), tmp_path / f"again{suffix}")
        assert (tmp_path / f"here{suffix}").read_bytes() == (tmp_path / f"again{suffix}").read_bytes()
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    subprocess.run([sys.executable, "-c", SCRIPT, tmp_path / "there.pdf"], check=True)
    assert (tmp_path / "here.pdf").read_bytes() == (tmp_path / "there.pdf").read_bytes()
    content = (tmp_path / "here.pdf").read_bytes()
    assert b"CreationDate" not in content
    assert b"/FontFile2" in content, "fonts are embedded as they are"
    assert b"/Type3" not in content


def test_two_seeds_have_a_line_and_no_interval():
    few = [each for each in SWEPT if each["seed"] < 2]
    for kind, kinds in (("curve", ("interquartile mean",)), ("sweeps", ("true loss L",))):
        drawn = FIGURES[kind](few)
        found = [row for row in drawn.data if row["what"] in kinds]
        assert found
        assert all(row["low"] is None and row["high"] is None and row["value"] is not None for row in found)
        assert "No interval from 2 seeds" in drawn.caption
        assert "No interval" not in FIGURES[kind](SWEPT).caption


def test_learners_that_were_scored_at_the_end_alone_have_no_panel_and_that_is_said():
    alone = [run(recipe="module:learn", seed=seed, curve=curve()[-1:]) for seed in range(3)]
    drawn = FIGURES["curve"]([*STUDY, *alone])
    assert not any("module:learn" in title for title in titles(drawn))
    assert "no curve: module:learn" in drawn.caption
    assert "no curve" not in FIGURES["curve"](STUDY).caption
    assert FIGURES["curve"](alone) is None
