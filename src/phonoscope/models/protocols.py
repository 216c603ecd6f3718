"""What a backend must be: one method, arrays in, arrays out."""

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Protocol, runtime_checkable

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
    policy: str  # the crop that it wants, by its name in `core.geometry.POLICIES`
    size: int  # px, both sides of the faces that it wants
    context: int  # frames on either side that a score may depend on; longer tracks are scored in pieces
    period: int  # frames: pieces begin at multiples of it; 1: anywhere; 0: a track is never cut into pieces

    def __call__(self, faces: np.ndarray, audio: np.ndarray) -> np.ndarray:
        """Log-odds of speaking, (T,) float32, of faces (T, size, size) uint8 grey and audio (N,) float32 under them."""
        ...


@runtime_checkable
class WindowedScorer(Protocol):
    """A speaking scorer that must know how fast film runs, and that can score in windows."""

    def at(self, fps: Fraction, windows: str) -> SpeakingScorer:
        """The same for film of so many frames a second, scored in windows "shared", "exact" or "track".

        Raises:
            UsageError: it cannot be used at that rate.
        """
        ...


class Piece(Protocol):
    """Faces of a track that a speaking scorer is shown as they come."""

    def see(self, faces: np.ndarray) -> None:
        """Take the next faces, (N, size, size) uint8 grey."""
        ...

    def end(self, audio: np.ndarray) -> np.ndarray:
        """Log-odds of speaking, (T,) float32, of all faces, from the audio (N,) float32 at 16 kHz under them."""
        ...


@runtime_checkable
class PiecewiseScorer(Protocol):
    """A speaking scorer that need not be given all faces at once: it looks at them as they come, and lets them go."""

    def begin(self) -> Piece:
        """A piece with no faces yet; what it gives is what a call with all of them would have given."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class FaceShape:
    """One face as a landmarker sees it, in pixels of the picture that it was given, pixel centres at +0.5."""

    points: np.ndarray  # (68, 2) float32 px, in the order of iBUG 300-W
    score: float  # in [0, 1]: that there is a face at all
    mesh: np.ndarray  # (K, 3) float32 px, x right, y down, z away from the camera; (0, 3) if it knows no depth
    rotation: np.ndarray  # (3, 3) float32, directions of the face -> of the camera; NaN if it knows no depth


@dataclass(frozen=True, slots=True)
class Square:
    """Where a landmarker wants to look: a square in a picture, turned so that the face stands upright in it."""

    x: float  # px, centre
    y: float  # px, centre
    side: float  # px
    angle_deg: float  # by which the face leans towards the right of the picture (clockwise)


class FaceLandmarker(Protocol):
    """Finds the landmarks of one face that stands upright in a square picture."""

    backend_kind: ClassVar[str] = "face_landmarker"
    depth: ClassVar[bool]  # whether it gives a mesh and the rotation of the head
    card: Card
    size: int  # px, both sides of the pictures that it wants

    def __call__(self, image: np.ndarray) -> FaceShape:
        """The face in image (size, size, 3) uint8 RGB."""
        ...

    def first(self, box: np.ndarray) -> Square:
        """Where to look for a face of which only a box (4,) xyxy px is known."""
        ...

    def next(self, shape: FaceShape) -> Square:
        """Where to look in the next picture, in the pixels of `shape`."""
        ...


class HandDetector(Protocol):
    """Finds the hands of one square picture."""

    backend_kind: ClassVar[str] = "hand_detector"
    card: Card
    size: int  # px, both sides of the pictures that it wants

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (N, 4) xyxy px of palms and scores (N,) in [0, 1], both float32, of image (size, size, 3) uint8 RGB.

        Best score first, overlaps removed, pixel centres at +0.5.
        """
        ...


class FaceEmbedder(Protocol):
    """Tells people apart: faces of one person have embeddings near each other."""

    backend_kind: ClassVar[str] = "face_embedder"
    card: Card
    policy: str  # the crop that it wants, by its name in `core.geometry.POLICIES`
    expand: float  # how much wider than the face that crop is to be
    size: int  # px, both sides of the faces that it wants
    width: int  # numbers of an embedding

    def __call__(self, faces: np.ndarray) -> np.ndarray:
        """Embeddings (N, width) float32, to be compared by Euclidean distance, of faces (N, size, size, 3) uint8 RGB.

        What a face gives does not depend on the others.
        """
        ...


class LipEncoder(Protocol):
    """Tells how a mouth moves: rows from which a network can guess what is said."""

    backend_kind: ClassVar[str] = "lip_encoder"
    card: Card
    policy: str  # the crop that it wants, by its name in `core.geometry.POLICIES`
    size: int  # px, both sides of the faces that it wants
    width: int  # numbers of a row
    context: int  # frames on either side that a row may depend on; longer film is encoded in pieces

    def __call__(self, faces: np.ndarray) -> np.ndarray:
        """Rows (T, width) float32, one a face, of one face's film (T, size, size) uint8 grey, 25 frames a second."""
        ...


class VoiceSeparator(Protocol):
    """Tells voices apart by the lips that speak them."""

    backend_kind: ClassVar[str] = "voice_separator"
    card: Card
    rows: str  # artifact whose rows it is shown: "lips" or "embeddings"
    lips: str  # the model that makes them, by name; or by its card's identity, and then by no other weights
    stretch: int  # frames that it is shown at once, 25 a second; longer film is put together from such

    def __call__(self, audio: np.ndarray, lips: np.ndarray) -> np.ndarray:
        """Voices (S, N) float32, one a face in the order of `lips`, of audio (N,) float32 at 16 kHz.

        Args:
            lips: (S, T, width) float32, 25 rows a second, row t from sample 640 t on; NaN where a face is not seen.
        """
        ...


class SpeechEncoder(Protocol):
    """Gives every layer's view of speech, by a network that has learnt from sound."""

    backend_kind: ClassVar[str] = "speech_encoder"
    card: Card
    layers: int  # hidden states: what enters the first transformer layer, and what leaves each of them
    width: int  # numbers a row of a layer has
    hop: int  # samples from row to row, at 16 kHz
    centre: Fraction  # samples from the start of the sound to the centre of row 0
    longest: int | None  # samples that it takes at once; None: any number
    scaled: bool  # it wants sound of mean 0 and variance 1

    def rows(self, samples: int) -> int:
        """How many rows it gives for so many samples: one at least, for what is too short is followed by silence."""
        ...

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        """All hidden states, (layers, rows(N), width) float32, of audio (N,) float32 at 16 kHz."""
        ...


@dataclass(frozen=True, slots=True)
class Word:
    """A word that was heard."""

    text: str  # as it is to be joined with the others, so mostly with a blank in front
    start_s: float  # s, from the beginning of the sound
    stop_s: float  # s


class Transcriber(Protocol):
    """Writes down what is said."""

    backend_kind: ClassVar[str] = "transcriber"
    card: Card

    def __call__(self, audio: np.ndarray) -> list[Word]:
        """The words in audio (N,) float32 at 16 kHz, in order of time."""
        ...


class VisemeStream(Protocol):
    """A sound that is heard bit by bit, as it comes from a microphone."""

    def hear(self, audio: np.ndarray) -> np.ndarray:
        """The rows that are certain after more of the sound, (N,) float32 at 16 kHz: (n, 15) float32, n may be 0."""
        ...

    def end(self) -> np.ndarray:
        """The rows that are left, (n, 15), now that the sound is over."""
        ...


class VisemeScorer(Protocol):
    """Tells which viseme is spoken."""

    backend_kind: ClassVar[str] = "viseme_scorer"
    card: Card
    look_ahead_s: float  # s of sound after a row's centre that it needs

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        """Probabilities of `core.visemes.VISEMES`, (ceil(N / 160), 15) float32, of audio (N,) float32 at 16 kHz.

        Row j is centred at (j + ½) / 100 s, and rows sum to 1.
        """
        ...

    def begin(self) -> VisemeStream:
        """The same rows, within 1e-4, of a sound that is given bit by bit."""
        ...
