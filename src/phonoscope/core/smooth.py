"""The One-Euro filter: still where nothing moves, prompt where something does."""

import numpy as np

SPEED_HZ = 1.0  # cut-off of the filter that estimates the speed, as the paper has it


def one_euro(values: np.ndarray, rate: float, min_hz: float, beta: float = 0.0) -> np.ndarray:
    """Values (T, …) smoothed along time, causally, of the same shape and type.

    Each number is low-passed with a cut-off of `min_hz + beta · |its speed|`. After a gap of NaN it starts afresh; the
    NaN stay.

    Args:
        rate: rows a second.
        min_hz: cut-off where nothing moves; the lower, the stiller, and the later.
        beta: by how many Hz the cut-off rises for each unit a second; the higher, the prompter.

    Raises:
        ValueError: `rate` or `min_hz` is not above 0, or `beta` is below 0.
    Source: Casiez, Roussel and Vogel: "1€ Filter", CHI 2012.
    """
    if rate <= 0 or min_hz <= 0 or beta < 0:
        raise ValueError(f"rate and min_hz must be above 0 and beta 0 or more, got {rate}, {min_hz}, {beta}")
    values = np.asarray(values)
    made = values.astype(np.float64)
    before = np.full(made.shape[1:], np.nan)
    speed = np.zeros(made.shape[1:])
    for at, row in enumerate(made):
        new = np.isnan(before)
        rise = np.where(new, 0.0, (row - before) * rate)
        speed = np.where(new, 0.0, speed + _share(SPEED_HZ, rate) * (rise - speed))
        before = made[at] = np.where(new, row, before + _share(min_hz + beta * np.abs(speed), rate) * (row - before))
    return made.astype(values.dtype)


def _share(cutoff_hz: float | np.ndarray, rate: float) -> float | np.ndarray:
    """How much of a new value an exponential filter takes over."""
    return 1 / (1 + rate / (2 * np.pi * cutoff_hz))
