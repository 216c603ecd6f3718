"""Lines on faces: landmarks, meshes, the axes of the head, and the mouth."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from phonoscope.core.faces import TrackArrays, Tracks, TrackTable
from phonoscope.media.canvas import HUES, SPEAKING, Colour, hue, tag
from phonoscope.store.recording import StoredRecording

CONTOURS = (  # of the 68 points of iBUG 300-W: first, last, whether the line closes
    (0, 16, False), (17, 21, False), (22, 26, False), (27, 30, False), (31, 35, False),
    (36, 41, True), (42, 47, True), (48, 59, True), (60, 67, True),
)  # fmt: skip
LIPS = CONTOURS[-2:]
AXES: tuple[tuple[str, Colour], ...] = (("x", HUES[3]), ("y", SPEAKING), ("z", HUES[0]))
FINE = 4  # binary digits behind the point that OpenCV draws with


class Figure(NamedTuple):
    """Lines on one face, in px of the source."""

    track: int
    lines: Sequence[tuple[np.ndarray, bool, Colour]]  # points (K, 2), whether they close, colour
    at: np.ndarray  # (2,) where the label stands
    label: str
    colour: Colour


Figures = Callable[[int], Iterator[Figure]]
"""What is to be drawn on a frame."""


def figures_of(stored: StoredRecording, name: str) -> Figures:
    """What `landmarks`, `mesh`, `pose` or `mouth` draw on each frame; nothing where a face was not to be seen.

    Raises:
        UsageError: it has not been made, or is stale.
    """
    tracks: Tracks = stored.load("tracks")
    shapes: TrackArrays = stored.load("mesh" if name == "mesh" else "landmarks")
    table: TrackTable | None = stored.load(name) if name in ("pose", "mouth") else None
    make = {"landmarks": _outlines, "mesh": _dots, "pose": _axes, "mouth": _lips}[name]

    def at(frame: int) -> Iterator[Figure]:
        for track in tracks:
            row = frame - track.start
            if 0 <= row < len(track) and np.isfinite(shapes[track.id][row]).all():
                known = {c: float(table.of(track.id, c)[row]) for c in table.columns} if table else {}
                yield make(shapes, track.id, row, known)

    return at


def put_figures(picture: np.ndarray, figures: Iterator[Figure], matrix: np.ndarray) -> None:
    """Draw figures on a picture (H, W, 3) uint8, in place.

    Args:
        matrix: (2, 3), source px -> picture px, both with pixel centres at +0.5.
    """
    large = max(picture.shape[:2]) >= 480
    for figure in figures:
        for points, closes, colour in figure.lines:
            seen = points @ matrix[:, :2].T + matrix[:, 2] - 0.5
            fixed = np.rint(seen * 2**FINE).astype(np.int32)
            if len(points) == 1:
                cv2.circle(picture, fixed[0].tolist(), 1 << FINE, colour, -1, cv2.LINE_AA, FINE)
            else:
                cv2.polylines(picture, [fixed], closes, colour, 2 if large else 1, cv2.LINE_AA, FINE)
        if figure.label:
            x, y = (matrix[:, :2] @ figure.at + matrix[:, 2]).tolist()
            tag(picture, round(x), round(y), figure.label, figure.colour, 2 if large else 1)


def _outlines(shapes: TrackArrays, track: int, row: int, _: dict[str, float]) -> Figure:
    points = np.asarray(shapes[track][row])
    lines = [(points[first : last + 1], closes, hue(track)) for first, last, closes in CONTOURS]
    return Figure(track, lines, points.min(0), str(track), hue(track))


def _dots(shapes: TrackArrays, track: int, row: int, _: dict[str, float]) -> Figure:
    points = np.asarray(shapes[track][row])[:, :2]
    return Figure(track, [(point[None], False, hue(track)) for point in points], points.min(0), str(track), hue(track))


def _lips(shapes: TrackArrays, track: int, row: int, known: dict[str, float]) -> Figure:
    points = np.asarray(shapes[track][row])
    lines = [(points[first : last + 1], closes, hue(track)) for first, last, closes in LIPS]
    return Figure(track, lines, points[48:].min(0), f"{track}  opening {known['opening']:.2f}", hue(track))


def _axes(shapes: TrackArrays, track: int, row: int, known: dict[str, float]) -> Figure:
    """The head's own directions from between the eyes: x to its side, y down its face, z out of it, as seen."""
    points = np.asarray(shapes[track][row], np.float64)
    turn = np.array([float(shapes.frames.of(track, f"r{i}{j}")[row]) for i in range(3) for j in range(3)])
    origin, length = points[27], 0.6 * float(np.ptp(points[:, 0]))
    ends = turn.reshape(3, 3)[:2].T * length * np.array([[1], [1], [-1]])
    lines = [(np.stack([origin, origin + end]), False, colour) for end, (_, colour) in zip(ends, AXES, strict=True)]
    said = "  ".join(f"{name} {known[f'{name}_deg']:+.0f}" for name in ("yaw", "pitch", "roll"))
    return Figure(track, lines, points.min(0), f"{track}  {said}", hue(track))
