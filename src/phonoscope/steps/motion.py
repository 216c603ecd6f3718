"""Motion: how fast each head turns, and how fast it moves through the picture."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from phonoscope.core.along import neighbours
from phonoscope.core.checks import within
from phonoscope.core.faces import TrackArrays, TrackTable
from phonoscope.core.media import Recording
from phonoscope.core.pose import angles_of, apart_deg, head_rotations, turned_deg
from phonoscope.flow.step import step

JAW_ENDS = [0, 16]  # points beside the ears
MIDDLE = slice(27, 48)  # nose and eyes: they stay where the face is, whatever mouth and brows do
COLUMNS = ("angular_deg_s", "yaw_deg_s", "pitch_deg_s", "roll_deg_s", "translation_widths_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionParams:
    """Over how long a speed is taken."""

    reach: int = 1  # frames before and after each frame between which its speed is taken; more is calmer, and slower

    def __post_init__(self) -> None:
        within("motion.reach", self.reach, 1)


@step(version=1)
def motion(landmarks: TrackArrays, recording: Recording, p: MotionParams) -> TrackTable:
    """Speeds float32, row for row as in `landmarks.frames`; NaN where a frame that is needed is missing.

    "angular_deg_s" is how fast the head turns, about whatever axis, 0 or more; "yaw_deg_s", "pitch_deg_s",
    "roll_deg_s" are how fast its angles change, with their signs; "translation_widths_s" is how fast the middle of eyes
    and nose moves, in face widths a second. The width is the distance between the ends of the jaw, its median over the
    track, so that a head in profile does not become narrow, and so fast.

    Raises:
        RecordingFailed: "no-depth", if the landmarker sees none.
    """
    rotations, fps = head_rotations(landmarks), float(recording.fps)
    frames = landmarks.frames
    columns = {name: np.full(len(frames.track), np.nan, np.float32) for name in COLUMNS}
    for id, points in landmarks.arrays.items():
        mine = frames.track == id
        for name, values in _speeds(rotations[mine], np.asarray(points, np.float64), fps, p.reach).items():
            columns[name][mine] = values
    return TrackTable(frames.track, frames.frame, columns)


def _speeds(rotation: np.ndarray, points: np.ndarray, fps: float, reach: int) -> Mapping[str, np.ndarray]:
    """Every column along one track, (T,), of rotations (T, 3, 3) and points (T, 68, 2)."""
    known = np.asarray(np.isfinite(rotation).all((1, 2)))
    before, after, frames = neighbours(known, reach)
    angles = angles_of(rotation)
    turned = turned_deg(angles[before], angles[after]) / frames[:, None] * fps
    found = np.asarray(np.isfinite(points).all((1, 2)))
    width = _median(np.linalg.norm(np.diff(points[:, JAW_ENDS], axis=1)[:, 0], axis=1), found)
    before_px, after_px, frames_px = neighbours(found, reach)
    middle = points[:, MIDDLE].mean(1)
    moved = np.linalg.norm(middle[after_px] - middle[before_px], axis=1)
    turning = apart_deg(rotation[before], rotation[after]) / frames * fps
    return dict(zip(COLUMNS, (turning, *turned.T, moved / frames_px * fps / width), strict=True))


def _median(values: np.ndarray, found: np.ndarray) -> float:
    """Median over the rows that were found; NaN if there are none."""
    return float(np.median(values[found])) if found.any() else np.nan
