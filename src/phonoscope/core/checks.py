"""Settings are checked when they are put together, before anything is made with them."""

import re
from math import inf
from pathlib import Path

from phonoscope.core.errors import UsageError


def within(name: str, value: float, low: float, high: float = inf) -> None:
    """Nothing, if the setting `name` lies in [low, high].

    Raises:
        UsageError: it lies elsewhere, or is not a number.
    """
    if not low <= value <= high:
        meant = f"{low:g} or more" if high == inf else f"from {low:g} to {high:g}"
        raise UsageError(f"{name} must be {meant}, got {value}")


def folder_here(option: str, path: Path | str) -> Path:
    """The folder of this machine that is to be written into.

    Raises:
        UsageError: a URI was given, such as s3://bucket/films.
    """
    if found := re.match(r"([a-z][a-z0-9+.-]+):/+(?=[^/])", str(path), re.IGNORECASE):  # pathlib makes one slash of two
        uri = f"{found[1]}://{str(path)[found.end() :]}"
        raise UsageError(f"{option} wants a folder on this machine, got '{uri}': write into one, then copy it there")
    return Path(path)
