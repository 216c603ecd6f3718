"""The layout to look at: the film with a box around each face, green while it speaks, and its score."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phonoscope.core.checks import within
from phonoscope.data.pack.clips import TrackClip
from phonoscope.data.pack.folder import PackFolder
from phonoscope.data.pack.layout import Packed
from phonoscope.data.pack.material import Material
from phonoscope.data.pack.speaking import scores_of, smoothed
from phonoscope.data.pack.whole import name_of, one_file, pack_whole
from phonoscope.media.canvas import RED, SPEAKING, Mark, put
from phonoscope.store.recording import StoredRecording

NAME, VERSION = "overlay", 1
EACH = "%s.mp4"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayParams:
    """What is green, and how well it is filmed."""

    threshold: float = 0.0  # log-odds of speaking, above which a face is green
    smoothing: int = 5  # frames over which log-odds are averaged; 1: they are shown as they are
    crf: int = 20  # constant quality of x264: lower is better and larger

    def __post_init__(self) -> None:
        within("overlay.smoothing", self.smoothing, 1)
        within("overlay.crf", self.crf, 0, 51)


def overlay(
    stored: StoredRecording, clips: Sequence[TrackClip], folder: PackFolder, p: OverlayParams
) -> Iterator[Packed]:
    """The whole film on its clock, H.264 with its sound, and on it the boxes of the clips with their log-odds.

    Raises:
        UsageError: the recording has sound but no scores, or scores that are stale.
        RecordingFailed: its film is no longer where it was, or cannot be decoded.
    """
    material = Material(stored)
    write = one_file(EACH % name_of(material), lambda path: _film(material, clips, p, path))
    yield from pack_whole(material, clips, folder, (NAME, VERSION), ("recording", "asd", "audio"), p, write)


def marks_on(frame: int, clips: Sequence[TrackClip], scores: dict[str, np.ndarray], threshold: float) -> list[Mark]:
    """The boxes on a frame; `scores` are log-odds (T,) by the clip's name."""
    marks = []
    for clip in clips:
        if clip.span.start <= frame < clip.span.stop:
            row = frame - clip.span.start
            score = float(scores[clip.name][row])
            colour = SPEAKING if score > threshold else RED
            marks.append(Mark(clip.track.box[row], f"{clip.track.id}  {score:+.1f}", colour))
    return marks


def _film(material: Material, clips: Sequence[TrackClip], p: OverlayParams, to: Path) -> None:
    from phonoscope.media.encode import write_film
    from phonoscope.media.video import decode

    stored, recording = material.stored, material.recording
    asd = stored.load("asd")
    scores = {clip.name: smoothed(scores_of(asd, clip), p.smoothing) for clip in clips}
    height, width = recording.height // 2 * 2, recording.width // 2 * 2

    def pictures() -> Iterator[np.ndarray]:
        for picture in decode(stored.source, stored.clock, [recording.span]):
            shown = picture.rgb()[:height, :width].copy()
            put(shown, marks_on(picture.frame, clips, scores, p.threshold))
            yield shown

    write_film(to, pictures(), recording.fps, np.asarray(stored.load("audio").values), recording.sample_rate, crf=p.crf)
