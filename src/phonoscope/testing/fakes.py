"""Backends without weights, one a protocol: plain rules whose answers a test can work out by hand."""

from itertools import pairwise
from typing import ClassVar

import numpy as np

from phonoscope.core.geometry import areas
from phonoscope.models.boxes import best_first
from phonoscope.models.cards import Card


def _card(name: str, input: str, rate: str) -> Card:
    return Card(name, "1", (), "", "Apache-2.0", "", input, rate, "a rule for tests; knows nothing of people")


class FakeDetector:
    """Takes every bright patch for a face, or finds the same given boxes in every picture."""

    backend_kind: ClassVar[str] = "face_detector"
    card: Card = _card("fake-detector", "whole pictures, BGR", "one answer a picture")
    bright = 200  # grey level from which a pixel belongs to a face

    def __init__(self, boxes: np.ndarray | None = None, score: float = 0.9) -> None:
        """Give boxes (N, 4) xyxy px to have them found everywhere."""
        self._boxes = None if boxes is None else np.asarray(boxes, np.float32).reshape(-1, 4)
        self._score = score

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Boxes (N, 4) xyxy px, the largest first, equal scores (N,), points (N, 5, 2) px of image (H, W, 3) uint8."""
        boxes = bright_patches(image, self.bright) if self._boxes is None else self._boxes
        boxes = boxes[best_first(areas(boxes))]
        return boxes, np.full(len(boxes), self._score, np.float32), plain_points(boxes)


class FakeVoice:
    """Takes every loud 10 ms for speech."""

    backend_kind: ClassVar[str] = "voice_detector"
    card: Card = _card("fake-voice", "16 kHz mono sound", "100 rows a second")
    loud = 0.01  # root mean square from which sound is speech

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        """Probability of speech, 0.95 or 0.05, (ceil(N / 160),) float32, from audio (N,) float32 at 16 kHz."""
        rows = -(-len(audio) // 160)
        return np.where(loudness(audio, rows, 160) >= self.loud, 0.95, 0.05).astype(np.float32)


class FakeScorer:
    """Takes a face for the speaker wherever its lower half moves while there is sound."""

    backend_kind: ClassVar[str] = "speaking_scorer"
    card: Card = _card("fake-scorer", "faces 112 px grey of the policy 'asd', 16 kHz mono sound", "one row a frame")
    context = 1  # frames: whether a face moves shows only against the frame before
    loud = 0.01  # root mean square
    moved = 1.0  # mean grey levels

    def __call__(self, faces: np.ndarray, audio: np.ndarray) -> np.ndarray:
        """Log-odds of speaking, 3 or -3, (T,) float32, from faces (T, 112, 112) uint8 and audio (N,) of that span."""
        mouths = faces[:, faces.shape[1] // 2 :].astype(np.float32)
        moves = np.abs(np.diff(mouths, axis=0, prepend=mouths[:1])).mean(axis=(1, 2)) >= self.moved
        heard = loudness(audio, len(faces), len(audio) / max(1, len(faces))) >= self.loud
        return np.where(moves & heard, 3, -3).astype(np.float32)


def bright_patches(image: np.ndarray, bright: int) -> np.ndarray:
    """The boxes (N, 4) float32 xyxy px of the patches of touching pixels of image (H, W, 3) that are all bright."""
    from scipy import ndimage

    patches = np.zeros(image.shape[:2], np.int32)
    ndimage.label(image.min(axis=2) >= bright, output=patches)
    found = [(x.start, y.start, x.stop, y.stop) for y, x in ndimage.find_objects(patches)]
    return np.array(found, np.float32).reshape(-1, 4)


def plain_points(boxes: np.ndarray) -> np.ndarray:
    """Where the five points of a frontal face lie in boxes (N, 4), (N, 5, 2) float32 px."""
    at = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)
    return boxes[:, None, :2] + at * (boxes[:, None, 2:] - boxes[:, None, :2])


def loudness(audio: np.ndarray, rows: int, samples: float) -> np.ndarray:
    """Root mean square of `rows` pieces of audio (N,), (rows,); each has `samples`, the last what is left."""
    edges = [min(len(audio), round(row * samples)) for row in range(rows + 1)]
    pieces = (audio[start:stop] for start, stop in pairwise(edges))
    return np.array([np.sqrt(np.mean(np.square(piece))) if len(piece) else 0.0 for piece in pieces])
