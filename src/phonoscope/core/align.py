"""Crops by any policy; those by landmarks turn, scale and shift each face onto a mean face."""

import numpy as np

from phonoscope.core.faces import Track
from phonoscope.core.geometry import POLICIES, Crop, central, crop_track
from phonoscope.core.mean_face import MEAN_FACE

STABLE = (28, 33, 36, 39, 42, 45, 48, 54)  # iBUG, from 0: bridge and foot of the nose, corners of eyes and mouth
REACH = 6  # frames on either side over which the shape of a face is averaged
PATCH = 112  # px of the mean face's frame that the crop shows


def any_crop(
    track: Track,
    policy: str,
    expand: float | None = None,
    size: int | None = None,
    points: np.ndarray | None = None,
) -> tuple[Crop, np.ndarray]:
    """One track cut by a named policy, and in which frames it sees no face, (T,) bool: only landmarks can tell.

    Args:
        expand: overrides how much wider than the face the square is.
        size: overrides the side of the crop, px.
        points: landmarks of the track (T, 68, 2) px of the source, NaN where missing; "aligned" needs them.

    Raises:
        ValueError: there is no such policy, or it needs landmarks and there are none, or not as many as frames.
    """
    if policy != "aligned":
        return crop_track(track, policy, expand, size), np.zeros(len(track), bool)
    if points is None or points.shape != (len(track), 68, 2):
        got = "none" if points is None else f"{points.shape}"
        raise ValueError(f"'aligned' crops of track {track.id} need its landmarks ({len(track)}, 68, 2), got {got}")
    rule = POLICIES[policy]
    side = size or rule.size
    wide = 1 + (rule.expand if expand is None else expand)
    matrix, missing = aligned(track, points)
    return Crop(track.id, track.start, matrix_to(matrix, side, wide), (side, side), policy), missing


def not_needed(policy: str) -> frozenset[str]:
    """Which artifacts crops of a policy do without."""
    return frozenset() if policy == "aligned" else frozenset({"landmarks"})


def face_crop(track: Track, policy: str, size: int, points: np.ndarray | None = None) -> tuple[Crop, np.ndarray]:
    """Where a network of this policy looks, as a crop of `size` px, and in which frames it sees no face, (T,) bool.

    Args:
        policy: a name in `POLICIES`; of "asd", which shows the face with its surroundings, the middle half.
        points: landmarks of the track (T, 68, 2) px of the source, NaN where missing; "aligned" needs them.

    Raises:
        ValueError: there is no such policy, or it needs landmarks and there are none.
    """
    crop, missing = any_crop(track, policy, size=2 * size if policy == "asd" else size, points=points)
    return central(crop, size), missing


def aligned(track: Track, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maps (T, 2, 3) from source px onto 112 px of the mean face's frame, and where there is no face, (T,) bool.

    Each map is the similarity (turn, scale, shift) that lays eight stable points onto those of the mean face with the
    least squared distance; the middle of all 68 comes to lie in the middle. Shapes are averaged over 13 frames, fewer
    at the ends of each run of known frames, and never across a gap; the middle is each frame's own. Where there is no
    face, turn and scale and middle, measured by the track's box, lie between those of the nearest known frames: such
    maps only keep the place, and the frames are to be masked.

    Source: the crops of auto_avsr (Ma et al., ICASSP 2023), Apache-2.0, and of AnnoTheia's fine-tuning, whose eight
    points, mean frame and patch these are; they fit by least median of squares.
    """
    x0, y0, x1, y1 = np.asarray(track.box, np.float64).T
    box_middle, side = (x0 + x1 + 1j * (y0 + y1)) / 2, np.maximum(x1 - x0, y1 - y0)
    face = np.asarray(points[..., 0] + 1j * points[..., 1], np.complex128)  # a turn and a scale are one multiplication
    middle = face.mean(axis=1)
    shape = _averaged(face - middle[:, None])[:, STABLE]
    shape -= shape.mean(axis=1, keepdims=True)
    mean = (MEAN_FACE @ [1, 1j])[list(STABLE)]
    power = (np.abs(shape) ** 2).sum(axis=1)
    missing = ~(np.isfinite(power) & (power > 0))
    with np.errstate(all="ignore"):  # what comes of missing frames is not looked at
        turn = ((mean - mean.mean()) * shape.conj()).sum(axis=1) / power
    turn = _between(turn * side, missing, np.ptp(MEAN_FACE[:, 0])) / side
    middle = box_middle + _linear((middle - box_middle) / side, missing, 0) * side
    shift = PATCH / 2 * (1 + 1j) - turn * middle
    return np.stack([turn.real, -turn.imag, shift.real, turn.imag, turn.real, shift.imag], 1).reshape(-1, 2, 3), missing


def matrix_to(matrix: np.ndarray, side: int, wide: float) -> np.ndarray:
    """Maps onto 112 px as maps onto `side` px, which show so many times as much around the same middle."""
    made = matrix * (side / PATCH / wide)
    made[:, :, 2] += side / 2 * (1 - 1 / wide)
    return made


def _averaged(shape: np.ndarray) -> np.ndarray:
    """Means of (T, K) over the same number of rows before and after, `REACH` at most, within runs that are known."""
    known = ~np.isnan(shape).any(axis=1)
    made = shape.copy()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8)))
    for start, stop in edges.reshape(-1, 2):
        rows = np.arange(start, stop)
        reach = np.minimum(REACH, np.minimum(rows - start, stop - 1 - rows))
        sums = np.concatenate([np.zeros((1, shape.shape[1])), np.cumsum(shape[start:stop], axis=0)])
        made[start:stop] = (sums[rows - start + reach + 1] - sums[rows - start - reach]) / (2 * reach + 1)[:, None]
    return made


def _between(turn: np.ndarray, missing: np.ndarray, upright: float) -> np.ndarray:
    """Turns and scales (T,) complex, where missing between their neighbours; `upright` where none is known."""
    if missing.all():
        return np.full(len(turn), upright, np.complex128)
    angle = np.full(len(turn), np.nan)
    angle[~missing] = np.unwrap(np.angle(turn[~missing]))
    size = np.log(np.abs(turn), out=np.zeros(len(turn)), where=~missing)
    return np.exp(_linear(size, missing, 0) + 1j * _linear(angle, missing, 0))


def _linear(values: np.ndarray, missing: np.ndarray, otherwise: float) -> np.ndarray:
    """Values (T,), where missing on the line between the nearest known; `otherwise` where none is known."""
    if missing.all():
        return np.full(len(values), otherwise, values.dtype)
    at = np.arange(len(values))
    return np.where(missing, np.interp(at, at[~missing], values[~missing]), values)
