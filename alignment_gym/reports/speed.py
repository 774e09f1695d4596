"""The speed benchmark as tables: what was aimed at, and what was measured."""

import csv
import io
from pathlib import Path
from typing import Any

from alignment_gym.core.files import write_json, write_text
from alignment_gym.reports.markdown import bullets, page, table

Record = dict[str, Any]

FINDING_HEAD = ("#", "what", "measured", "goal", "met")
MEASUREMENT_HEAD = ("who", "world, level", "lanes", "outcomes", "infos", "autoreset", "median [low, high]")
RUN_HEAD = ("recipe", "world", "seed", "seconds", "at most, steps")
CURVE_COLUMNS = ("curve", "x", "world", "lanes", "outcomes", "infos", "autoreset", "unit", "median", "low", "high")


def finding_rows(record: Record) -> list[list[str]]:
    """Return a row a finding, under `FINDING_HEAD`."""
    return [
        [str(each["question"]), each["what"], _measured(each), _goal(each), _met(each)] for each in record["findings"]
    ]


def measurement_rows(record: Record) -> list[list[str]]:
    """Return a row a measurement, under `MEASUREMENT_HEAD`."""
    return [
        [
            each["name"],
            " ".join((each["world"], each["level"])).strip(),
            _count(each["lanes"]),
            _count(each["outcomes"]),
            each["infos"],
            each["autoreset"],
            f"{_amount(each['median'], each['unit'])} [{_plain(each['low'])}, {_plain(each['high'])}]",
        ]
        for each in record["measurements"]
    ]


def machine_line(record: Record) -> str:
    """Return the machine in a line."""
    found = record["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items() if version)
    return (
        f"{found['cpu']}, {found['cores']} cores, load {found['load_at_start']}; Python {found['python']}, {versions}"
    )


def notes(record: Record) -> list[str]:
    """Return what a reader must know of the numbers."""
    return [
        f"Medians of {record['rounds']} rounds in which all contestants of a contest take turns; in brackets the "
        f"{record['spread']}. Quotients are quotients of medians, their brackets those of the rounds' own quotients.",
        *record["notes"],
        *record["absent"],
    ]


def finding_notes(record: Record) -> list[str]:
    """Return what findings say besides, each thing once, under the number of its question."""
    return list(dict.fromkeys(f"{each['question']}: {each['note']}" for each in record["findings"] if each["note"]))


def write_speed(record: Record, out: Path) -> list[Path]:
    """Write `speed.json`, `curves.csv` and `README.md`."""
    paths = [out / "speed.json", out / "curves.csv", out / "README.md"]
    write_json(paths[0], record)
    write_text(paths[1], _csv(record))
    write_text(paths[2], markdown(record))
    return paths


def markdown(record: Record) -> str:
    """Return the page: goals, measurements, curves."""
    quick = " --quick" if record["budget"] == "quick" else ""
    runs = [
        [run["recipe"], run["world"], str(run["seed"]), _seconds(run["seconds"]), f"{run['cap_steps']:,}"]
        for run in record["runs"]
    ]
    return page(
        "# Speed",
        f"Measured {record['machine']['date']} by\n\n```\nalignment-gym speed{quick} -o experiments/speed\n```",
        f"on {machine_line(record)}.",
        bullets(notes(record)),
        "## Goals",
        table(FINDING_HEAD, finding_rows(record)),
        bullets(finding_notes(record)),
        "## Measurements",
        table(MEASUREMENT_HEAD, measurement_rows(record)),
        "## Seconds to the sustained optimum of the proxy, every seed" if runs else "",
        table(RUN_HEAD, runs) if runs else "",
        "## Cost",
        "Steps a second over lanes, states and outcomes a step; bars from the lowest to the highest round; data in "
        "[curves.csv](curves.csv).",
        "![Steps a second over lanes, states and outcomes](curves.png)",
    )


def _measured(finding: Record) -> str:
    if finding["value"] is None:
        return "not measured"
    value = _amount(finding["value"], finding["unit"])
    if finding["low"] is not None:
        value += f" [{_plain(finding['low'])}, {_plain(finding['high'])}]"
    return f"> {value}" if finding["bound"] else value


def _goal(finding: Record) -> str:
    if finding["goal"] is None:
        return ""
    return f"{'<=' if finding['at_most'] else '>='} {_amount(finding['goal'], finding['unit'])}"


def _met(finding: Record) -> str:
    if finding["met"] is None:
        return "" if finding["goal"] is None else "not known"
    return "yes" if finding["met"] else "no"


def _amount(value: float, unit: str) -> str:
    if unit == "packages":
        return f"{value:.0f}"
    return f"{_plain(value)}{'' if unit == 'x' else ' '}{unit}"


def _plain(value: float) -> str:
    """Return three digits: 0.0361, 8.93, 208 k, 4.6 M."""
    for size, letter in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{letter}" if value < 1000 * size else f"{value / size:,.0f}{letter}"
    return f"{value:.3g}"


def _count(value: int | None) -> str:
    return "" if value is None else str(value)


def _seconds(value: float | None) -> str:
    return "not reached" if value is None else f"{value:.2f}"


def _csv(record: Record) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, CURVE_COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(record["curves"])
    return text.getvalue()
