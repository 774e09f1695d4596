"""Tables for a paper: `.tex` files for a document to input, with booktabs and nothing else.

Each holds a tabular, without a float or a caption, and begins with a comment that says what a caption should: how many
seeds, which intervals, which definitions. A world is a line of its own above its rows, so that columns stay narrow
enough for a page's width; what is too long for a page comes in numbered parts. `narrow/` has the same for one column of
two, intervals below their numbers; `floats/` has both as floats, with captions and labels; see `latex_shapes`.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from math import isnan
from pathlib import Path

from alignment_gym.agents import RECIPES
from alignment_gym.core.files import write_text
from alignment_gym.metrics.scores import HACK_EXPLOITATION, HACK_LOSS, WORSE_THAN_RANDOM
from alignment_gym.metrics.statistics import FEWEST, RESAMPLES, Estimate
from alignment_gym.reports import markdown
from alignment_gym.reports.citation import escaped
from alignment_gym.reports.markdown import plain, ranges
from alignment_gym.reports.study.aggregates import STATISTICS, Aggregate, Arm, Score, aggregates
from alignment_gym.reports.study.latex_shapes import BOX, BREAK, LABEL, STRUT, Block, Table, floats, narrow, parts
from alignment_gym.reports.tables import (
    BOOTSTRAP_SEED,
    COMPARABLE,
    COMPETENT,
    Cell,
    Record,
    cells,
    changed_text,
    competent,
    counted,
    default_text,
    estimate,
    misspecification_effect,
)

BREAKS = "_.:,=-/"  # after which they may be
DASH = "--"
MINUS = re.compile(r"(?<!\w)-(?=\d)")
INTERVALS = (
    f"Interquartile means over seeds with 95 % percentile bootstrap intervals ({RESAMPLES} resamples); counts with "
    "95 % Clopper-Pearson intervals."
)
EXACT = "Policies are evaluated exactly: the seed is the only randomness."
ARMS = "`proxy` is paid the proxy, `true` is its twin: same recipe, steps and seeds, paid the true objective."
UNDEFINED = "A dash: undefined."
FEW = f"No interval from fewer than {FEWEST} seeds: the values of the seeds, in order, or their difference."
HEADINGS: Mapping[Score, str] = {"kept": "$1 - L$", "own": "clipped own score", "hack": "hack rate"}


def write_latex(records: Sequence[Record], out: Path) -> list[Path]:
    """Write `scores.tex`, `severity.tex`, and where there is something to say `effect.tex` and `aggregates.tex`.

    A table that is too long for a page comes as `scores-1.tex` and so on; parts of a former, longer one are removed.
    """
    grouped = cells(records)
    tables = {
        "scores": scores_table(grouped),
        "severity": severity_table(grouped),
        "effect": effect_table(grouped),
        "aggregates": aggregates_table(aggregates(records)),
    }
    paths = []
    for name, table in tables.items():
        slim = narrow(table)
        paths += _write_parts(name, parts(table), out)
        paths += _write_parts(name, parts(slim), out / "narrow")
        paths += _write_parts(name, floats(table, name), out / "floats")
        paths += _write_parts(f"narrow-{name}", floats(slim, f"narrow-{name}"), out / "floats")
    return paths


def scores_table(grouped: Mapping[Cell, Sequence[Record]]) -> Table:
    """Return seeds, E, L, hacks, the exploit's probability and competence, a row a cell."""
    head = ["recipe", "paid", "seeds", "$E$", "$L$", "hacks", r"$P$(exploit)", rf"own $\geq {COMPETENT}$"]
    caption = [
        "E: 0 at all the proxy that intended play can earn, 1 at all there is. L: share of the true range that is "
        f"lost. Hack: E >= {HACK_EXPLOITATION} and L >= {HACK_LOSS}. P(exploit): probability that an episode has the "
        f"world's exploit event. Own: runs that reach {COMPETENT} of what they were paid, above uniform "
        "play. Where E is undefined no run can be a hack.",
    ]
    return Table(head, _blocks(grouped, _scores_row), [*caption, *_told(grouped)])


def severity_table(grouped: Mapping[Cell, Sequence[Record]]) -> Table:
    """Return P, T, H and what is worse than random, a row a cell."""
    head = ["recipe", "paid", "seeds", "$P$", "$T$", "$H$", "worse than random"]
    caption = [
        "Severity, against uniform play. P, T: proxy and true score, 0 for uniform play, 1 at the optimum. H = P - T. "
        f"Worse than random: P > {WORSE_THAN_RANDOM} and T < -{WORSE_THAN_RANDOM}.",
    ]
    return Table(head, _blocks(grouped, _severity_row), [*caption, *_told(grouped)])


def effect_table(grouped: Mapping[Cell, Sequence[Record]]) -> Table:
    """Return what the choice of reward did, a row for each pair of arms."""
    pairs = {cell: group for cell, group in grouped.items() if cell.reward == "proxy" and _twin(cell) in grouped}
    both = pairs | {_twin(cell): grouped[_twin(cell)] for cell in pairs}

    def row(cell: Cell, label: str, paid: Sequence[Record]) -> list[str]:
        twins = grouped[_twin(cell)]
        found, why_not = misspecification_effect(paid, twins)
        why = MINUS.sub("$-$", escaped(why_not.removeprefix("not claimed: ")))
        return [label, f"{len(paid)}, {len(twins)}", _said(found), why]

    caption = [
        "Misspecification effect: L of agents paid the proxy minus that of their twins. Claimed only where the median "
        f"seed of both arms reaches {COMPARABLE} of the way from uniform play to the best of what it is paid. "
        "A difference of interquartile means; arms are resampled independently, seeds unpaired.",
    ]
    head = ["recipe", "seeds", "effect on $L$", "not claimed, as"]
    return Table(head, _blocks(pairs, row), [*caption, *_told(both)])


def aggregates_table(found: Sequence[Aggregate]) -> Table:
    """Return aggregates over worlds, a block for each comparison and score, a row an arm."""
    groups: dict[tuple[tuple[Arm, ...], Score], list[Aggregate]] = defaultdict(list)
    for each in found:
        groups[each.arms, each.score].append(each)
    blocks = []
    over: dict[tuple[tuple[Arm, ...], tuple[str, ...], tuple[int, ...]], list[str]] = defaultdict(list)
    for (arms, score), group in groups.items():
        worlds, seeds = group[0].worlds, group[0].seeds
        sizes = zip((arms, worlds, seeds), ("arm", "world", "seed"), strict=True)
        title = f"{HEADINGS[score]}: {', '.join(markdown.counted(len(each), thing) for each, thing in sizes)}"
        blocks.append(Block(title, [_aggregate_row(arm, group) for arm in arms]))
        over[arms, worlds, seeds].append(HEADINGS[score].replace("$", ""))
    told = [
        f"{markdown.counted(len(arms), 'arm')}, {' and '.join(scores)}: worlds {', '.join(worlds)}; "
        f"seeds {ranges(seeds)}."
        for (arms, worlds, seeds), scores in over.items()
    ]
    caption = [
        "Aggregates over worlds, of bounded scores alone: E, T and H are never averaged over worlds. Own score: P of "
        "agents paid the proxy, T of twins, clipped to [0, 1]. Hack rates are over worlds where E is defined. A block "
        "takes the worlds that all its arms share, and on each the seeds that all share; default dials, settings and "
        "steps. 95 % stratified percentile bootstrap intervals: seeds are resampled within each world, worlds are "
        f"fixed ({RESAMPLES} resamples, PCG64 seed {BOOTSTRAP_SEED}). IQM: interquartile mean over all runs. Median: "
        "over worlds, of means over seeds. Optimality gap: what is missing to 1, on average. An interval without "
        "width means that all seeds of each world agree, and not that there is no doubt.",
        *([f"No interval from fewer than {FEWEST} seeds."] if any(isnan(each.low) for each in found) else []),
        ARMS,
        UNDEFINED,
    ]
    head = ["recipe", "paid", "IQM", "mean", "median", "optimality gap"]
    return Table(head, blocks, [*caption, *told])


def _write_parts(name: str, texts: Sequence[str], out: Path) -> list[Path]:
    names = [name] if len(texts) == 1 else [f"{name}-{place}" for place in range(1, len(texts) + 1)]
    paths = [out / f"{each}.tex" for each in names]
    for stale in {out / f"{name}.tex", *out.glob(f"{name}-[0-9]*.tex")} - set(paths):
        stale.unlink(missing_ok=True)
    for path, text in zip(paths, texts, strict=True):
        write_text(path, text)
    return paths


def _told(grouped: Mapping[Cell, Sequence[Record]]) -> list[str]:
    """Return what the captions of all tables of cells say."""
    counts = " or ".join(map(str, sorted({len(group) for group in grouped.values()})))
    sampled = sum(not record.get("exact", True) for group in grouped.values() for record in group)
    exact = f"{sampled} runs are not exact but means of sampled episodes." if sampled else EXACT
    few = [FEW] if any(len(group) < FEWEST for group in grouped.values()) else []
    return [f"n = {counts} seeds an arm. {INTERVALS} {exact}", *few, ARMS, UNDEFINED]


def _blocks(
    grouped: Mapping[Cell, Sequence[Record]], row: Callable[[Cell, str, Sequence[Record]], list[str]]
) -> list[Block]:
    """Return a block a world, level and choice of dials, with a row a cell.

    Args:
        grouped: the cells that have a row.
        row: from a cell, the name of what was trained as LaTeX, and the cell's runs, to the row.
    """
    taken: dict[str, set[int]] = defaultdict(set)
    for cell in grouped:
        taken[cell.recipe].add(cell.steps)
    blocks: dict[str, list[list[str]]] = defaultdict(list)
    for cell, group in grouped.items():
        dials = changed_text(cell._replace(settings="{}")) or default_text(cell, grouped, settings=False)
        title = escaped(", ".join([f"{cell.env} {cell.level}", *([dials] if dials else [])]))
        settings = changed_text(cell._replace(dials="{}"))
        own = len(taken[cell.recipe]) == 1 or (cell.recipe in RECIPES and cell.steps == RECIPES[cell.recipe].steps)
        steps = [] if own else [f"{cell.steps} steps"]
        label = ", ".join([cell.recipe, *([settings] if settings else []), *steps])
        blocks[title].append(row(cell, _label(label), group))
    return [Block(title, rows) for title, rows in blocks.items()]


def _label(text: str) -> str:
    """Return the name of what was trained, in a box that breaks it where it would make its column too wide."""
    if len(text) <= LABEL:
        return escaped(text)
    letters = [escaped(letter) + BREAK * (letter in BREAKS) for letter in text]
    return BOX + "".join(letters) + STRUT


def _scores_row(cell: Cell, label: str, group: Sequence[Record]) -> list[str]:
    first, second, chance = (_scored(group, name) for name in ("exploitation", "true_loss", "exploit_probability"))
    hacks, own = _counted(group, "hack"), f"{competent(group)}/{len(group)}"
    return [label, cell.reward, str(len(group)), first, second, hacks, chance, own]


def _severity_row(cell: Cell, label: str, group: Sequence[Record]) -> list[str]:
    scores = [_scored(group, name) for name in ("proxy_score", "true_score", "hacking_gap")]
    return [label, cell.reward, str(len(group)), *scores, _counted(group, "worse_than_random")]


def _aggregate_row(arm: Arm, group: Sequence[Aggregate]) -> list[str]:
    found: dict[str, Aggregate] = {each.statistic: each for each in group if (each.recipe, each.reward) == arm}
    values = [_said(found.get(name)) for name in STATISTICS]
    return [escaped(arm.recipe), arm.reward, *values]


def _twin(cell: Cell) -> Cell:
    return cell._replace(reward="true")


def _counted(group: Sequence[Record], name: str) -> str:
    found = "-" if any(record[name] is None for record in group) else counted(group, name)
    return DASH if found == "-" else found


def _said(found: Estimate | Aggregate | None) -> str:
    """Return a number with its interval as LaTeX, a dash for one that is undefined."""
    if found is None:
        return DASH
    numbers = plain(found.value)
    if not isnan(found.low):
        numbers += f" [{plain(found.low)}, {plain(found.high)}]"
    return numbers.replace("-", "$-$")


def _scored(group: Sequence[Record], name: str) -> str:
    """Return a cell's interquartile mean with its interval; of too few seeds for one, what each of them has."""
    found = estimate(group, name)
    if found is None or found.has_interval:
        return _said(found)
    return ", ".join(plain(record[name]) for record in group).replace("-", "$-$")
