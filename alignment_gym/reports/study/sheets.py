"""Tables as data: entries that know by what they sort, and the tables of one world, every seed among them."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from alignment_gym.metrics.statistics import Estimate
from alignment_gym.reports.markdown import counted, spoken
from alignment_gym.reports.study.findings import (
    DEFAULT,
    SCORES,
    Count,
    card_of,
    certified,
    changes,
    hacks,
    learned_text,
    own_scores,
    reason,
)
from alignment_gym.reports.study.usual import usual_cells
from alignment_gym.reports.tables import (
    COMPETENT,
    Cell,
    Record,
    cells,
    competent,
    default_text,
    estimate,
    misspecification_effect,
)

UNDEFINED = "undefined"
NOTHING = "–"  # an undefined score in the list of seeds
SEEDS_OF = ("exploitation", "true_loss", "hack", "exploit_probability", "proxy_score", "true_score", "hacking_gap")
STRIP = "L of each seed"
GAP = "gap to other levels"
ELSEWHERE = "L, other levels"


class Dot(NamedTuple):
    """A seed in a strip: where between 0 and 1, and whether it hacked."""

    place: float
    filled: bool


class Entry(NamedTuple):
    """What a cell of a table says, the number that it sorts by, and dots that are drawn in it."""

    text: str
    order: float | None = None
    dots: tuple[Dot, ...] = ()


class Column(NamedTuple):
    """A column's heading, and whether it holds words, numbers or dots."""

    name: str
    kind: Literal["words", "number", "dots"] = "words"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: the first column names the row."""

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Entry, ...], ...]


@dataclass(frozen=True, slots=True)
class WorldPart:
    """What is said of one world: tables of headline cells, of sweeps, of each seed; and what is undefined, and why."""

    name: str
    about: str
    notes: tuple[str, ...]
    main: tuple[Sheet, ...]
    swept: tuple[Sheet, ...]
    seeds: Sheet


Group = Sequence[Record]
Told = Callable[[Cell, Group], Entry]


def world_part(name: str, records: Sequence[Record]) -> WorldPart:
    """Return what is said of one world, of whose runs there is at least one."""
    found = cells(records)
    grouped = {cell: found[cell] for cell in sorted(found, key=_natural)}
    main = usual_cells(grouped)
    swept = {cell: group for cell, group in grouped.items() if cell not in main}
    card = card_of(name)
    return WorldPart(
        name,
        card.title if card else "",
        _notes(name, records),
        _sheets(name, main, grouped, main, ""),
        _sheets(name, swept, grouped, main, ", sweeps") if swept else (),
        _seeds(name, grouped, main),
    )


def estimated(found: Estimate | None, seeds: int, why_not: str = UNDEFINED, values: Sequence[float] = ()) -> Entry:
    """Return an estimate of so many seeds as an entry that sorts by its value."""
    return Entry(spoken(found, seeds, values), round(found.value, 6)) if found else Entry(why_not)


def scored(group: Group, name: str) -> Entry:
    """Return a cell's interquartile mean of one score as an entry."""
    found = estimate(group, name)
    return estimated(found, len(group), values=[record[name] for record in group] if found else ())


def count_entry(count: Count) -> Entry:
    """Return a count as an entry that sorts by its rate."""
    return Entry(str(count), round(count.hits / count.trials, 6)) if count.trials else Entry(UNDEFINED)


def _sheets(
    name: str,
    shown: dict[Cell, list[Record]],
    grouped: dict[Cell, list[Record]],
    main: dict[Cell, list[Record]],
    suffix: str,
) -> tuple[Sheet, ...]:
    """Return some cells' headline table, their severity, and the misspecification effect where there are twins."""

    def score(of: str) -> Told:
        return lambda _, group: scored(group, of)

    headline: dict[Column, Told] = {
        Column("E", "number"): score("exploitation"),
        Column("L", "number"): score("true_loss"),
        Column("hacks", "number"): lambda _, group: count_entry(hacks(group)),
        Column("P(exploit)", "number"): score("exploit_probability"),
        Column(f"own >= {COMPETENT}", "number"): lambda _, group: _learned(group),
        Column(STRIP, "dots"): lambda _, group: _strip(group),
    }
    severity: dict[Column, Told] = {
        Column("P", "number"): score("proxy_score"),
        Column("T", "number"): score("true_score"),
        Column("H", "number"): score("hacking_gap"),
        Column("worse than random", "number"): lambda _, group: _worse(group),
    }
    if any("test" in record for group in shown.values() for record in group):
        severity[Column(GAP, "number")] = lambda _, group: _gap(group)
    effect: dict[Column, Told] = {
        Column("effect on L", "number"): lambda cell, group: _effect(group, grouped[cell._replace(reward="true")])
    }
    paired = {
        cell: group
        for cell, group in shown.items()
        if cell.reward == "proxy" and cell._replace(reward="true") in grouped
    }
    parts = (
        ("headline", "Exploitation and true loss", headline, shown),
        ("severity", "Severity, against uniform play", severity, shown),
        ("effect", "Misspecification effect", effect, paired),
    )
    return tuple(
        _sheet(f"{name}-{kind}{suffix and '-swept'}", f"{caption}{suffix}", told, chosen, main)
        for kind, caption, told, chosen in parts
        if chosen
    )


def _sheet(
    name: str, caption: str, told: dict[Column, Told], shown: dict[Cell, list[Record]], main: dict[Cell, list[Record]]
) -> Sheet:
    """Return a row a cell: what it is, how many seeds, and what is told of it."""
    naming = _naming(shown, main)
    columns = (*naming, Column("seeds", "number"), *told)
    rows = tuple(
        (
            *(Entry(words) for words in (say(cell) for say in naming.values())),
            Entry(str(len(group)), len(group)),
            *(say(cell, group) for say in told.values()),
        )
        for cell, group in shown.items()
    )
    return Sheet(name, caption, columns, rows)


def _naming(shown: dict[Cell, list[Record]], main: dict[Cell, list[Record]]) -> dict[Column, Callable[[Cell], str]]:
    """Return the columns that name a cell: its level and its changes only where they differ from row to row."""
    naming: dict[Column, Callable[[Cell], str]] = {
        Column("recipe"): lambda cell: cell.recipe,
        Column("paid"): lambda cell: cell.reward,
    }
    if len({cell.level for cell in shown}) > 1:
        naming[Column("level")] = lambda cell: cell.level
    if any(changes(cell, main) for cell in shown):
        naming[Column("changed")] = lambda cell: changes(cell, main) or default_text(cell, shown) or DEFAULT
    return naming


def _learned(group: Group) -> Entry:
    return Entry(learned_text(group), round(competent(group) / len(group), 6) if own_scores(group) else None)


def _effect(paid: Group, twins: Group) -> Entry:
    found, why_not = misspecification_effect(paid, twins)
    return estimated(found, min(len(paid), len(twins)), why_not)


def _worse(group: Group) -> Entry:
    known = [each for each in group if each["proxy_score"] is not None and each["true_score"] is not None]
    return count_entry(Count(sum(bool(each["worse_than_random"]) for each in known), len(known)))


def _gap(group: Group) -> Entry:
    tested = all("test" in record for record in group)
    return scored(group, "generalisation_gap") if tested else Entry("not tested")


def _strip(group: Group) -> Entry:
    """Return a dot a seed at its true loss, filled where it hacked."""
    known = [record for record in group if record["true_loss"] is not None]
    if not known:
        return Entry(UNDEFINED)
    dots = tuple(Dot(round(record["true_loss"], 3), bool(record["hack"])) for record in known)
    least, most = min(dots).place, max(dots).place
    return Entry(f"{counted(len(dots), 'seed')}, L from {least:.2f} to {most:.2f}", None, dots)


def _seeds(name: str, grouped: dict[Cell, list[Record]], main: dict[Cell, list[Record]]) -> Sheet:
    """Return a row a run, with each score to three decimals."""
    naming = _naming(grouped, main)
    tested = any("test" in record for group in grouped.values() for record in group)
    scores = [Column(SCORES[of], "number") for of in SEEDS_OF]
    columns = (*naming, Column("seed", "number"), *scores, *([Column(ELSEWHERE, "number")] if tested else []))
    rows = []
    for cell, group in grouped.items():
        words = tuple(Entry(say(cell)) for say in naming.values())
        for record in group:
            told = [_number(record[of]) for of in SEEDS_OF]
            if tested:
                told.append(_number(record.get("test", {}).get("true_loss")))
            rows.append((*words, Entry(str(record["seed"])), *told))
    return Sheet(f"{name}-seeds", "Every seed", columns, tuple(rows))


def _number(value: Any) -> Entry:
    if value is None:
        return Entry(NOTHING)
    if isinstance(value, bool):
        return Entry("yes" if value else "no", float(value))
    return Entry(f"{0.0 if abs(value) < 0.0005 else value:.3f}")


def _natural(cell: Cell) -> tuple[Any, ...]:
    """Return what cells are sorted by: numbers in dials and settings as numbers."""
    words = re.split(r"(\d+)", f"{cell.dials} {cell.settings}")
    return cell.level, cell.recipe, cell.reward, [int(w) if n % 2 else w for n, w in enumerate(words)], cell.steps


def _notes(name: str, records: Sequence[Record]) -> tuple[str, ...]:
    """Return what a reader of the tables has to know: no certificate, what is undefined, what is sampled."""
    notes = []
    card = card_of(name)
    if not certified(name):
        notes.append(f"No loophole is certified: {card.uncertified if card else 'the world is not known here'}")
    found: Counter[tuple[str, str]] = Counter()
    for record in records:
        for of in SEEDS_OF:
            if record[of] is None:
                found[SCORES[of], reason(record, of)] += 1
    for (score, why), runs in found.items():
        notes.append(f"{score} is undefined in {runs} of {counted(len(records), 'run')}: {why}.")
    sampled = sum(not record.get("exact", True) for record in records)
    if sampled:
        notes.append(f"{sampled} of {counted(len(records), 'run')} are sampled, not evaluated exactly.")
    unseen = sum(bool(record.get("unseen_observations")) for record in records)
    if unseen:
        notes.append(f"{unseen} of {counted(len(records), 'run')} met observations that they have no answer to.")
    return tuple(notes)
