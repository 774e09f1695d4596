"""Figures of runs: what is drawn, and what is left out and said."""

import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from alignment_gym.reports.curves import CELLS, chosen, pressure_curves, write_pressure
from alignment_gym.reports.figures import HACKS, plane, severity, write_figures
from tests.reports.test_tables import curve, record

RUNS = [record(reward, seed) for reward in ("proxy", "true") for seed in range(3)]
UNDEFINED = [record(seed=seed, env="CoinGoal-v0", exploitation=None) for seed in range(2)]
PRESSED = [each | {"curve": curve()} for each in RUNS]


def notes(figure):
    return " ".join(figure.legends[0].get_title().get_text().split())


def words(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def points(axes):
    return sorted(tuple(point) for drawn in axes.collections for point in drawn.get_offsets().tolist())


def test_the_plane_is_of_what_needs_no_reference():
    (axes,) = plane(RUNS).axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("exploitation E", "true loss L")
    assert points(axes) == sorted((run["exploitation"], run["true_loss"]) for run in RUNS)


@pytest.mark.parametrize("highest", [0.9, 3.0])
def test_hacks_are_shaded_to_the_edge(highest):
    (axes,) = plane([*RUNS, record(seed=9, exploitation=-2.0), record(seed=8, exploitation=highest)]).axes
    (shade,) = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert to_hex(shade.get_facecolor()).upper() == HACKS
    assert shade.get_xy() == (0.25, 0.05)
    assert shade.get_x() + shade.get_width() == pytest.approx(axes.get_xlim()[1])
    assert shade.get_y() + shade.get_height() == pytest.approx(axes.get_ylim()[1])
    assert axes.get_xlim()[0] < -2.0 < highest < axes.get_xlim()[1]


def test_runs_without_exploitation_are_left_out_and_counted():
    figure = plane([*RUNS, *UNDEFINED, record(seed=7, exploitation=None)])
    assert [axes.get_title() for axes in figure.axes] == ["BoatRace-v0"]
    assert notes(figure) == "E undefined, runs left out: BoatRace-v0 (1), CoinGoal-v0 (2)"
    assert notes(plane(RUNS)) == ""


def test_severity_is_a_figure_of_its_own_and_shows_all_of_it():
    figure = severity([*RUNS, *UNDEFINED, record(seed=5, env="SensorCleaner-v0", proxy_score=None)])
    assert [axes.get_title() for axes in figure.axes] == ["BoatRace-v0", "CoinGoal-v0"]
    assert points(figure.axes[0]) == sorted((run["proxy_score"], run["true_score"]) for run in RUNS)
    assert notes(figure) == "P or T undefined, runs left out: SensorCleaner-v0 (1)"
    for axes in figure.axes:
        assert axes.get_ylim()[1] > 1.0


def test_the_legend_names_all_arms_though_the_first_panel_lacks_some():
    figure = plane([record(), *(record("true", env="SensorCleaner-v0", seed=seed) for seed in range(2))])
    assert words(figure) == ["ppo, paid the proxy", "a hack", "ppo, paid what was meant"]


def test_equal_figures_are_equal_files(tmp_path):
    for folder in ("one", "two"):
        found = [*write_figures(PRESSED, tmp_path / folder), *write_pressure(PRESSED, tmp_path / folder)]
        names = ["plane.svg", "plane.png", "severity.svg", "severity.png", "pressure.svg", "pressure.png"]
        assert [path.name for path in found] == names
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_where_nothing_is_defined_nothing_is_drawn(tmp_path):
    assert [path.stem for path in write_figures(UNDEFINED, tmp_path)] == ["severity", "severity"]
    blank = [record(exploitation=None, proxy_score=None)]
    assert write_figures(blank, tmp_path) == []
    assert write_pressure(RUNS, tmp_path) == []


def test_pressure_has_two_panels_a_cell_and_a_line_a_seed():
    cells, count = chosen(PRESSED)
    figure = pressure_curves(cells, count)
    left, right = figure.axes
    assert (len(cells), count) == (1, 1)
    assert left.get_xlabel() == "environment steps"
    assert right.get_xlabel() == "KL from uniform play, nats"
    assert words(figure) == ["true loss L", "proxy score P", "true score T", "T at its highest"]
    lines = [line for line in right.lines if len(line.get_xdata()) == 3]
    assert len(lines) == 3
    assert lines[0].get_xdata().tolist() == [0.5, 2.0, 8.0]
    assert lines[0].get_ydata().tolist() == [-0.2, 0.6, 0.0]


def test_the_onset_is_marked_in_both_panels():
    left, right = pressure_curves(*chosen(PRESSED)).axes
    for axes, across in ((left, 200), (right, 2.0)):
        marks = [line for line in axes.lines if line.get_marker() == "o"]
        assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in marks] == [(across, 0.6)] * 3


def test_an_undefined_true_score_leaves_the_rest():
    left, right = pressure_curves(*chosen([record(curve=curve(true=(None, None, None)))])).axes
    assert len([line for line in left.lines if line.get_label() == "true loss L"]) == 1
    assert not [line for line in (*left.lines, *right.lines) if line.get_marker() == "o"]


def test_what_falls_most_is_drawn_where_there_is_too_much():
    runs = [
        record(level=f"{number:02}", curve=curve(losses=(0.6, 0.2, 0.2 + 0.01 * number))) for number in range(CELLS + 3)
    ]
    cells, count = chosen(runs)
    assert count == CELLS + 3
    assert [cell[1] for cell in cells] == [f"{number:02}" for number in range(3, CELLS + 3)]
    assert notes(pressure_curves(cells, count)).startswith(f"{CELLS} of {CELLS + 3} cells")


def test_twins_are_drawn_only_where_nothing_else_is():
    twins = [each for each in PRESSED if each["reward"] == "true"]
    assert {cell[4] for cell in chosen(PRESSED)[0]} == {"proxy"}
    assert {cell[4] for cell in chosen(twins)[0]} == {"true"}
