"""ARKit's face as Live Link Face records it: a row a frame, a column a blend shape; head and eyes rest.

Source: Epic Games, Live Link Face: the header of its csv. Columns are found by their names, in any order and case.
"""

import csv
import io
from fractions import Fraction
from math import ceil

import numpy as np
from scipy.optimize import nnls

from phonoscope.core.arkit import ARKIT, arkit_poses
from phonoscope.core.visemes import SILENCE, VisemeTrack, track_of
from phonoscope.data.viseme_curves import STEPS, curves, stepped
from phonoscope.data.viseme_formats.cues import no_file_of

WHAT = "arkit-csv"
FPS = Fraction(60)  # frames a second, as the app records by default
_SWAPPED = {"jawLeft": "jawRight", "jawRight": "jawLeft", "mouthLeft": "mouthRight", "mouthRight": "mouthLeft"}
_SHAPES = tuple(_SWAPPED.get(shape, shape) for shape in ARKIT)  # Epic's order: Apple's, but for these
_TURNS = tuple(f"{part}{turn}" for part in ("Head", "LeftEye", "RightEye") for turn in ("Yaw", "Pitch", "Roll"))
_HEADER = ("Timecode", "BlendShapeCount", *(shape[0].upper() + shape[1:] for shape in _SHAPES), *_TURNS)
_HUNDREDTHS = np.round(arkit_poses() * 100).astype(np.int64)


def write(track: VisemeTrack, fps: Fraction = FPS) -> str:
    """The rows of a track, with numbers to the sixth decimal, which hold weights to the fourth exactly."""
    moved = stepped(curves(track, fps)) @ _HUNDREDTHS[:, [ARKIT.index(shape) for shape in _SHAPES]]
    count, rest = str(len(_SHAPES) + len(_TURNS)), ["0.000000"] * len(_TURNS)
    lines = [",".join(_HEADER)]
    for frame, row in enumerate(moved):
        shapes = [f"{value / (100 * STEPS):.6f}" for value in row.tolist()]
        lines.append(",".join([_timecode(frame, ceil(fps)), count, *shapes, *rest]))
    return "\n".join(lines) + "\n"


def read(text: str, fps: Fraction = FPS) -> VisemeTrack:
    """The track of rows, each a frame, at the rate of the frames: the mixture of poses that is nearest to each.

    Exact for what phonoscope has written; for a face that was filmed, how far its mouth goes into each viseme.

    Raises:
        UsageError: a column is missing, or a cell is no number.
    """
    try:
        head, *rows = list(csv.reader(io.StringIO(text))) or [[]]
    except csv.Error as error:
        raise no_file_of(WHAT, str(error)) from None
    place = {name.lower(): column for column, name in enumerate(head)}
    if missing := [shape for shape in ARKIT if shape.lower() not in place]:
        raise no_file_of(WHAT, f"it has no column '{missing[0]}', and {len(missing) - 1} more are missing")
    columns = [place[shape.lower()] for shape in ARKIT]
    try:
        moved = np.array([[float(row[column]) for column in columns] for row in rows if row]).reshape(-1, len(ARKIT))
    except (ValueError, IndexError) as error:
        raise no_file_of(WHAT, f"a row is none of numbers: {error}") from None
    if not np.isfinite(moved).all():
        raise no_file_of(WHAT, "a number is not finite")
    weights = _unmixed(moved).astype(np.float32)
    return track_of(weights.argmax(1), fps, weights)


def _unmixed(moved: np.ndarray) -> np.ndarray:
    """Weights (T, 15) of poses that come nearest to shapes (T, 52); what is left of 1 is silence."""
    poses = np.delete(_HUNDREDTHS / 100, SILENCE, 0).T
    used = poses.any(1)
    sounds = np.array([nnls(poses[used], row[used])[0] for row in moved]).reshape(-1, poses.shape[1])
    sounds = np.round(sounds / np.maximum(sounds.sum(1, keepdims=True), 1), 4)
    return np.insert(sounds, SILENCE, np.clip(1 - sounds.sum(1), 0, 1), 1)


def _timecode(frame: int, a_second: int) -> str:
    seconds, rest = divmod(frame, a_second)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{rest:02d}.000"
