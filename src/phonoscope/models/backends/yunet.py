"""YuNet: the default face detector; small, fast, finds faces down to about ten pixels."""

from pathlib import Path
from typing import ClassVar

import numpy as np

from phonoscope.models.boxes import keep_best
from phonoscope.models.cards import Card
from phonoscope.models.sessions import onnx_network

STRIDES = (8, 16, 32)  # px between the cells of the three output grids
MAX_IOU = 0.45  # as its authors evaluate it


class YuNet:
    """A face detector for pictures of any size; its cost grows with their area."""

    backend_kind: ClassVar[str] = "face_detector"
    card: Card = Card(
        name="yunet",
        version="n-2023",
        sources=(
            "https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/"
            "dca340aa082c71081a68d17db8e58b33a58a914b/onnx/yunet_n_dynamic.onnx",
        ),
        sha256="104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12",
        licence="Apache-2.0",
        cite='Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research, 2023',
        input="whole pictures, BGR, 0 to 255",
        rate="one answer a picture",
        notes="trained on WIDER FACE, whose own terms are CC BY-NC-ND; its authors report AP .892 (easy), .883, .811 "
        "(hard) there",
        size=322906,
    )

    def __init__(self, weights: Path, threads: int = 1, min_score: float = 0.3) -> None:
        self._network = onnx_network(weights, threads)
        self._min_score = min_score

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Boxes (N, 4) xyxy px, scores (N,) and points (N, 5, 2) px of the faces in image (H, W, 3) uint8 BGR.

        A box reaches from the brow or hairline to the chin, and may leave the picture where the face does.

        Raises:
            ValueError: that is no such image.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
            raise ValueError(f"expected an image (H, W, 3) uint8, got {image.shape} {image.dtype}")
        boxes, scores, points = self._decode(padded(image))
        kept = keep_best(boxes, scores, MAX_IOU)
        return boxes[kept], scores[kept], points[kept]

    def _decode(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Everything that scores well enough, overlaps and all, from one padded picture (1, 3, H, W) float32."""
        out = self._network({"input": batch})
        boxes, scores, points = [], [], []
        for stride in STRIDES:
            score = np.sqrt(np.clip(out[f"cls_{stride}"], 0, 1) * np.clip(out[f"obj_{stride}"], 0, 1))[0, :, 0]
            (good,) = np.nonzero(score >= self._min_score)
            row, column = np.divmod(good, batch.shape[3] // stride)
            cell = np.stack([column, row], 1).astype(np.float32)
            box = out[f"bbox_{stride}"][0, good]
            centre, half = (cell + box[:, :2]) * stride, np.exp(box[:, 2:]) * (stride / 2)
            boxes.append(np.concatenate([centre - half, centre + half], 1))
            scores.append(score[good])
            points.append((out[f"kps_{stride}"][0, good].reshape(-1, 5, 2) + cell[:, None]) * stride)
        return np.concatenate(boxes), np.concatenate(scores), np.concatenate(points)


def padded(image: np.ndarray) -> np.ndarray:
    """An image (H, W, 3) as a batch (1, 3, H', W') float32; black at right and bottom fills up to multiples of 32."""
    height, width = (-(-side // STRIDES[-1]) * STRIDES[-1] for side in image.shape[:2])
    batch = np.zeros((1, 3, height, width), np.float32)
    batch[0, :, : image.shape[0], : image.shape[1]] = image.transpose(2, 0, 1)
    return batch
