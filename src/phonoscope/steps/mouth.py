"""Mouth: how far it is open, how wide it is, and how much the lower face moves."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from phonoscope.core.along import neighbours
from phonoscope.core.checks import within
from phonoscope.core.faces import TrackArrays, TrackTable
from phonoscope.core.media import Recording
from phonoscope.flow.step import step

INNER_LIPS, CORNERS, OUTER_EYES = (62, 66), (48, 54), (36, 45)
STILL = [*range(27, 36), 36, 39, 42, 45]  # nose and corners of the eyes: they move only as the head does
MOVING = [*range(3, 14), *range(48, 68)]  # jaw below the ears, and lips
COLUMNS = ("opening", "width", "lower_face")


@dataclass(frozen=True, slots=True, kw_only=True)
class MouthParams:
    """Over how long a speed is taken."""

    reach: int = 1  # frames before and after each frame between which its speed is taken; more is calmer, and slower

    def __post_init__(self) -> None:
        within("mouth.reach", self.reach, 1)


@step(version=1)
def mouth(landmarks: TrackArrays, recording: Recording, p: MouthParams) -> TrackTable:
    """Columns "opening", "width" and "lower_face" float32, row for row as in `landmarks.frames`; NaN where missing.

    All are in outer-eye distances, its median over the track: of one frame it would shrink as the head turns away, and
    a mouth in profile would seem to gape. "opening" is the gap between the inner lips, "width" lies between the
    corners, "lower_face" is the mean speed of jaw and lips, a second, once the motion of the head is taken out.
    """
    frames = landmarks.frames
    columns = {name: np.full(len(frames.track), np.nan, np.float32) for name in COLUMNS}
    for id, points in landmarks.arrays.items():
        mine = frames.track == id
        for name, values in _measures(np.asarray(points, np.float64), float(recording.fps), p.reach).items():
            columns[name][mine] = values
    return TrackTable(frames.track, frames.frame, columns)


def _measures(points: np.ndarray, fps: float, reach: int) -> Mapping[str, np.ndarray]:
    """Every column along one track, (T,), of points (T, 68, 2)."""
    at = points[..., 0] + 1j * points[..., 1]  # as complex numbers a similarity is one product and one sum
    found = np.asarray(np.isfinite(at).all(1))
    if not found.any():
        return {}
    eyes = np.median(_between(at[found], OUTER_EYES))
    before, after, frames = neighbours(found, reach)
    speed, whole = np.full(len(at), np.nan), np.isfinite(frames)
    far = np.abs(_beyond_head(at[before[whole]], at[after[whole]]))
    speed[whole] = far.mean(1) / frames[whole] * fps
    measures = _between(at, INNER_LIPS), _between(at, CORNERS), speed
    return {name: measure / eyes for name, measure in zip(COLUMNS, measures, strict=True)}


def _between(at: np.ndarray, pair: tuple[int, int]) -> np.ndarray:
    return np.abs(at[:, pair[0]] - at[:, pair[1]])


def _beyond_head(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """How far jaw and lips are from where the head alone would have taken them, (T, K) complex px.

    The head's motion is the similarity (shift, turn, growth) that fits the still points best, by least squares.
    """
    centre, target = (at[:, STILL].mean(1, keepdims=True) for at in (before, after))
    arms, aims = before[:, STILL] - centre, after[:, STILL] - target
    turn = (arms.conj() * aims).sum(1, keepdims=True) / (np.abs(arms) ** 2).sum(1, keepdims=True)
    return after[:, MOVING] - (target + turn * (before[:, MOVING] - centre))
