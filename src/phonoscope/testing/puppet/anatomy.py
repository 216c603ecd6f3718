"""Where the 68 points of a drawn face lie, and how a turn of the head moves them.

Face units: half the width of the face is 1; the origin lies between the eyes; x right and y down in the picture.
"""

from dataclasses import dataclass, fields

import numpy as np

from phonoscope.testing.puppet.looks import Look

REACH = (-1.75, -2.15, 1.75, 2.25)  # left, top, right, bottom of a head with its hair, face units
NECK = (0.0, 1.35)  # the head turns about it
JAW_DROP = 0.17  # face units by which the chin falls when the mouth is wide open
MOUTH_Y = 0.96

_JAW = np.array(
    [(-0.99, -0.02), (-0.985, 0.25), (-0.96, 0.52), (-0.91, 0.79), (-0.82, 1.05), (-0.67, 1.28), (-0.46, 1.46),
     (-0.23, 1.57), (0, 1.60)]
)  # fmt: skip
_FOREHEAD = np.array([(0.95, -0.45), (0.84, -0.84), (0.60, -1.13), (0.30, -1.28), (0, -1.33)])
_BROW = np.array([(-0.74, -0.26), (-0.62, -0.35), (-0.48, -0.385), (-0.34, -0.365), (-0.21, -0.30)])
_HAIRLINE_Y = -0.80  # where face detectors let a face begin


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """How a head is held and what its face does, a row a frame."""

    open: np.ndarray  # (T,) 0 lips shut … 1 mouth wide open
    wide: np.ndarray  # (T,) -1 rounded … 1 spread
    blink: np.ndarray  # (T,) 0 open … 1 eyes shut
    brow: np.ndarray  # (T,) face units by which the brows are raised
    gaze: np.ndarray  # (T,) -1 … 1, to the left or right of the picture
    yaw: np.ndarray  # (T,) rad, positive: turned to the right of the picture
    pitch: np.ndarray  # (T,) rad, positive: looks down
    roll: np.ndarray  # (T,) rad, positive: clockwise in the picture
    shift: np.ndarray  # (T, 2) face units: the whole head sways

    def __len__(self) -> int:
        return len(self.open)

    def __getitem__(self, rows: slice) -> "Pose":
        return Pose(*(getattr(self, field.name)[rows] for field in fields(self)))


def mirrored(points: np.ndarray) -> np.ndarray:
    """Points (..., K, 2) reflected left to right, in reverse order."""
    return points[..., ::-1, :] * np.array([-1, 1])


def outline(look: Look) -> np.ndarray:
    """The closed outline of a face with its skull, (26, 2) face units; its first 17 points are the jaw."""
    jaw = _JAW.copy()
    low = np.clip(jaw[:, 1], 0, None) / 1.6
    jaw[:, 0] *= 1 + (look.jaw - 1) * low
    jaw[:, 1] *= 1 + (look.length - 1) * low
    return np.concatenate([jaw, mirrored(jaw[:-1]), _FOREHEAD, mirrored(_FOREHEAD[:-1])])


def rest(look: Look) -> np.ndarray:
    """The 68 iBUG points of a face that looks ahead with its mouth shut, (68, 2) face units."""
    still = np.zeros(1)
    return face_points(look, Pose(still, still, still, still, still, still, still, still, np.zeros((1, 2))))[0]


def face_points(look: Look, pose: Pose) -> np.ndarray:
    """The 68 iBUG points before the head turns and the jaw drops, (T, 68, 2) face units."""
    points = np.zeros((len(pose), 68, 2))
    points[:, :17] = outline(look)[:17]
    brow = _BROW - np.stack([np.zeros(len(pose)), pose.brow], 1)[:, None]
    points[:, 17:22], points[:, 22:27] = brow, mirrored(brow)
    points[:, 27:31, 1] = (-0.02, 0.17, 0.35, 0.52)
    points[:, 31:36, 0] = np.array([-0.20, -0.10, 0, 0.10, 0.20]) * look.nose_width
    points[:, 31:36, 1] = (0.63, 0.665, 0.68, 0.665, 0.63)
    left = _eye(look, pose)
    points[:, 36:42] = left
    points[:, 42:48] = left[:, [3, 2, 1, 0, 5, 4]] * np.array([-1, 1])
    points[:, 48:] = _mouth(look, pose)
    return points


def _eye(look: Look, pose: Pose) -> np.ndarray:
    size = look.eye_size
    x = -0.45 + size * np.array([-0.205, -0.085, 0.075, 0.20, 0.085, -0.085])
    open_y = size * np.array([0.012, -0.090, -0.092, 0.030, 0.072, 0.074])
    shut_y = size * np.array([0.030, 0.062, 0.064, 0.040, 0.072, 0.072])
    y = open_y + pose.blink[:, None] * (shut_y - open_y)
    return np.stack(np.broadcast_arrays(x, y), -1)


def _mouth(look: Look, pose: Pose) -> np.ndarray:
    open_, wide = pose.open[:, None], pose.wide[:, None]
    half = 0.40 * look.mouth_width * (1 + 0.17 * wide - 0.12 * open_)
    full = 1 - 0.16 * wide  # rounded lips are fuller
    up, down = 0.07 * open_, 0.24 * open_
    corner = -0.018 - 0.036 * wide + 0.05 * open_
    outer_top = np.array([0.075, 0.118, 0.100, 0.118, 0.075]) * full + up * np.array([0.75, 1, 1, 1, 0.75])
    outer_bottom = np.array([0.090, 0.138, 0.150, 0.138, 0.090]) * full + down * np.array([0.80, 1, 1, 1, 0.80])
    inner_top = np.array([0.004, 0, 0.004]) + up * np.array([0.85, 1, 0.85])
    inner_bottom = np.array([0.006, 0.010, 0.006]) + down * np.array([0.85, 1, 0.85])
    y = np.concatenate([corner, -outer_top, corner, outer_bottom, corner, -inner_top, corner, inner_bottom], 1)
    x = half * np.array(
        [-1, -0.60, -0.25, 0, 0.25, 0.60, 1, 0.62, 0.30, 0, -0.30, -0.62, -0.88, -0.42, 0, 0.42, 0.88, 0.42, 0, -0.42]
    )
    return np.stack([x, MOUTH_Y * look.length + y], -1)


def unwarp(
    x: np.ndarray, y: np.ndarray, open_: np.ndarray, yaw: np.ndarray, pitch: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where points of the turned, open-jawed face lie on the face that looks ahead; face units in and out.

    The face is a dome with a nose on it: a turn shifts what is near more than what is far, and what is beside the
    face not at all. All arguments broadcast.
    """
    dome = np.clip(1 - (x / 1.45) ** 2 - ((y - 0.15) / 1.9) ** 2, 0, None) ** 2
    nose = np.exp(-((x / 0.20) ** 2) - ((y - 0.50) / 0.28) ** 2)
    near = 0.62 * dome + 0.16 * nose
    fall = np.clip((y - 0.85) / 0.75, 0, 1)
    drop = JAW_DROP * open_ * fall * fall * (3 - 2 * fall)
    return x - np.sin(yaw) * near, y - np.sin(pitch) * near - drop


def warp(points: np.ndarray, pose: Pose) -> np.ndarray:
    """Points of the face that looks ahead, (T, K, 2), where the turned, open-jawed face has them: undoes `unwarp`."""
    moved = points.copy()
    bend = pose.open[:, None], pose.yaw[:, None], pose.pitch[:, None]
    for _ in range(40):  # a contraction: every round shrinks the error by a factor of two or more
        moved = moved + points - np.stack(unwarp(moved[..., 0], moved[..., 1], *bend), -1)
    return moved


def sway(pose: Pose) -> np.ndarray:
    """How each frame rolls and shifts the head about its neck, (T, 2, 3) affine in face units."""
    cos, sin = np.cos(pose.roll), np.sin(pose.roll)
    linear = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], 1)
    shift = np.array(NECK) - linear @ np.array(NECK) + pose.shift
    return np.concatenate([linear, shift[..., None]], -1)


def box_points(look: Look) -> np.ndarray:
    """Points whose bounding box is the face's box as a detector puts it: jaw and hairline, (K, 2) face units."""
    jaw = outline(look)[:17]
    return np.concatenate([jaw, [(-0.80, _HAIRLINE_Y), (0, _HAIRLINE_Y), (0.80, _HAIRLINE_Y)]])
