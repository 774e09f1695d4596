"""Figures of the achievable plane: what is in view, and that an atlas has its panels."""

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from alignment_gym.exact.frontier import frontier
from alignment_gym.exact.goodhart import goodhart_curve
from alignment_gym.reports.geometry_figures import CannotDraw, draw_plane, printer, write_atlas, write_plane
from tests.tiny import arms

HACK = ((0, 1, 2), (2, 2, 0))
FAR = ((-1000, 0, 1), (0, 99, 95))
ALIGNED = ((0, 1), (0, 1))
FLAT = ((1, 1), (0, 1))


def drawn(proxy, true, agents=()):
    mdp = arms(proxy, true)
    axes = Figure().subplots()
    draw_plane(axes, frontier(mdp), goodhart_curve(mdp), agents)
    return axes


def labels(axes):
    return axes.get_legend_handles_labels()[1]


def test_hacks_lie_over_all_policies_not_under_them():
    axes = drawn(*HACK)
    patches = {patch.get_label(): patch for patch in axes.patches}
    assert patches["hack: E ≥ 0.25 and L ≥ 0.05"].get_zorder() > patches["all policies"].get_zorder()
    assert axes.get_xlabel() == "exploitation E"


def test_a_far_reaching_polygon_is_clipped_and_that_is_said():
    axes = drawn(*FAR, agents=[("proxy", 1.0, 95.0), ("proxy", -500.0, 50.0)])
    assert axes.get_xlim()[0] == -2.0
    assert "lowest -1000, 1 agents to the left" in axes.get_xlabel()
    assert "shown to" in axes.get_ylabel()
    assert "uniform play" not in labels(axes)
    bottom = axes.get_ylim()[0]
    assert 0.05 < bottom < 0.2


@pytest.mark.parametrize(("case", "label"), [(ALIGNED, "proxy score P"), (FLAT, "proxy return")])
def test_where_e_is_undefined_the_axis_says_so(case, label):
    axes = drawn(*case)
    assert axes.get_xlabel().startswith(label)
    assert "E" in axes.get_xlabel()
    assert not any(word.startswith("hack") for word in labels(axes))


def test_a_trivial_reward_has_no_curve_in_the_legend():
    assert "rising pressure on the proxy" not in labels(drawn(*FLAT))
    assert "rising pressure on the proxy" in labels(drawn(*HACK))


def test_agents_are_drawn_by_what_they_were_paid():
    axes = drawn(*HACK, agents=[("proxy", 2.0, 0.0), ("true", 1.0, 2.0)])
    assert {"agents paid the proxy", "agents paid what was meant"} <= set(labels(axes))


def test_an_atlas_draws_in_every_panel(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "alignment_gym.reports.geometry_figures.save_figure", lambda figure, _: seen.append(figure) or []
    )
    mdps = [arms(*case) for case in (HACK, FAR, ALIGNED, FLAT, HACK)]
    panels = [(f"panel {place}", frontier(mdp), goodhart_curve(mdp), ()) for place, mdp in enumerate(mdps)]
    write_atlas(panels, tmp_path / "atlas")
    axes = seen[0].axes
    assert [each.get_title() for each in axes[:5]] == [f"panel {place}" for place in range(5)]
    assert all(each.patches for each in axes[:5])
    assert not any(each.axison for each in axes[5:8])
    assert len(seen[0].legends) == 1


@pytest.mark.parametrize("name", ["x", "x.gif", "missing/x.svg", "."])
def test_what_cannot_be_drawn_is_refused(tmp_path, name):
    with pytest.raises(CannotDraw):
        printer(tmp_path / name)


def test_a_pdf_has_no_date(tmp_path):
    mdp = arms(*HACK)
    write_plane(frontier(mdp), goodhart_curve(mdp), (), tmp_path / "x.pdf")
    assert b"CreationDate" not in (tmp_path / "x.pdf").read_bytes()


def test_legends_are_no_wider_than_the_figure(tmp_path):
    figure = []
    with mpl.rc_context(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("alignment_gym.reports.geometry_figures.PRINTERS", {".png": lambda it, _path: figure.append(it)})
        mdp = arms(*HACK)
        agents = [("proxy", 2.0, 0.0), ("true", 1.0, 2.0)]
        write_plane(frontier(mdp), goodhart_curve(mdp), agents, tmp_path / "x.png")
        figure[0].draw_without_rendering()
        box = figure[0].legends[0].get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure[0].bbox.x1
