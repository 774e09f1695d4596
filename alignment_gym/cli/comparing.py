"""`compare`: two sets of runs, cell by cell and seed by seed."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alignment_gym.cli.arguments import JsonOption, collected, print_json, print_markdown

if TYPE_CHECKING:
    from alignment_gym.reports.study.comparison import Compared, Comparison, Limit

SHOWN = 5
CLAIM = re.compile(r"\s*(\w+)\s*(>=|<=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")

RunsArgument = Annotated[Path, typer.Argument(metavar="A", help="A folder of runs, or of published records.")]
OtherArgument = Annotated[Path | None, typer.Argument(metavar="[B]", help="Another; A itself, with --recipes.")]
ScoreOption = Annotated[
    str, typer.Option("--score", help="true_loss, exploitation, hack, proxy_score, true_score, or own: of its pay.")
]
FailOption = Annotated[
    str | None,
    typer.Option(
        "--fail-if",
        help="Exit with 4 where this holds of B minus A in any cell, as 'true_loss > 0.05': where the whole interval "
        "lies beyond the number. Intervals hold cell by cell. Fails with 1 where no cell has an interval.",
    ),
]


PairOption = Annotated[
    list[str] | None,
    typer.Option(
        "--pair",
        metavar="A=B",
        help="Compare A's recipe with another of B's, as ppo=mine; repeatable. Without it, or --recipes, a recipe is "
        "compared with itself alone.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Enter the command."""
    app.command("compare")(compare)


def compare(
    first: RunsArgument,
    second: OtherArgument = None,
    score: ScoreOption = "true_loss",
    reward: Annotated[str | None, typer.Option("--reward", help="Only runs paid this: proxy or true.")] = None,
    recipe: Annotated[str | None, typer.Option("--recipe", help="Only this recipe, on both sides.")] = None,
    recipes: Annotated[str | None, typer.Option("--recipes", help="A's recipe and B's, as ppo,q-learning.")] = None,
    pair: PairOption = None,
    fail_if: FailOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the same worlds in two sets of runs, paired by seed; differences are B minus A.

    Estimates and intervals are of interquartile means, rates of hacks; p is of the paired permutation test of means.

    Example: alignment-gym compare runs/catalogue --recipes ppo,q-learning
    """
    from alignment_gym.reports.study.comparison import compare as compared
    from alignment_gym.reports.study.comparison import markdown

    limit = _limit(fail_if)
    chosen = _recipes(recipe, recipes)
    if second is None and recipes is None:
        raise typer.BadParameter("one folder has nothing to be compared with; give another, or two --recipes")
    records = collected(first).records
    one = _some(records, reward, chosen[0])
    other = _some(collected(second).records if second else records, reward, chosen[1])
    partners = _partners(pair or [], chosen, one, other)
    found = compared(one, other, score, partners)
    checked = found if limit is None or limit.score == score else compared(one, other, limit.score, partners)
    broken = limit.broken(checked) if limit else []
    if as_json:
        print_json({**found.as_dict(), "fail_if": fail_if, "failed": [_place(each) for each in broken]})
    else:
        print_markdown(markdown(found))
        for line in found.left_out[:SHOWN]:
            typer.echo(line, err=True)
        if len(found.left_out) > SHOWN:
            typer.echo(f"and {len(found.left_out) - SHOWN} more cells without a partner; --json has all", err=True)
    for each in broken:
        typer.echo(f"--fail-if {fail_if}: {_said(each, checked)}", err=True)
    raise typer.Exit(4 if broken else 0)


def _limit(words: str | None) -> "Limit | None":
    """Read `true_loss > 0.05`."""
    from alignment_gym.core import UnknownName
    from alignment_gym.reports.study.comparison import SCORES, Limit

    if words is None:
        return None
    read = CLAIM.fullmatch(words)
    if not read:
        raise typer.BadParameter(f"--fail-if takes a score, >, >=, < or <=, and a number, not {words!r}")
    score, sign, number = read.groups()
    if score not in SCORES:
        raise UnknownName("score", score, SCORES)
    return Limit(score, sign, float(number))


def _recipes(recipe: str | None, recipes: str | None) -> list[str | None]:
    """Return the recipe of either side, None for all of them."""
    if recipes is None:
        return [recipe, recipe]
    two: list[str | None] = [name.strip() for name in recipes.split(",")]
    if recipe is not None or len(two) != 2 or not all(two):
        raise typer.BadParameter(f"--recipes takes two names, as ppo,q-learning, and no --recipe; not {recipes!r}")
    return two


def _partners(
    pairs: list[str], chosen: list[str | None], one: list[dict[str, Any]], other: list[dict[str, Any]]
) -> dict[str, str]:
    """Read `ppo=mine` words, and add the two of --recipes; each side's recipe has one partner."""
    from alignment_gym.core import UnknownName

    split = [word.partition("=") for word in pairs]
    words = [(first.strip(), second.strip()) for first, _, second in split]
    if not all(first and second and "=" not in second for first, second in words):
        raise typer.BadParameter(f"--pair takes A's recipe and B's, as ppo=mine, not {' '.join(pairs)!r}")
    if len({first for first, _ in words}) < len(words) or len({second for _, second in words}) < len(words):
        raise typer.BadParameter(f"--pair takes each recipe once a side, not {' '.join(pairs)!r}")
    for names, records, side in zip(zip(*words, strict=True), (one, other), "AB", strict=False):
        there = sorted({record["recipe"] for record in records})
        for name in names:
            if name not in there:
                raise UnknownName(f"recipe among {side}'s runs", name, there)
    first, second = chosen
    return {**({first: second} if first and second else {}), **dict(words)}


def _some(records: list[dict[str, Any]], reward: str | None, recipe: str | None) -> list[dict[str, Any]]:
    """Return the records of one reward and recipe."""
    from alignment_gym.core import UnknownName

    for name, value in (("reward", reward), ("recipe", recipe)):
        there = sorted({record[name] for record in records})
        if value is not None and value not in there:
            raise UnknownName(f"{name} among these runs", value, there)
        records = [record for record in records if value is None or record[name] == value]
    return records


def _place(each: "Compared") -> dict[str, Any]:
    return {"first": each.first._asdict(), "second": each.second._asdict()}


def _said(each: "Compared", comparison: "Comparison") -> str:
    from alignment_gym.reports.study.comparison import where

    assert each.found is not None, "what has no difference breaks no limit"
    assert each.found.interval is not None, "nor does what has no interval"
    low, high = each.found.interval
    return f"{where(each, comparison)}: {each.found.difference:+.3f} [{low:+.3f}, {high:+.3f}]"
