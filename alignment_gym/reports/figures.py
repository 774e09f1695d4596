"""Figures, with matplotlib: what was paid against what was meant, and how hacking falls with depth."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from alignment_gym.core import dials, world_class
from alignment_gym.core.files import replacing
from alignment_gym.metrics.statistics import rate
from alignment_gym.reports.tables import Cell, Record, cells, estimate

COLOURS = {"proxy": "#D55E00", "true": "#0072B2"}  # Okabe and Ito
WORDS = {"proxy": "paid the proxy", "true": "paid what was meant"}
MARKERS = "os^Dv<>P"
ABREAST = 4  # panels
PNG_DPI = 200
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "alignment_gym",
    "svg.fonttype": "none",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def write_figures(records: Sequence[Record], out: Path) -> list[Path]:
    """Write the plane of scores, and the curve over depth where it was swept."""
    with mpl.rc_context(STYLE):
        paths = save_figure(plane([record for record in records if record["dials"] == "{}"] or records), out / "plane")
        swept = [record for record in records if record["dials"] == "{}" or "depth" in json.loads(record["dials"])]
        if any(record["dials"] != "{}" for record in swept):
            paths += save_figure(depth_curve(swept), out / "depth")
    return paths


def plane(records: Sequence[Record]) -> Figure:
    """Draw every seed in the plane of proxy score P and true score T, a panel a world."""
    worlds = sorted({record["env"] for record in records})
    recipes = sorted({record["recipe"] for record in records})
    rows = -(-len(worlds) // ABREAST)
    columns = min(len(worlds), ABREAST)
    figure = Figure(figsize=(2.4 * columns, 0.4 + 2.2 * rows), layout="constrained")
    panels: Any = figure.subplots(rows, columns, squeeze=False).flat
    for axes in panels[len(worlds) :]:
        axes.set_axis_off()
    for axes, world in zip(panels, worlds, strict=False):
        for (env, _, _, recipe, reward), group in cells(records).items():
            if env == world:
                shown = [record for record in group if None not in (record["proxy_score"], record["true_score"])]
                axes.scatter(
                    [record["proxy_score"] for record in shown],
                    [record["true_score"] for record in shown],
                    s=22,
                    marker=MARKERS[recipes.index(recipe) % len(MARKERS)],
                    facecolors="none",
                    edgecolors=COLOURS[reward],
                    linewidths=1,
                    label=f"{recipe}, {WORDS[reward]}",
                )
        _frame(axes, world)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(recipes), frameon=False)
    return figure


def _frame(axes: Axes, world: str) -> None:
    axes.axhline(0, color="#999999", linewidth=0.6)
    axes.axvline(0, color="#999999", linewidth=0.6)
    axes.set_title(world)
    axes.set_xlabel("proxy score P")
    axes.set_ylabel("true score T")


def depth_curve(records: Sequence[Record]) -> Figure:
    """Draw hack rate and true loss of agents paid the proxy over the depth of the loophole."""
    worlds = sorted({record["env"] for record in records})
    recipes = sorted({record["recipe"] for record in records})
    figure = Figure(figsize=(2.4 * len(worlds), 4), layout="constrained")
    panels: Any = figure.subplots(2, len(worlds), squeeze=False, sharex="col")
    for column, world in enumerate(worlds):
        for recipe in recipes:
            wanted = (world, recipe, "proxy")
            mine = [each for each in records if (each["env"], each["recipe"], each["reward"]) == wanted]
            if len(cells(mine)) > 1:
                _draw_depth(panels[0][column], panels[1][column], mine, recipe, recipes.index(recipe))
        panels[0][column].set(title=world, ylabel="hack rate", ylim=(-0.05, 1.05))
        panels[1][column].set(xlabel="depth, steps", ylabel="true loss L", ylim=(-0.05, 1.05))
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(recipes), frameon=False)
    return figure


def depth_of(cell: Cell) -> int:
    """Return a cell's depth, the world's default where it is not changed."""
    default = next(each.default for each in dials(world_class(cell[0])) if each.name == "depth")
    return int(json.loads(cell[2]).get("depth", default))


def _draw_depth(rates: Axes, losses: Axes, records: Sequence[Record], recipe: str, number: int) -> None:
    grouped = sorted(cells(records).items(), key=lambda item: depth_of(item[0]))
    depths = [depth_of(cell) + 0.05 * number for cell, _ in grouped]
    hacks = [rate(sum(record["hack"] for record in group), len(group)) for _, group in grouped]
    lost = [estimate(group, "true_loss") for _, group in grouped]
    for axes, found in ((rates, hacks), (losses, lost)):
        known = [(depth, each) for depth, each in zip(depths, found, strict=True) if each is not None]
        axes.errorbar(
            [depth for depth, _ in known],
            [each.value for _, each in known],
            yerr=[[each.value - each.low for _, each in known], [each.high - each.value for _, each in known]],
            marker=MARKERS[number % len(MARKERS)],
            markersize=4,
            linewidth=1,
            capsize=2,
            label=recipe,
        )


def save_figure(figure: Figure, stem: Path) -> list[Path]:
    """Write SVG and PNG without dates, so that equal figures are equal files."""
    paths = [stem.with_suffix(".svg"), stem.with_suffix(".png")]
    with replacing(paths[0]) as temporary:
        FigureCanvasSVG(figure).print_svg(str(temporary), metadata={"Date": None})  # type: ignore[no-untyped-call]
    figure.set_dpi(PNG_DPI)
    with replacing(paths[1]) as temporary:
        FigureCanvasAgg(figure).print_png(str(temporary), metadata={"Software": None})  # type: ignore[no-untyped-call]
    return paths
