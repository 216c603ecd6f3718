"""Quality: how sharp, large, bright and contrasted each face is, and how many there are."""

from dataclasses import dataclass

import numpy as np

from phonoscope.core.along import Passing, blank_table
from phonoscope.core.checks import within
from phonoscope.core.faces import Tracks, TrackTable
from phonoscope.core.geometry import crop_track
from phonoscope.core.media import Picture
from phonoscope.flow.step import Apart, step
from phonoscope.flow.streams import Film, Look

KERNEL = 3  # px, both sides of the Laplacian: less of a face than that has no blur


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityParams:
    """At which size faces are compared."""

    size: int = 112  # px, longer side of the face where blur, brightness and contrast are measured

    def __post_init__(self) -> None:
        within("quality.size", self.size, 8)


@step(version=1, apart=Apart())
def quality(film: Film, tracks: Tracks, p: QualityParams) -> Look[TrackTable]:
    """What can be seen of how good a face is, a row for every frame of every track, by track, then frame.

    Columns, all float32 but "faces": "blur" (variance of the Laplacian: low is blurry), "brightness" (mean luma, 0 to
    1) and "contrast" (its standard deviation), all three of the part of the box that the picture holds, NaN if it
    holds none; "size_px" (longer side of the box); "faces" (int32: tracks in that frame); "confidence" (the detector's
    score, NaN where the box is interpolated).
    """
    table, first = blank_table(tracks, "blur", "size_px", "brightness", "contrast", "confidence")
    for track in tracks:
        rows = slice(first[track.id], first[track.id] + len(track))
        table.columns["size_px"][rows] = (track.box[:, 2:] - track.box[:, :2]).max(1)
        table.columns["confidence"][rows] = track.score
    passing, crops = Passing(tracks), {track.id: crop_track(track, "tight", size=p.size) for track in tracks}
    batch = yield [track.span for track in tracks]
    while batch:
        for picture in batch:
            for track in passing.at(picture.frame):
                at = picture.frame - track.start
                face = visible_face(picture, track.box[at], crops[track.id].matrix[at], p.size)
                if min(face.shape) >= KERNEL:
                    row = first[track.id] + at
                    mean, variance = _moments(face)
                    table.columns["blur"][row] = sharpness(face)
                    table.columns["brightness"][row] = mean / 255
                    table.columns["contrast"][row] = variance**0.5 / 255
        batch = yield
    faces = np.bincount(table.frame).astype(np.int32)[table.frame] if len(table.frame) else np.zeros(0, np.int32)
    return TrackTable(table.track, table.frame, {**table.columns, "faces": faces})


def visible_face(picture: Picture, box: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """The part of a face's box (4,) that the picture holds, in grey, (h, w) uint8; its longer side would be `size` px.

    Args:
        matrix: (2, 3), the `tight` crop of the box at that size.
    """
    scale = matrix[0, 0]
    rim = 0.5 * max(1, 1 / scale)  # px of the picture: nearer to its edge than that, pixels mix with what lies outside
    low = scale * np.maximum(box[:2], rim) + matrix[:, 2]
    high = scale * np.minimum(box[2:], np.array([picture.width, picture.height]) - rim) + matrix[:, 2]
    (x0, y0), (x1, y1) = np.ceil(low - 0.5).astype(int), np.floor(high + 0.5).astype(int)  # centres inside
    if x1 <= x0 or y1 <= y0:
        return np.zeros((0, 0), np.uint8)
    return picture.crop_grey(matrix, (size, size), 0)[y0:y1, x0:x1]


def sharpness(grey: np.ndarray) -> float:
    """Variance of the Laplacian of a picture (h, w) uint8, at least 2 px each way: low where it is blurry.

    As `cv2.Laplacian(grey, cv2.CV_64F).var()`: centre -4, four neighbours 1, mirrored at the edge without repeating it.

    Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy: a comparative study", ICPR 2000.
    """
    height, width = grey.shape
    wide = np.empty((height + 2, width + 2), np.int16)
    wide[1:-1, 1:-1] = grey
    wide[[0, -1], 1:-1] = grey[[1, -2]]
    wide[1:-1, [0, -1]] = grey[:, [1, -2]]
    laplacian = wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:] - 4 * wide[1:-1, 1:-1]
    return _moments(laplacian)[1]


def _moments(whole: np.ndarray) -> tuple[float, float]:
    """Mean and variance of whole numbers: their squares add up exactly, so one pass will do, and nothing cancels."""
    values = whole.ravel().astype(np.float64)
    mean = values.sum() / values.size
    return float(mean), float(values @ values / values.size - mean * mean)
