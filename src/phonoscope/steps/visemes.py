"""Which viseme is spoken, whoever speaks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.series import Series
from phonoscope.core.visemes import RATE, VISEMES
from phonoscope.flow.step import step
from phonoscope.models.protocols import VisemeScorer

SAMPLE_RATE = 16000  # Hz: what every VisemeScorer hears
ROW = SAMPLE_RATE // int(RATE)  # samples a row
PIECE = 30 * SAMPLE_RATE  # samples that are heard at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class VisemesParams:
    """Which model listens."""

    model: str = "auto"  # a viseme scorer by name; auto: the best whose weights can be had
    weights: str = ""  # of a network: a file of your own, or the folder of a run; by default those that come along


@step(version=1)
def visemes(audio: Series, scorer: VisemeScorer, p: VisemesParams) -> Series:
    """How likely each viseme is, (ceil(N / 160), 15) float32, 100 rows a second; row j is centred at (j+½)/100 s.

    Rows sum to 1. The sound is heard in pieces, one after the other, so that memory holds the rows and little more.

    Raises:
        UsageError: the audio is not at 16 kHz.
        ValueError: the scorer gave something else than it promised.
    """
    if audio.rate != SAMPLE_RATE:
        raise UsageError(f"visemes hears {SAMPLE_RATE} samples a second, the store's audio has {audio.rate}")
    made = np.empty((-(-len(audio) // ROW), len(VISEMES)), np.float32)
    done = 0
    for rows in heard((audio.values[at : at + PIECE] for at in range(0, len(audio), PIECE)), scorer):
        if done + len(rows) > len(made):
            raise ValueError(f"{scorer.card.name} must give {len(made)} rows for {len(audio)} samples, it gives more")
        made[done : done + len(rows)] = rows
        done += len(rows)
    if done != len(made):
        raise ValueError(f"{scorer.card.name} must give {len(made)} rows for {len(audio)} samples, got {done}")
    return Series(made, RATE, audio.start + Fraction(1, 2) / RATE)


def heard(sound: Iterable[np.ndarray], scorer: VisemeScorer) -> Iterator[np.ndarray]:
    """Rows (n, 15) float32 of a sound that comes in blocks (N,) float32 at 16 kHz; n may be 0.

    Raises:
        ValueError: the scorer gave something else than it promised.
    """
    stream = scorer.begin()
    for block in sound:
        yield _checked(stream.hear(block), scorer)
    yield _checked(stream.end(), scorer)


def _checked(rows: np.ndarray, scorer: VisemeScorer) -> np.ndarray:
    rows = np.asarray(rows, np.float32)
    if rows.ndim != 2 or rows.shape[1] != len(VISEMES) or not ((rows >= 0) & (rows <= 1)).all():
        raise ValueError(
            f"{scorer.card.name} must give rows of {len(VISEMES)} probabilities, got {rows.shape} "
            f"from {np.min(rows, initial=np.inf):.3g} to {np.max(rows, initial=-np.inf):.3g}"
        )
    return rows
