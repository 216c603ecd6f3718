"""An independent judge of landmarks: dlib's 68 points where dlib's own detector has found the face."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from phonoscope.core.media import Picture
from phonoscope.models.follow import from_square, to_square
from phonoscope.models.protocols import FaceShape, Square

SIDE = 400  # px, of the picture that it is shown
WIDER = 1.35  # than the region of a landmarker
NEAR = 0.15  # of SIDE: how far the face that it finds may lie from the middle
# Where its box is moved to, in widths, and how much larger it is made: what is common to all is not the box's doing.
BOXES = ((0, 0, 1), (0.04, 0, 1), (-0.04, 0, 1), (0, 0.04, 1), (0, -0.04, 1), (0, 0, 1.06), (0, 0, 0.94))
UNSURE = 0.02  # outer-eye distances: where its answers lie farther from their mean on average, it does not know
MIRROR_68 = np.array(
    [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, *range(35, 30, -1), 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
     41, 40, *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65]
)  # fmt: skip


class Teacher:
    """dlib's shape predictor, asked once, and asked again and again with moved boxes and in a mirror."""

    def __init__(self, weights: Path) -> None:
        import dlib

        cv2.setNumThreads(1)
        self._find, self._predict = dlib.get_frontal_face_detector(), dlib.shape_predictor(str(weights))
        self._rectangle = dlib.rectangle

    def __call__(self, picture: Picture, square: Square) -> tuple[np.ndarray, np.ndarray] | None:
        """Points as dlib gives them, and the mean of fourteen answers, both (68, 2) px.

        None if it finds no face, or its answers differ too much.
        """
        square = replace(square, side=WIDER * square.side)
        image = picture.crop_rgb(to_square(square, SIDE), (SIDE, SIDE), 0)
        boxes = [(box.left(), box.top(), box.right(), box.bottom()) for box in self._find(image, 0)]
        near = [box for box in boxes if abs((box[0] + box[2]) / SIDE - 1) / 2 < NEAR]
        near = [box for box in near if abs((box[1] + box[3]) / SIDE - 1) / 2 < NEAR]
        if len(near) != 1:
            return None
        left, top, right, bottom = near[0]
        plain = self._points(image, near[0])
        mirrored = self._points(np.ascontiguousarray(image[:, ::-1]), (SIDE - 1 - right, top, SIDE - 1 - left, bottom))
        mirrored = (mirrored * [-1, 1] + [SIDE, 0])[:, MIRROR_68]
        answers = np.concatenate([plain, mirrored])
        mean = answers.mean(axis=0)
        if np.linalg.norm(answers - mean, axis=-1).mean() > UNSURE * np.linalg.norm(mean[45] - mean[36]):
            return None
        return _back(plain[0], square), _back(mean, square)

    def _points(self, image: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
        """Its answers for all of `BOXES`, (7, 68, 2) px of the image."""
        x, y, width = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0] + 1
        found = []
        for right, down, larger in BOXES:
            middle, half = np.array([x + right * width, y + down * width]), larger * width / 2
            corners = np.round([*(middle - half), *(middle + half)]).astype(int).tolist()
            shape = self._predict(image, self._rectangle(*corners))
            found.append([(shape.part(i).x + 0.5, shape.part(i).y + 0.5) for i in range(68)])
        return np.array(found)


def _back(points: np.ndarray, square: Square) -> np.ndarray:
    flat = FaceShape(points.astype(np.float32), 1.0, np.zeros((0, 3), np.float32), np.eye(3, dtype=np.float32))
    return from_square(flat, square, SIDE).points
