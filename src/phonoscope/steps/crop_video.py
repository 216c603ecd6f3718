"""Crop video: each track as a small film with its sound, to look at, to train on, to show."""

from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from phonoscope.core.geometry import POLICIES, Crop, Crops
from phonoscope.core.media import Picture, Recording
from phonoscope.core.series import Series
from phonoscope.flow.step import step
from phonoscope.flow.streams import Film, Look, PartFolder
from phonoscope.media.encode import FilmWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class CropVideoParams:
    """How crops are filmed."""

    size: int = 224  # px, longer side
    crf: int = 18  # constant quality of x264: lower is better and larger


@step(version=1)
def crop_video(
    film: Film, crops: Crops, audio: Series | None, recording: Recording, out: PartFolder, p: CropVideoParams
) -> Look[PartFolder]:
    """`crops/<track>.mp4`: H.264 at the recording's rate and AAC of the same span, one file a track."""
    waiting = sorted(crops.crops, key=lambda crop: crop.start, reverse=True)
    rolling: list[_Roll] = []
    with ExitStack() as stack:
        batch = yield [crop.span for crop in waiting]
        while batch:
            for picture in batch:
                while waiting and waiting[-1].start <= picture.frame:
                    rolling.append(_Roll(waiting.pop(), audio, recording, out, p, stack))
                for roll in rolling:
                    roll.see(picture)
                rolling = [roll for roll in rolling if not roll.over]
            batch = yield None
    return out
