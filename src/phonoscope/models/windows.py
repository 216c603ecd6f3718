"""How a network that has learnt from a few seconds judges a track of any length.

It says how sure it is frame by frame, but what it says depends on how much it is shown: its recurrent or attentive
part has learnt from clips of seconds, and drifts over longer ones. So its authors cut a track into windows of one
second and score each alone, then of two seconds, and so on to six, and take the mean. That looks at every face six
times. Here each face is looked at once, or twice to get just the same numbers.

Source: the demo of TalkNet-ASD, Light-ASD and LR-ASD (MIT), whose durations are a set without weights.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from phonoscope.models.face_encoders import Encoder, Encoding

DURATIONS = (1, 2, 3, 4, 5, 6)  # s
ROWS = 4  # of MFCC a frame
COEFFICIENTS = 13

Hear = Callable[[np.ndarray], np.ndarray]
"""MFCC (B, 4T, 13) float32 in, embeddings (B, T, D') float32 out."""

Judge = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Embeddings (B, T, D) and (B, T, D') of the same windows in, logits (B, T, 2) float32 out."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network in three parts, of which the first two look only a few frames around."""

    see: Encoder
    hear: Hear
    judge: Judge
    reach: int  # frames on either side that an embedding depends on, of what is seen and of what is heard

    def logits(self, rows: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """What it says of a whole track, (T, 2) float32: not speaking, speaking.

        Args:
            rows: MFCC (4T, 13), by the recipe psf.
            faces: (T, 112, 112), 0 to 255.

        Raises:
            ValueError: they are not of the same frames.
        """
        check_track(rows, faces)
        if len(faces) == 0:
            return np.zeros((0, 2), np.float32)
        return self.judge(self.see(faces)[None], self.hear(rows[None].astype(np.float32)))[0]


def check_track(rows: np.ndarray, faces: np.ndarray) -> None:
    """Nothing, if MFCC (4T, 13) and faces (T, 112, 112) are of the same frames.

    Raises:
        ValueError: they are not.
    """
    if faces.shape[1:] != (112, 112) or rows.shape != (ROWS * len(faces), COEFFICIENTS):
        raise ValueError(f"expected MFCC (4T, 13) and faces (T, 112, 112), got {rows.shape} and {faces.shape}")


def track(network: Network, rows: np.ndarray, seen: np.ndarray, second: int) -> np.ndarray:
    """Logits (T, 2) of one pass over all; over more than some six seconds they drift."""
    return network.judge(seen[None], network.hear(rows[None]))[0]


def shared(network: Network, rows: np.ndarray, seen: np.ndarray, second: int) -> np.ndarray:
    """Mean logits (T, 2) over the windows of each duration, of faces that were looked at once.

    Near the edges of a window, embeddings then know of a few frames beyond it.
    """
    heard = network.hear(rows[None])[0]
    return _mean(len(seen), second, lambda length: _judged(network.judge, seen, heard, length))


def exact(network: Network, rows: np.ndarray, seen: np.ndarray, second: int) -> np.ndarray:
    """The same numbers as of each window alone, though each face is looked at twice, not six times.

    An embedding knows of an edge of its window only within `reach` frames of it, and wherever a window has an edge, one
    of a second has one, too: those are looked at one by one, and lend their edges to the longer ones.

    Args:
        seen: (2, T, D), as `TwoLooks` gives them.
    """
    seen, seen_alone = seen
    starts = range(0, len(seen), second)
    heard_alone = np.concatenate([network.hear(rows[None, ROWS * at : ROWS * (at + second)])[0] for at in starts])
    heard = heard_alone if len(starts) == 1 else network.hear(rows[None])[0]

    def judged(length: int) -> np.ndarray:
        whole, alone = (seen, heard), (seen_alone, heard_alone)
        eyes, ears = (edged(w, a, length, second, network.reach) for w, a in zip(whole, alone, strict=True))
        return _judged(network.judge, eyes, ears, length)

    return _mean(len(seen), second, judged)


SCHEMES = {"shared": shared, "exact": exact, "track": track}
"""What makes logits (T, 2) of a network, MFCC (4T, 13), what it has seen of all faces, and the frames of a second."""


def begin(network: Network, windows: str, second: int) -> "Encoding | TwoLooks":
    """What looks at faces as they come, as often as windows of that name want it."""
    return TwoLooks(network, second) if windows == "exact" else network.see.begin()


class TwoLooks:
    """Faces looked at twice: on the whole track, and in each second of it alone."""

    def __init__(self, network: Network, second: int) -> None:
        """Begin with nothing seen.

        Args:
            second: frames.

        Raises:
            ValueError: a second is shorter than its two edges.
        """
        if second < 2 * network.reach:
            raise ValueError(f"a second of {second} frames is shorter than two edges of {network.reach}")
        self._see, self._second = network.see, second
        self._whole = network.see.begin()
        self._waiting: list[np.ndarray] = []  # faces (112, 112)
        self._alone: list[np.ndarray] = []  # (≤ second, D) each

    def see(self, faces: np.ndarray) -> None:
        """Take the next faces, (N, 112, 112), 0 to 255."""
        self._waiting.extend(faces)
        while len(self._waiting) > self._second:
            self._look()

    def end(self) -> np.ndarray:
        """Embeddings (2, T, D) float32 of all faces, of which there is one at least: on the whole, and alone."""
        if not self._alone:  # no more than a second: that is the whole
            alone = self._see(np.stack(self._waiting))
            return np.stack([alone, alone])
        self._look()
        return np.stack([self._whole.end(), np.concatenate(self._alone)])

    def _look(self) -> None:
        faces = np.stack(self._waiting[: self._second])
        del self._waiting[: self._second]
        self._whole.see(faces)
        self._alone.append(self._see(faces))


def edged(whole: np.ndarray, alone: np.ndarray, length: int, second: int, reach: int) -> np.ndarray:
    """Embeddings (T, D) as of windows of so many frames, each alone.

    Args:
        whole: of the whole track, (T, D).
        alone: of each second of it alone, (T, D).
        length: a multiple of `second`, as of all windows but the last.
    """
    made = whole.copy()
    for start in range(0, len(whole), length):
        stop = min(start + length, len(whole))
        if stop - start <= second:
            made[start:stop] = alone[start:stop]
        else:
            made[start : start + reach] = alone[start : start + reach]
            if stop < len(whole):  # where the track ends, the whole of it has that edge, too
                made[stop - reach : stop] = alone[stop - reach : stop]
    return made


def _mean(frames: int, second: int, judged: Callable[[int], np.ndarray]) -> np.ndarray:
    """The mean over all durations; those that are longer than the track have the same window, which is judged once."""
    lengths = Counter(min(duration * second, -(-frames // second) * second) for duration in DURATIONS)
    total = np.zeros((frames, 2))
    for length, times in lengths.items():
        total += times * judged(length)
    return (total / len(DURATIONS)).astype(np.float32)


def _judged(judge: Judge, seen: np.ndarray, heard: np.ndarray, length: int) -> np.ndarray:
    """Logits (T, 2) of windows of so many frames; all that are as long at once, then the rest."""
    full = len(seen) // length * length
    parts = []
    for some, window in ((slice(0, full), length), (slice(full, len(seen)), len(seen) - full)):
        if window and some.stop > some.start:
            windows = (part[some].reshape(-1, window, part.shape[1]) for part in (seen, heard))
            parts.append(judge(*windows).reshape(-1, 2))
    return np.concatenate(parts)
