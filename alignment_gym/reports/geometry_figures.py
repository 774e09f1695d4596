"""The achievable plane of a world: exploitation E against true loss L, all policies, pressure and agents.

The polygon holds every policy there is. E and L are affine in the two returns, as P and T are, so one picture has both:
the headline on its lower and left axes, severity on its upper and right ones.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from alignment_gym.core import InvalidRun, make_world
from alignment_gym.engine.mdp import FiniteMDP
from alignment_gym.exact.frontier import Frontier
from alignment_gym.exact.goodhart import GoodhartCurve
from alignment_gym.experiments.geometry.descriptors import NAMES
from alignment_gym.experiments.geometry.prediction import Prediction
from alignment_gym.metrics.scores import HACK_EXPLOITATION, HACK_LOSS, Anchors, trivial
from alignment_gym.reports.figures import ABREAST, COLOURS, STYLE, save_figure

Array = NDArray[np.float64]
Agents = Sequence[tuple[str, float, float]]
"""What an agent was paid (`proxy` or `true`), and its two returns."""

FILL, EDGE, CURVE, REGION = "#EEEEEE", "#777777", "#000000", "#D55E00"
VISIBLE = 1e-3  # of the true range: a smaller drop has no peak worth a mark
LABELS = {
    "polygon": "all policies",
    "pareto": "Pareto front",
    "curve": "rising pressure on the proxy (soft optimum)",
    "peak": "its peak",
    "proxy": "agents paid the proxy",
    "true": "agents paid what was meant",
    "hack": "hack: E ≥ 0.25 and L ≥ 0.05",
}


def agents_on(records: Sequence[dict[str, Any]], mdp: FiniteMDP) -> list[tuple[str, float, float]]:
    """Return what trained agents were paid and what they earn, of runs on just this level, with just these dials.

    Raises:
        InvalidRun: there are none, or the specification is not the world's own, for which they were trained.
    """
    if mdp.world is None or mdp.specification != mdp.world.specification:
        raise InvalidRun(f"agents were trained on the specification of {mdp.name}; it can't be another in their figure")
    found = []
    for each in records:
        dials = {"level": each["level"], **json.loads(each["dials"])}
        if each["env"].rpartition(":")[2] == mdp.name and make_world(each["env"], **dials) == mdp.world:
            found.append((each["reward"], each["proxy_return"], each["true_return"]))
    if not found:
        raise InvalidRun(f"none of these runs was trained on {mdp.name}, level {mdp.world.level!r}, at these dials")
    return found


def write_plane(frontier: Frontier, curve: GoodhartCurve, agents: Agents, path: Path) -> list[Path]:
    """Write one world's plane, as SVG and PNG, or as the one of them that the path's ending names."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.9, 3.9), layout="constrained")
        draw_plane(figure.subplots(), frontier, curve, agents)
        _legend(figure, figure.axes[:1], columns=2)
        return save_figure(figure, path)


def write_atlas(panels: Sequence[tuple[str, Frontier, GoodhartCurve, Agents]], stem: Path) -> list[Path]:
    """Write the planes of many worlds, four abreast, each under its title."""
    with mpl.rc_context(STYLE):
        rows = -(-len(panels) // ABREAST)
        figure = Figure(figsize=(2.5 * ABREAST, 0.5 + 2.45 * rows), layout="constrained")
        grid: Any = figure.subplots(rows, ABREAST, squeeze=False).flat
        for axes in list(grid)[len(panels) :]:
            axes.set_axis_off()
        for axes, (title, frontier, curve, agents) in zip(grid, panels, strict=False):
            draw_plane(axes, frontier, curve, agents)
            axes.set_title(title, fontsize=7.5)
        _legend(figure, list(grid)[: len(panels)], columns=4)
        return save_figure(figure, stem)


def draw_plane(axes: Axes, frontier: Frontier, curve: GoodhartCurve, agents: Agents) -> None:
    """Draw the polygon, its Pareto front, the Goodhart curve with its peak, the region of hacks, and agents."""
    found = frontier.anchors
    across, along = _scales(found)
    corners = np.concatenate([frontier.vertices, frontier.vertices[:1]])
    axes.fill(across(corners[:, 0]), along(corners[:, 1]), color=FILL, label=LABELS["polygon"])
    axes.plot(across(corners[:, 0]), along(corners[:, 1]), color=EDGE, linewidth=0.6)
    front = frontier.pareto
    axes.plot(across(front[:, 0]), along(front[:, 1]), color=EDGE, linewidth=1.8, label=LABELS["pareto"])
    axes.plot(across(curve.proxy_return), along(curve.true_return), color=CURVE, linewidth=1, label=LABELS["curve"])
    if curve.drop > VISIBLE:
        place = across(np.array([curve.peak.proxy_return])), along(np.array([curve.peak.true_return]))
        axes.plot(*place, "o", color=CURVE, markersize=3, label=LABELS["peak"])
    for paid, colour in COLOURS.items():
        mine = np.array([each[1:] for each in agents if each[0] == paid]).reshape(-1, 2)
        if len(mine):
            style = {"facecolors": "none", "edgecolors": colour, "linewidths": 1}
            axes.scatter(across(mine[:, 0]), along(mine[:, 1]), s=20, zorder=3, label=LABELS[paid], **style)  # type: ignore[arg-type]
    _frame(axes, found)


def _scales(found: Anchors) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """Return what turns proxy returns into E, or into P where no E is defined, and true returns into L."""
    exploited = has_surplus(found)
    zero = found.intended_proxy if exploited else found.proxy_reference
    unit = _unit(found.proxy_max - zero)
    spread = _unit(found.true_range)
    return (lambda value: (value - zero) / unit), (lambda value: (found.true_max - value) / spread)


def has_surplus(found: Anchors) -> bool:
    """Tell whether exploitation E is defined."""
    return found.surplus > 1e-9 * max(found.proxy_range, 1e-300)


def _unit(span: float) -> float:
    return span if span > 0 else 1.0


def _frame(axes: Axes, found: Anchors) -> None:
    exploited = has_surplus(found)
    across, along = _scales(found)
    axes.set_xlabel("exploitation E" if exploited else "proxy score P (E undefined)")
    axes.set_ylabel("true loss L")
    axes.invert_yaxis()
    if exploited:
        low, high = axes.get_ylim()
        right = axes.get_xlim()[1]
        region = [HACK_EXPLOITATION, right, right, HACK_EXPLOITATION]
        axes.fill(region, [HACK_LOSS, HACK_LOSS, low, low], color=REGION, alpha=0.08, zorder=0, label=LABELS["hack"])
        axes.set(xlim=(axes.get_xlim()[0], right), ylim=(low, high))
        axes.axvline(0, color=EDGE, linewidth=0.5, linestyle=":")
    if not trivial(found.proxy_max, found.proxy_reference) and exploited:
        _severity(axes.secondary_xaxis, "top", "P", across, found.proxy_reference, found.proxy_max)
    if not trivial(found.true_max, found.true_reference):
        _severity(axes.secondary_yaxis, "right", "T", along, found.true_reference, found.true_max)


def _severity(
    second: Callable[..., Any], side: str, label: str, scale: Callable[[Array], Array], zero: float, one: float
) -> None:
    """Add the axis of P or T: 0 where uniform play is, 1 at the optimum."""
    origin, unit = (float(scale(np.array([value]))[0]) for value in (zero, one))

    def there(value: Array) -> Array:
        return (value - origin) / (unit - origin)

    def back(value: Array) -> Array:
        return origin + value * (unit - origin)

    axis = second(side, functions=(there, back))
    axis.set_label(label)
    (axis.set_xlabel if side == "top" else axis.set_ylabel)(label, labelpad=2)
    axis.tick_params(labelsize=6)


def _legend(figure: Figure, panels: Sequence[Axes], columns: int) -> None:
    found: dict[str, Any] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    ordered = {label: found[label] for label in LABELS.values() if label in found}
    figure.legend(ordered.values(), ordered.keys(), loc="outside lower center", ncols=columns, frameon=False)


def cost_figure(rows: Sequence[dict[str, Any]], slopes: dict[tuple[str, str], float]) -> Figure:
    """Draw processor seconds over states: a panel a family, a line a part of the analysis, with its slope.

    Args:
        rows: `family`, `part`, `states`, `seconds`.
        slopes: of log seconds over log states, by family and part.
    """
    families = list(dict.fromkeys(row["family"] for row in rows))
    parts = list(dict.fromkeys(row["part"] for row in rows))
    figure = Figure(figsize=(3.4 * len(families), 3.2), layout="constrained")
    panels: Any = figure.subplots(1, len(families), squeeze=False, sharey=True)
    palette = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
    for axes, family in zip(panels.flat, families, strict=True):
        for number, part in enumerate(parts):
            mine = [row for row in rows if (row["family"], row["part"]) == (family, part)]
            if not mine:
                continue
            slope = slopes.get((family, part), float("nan"))
            axes.plot(
                [row["states"] for row in mine],
                [row["seconds"] for row in mine],
                marker=".",
                linewidth=1,
                color=palette[number % len(palette)],
                label=part if isnan(slope) else f"{part}: slope {slope:.2f}",
            )
        axes.set(xscale="log", yscale="log", xlabel="states |S|", title=family)
        axes.legend(frameon=False, fontsize=6.5)
    panels[0][0].set_ylabel("processor seconds, one core")
    return figure


def foretold_figure(found: Mapping[str, Sequence[Prediction]]) -> Figure:
    """Draw rank correlations of descriptors with outcomes, with intervals: a panel an outcome, the best on top."""
    rows = max(len(each) for each in found.values())
    figure = Figure(figsize=(3.8 * len(found), 0.8 + 0.21 * rows), layout="constrained")
    panels: Any = figure.subplots(1, len(found), squeeze=False)
    for axes, (outcome, predictions) in zip(panels.flat, found.items(), strict=True):
        known = [each for each in predictions if not isnan(each.correlation)]
        places = np.arange(len(known))[::-1]
        values = np.array([each.correlation for each in known])
        ends = np.array([[each.correlation - each.low, each.high - each.correlation] for each in known]).T
        axes.errorbar(values, places, xerr=np.maximum(ends, 0.0), fmt="o", color="#0072B2", markersize=3, linewidth=1)
        axes.axvline(0, color=EDGE, linewidth=0.6)
        axes.set(xlim=(-1.05, 1.05), xlabel="Spearman's rank correlation", title=outcome)
        axes.set_yticks(places, [NAMES[each.descriptor] for each in known])
    return figure
