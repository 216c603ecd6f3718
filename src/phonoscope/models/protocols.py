"""What a backend must be: one method, arrays in, arrays out."""

from typing import ClassVar, Protocol

import numpy as np

from phonoscope.models.cards import Card


class FaceDetector(Protocol):
    """Finds the faces of one picture."""

    backend_kind: ClassVar[str] = "face_detector"
    card: Card

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Boxes (N, 4) xyxy px, scores (N,) in [0, 1] and points (N, 5, 2) px, from image (H, W, 3) uint8 BGR.

        Points: right eye, left eye, nose, right and left mouth corner of the person; NaN where unknown.
        All float32, in pixels of `image` with pixel centres at +0.5, best score first, overlaps removed.
        """
        ...


class VoiceDetector(Protocol):
    """Tells speech from everything else."""

    backend_kind: ClassVar[str] = "voice_detector"
    card: Card

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        """Probability of speech, (ceil(N / 160),) float32, a row each 10 ms, from audio (N,) float32 at 16 kHz."""
        ...


class SpeakingScorer(Protocol):
    """Tells whether a face speaks what is heard."""

    backend_kind: ClassVar[str] = "speaking_scorer"
    card: Card
    context: int  # frames on either side that a score may depend on; longer tracks are scored in pieces

    def __call__(self, faces: np.ndarray, audio: np.ndarray) -> np.ndarray:
        """Log-odds of speaking, (T,) float32, of faces (T, 112, 112) uint8 grey and audio (N,) float32 of one span."""
        ...
