"""MediaPipe's palm detector: where hands are in a square picture."""

from pathlib import Path
from typing import ClassVar

import numpy as np

from phonoscope.models.boxes import keep_best
from phonoscope.models.cards import Card
from phonoscope.models.sessions import lite_network

INPUT = 192  # px, both sides of what the network sees
LAYERS = ((8, 2), (16, 6))  # px between cells, answers a cell; MediaPipe counts the second as three layers of two
SAME_HAND = 0.3  # IoU from which two boxes are one hand, as MediaPipe has it


class Palm:
    """A detector of hands that looks for palms and fists, which unlike fingers have one shape."""

    backend_kind: ClassVar[str] = "hand_detector"
    card: Card = Card(
        name="palm",
        version="full",
        sources=("wheel:mediapipe==0.10.21/mediapipe/modules/palm_detection/palm_detection_full.tflite",),
        sha256="1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
        licence="Apache-2.0",
        cite='Zhang et al.: "MediaPipe Hands: On-device Real-time Hand Tracking", CV4ARVR 2020',
        input="a square of the picture at 192 px, RGB, 0 to 1",
        rate="one answer a picture",
        notes="MediaPipe's model; its training pictures are not published",
        size=2339846,
        download_size=35627340,
    )
    size = INPUT

    def __init__(self, weights: Path, threads: int = 1, min_score: float = 0.5) -> None:
        self._network = lite_network(weights, threads)
        self._min_score = min_score
        self._anchors = anchors()

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (N, 4) xyxy px and scores (N,) of the palms in image (192, 192, 3) uint8 RGB, best first.

        A box is square, from the wrist to the roots of the fingers.

        Raises:
            ValueError: that is no such image.
        """
        if image.shape != (INPUT, INPUT, 3) or image.dtype != np.uint8:
            raise ValueError(f"expected an image ({INPUT}, {INPUT}, 3) uint8, got {image.shape} {image.dtype}")
        raw, logit = self._network(image[None] * np.float32(1 / 255))
        score = (1 / (1 + np.exp(-np.clip(logit[0, :, 0].astype(np.float64), -100, 100)))).astype(np.float32)
        (good,) = np.nonzero(score >= self._min_score)
        centre, half = self._anchors[good] + raw[0, good, :2], raw[0, good, 2:4] / 2
        boxes, score = np.concatenate([centre - half, centre + half], 1), score[good]
        kept = keep_best(boxes, score, SAME_HAND)
        return boxes[kept], score[kept]


def anchors() -> np.ndarray:
    """The centres that the network's 2016 answers count from, (2016, 2) float32 px: row by row, several a cell.

    Source: `ssd_anchors_calculator` of MediaPipe, Apache-2.0, with the options of its palm detection.
    """
    made = []
    for stride, many in LAYERS:
        centre = (np.arange(INPUT // stride, dtype=np.float32) + 0.5) * stride
        x, y = np.meshgrid(centre, centre)
        made.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), many, axis=0))
    return np.concatenate(made)
