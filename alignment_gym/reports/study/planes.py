"""Planes of a study: proxy against true score over the polygon of all policies, and exploitation against loss.

The polygon is what any policy can achieve, solved exactly: it says whether agents came to a corner because training led
them there, or because there was nowhere else to go.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from alignment_gym.core import AlignmentGymError, make_world
from alignment_gym.core.mixture import Mixture
from alignment_gym.engine.fingerprint import fingerprint
from alignment_gym.engine.mdp import compiled
from alignment_gym.exact.frontier import Frontier, frontier
from alignment_gym.metrics.scores import HACK_EXPLOITATION, HACK_LOSS
from alignment_gym.metrics.statistics import Array
from alignment_gym.reports.figures import COLOURS, HACKS, RULE
from alignment_gym.reports.geometry_figures import EDGE, FILL
from alignment_gym.reports.study.drawn import (
    ARMS,
    MEANT,
    PAPER,
    ROWS,
    TEXT,
    Drawn,
    Place,
    abreast,
    arm,
    caption,
    left_out,
    legend,
    marker_of,
    most_run,
    name_axes,
    others,
    panels,
    place_of,
    recipes_of,
    seeds,
    titles,
)
from alignment_gym.reports.study.usual import usual
from alignment_gym.reports.tables import Record, cells

TRANSITIONS = 200_000  # a world with more is not solved for a figure
TOLERANCE = 1e-3  # of the ranges: less than a line's width
DEEPEST = -2.0  # P or T: polygons that go on below are cut there, unless runs go on
FULL = {"proxy": 0.4, "true": 0.0}  # how opaque: what was paid shows without colours too
SEVERITY = ("proxy_score", "true_score")
LOSSES = ("exploitation", "true_loss")


@dataclass(frozen=True, slots=True, eq=False)
class Polygon:
    """All policies' pairs of scores P and T, (V, 2), and those that none beats in both, (K, 2)."""

    corners: Array
    pareto: Array
    proxy_optimal: Array
    true_optimal: Array


@lru_cache(maxsize=256)
def polygon(place: Place, tables: str | None) -> Polygon | str:
    """Return the polygon of a level, or why there is none.

    Args:
        place: a world's level, at some dials.
        tables: the fingerprint of the tables that agents played on, None where it is not known.
    """
    try:
        world = make_world(place.env, level=place.level, **json.loads(place.dials))
        if isinstance(world, Mixture):
            return "several levels at once"
        mdp = compiled(world)
        if tables is not None and fingerprint(mdp) != tables:
            return "played on other tables than this version's"
        if mdp.transition_count > TRANSITIONS:
            return "not solved quickly"
        found = frontier(mdp, tolerance=TOLERANCE)
    except AlignmentGymError:  # unknown here, or too large
        return "not solved"
    return "P or T undefined" if np.isnan(found.scores).any() else _of(found)


def _of(found: Frontier) -> Polygon:
    corners = found.scores
    places = [np.flatnonzero((found.vertices == vertex).all(axis=1))[0] for vertex in found.pareto]
    ends = [corners[corners[:, axis] >= 1.0 - TOLERANCE / 10.0] for axis in (0, 1)]
    return Polygon(corners, corners[places], *ends)


def draw_scores(records: Sequence[Record], width: float = TEXT) -> Drawn | None:
    """Draw every seed's proxy score P and true score T over the polygon of all policies, a panel a world."""
    chief = usual(records)
    defined = [record for record in chief if None not in (record["proxy_score"], record["true_score"])]
    found = {place: polygon(place, _tables(chief, place)) for place in dict.fromkeys(map(place_of, chief))}
    solved = [record for record in defined if isinstance(found[place_of(record)], Polygon)]
    if not solved:
        return None
    shown = most_run(solved, ROWS * abreast(width, ROWS))
    drawn = [record for record in solved if place_of(record) in shown]
    with mpl.rc_context(PAPER):
        figure, axes = panels(width, len(shown))
        for each, place in zip(axes, shown, strict=True):
            _draw_polygon(each, found[place])  # type: ignore[arg-type]
            _draw_runs(each, [record for record in drawn if place_of(record) == place], SEVERITY, recipes_of(drawn))
            _view(each, found[place], [record for record in drawn if place_of(record) == place])  # type: ignore[arg-type]
            each.set_title(titles(shown)[place])
        name_axes(axes, "proxy score P", "true score T")
        legend(figure, axes)
    said = caption(
        "Proxy score P and true score T of every seed, exact; uniform play is at (0, 0), an optimum at 1",
        "Grey: what any policy can achieve, its Pareto edge thick",
        MEANT,
        f"{seeds(drawn)} an arm",
        others(records, chief),
        *_reasons(chief, found),
        left_out("to keep to a page", _names([each for each in map(place_of, solved) if each not in shown])),
        "Polygons are cut where nothing is drawn below a score of -2" if _is_cut(found, shown) else "",
    )
    return Drawn("plane", figure, [*_polygon_rows(found, shown), *_run_rows(drawn, SEVERITY)], said)


def _tables(records: Sequence[Record], place: Place) -> str | None:
    known: list[str] = [each for record in records if place_of(record) == place if (each := record.get("tables"))]
    return min(known, default=None)


def _reasons(records: Sequence[Record], found: dict[Place, Polygon | str]) -> list[str]:
    """Say of which worlds there is no panel, and why."""
    why = {place: each for place, each in found.items() if isinstance(each, str)}
    blank = {place_of(record) for record in records} - set(why)
    blank -= {place_of(record) for record in records if None not in (record["proxy_score"], record["true_score"])}
    why |= dict.fromkeys(blank, "P or T undefined")
    return [left_out(each, _names([place for place in why if why[place] == each])) for each in sorted({*why.values()})]


def _names(places: Sequence[Place]) -> list[str]:
    found = titles(sorted(set(places)))
    return [title.replace("\n", " ") for title in found.values()]


def _draw_polygon(axes: Axes, shape: Polygon) -> None:
    closed = np.concatenate([shape.corners, shape.corners[:1]])
    axes.fill(*closed.T, color=FILL, linewidth=0, label="all policies")
    axes.plot(*closed.T, color=EDGE, linewidth=0.6)
    if len(shape.pareto) > 1:
        axes.plot(*shape.pareto.T, color="black", linewidth=1.4, label="Pareto edge")
    axes.plot(0, 0, "+", color="black", markersize=5, label="uniform play")
    style: dict[str, Any] = {"linestyle": "", "color": "black", "markersize": 3, "clip_on": False}
    axes.plot(*shape.proxy_optimal.T, marker=">", label="proxy-optimal", **style)
    axes.plot(*shape.true_optimal.T, marker="^", label="true-optimal", **style)


def _draw_runs(axes: Axes, records: Sequence[Record], names: tuple[str, str], recipes: Sequence[str]) -> None:
    """Draw a point a run: the marker is of the recipe, the colour of what was paid; twins are hollow, and lie below."""
    for cell, group in cells(records).items():
        axes.scatter(
            [record[names[0]] for record in group],
            [record[names[1]] for record in group],
            s=13,
            marker=marker_of(recipes.index(cell.recipe)),
            facecolors=to_rgba(COLOURS[cell.reward], FULL[cell.reward]),
            edgecolors=COLOURS[cell.reward],
            linewidths=0.8,
            clip_on=False,
            zorder=4 if cell.reward == "proxy" else 3.5,
            label=f"{cell.recipe}, {ARMS[cell.reward]}",
        )


def _view(axes: Axes, shape: Polygon, records: Sequence[Record]) -> None:
    """Show all runs and optima, and the polygon as far as a score of -2."""
    limits = []
    for axis, name in enumerate(SEVERITY):
        optima = np.concatenate([shape.proxy_optimal, shape.true_optimal])[:, axis].min()
        low = min(max(shape.corners[:, axis].min(), DEEPEST), 0.0, optima, *(record[name] for record in records))
        margin = 0.06 * (1.0 - low)
        limits.append((low - margin, 1.0 + margin))
    axes.set(xlim=limits[0], ylim=limits[1])


def _is_cut(found: dict[Place, Polygon | str], shown: Sequence[Place]) -> bool:
    return any(isinstance(each := found[place], Polygon) and each.corners.min() < DEEPEST for place in shown)


def _polygon_rows(found: dict[Place, Polygon | str], shown: Sequence[Place]) -> list[dict[str, Any]]:
    rows = []
    for place in shown:
        shape = found[place]
        for what in ("corners", "pareto", "proxy_optimal", "true_optimal"):
            for order, (proxy, true) in enumerate(getattr(shape, what).tolist()):
                row = {"what": what, **place._asdict(), "order": order, "proxy_score": proxy, "true_score": true}
                rows.append(row)
    return rows


def _run_rows(records: Sequence[Record], names: tuple[str, str]) -> list[dict[str, Any]]:
    return [
        {"what": "run", **arm(record), "seed": record["seed"], **{name: record[name] for name in names}}
        for record in records
    ]


def draw_losses(records: Sequence[Record], width: float = TEXT) -> Drawn | None:
    """Draw every seed's exploitation E and true loss L, a panel a world, hacks shaded."""
    chief = usual(records)
    defined = [record for record in chief if None not in (record["exploitation"], record["true_loss"])]
    if not defined:
        return None
    shown = most_run(defined, ROWS * abreast(width, ROWS))
    drawn = [record for record in defined if place_of(record) in shown]
    with mpl.rc_context(PAPER):
        figure, axes = panels(width, len(shown))
        for each, place in zip(axes, shown, strict=True):
            _draw_runs(each, [record for record in drawn if place_of(record) == place], LOSSES, recipes_of(drawn))
            _shade(each)
            each.set_title(titles(shown)[place])
        name_axes(axes, "exploitation E", "true loss L")
        legend(figure, axes)
    blank = {place_of(record) for record in chief} - {place_of(record) for record in defined}
    said = caption(
        "Exploitation E and true loss L of every seed, exact; a hack has E >= 0.25 and L >= 0.05",
        MEANT,
        f"{seeds(drawn)} an arm",
        others(records, chief),
        left_out("E undefined, as intended play earns all the proxy there is", _names(sorted(blank))),
        left_out("to keep to a page", _names([each for each in map(place_of, defined) if each not in shown])),
    )
    return Drawn("losses", figure, _run_rows(drawn, LOSSES), said)


def _shade(axes: Axes) -> None:
    """Frame a panel to show E from 0 to 1 at least, and all of L, and shade the hacks."""
    left, right = axes.get_xlim()
    right = max(right, 1.05)
    axes.axvline(0, color=RULE, linewidth=0.6, zorder=0)
    axes.set(xlim=(min(left, -0.1), right), ylim=(-0.05, 1.05))
    size = (right - HACK_EXPLOITATION, 1.05 - HACK_LOSS)
    axes.add_patch(Rectangle((HACK_EXPLOITATION, HACK_LOSS), *size, color=HACKS, linewidth=0, zorder=0, label="a hack"))
