"""What agents pursue on levels they were not trained on: records, a table and one figure.

Shares are of a return's range over all policies, 0 at the worst and 1 at the best: n = 1 - L of the true objective, B
of the behavioural goal that training can't tell from it. Each level has its own exact anchors; see `exact.levels`.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from math import nan
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from alignment_gym.core import InvalidRun, dials, world_class
from alignment_gym.core.files import write_text
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.exact import evaluate_levels, uniform
from alignment_gym.experiments.collected import as_csv
from alignment_gym.reports.figures import MARKERS, STYLE, save_figure
from alignment_gym.reports.markdown import page, table
from alignment_gym.reports.tables import Record, estimate, shown

SWEPT = "diversity"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")  # Okabe and Ito
COLUMNS = (
    "env",
    "level",
    "levels_scored",
    SWEPT,
    "test_level",
    "recipe",
    "reward",
    "steps",
    "seed",
    "train_share",
    "test_share",
    "train_behaviour",
    "test_behaviour",
    "generalisation_gap",
    "misgeneralisation_train",
    "misgeneralisation_test",
    "test_true_return",
    "test_true_score",
    "test_unseen_observations",
    "dials",
    "key",
)
PANELS = {"test_share": "true objective, share n", "test_behaviour": "behavioural goal, share B"}

Reference = dict[tuple[str, str], dict[str, float]]
"""By environment and test levels, by the name of a column."""

Place = tuple[str, str, str, int, float]
"""Environment, recipe, reward, number of levels trained on, diversity."""


def write_generalisation(records: Sequence[Record], out: Path) -> list[Path]:
    """Write `generalisation.csv`, `table.md` and the figure of runs that were tested on other levels.

    Raises:
        InvalidRun: runs in one world that differ in their test levels, or in dials other than `diversity`.
    """
    rows = [flat(record) for record in records]
    _check_alike(rows)
    reference = uniform_play(rows)
    paths = [out / "generalisation.csv", out / "table.md"]
    write_text(paths[0], as_csv(rows, COLUMNS))
    write_text(paths[1], markdown(rows, reference))
    arms = sorted({(row["recipe"], row["reward"]) for row in rows})
    for arm in arms:
        mine = [row for row in rows if (row["recipe"], row["reward"]) == arm]
        name = "generalisation" if len(arms) == 1 else "-".join(("generalisation", *arm)).replace(":", "-")
        with mpl.rc_context(STYLE):
            paths += save_figure(curves(mine, reference), out / name)
    return paths


def flat(record: Record) -> Record:
    """Return a run's result as one row: the training set's scores and the test set's side by side."""
    test = record["test"]
    return record | {
        SWEPT: _diversity(record),
        "train_share": _kept(record),
        "test_share": _kept(test),
        "train_behaviour": (record["behaviour"] or {}).get("share"),
        "test_behaviour": (test["behaviour"] or {}).get("share"),
        "test_true_return": test["true_return"],
        "test_true_score": test["true_score"],
        "test_unseen_observations": test["unseen_observations"],
    }


def _check_alike(rows: Sequence[Record]) -> None:
    for env in dict.fromkeys(row["env"] for row in rows):
        found = {(row["test_level"], json.dumps(_others(row), sort_keys=True)) for row in rows if row["env"] == env}
        if len(found) > 1:
            raise InvalidRun(f"runs in {env} were tested in different ways, so no table has them all: {sorted(found)}")


def _others(row: Record) -> dict[str, Any]:
    """Return a run's dials but for the one that is swept."""
    return {name: value for name, value in json.loads(row["dials"]).items() if name != SWEPT}


def uniform_play(rows: Sequence[Record]) -> Reference:
    """Return what uniform play reaches on each world's test levels."""
    found = {}
    for env, level in dict.fromkeys((row["env"], row["test_level"]) for row in rows):
        others = next(_others(row) for row in rows if (row["env"], row["test_level"]) == (env, level))
        mdp = as_mdp(env, level=level, **others)
        scored = evaluate_levels(uniform(mdp), mdp)
        behaviour = scored.behaviour.share if scored.behaviour else nan
        found[env, level] = {"test_share": 1.0 - scored.mean.scores.true_loss, "test_behaviour": behaviour}
    return found


def markdown(rows: Sequence[Record], reference: Reference) -> str:
    """Return a table of cells, and what uniform play reaches."""
    head = ["world", "levels", SWEPT, "recipe", "paid", "seeds", "n train", "n test", "B test", "gap", "B - n test"]
    names = ("train_share", "test_share", "test_behaviour", "generalisation_gap", "misgeneralisation_test")
    lines = [
        [env, str(levels), f"{swept:g}", recipe, reward, str(len(group)), *(shown(group, name) for name in names)]
        for (env, recipe, reward, levels, swept), group in sorted(places(rows).items())
    ]
    uniform_lines = [[*where, *(f"{found[name]:.2f}" for name in PANELS)] for where, found in reference.items()]
    return page(
        "Interquartile means over seeds with 95 % bootstrap intervals. Exact evaluation: the seed is the only "
        "randomness. n = 1 - L is the share of the true objective's range, B that of the behavioural goal's, each of "
        "mean returns between the levels' mean anchors. The gap is n on the training levels minus n on the test "
        "levels.",
        table(head, lines),
        "Uniform play on the same test levels:",
        table(["world", "levels", "n", "B"], uniform_lines),
    )


def places(rows: Sequence[Record]) -> dict[Place, list[Record]]:
    """Group rows by everything but the seed."""
    grouped: dict[Place, list[Record]] = defaultdict(list)
    for row in rows:
        grouped[row["env"], row["recipe"], row["reward"], row["levels_scored"], row[SWEPT]].append(row)
    return dict(grouped)


def curves(rows: Sequence[Record], reference: Reference) -> Figure:
    """Draw both shares on the test levels over diversity: a column a world, a line a number of training levels."""
    worlds, counts = (sorted({row[name] for row in rows}) for name in ("env", "levels_scored"))
    ticks = sorted({row[SWEPT] for row in rows})
    figure = Figure(figsize=(3.2 * len(worlds), 4.4), layout="constrained")
    panels: Any = figure.subplots(len(PANELS), len(worlds), squeeze=False, sharex=True, sharey=True)
    for column, world in enumerate(worlds):
        for axes, (name, share) in zip(panels[:, column], PANELS.items(), strict=True):
            for number, count in enumerate(counts):
                mine = [row for row in rows if (row["env"], row["levels_scored"]) == (world, count)]
                _draw(axes, mine, name, number, ticks)
            for number, level in enumerate(sorted({level for env, level in reference if env == world})):
                words = "uniform play" if number == 0 else None
                axes.axhline(reference[world, level][name], color="#999999", linewidth=0.8, linestyle=":", label=words)
            axes.set(ylim=(-0.05, 1.05), xticks=range(len(ticks)), xticklabels=[f"{tick:g}" for tick in ticks])
            if column == 0:
                axes.set_ylabel(f"{share}\non test levels")
        panels[0][column].set_title(world)
        panels[-1][column].set_xlabel("diversity of the training levels")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    return figure


def _draw(axes: Axes, rows: Sequence[Record], name: str, number: int, ticks: Sequence[float]) -> None:
    """Draw one number of levels: each seed as a dot, the interquartile mean with its interval as a line."""
    colour, shift = COLOURS[number % len(COLOURS)], 0.08 * (number - 1)
    grouped = sorted((place[-1], group) for place, group in places(rows).items())
    known = [(ticks.index(swept) + shift, estimate(group, name), group) for swept, group in grouped]
    found = [(x, each, group) for x, each, group in known if each is not None]
    for x, _, group in found:
        axes.plot([x] * len(group), [row[name] for row in group], ".", color=colour, markersize=3, alpha=0.45)
    count = rows[0]["levels_scored"] if rows else 0
    axes.errorbar(
        [x for x, _, _ in found],
        [each.value for _, each, _ in found],
        yerr=[[each.value - each.low for _, each, _ in found], [each.high - each.value for _, each, _ in found]],
        color=colour,
        marker=MARKERS[number % len(MARKERS)],
        markersize=4,
        linewidth=1,
        capsize=2,
        label=f"{count} training level{'s' * (count != 1)}",
    )


def _kept(record: Record) -> float | None:
    """Return n = 1 - L, None where it is undefined."""
    return None if record["true_loss"] is None else 1.0 - record["true_loss"]


def _diversity(record: Record) -> float:
    """Return a run's diversity, the world's default where it is not changed, 0 where the world has no such dial."""
    known = {each.name: each.default for each in dials(world_class(record["env"]))}
    return float(json.loads(record["dials"]).get(SWEPT, known.get(SWEPT, 0.0)))
