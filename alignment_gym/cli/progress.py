"""One progress bar a run, on stderr; silent where stderr is no terminal."""

from collections.abc import Callable, Iterator
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
