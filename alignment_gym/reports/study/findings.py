"""What came out of a study, and what did not: counts with their intervals, before any table of scores.

A run is counted as a hack or as none only where exploitation E is defined, for else it could not be one; loopholes
that are certified are counted apart from the others. Agents that did not hack say something only if they learned what
they were paid for, so that both stand side by side. Only headline cells are pooled: sweeps would weigh the worlds that
they sweep.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from alignment_gym.core import Card, InvalidWorld, UnknownName, world_class
from alignment_gym.experiments.collected import Trouble
from alignment_gym.metrics.statistics import Estimate, rate
from alignment_gym.reports.markdown import counted, page, table
from alignment_gym.reports.study.usual import usual_cells
from alignment_gym.reports.tables import (
    COMPARABLE,
    COMPETENT,
    Cell,
    Record,
    cells,
    changed_text,
    competent,
    default_text,
)

PAID = {"proxy": "paid the proxy", "true": "twins, paid the true objective"}
DEFAULT = "default"
SCORES = {  # those that may be undefined, and their short names
    "exploitation": "E",
    "true_loss": "L",
    "exploit_probability": "P(exploit)",
    "exploit_probability_greedy": "P(exploit), greedy",
    "proxy_score": "P",
    "true_score": "T",
    "hacking_gap": "H",
    "worse_than_random": "worse than random",
    "hack": "hack",
}


class Count(NamedTuple):
    """How many of so many runs."""

    hits: int
    trials: int

    @property
    def estimate(self) -> Estimate | None:
        """The rate with its 95 % Clopper-Pearson interval, None of no runs."""
        return rate(self.hits, self.trials) if self.trials else None

    def __str__(self) -> str:
        """Return the count, and the rate's interval."""
        found = self.estimate
        return f"{self.hits}/{self.trials} [{found.low:.2f}, {found.high:.2f}]" if found else "0/0"


@dataclass(frozen=True, slots=True)
class Part:
    """A finding as a small table; without rows, `lead` says that there is nothing of the kind."""

    name: str
    title: str
    lead: str
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """What came out, and what did not.

    Attributes:
        paid: hacks among agents paid the proxy, in worlds that claim a certified loophole.
        twins: hacks among their twins there.
        sentences: the same in words, with what they leave out.
        arms: a row for each recipe and each reward, certified worlds apart from others.
        negatives: what did not happen, is not defined, or went wrong.
    """

    paid: Count
    twins: Count
    sentences: tuple[str, ...]
    arms: Part
    negatives: tuple[Part, ...]


def findings(records: Sequence[Record], troubles: Sequence[Trouble]) -> Findings:
    """Return what a study's records say, and what they do not.

    Args:
        records: of one study, at least one.
        troubles: runs that have no usable result; their folders are shown as they are, so give relative ones.
    """
    grouped = cells(records)
    main = usual_cells(grouped)
    claimed = {cell: group for cell, group in main.items() if certified(cell.env)}
    paid, twins = (hacks(_runs(claimed, reward)) for reward in PAID)
    negatives = (
        _unexploited(claimed),
        _uncertified(main),
        _hacking_twins(main),
        _missed(grouped),
        _unlearned_twins(grouped),
        _undefined(records),
        _troubled(troubles),
    )
    return Findings(paid, twins, _sentences(grouped, main, claimed), _arms(main), negatives)


def summary(found: Findings) -> str:
    """Return findings as Markdown."""
    parts = [(f"### {part.title}", part.lead, *_table(part)) for part in found.negatives]
    return page(
        "## What came out",
        *found.sentences,
        found.arms.lead,
        *_table(found.arms),
        "## What did not",
        *(line for part in parts for line in part),
    )


def changes(cell: Cell, main: dict[Cell, list[Record]]) -> str:
    """Return what a cell changes, as one types it: dials, settings, and steps where its headline cell has others."""
    arm = _arm_of(cell)
    usual = {other.steps for other in main if _arm_of(other) == arm}
    steps = f"steps={cell.steps}" if usual and cell.steps not in usual else ""
    return ", ".join(part for part in (changed_text(cell), steps) if part)


def card_of(env: str) -> Card | None:
    """Return a world's card, None where the world isn't known here."""
    try:
        return world_class(env).card
    except (UnknownName, InvalidWorld):
        return None


def certified(env: str) -> bool:
    """Return whether a world claims that its loophole is certified."""
    card = card_of(env)
    return card is not None and not card.uncertified


def hacks(group: Iterable[Record]) -> Count:
    """Count hacks among the runs that could be one: those whose exploitation and true loss are defined."""
    asked = ("exploitation", "true_loss", "hack")
    known = [record for record in group if all(record[name] is not None for name in asked)]
    return Count(sum(bool(record["hack"]) for record in known), len(known))


def own_scores(group: Iterable[Record]) -> list[float]:
    """Return the defined scores of the reward that each run was paid, in ascending order."""
    found = [record[f"{record['reward']}_score"] for record in group]
    return sorted(value for value in found if value is not None)


def learned_text(group: Sequence[Record]) -> str:
    """Say how many runs of a cell reach 0.9 of what they were paid for."""
    return f"{competent(group)}/{len(group)}" if own_scores(group) else "undefined"


def _table(part: Part) -> tuple[str, ...]:
    return (table(part.head, part.rows),) if part.rows else ()


def _arm_of(cell: Cell) -> tuple[str, str, str, str]:
    return cell.env, cell.level, cell.recipe, cell.reward


def _runs(grouped: dict[Cell, list[Record]], reward: str) -> list[Record]:
    return [record for cell, group in grouped.items() if cell.reward == reward for record in group]


def _worlds(grouped: Iterable[Cell]) -> list[str]:
    return sorted({cell.env for cell in grouped})


def _place(cell: Cell) -> str:
    return f"{cell.env} {cell.level}"


def _sentences(
    grouped: dict[Cell, list[Record]], main: dict[Cell, list[Record]], claimed: dict[Cell, list[Record]]
) -> tuple[str, ...]:
    paid, twins = _runs(claimed, "proxy"), _runs(claimed, "true")
    by_world = {env: hacks(record for record in paid if record["env"] == env) for env in _worlds(claimed)}
    counts = [count for count in by_world.values() if count.trials]
    recipes = {record["recipe"] for record in paid}
    said = []
    if counts:
        some = sum(count.hits > 0 for count in counts)
        found = hacks(paid)
        said += [
            f"Of {counted(found.trials, 'agent')} paid the proxy in {counted(len(counts), 'world')} with a certified "
            f"loophole, {found.hits} hacked: {_rate(found)}. That pools {counted(len(recipes), 'recipe')}, and a world "
            f"counts as often as it was run; the mean of the worlds' own rates is {_mean_rate(counts)}.",
            f"At least one of them hacked in {some} of {counted(len(counts), 'world')}; in {len(counts) - some}, none.",
        ]
    else:
        said += ["No agent was paid the proxy in a world with a certified loophole."]
    found = hacks(twins)
    said += [
        f"Of {counted(found.trials, 'twin')}, paid the true objective there, {found.hits} hacked: {_rate(found)}."
        if found.trials
        else "There are no twins in these worlds, so that nothing here says what the choice of reward did."
    ]
    return (*said, *_left_out(grouped, main))


def _rate(count: Count) -> str:
    """Return a rate, which is 0 or 1 only if it is."""
    found = count.estimate
    if not found:
        return "no rate"
    most, least = 1.0 - 0.001 * (count.hits < count.trials), 0.001 * (count.hits > 0)
    return f"{min(max(found.value, least), most):.3f} [{found.low:.3f}, {found.high:.3f}]"


def _mean_rate(counts: Sequence[Count]) -> str:
    """Return the mean of rates, which is 0 or 1 only if it is."""
    found = sum(count.hits / count.trials for count in counts) / len(counts)
    return f"{found:.3f}" if found in (0.0, 1.0) else f"{min(max(found, 0.001), 0.999):.3f}"


def _left_out(grouped: dict[Cell, list[Record]], main: dict[Cell, list[Record]]) -> list[str]:
    """Say what the counts don't count."""
    said = []
    unknown = sum(len(group) - hacks(group).trials for group in main.values())
    if unknown:
        said += [f"Not counted: {counted(unknown, 'run')} whose E is undefined, so that none could be a hack."]
    swept = [record for cell, group in grouped.items() if cell not in main for record in group]
    if swept:
        said += [f"Not pooled: {counted(len(swept), 'run')} of sweeps over dials, settings or steps; see each world."]
    return said


def _arms(main: dict[Cell, list[Record]]) -> Part:
    rows = []
    for claims, words in ((True, "certified"), (False, "not certified")):
        mine = {cell: group for cell, group in main.items() if certified(cell.env) == claims}
        for recipe, reward in sorted({(cell.recipe, cell.reward) for cell in mine}):
            chosen = {cell: group for cell, group in mine.items() if (cell.recipe, cell.reward) == (recipe, reward)}
            runs = [record for group in chosen.values() for record in group]
            worlds = str(len(_worlds(chosen)))
            count = hacks(runs)
            told = str(count) if count.trials else "E undefined"
            rows.append((words, recipe, reward, worlds, str(len(runs)), told, learned_text(runs)))
    return Part(
        "recipes",
        "Hacks by recipe",
        "Pooled over the worlds of this study, as they are: another mix of worlds would give other rates, and recipes "
        "that were run in different worlds are not to be compared. `true` is the twin.",
        ("loophole", "recipe", "paid", "worlds", "runs", "hacks", f"own score >= {COMPETENT}"),
        tuple(rows),
    )


def _unexploited(claimed: dict[Cell, list[Record]]) -> Part:
    """List cells paid the proxy of which not every seed hacked, beside whether they learned anything."""
    rows = []
    for cell, group in claimed.items():
        count = hacks(group)
        if cell.reward == "proxy" and count.hits < count.trials:
            rows.append((_place(cell), cell.recipe, str(count), learned_text(group), _says(count, group)))
    lead = (
        "Recipes paid the proxy of which some or all seeds did not hack although a loophole is certified. The interval "
        "says what rate may still be; where agents did not learn what they were paid for, not hacking says little."
        if rows
        else "No run paid the proxy of those counted above kept from hacking, where a loophole is certified."
    )
    head = ("world", "recipe", "hacks", f"own score >= {COMPETENT}", "says")
    return Part("unexploited", "Certified loopholes that agents did not exploit", lead, head, tuple(rows))


def _says(count: Count, group: Sequence[Record]) -> str:
    if count.hits:
        meek = [record for record in group if not record["hack"]]
        able = competent(meek)
        return f"seeds differ: {len(meek)} did not hack, of which {able or 'none'} learned what they were paid for"
    learned = 2 * competent(group) >= len(group)
    return "learned, and did not hack" if learned else f"little: most stayed below {COMPETENT} of their reward"


def _uncertified(main: dict[Cell, list[Record]]) -> Part:
    rows = []
    for env in _worlds(main):
        if not certified(env):
            card = card_of(env)
            why = card.uncertified if card else "the world isn't known here"
            found = hacks(record for record in _runs(main, "proxy") if record["env"] == env)
            rows.append((env, str(found) if found.trials else "E undefined", why))
    lead = "They are counted apart." if rows else "There are none: each world here claims a certified loophole."
    head = ("world", "hacks, paid the proxy", "why there is no certificate")
    return Part("uncertified", "Worlds without a certified loophole", lead, head, tuple(rows))


def _hacking_twins(main: dict[Cell, list[Record]]) -> Part:
    rows = tuple(
        (_place(cell), cell.recipe, str(hacks(group)), learned_text(group))
        for cell, group in main.items()
        if cell.reward == "true" and hacks(group).hits
    )
    lead = "Nothing paid these agents to; their own scores say how well they had learned." if rows else "None."
    return Part(
        "twin-hacks", "Twins that hacked", lead, ("world", "recipe", "hacks", f"own score >= {COMPETENT}"), rows
    )


def _missed(grouped: dict[Cell, list[Record]]) -> Part:
    main = usual_cells(grouped)
    rows = []
    for cell, group in grouped.items():
        reached, known = competent(group), own_scores(group)
        if reached < len(known):
            paid = (
                _place(cell),
                changes(cell, main) or default_text(cell, grouped) or DEFAULT,
                cell.recipe,
                cell.reward,
            )
            rows.append((*paid, f"{len(known) - reached}/{len(known)}", f"{known[0]:.3f}"))
    lead = (
        f"Runs below {COMPETENT} of the way from uniform play to the best of the reward that they were paid."
        if rows
        else f"None: each run whose own score is defined reached {COMPETENT} of it."
    )
    head = ("world", "changed", "recipe", "paid", "missed", "lowest own score")
    return Part("missed", "Seeds that missed their own reward", lead, head, tuple(rows))


def _unlearned_twins(grouped: dict[Cell, list[Record]]) -> Part:
    main = usual_cells(grouped)
    rows = []
    for cell, group in grouped.items():
        known = own_scores(group)
        middle = (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2 if known else None
        if cell.reward == "true" and (middle is None or middle < COMPARABLE or len(known) < len(group)):
            told = "undefined" if middle is None else f"{middle:.3f}"
            rows.append(
                (
                    _place(cell),
                    changes(cell, main) or default_text(cell, grouped) or DEFAULT,
                    cell.recipe,
                    learned_text(group),
                    told,
                )
            )
    lead = (
        f"Twins whose median seed has T below {COMPARABLE}: no misspecification effect is claimed beside them."
        if rows
        else f"None: the median twin of each cell has T of {COMPARABLE} at least, or there are no twins."
    )
    head = ("world", "changed", "recipe", f"T >= {COMPETENT}", "median T")
    return Part("twins", "Twins that did not learn", lead, head, tuple(rows))


def _undefined(records: Sequence[Record]) -> Part:
    found: Counter[tuple[str, str, str]] = Counter()
    for record in records:
        for name, words in SCORES.items():
            if record.get(name) is None:
                found[record["env"], words, reason(record, name)] += 1
    runs = Counter(record["env"] for record in records)
    rows = tuple((env, score, f"{count}/{runs[env]}", why) for (env, score, why), count in sorted(found.items()))
    lead = "They are never replaced by a number." if rows else "None."
    return Part("undefined", "Undefined scores", lead, ("world", "score", "runs", "why"), rows)


def reason(record: Record, name: str) -> str:
    """Return why a run's score is undefined: as its record says, or as the world's card does."""
    if name.startswith("exploit_probability"):
        card = card_of(record["env"])
        told = "no exploit event is named" if card and not card.exploit_event else "unknown for this kind of evaluation"
    else:
        told = "not said"
    return str(record.get("reasons", {}).get(name) or told)


def _troubled(troubles: Sequence[Trouble]) -> Part:
    rows = tuple((each.kind, each.folder.as_posix(), each.why) for each in troubles)
    lead = "They are in no table." if rows else "None was found beside these records."
    return Part("troubles", "Failed and damaged runs", lead, ("state", "run", "why"), rows)
