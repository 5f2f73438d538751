"""Bars with the time left, for what takes minutes: on stderr, and only where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gptcount.errors import shown


@contextmanager
def progress_bars() -> Iterator[Callable[[str], Callable[[int, int], None] | None]]:
    """Bars with the time left on stderr, for a terminal; elsewhere none. Gives what makes one for a model's layers."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:

        def of(name: str) -> Callable[[int, int], None]:
            task = bars.add_task(f"{shown(name)}: layers", total=None)
            return lambda done, total: bars.update(task, completed=done, total=total)

        yield of
