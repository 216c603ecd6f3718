"""How a head is turned: rotations, the three angles that stand for them, and how far one is from another.

A rotation R (3, 3) leads from directions of the face to directions of the camera: x to the right of the picture, y
down, z away from the camera. A head that faces the camera upright has the identity. The angles are those of

    R = Rz(-roll) · Ry(yaw) · Rx(pitch)

with Rx, Ry, Rz the usual right-handed turns about x, y, z, so that yaw > 0 turns the face to the left of the picture,
pitch > 0 lowers it, and roll > 0 leans the head anticlockwise as seen. Roll stands outermost: turning the picture in
its plane changes roll alone, however the head is turned.

Source: product and signs are those of 3DDFA_V2 (Guo et al., ECCV 2020, MIT), whose axes have y up; 6DRepNet (Hempel et
al., ICIP 2022, MIT) and 300W-LP have the same yaw, and pitch and roll the other way round.
"""

import numpy as np

from phonoscope.core.errors import RecordingFailed
from phonoscope.core.faces import TrackArrays

COLUMNS = tuple(f"r{row}{column}" for row in range(3) for column in range(3))  # of `landmarks`, row-major
LOCKED = 1e-6  # cosine of yaw below which pitch and roll turn about one axis


def rotation_of(angles_deg: np.ndarray) -> np.ndarray:
    """Rotations (..., 3, 3) float64 of angles (..., 3): yaw, pitch, roll in degrees."""
    yaw, pitch, roll = np.moveaxis(np.deg2rad(np.asarray(angles_deg, np.float64)), -1, 0)
    return _turn(-roll, 0, 1) @ _turn(-yaw, 0, 2) @ _turn(pitch, 1, 2)


def angles_of(rotation: np.ndarray) -> np.ndarray:
    """Yaw, pitch, roll in degrees, (..., 3) float64, of rotations (..., 3, 3); NaN stays NaN.

    Yaw lies in [-90, 90], the others in [-180, 180]. In exact profile pitch and roll turn about one axis and only
    their sum or difference is known: pitch takes all of it.
    """
    r = np.asarray(rotation, np.float64)
    level = np.hypot(r[..., 0, 0], r[..., 1, 0])  # cosine of yaw
    locked = level < LOCKED
    yaw = np.arctan2(-r[..., 2, 0], level)
    pitch = np.where(locked, np.arctan2(-r[..., 1, 2], r[..., 1, 1]), np.arctan2(r[..., 2, 1], r[..., 2, 2]))
    roll = np.where(locked, 0.0, np.arctan2(-r[..., 1, 0], r[..., 0, 0]))
    return np.rad2deg(np.stack([yaw, pitch, roll], -1))


def apart_deg(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The one angle by which rotations `a` must be turned to become `b`, both (..., 3, 3): (...) in [0, 180] degrees.

    It does not depend on how angles are chosen, and is exact for small turns, where an arc cosine is not.
    """
    d = np.swapaxes(np.asarray(a, np.float64), -1, -2) @ np.asarray(b, np.float64)
    axis = np.stack([d[..., 2, 1] - d[..., 1, 2], d[..., 0, 2] - d[..., 2, 0], d[..., 1, 0] - d[..., 0, 1]], -1)
    return np.rad2deg(np.arctan2(np.linalg.norm(axis, axis=-1), np.trace(d, axis1=-2, axis2=-1) - 1))


def turned_deg(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """From angles to angles in degrees the shorter way round, in [-180, 180)."""
    return (after - before + 180) % 360 - 180


def head_rotations(landmarks: TrackArrays) -> np.ndarray:
    """The rotation of the head in every row of `landmarks.frames`, (N, 3, 3) float32; NaN where the face is missing.

    Raises:
        RecordingFailed: "no-depth", if faces were found, but by a landmarker that sees no depth.
    """
    columns = [landmarks.frames.columns[name] for name in COLUMNS]
    rotation = np.stack(columns, 1).reshape(-1, 3, 3)
    if np.isnan(rotation).all() and any(np.isfinite(points).any() for points in landmarks.arrays.values()):
        said = "these landmarks are flat: they tell nothing of how heads are turned; take a landmarker that sees depth"
        raise RecordingFailed("no-depth", said)
    return rotation


def _turn(angle: np.ndarray, one: int, other: int) -> np.ndarray:
    """A turn by `angle` (...) rad from axis `one` towards axis `other`, (..., 3, 3)."""
    made = np.zeros((*np.shape(angle), 3, 3))
    made[..., 3 - one - other, 3 - one - other] = 1
    made[..., one, one] = made[..., other, other] = np.cos(angle)
    made[..., other, one] = np.sin(angle)
    made[..., one, other] = -np.sin(angle)
    return made
