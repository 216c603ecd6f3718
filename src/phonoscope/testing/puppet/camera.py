"""Where things of a shot lie in its frames: one chain of affine maps, used by the drawing and by the truth alike."""

from typing import TYPE_CHECKING

import numpy as np

from phonoscope.testing.puppet import anatomy, motion
from phonoscope.testing.puppet.looks import Look

if TYPE_CHECKING:
    from phonoscope.testing.puppet.scene import Scene, Seat, Shot


def views(scene: "Scene", shot: "Shot") -> np.ndarray:
    """Unmoved picture px to frame px in each frame of the shot, (T, 2, 3)."""
    matrix = np.tile(np.array([[1.0, 0, 0], [0, 1.0, 0]]), (shot.num_frames, 1, 1))
    if shot.camera is None:
        return matrix
    share = motion.ease((np.arange(shot.num_frames) + 0.5) / shot.num_frames)[:, None]
    ends = np.array([(view.x, view.y, np.log(view.zoom)) for view in shot.camera])
    x, y, log_zoom = ((1 - share) * ends[0] + share * ends[1]).T
    zoom = np.exp(log_zoom)
    matrix[:, 0, 0] = matrix[:, 1, 1] = zoom
    matrix[:, 0, 2] = scene.width / 2 - zoom * x
    matrix[:, 1, 2] = scene.height / 2 - zoom * y
    return matrix


def seat_matrix(seat: "Seat", look: Look) -> np.ndarray:
    """Face units to unmoved picture px, (2, 3): the box of the resting face has the seat's centre and height."""
    points = anatomy.box_points(look)
    top, bottom = points[:, 1].min(), points[:, 1].max()
    unit = seat.height / (bottom - top)
    return np.array([[unit, 0, seat.x], [0, unit, seat.y - unit * (top + bottom) / 2]])


def chain(*matrices: np.ndarray) -> np.ndarray:
    """Affine maps (..., 2, 3) one after another, the last one given first, as one."""
    whole = _square(matrices[0])
    for matrix in matrices[1:]:
        whole = whole @ _square(matrix)
    return whole[..., :2, :]


def invert(matrix: np.ndarray) -> np.ndarray:
    """The way back."""
    return np.linalg.inv(_square(matrix))[..., :2, :]


def move(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (..., K, 2) through affine maps (..., 2, 3)."""
    return points @ np.swapaxes(matrix[..., :2], -1, -2) + matrix[..., None, :, 2]


def brightness(shot: "Shot") -> np.ndarray:
    """How bright each frame is, (T,) in 0…1: less than 1 in a fade, whose last frame is not yet quite black."""
    frame = np.arange(shot.num_frames)
    rising = (frame + 0.5) / shot.fade_in if shot.fade_in else np.ones(shot.num_frames)
    falling = (shot.num_frames - frame - 0.5) / shot.fade_out if shot.fade_out else np.ones(shot.num_frames)
    return np.clip(np.minimum(rising, falling), 0, 1)


def _square(matrix: np.ndarray) -> np.ndarray:
    last = np.broadcast_to(np.array([0.0, 0.0, 1.0]), (*matrix.shape[:-2], 1, 3))
    return np.concatenate([matrix, last], -2)
