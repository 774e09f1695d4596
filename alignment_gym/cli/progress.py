"""Progress on stderr, silent where that is no terminal: of a run, or of a list of parts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter


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
