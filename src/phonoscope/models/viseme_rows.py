"""What the viseme network hears: log-mel rows on the grid of viseme tracks, from sound that may come bit by bit.

From each row is taken what has been heard on average so far, so that rooms and microphones matter less.
"""

import numpy as np

from phonoscope.core.fbank import fbank

SAMPLE_RATE = 16_000  # Hz
ROW = 160  # samples from row to row
WINDOW = 400  # samples that a row sees: its centre is that of the 10 ms it stands for
LEAD = (WINDOW - ROW) // 2  # samples by which a row begins before its 10 ms
BANKS = 80  # filters, as Kaldi's
QUIET, LOUD = 2.0, 22.0  # levels below and above do not matter: a sound that is silent by numbers is merely quiet
MEAN = 14.5  # of the levels of speech, before anything is heard
TRUST = 100  # rows that it is worth
MEMORY = 500  # rows after which the past is forgotten as fast as it comes
FLOOR = 7.0  # the mean never counts as less: silence must not become as loud as speech
EASE = 3.0  # by which what remains is divided


def log_mel(audio: np.ndarray) -> np.ndarray:
    """Levels of (N,) float32 at 16 kHz that see whole windows only, (max(0, 1 + (N - 400) // 160), 80) float32.

    Natural logarithms of power, from 2 to 22. Each row depends on its own 400 samples alone.
    """
    if len(audio) < WINDOW:
        return np.zeros((0, BANKS), np.float32)
    return np.clip(fbank(audio, SAMPLE_RATE).values, QUIET, LOUD).astype(np.float32)


def levelled(levels: np.ndarray, mean: np.ndarray, heard: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Levels less their mean so far, in tens of decibels or so; and the mean after them.

    Args:
        levels: (T, 80) float32, or (T, B, 80) of several sounds side by side.
        mean: (80,) or (B, 80) float32 of what came before.
        heard: rows that came before.
    """
    made = np.empty_like(levels)
    for at, row in enumerate(levels):
        mean = mean + (row - mean) / np.float32(min(TRUST + heard + at, MEMORY))
        made[at] = row - np.maximum(mean, FLOOR)
    return made / np.float32(EASE), mean


class Rows:
    """Rows of a sound that is heard bit by bit."""

    def __init__(self) -> None:
        self._sound = np.zeros(LEAD, np.float32)  # that no row has seen as a whole; silence comes before
        self._samples = self._count = 0  # heard; rows that were made of them
        self._mean = np.full(BANKS, MEAN, np.float32)

    def hear(self, audio: np.ndarray) -> np.ndarray:
        """The rows that are certain after more of the sound, (n, 80) float32."""
        self._samples += len(audio)
        self._sound = np.concatenate([self._sound, audio])
        levels = log_mel(self._sound)
        self._sound = self._sound[len(levels) * ROW :]
        made, self._mean = levelled(levels, self._mean, self._count)
        self._count += len(levels)
        return made

    def end(self) -> np.ndarray:
        """The rows that are left, (n, 80): ceil(N / 160) of N samples in all. Silence follows."""
        missing = -(-self._samples // ROW) - self._count
        silence = np.zeros(max(0, (missing - 1) * ROW + WINDOW - len(self._sound)) if missing else 0, np.float32)
        levels = log_mel(np.concatenate([self._sound, silence]))[:missing]
        self._count += len(levels)
        return levelled(levels, self._mean, self._count - len(levels))[0]


def rows_of(audio: np.ndarray) -> np.ndarray:
    """All rows of a sound (N,) float32 at 16 kHz, (ceil(N / 160), 80) float32."""
    rows = Rows()
    return np.concatenate([rows.hear(audio), rows.end()])
