"""Filterbanks of the recording's sound: how loud it is along the mel scale."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from phonoscope.core.fbank import fbank as fbank_of
from phonoscope.core.series import Series
from phonoscope.flow.step import step


@dataclass(frozen=True, slots=True, kw_only=True)
class FbankParams:
    """How sound becomes filterbanks."""

    recipe: Literal["kaldi", "psf", "whisper"] = "kaldi"  # whose numbers; docs/steps/fbank.md


@step(version=1)
def fbank(audio: Series, p: FbankParams) -> Series:
    """Levels of mel filters, (T, 80 or 26) float32, row by row as the recipe gives them.

    Sound too short for a single row gives none.
    """
    made = fbank_of(audio.values, int(audio.rate), p.recipe)
    return Series(made.values.astype(np.float32), made.rate, audio.start + made.start)
