"""The cost curves: steps a second over lanes, states and outcomes a step."""

from itertools import groupby
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from alignment_gym.reports.figures import MARKERS, STYLE, save_figure

PANELS = {"lanes": "lanes", "states": "states", "outcomes": "outcomes a step"}
COLOURS = ("#0072B2", "#D55E00", "#999999")  # Okabe and Ito
MILLION = 1e6


def write_curves(record: dict[str, Any], out: Path) -> list[Path]:
    """Write `curves.svg` and `curves.png`."""
    with mpl.rc_context(STYLE):
        return save_figure(cost_curves(record["curves"]), out / "curves")


def cost_curves(points: list[dict[str, Any]]) -> Figure:
    """Draw a panel a quantity and a line a world; over lanes, rates differ by powers and are drawn so."""
    figure = Figure(figsize=(7.2, 2.9), layout="constrained")
    panels: Any = figure.subplots(1, len(PANELS))
    for axes, (kind, words) in zip(panels, PANELS.items(), strict=True):
        mine = [point for point in points if point["curve"].partition(": ")[0] == kind]
        for number, (name, line) in enumerate(groupby(mine, key=lambda point: point["curve"])):
            _draw(axes, list(line), name.partition(": ")[2], number)
        axes.set(xscale="log", xlabel=words, ylabel="million steps/s")
        if kind == "outcomes":
            axes.set_xticks(ticks := [point["x"] for point in mine], [f"{tick:.0f}" for tick in ticks], minor=False)
            axes.set_xticks([], minor=True)
        if kind == "lanes":
            axes.set_yscale("log")
            axes.set_title("next-step autoreset, full infos")
            figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
        else:
            axes.set(ylim=(0, None), title=f"{mine[0]['world']}, {mine[0]['lanes']} lanes" if mine else "")
    return figure


def _draw(axes: Axes, line: list[dict[str, Any]], label: str, number: int) -> None:
    low, middle, high = ([point[name] / MILLION for point in line] for name in ("low", "median", "high"))
    x = [point["x"] for point in line]
    axes.plot(x, middle, marker=MARKERS[number], markersize=4, linewidth=1, color=COLOURS[number], label=label)
    axes.vlines(x, low, high, color=COLOURS[number], linewidth=1)
