"""BlazeFace, full range: a face detector whose weights come from a package index."""

from pathlib import Path
from typing import ClassVar

import numpy as np

from phonoscope.core.geometry import areas, intersection, iou
from phonoscope.models.boxes import best_first
from phonoscope.models.cards import Card
from phonoscope.models.sessions import lite_network

INPUT = 192  # px, both sides of what the network sees
STRIDE = 4  # px between its cells; each cell answers for one face
MIN_TILE, MAX_TILE = 96, 720  # px; a face a tenth as wide as its tile is still found, and none of 10 px is of use
SAME_FACE = 0.3  # IoU from which two boxes are one face, as MediaPipe has it
INSIDE = 0.6  # share of a cut box that lies in a whole one, from which both are one face
Tile = tuple[int, int, int]  # top, left, side: px of the picture
POINTS = 6  # right eye, left eye, nose tip, middle of the mouth, right ear, left ear


class BlazeFace:
    """A face detector for pictures of any size, seen from afar and in overlapping square tiles.

    The network sees 192 × 192 px, so in a wide picture seen whole it misses small faces: tiles find these, and the look
    from afar those that are larger than half a tile.
    """

    backend_kind: ClassVar[str] = "face_detector"
    card: Card = Card(
        name="blazeface",
        version="full-range-sparse",
        sources=("wheel:mediapipe==0.10.21/mediapipe/modules/face_detection/face_detection_full_range_sparse.tflite",),
        sha256="2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
        licence="Apache-2.0",
        cite='Bazarevsky et al.: "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", CVPRW 2019',
        input="squares of the picture at 192 px, RGB, -1 to 1",
        rate="one answer a picture",
        notes="MediaPipe's model for faces up to 5 m away; its training pictures are not published; weaker than YuNet "
        "on profiles",
        size=676746,
        download_size=35627340,
    )

    def __init__(self, weights: Path, threads: int = 1, min_score: float = 0.3) -> None:
        self._network = lite_network(weights, threads)
        self._min_score = min_score

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Boxes (N, 4) xyxy px, scores (N,) and points (N, 5, 2) px of the faces in image (H, W, 3) uint8 BGR.

        A box is square and tight, from the brows to just above the chin: lower than YuNet's, and wider for its height.
        Mouth corners are NaN, because the network knows only the middle of the mouth.

        Raises:
            ValueError: that is no such image.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
            raise ValueError(f"expected an image (H, W, 3) uint8, got {image.shape} {image.dtype}")
        seen = [self._look(image, tile) for tile in tiles(*image.shape[:2])]
        boxes, scores, points, cut = (np.concatenate(parts) for parts in zip(*seen, strict=True))
        return merge(boxes, scores, points, cut)

    def _look(self, image: np.ndarray, tile: Tile) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What the network finds in one tile, in px of the picture, overlaps and all; and which boxes the tile cuts."""
        seen, scale, shift = shrunk(image, tile)
        raw, logit = self._network(seen[None])
        score = (1 / (1 + np.exp(-np.clip(logit[0, :, 0].astype(np.float64), -100, 100)))).astype(np.float32)
        (good,) = np.nonzero(score >= self._min_score)
        row, column = np.divmod(good, INPUT // STRIDE)
        anchor = (np.stack([column, row], 1).astype(np.float32) + 0.5) * STRIDE
        values = raw[0, good]
        centre, half = (anchor + values[:, :2]) * scale + shift, values[:, 2:4] / 2 * scale
        points = (anchor[:, None] + values[:, 4:].reshape(-1, POINTS, 2)) * scale + shift
        boxes = np.concatenate([centre - half, centre + half], 1)
        return boxes, score[good], points, is_cut(boxes, tile, *image.shape[:2])


def tiles(height: int, width: int) -> list[Tile]:
    """Squares that a picture is seen in: one around all of it, then smaller ones that overlap by half or more.

    The first is at least twice as wide as the picture's short side, because the network misses faces that fill what it
    sees. A face up to half as wide as one of the others is whole in one of them. Where the picture is narrower than
    `MIN_TILE`, tiles reach beyond it: a sliver would else be seen in as many as it has pixels.
    """
    side = min(max(min(height, width), MIN_TILE), MAX_TILE)

    def starts(length: int) -> list[int]:
        steps = max(0, -(-2 * (length - side) // side))
        return [round(step * (length - side) / steps) for step in range(steps + 1)] if steps else [0]

    around = max(height, width, 2 * min(height, width))
    return [(0, 0, around), *((top, left, side) for top in starts(height) for left in starts(width))]


def shrunk(image: np.ndarray, tile: Tile) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A tile of an image (H, W, 3) uint8 BGR as the network sees it, (192, 192, 3) float32 RGB, and the way back.

    What the image does not fill is black, equally on opposite sides.

    Returns:
        The picture, then scale (2,) and shift (2,), x before y: px of the image = px of the network · scale + shift.
    """
    import cv2

    top, left, side = tile
    piece = image[top : top + side, left : left + side]
    true_size = np.array(piece.shape[1::-1])
    width, height = np.maximum(1, np.round(true_size * INPUT / side).astype(int)).tolist()
    x, y = (INPUT - width) // 2, (INPUT - height) // 2
    seen = np.full((INPUT, INPUT, 3), -1, np.float32)
    small = cv2.resize(piece, (width, height), interpolation=cv2.INTER_AREA if side > INPUT else cv2.INTER_LINEAR)
    seen[y : y + height, x : x + width] = small[..., ::-1] * np.float32(2 / 255) - 1
    scale = (true_size / [width, height]).astype(np.float32)
    return seen, scale, np.array([left, top], np.float32) - scale * np.array([x, y], np.float32)


def is_cut(boxes: np.ndarray, tile: Tile, height: int, width: int) -> np.ndarray:
    """Which boxes (N, 4) reach over an edge of their tile that is not an edge of the picture, (N,) bool."""
    top, left, side = tile
    low = (boxes[:, :2] < [left, top]) & [left > 0, top > 0]
    high = (boxes[:, 2:] > [left + side, top + side]) & [left + side < width, top + side < height]
    return np.any(low | high, axis=1)


def merge(
    boxes: np.ndarray, scores: np.ndarray, points: np.ndarray, cut: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One box, score and five points a face, best score first, from all that was found in all tiles.

    Boxes that were seen whole and overlap become their mean, weighted by score, under the score of the best; that is
    steadier over time than the best box alone. A box that its tile cuts counts only where no whole one covers it.
    """
    order = np.concatenate([rows[best_first(scores[rows])] for rows in (np.nonzero(~cut)[0], np.nonzero(cut)[0])])
    boxes, scores, points, cut = boxes[order], scores[order], points[order], cut[order]
    shared = intersection(boxes, boxes)
    same = iou(boxes, boxes) > SAME_FACE
    # A piece of a face is inside the box of the whole face, however little of that it covers.
    same |= cut[None] & (shared > INSIDE * np.maximum(areas(boxes), 1e-6)[None])
    free = np.ones(len(boxes), bool)
    found: list[tuple[np.ndarray, np.float32, np.ndarray]] = []
    for row in range(len(boxes)):
        if free[row]:
            group = free & same[row]
            group[row] = True
            free &= ~group
            mean = group & (cut == cut[row])
            weight = scores[mean] / scores[mean].sum()
            found.append((np.tensordot(weight, boxes[mean], 1), scores[row], np.tensordot(weight, points[mean], 1)))
    found.sort(key=lambda face: -face[1])
    five = np.full((len(found), 5, 2), np.nan, np.float32)
    for row, (_, _, six) in enumerate(found):
        five[row, :3] = six[:3]
    box = np.array([face[0] for face in found], np.float32).reshape(-1, 4)
    return box, np.array([face[1] for face in found], np.float32), five
