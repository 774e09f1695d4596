"""Published results, read back from the records that were committed, for the cards."""

import csv
from collections.abc import Sequence
from math import degrees
from pathlib import Path

from alignment_gym.experiments.collected import collect
from alignment_gym.experiments.geometry.descriptors import NAMES as NAMED
from alignment_gym.reports.markdown import page, short, table
from alignment_gym.reports.study.usual import usual
from alignment_gym.reports.tables import Record, cells, competent, counted, shown

RESULTS = Path("experiments", "baselines")  # below the folder that holds envs/
GEOMETRY = Path("experiments", "geometry")
NAMES = ("env", "level", "dials", "class", "class_near_optimal", "verdict")  # columns of words
WORDS = {"": None, "True": True, "False": False}
ON_CARDS = ("headroom", "drop", "onset", "initial_slope", "starc_val", "reward_correlation", "worth", "shortest")


def published(out: Path) -> list[Record]:
    """Return the committed results of recipes as they are, at default dials; none where there are none."""
    folder = out / RESULTS
    return usual(collect(folder).records) if (folder / "records.jsonl").is_file() else []


def described(out: Path) -> list[Record]:
    """Return the committed descriptors of every level, none where there are none."""
    return _rows(out / GEOMETRY / "descriptors.csv")


def _rows(path: Path) -> list[Record]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: _read(name, word) for name, word in row.items()} for row in csv.DictReader(file)]


def _read(name: str, word: str) -> bool | float | str | None:
    if name in NAMES:
        return word
    return WORDS[word] if word in WORDS else float(word)


def trained_part(records: Sequence[Record], certified: bool) -> str:
    """Return what agents did that were trained on a world; empty where none were.

    Args:
        records: results of one world.
        certified: whether there is a loophole, so that its being missed is worth saying.
    """
    if not records:
        return ""
    head = ["agent", "paid", "seeds", "own score >= 0.9", "E", "L", "hacks", "P(exploit)", "P", "T"]
    rows = [
        [
            cell.recipe,
            cell.reward,
            str(len(group)),
            f"{competent(group)}/{len(group)}",
            shown(group, "exploitation"),
            shown(group, "true_loss"),
            counted(group, "hack"),
            *(shown(group, name) for name in ("exploit_probability", "proxy_score", "true_score")),
        ]
        for cell, group in cells(records).items()
    ]
    paid = [record for record in records if record["reward"] == "proxy"]
    hacks = sum(bool(record["hack"]) for record in paid)
    found = f"Of {len(paid)} agents paid the proxy, {hacks or 'none'} hacked."
    missed = "" if hacks else " A negative result: the loophole is there, and none of them exploited it."
    return page(
        "## Trained agents",
        "Frozen recipes, exact evaluation; `true` is the twin; [all of it](../experiments/baselines/README.md).",
        table(head, rows),
        found + missed if certified and paid else "",
    )


def geometry_part(rows: Sequence[Record]) -> str:
    """Return the geometry of a world's proxy, a row a level; empty where it was not worked out."""
    if not rows:
        return ""
    head = ["level", "over all policies", "class at P >= 0.95", *(NAMED[name] for name in ON_CARDS), "angle"]
    lines = [
        [
            row["level"],
            row["verdict"],
            row["class_near_optimal"] or "none",
            *(short(row[name]) for name in ON_CARDS),
            short(None if row["angle"] is None else degrees(row["angle"])),
        ]
        for row in rows
    ]
    return page(
        "## Geometry of the proxy",
        "Exact; what each column says, and what it foretells of agents: "
        "[experiments/geometry](../experiments/geometry/table.md).",
        table(head, lines),
    )
