"""A recording as a film with boxes on it, to be watched with its sound."""

from pathlib import Path

import numpy as np

from phonoscope.core.time import sample_at
from phonoscope.media.encode import FilmWriter
from phonoscope.media.video import decode
from phonoscope.report.marks import marks_of, put
from phonoscope.report.sheet import shrunk
from phonoscope.store.recording import StoredRecording

LONGEST = 960  # px, longer side


def boxes_film(stored: StoredRecording, name: str, path: Path) -> None:
    """An mp4 with the boxes of `faces`, `tracks` or `asd`, and the sound if there is any; never a part of one.

    Raises:
        RecordingFailed: the film is no longer where it was, or cannot be decoded.
    """
    recording = stored.recording
    marks, _ = marks_of(stored, name)
    audio = np.asarray(stored.load("audio").values) if recording.num_samples else None
    width = even(min(recording.width, LONGEST * recording.width // max(recording.width, recording.height)))
    scale = width / recording.width
    size = (even(round(recording.height * scale)), width)
    rate = recording.sample_rate if audio is not None else 0
    with FilmWriter(path, size, recording.fps, rate) as film:
        for picture in decode(stored.source, stored.clock, [recording.span]):
            shown = _fitted(picture.rgb(), size)
            put(shown, marks(picture.frame), scale)
            film.picture(shown)
            if audio is not None:
                film.sound(audio[film.samples : sample_at(film.frames, recording.fps, rate)])


def even(length: int) -> int:
    """The next even length that is not longer, 2 at least."""
    return max(2, length // 2 * 2)


def _fitted(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A picture at a size (h, w) that differs from its own proportions by rounding alone."""
    made = shrunk(rgb, size[1])
    rows = np.minimum(np.arange(size[0]), len(made) - 1)
    return made if made.shape[:2] == size else np.ascontiguousarray(made[rows])
