"""MediaPipe's face mesh: 468 points with depth, from them the 68 of iBUG and how the head is turned."""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import ClassVar

import numpy as np

from phonoscope.models.cards import Card
from phonoscope.models.follow import around
from phonoscope.models.protocols import FaceShape, Square
from phonoscope.models.sessions import lite_network

INPUT = 192  # px, both sides of what the network sees
VERTICES = 468
EYES = (33, 263)  # outer corners: the one on the left in a picture of a person who faces us, and the other
MARGIN = 1.38  # side of the region over the extent of the face in it; MediaPipe has 1.5, which was less exact


class FaceMesh:
    """A landmarker for one face that stands upright in 192 × 192 px.

    The 68 points are weighted means of vertices (`points_of`), the rotation a rigid fit to a template (`rotation_of`);
    both tables are our own, made by `bench/landmarks_map.py`.
    """

    backend_kind: ClassVar[str] = "face_landmarker"
    depth: ClassVar[bool] = True
    size = INPUT
    card: Card = Card(
        name="facemesh",
        version="468",
        sources=("wheel:mediapipe==0.10.21/mediapipe/modules/face_landmark/face_landmark.tflite",),
        sha256="1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
        licence="Apache-2.0",
        cite='Kartynnik et al.: "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", CVPRW 2019',
        input="squares of 1.38 times the face, turned so that the eyes are level, at 192 px, RGB, 0 to 1",
        rate="one answer a face and picture",
        notes="MediaPipe's model without attention; its training pictures are not published; the maps to 68 points and "
        "to angles are ours",
        size=1242398,
        download_size=35627340,
    )

    def __init__(self, weights: Path, threads: int = 1) -> None:
        self._network = lite_network(weights, threads)

    def __call__(self, image: np.ndarray) -> FaceShape:
        """The face in image (192, 192, 3) uint8 RGB: 68 points, 468 vertices and the rotation, in px of the image.

        Raises:
            ValueError: that is no such image.
        """
        mesh, score = self.see(image)
        return FaceShape(points_of(mesh), score, mesh, rotation_of(mesh))

    def see(self, image: np.ndarray) -> tuple[np.ndarray, float]:
        """What the network itself says: vertices (468, 3) float32 px, z away from the camera, and a score.

        Raises:
            ValueError: that is no image (192, 192, 3) uint8.
        """
        if image.shape != (INPUT, INPUT, 3) or image.dtype != np.uint8:
            raise ValueError(f"expected an image ({INPUT}, {INPUT}, 3) uint8, got {image.shape} {image.dtype}")
        raw, logit = self._network(image[None] * np.float32(1 / 255))
        score = 1 / (1 + np.exp(-np.clip(logit.astype(np.float64).item(), -100, 100)))
        return raw.reshape(VERTICES, 3), float(score)

    def first(self, box: np.ndarray) -> Square:
        """The square around a detector's box (4,) xyxy px, larger by `MARGIN`; upright."""
        x0, y0, x1, y1 = (float(value) for value in box)
        return Square((x0 + x1) / 2, (y0 + y1) / 2, MARGIN * max(x1 - x0, y1 - y0), 0.0)

    def next(self, shape: FaceShape) -> Square:
        """The square around a mesh, larger by `MARGIN`, and turned so that the eyes are level."""
        flat = shape.mesh[:, :2]
        return around(flat, flat[EYES[0]], flat[EYES[1]], MARGIN)


def points_of(mesh: np.ndarray) -> np.ndarray:
    """The 68 points of iBUG, (68, 2) float32 px, of a mesh (468, 2 or more) px.

    Each is a mean of a few vertices, with weights that sum to one: whatever shifts, turns, scales or skews the picture
    does the same to the points.
    """
    return (map_68() @ mesh[:, :2]).astype(np.float32)


def rotation_of(mesh: np.ndarray) -> np.ndarray:
    """The rotation (3, 3) float32 that takes directions of the face to those of the camera, from a mesh (468, 3).

    It is the turn that lays the template onto the mesh best, by vertices that talking and blinking leave in place.

    Source: Kabsch: "A solution for the best rotation to relate two sets of vectors", Acta Cryst. A32, 1976.
    """
    u, _, vt = np.linalg.svd(mesh.T.astype(np.float64) @ _still())
    mirrored = np.linalg.det(u) * np.linalg.det(vt)  # 1, or -1 where the best fit would turn the face inside out
    return ((u * [1, 1, mirrored]) @ vt).astype(np.float32)


@cache
def _still() -> np.ndarray:
    """The stable vertices of the template about their middle, (468, 3); zeros elsewhere, so that those do not count."""
    rest, stable = template()
    return np.where(stable[:, None], rest - rest[stable].mean(axis=0), 0.0)


@cache
def map_68() -> np.ndarray:
    """Weights (68, 468) float64 of vertices in points; each row sums to one, few are not zero."""
    point, vertex, weight = _table("facemesh_68.csv")
    made = np.zeros((68, VERTICES))
    made[point.astype(int), vertex.astype(int)] = weight
    return made / made.sum(axis=1, keepdims=True)  # the file is rounded


@cache
def template() -> tuple[np.ndarray, np.ndarray]:
    """A face at rest that looks into the camera, (468, 3), an arbitrary unit; and which vertices keep still, (468,)."""
    _, x, y, z, stable = _table("facemesh_template.csv")
    return np.stack([x, y, z], 1), stable.astype(bool)


def _table(name: str) -> np.ndarray:
    """The columns of a table beside this file, (columns, rows) float64; lines with # are its recipe."""
    file = resources.files(__package__ or __name__).joinpath(name)
    with file.open(encoding="utf-8") as lines:
        return np.loadtxt(lines, delimiter=",", comments=("#", "point", "vertex")).T
