"""`study add`: agents that were trained elsewhere join a study."""

from pathlib import Path
from typing import Annotated

import typer

from alignment_gym.cli.arguments import JsonOption, print_json


def add(
    policies: Annotated[list[Path], typer.Argument(help="Policy files, as `save_policy` writes them; one a seed.")],
    study: Annotated[str, typer.Option("--study", help="A study's name below -o, or its folder, with a slash.")],
    name: Annotated[str | None, typer.Option("--name", help="What they go by; one file's own name by default.")] = None,
    reward: Annotated[str, typer.Option("--reward", help="What they were paid: proxy, or true.")] = "proxy",
    seed: Annotated[int, typer.Option("--seed", help="Of the first file; the others count up, in order.", min=0)] = 0,
    steps: Annotated[int, typer.Option("--steps", help="Of training, each; 0 if that is not known.", min=0)] = 0,
    env: Annotated[str | None, typer.Option("--env", help="The world, where it is your own: module:id.")] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="Where studies are.")] = Path("runs"),
    new: Annotated[bool, typer.Option("--new", help="The study may be a new one.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Score policies that were trained elsewhere, and put them beside a study's runs.

    An agent becomes a file by `save_policy(path, tabulate(agent, ENV), dials)`, where the agent is any callable from
    observations to probabilities or actions. Example: alignment-gym study add policy-*.npz --study first --name mine
    """
    from alignment_gym.experiments.adding import add_policies
    from alignment_gym.experiments.run import read_result

    if name is None and len(policies) > 1:
        raise typer.BadParameter(f"{len(policies)} files go by one name; give --name")
    folder = Path(study) if Path(study).parent != Path() or study.endswith("/") else out / study
    if not folder.is_dir() and not new:
        _refuse_unknown(folder)
    known = name if name is not None else policies[0].stem
    folders = add_policies(policies, folder, known, reward=reward, seed=seed, steps=steps, env=env)
    results = [read_result(each) for each in folders]
    if as_json:
        print_json([{"run": str(each), **result} for each, result in zip(folders, results, strict=True)])
        return
    for each, result in zip(folders, results, strict=True):
        if result["unseen_observations"]:
            typer.echo(f"note: {result['unseen_observations']} observations are new to it, played uniformly", err=True)
        loss = "undefined" if result["true_loss"] is None else f"{result['true_loss']:.3f}"
        typer.echo(f"{each}: true loss {loss}")
    typer.echo(f"next: alignment-gym report {folder}")


def _refuse_unknown(folder: Path) -> None:
    """Refuse a study that there is not, as it may be another one's name mistyped."""
    from alignment_gym.core import InvalidStudy
    from alignment_gym.core.errors import suggestion

    there = sorted(path.name for path in folder.parent.glob("*/"))
    nearest = f"{suggestion(folder.name, there)}; " if there else ""
    raise InvalidStudy(f"there is no study {folder.name!r} in {folder.parent}; {nearest}--new begins it")
