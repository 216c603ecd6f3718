"""A bar for one thing that takes long, on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


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
