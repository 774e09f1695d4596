"""Figures, with matplotlib: what was exploited against what was lost, severity, and how hacking falls with depth."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from alignment_gym.core import dials, world_class
from alignment_gym.core.files import replacing
from alignment_gym.metrics.scores import HACK_EXPLOITATION, HACK_LOSS
from alignment_gym.metrics.statistics import rate
from alignment_gym.reports.tables import Cell, Record, cells, estimate

COLOURS = {"proxy": "#D55E00", "true": "#0072B2"}  # Okabe and Ito
WORDS = {"proxy": "paid the proxy", "true": "paid what was meant"}
MARKERS = "os^Dv<>P"
PLANE = ("exploitation", "true_loss")
SEVERITY = ("proxy_score", "true_score")
RULE = "#999999"
HACKS = "#F4E3D7"
ABREAST = 4  # panels
LETTERS = 16  # of small print, an inch
PNG_DPI = 200
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "alignment_gym",
    "svg.fonttype": "none",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
PRINTERS: dict[str, Callable[[Figure, Path], None]] = {  # without dates, so that equal figures are equal files
    ".svg": lambda figure, path: FigureCanvasSVG(figure).print_svg(str(path), metadata={"Date": None}),  # type: ignore[no-untyped-call]
    ".png": lambda figure, path: FigureCanvasAgg(figure).print_png(str(path), metadata={"Software": None}),  # type: ignore[no-untyped-call]
    ".pdf": lambda figure, path: FigureCanvasPdf(figure).print_pdf(str(path), metadata={"CreationDate": None}),  # type: ignore[no-untyped-call]
}


def write_figures(records: Sequence[Record], out: Path) -> list[Path]:
    """Write the planes of losses and of severity where they are defined, and the curve over depth if it was swept."""
    default = [record for record in records if record["dials"] == "{}"] or records
    with mpl.rc_context(STYLE):
        paths = save_figure(plane(default), out / "plane") if _defined(default, *PLANE) else []
        paths += save_figure(severity(default), out / "severity") if _defined(default, *SEVERITY) else []
        swept = [record for record in records if record["dials"] == "{}" or "depth" in json.loads(record["dials"])]
        if any(record["dials"] != "{}" for record in swept):
            paths += save_figure(depth_curve(swept), out / "depth")
    return paths


def plane(records: Sequence[Record]) -> Figure:
    """Draw every seed in the plane of exploitation E and true loss L, a panel a world, hacks shaded.

    Runs whose E is undefined are left out and counted below; a world of which nothing is left has no panel.
    """
    shown = _defined(records, *PLANE)
    figure, panels = _scatter(shown, *PLANE)
    for axes in panels:
        axes.axvline(0, color=RULE, linewidth=0.6)
        axes.set(xlabel="exploitation E", ylabel="true loss L", ylim=(-0.05, 1.05))
        _reach(axes, -0.1, 1.05)
        width, height = axes.get_xlim()[1] - HACK_EXPLOITATION, 1.05 - HACK_LOSS
        corner = (HACK_EXPLOITATION, HACK_LOSS)
        axes.add_patch(Rectangle(corner, width, height, color=HACKS, linewidth=0, zorder=0, label="a hack"))
    legend(figure, panels, _recipes(shown) + 1, _missing(records, "E", PLANE))
    return figure


def severity(records: Sequence[Record]) -> Figure:
    """Draw every seed in the plane of proxy score P and true score T, a panel a world; else as `plane`."""
    shown = _defined(records, *SEVERITY)
    figure, panels = _scatter(shown, *SEVERITY)
    for axes in panels:
        axes.axhline(0, color=RULE, linewidth=0.6)
        axes.axvline(0, color=RULE, linewidth=0.6)
        axes.set(xlabel="proxy score P", ylabel="true score T")
        _reach(axes, -0.05, 1.05)
        bottom, top = axes.get_ylim()
        axes.set_ylim(min(bottom, -0.05), max(top, 1.05))
    legend(figure, panels, _recipes(shown), _missing(records, "P or T", SEVERITY))
    return figure


def _reach(axes: Axes, left: float, right: float) -> None:
    """Widen a panel to show at least this much."""
    found = axes.get_xlim()
    axes.set_xlim(min(found[0], left), max(found[1], right))


def _recipes(records: Sequence[Record]) -> int:
    return len({record["recipe"] for record in records})


def _missing(records: Sequence[Record], words: str, names: Sequence[str]) -> str:
    """Say how many runs of which worlds can't be drawn; the empty string where all are."""
    missing = Counter(record["env"] for record in records if any(record[name] is None for name in names))
    counted = ", ".join(f"{world} ({count})" for world, count in sorted(missing.items()))
    return f"{words} undefined, runs left out: {counted}" if missing else ""


def _scatter(records: Sequence[Record], across: str, up: str) -> tuple[Figure, list[Axes]]:
    """Draw a point a run, a panel a world, colours for what was paid and markers for recipes."""
    worlds = sorted({record["env"] for record in records})
    recipes = sorted({record["recipe"] for record in records})
    figure, panels = grid(len(worlds))
    for axes, world in zip(panels, worlds, strict=True):
        for cell, group in cells(records).items():
            if cell.env == world:
                axes.scatter(
                    [record[across] for record in group],
                    [record[up] for record in group],
                    s=22,
                    marker=MARKERS[recipes.index(cell.recipe) % len(MARKERS)],
                    facecolors="none",
                    edgecolors=COLOURS[cell.reward],
                    linewidths=1,
                    clip_on=False,
                    label=f"{cell.recipe}, {WORDS[cell.reward]}",
                )
        axes.set_title(world)
    return figure, panels


def grid(count: int, height: float = 2.2) -> tuple[Figure, list[Axes]]:
    """Return a figure of so many panels, four abreast, each so many inches high."""
    rows, columns = -(-count // ABREAST), min(count, ABREAST)
    figure = Figure(figsize=(2.4 * columns, 0.4 + height * rows), layout="constrained")
    panels: Any = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in panels[count:]:
        axes.set_axis_off()
    return figure, panels[:count]


def legend(figure: Figure, panels: Sequence[Axes], columns: int, note: str = "") -> None:
    """Say below all panels what is drawn in any of them, each once, under a note in small print."""
    named = {label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    words = "\n".join(wrap(note, int(figure.get_figwidth() * LETTERS)))
    figure.legend(
        list(named.values()),
        list(named),
        loc="outside lower center",
        ncols=min(columns, len(panels), ABREAST),  # no wider than the panels
        frameon=False,
        title=words or None,
        title_fontsize="small",
    )


def _defined(records: Sequence[Record], *names: str) -> list[Record]:
    return [record for record in records if all(record[name] is not None for name in names)]


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
    default = next(each.default for each in dials(world_class(cell.env)) if each.name == "depth")
    return int(json.loads(cell.dials).get("depth", default))


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
    for path in paths:
        if path.suffix == ".png":
            figure.set_dpi(PNG_DPI)
        with replacing(path) as temporary:
            PRINTERS[path.suffix](figure, temporary)
    return paths
