"""A bar for what takes long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hitl_approval_cli import output


@contextmanager
def bar(
    what: str, unit: str, *, total: Callable[[], int | None] = lambda: None
) -> Iterator[Callable[[int], None]]:
    """A bar on stderr in a terminal, nothing elsewhere; `total` may be only about right.

    Yields what to call with how many more are done. rich would send what is printed meanwhile to
    stderr too: only where both are the same terminal must it know of it, to keep the bar below.
    """
    if not output.err.is_terminal:
        yield lambda _: None
        return
    shown = Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        console=output.err,
        transient=True,
        redirect_stdout=output.out.is_terminal,
    )
    with shown:
        task = shown.add_task(what, total=total())
        yield lambda count: shown.advance(task, count)
