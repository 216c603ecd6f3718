"""Thumbs: one small portrait a track, for the report and for people who look before they read."""

from dataclasses import dataclass

import numpy as np

from phonoscope.core.checks import within
from phonoscope.core.faces import Track, Tracks
from phonoscope.core.geometry import POLICIES, crop_track
from phonoscope.core.time import Span
from phonoscope.flow.step import Apart, step
from phonoscope.flow.streams import Film, Look, PartFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class ThumbsParams:
    """How portraits are taken."""

    size: int = 96  # px, both sides
    quality: int = 85  # of 100, of the JPEG

    def __post_init__(self) -> None:
        within("thumbs.size", self.size, 1)
        within("thumbs.quality", self.quality, 1, 100)


@step(version=1, apart=Apart())
def thumbs(film: Film, tracks: Tracks, out: PartFolder, p: ThumbsParams) -> Look[PartFolder]:
    """`thumbs/<track>.jpg`, taken where a detector saw the face, as near to the middle of the track as can be."""
    from phonoscope.media.encode import jpeg

    moments = {track.id: portrait_frame(track) for track in tracks}
    batch = yield [Span(frame, frame + 1) for frame in moments.values()]
    while batch:
        for picture in batch:
            for track in tracks:
                if moments[track.id] == picture.frame:
                    crop = crop_track(track, "asd", size=p.size)
                    rgb = picture.crop_rgb(crop.matrix[picture.frame - track.start], crop.size, POLICIES["asd"].border)
                    (out / f"{track.id}.jpg").write_bytes(jpeg(rgb, p.quality))
        batch = yield None
    return out


def portrait_frame(track: Track) -> int:
    """The observed frame nearest to the middle of a track."""
    seen = np.flatnonzero(track.observed)
    return track.start + int(seen[np.argmin(np.abs(seen - (len(track) - 1) / 2))])
