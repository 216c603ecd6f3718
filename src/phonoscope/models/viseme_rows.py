"""What the viseme network hears: log-mel rows on the grid of viseme tracks, worked out row by row."""

import numpy as np

from phonoscope.core.fbank import fbank

SAMPLE_RATE = 16_000  # Hz
ROW = 160  # samples from row to row
WINDOW = 400  # samples that a row sees: its centre is that of the 10 ms it stands for
LEAD = (WINDOW - ROW) // 2  # samples by which a row begins before its 10 ms
BANKS = 80  # filters, as Kaldi's
QUIET, LOUD = 2.0, 22.0  # levels below and above do not matter: a sound that is silent by numbers is merely quiet
MEAN, DEVIATION = 11.0, 4.5  # of levels of speech


def log_mel(audio: np.ndarray) -> np.ndarray:
    """Rows of (N,) float32 at 16 kHz that sees whole windows only, (max(0, 1 + (N - 400) // 160), 80) float32.

    About 0 on average, within ±2.5. Each row depends on its own 400 samples alone.
    """
    if len(audio) < WINDOW:
        return np.zeros((0, BANKS), np.float32)
    levels = fbank(audio, SAMPLE_RATE).values
    return ((np.clip(levels, QUIET, LOUD) - MEAN) / DEVIATION).astype(np.float32)
