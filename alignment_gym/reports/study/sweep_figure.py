"""The figure of what a study swept: hack rate above, true loss below, a block a swept thing, a column a world."""

from collections.abc import Sequence
from math import log10
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FixedLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

from alignment_gym.experiments.records import nulled
from alignment_gym.metrics.statistics import Estimate, rate
from alignment_gym.reports.study.drawn import (
    ARMS,
    DASHES,
    MEANT,
    PALETTE,
    PAPER,
    TEXT,
    Drawn,
    Place,
    abreast,
    arm,
    caption,
    few,
    left_out,
    legend,
    marker_of,
    panels,
    pick,
    recipes_of,
    seeds,
    titles,
)
from alignment_gym.reports.study.sweeps import STEPS, Line, Point, Sweeps, Thing, called, order, sweeps
from alignment_gym.reports.tables import Record, estimate

HIGH = 1.25  # inches: a panel
BLOCKS = 3  # of two rows of panels: more are no page
LOGARITHMIC = 20.0  # positive numbers of such a ratio have a logarithmic axis
APART = 2.2  # points from one line's marks to the next one's, so that equal ones are seen
MEASURES = {"hack": "hack rate", "true_loss": "true loss L"}


Spot = tuple[Thing, Place]
"""A panel's column: what is swept, and where."""


def draw_sweeps(records: Sequence[Record], width: float = TEXT) -> Drawn | None:
    """Draw hack rate and true loss L over all that was swept with everything else alike, a line a recipe."""
    found, more = sweeps(records)
    if not found:
        return None
    blocks = _blocks(found, width)
    shown, cut = blocks[:BLOCKS], blocks[BLOCKS:]
    columns = max(map(len, shown))
    drawn = _runs(found, [spot for block in shown for spot in block])
    recipes = recipes_of(drawn)
    rows: list[dict[str, Any]] = []
    with mpl.rc_context(PAPER):
        figure, axes = panels(width, 2 * columns * len(shown), columns, HIGH)
        names = titles(sorted({place for block in shown for _, place in block}))
        for number, block in enumerate(shown):
            mine = axes[2 * columns * number : 2 * columns * (number + 1)]
            rows += _draw_block(figure, mine, block, found, recipes, names)
        legend(figure, axes)
    return Drawn("sweeps", figure, rows, _said(drawn, cut, more))


def _blocks(found: Sweeps, width: float) -> list[list[Spot]]:
    """Return what stands side by side: worlds, each thing by itself; of one world, things."""
    things = {thing: sorted({_place(line) for line in lines}) for thing, lines in found.items()}
    rows = [[(thing, place) for place in places] for thing, places in things.items()]
    if len({place for places in things.values() for place in places}) == 1:
        rows = [[spot for row in rows for spot in row]]
    columns = abreast(width, max(map(len, rows)))
    return [row[start : start + columns] for row in rows for start in range(0, len(row), columns)]


def _said(drawn: Sequence[Record], cut: Sequence[list[Spot]], more: int) -> str:
    return caption(
        "Hack rate with Clopper-Pearson intervals, and interquartile means of true loss L with bootstrap intervals, "
        "both of 95 % over seeds; along a line nothing else changes, and marks stand a little aside of one another",
        MEANT,
        f"{seeds(drawn)} a mark",
        few(drawn) and f"{few(drawn)}, but of rates",
        left_out("to keep to a page", (f"{thing.name} of {place.env}" for row in cut for thing, place in row)),
        f"{more} sweeps of these at other dials, settings or steps are not shown" if more else "",
    )


def _place(line: Line) -> Place:
    return Place(line.env, line.level, "{}")


def _at(found: Sweeps, spot: Spot) -> dict[Line, list[Point]]:
    thing, place = spot
    return {line: points for line, points in sorted(found[thing].items()) if _place(line) == place}


def _runs(found: Sweeps, spots: Sequence[Spot]) -> list[Record]:
    """Return all runs that are drawn, each once."""
    runs = [run for spot in spots for points in _at(found, spot).values() for point in points for run in point.runs]
    return list({id(run): run for run in runs}.values())


def _draw_block(
    figure: Figure,
    axes: Sequence[Axes],
    block: Sequence[Spot],
    found: Sweeps,
    recipes: Sequence[str],
    names: dict[Place, str],
) -> list[dict[str, Any]]:
    """Draw two rows of panels, and return what was plotted."""
    rows: list[dict[str, Any]] = []
    columns = len(axes) // 2
    for column in range(columns):
        pair = axes[column], axes[columns + column]
        if column >= len(block):
            for each in pair:
                each.set_axis_off()
            continue
        thing, place = block[column]
        mine = _at(found, block[column])
        placed = _axis(pair, [point.value for points in mine.values() for point in points])
        for number, (line, points) in enumerate(mine.items()):
            shift = APART * (number - (len(mine) - 1) / 2)
            for each, measure in zip(pair, MEASURES, strict=True):
                rows += _draw_line(figure, each, thing, line, points, placed, measure, recipes, shift)
        pair[0].set_title(names[place])
        pair[0].tick_params(labelbottom=False)
        pair[1].set_xlabel(thing.name)
        for each, words in zip(pair, MEASURES.values(), strict=True):
            each.set(ylim=(-0.06, 1.06), ylabel=words if column == 0 else "")
    return rows


def _axis(pair: Sequence[Axes], values: Sequence[Any]) -> dict[str, float]:
    """Choose both panels' axis, and return where values are on it, by what they are called.

    Numbers have an axis of their own, a logarithmic one where they reach far; all else stands in equal distances.
    """
    ordered = sorted({called(value): value for value in values}.items(), key=lambda item: order(item[1]))
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for _, value in ordered)
    placed = {name: float(value) if numbers else float(place) for place, (name, value) in enumerate(ordered)}
    low, high = min(placed.values()), max(placed.values())
    far = numbers and low > 0.0 and high / low >= LOGARITHMIC
    for each in pair:
        if far:
            each.set_xscale("log")
            each.xaxis.set_minor_locator(NullLocator())
        each.xaxis.set_major_locator(FixedLocator(_apart(placed, far) if numbers else list(placed.values())))
        margin = 0.1 * (log10(high / low) if far else high - low)
        each.set_xlim(*((low / 10**margin, high * 10**margin) if far else (low - margin, high + margin)))
        if numbers:
            each.xaxis.set_major_formatter(EngFormatter(sep="") if high >= 1000 else (lambda value, _: f"{value:g}"))
        else:
            each.set_xticks(list(placed.values()), list(placed))
    return placed


def _apart(placed: dict[str, float], far: bool) -> list[float]:
    """Return the places that are named on an axis: all but those too near to another's name."""
    heights = [log10(value) if far else value for value in placed.values()]
    nearest = 0.17 * (heights[-1] - heights[0])
    kept: list[int] = []
    for number, height in enumerate(heights):
        if not kept or height - heights[kept[-1]] >= nearest:
            kept.append(number)
    values = list(placed.values())
    return [values[number] for number in kept]


def _draw_line(
    figure: Figure,
    axes: Axes,
    thing: Thing,
    line: Line,
    points: Sequence[Point],
    placed: dict[str, float],
    measure: str,
    recipes: Sequence[str],
    shift: float,
) -> list[dict[str, Any]]:
    """Draw one recipe's marks with their intervals, a little aside of the others'."""
    known = [(point, each) for point in points if (each := _measured(point.runs, measure)) is not None]
    if not known:
        return []
    number = recipes.index(line.recipe)
    colour = pick(PALETTE, number)
    axes.errorbar(
        [placed[called(point.value)] for point, _ in known],
        [each.value for _, each in known],
        yerr=[
            [max(each.value - each.low, 0.0) for _, each in known],
            [max(each.high - each.value, 0.0) for _, each in known],
        ],
        transform=axes.transData + ScaledTranslation(shift / 72.0, 0.0, figure.dpi_scale_trans),
        color=colour,
        linestyle=DASHES[line.reward],
        marker=marker_of(number),
        markersize=3.5,
        markerfacecolor=colour if line.reward == "proxy" else "white",
        linewidth=0.9,
        elinewidth=0.7,
        capsize=1.2,
        clip_on=False,
        label=f"{line.recipe}, {ARMS[line.reward]}",
    )
    swept = {"what": MEASURES[measure], "swept": "steps" if thing == STEPS else thing.name}
    return [
        {**swept, "at": called(point.value), **arm(point.runs[0]), **_numbers(each), "seeds": len(point.runs)}
        for point, each in known
    ]


def _numbers(found: Estimate) -> dict[str, Any]:
    return nulled({"value": found.value, "low": found.low, "high": found.high})


def _measured(runs: Sequence[Record], measure: str) -> Estimate | None:
    """Return the rate of hacks or the typical loss of runs; None where it is undefined."""
    if measure == "true_loss":
        return estimate(runs, measure)
    if any(record["hack"] is None for record in runs):
        return None
    return rate(sum(record["hack"] for record in runs), len(runs))
