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
        seconds; a tie goes to the later one. So the error is half a row at most between the first centre and the
        last; beyond them, where windows no longer fit into the sound, stands the first row or the last.

        Raises:
            ValueError: the series has no rows, or its centres leave as much of the span bare as no recipe does: half
                a frame, a row, and the half window by which its first row comes after 0 s (`start`, two rows at most).
        """
        step, first = self.rate / (2 * rows * fps), self.start * self.rate
        unit = lcm(step.denominator, first.denominator)  # all below in units of 1/unit rows: whole numbers, never off
        scale, offset, last = int(step * unit), int(first * unit), (len(self) - 1) * unit
        largest = 4 * (span.stop + 1) * rows * scale + 4 * abs(offset) + unit
        whole = np.int64 if largest < 2**62 else object  # Python's own numbers where 64 bits would overflow
        exact = (2 * np.arange(span.start * rows, span.stop * rows, dtype=whole) + 1) * scale - offset
        row = ((2 * exact + unit) // (2 * unit)).astype(np.int64)
        slack = (self.rate / (2 * fps) + 1 + min(max(first, Fraction(0)), Fraction(2))) * unit
        if len(self) == 0 or int(exact[0]) <= -slack or int(exact[-1]) >= last + slack:
            raise ValueError(
                f"{span} needs rows {row[0]} to {row[-1]} of the series, which has {len(self)} at {self.rate} a second"
            )
        return self.values[np.clip(row, 0, len(self) - 1)]
