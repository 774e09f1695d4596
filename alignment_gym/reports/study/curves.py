"""Learning curves of a study: what happens to proxy and true score while agents are trained on one of them.

Every seed is a thin line, the interquartile mean a thick one with its interval. A panel is of one world, recipe and
reward; agents paid the proxy and their twins stand side by side, at one scale.
"""

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, MaxNLocator

from alignment_gym.experiments.records import nulled
from alignment_gym.metrics.statistics import typical
from alignment_gym.reports.figures import RULE
from alignment_gym.reports.study.drawn import (
    ARMS,
    INTERVALS,
    MEANT,
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
    name_axes,
    others,
    panels,
    place_of,
    seeds,
    titles,
)
from alignment_gym.reports.study.usual import usual
from alignment_gym.reports.tables import BOOTSTRAP_SEED, Record, column

PANELS = 12
CHOICES = (("proxy_score", "true_score"), ("exploitation", "true_loss"), ("true_loss",))  # the first that is defined
LINES: dict[str, tuple[str, Any, str]] = {  # Okabe and Ito; told apart by dashes too
    "proxy_score": ("#D55E00", "-", "proxy score P"),
    "true_score": ("#0072B2", (0, (3, 1.2)), "true score T"),
    "exploitation": ("#CC79A7", (0, (5, 1.2, 1, 1.2)), "exploitation E"),
    "true_loss": ("#000000", (0, (1, 1)), "true loss L"),
}
LOWEST_SHOWN = -2.0
CUT = "Scores below -2 are cut off, unless agents end there"
RULE_OF_CHOICE = (
    "those with the most runs, and of equally many the first by name; each world with one recipe before any has two"
)


class Pair(NamedTuple):
    """A world and a recipe: agents paid the proxy, and their twins."""

    place: Place
    recipe: str


def draw_curves(records: Sequence[Record], width: float = TEXT) -> Drawn | None:
    """Draw P and T over steps, E and L where these are undefined, a panel a world, recipe and reward."""
    chief = usual(records)
    pairs = _pairs([record for record in chief if len(record.get("curve") or []) > 1])
    if not pairs:
        return None
    rewards = sorted({record["reward"] for group in pairs.values() for record in group})  # the proxy first
    shown = dict(list(pairs.items())[: PANELS // len(rewards)])
    drawn = [record for group in shown.values() for record in group]
    rows: list[dict[str, Any]] = []
    with mpl.rc_context(PAPER):
        columns = max(abreast(width, PANELS) // len(rewards), 1) * len(rewards)
        figure, axes = panels(width, len(shown) * len(rewards), min(columns, len(shown) * len(rewards)))
        for number, (pair, group) in enumerate(shown.items()):
            found = axes[len(rewards) * number : len(rewards) * (number + 1)]
            rows += _draw_pair(found, pair, group, rewards, titles([each.place for each in _alike(shown, pair)]))
        name_axes(axes, "environment steps", "score")
        legend(figure, axes)
    fewer = f"{len(shown)} of {len(pairs)} pairs of a world and a recipe: {RULE_OF_CHOICE}"
    said = caption(
        f"Exact scores while agents are trained: every seed thin, {INTERVALS} thick",
        MEANT,
        CUT if any(row["value"] < LOWEST_SHOWN for row in rows) else "",
        f"{seeds(drawn)} an arm",
        few(drawn),
        others(records, chief),
        _unfollowed(chief, pairs),
        fewer if len(shown) < len(pairs) else "",
    )
    return Drawn("curve", figure, rows, said)


def _unfollowed(chief: Sequence[Record], pairs: Collection[Pair]) -> str:
    """Say which recipes have no panel, as they were scored at the end of training alone."""
    drawn = {pair.recipe for pair in pairs}
    known = {record["recipe"] for record in chief if record.get("curve")}
    return left_out("scored at the end of training alone, so that there is no curve", sorted(known - drawn))


def _pairs(records: Sequence[Record]) -> dict[Pair, list[Record]]:
    """Return runs by world and recipe, in the order in which they are chosen.

    First every world with its recipe of the most runs in all, then every world with its second, and so on.
    """
    found: dict[Pair, list[Record]] = {}
    for record in records:
        found.setdefault(Pair(place_of(record), record["recipe"]), []).append(record)
    totals: dict[str, int] = {}
    for pair, group in found.items():
        totals[pair.recipe] = totals.get(pair.recipe, 0) + len(group)
    runs = {pair: len(group) for pair, group in found.items()}
    ordered = sorted(found, key=lambda pair: (pair.place, -totals[pair.recipe], pair.recipe))
    ranks = {pair: rank for _, group in groupby(ordered, lambda pair: pair.place) for rank, pair in enumerate(group)}
    return {pair: found[pair] for pair in sorted(found, key=lambda pair: (ranks[pair], -runs[pair], pair))}


def _alike(shown: dict[Pair, list[Record]], pair: Pair) -> list[Pair]:
    return [each for each in shown if each.recipe == pair.recipe]


def _draw_pair(
    axes: Sequence[Axes], pair: Pair, group: Sequence[Record], rewards: Sequence[str], called: dict[Place, str]
) -> list[dict[str, Any]]:
    """Draw the panels of a world and a recipe, at one scale, and return what was plotted."""
    rows, names = [], _defined(group)
    for each, reward in zip(axes, rewards, strict=True):
        mine = [record for record in group if record["reward"] == reward]
        if not mine:
            each.set_axis_off()
            continue
        for name in names:
            rows += _draw_score(each, mine, name)
        each.axhline(0, color=RULE, linewidth=0.5, zorder=0)
        each.set_title(f"{called[pair.place]}\n{pair.recipe}, {ARMS[reward]}")
        each.xaxis.set_major_formatter(EngFormatter(sep=""))
        each.xaxis.set_major_locator(MaxNLocator(3))
        each.set_xlim(0, None)
    low = min([_floor(group, names)] + [max(row["value"], LOWEST_SHOWN) for row in rows])
    for each in axes:
        each.set_ylim(low - 0.05 * (1.0 - low), 1.0 + 0.05 * (1.0 - low))
    return rows


def _floor(group: Sequence[Record], names: Sequence[str]) -> float:
    """Return the lowest score at the end of training, at most 0: all ends are in view."""
    return min([0.0] + [float(record["curve"][-1][name]) for record in group for name in names])


def _defined(group: Sequence[Record]) -> tuple[str, ...]:
    """Return which scores are drawn: the first choice that is defined at every checkpoint."""
    lines = [line for record in group for line in record["curve"]]
    return next((names for names in CHOICES if all(line[name] is not None for line in lines for name in names)), ())


def _draw_score(axes: Axes, group: Sequence[Record], name: str) -> list[dict[str, Any]]:
    """Draw one score of one cell: seeds, interquartile means at the checkpoints that all seeds have, intervals."""
    colour, dashes, words = LINES[name]
    rows = []
    for record in group:
        steps, values = column(record["curve"], "step"), column(record["curve"], name)
        axes.plot(steps, values, color=colour, linewidth=0.35, alpha=0.45, zorder=1)
        rows += [
            {"what": "seed", **arm(record), "seed": record["seed"], "step": int(step), "score": name, "value": value}
            for step, value in zip(steps, values.tolist(), strict=True)
        ]
    found = _means(group, name)
    steps = np.array(list(found))
    low, high = (np.array([getattr(each, end) for each in found.values()]) for end in ("low", "high"))
    axes.fill_between(steps, low, high, color=colour, alpha=0.25, linewidth=0, zorder=2)
    means = [each.value for each in found.values()]
    axes.plot(steps, means, color=colour, linestyle=dashes, linewidth=1.3, zorder=3, label=words)
    for step, each in found.items():
        span = nulled({"value": each.value, "low": each.low, "high": each.high, "seeds": len(group)})
        rows.append({"what": "interquartile mean", **arm(group[0]), "step": step, "score": name, **span})
    return rows


def _means(group: Sequence[Record], name: str) -> dict[int, Any]:
    known = [{line["step"]: line[name] for line in record["curve"]} for record in group]
    shared = sorted(set.intersection(*(set(each) for each in known)))
    return {step: typical([each[step] for each in known], np.random.default_rng(BOOTSTRAP_SEED)) for step in shared}
