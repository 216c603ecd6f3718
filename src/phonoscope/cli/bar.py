"""Bars for what takes long, on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import TaskID


@contextmanager
def seconds_bar(name: str, total_s: float) -> Iterator[Callable[[float], object]]:
    """A bar that goes when it is done; it is moved by telling it how many seconds of sound have been heard.

    Args:
        total_s: of the sound, s; 0 if nobody knows.
    """
    if not sys.stderr.isatty():
        yield lambda heard_s: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task(name, total=total_s or None)
        yield lambda heard_s: bars.update(bar, completed=heard_s)


@contextmanager
def bytes_bars() -> Iterator[Callable[[str, int, int], object]]:
    """A bar for each file that is on its way; it is told a name, bytes that have come, and how many there are."""
    if not sys.stderr.isatty():
        yield lambda name, done, of: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        known: dict[str, TaskID] = {}

        def tell(name: str, done: int, of: int) -> None:
            if name not in known:
                known[name] = bars.add_task(name, total=of or None)
            bars.update(known[name], completed=done, total=of or None, visible=not of or done < of)

        yield tell
