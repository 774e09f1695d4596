"""Figures of runs: what is drawn, and what is left out and said."""

from alignment_gym.reports.study.pressure import CELLS, chosen, pressure_curves, write_pressure
from tests.reports.test_tables import curve, record

RUNS = [record(reward, seed) for reward in ("proxy", "true") for seed in range(3)]
PRESSED = [each | {"curve": curve()} for each in RUNS]


def notes(figure):
    return " ".join(figure.legends[0].get_title().get_text().split())


def words(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_equal_figures_are_equal_files(tmp_path):
    for folder in ("one", "two"):
        found = write_pressure(PRESSED, tmp_path / folder)
        assert [path.name for path in found] == ["pressure.svg", "pressure.png"]
    for path in found:
        assert (tmp_path / "one" / path.name).read_bytes() == path.read_bytes()


def test_where_no_checkpoint_was_kept_nothing_is_drawn(tmp_path):
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
