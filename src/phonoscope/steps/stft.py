"""STFT of the recording's sound: what separators of voices take in and give back."""

from dataclasses import dataclass
from typing import Literal

from phonoscope.core.series import Series
from phonoscope.core.stft import stft as stft_of
from phonoscope.flow.step import step


@dataclass(frozen=True, slots=True, kw_only=True)
class StftParams:
    """How sound becomes an STFT."""

    recipe: Literal["speech-separation", "librosa"] = "speech-separation"  # whose numbers; docs/steps/stft.md


@step(version=1)
def stft(audio: Series, p: StftParams) -> Series:
    """Short-time Fourier transform, (T, F) complex64, row by row as the recipe gives it.

    Sound too short for a single row gives none.
    """
    made = stft_of(audio.values, int(audio.rate), p.recipe)
    return Series(made.values, made.rate, audio.start + made.start)
