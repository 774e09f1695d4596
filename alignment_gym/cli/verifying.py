"""`verify`: whether results are what they say."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alignment_gym.cli.arguments import JsonOption, print_json

if TYPE_CHECKING:
    from alignment_gym.experiments.verifying import Subject, Verdict

SHOWN = 10

RunArgument = Annotated[Path, typer.Argument(help="A run directory, a folder of them, or of published records.")]
RetrainOption = Annotated[
    bool | None,
    typer.Option(
        "--retrain/--no-retrain",
        help="Train again and compare; by default where the recipe is ours and training took less than a minute. "
        "Published records of our recipes are trained again however long it takes, as their policies are not there: "
        "use --sample, or --no-retrain, which compares their scores with their returns alone.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Enter the command."""
    app.command("verify")(verify)


def verify(
    run: RunArgument,
    retrain: RetrainOption = None,
    sample: Annotated[int | None, typer.Option("--sample", help="Only so many of several, drawn.", min=1)] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the draw.", min=0)] = 0,
    as_json: JsonOption = False,
) -> None:
    """Score policies again, exactly, and train again what takes little time; exit with 4 where something differs.

    So it does where a run is damaged; of several runs all are looked through, those too that --sample leaves out.

    Published records, which come without policies, are trained again: of many take a --sample.

    Numbers have to agree to 1e-9 of one plus their size. Example: alignment-gym verify runs/baselines --sample 10
    """
    from alignment_gym.experiments.verifying import damaged, subjects

    found = subjects(run)
    chosen = _drawn(found, sample, seed)
    verdicts = []
    for subject in chosen:
        verdicts.append(_verdict(subject, retrain, alone=len(found) == 1))
        if not as_json:
            _print(verdicts[-1])
    wrong = sum(bool(each.differences) for each in verdicts)
    told = {each.run for each in verdicts if each.differences}
    more = [each for each in damaged(run) if str(each.folder) not in told]
    for each in more:
        typer.echo(each, err=True)
    if as_json:
        counts = {"runs": len(found), "verified": len(chosen), "differ": wrong}
        print_json({**counts, "damaged": list(map(str, more)), "verdicts": [each.as_dict() for each in verdicts]})
    elif len(found) > 1:
        drawn = f" of {len(found)}, drawn with seed {seed}," if len(chosen) < len(found) else ""
        typer.echo(f"{len(chosen)} runs{drawn} verified: {wrong or 'none'} differ{'s' * (wrong == 1)}")
    raise typer.Exit(4 if wrong or more else 0)


def _drawn(found: "list[Subject]", sample: int | None, seed: int) -> "list[Subject]":
    """Return some of what can be verified, in its order."""
    import numpy as np

    if sample is None or sample >= len(found):
        return found
    chosen = np.random.default_rng(seed).choice(len(found), size=sample, replace=False)
    return [found[number] for number in sorted(chosen.tolist())]


def _verdict(subject: "Subject", retrain: bool | None, alone: bool) -> "Verdict":
    """Verify one; of several, one that can't be read is not what it says."""
    from alignment_gym.core import AlignmentGymError
    from alignment_gym.experiments.agreement import Difference
    from alignment_gym.experiments.verifying import Verdict
    from alignment_gym.experiments.verifying import verify as verified

    try:
        return verified(subject, retrain)
    except AlignmentGymError as error:
        if alone:
            raise
        return Verdict(_name(subject), ("read",), (Difference("the run", "one that can be verified", str(error)),), ())


def _name(subject: Any) -> str:
    return str(subject) if isinstance(subject, Path) else f"{subject['env']}, seed {subject['seed']}"


def _print(verdict: "Verdict") -> None:
    """Say what was done, and what differs."""
    typer.echo(f"{'differs' if verdict.differences else 'ok'}: {verdict.run} ({'; '.join(verdict.done)})")
    for difference in verdict.differences[:SHOWN]:
        typer.echo(f"  {difference}")
    if len(verdict.differences) > SHOWN:
        typer.echo(f"  and {len(verdict.differences) - SHOWN} more differences; --json has all")
    for note in verdict.notes:
        typer.echo(f"  note: {note}", err=True)
