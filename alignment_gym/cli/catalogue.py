"""`list`, `info`, `cite`, `doctor`, `cards`: what there is."""

from pathlib import Path
from typing import Annotated

import typer

from alignment_gym.cli.arguments import (
    DialOption,
    EnvArgument,
    JsonOption,
    LevelOption,
    pairs,
    print_json,
    print_markdown,
)


def add_to(app: typer.Typer) -> None:
    """Enter this group's commands."""
    app.command("list")(list_worlds)
    app.command("info")(info)
    app.command("cards")(cards)
    app.command("cite")(cite)
    app.command("doctor")(doctor)


def list_worlds(
    tag: Annotated[str | None, typer.Option("--tag", help="Only worlds with this failure mode.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the worlds, by their first failure mode."""
    from alignment_gym.core import FAILURE_MODES, UnknownName
    from alignment_gym.reports.worlds.catalogue import catalogue

    if tag is not None and tag not in FAILURE_MODES:
        raise UnknownName("failure mode", tag, FAILURE_MODES)
    worlds = catalogue(tag)
    if as_json:
        print_json(worlds)
        return
    rows: list[list[str]] = []
    for mode in FAILURE_MODES:
        found = [each for each in worlds if each["failure_modes"][0] == mode]
        rows += [[f"[bold]{mode}[/bold]"]] if found else []
        for each in found:
            levels = ", ".join([str(len(each["levels"])), *(f"{family}/i" for family in each["families"])])
            rows.append([f"  {each['id'].partition('/')[2]}", levels, each["intent"]])
    _table(["world", "levels", "intent"], rows)


def info(env: EnvArgument, level: LevelOption = None, dial: DialOption = None, as_json: JsonOption = False) -> None:
    """Show a world's card: specification, loophole, dials, anchors, certificate, citation."""
    from alignment_gym.reports.worlds.world_card import card_facts, card_text

    dials = pairs(dial, "--dial")
    if as_json:
        print_json(card_facts(env, level, dials))
    else:
        print_markdown(card_text(env, level, dials))


def cards(
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder that holds envs/ and agents/.")] = Path("."),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 4 where a card is stale.")] = False,
) -> None:
    """Write the cards of all worlds and recipes, with pictures."""
    from alignment_gym.reports.worlds.cards import stale_cards, write_cards

    if not check:
        for path in write_cards(out):
            typer.echo(path)
        return
    stale = stale_cards(out)
    for path in stale:
        typer.echo(f"stale: {path}", err=True)
    raise typer.Exit(4 if stale else 0)


def cite(
    env: Annotated[str | None, typer.Argument(help="A world, to add its sources.")] = None,
    suite: Annotated[str | None, typer.Option("--suite", help="A frozen suite, such as core-1, to add it.")] = None,
) -> None:
    """Print BibTeX."""
    from alignment_gym.reports.citation import bibtex

    typer.echo(bibtex(env, suite))


def doctor(as_json: JsonOption = False) -> None:
    """Report on this installation; exit 4 where something is wrong."""
    from alignment_gym.reports.doctor import examine

    findings = examine()
    if as_json:
        print_json([finding.as_dict() for finding in findings])
    else:
        for finding in findings:
            typer.echo(f"{'ok  ' if finding.ok else 'BAD '} {finding.what}: {finding.found}")
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 4)


def _table(head: list[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for place, name in enumerate(head):
        table.add_column(name, no_wrap=place == 0)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
