"""MFCC of the recording's sound, in rows that fit its pictures."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from phonoscope.core.checks import within
from phonoscope.core.media import Recording
from phonoscope.core.mfcc import fit_rows, normalised
from phonoscope.core.mfcc import mfcc as mfcc_of
from phonoscope.core.series import Series
from phonoscope.flow.step import step


@dataclass(frozen=True, slots=True, kw_only=True)
class MfccParams:
    """How sound becomes MFCC."""

    recipe: Literal["psf", "psf39", "psf39-upstream", "librosa", "viseme"] = "psf"  # whose numbers; docs/steps/mfcc.md
    rows_per_frame: int = 4  # rows for each video frame, exactly; 0: as many as the recipe gives
    less: Literal["nothing", "mean", "mean-and-deviation"] = "nothing"  # taken out of each coefficient, a recording
    fill: Literal["wrap", "edge"] = "wrap"  # what stands in rows beyond the sound: its start again, or its last row

    def __post_init__(self) -> None:
        within("mfcc.rows_per_frame", self.rows_per_frame, 0)


@step(version=2)
def mfcc(audio: Series, recording: Recording, p: MfccParams) -> Series:
    """MFCC, (num_frames·rows_per_frame, 13 or 39) float32, with its true rate and the centre of its first row.

    Where the recipe's own rows come at just that rate they are kept one by one, as TalkNet keeps them; where they
    do not (29.97 fps: a step is a whole number of samples), each row is the recipe's nearest in time, and nothing
    drifts. Sound too short for a single row gives none.
    """
    made = mfcc_of(audio.values, recording.sample_rate, p.recipe, recording.fps)
    rows = made.values if p.less == "nothing" else normalised(made.values, p.less == "mean-and-deviation")
    values, rate, start = rows.astype(np.float32), made.rate, audio.start + made.start
    wanted_rate = p.rows_per_frame * recording.fps
    if p.rows_per_frame and len(values):
        if rate == wanted_rate:
            values = fit_rows(values, recording.num_frames * p.rows_per_frame, p.fill)
        else:
            values = Series(values, rate, start).on(recording.span, recording.fps, p.rows_per_frame)
            rate, start = wanted_rate, 1 / (2 * wanted_rate)
    return Series(values, rate, start)
