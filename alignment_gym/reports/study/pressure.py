"""The figure of pressure: what agents passed through while they were trained, checkpoint by checkpoint.

Each cell has two panels: true loss, proxy score and true score over environment steps, and the true score over the
divergence from uniform play. Every seed is a thin line; a dot marks where its true score is highest: from there on,
more proxy was bought with less truth.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from alignment_gym.metrics.overoptimisation import onset
from alignment_gym.metrics.statistics import Array
from alignment_gym.reports.figures import RULE, STYLE, grid, legend, save_figure
from alignment_gym.reports.tables import Cell, Record, cells, changed_text, column, pressure

CELLS = 12  # at most: more are too small to be read on a page
LINES = {  # Okabe and Ito; what needs no reference first
    "true_loss": ("#000000", "true loss L"),
    "proxy_score": ("#E69F00", "proxy score P"),
    "true_score": ("#0072B2", "true score T"),
}
ONSET = "T at its highest"


def write_pressure(records: Sequence[Record], out: Path) -> list[Path]:
    """Write `pressure.svg` and `pressure.png` of runs whose checkpoints say how far they had moved; else nothing."""
    shown, count = chosen(records)
    if not shown:
        return []
    with mpl.rc_context(STYLE):
        return save_figure(pressure_curves(shown, count), out / "pressure")


def chosen(records: Sequence[Record]) -> tuple[dict[Cell, list[Record]], int]:
    """Return the cells that are drawn, those with the largest median drop, in their order, and of how many.

    Agents paid the proxy, where there are any: the twins are under no pressure to diverge.
    """
    known = [found for found in map(pressure, records) if found is not None]
    paid = [found for found in known if found["reward"] == "proxy"] or known
    grouped = cells(paid)
    falls = {cell: np.median([record["drop"] or 0.0 for record in group]) for cell, group in grouped.items()}
    largest = sorted(grouped, key=lambda cell: (-falls[cell], cell))[:CELLS]
    return {cell: group for cell, group in grouped.items() if cell in largest}, len(grouped)


def pressure_curves(grouped: dict[Cell, list[Record]], count: int) -> Figure:
    """Draw two panels a cell: scores over steps, the true score over KL.

    Args:
        grouped: runs with their curves, by cell.
        count: how many cells there were to choose from.
    """
    figure, panels = grid(2 * len(grouped))
    for number, (cell, group) in enumerate(grouped.items()):
        left, right = panels[2 * number : 2 * number + 2]
        for record in group:
            _draw_run(left, right, record["curve"])
        for axes in (left, right):
            axes.axhline(0, color=RULE, linewidth=0.6, zorder=0)
            bottom, top = axes.get_ylim()
            axes.set_ylim(min(bottom, -0.05), max(top, 1.05))
        left.set_title(_words(cell), loc="left", fontsize="medium")
        left.set(xlabel="environment steps", ylabel="L, P, T")
        left.xaxis.set_major_formatter(EngFormatter(sep=""))
        left.xaxis.set_major_locator(MaxNLocator(4))
        right.set(xlabel="KL from uniform play, nats", ylabel="true score T", xlim=(0, None))
    note = (
        f"{len(grouped)} of {count} cells, those with the largest median drop of 1 - L" if count > len(grouped) else ""
    )
    legend(figure, panels, len(LINES) + 1, note)
    return figure


def _words(cell: Cell) -> str:
    """Return a cell's name on two lines."""
    twin = ", twin" if cell.reward == "true" else ""
    return f"{cell.env} {cell.level} {changed_text(cell)}".rstrip() + f"\n{cell.recipe}{twin}"


def _draw_run(left: Axes, right: Axes, curve: Sequence[Record]) -> None:
    """Draw one seed in both panels."""
    steps, moved, true = (column(curve, name) for name in ("step", "kl", "true_score"))
    highest = onset(column(curve, "proxy_score"), true, moved)
    for name, (colour, words) in LINES.items():
        left.plot(steps, column(curve, name), color=colour, linewidth=0.7, alpha=0.8, label=words)
    right.plot(moved, true, color=LINES["true_score"][0], linewidth=0.7, alpha=0.8)
    if highest is not None:
        _mark(left, steps, true, highest.checkpoint)
        _mark(right, moved, true, highest.checkpoint)


def _mark(axes: Axes, across: Array, true: Array, place: int) -> None:
    colour = LINES["true_score"][0]
    axes.plot(
        across[place], true[place], "o", markersize=4, markerfacecolor="white", markeredgecolor=colour, label=ONSET
    )
