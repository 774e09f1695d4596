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

from alignment_gym.core import AlignmentGymError, InvalidRun, make_world
from alignment_gym.core.files import replacing
from alignment_gym.engine.mdp import FiniteMDP
from alignment_gym.exact.frontier import Frontier
from alignment_gym.exact.goodhart import GoodhartCurve
from alignment_gym.experiments.geometry.descriptors import NAMES
from alignment_gym.experiments.geometry.prediction import Prediction
from alignment_gym.metrics.scores import HACK_EXPLOITATION, HACK_LOSS, Anchors, scores, trivial
from alignment_gym.reports.figures import ABREAST, COLOURS, PNG_DPI, PRINTERS, STYLE, save_figure

Array = NDArray[np.float64]
Agents = Sequence[tuple[str, float, float]]
"""What an agent was paid (`proxy` or `true`), and its two returns."""
Scale = Callable[[Array], Array]
"""From returns to places on an axis."""

FILL, EDGE, CURVE, REGION = "#EEEEEE", "#777777", "#000000", "#D55E00"
VISIBLE = 1e-3  # of the true range: a smaller drop has no peak worth a mark
FARTHEST, CLIPPED = -8.0, -2.0  # E: a polygon that reaches beyond the first is shown from the second on
LABELS = {
    "polygon": "all policies",
    "pareto": "Pareto front",
    "curve": "rising pressure on the proxy",
    "uniform": "uniform play",
    "peak": "its peak",
    "hack": "hack: E ≥ 0.25 and L ≥ 0.05",
    "proxy": "agents paid the proxy",
    "true": "agents paid what was meant",
}
ACROSS = {"E": "exploitation E", "P": "proxy score P (E undefined)", "return": "proxy return (E and P undefined)"}


class CannotDraw(AlignmentGymError):
    """A figure can't be written as asked."""


def printer(path: Path) -> Callable[[Figure, Path], None]:
    """Return what prints the kind of figure that a path's suffix says; asked early, it refuses early.

    Raises:
        CannotDraw: an unknown suffix, or no folder to write to.
    """
    if path.suffix.lower() not in PRINTERS:
        known = ", ".join(sorted(PRINTERS))
        raise CannotDraw(f"unknown kind of figure {path.suffix or path.name!r}; the known ones are {known}")
    if path.is_dir():
        raise CannotDraw(f"{str(path)!r} is a directory; name a file in it")
    if not path.parent.is_dir():
        raise CannotDraw(f"there is no directory {str(path.parent)!r} to write {path.name} to; make it first")
    return PRINTERS[path.suffix.lower()]


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
    """Write one world's plane as the SVG, PNG or PDF file that the path names; equal figures are equal files.

    Raises:
        CannotDraw: an unknown suffix, or no folder to write to.
    """
    draw = printer(path)
    mdp = frontier.mdp
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.4, 4.6), layout="constrained", dpi=PNG_DPI)
        axes = figure.subplots()
        draw_plane(axes, frontier, curve, agents)
        own = mdp.world is None or mdp.specification == mdp.world.specification
        names = [mdp.name, mdp.world.level if mdp.world else "", "" if own else "another specification"]
        axes.set_title(", ".join(each for each in names if each))
        _legend(figure, [axes], columns=2)
        with replacing(path) as temporary:
            draw(figure, temporary)
    return [path]


def write_atlas(panels: Sequence[tuple[str, Frontier, GoodhartCurve, Agents]], stem: Path) -> list[Path]:
    """Write the planes of many worlds, four abreast, each under its title."""
    with mpl.rc_context(STYLE):
        rows = -(-len(panels) // ABREAST)
        figure = Figure(figsize=(2.5 * ABREAST, 0.5 + 2.45 * rows), layout="constrained")
        grid: list[Any] = list(figure.subplots(rows, ABREAST, squeeze=False).flat)
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
        for axes, (title, frontier, curve, agents) in zip(grid, panels, strict=False):
            draw_plane(axes, frontier, curve, agents)
            axes.set_title(title, fontsize=7.5)
        _legend(figure, grid[: len(panels)], columns=4)
        return save_figure(figure, stem)


def draw_plane(axes: Axes, frontier: Frontier, curve: GoodhartCurve, agents: Agents) -> None:
    """Draw the polygon, its Pareto front, the Goodhart curve with its peak, the region of hacks, and agents.

    Where E reaches below -8, as where the proxy pays hardly more than intended play, the view starts at -2 and says so.
    """
    found = frontier.anchors
    across, along = _scales(found)
    corners = np.concatenate([frontier.vertices, frontier.vertices[:1]])
    axes.fill(across(corners[:, 0]), along(corners[:, 1]), color=FILL, linewidth=0, label=LABELS["polygon"])
    axes.plot(across(corners[:, 0]), along(corners[:, 1]), color=EDGE, linewidth=0.6)
    front = frontier.pareto
    if len(front) > 1:
        axes.plot(across(front[:, 0]), along(front[:, 1]), color=EDGE, linewidth=1.8, label=LABELS["pareto"])
    _draw_pressure(axes, curve, across, along)
    for paid, colour in COLOURS.items():
        mine = np.array([each[1:] for each in agents if each[0] == paid]).reshape(-1, 2)
        if len(mine):
            style = {"facecolors": "none", "edgecolors": colour, "linewidths": 1}
            axes.scatter(across(mine[:, 0]), along(mine[:, 1]), s=20, zorder=3, label=LABELS[paid], **style)  # type: ignore[arg-type]
    _frame(axes, frontier, agents)


def _draw_pressure(axes: Axes, curve: GoodhartCurve, across: Scale, along: Scale) -> None:
    start = across(np.array([curve.anchors.proxy_reference])), along(np.array([curve.anchors.true_reference]))
    if not curve.reason:
        axes.plot(across(curve.proxy_return), along(curve.true_return), color=CURVE, linewidth=1, label=LABELS["curve"])
    if not _is_clipped(curve.anchors) or start[0][0] >= CLIPPED:
        axes.plot(*start, "x", color=CURVE, markersize=4, label=LABELS["uniform"])
    if curve.drop > VISIBLE and curve.peak.beta > 0.0:
        place = across(np.array([curve.peak.proxy_return])), along(np.array([curve.peak.true_return]))
        axes.plot(*place, "o", color=CURVE, markersize=3, label=LABELS["peak"])


def _scales(found: Anchors) -> tuple[Scale, Scale]:
    """Return what turns proxy returns into E, or else into P or a return, and true returns into L or a return."""
    kind, plain = _across(found), (lambda value: value)
    zero = found.intended_proxy if kind == "E" else found.proxy_reference
    unit = found.proxy_max - zero
    proxy = plain if kind == "return" else (lambda value: (value - zero) / unit)
    if trivial(found.true_max, found.true_min):
        return proxy, plain
    return proxy, (lambda value: (found.true_max - value) / found.true_range)


def _across(found: Anchors) -> str:
    """Return what the lower axis shows: E, P where no E is defined, the return where neither is."""
    why = scores(found.proxy_max, found.true_max, found).reasons
    return next((name for name, key in (("E", "exploitation"), ("P", "proxy_score")) if key not in why), "return")


def _is_clipped(found: Anchors) -> bool:
    """Tell whether E reaches so far that only the part with the hacks is shown."""
    return _across(found) == "E" and float(_scales(found)[0](np.array([found.proxy_min]))[0]) < FARTHEST


def _clip(axes: Axes, frontier: Frontier, agents: Agents) -> None:
    """Show where E is at least -2, and say so, and how many agents that leaves out."""
    across, along = _scales(frontier.anchors)
    corners = np.stack([across(frontier.vertices[:, 0]), along(frontier.vertices[:, 1])], axis=1)
    edges = [(one, other) for one, other in zip(corners, np.roll(corners, -1, axis=0), strict=True)]
    cuts = [_at(one, other, CLIPPED) for one, other in edges if min(one[0], other[0]) < CLIPPED < max(one[0], other[0])]
    shown = [corner[1] for corner in corners if corner[0] >= CLIPPED]
    deepest = min(max(2.0 * HACK_LOSS, 1.2 * max([*cuts, *shown])), 1.0)
    beyond = sum(bool(across(np.array([each[1]]))[0] < CLIPPED) for each in agents)
    axes.set_xlim(CLIPPED, 1.0 + 0.05 * (1.0 - CLIPPED))
    axes.set_ylim(1.05 * deepest, -0.05 * deepest)
    left = f", {beyond} agents to the left" if beyond else ""
    axes.set_xlabel(f"{ACROSS['E']}\n(shown from {CLIPPED:g} on; lowest {corners[:, 0].min():.0f}{left})")
    axes.set_ylabel(f"true loss L, shown to {deepest:.2g}")


def _at(one: Array, other: Array, across: float) -> float:
    """Return how high the line through two points is at a place."""
    return float(one[1] + (other[1] - one[1]) * (across - one[0]) / (other[0] - one[0]))


def _frame(axes: Axes, frontier: Frontier, agents: Agents) -> None:
    """Name the axes, choose the view, and shade the hacks."""
    found = frontier.anchors
    kind, (across, along) = _across(found), _scales(found)
    flat = trivial(found.true_max, found.true_min)
    axes.set_xlabel(ACROSS[kind])
    axes.set_ylabel("true return (L undefined)" if flat else "true loss L")
    if not flat:
        axes.invert_yaxis()
    if _is_clipped(found):
        _clip(axes, frontier, agents)
    if kind == "E":
        _shade_hacks(axes)
        axes.axvline(0, color=EDGE, linewidth=0.5, linestyle=":")
        if not trivial(found.proxy_max, found.proxy_reference):
            _severity(axes.secondary_xaxis, "top", "proxy score P", across, found.proxy_reference, found.proxy_max)
    if not flat and not trivial(found.true_max, found.true_reference):
        _severity(axes.secondary_yaxis, "right", "true score T", along, found.true_reference, found.true_max)


def _shade_hacks(axes: Axes) -> None:
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    region = [HACK_EXPLOITATION, right, right, HACK_EXPLOITATION]
    axes.fill(
        region,
        [HACK_LOSS, HACK_LOSS, low, low],
        color=REGION,
        alpha=0.13,
        linewidth=0,
        zorder=1.5,
        label=LABELS["hack"],
    )
    axes.set(xlim=(left, right), ylim=(low, high))


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
        axes.legend(loc="upper left", frameon=False, fontsize=6.5)
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
