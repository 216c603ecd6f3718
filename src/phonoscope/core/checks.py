"""Settings are checked when they are put together, before anything is made with them."""

from math import inf

from phonoscope.core.errors import UsageError


def within(name: str, value: float, low: float, high: float = inf) -> None:
    """Nothing, if the setting `name` lies in [low, high].

    Raises:
        UsageError: it lies elsewhere, or is not a number.
    """
    if not low <= value <= high:
        meant = f"{low:g} or more" if high == inf else f"from {low:g} to {high:g}"
        raise UsageError(f"{name} must be {meant}, got {value}")
