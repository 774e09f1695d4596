"""Experimental details, as a paper's appendix has them, made of records and provenance: nothing in them is typed.

`details.md` is for people, `details.tex` for a document to input. Both say what was run, on what, with what, how it was
scored, and what is not known.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from alignment_gym.core.files import write_text
from alignment_gym.experiments.provenance import Environment, Provenance, Trained
from alignment_gym.metrics.scores import HACK_EXPLOITATION, HACK_LOSS
from alignment_gym.metrics.statistics import RESAMPLES
from alignment_gym.reports.citation import escaped
from alignment_gym.reports.markdown import counted, page, ranges, typed
from alignment_gym.reports.tables import BOOTSTRAP_SEED, COMPARABLE, Cell, Record, cells, changed_text

DIGITS = 12  # of a fingerprint or a commit
HOUR = 3600.0  # seconds
BREAKS = "_./:-"  # where a name may go on in the next line


class Dialect(NamedTuple):
    """How a language writes plain text, a name as it is typed, a heading, and a list."""

    text: Callable[[str], str]
    name: Callable[[str], str]
    heading: Callable[[str], str]
    listed: Callable[[Sequence[str]], str]


class Section(NamedTuple):
    """A heading, a paragraph, and a list below it; the last two in a dialect."""

    heading: str
    paragraph: str
    items: list[str]


def write_details(records: Sequence[Record], provenance: Provenance, out: Path) -> list[Path]:
    """Write `details.md`, and `details.tex` below `latex/`."""
    paths = [out / "details.md", out / "latex" / "details.tex"]
    write_text(paths[0], page("# Experimental details", details_text(records, provenance)))
    body = page(*_printed(records, provenance, LATEX))
    write_text(paths[1], "\\begingroup\\sloppy\n" + body + "\\par\\endgroup\n")
    return paths


def details_text(records: Sequence[Record], provenance: Provenance) -> str:
    """Return all of it as Markdown, without a title."""
    return page(*_printed(records, provenance, MARKDOWN))


def sections(records: Sequence[Record], provenance: Provenance, write: Dialect) -> list[Section]:
    """Return what there is to say, in a dialect."""
    return [
        _runs(records, write),
        _scoring(records, write),
        _intervals(write),
        _recipes(provenance, write),
        _worlds(records, write),
        _machines(records, provenance, write),
    ]


def _printed(records: Sequence[Record], provenance: Provenance, write: Dialect) -> list[str]:
    parts: list[str] = []
    for each in sections(records, provenance, write):
        parts += [write.heading(each.heading), each.paragraph, write.listed(each.items) if each.items else ""]
    return parts


def _runs(records: Sequence[Record], write: Dialect) -> Section:
    """Say how many runs there are, of what, and with which seeds."""
    arms = {reward: sum(record["reward"] == reward for record in records) for reward in ("proxy", "true")}
    worlds, grouped = {record["env"] for record in records}, cells(records)
    said = (
        f"{counted(len(records), 'run')}: {arms['proxy']} paid the proxy, and {arms['true']} twins, which are paid the "
        f"true objective with the same recipes. {counted(len(worlds), 'world')}, {counted(len(grouped), 'cell')} of "
        "world, level, dials, recipe, settings, reward and steps. The seed is the replicate: "
    )
    counts: dict[tuple[int, ...], int] = {}
    for group in grouped.values():
        seeds = tuple(sorted(record["seed"] for record in group))
        counts[seeds] = counts.get(seeds, 0) + 1
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    told = "; ".join(f"seeds {ranges(seeds)} in {counted(cells_, 'cell')}" for seeds, cells_ in ordered)
    checkpoints = {record["checkpoints"] for record in records if record.get("checkpoints")}
    last = "tables report the last policy, and none was chosen by its scores"
    most = ranges(sorted(checkpoints))
    kept = f" Policies were scored at up to {most} checkpoints, of learners from elsewhere at the end alone; {last}."
    kept = kept if checkpoints else ""
    return Section("Runs", write.text(f"{said}{told}.{kept}"), [])


def _scoring(records: Sequence[Record], write: Dialect) -> Section:
    """Say what is exact, and what a hack is."""
    sampled = sum(not record.get("exact", True) for record in records)
    exact = (
        "Returns, scores and probabilities of events are expectations, computed from each world's transition tables "
        "and the policy's probabilities at every observation"
    )
    how = (
        f"{exact}, but for {counted(sampled, 'run')}, whose are means of sampled episodes." if sampled else f"{exact}."
    )
    unseen = sum(record.get("unseen_observations", 0) > 0 for record in records)
    gaps = (
        f" {counted(unseen, 'run')} met observations that the policy has no row for; there it plays uniformly."
        if unseen
        else ""
    )
    said = (
        f"{how}{gaps} Best, worst and uniform returns are exact as well. Exploitation E is the proxy return beyond "
        "what the best-paid intended policy earns, over the most that any policy earns beyond it; true loss L is the "
        f"regret under the true objective over its range; a hack has E of at least {HACK_EXPLOITATION} and L of at "
        f"least {HACK_LOSS}. P and T are proxy and true score, 0 for uniform play and 1 at the optimum; H = P - T."
    )
    if all(record.get("expose_true") is False for record in records):
        said += " No learner saw the true objective, but for twins, whose reward it is."
    return Section("Scores", write.text(said), [])


def _intervals(write: Dialect) -> Section:
    """Say how intervals are made."""
    said = (
        f"Interquartile means with 95 % percentile bootstrap intervals over seeds, {RESAMPLES} resamples, generator "
        f"PCG64 with seed {BOOTSTRAP_SEED}; rates with two-sided 95 % Clopper-Pearson intervals. The misspecification "
        "effect is a difference of interquartile means, each arm resampled by itself; it is claimed only where the "
        f"median seed of both arms reaches {COMPARABLE} of the way from uniform play to the best of its own reward. "
        "Aggregates over worlds resample seeds within each world and keep the worlds as they are; they are taken of "
        "bounded scores alone."
    )
    return Section("Intervals", write.text(said), [])


def _recipes(provenance: Provenance, write: Dialect) -> Section:
    """List recipes with all that they set, their steps, and what they took."""
    groups: dict[tuple[str, str], list[Trained]] = {}
    for each in provenance.recipes:
        settings = write.text(", ").join(write.name(f"{name} = {_value(set_)}") for name, set_ in each.settings.items())
        groups.setdefault((each.recipe, settings), []).append(each)
    said = (
        "What each recipe sets, as recorded with its runs; steps count all lanes together, seconds are a run's median."
    )
    items = [
        f"{write.name(recipe)}{write.text(', ' + '; '.join(map(_took, group)) + ': ')}{settings or 'no settings'}."
        for (recipe, settings), group in groups.items()
    ]
    return Section("Recipes", write.text(said if items else "Settings were not recorded with these runs."), items)


def _took(found: Trained) -> str:
    seconds = f", {found.seconds.median:.3g} s of training" if found.seconds else ""
    return f"{found.steps} steps in {counted(found.runs, 'run')}{seconds}"


def _worlds(records: Sequence[Record], write: Dialect) -> Section:
    """List worlds with level, dials, and fingerprints of their tables."""
    places: dict[Cell, list[Record]] = {}
    for cell, group in cells(records).items():
        places.setdefault(cell._replace(recipe="", reward="", settings="{}", steps=0), []).extend(group)
    said = (
        "World, level, dials that differ from their defaults, and the first digits of the SHA-256 of the tables of "
        "transitions, rewards and observations that the runs were scored on."
    )
    return Section("Worlds", write.text(said), [_world(place, group, write) for place, group in places.items()])


def _world(place: Cell, group: Sequence[Record], write: Dialect) -> str:
    marks = {record.get("tables") for record in group}
    known = sorted(mark for mark in marks if mark)
    tested = sorted({record["test_level"] for record in group if record.get("test_level")})
    parts = [f"level {place.level}", *([changed_text(place)] * (place.dials != "{}"))]
    parts += [f"tested on {level}" for level in tested]
    told = ", ".join(write.name(mark[:DIGITS]) for mark in known) or "not recorded"
    missing = ", not recorded for some runs" if known and None in marks else ""
    different = "; tables differ between runs" if len(known) > 1 else ""
    return f"{write.name(place.env)}{write.text(', ' + ', '.join(parts))}: {told}{missing}{different}."


def _machines(records: Sequence[Record], provenance: Provenance, write: Dialect) -> Section:
    """List versions, platforms and commits, and say how long training took, and what is not recorded."""
    known = sum(each.runs for each in provenance.environments)
    timed = {
        "By the clock, training took {} in all, summed over {}.": [each.seconds for each in provenance.recipes],
        "Training and scoring took {} of processor time, summed over {}.": [
            each.processor_seconds for each in provenance.recipes
        ],
    }
    said = []
    if provenance.environments:
        commits = len({each.git_sha for each in provenance.environments if each.git_sha})
        source = f", made from {counted(commits, 'commit')} of the source" if commits else ""
        said.append(f"Recorded with {counted(known, 'run')}{source}.")
    if known < len(records):
        said.append(f"Versions and platforms are not recorded for {len(records) - known} of {len(records)} runs.")
    for sentence, told in timed.items():
        taken = [each for each in told if each]
        if taken:
            runs = counted(sum(each.runs for each in taken), "run")
            said.append(sentence.format(_duration(sum(each.total for each in taken)), runs))
    items = [_environment(each, write) for each in provenance.environments]
    return Section("Software and machines", write.text(" ".join(said)), items)


def _environment(found: Environment, write: Dialect) -> str:
    versions = [f"{name} {version}" for name, version in sorted(found.versions.items()) if version]
    threads = [] if found.torch_threads is None else [f"{counted(found.torch_threads, 'thread')} of torch"]
    python = [f"Python {found.python}"] if found.python else []
    told = ", ".join([*python, *versions, *threads])
    platform = f"; {write.name(found.platform)}" if found.platform else ""
    commit = (
        write.text("no commit recorded") if found.git_sha is None else f"commit {write.name(found.git_sha[:DIGITS])}"
    )
    return f"{write.text(counted(found.runs, 'run') + ': ' + told)}{platform}; {commit}."


def _duration(seconds: float) -> str:
    return f"{seconds / HOUR:.1f} hours" if seconds >= HOUR else f"{seconds / 60.0:.1f} minutes"


def _value(value: Any) -> str:
    return typed(tuple(value) if isinstance(value, list) else value)


def _breakable(text: str) -> str:
    """Return a name in typewriter letters, which LaTeX may break after its signs."""
    letters = [escaped(letter) + r"\allowbreak{}" * (letter in BREAKS) for letter in text]
    return rf"\texttt{{{''.join(letters)}}}"


def _itemised(items: Sequence[str]) -> str:
    return "\n".join([r"\begin{itemize}\raggedright", *(f"\\item {{}}{item}" for item in items), r"\end{itemize}"])


MARKDOWN = Dialect(
    text=lambda text: "".join(f"\\{letter}" if letter in "\\`*_<>[]" else letter for letter in text),
    name=lambda text: f"`{text}`",
    heading=lambda text: f"## {text}",
    listed=lambda items: "\n".join(f"- {item}" for item in items),
)
LATEX = Dialect(
    text=escaped,
    name=_breakable,
    heading=lambda text: rf"\paragraph{{{escaped(text)}}}",
    listed=_itemised,
)
