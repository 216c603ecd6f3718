"""Mouth: how a mouth looks and how it moves, in a few numbers that need no weights.

Of each face the low frequencies of the mouth's surroundings, by a cosine transform; how they have changed since the
frame before; and the clues of `tiny`: how far mouth, lips and chin move once the head's own movement is out. All of it
in units of the face's own light, so that a bright film and a dark one of the same mouth give the same rows.
"""

from typing import ClassVar

import numpy as np

from phonoscope.models.backends.tiny import movement
from phonoscope.models.cards import Card

# Places are in the face halved to 56 × 56 px, the middle of an `asd` crop: see MOUTH in `motion`.
SQUARE = (slice(20, 52), slice(12, 44))  # from under the nose to the chin, and a cheek's breadth on either side
SIDE = 32  # px of it
ORDER = 4  # of the cosines that are kept: so many half waves down and across, at most, in all
DARKEST = 4.0  # grey levels of deviation; what varies less is blank, not a face in the dark
EVEN = (128.0, 40.0)  # grey level, and deviation, at which movement is told
LOOK, CHANGE = 10.0, 30.0  # with which what varies of five people's mouths comes to have a deviation of about 0.7


def _cosines() -> np.ndarray:
    """Pictures (K, 32, 32) float32 of the cosines, each of unit mean square, the flat one first."""
    at = (np.arange(SIDE) + 0.5) * np.pi / SIDE
    waves = [np.cos(at * n) * (np.sqrt(2) if n else 1) for n in range(ORDER + 1)]
    pairs = [(down, across) for down in range(ORDER + 1) for across in range(ORDER + 1 - down)]
    return np.stack([np.outer(waves[down], waves[across]) for down, across in pairs]).astype(np.float32)


COSINES = _cosines()
LOOKS = len(COSINES)


class Mouth:
    """Tells how a mouth looks and moves, from nothing but the pictures."""

    backend_kind: ClassVar[str] = "lip_encoder"
    card = Card(
        name="mouth",
        version="1",
        sources=(),
        sha256="",
        licence="Apache-2.0",
        cite="",
        input="middle 112 px of the asd crop, grey",
        rate="one row a video frame; made for 25 frames a second",
        notes=f"no network: {LOOKS} cosines of the mouth's surroundings, their change, and 5 numbers of movement",
    )
    policy: str = "asd"
    size: int = 112
    width: int = 2 * LOOKS + 5
    context: int = 2  # movement is told from the frame before and the one after, and those from theirs

    def __call__(self, faces: np.ndarray) -> np.ndarray:
        """Rows (T, 35) float32, finite, of faces (T, 112, 112) uint8 grey: looks, their change, movement.

        Raises:
            ValueError: these are no such faces.
        """
        if faces.shape[1:] != (self.size, self.size) or faces.dtype != np.uint8:
            raise ValueError(f"expected faces (T, {self.size}, {self.size}) uint8, got {faces.shape} {faces.dtype}")
        if len(faces) == 0:
            return np.zeros((0, self.width), np.float32)
        even = evened(faces)
        halved = even.reshape(-1, 56, 2, 56, 2).mean((2, 4))[:, *SQUARE]
        looks = halved.reshape(len(faces), -1) @ COSINES.reshape(LOOKS, -1).T / SIDE**2
        change = np.diff(looks, axis=0, prepend=looks[:1])
        level, deviation = EVEN
        moves = movement(even * deviation + level)
        return np.concatenate([LOOK * looks, CHANGE * change, moves], 1).astype(np.float32)


def evened(faces: np.ndarray) -> np.ndarray:
    """Faces (T, H, W) float32 of mean 0 and deviation 1 each; a blank one is all 0."""
    seen = faces.astype(np.float32)
    seen -= seen.mean((1, 2), keepdims=True)
    seen /= np.maximum(seen.std((1, 2), keepdims=True), DARKEST)
    return seen
