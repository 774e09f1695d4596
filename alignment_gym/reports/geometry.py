"""The page on geometry: every level's descriptors, what they foretell, how far severity moves, and what all that costs.

`descriptors.csv`, `severity.csv`, `cost.csv` and `fits.csv` are the data; `table.md` and the figures are made of them.
"""

from collections.abc import Mapping, Sequence
from math import nan
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl
import numpy as np

from alignment_gym.core import InvalidRun
from alignment_gym.core.files import write_text
from alignment_gym.exact.analysis import Analysis
from alignment_gym.exact.sensitivity import AS_IT_IS, Reading
from alignment_gym.experiments.collected import COLUMNS, as_csv
from alignment_gym.experiments.geometry.cost import slopes
from alignment_gym.experiments.geometry.descriptors import MEANING, NAMES
from alignment_gym.experiments.geometry.prediction import Prediction, predictions
from alignment_gym.experiments.geometry.survey import Survey
from alignment_gym.metrics.overoptimisation import Fit, fit_rl
from alignment_gym.metrics.statistics import interquartile_mean
from alignment_gym.reports.figures import STYLE, save_figure
from alignment_gym.reports.geometry_figures import cost_figure, foretold_figure, write_atlas
from alignment_gym.reports.markdown import bullets, page, short, span, table
from alignment_gym.reports.study.pressure import write_pressure
from alignment_gym.reports.tables import Record, cells, column, pressure

FACTS = (
    "env",
    "level",
    "states",
    "class",
    "class_near_optimal",
    "certified",
    "verdict",
    "vertices",
    "error",
    "seconds",
)
OUTCOMES = {
    "true_loss": "true loss L of {}, paid the proxy",
    "hacking_gap": "hacking gap H of {}, paid the proxy",
    "drop": "drop of 1 - L while {} is trained",
}
RESAMPLING_SEED = 20_261
SHOWN = (
    "loss_least",
    "loss_most",
    "surplus",
    "gap_max",
    "headroom",
    "drop",
    "onset",
    "starc_val",
    "reward_correlation",
)
Row = dict[str, Any]


def write_geometry(found: Survey, records: Sequence[Record], out: Path) -> list[Path]:
    """Write the data, `table.md`, and figures: planes, cost, what is foretold, and pressure in training.

    Args:
        found: what is exactly so.
        records: of one recipe on these levels, paid the proxy; may be empty.
        out: the folder.
    """
    check_alike(records)
    told = foretold(found.rows, records) if records else {}
    fits = fitted(records)
    severity = [{"env": env, **_reading_row(each)} for env, group in found.readings.items() for each in group]
    data = {"descriptors": found.rows, "severity": severity, "cost": found.costs, "fits": fits, "records": records}
    columns = {"descriptors": [*FACTS, *MEANING], "records": COLUMNS}
    texts = {f"{name}.csv": as_csv(rows, columns.get(name, list(rows[0]))) for name, rows in data.items() if rows}
    texts["table.md"] = markdown(found, told, fits)
    for name, text in texts.items():
        write_text(out / name, text)
    paths = [out / name for name in texts]
    with mpl.rc_context(STYLE):
        paths += save_figure(cost_figure(found.costs, slopes(found.costs)), out / "cost")
        paths += save_figure(foretold_figure(told), out / "foretold") if told else []
    panels = [(each.solution.env, each.frontier, each.curve, _agents(records, each)) for each in found.analyses]
    return [*paths, *write_atlas(panels, out / "planes"), *write_pressure(records, out)]


def check_alike(records: Sequence[Record]) -> None:
    """Refuse runs of which no level's outcome could be told: of several recipes, paid what was meant, with dials."""
    arms = {(record["recipe"], record["reward"], record["dials"]) for record in records}
    if len(arms) > 1 or any(reward != "proxy" or dials != "{}" for _, reward, dials in arms):
        found = ", ".join(sorted(f"{recipe} paid {reward}, dials {dials}" for recipe, reward, dials in arms))
        raise InvalidRun(f"the page is about one recipe, paid the proxy, at default dials; these runs are: {found}")


def _agents(records: Sequence[Record], found: Analysis) -> list[tuple[str, float, float]]:
    """Return what agents trained on a level, at default dials, were paid, and their returns."""
    place = found.solution.env, found.solution.level, "{}"
    mine = [each for each in records if (each["env"], each["level"], each["dials"]) == place]
    return [(each["reward"], each["proxy_return"], each["true_return"]) for each in mine]


def foretold(rows: Sequence[Row], records: Sequence[Record]) -> dict[str, list[Prediction]]:
    """Return, for each outcome of training, what each descriptor foretells of it, the best first."""
    reached, recipe = _outcomes(records), records[0]["recipe"]
    known = [row for row in rows if (row["env"], row["level"]) in reached]
    described = {name: [nan if row[name] is None else row[name] for row in known] for name in MEANING}
    worlds = [row["env"] for row in known]
    found = {}
    for outcome, words in OUTCOMES.items():
        values = [reached[row["env"], row["level"]][outcome] for row in known]
        rng = np.random.default_rng(RESAMPLING_SEED)
        found[words.format(recipe)] = predictions(described, values, worlds, rng)
    return {words: told for words, told in found.items() if told}


def _outcomes(records: Sequence[Record]) -> dict[tuple[str, str], dict[str, float]]:
    """Return interquartile means over seeds, by world and level; NaN where undefined."""
    found = {}
    for (env, level, *_), group in cells(records).items():
        passed = [pressure(record) or {"drop": None} for record in group]
        columns = {
            "true_loss": [record["true_loss"] for record in group],
            "hacking_gap": [record["hacking_gap"] for record in group],
            "drop": [each["drop"] for each in passed],
        }
        found[env, level] = {
            name: nan if None in values else float(interquartile_mean(np.array(values, dtype=np.float64)))
            for name, values in columns.items()
        }
    return found


def fitted(records: Sequence[Record]) -> list[Row]:
    """Return Gao's form R(d) = d (alpha - beta log d), d = sqrt(KL), fitted to each run with a hump; one row a run."""
    found = []
    for record in records:
        curve = record.get("curve") or []
        if not curve:
            continue
        moved, true = column(curve, "kl"), column(curve, "true_score")
        fit, _ = fit_rl(moved, true) if not np.isnan(true).any() else (None, "")
        if fit is not None:
            found.append({"env": record["env"], "level": record["level"], "seed": record["seed"], **_fit_row(fit)})
    return found


def _fit_row(fit: Fit) -> Row:
    return {
        "alpha": fit.alpha.value,
        "alpha_low": fit.alpha.low,
        "alpha_high": fit.alpha.high,
        "beta": fit.beta.value,
        "beta_low": fit.beta.low,
        "beta_high": fit.beta.high,
        "residual": fit.residual,
        "r_squared": fit.r_squared,
        "peak_distance": fit.peak_distance,
    }


def _reading_row(found: Reading) -> Row:
    return {name: getattr(found, name) for name in Reading.__dataclass_fields__}


def markdown(found: Survey, told: Mapping[str, Sequence[Prediction]], fits: Sequence[Row]) -> str:
    """Return all tables."""
    return page(
        "Exact, but for what agents did; generated by `alignment-gym geometry`.",
        "## Every level",
        _levels(found.rows),
        _foretold_part(told),
        "## How far severity moves",
        "Proxy-optimal play of three worlds, as they are and with one thing changed at a time; ranges are over the "
        "changes of one kind. True loss L needs no reference; T and H are measured from uniform play.",
        _severity(found.readings),
        _fits_part(fits),
        _costs_part(found.rows, found.costs),
    )


def _levels(rows: Sequence[Row]) -> str:
    head = ["world", "level", "states", "class", "near", *(NAMES[name] for name in SHOWN), "angle"]
    lines = [
        [
            row["env"],
            row["level"],
            str(row["states"]),
            row["class"] or "none",
            row["class_near_optimal"] or "none",
            *(short(row[name]) for name in SHOWN),
            short(None if row["angle"] is None else float(np.degrees(row["angle"]))),
        ]
        for row in rows
    ]
    meanings = [f"*{NAMES[name]}*: {MEANING[name]}." for name in SHOWN]
    return page(
        table(head, lines),
        bullets([*meanings, "*near*: the class among policies with P >= 0.95.", "*angle*: projected, in degrees."]),
    )


def _foretold_part(found: Mapping[str, Sequence[Prediction]]) -> str:
    parts = ["## What is foretold"] if found else []
    for outcome, predictions_ in found.items():
        lines = [
            [
                MEANING[each.descriptor],
                f"{each.correlation:+.2f} [{each.low:+.2f}, {each.high:+.2f}]",
                short(each.best),
                f"{each.levels}",
                f"{each.worlds}",
            ]
            for each in predictions_
        ]
        parts.append(f"**{outcome[0].upper()}{outcome[1:]}**, interquartile mean over seeds:")
        head = ["descriptor", "Spearman's rank correlation over levels", "best in resamples", "levels", "worlds"]
        parts.append(table(head, lines))
    if parts:
        parts.append(
            "Intervals are 95 % percentile intervals of 10,000 resamples of worlds, each with all its levels, and of a "
            "descriptor chosen beforehand, not of the best of so many. *Best in resamples*: how often no other "
            "correlation was larger, either way, among descriptors that are defined on nearly all levels, compared on "
            "those that they share; the others stand below them."
        )
    return page(*parts) if parts else ""


def _severity(readings: Mapping[str, Sequence[Reading]]) -> str:
    lines = []
    for env, group in readings.items():
        for changed in dict.fromkeys(each.changed for each in group):
            mine = [each for each in group if each.changed == changed]
            lines.append(
                [
                    env,
                    changed if changed == AS_IT_IS else f"{changed} ({len(mine)})",
                    span(min(each.loss_low for each in mine), max(each.loss_high for each in mine)),
                    span(min(each.score_low for each in mine), max(each.score_high for each in mine)),
                    span(min(each.gap_max for each in mine), max(each.gap_max for each in mine)),
                ]
            )
    return table(["world", "changed", "L", "T", "H max"], lines)


def _fits_part(fits: Sequence[Row]) -> str:
    if not fits:
        return ""
    lines = []
    for env, level in dict.fromkeys((row["env"], row["level"]) for row in fits):
        mine = [row for row in fits if (row["env"], row["level"]) == (env, level)]
        middle = [f"{median(row[name] for row in mine):.3g}" for name in ("alpha", "beta", "residual", "r_squared")]
        lines.append([env, level, str(len(mine)), *middle])
    return page(
        "## Gao's form, where there is a hump",
        "R(d) = d (α - β log d) with d = sqrt(KL), fitted to the true score T over checkpoints of each run whose true "
        "share rises and falls again; medians over such runs. The residual is the root mean square, in units of T. "
        "After L. Gao, J. Schulman, J. Hilton (2022), arXiv:2210.10760, as summarised elsewhere.",
        table(["world", "level", "runs", "α", "β", "residual", "R²"], lines),
    )


def _costs_part(rows: Sequence[Row], costs: Sequence[Row]) -> str:
    seconds = [row["seconds"] for row in rows]
    lines = [
        [family, part, f"{slope:.2f}", f"{max(_seconds(costs, family, part)):.2f}"]
        for (family, part), slope in slopes(list(costs)).items()
    ]
    slowest = max(rows, key=lambda row: row["seconds"]) if rows else None
    return page(
        "## What it costs",
        f"Compiling a level and everything that `solve` prints without `--geometry`: {median(seconds):.2f} processor "
        f"seconds in the median, {max(seconds):.2f} at most ({slowest['env']} {slowest['level']})."
        if slowest
        else "",
        table(["family", "part", "slope of log seconds over log states", "seconds at most"], lines) if lines else "",
    )


def _seconds(costs: Sequence[Row], family: str, part: str) -> list[float]:
    return [row["seconds"] for row in costs if (row["family"], row["part"]) == (family, part)]
