"""What figures of studies share: their size and style on paper, which runs stand for a study, and how they are written.

A figure for a paper is as wide as a column or the text of a page; its caption says what is shown, of how many seeds,
with which intervals and what is left out; its data are enough to draw it anew.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from alignment_gym.core.files import replacing, write_text
from alignment_gym.experiments.collected import as_csv
from alignment_gym.metrics.statistics import FEWEST
from alignment_gym.reports.figures import COLOURS, MARKERS, PNG_DPI, STYLE
from alignment_gym.reports.geometry_figures import printer
from alignment_gym.reports.tables import Record, cells

COLUMN, TEXT = 3.25, 6.75  # inches: of a column, and of the text of a page
WIDTHS: Mapping[str, float] = {"column": COLUMN, "text": TEXT}
NARROWEST = 1.6  # inches: a panel's width
LOWEST, HIGHEST = 1.3, 2.4  # inches: a panel's height
ROWS = 6  # of panels: more are no page
LETTERS = 17  # of small print, an inch
PAPER: dict[Any, Any] = {
    **STYLE,
    "pdf.fonttype": 42,  # fonts embedded as they are, which publishers ask for
    "font.size": 7,
    "axes.titlesize": 7.5,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
}
# Okabe and Ito; those that say what was paid come last
PALETTE = ("#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", COLOURS["proxy"], COLOURS["true"])
DASHES = {"proxy": "-", "true": (0, (3, 1.5))}
ARMS = {"proxy": "proxy", "true": "twin"}
MEANT = "Proxy: agents paid the proxy; twin: agents paid what was meant"
INTERVALS = "interquartile means over seeds with 95 % bootstrap intervals"

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A figure of a study.

    Attributes:
        name: its kind, such as `plane`.
        figure: as it is printed; print it with the style `PAPER`, as `write_drawn` does.
        data: what is plotted, a dictionary a row, in long format: `what` says what a row is.
        caption: what is shown, of how many seeds, with which intervals, and what is left out.
    """

    name: str
    figure: Figure
    data: list[dict[str, Any]]
    caption: str


class Draws(Protocol):
    """What draws a kind of figure."""

    def __call__(self, records: Sequence[Record], width: float = TEXT) -> Drawn | None:
        """Return the figure, so many inches wide; None where the records have nothing to show."""


class Place(NamedTuple):
    """A world's level at some dials, as JSON: what a panel is of."""

    env: str
    level: str
    dials: str


def place_of(record: Record) -> Place:
    """Return where a run took place."""
    return Place(record["env"], record["level"], record["dials"])


def most_run(records: Sequence[Record], most: int) -> list[Place]:
    """Return at most so many places, in order: those with the most runs, of equally many the first by name."""
    counts = Counter(map(place_of, records))
    return sorted(sorted(counts, key=lambda place: (-counts[place], place))[:most])


def recipes_of(records: Iterable[Record]) -> list[str]:
    """Return the names of recipes, in order; their places choose colours and markers."""
    return sorted({record["recipe"] for record in records})


def pick(choices: Sequence[Value], number: int) -> Value:
    """Return a colour or marker by its number, from the front again where there are no more."""
    return next(islice(cycle(choices), number, None))


def marker_of(number: int) -> str:
    """Return a recipe's marker."""
    return pick(MARKERS, number)


def abreast(width: float, count: int) -> int:
    """Return how many panels go side by side."""
    return max(min(int(width / NARROWEST), count), 1)


def panels(width: float, count: int, columns: int | None = None, highest: float = HIGHEST) -> tuple[Figure, list[Axes]]:
    """Return a figure of so many panels, as many abreast as can be read."""
    columns = columns or abreast(width, count)
    rows = -(-count // columns)
    height = min(max(0.85 * width / columns, LOWEST), highest)
    figure = Figure(figsize=(width, height * rows + 0.3), layout="constrained")
    found: list[Axes] = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in found:
        axes.tick_params(labelsize=7, width=0.6, length=2.5)
    for axes in found[count:]:
        axes.set_axis_off()
    return figure, found[:count]


def name_axes(shown: Sequence[Axes], across: str, up: str) -> None:
    """Name the axes at the left and at the lower edge of a grid that panels fill row by row."""
    columns = max(axes.get_subplotspec().get_gridspec().ncols for axes in shown)  # type: ignore[union-attr]
    for number, axes in enumerate(shown):
        if number % columns == 0:
            axes.set_ylabel(up)
        if number + columns >= len(shown):
            axes.set_xlabel(across)


def legend(figure: Figure, shown: Sequence[Axes]) -> None:
    """Say below all panels what is drawn in any of them, each once, no wider than the figure; room is made for it."""
    named: dict[str, Any] = {}
    for axes in shown:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    longest = max(map(len, named), default=0) + 6  # with its line or marker
    columns = max(min(int(figure.get_figwidth() * LETTERS / longest), len(named)), 1)
    rows = -(-len(named) // columns)
    figure.set_figheight(figure.get_figheight() + 0.15 * rows)
    figure.legend(
        list(named.values()),
        list(named),
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        fontsize=7,
        handlelength=2.6,
        columnspacing=1.2,
        labelspacing=0.3,
    )


def titles(places: Sequence[Place]) -> dict[Place, str]:
    """Return what panels are called: the world; its level and dials too, where one world has several panels."""
    counts = Counter(place.env for place in places)
    return {place: place.env if counts[place.env] == 1 else "\n".join(_words(place)) for place in places}


def _words(place: Place) -> list[str]:
    dials = "" if place.dials == "{}" else " " + place.dials.strip("{}").replace('"', "").replace(": ", "=")
    return [place.env, place.level + dials]


def seeds(records: Sequence[Record]) -> str:
    """Say how many seeds the cells have."""
    counts = {len(group) for group in cells(records).values()}
    low, high = min(counts), max(counts)
    return f"{low} seed{'s' * (low > 1)}" if low == high else f"{low} to {high} seeds"


def caption(*sentences: str) -> str:
    """Return what is to be said; empty sentences are none."""
    return " ".join(f"{each}." for each in sentences if each)


def few(records: Sequence[Record]) -> str:
    """Say that cells of too few seeds have no interval; the empty string where there are none."""
    counts = sorted({len(group) for group in cells(records).values() if len(group) < FEWEST})
    return f"No interval from {' or '.join(map(str, counts))} seed{'s' * (counts != [1])}" if counts else ""


def left_out(why: str, names: Iterable[str]) -> str:
    """Say what is left out, and why; the empty string where it is nothing."""
    found = ", ".join(names)
    return f"Left out, {why}: {found}" if found else ""


def others(records: Sequence[Record], kept: Sequence[Record]) -> str:
    """Say how many runs do not stand for the study."""
    count = len(records) - len(kept)
    return f"{count} runs at other dials, settings or steps are left out" if count else ""


def arm(record: Record) -> dict[str, Any]:
    """Return what tells a run's cell from others, for a row of data."""
    return {name: record[name] for name in ("env", "level", "dials", "recipe", "settings", "reward", "steps")}


def write_drawn(drawn: Drawn, path: Path) -> Path:
    """Write a figure as the PDF, SVG or PNG that the path names; equal figures are equal files.

    Raises:
        CannotDraw: an unknown suffix, or no folder to write to.
    """
    prints = printer(path)
    with mpl.rc_context(PAPER), replacing(path) as temporary:
        drawn.figure.set_dpi(PNG_DPI)
        prints(drawn.figure, temporary)
    return path


def write_data(drawn: Drawn, path: Path) -> Path:
    """Write what is plotted as CSV, in long format; a cell is empty where a row has no such number."""
    columns = list(dict.fromkeys(name for row in drawn.data for name in row))
    write_text(path, as_csv(drawn.data, columns))
    return path
