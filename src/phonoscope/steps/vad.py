"""Where somebody speaks, whoever it is."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.series import Series
from phonoscope.flow.step import step
from phonoscope.models.protocols import VoiceDetector

SAMPLE_RATE = 16000  # Hz: what every VoiceDetector hears
ROW = 160  # samples a row
RATE = Fraction(SAMPLE_RATE, ROW)


@dataclass(frozen=True, slots=True, kw_only=True)
class VadParams:
    """Which model listens."""

    model: str = "auto"  # a voice detector by name; auto: the best whose weights can be had


@step(version=1)
def vad(audio: Series, detector: VoiceDetector, p: VadParams) -> Series:
    """Probability of speech, (ceil(N / 160),) float32 in [0, 1], 100 rows a second; row j is centred at (j+½)/100 s.

    Raises:
        UsageError: the audio is not at 16 kHz.
        ValueError: the detector gave something else than it promised.
    """
    if audio.rate != SAMPLE_RATE:
        raise UsageError(f"vad hears {SAMPLE_RATE} samples a second, the store's audio has {audio.rate}")
    rows = -(-len(audio) // ROW)
    start = audio.start + 1 / (2 * RATE)
    if rows == 0:
        return Series(np.zeros(0, np.float32), RATE, start)
    speech = np.asarray(detector(audio.values), np.float32)
    if speech.shape != (rows,) or not ((speech >= 0) & (speech <= 1)).all():
        raise ValueError(
            f"{detector.card.name} must give ({rows},) probabilities for {len(audio)} samples, got {speech.shape} "
            f"from {np.min(speech, initial=np.inf):.3g} to {np.max(speech, initial=-np.inf):.3g}"
        )
    return Series(speech, RATE, start)
