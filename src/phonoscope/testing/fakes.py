"""Backends without weights, one a protocol: plain rules whose answers a test can work out by hand."""

from itertools import pairwise
from typing import ClassVar

import numpy as np

from phonoscope.core.geometry import areas
from phonoscope.core.visemes import SILENCE, VISEMES
from phonoscope.models.boxes import best_first
from phonoscope.models.cards import Card
from phonoscope.models.protocols import FaceShape, Square


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


class FakeVisemes:
    """Takes every loud 10 ms for an open mouth, and every other for silence."""

    backend_kind: ClassVar[str] = "viseme_scorer"
    card: Card = _card("fake-visemes", "16 kHz mono sound", "100 rows a second")
    look_ahead_s = 0.005  # to the end of the row
    loud = 0.01  # root mean square from which a mouth is open

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        """Probabilities (ceil(N / 160), 15) float32, 0.9 for aa or for sil, from audio (N,) float32 at 16 kHz."""
        rows = -(-len(audio) // 160)
        made = np.full((rows, len(VISEMES)), 0.1 / (len(VISEMES) - 1), np.float32)
        said = np.where(loudness(audio, rows, 160) >= self.loud, VISEMES.index("aa"), SILENCE)
        made[np.arange(rows), said] = 0.9
        return made

    def begin(self) -> "FakeVisemeStream":
        """A sound of which nothing is heard yet."""
        return FakeVisemeStream(self)


class FakeVisemeStream:
    """A sound that comes bit by bit; what does not fill a row yet waits."""

    def __init__(self, scorer: FakeVisemes) -> None:
        self._scorer, self._waiting = scorer, np.zeros(0, np.float32)

    def hear(self, audio: np.ndarray) -> np.ndarray:
        """Rows (n, 15) of what is whole with more of the sound."""
        sound = np.concatenate([self._waiting, audio])
        whole = len(sound) // 160 * 160
        self._waiting = sound[whole:]
        return self._scorer(sound[:whole])

    def end(self) -> np.ndarray:
        """The row that is left, if any."""
        return self._scorer(self._waiting)


class FakeScorer:
    """Takes a face for the speaker wherever its lower half moves while there is sound."""

    backend_kind: ClassVar[str] = "speaking_scorer"
    card: Card = _card("fake-scorer", "faces 112 px grey of the policy 'asd', 16 kHz mono sound", "one row a frame")
    policy, size, period = "asd", 112, 1
    context = 1  # frames: whether a face moves shows only against the frame before
    loud = 0.01  # root mean square
    moved = 1.0  # mean grey levels

    def __call__(self, faces: np.ndarray, audio: np.ndarray) -> np.ndarray:
        """Log-odds of speaking, 3 or -3, (T,) float32, from faces (T, 112, 112) uint8 and audio (N,) of that span."""
        mouths = faces[:, faces.shape[1] // 2 :].astype(np.float32)
        moves = np.abs(np.diff(mouths, axis=0, prepend=mouths[:1])).mean(axis=(1, 2)) >= self.moved
        heard = loudness(audio, len(faces), len(audio) / max(1, len(faces))) >= self.loud
        return np.where(moves & heard, 3, -3).astype(np.float32)


class FakeLandmarker:
    """Takes all that is bright for one upright face, and puts the points of a plain frontal face into its box."""

    backend_kind: ClassVar[str] = "face_landmarker"
    depth: ClassVar[bool] = True
    card: Card = _card("fake-landmarker", "squares of twice the face, 64 px, RGB", "one answer a face and picture")
    size = 64
    bright = 200  # grey level from which a pixel belongs to a face

    def __call__(self, image: np.ndarray) -> FaceShape:
        """The face in image (64, 64, 3) uint8: its score is 1, or 0 if nothing is bright; it is flat and faces us."""
        y, x = np.nonzero(image.min(axis=2) >= self.bright)
        if not len(x):
            return FaceShape(
                np.zeros((68, 2), np.float32), 0.0, np.zeros((468, 3), np.float32), np.eye(3, dtype=np.float32)
            )
        low, high = np.array([[x.min(), y.min()], [x.max() + 1, y.max() + 1]], np.float32)
        grid = np.stack([np.arange(468) % 26 / 25, np.arange(468) // 26 / 17, np.zeros(468)], 1).astype(np.float32)
        mesh = grid * np.append(high - low, np.float32(0)) + np.append(low, np.float32(0))
        return FaceShape(low + plain_68() * (high - low), 1.0, mesh, np.eye(3, dtype=np.float32))

    def first(self, box: np.ndarray) -> Square:
        """The square around a box (4,) xyxy px, twice as large."""
        x0, y0, x1, y1 = (float(value) for value in box)
        return Square((x0 + x1) / 2, (y0 + y1) / 2, 2 * max(x1 - x0, y1 - y0), 0.0)

    def next(self, shape: FaceShape) -> Square:
        """The square around the mesh, twice as large; upright."""
        return self.first(np.concatenate([shape.mesh[:, :2].min(axis=0), shape.mesh[:, :2].max(axis=0)]))


class FakeEmbedder:
    """Takes people for one whose faces have the same colour on average."""

    backend_kind: ClassVar[str] = "face_embedder"
    card: Card = _card("fake-embedder", "boxes of faces, 16 px, RGB", "one answer a face and picture")
    policy, expand, size, width = "tight", 0.0, 16, 3

    def __call__(self, faces: np.ndarray) -> np.ndarray:
        """Mean red, green and blue, 0 to 1, (N, 3) float32, of faces (N, 16, 16, 3) uint8 RGB."""
        return (faces.mean(axis=(1, 2)) / 255).astype(np.float32)


class FakeLipEncoder:
    """Takes for a mouth's rows how bright the lower half of the face is, and how bright the upper."""

    backend_kind: ClassVar[str] = "lip_encoder"
    card: Card = _card("fake-lips", "faces 112 px grey of the policy 'asd'", "one row a frame")
    policy, size, width, context = "asd", 112, 2, 0

    def __call__(self, faces: np.ndarray) -> np.ndarray:
        """Mean levels of lower and upper half, 0 to 1, (T, 2) float32, of faces (T, 112, 112) uint8."""
        halves = faces[:, 56:], faces[:, :56]
        return np.stack([half.mean((1, 2), dtype=np.float64) / 255 for half in halves], 1).astype(np.float32)


class FakeSeparator:
    """Parts each frame's sound among the faces by their first number: 1 more, e times as much; NaN has none."""

    backend_kind: ClassVar[str] = "voice_separator"
    card: Card = _card("fake-separator", "16 kHz mono sound; rows of fake-lips", "as the sound")
    rows: str = "lips"
    lips: str = "fake-lips"
    stretch = 50  # frames

    def __call__(self, audio: np.ndarray, lips: np.ndarray) -> np.ndarray:
        """Voices (S, N) float32 of audio (N,) and lips (S, T, 2): parts of the sound that sum to it where a face is."""
        strong = np.exp(np.nan_to_num(lips[:, :, 0].astype(np.float64), nan=-np.inf))
        share = strong / np.maximum(strong.sum(0), 1e-9)
        frame = np.minimum(np.arange(len(audio)) // 640, lips.shape[1] - 1)
        return (share[:, frame] * audio).astype(np.float32)


def plain_68() -> np.ndarray:
    """Where the 68 points of iBUG lie in the box of a frontal face, (68, 2) float32, 0 to 1."""

    def arc(middle: tuple[float, float], radii: tuple[float, float], degrees: np.ndarray) -> np.ndarray:
        turn = np.radians(degrees)
        return np.stack([middle[0] + radii[0] * np.cos(turn), middle[1] + radii[1] * np.sin(turn)], 1)

    eye = np.array([180, 240, 300, 360, 60, 120])  # from the right corner clockwise, as seen
    return np.concatenate([
        arc((0.5, 0.3), (0.5, 0.7), np.linspace(180, 0, 17)),
        *(arc((x, 0.25), (0.15, 0.07), np.linspace(200, 340, 5)) for x in (0.28, 0.72)),
        np.stack([np.full(4, 0.5), np.linspace(0.3, 0.55, 4)], 1),
        arc((0.5, 0.58), (0.12, 0.04), np.linspace(180, 0, 5)),
        *(arc((x, 0.34), (0.1, 0.04), eye) for x in (0.3, 0.7)),
        arc((0.5, 0.78), (0.2, 0.07), 180 + np.arange(12) * 30),
        arc((0.5, 0.78), (0.15, 0.03), 180 + np.arange(8) * 45),
    ]).astype(np.float32)  # fmt: skip


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
