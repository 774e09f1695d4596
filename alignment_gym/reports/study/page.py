"""What the report of a study says, as data: `html` renders it.

The findings come first, with what did not come out; then each world with its tables and every seed; then aggregates,
figures, details of the experiment, and what each column means.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from alignment_gym.experiments.collected import Record as Columns
from alignment_gym.experiments.collected import Trouble
from alignment_gym.metrics.statistics import RESAMPLES, Estimate
from alignment_gym.reports.markdown import counted
from alignment_gym.reports.study.aggregates import Aggregate, Arm
from alignment_gym.reports.study.drawn import Drawn
from alignment_gym.reports.study.findings import SCORES, Findings, findings
from alignment_gym.reports.study.sheets import (
    ELSEWHERE,
    GAP,
    SEEDS_OF,
    STRIP,
    Column,
    Entry,
    Sheet,
    WorldPart,
    estimated,
    world_part,
)
from alignment_gym.reports.tables import COMPARABLE, COMPETENT, Record

FILES = {
    "records.csv": "a row a run",
    "records.jsonl": "the same with what fits no column",
    "curves.jsonl.gz": "scores at checkpoints",
    "table.md": "tables as Markdown",
    "findings.md": "what came out, as Markdown",
    "latex/": "tables for a paper",
    "generalisation/": "what runs do on other levels",
}
DEFINED = ("recipe", "reward", "level", "seed", *SEEDS_OF, "worse_than_random")
NAMED = {"reward": "paid", "hack": "hacks"}
BOUNDED = {"kept": "1 - L", "own": "own score", "hack": "hacks"}
STATISTICS = {"iqm": "interquartile mean", "mean": "mean"}
CHIEF = {"hack": "mean"}  # an interquartile mean of noughts and ones says little
FEW = 5  # worlds that are named one by one
OWN_DEFINITIONS = {
    "changed": "Dials of the world, settings of the recipe and steps of training that differ from the usual ones.",
    "seeds": "How many runs the row sums up; each is trained and scored anew.",
    f"own >= {COMPETENT}": "Runs whose score of what they were paid, P or for twins T, reaches that: competence.",
    STRIP: "From 0 on the left to 1 on the right, a dot a seed, filled where it is a hack.",
    "effect on L": (
        "Misspecification effect: L of agents paid the proxy minus that of their twins, seeds unpaired. Claimed only "
        f"where the median seed of both arms reaches {COMPARABLE} of its own score."
    ),
}
ON_OTHER_LEVELS = {
    GAP: "The share 1 - L of the true range on the levels trained on, minus that on the levels tested on.",
    ELSEWHERE: "True loss on the levels tested on, which the agent was not trained on.",
}
INTERVALS = (
    "Scores are interquartile means over seeds: a quarter is cut off at either end. Their intervals are 95 % "
    f"percentile bootstrap intervals of {RESAMPLES:,} resamples, from a fixed generator.",
    "Rates are given as hits / runs with two-sided 95 % Clopper-Pearson intervals. Of a pooled count it takes all runs "
    "as draws of one rate, which worlds and recipes do not share.",
    "Intervals hold one by one, not all together. Equal seeds give an interval of no width, which is no certainty "
    "about the next seed; fewer than three give none, but for rates.",
)


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """All that the page says, in its order.

    Attributes:
        study: the study's name.
        lead: what there is, in a few sentences.
        links: files beside the page, and what they are.
        findings: what came out, and what did not.
        worlds: a part a world.
        aggregates: over worlds, a table a comparison.
        figures: with their captions.
        details: how it was done, as Markdown; empty where it is not told.
        definitions: of each column.
        intervals: how they were made.
    """

    study: str
    lead: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    findings: Findings
    worlds: tuple[WorldPart, ...]
    aggregates: tuple[Sheet, ...]
    figures: tuple[Drawn, ...]
    details: str
    definitions: tuple[tuple[str, str], ...]
    intervals: tuple[str, ...]


def page_of(
    records: Sequence[Record],
    troubles: Sequence[Trouble],
    study: str,
    files: Sequence[PurePath] = (),
    aggregates: Sequence[Aggregate] = (),
    figures: Sequence[Drawn] = (),
    details: str = "",
) -> Page:
    """Return what the report of a study says.

    Args:
        records: at least one.
        troubles: runs without a usable result; their folders are shown as they are.
        study: its name.
        files: what lies beside the page, relative to it.
        aggregates: of bounded scores over worlds.
        figures: as they are to be shown.
        details: paragraphs of Markdown.
    """
    by_world: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_world[record["env"]].append(record)
    return Page(
        study,
        _lead(records),
        _links(files),
        findings(records, troubles),
        tuple(world_part(name, by_world[name]) for name in sorted(by_world)),
        aggregate_sheets(aggregates),
        tuple(figures),
        details,
        _definitions(any("test" in record for record in records)),
        INTERVALS,
    )


def aggregate_sheets(aggregates: Sequence[Aggregate]) -> tuple[Sheet, ...]:
    """Return aggregates as tables, one for all arms that are compared on the same worlds: the statistic of each score.

    That is the interquartile mean, of hacks the mean; all others are in `aggregates.csv`.
    """
    columns = (
        *map(Column, ("recipe", "paid", "score", "statistic")),
        *(Column(name, "number") for name in ("value", "worlds", "seeds")),
    )
    compared: dict[tuple[Arm, ...], list[Aggregate]] = defaultdict(list)
    for each in aggregates:
        if each.statistic == CHIEF.get(each.score, "iqm"):
            compared[each.arms].append(each)
    return tuple(
        Sheet(f"aggregates-{number}", _compared_text(arms, group), columns, tuple(map(_aggregate_row, group)))
        for number, (arms, group) in enumerate(compared.items())
    )


def _compared_text(arms: Sequence[Arm], group: Sequence[Aggregate]) -> str:
    worlds = max((each.worlds for each in group), key=len)
    shown = f": {', '.join(worlds)}" if len(worlds) <= FEW else ""
    return f"{counted(len(arms), 'arm')} compared on {counted(len(worlds), 'world')}{shown}"


def _aggregate_row(each: Aggregate) -> tuple[Entry, ...]:
    words = (each.recipe, each.reward, BOUNDED[each.score], STATISTICS[each.statistic])
    value = estimated(Estimate(each.value, each.low, each.high), len(each.seeds))
    counts = (len(each.worlds), len(each.seeds))
    return (*map(Entry, words), value, *(Entry(str(count), count) for count in counts))


def _lead(records: Sequence[Record]) -> tuple[str, ...]:
    worlds, recipes = ({record[name] for record in records} for name in ("env", "recipe"))
    seeds = sorted({record["seed"] for record in records})
    exact = sum(bool(record["exact"]) for record in records)
    arms = tuple(sorted({record["reward"] for record in records}))
    paid = {
        ("proxy",): "Agents are paid a proxy reward.",
        ("true",): "Agents are paid the true objective.",
    }.get(arms, "Agents are paid a proxy reward, their twins the true objective.")
    said = (
        f"{counted(len(worlds), 'world')}, {counted(len(recipes), 'recipe')} and {counted(len(records), 'run')}, with "
        f"seeds from {seeds[0]} to {seeds[-1]}. {paid}"
    )
    evaluated = (
        "Returns, scores and probabilities are exact expectations of each trained policy, by dynamic programming, so "
        "that the seed is the only randomness."
        if exact == len(records)
        else f"Of {counted(len(records), 'run')} the scores of {exact} are exact; the others are means of samples."
    )
    return said, evaluated


def _links(files: Sequence[PurePath]) -> tuple[tuple[str, str], ...]:
    """Return what to link to: files at the top, and folders as wholes."""
    found = dict.fromkeys(path.name if len(path.parts) == 1 else f"{path.parts[0]}/" for path in files)
    return tuple((name, FILES.get(name, "")) for name in found)


def _definitions(tested: bool) -> tuple[tuple[str, str], ...]:
    """Return what each column means, in the words of the records' schema where they have the column."""
    told = {}
    for name in DEFINED:
        words = NAMED.get(name, SCORES.get(name, name))
        meaning = (Columns.model_fields[name].description or "").removeprefix(f"{words}: ")
        told[words] = meaning[:1].upper() + meaning[1:]
    return tuple((told | OWN_DEFINITIONS | (ON_OTHER_LEVELS if tested else {})).items())
