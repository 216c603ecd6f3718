"""Crop video: each track as a small film with its sound, to look at, to train on, to show."""

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError
from phonoscope.core.geometry import POLICIES, Crop, Crops
from phonoscope.core.media import Picture, Recording
from phonoscope.core.series import Series
from phonoscope.core.time import Span
from phonoscope.flow.step import Apart, step
from phonoscope.flow.streams import Film, Look, PartFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class CropVideoParams:
    """How crops are filmed."""

    size: int = 224  # px, both sides; even
    crf: int = 18  # constant quality of x264: lower is better and larger

    def __post_init__(self) -> None:
        within("crop_video.size", self.size, 2)
        within("crop_video.crf", self.crf, 0, 51)
        if self.size % 2:
            raise UsageError(f"crop_video.size must be even, got {self.size}")


@step(version=1, apart=Apart())
def crop_video(
    film: Film, crops: Crops, audio: Series | None, recording: Recording, out: PartFolder, p: CropVideoParams
) -> Look[PartFolder]:
    """`crops/<track>.mp4`: H.264 at the recording's rate, with AAC of the same span, one film a track.

    Planes are warped as they come out of the decoder: colour is neither converted nor sampled twice.
    """
    waiting = sorted(crops.crops, key=lambda crop: crop.start, reverse=True)
    rolling: list[_Roll] = []
    with ExitStack() as stack:
        batch = yield [crop.span for crop in waiting]
        while batch:
            for picture in batch:
                while waiting and waiting[-1].start <= picture.frame:
                    rolling.append(_Roll(waiting.pop(), out, recording, audio, p))
                    stack.enter_context(rolling[-1].open)
                for roll in rolling:
                    roll.see(picture)
                rolling = [roll for roll in rolling if not roll.over()]
            batch = yield None
    return out


class _Roll:
    """One track's film in the making."""

    def __init__(
        self, crop: Crop, out: PartFolder, recording: Recording, audio: Series | None, p: CropVideoParams
    ) -> None:
        from phonoscope.media.encode import FilmWriter

        self.crop, self.recording, self.audio, self.size = crop, recording, audio, (p.size, p.size)
        self.matrix = crop.matrix * (p.size / crop.size[0])
        rate = recording.sample_rate if audio is not None else 0
        self.open = ExitStack()
        self.film = self.open.enter_context(
            FilmWriter(out / f"{crop.track}.mp4", self.size, recording.fps, rate, crf=p.crf)
        )

    def see(self, picture: Picture) -> None:
        row = picture.frame - self.crop.start
        self.film.picture(picture.crop_yuv(self.matrix[row], self.size, POLICIES[self.crop.policy].border))
        if self.audio is not None:
            under = Span(picture.frame, picture.frame + 1).samples(self.recording.fps, self.recording.sample_rate)
            self.film.sound(np.asarray(self.audio.values[under]))

    def over(self) -> bool:
        """Whether this was the last frame; if so the film is finished."""
        if self.film.frames == len(self.crop):
            self.open.close()
            return True
        return False
