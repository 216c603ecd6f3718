"""A recording as a film to be watched with its sound: with boxes on it, or its tracks side by side."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil, sqrt
from pathlib import Path

import numpy as np

from phonoscope.core.geometry import POLICIES, Crop
from phonoscope.core.time import Span, merge_spans
from phonoscope.media.canvas import blank, hue, put, tag
from phonoscope.media.encode import write_film
from phonoscope.media.video import decode
from phonoscope.report.figures import figures_of, put_figures
from phonoscope.report.marks import marks_of
from phonoscope.report.sheet import crop_film, shrunk
from phonoscope.store.recording import StoredRecording

LONGEST = 960  # px, longer side
CELL, CELLS = 240, 12  # px, side of a track's cell at most; so many tracks have a cell of their own
GREY = (128, 128, 128)


def boxes_film(stored: StoredRecording, name: str, path: Path) -> None:
    """An mp4 with the boxes of `faces`, `tracks` or `asd`, and the sound if there is any; never a part of one.

    Raises:
        RecordingFailed: the film is no longer where it was, or cannot be decoded.
    """
    marks, _ = marks_of(stored, name)
    _drawn_film(stored, lambda shown, frame, scale: put(shown, marks(frame), scale), path)


def figures_film(stored: StoredRecording, name: str, path: Path) -> None:
    """An mp4 with the lines of `landmarks`, `mesh`, `pose` or `mouth`, and the sound; never a part of one.

    Raises:
        RecordingFailed: the film is no longer where it was, or cannot be decoded.
    """
    figures = figures_of(stored, name)
    _drawn_film(
        stored, lambda shown, frame, scale: put_figures(shown, figures(frame), np.eye(2, 3) * scale), path
    )  # fmt: skip


def _drawn_film(stored: StoredRecording, ink: Callable[[np.ndarray, int, float], None], path: Path) -> None:
    """The film with something drawn on every picture: `ink` is given the picture, its frame and its scale."""
    recording = stored.recording
    width = even(min(recording.width, LONGEST * recording.width // max(recording.width, recording.height)))
    scale = width / recording.width
    size = (even(round(recording.height * scale)), width)

    def pictures() -> Iterator[np.ndarray]:
        for picture in decode(stored.source, stored.clock, [recording.span]):
            shown = _fitted(picture.rgb(), size)
            ink(shown, picture.frame, scale)
            yield shown

    _write(stored, pictures(), path)


def tracks_film(stored: StoredRecording, name: str, path: Path) -> None:
    """An mp4 of the tracks side by side, each in its cell while it lasts, grey where there is none; with the sound.

    Args:
        name: `crops` cuts them out of the film, `crop_video` takes their own films.

    Raises:
        RecordingFailed: the film is no longer where it was, or cannot be decoded.
    """
    crops: Sequence[Crop] = stored.load("crops").crops
    places = cells([crop.span for crop in crops])
    count = max(places, default=0) + 1
    columns = ceil(sqrt(count))
    side = even(min(CELL, LONGEST // columns))
    faces = _filmed(stored, crops) if name == "crop_video" else _cut(stored, crops)
    place = {crop.track: divmod(cell, columns) for crop, cell in zip(crops, places, strict=True)}

    def pictures() -> Iterator[np.ndarray]:
        for seen in faces:
            shown = blank(-(-count // columns) * side, columns * side, GREY)
            for track, face in seen.items():
                row, column = place[track]
                cell = shown[row * side : (row + 1) * side, column * side : (column + 1) * side]
                cell[:] = shrunk(face, side)
                tag(cell, 0, 0, str(track), hue(track))
            yield shown

    _write(stored, pictures(), path)


def cells(spans: Sequence[Span], own: int = CELLS) -> list[int]:
    """A cell for each span: in order of start the first `own` have one each, later ones take that of one that is over.

    Where none is over there is one cell more: two spans of one cell never overlap.
    """
    free_at: list[int] = []
    places = [0] * len(spans)
    for k in sorted(range(len(spans)), key=lambda k: spans[k]):
        over = [cell for cell, stop in enumerate(free_at) if stop <= spans[k].start]
        if len(free_at) < own or not over:
            over = [len(free_at)]
            free_at.append(0)
        places[k] = over[0]
        free_at[over[0]] = spans[k].stop
    return places


def even(length: int) -> int:
    """The next even length that is not longer, 2 at least."""
    return max(2, length // 2 * 2)


def _cut(stored: StoredRecording, crops: Sequence[Crop]) -> Iterator[Mapping[int, np.ndarray]]:
    """For every frame of the recording the faces in it, track -> (h, w, 3), cut out of the film."""
    pictures = decode(stored.source, stored.clock, merge_spans([crop.span for crop in crops]))
    for frame in range(stored.recording.num_frames):
        there = _there(crops, frame)
        if not there:
            yield {}
            continue
        picture = next(pictures)
        yield {
            crop.track: picture.crop_rgb(crop.matrix[frame - crop.start], crop.size, POLICIES[crop.policy].border)
            for crop in there
        }


def _filmed(stored: StoredRecording, crops: Sequence[Crop]) -> Iterator[Mapping[int, np.ndarray]]:
    """The same out of the tracks' own films, each of which is open while its track lasts."""
    rolls = {}
    for frame in range(stored.recording.num_frames):
        there = _there(crops, frame)
        rolls = {crop.track: rolls.get(crop.track) or crop_film(stored, crop, [Span(0, len(crop))]) for crop in there}
        yield {track: next(roll).rgb() for track, roll in rolls.items()}


def _there(crops: Sequence[Crop], frame: int) -> list[Crop]:
    return [crop for crop in crops if crop.span.start <= frame < crop.span.stop]


def _write(stored: StoredRecording, pictures: Iterator[np.ndarray], path: Path) -> None:
    """A film of a picture (H, W, 3) uint8 a frame of the recording, with its sound if there is any."""
    recording = stored.recording
    audio = np.asarray(stored.load("audio").values) if recording.num_samples else None
    write_film(path, pictures, recording.fps, audio, recording.sample_rate)


def _fitted(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A picture at a size (h, w) that differs from its own proportions by rounding alone."""
    made = shrunk(rgb, size[1])
    rows = np.minimum(np.arange(size[0]), len(made) - 1)
    return made if made.shape[:2] == size else np.ascontiguousarray(made[rows])
