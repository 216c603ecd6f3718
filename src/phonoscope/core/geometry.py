"""Boxes, how they overlap, and crops: named ways to cut a face out of a frame, as transforms and not as files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from phonoscope.core.faces import Track
from phonoscope.core.time import Span


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of every box of `a` (N, 4) xyxy with every box of `b` (M, 4), (N, M) in [0, 1]."""
    shared = intersection(a, b)
    union = areas(a)[:, None] + areas(b)[None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def intersection(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Area that every box of `a` (N, 4) xyxy shares with every box of `b` (M, 4), (N, M)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return np.clip(high - low, 0, None).prod(axis=2)


def areas(boxes: np.ndarray) -> np.ndarray:
    """Area of each box (N, 4) xyxy, (N,); 0 for a box turned inside out."""
    return np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """Where a track's face lies in each frame, as affine maps from source pixels to crop pixels."""

    track: int
    start: int  # frame of row 0
    matrix: np.ndarray  # (T, 2, 3) float64: crop = matrix @ (x, y, 1), source px -> crop px
    size: tuple[int, int]  # (h, w) px
    policy: str

    def __len__(self) -> int:
        return len(self.matrix)

    @property
    def span(self) -> Span:
        """The frames it covers."""
        return Span(self.start, self.start + len(self))

    def to_source(self, points: np.ndarray) -> np.ndarray:
        """Points (T, K, 2) in crop px as points in source px."""
        linear, shift = self.matrix[:, :, :2], self.matrix[:, None, :, 2]
        return np.einsum("tij,tkj->tki", np.linalg.inv(linear), points - shift)


@dataclass(frozen=True, slots=True)
class Crops:
    """A recording's crops, one a track."""

    crops: tuple[Crop, ...] = ()


@dataclass(frozen=True, slots=True)
class CropPolicy:
    """A named rule from a track's boxes to a square in each frame, and how the square is sampled."""

    square: Callable[[Track, float], np.ndarray] | None  # (T, 3): centre x, centre y, side, all in source px;
    # None: it goes by landmarks, and `core.align` cuts it
    size: int  # px, both sides of the crop
    expand: float  # how much wider than the face the square is, where the policy leaves that open
    border: int  # grey level outside the frame
    meaning: str


def _centres_and_sides(box: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x0, y0, x1, y1 = np.asarray(box, np.float64).T
    return (x0 + x1) / 2, (y0 + y1) / 2, np.maximum(x1 - x0, y1 - y0)


def _median(values: np.ndarray, beyond: Literal["constant", "edge"], width: int = 13) -> np.ndarray:
    """Running median, no wider than the track; beyond the ends are zeros ("constant") or the end itself ("edge")."""
    width = min(width, len(values) - 1 + len(values) % 2)
    padded = np.pad(values, width // 2, mode=beyond)
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)


def asd_square(track: Track, expand: float) -> np.ndarray:
    """The context square of the active-speaker demos: median-smoothed, `expand` wider, more of it below.

    Their median sees zeros beyond the ends, and so does ours: the published networks have learnt from it.

    Source: the Columbia demo of TalkNet-ASD (Tao et al., MM 2021), MIT.
    """
    x, y, side = (_median(v, "constant") for v in _centres_and_sides(track.box))
    return np.stack([x, y + side * expand / 2, side * (1 + expand)], 1)


def tight_square(track: Track, expand: float) -> np.ndarray:
    """The smallest square around each frame's own box, nothing smoothed."""
    x, y, side = _centres_and_sides(track.box)
    return np.stack([x, y, side * (1 + expand)], 1)


def fixed_square(track: Track, expand: float) -> np.ndarray:
    """One square for the whole track: medians of centre, width and height, `expand` wider."""
    x0, y0, x1, y1 = np.asarray(track.box, np.float64).T
    side = max(np.median(x1 - x0), np.median(y1 - y0)) * (1 + expand)
    one = np.array([np.median((x0 + x1) / 2), np.median((y0 + y1) / 2), side])
    return np.repeat(one[None], len(track), 0)


def mouth_square(track: Track, expand: float) -> np.ndarray:
    """The lower middle of the face, smoothed: half the box wide, centred at four fifths of its height."""
    x, y, _ = (_median(v, "edge") for v in _centres_and_sides(track.box))
    width, height = (_median(v, "edge") for v in np.asarray(track.box[:, 2:] - track.box[:, :2], np.float64).T)
    return np.stack([x, y + 0.3 * height, 0.5 * np.maximum(width, height) * (1 + expand)], 1)


POLICIES: Mapping[str, CropPolicy] = {
    "asd": CropPolicy(asd_square, 224, 0.4, 110, "224 px with context; active-speaker networks see its central 112"),
    "tight": CropPolicy(tight_square, 112, 0.0, 0, "the box itself, 112 px, frame by frame"),
    "fixed": CropPolicy(fixed_square, 256, 0.6, 0, "one square a track, 256 px, for talking heads"),
    "mouth": CropPolicy(mouth_square, 96, 0.0, 0, "the mouth and around it, 96 px"),
    "aligned": CropPolicy(None, 112, 0.0, 0, "upright and of one size, by landmarks onto a mean face, 112 px"),
}


def crop_track(track: Track, policy: str, expand: float | None = None, size: int | None = None) -> Crop:
    """One track cut by a named policy that goes by boxes; `core.align.any_crop` knows all of them.

    Args:
        expand: overrides how much wider than the face the square is (0.6: by 60 %).
        size: overrides the side of the crop, px.

    Raises:
        ValueError: there is no such policy, or it goes by landmarks.
    """
    if policy not in POLICIES:
        raise ValueError(f"no crop policy '{policy}'; there are {', '.join(POLICIES)}")
    rule = POLICIES[policy]
    if rule.square is None:
        raise ValueError(f"'{policy}' crops go by landmarks, not by boxes alone")
    side_px = size or rule.size
    x, y, side = rule.square(track, rule.expand if expand is None else expand).T
    scale = side_px / side
    matrix = np.zeros((len(track), 2, 3))
    matrix[:, 0, 0] = matrix[:, 1, 1] = scale
    matrix[:, 0, 2] = side_px / 2 - scale * x
    matrix[:, 1, 2] = side_px / 2 - scale * y
    return Crop(track.id, track.start, matrix, (side_px, side_px), policy)


def central(crop: Crop, size: int) -> Crop:
    """The middle `size` × `size` px of a crop, as a crop."""
    matrix = crop.matrix.copy()
    matrix[:, 0, 2] -= (crop.size[1] - size) / 2
    matrix[:, 1, 2] -= (crop.size[0] - size) / 2
    return Crop(crop.track, crop.start, matrix, (size, size), crop.policy)
