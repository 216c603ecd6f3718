"""Series: anything that varies with time at a steady rate, and the one rule that aligns it to video."""

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from phonoscope.core.time import Span


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Values sampled at a steady rate: audio, MFCC, voice activity, speech embeddings."""

    values: np.ndarray  # (T, ...) one row per instant
    rate: Fraction  # rows per second
    start: Fraction = Fraction(0)  # seconds, centre of row 0

    def __len__(self) -> int:
        return len(self.values)

    def on(self, span: Span, fps: Fraction, rows: int = 1) -> np.ndarray:
        """Exactly `rows` rows for each video frame of `span`, (len(span)·rows, ...).

        Row j of frame f is the row of this series whose centre is nearest to (f + (2j+1)/(2·rows)) / fps
        seconds; a tie goes to the later one.

        Raises:
            ValueError: the series does not cover the span, give or take half a frame and half a row of its own, or
                the half window that its first row looks ahead.
        """
        step, first = (
            self.rate / (2 * rows * fps),
            self.start * self.rate,
        )  # row of instant n/(2·rows·fps) is n·step - first
        unit = lcm(step.denominator, first.denominator)
        instants = 2 * np.arange(span.start * rows, span.stop * rows, dtype=object) + 1
        exact = instants * int(step * unit) - int(first * unit)  # rows, in units of 1/unit: whole numbers, so never off
        row = ((2 * exact + unit) // (2 * unit)).astype(np.int64)
        slack = (max(self.rate / fps, 2 * first) + 1) / 2 * unit
        if len(self) == 0 or exact[0] < -slack or exact[-1] > (len(self) - 1) * unit + slack:
            raise ValueError(
                f"{span} needs rows {row[0]} to {row[-1]} of the series, which has {len(self)} at {self.rate} a second"
            )
        return self.values[np.clip(row, 0, len(self) - 1)]
