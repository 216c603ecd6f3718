"""dlib's 68 landmarks: regression trees that refine a mean shape; no depth."""

from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from phonoscope.models.cards import Card
from phonoscope.models.extras import need
from phonoscope.models.follow import around
from phonoscope.models.protocols import FaceShape, Square

SIDE = 256  # px, both sides of what it is shown
EYES = (36, 45)  # iBUG: outer corners
MARGIN = 1.5  # side of the square over the extent of the points in it
# How dlib's own detector, on which the trees were trained, frames a face. Medians over 154 pictures of 17 clips.
FRAME = 1.03  # side of its box over the extent of the points
RISE = 0.094  # by how much its middle lies above theirs, in extents
OF_BOX = 0.97  # side of its box over the mean side of another detector's


class Dlib68:
    """A landmarker for one face that stands upright in 256 × 256 px; it always finds one, so its score is always 1."""

    backend_kind: ClassVar[str] = "face_landmarker"
    depth: ClassVar[bool] = False
    size = SIDE
    card: Card = Card(
        name="dlib68",
        version="ibug-300w",
        sources=(
            "wheel:face_recognition_models==0.1.3/face_recognition_models/models/shape_predictor_68_face_landmarks.dat",
            "https://github.com/ageitgey/face_recognition_models/raw/master/face_recognition_models/models/"
            "shape_predictor_68_face_landmarks.dat",
        ),
        sha256="fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
        licence="trained on iBUG 300-W, whose licence excludes commercial use; dlib itself: BSL-1.0",
        cite='Kazemi and Sullivan: "One millisecond face alignment with an ensemble of regression trees", CVPR 2014',
        input="squares of 1.5 times the face, turned so that the eyes are level, at 256 px, RGB",
        rate="one answer a face and picture",
        notes="whole pixels of its 256; no depth, so no mesh and no rotation; no idea of its own whether there is a "
        "face; needs the extra [dlib]",
        size=99693937,
        download_size=93276301,
    )

    def __init__(self, weights: Path, threads: int = 1) -> None:
        """Load the trees; dlib evaluates them on one thread, whatever `threads` says.

        Raises:
            UsageError: dlib is not installed.
        """
        self.check_installed()
        dlib: Any = import_module("dlib")  # without types
        side = SIDE / MARGIN * FRAME
        low, top = (SIDE - side) / 2, (SIDE - side) / 2 - SIDE / MARGIN * RISE
        self._box = dlib.rectangle(round(low), round(top), round(low + side), round(top + side))
        self._predict = dlib.shape_predictor(str(weights))

    @staticmethod
    def check_installed() -> None:
        """Nothing, if dlib is installed; asked before any film is touched.

        Raises:
            UsageError: it is not.
        """
        need("dlib68", "dlib", extra="dlib")

    def __call__(self, image: np.ndarray) -> FaceShape:
        """The face in image (256, 256, 3) uint8 RGB: 68 points in px of the image; no mesh, and NaN for the rotation.

        Raises:
            ValueError: that is no such image.
        """
        if image.shape != (SIDE, SIDE, 3) or image.dtype != np.uint8:
            raise ValueError(f"expected an image ({SIDE}, {SIDE}, 3) uint8, got {image.shape} {image.dtype}")
        found = self._predict(np.ascontiguousarray(image), self._box)
        points = np.array([(found.part(i).x + 0.5, found.part(i).y + 0.5) for i in range(68)], np.float32)
        return FaceShape(points, 1.0, np.zeros((0, 3), np.float32), np.full((3, 3), np.nan, np.float32))

    def first(self, box: np.ndarray) -> Square:
        """An upright square in which dlib's own detector would frame the face as this box (4,) xyxy px does."""
        x0, y0, x1, y1 = (float(value) for value in box)
        extent = OF_BOX / FRAME * ((x1 - x0) * (y1 - y0)) ** 0.5
        return Square((x0 + x1) / 2, (y0 + y1) / 2 + RISE * extent, MARGIN * extent, 0.0)

    def next(self, shape: FaceShape) -> Square:
        """The square around the points, turned so that the eyes are level."""
        return around(shape.points, shape.points[EYES[0]], shape.points[EYES[1]], MARGIN)
