"""Progress on stderr, silent where that is no terminal: of a run, of a list of parts, or of a study."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alignment_gym.experiments.runner import News, Task


WINDOW = 24 * 3600.0
"""Seconds over which the pace of a study is taken."""


@contextmanager
def following(what: str, steps: int) -> Iterator[Callable[[int, float], None]]:
    """Show steps, steps a second, remaining time, and the score on the reward that is trained on."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TextColumn("{task.fields[pace]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[score]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=steps, pace="", score="")
        began = perf_counter()

        def follow(made: int, score: float) -> None:
            pace = f"{made / max(perf_counter() - began, 1e-9):,.0f} steps/s"
            progress.update(task, completed=made, pace=pace, score=f"score on its reward {score:.2f}")

        yield follow


@contextmanager
def counting(what: str, parts: Sequence[str]) -> Iterator[Callable[[str], None]]:
    """Show which part is at work; call what is yielded with each part's name before it begins."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    # a bar that redraws itself would take time from what is measured
    with Progress(*columns, console=console, disable=not console.is_terminal, auto_refresh=False) as progress:
        task = progress.add_task(what, total=len(parts))

        def told(part: str) -> None:
            progress.update(task, description=part, completed=parts.index(part), refresh=True)

        yield told


@contextmanager
def following_study(name: str, total: int) -> Iterator[Callable[["News"], None]]:
    """Show how many runs have ended, the remaining time, and a line for each that is at work.

    A run that fails now is told in a line that stays; one that ended before only moves the bar, and not the pace.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from alignment_gym.experiments.runner import Began, Ended, Reached

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # a pace over the last half minute, Rich's own, would be none at all where runs take longer
    settings: dict[str, Any] = {"speed_estimate_period": WINDOW, "disable": not console.is_terminal}
    with Progress(*columns, console=console, **settings) as progress:
        whole = progress.add_task(name, total=total)
        before, begun = 0, False
        at_work: dict[Any, Any] = {}

        def told(news: "News") -> None:
            nonlocal before, begun
            place = news.task.folder
            if isinstance(news, Began):
                begun = True
                at_work[place] = progress.add_task(_words(news.task), total=news.task.config.steps)
            elif isinstance(news, Reached) and place in at_work:
                progress.update(at_work[place], completed=news.steps)
            elif isinstance(news, Ended) and place in at_work:
                progress.remove_task(at_work.pop(place))
                progress.update(whole, advance=news.outcome in ("finished", "failed"))
                if news.error and news.outcome != "unwritten":  # which is told at the end
                    console.print(
                        f"{news.outcome}: {place}: {news.error}", markup=False, highlight=False, soft_wrap=True
                    )
            elif isinstance(news, Ended) and begun:  # under another runner
                progress.advance(whole)
            elif isinstance(news, Ended):
                before += 1
                progress.reset(whole, total=total, completed=before)

        yield told


def _words(task: "Task") -> str:
    config = task.config
    return f"  {config.recipe} on {config.env}, {config.reward}, seed {config.seed}"
