"""How a network that has learnt from a few seconds scores a track of any length.

It says how sure it is frame by frame, but what it says depends on how much it is shown: its recurrent or attentive
part has learnt from clips of seconds, and drifts over longer ones. So its authors cut a track into windows of one
second and score each alone, then of two seconds, and so on to six, and take the mean. That looks at every face six
times. Here each face is looked at once, or twice to get just the same numbers.

Source: the demo of TalkNet-ASD, Light-ASD and LR-ASD (MIT), whose durations are a set without weights.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.mfcc import mfcc
from phonoscope.models.cards import Card
from phonoscope.models.face_encoders import Encoder

SAMPLE_RATE = 16000  # Hz
DURATIONS = (1, 2, 3, 4, 5, 6)  # s
EVERY = 60  # s: at multiples of this, a window of each duration begins
SLOWEST, FASTEST = 20, 32  # frames a second: beyond, faces move otherwise than the networks have learnt
ROWS = 4  # of MFCC a frame
COEFFICIENTS = 13

INPUT = (  # of cards
    "middle 112 px of the asd crop, grey; MFCC by the recipe psf, four rows a frame, of sound at 16 kHz; learnt at 25 "
    "frames a second, at others rows are as much longer or shorter as frames"
)
SCENES = (  # on which cards say what was measured: those of `python -m bench asd_calibration`
    "On scenes of ten people who all move their mouths, while one of them, somebody else or nobody is heard (share of "
    "positives .24)"
)

Hear = Callable[[np.ndarray], np.ndarray]
"""MFCC (B, 4T, 13) float32 in, embeddings (B, T, D') float32 out."""

Judge = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Embeddings (B, T, D) and (B, T, D') of the same windows in, logits (B, T, 2) float32 out."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """From log-odds, which networks overstate, to probabilities; for showing scores, never for storing them.

    Fitted by `python -m bench asd_calibration`, on scenes of ten people who all move their mouths, a quarter of whose
    faces speak what is heard: where fewer only seem to, it is more often true. Other decoders of film move
    scores, too.
    """

    scale: float
    offset: float

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Probability of speaking, (...) float64, of log-odds (...)."""
        return 1 / (1 + np.exp(-(self.scale * np.asarray(scores, np.float64) + self.offset)))


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
        if faces.shape[1:] != (112, 112) or rows.shape != (ROWS * len(faces), COEFFICIENTS):
            raise ValueError(f"expected MFCC (4T, 13) and faces (T, 112, 112), got {rows.shape} and {faces.shape}")
        if len(faces) == 0:
            return np.zeros((0, 2), np.float32)
        return self.judge(self.see(faces)[None], self.hear(rows[None].astype(np.float32)))[0]


@dataclass(frozen=True, slots=True)
class WindowScorer:
    """A network as a speaking scorer for film of one rate."""

    network: Network
    card: Card
    policy: str  # the crop that it wants
    fps: Fraction
    windows: str  # "shared": each face is looked at once; "exact": the demo's numbers; "track": one window is enough
    size: ClassVar[int] = 112
    context: ClassVar[int] = 0  # pieces begin where windows do, and windows know nothing of each other
    backend_kind: ClassVar[str] = "speaking_scorer"

    def __post_init__(self) -> None:
        if self.windows not in SCHEMES:
            raise UsageError(f"no windows '{self.windows}'; there are {', '.join(SCHEMES)}")
        if not SLOWEST <= self.fps <= FASTEST:
            raise UsageError(
                f"{self.card.name} has learnt from film of about 25 frames a second, not {float(self.fps):.5g}: make "
                "the store at --clock.fps 25, or score with --asd.model motion"
            )

    @property
    def period(self) -> int:
        """Frames after which the windows of all durations begin anew; 0: a track is never cut."""
        return 0 if self.windows == "track" else EVERY * round(self.fps)

    def __call__(self, faces: np.ndarray, audio: np.ndarray) -> np.ndarray:
        """Log-odds of speaking, (T,) float32, from faces (T, 112, 112) uint8 and audio (N,) float32 at 16 kHz.

        Sound that ends before the faces do is followed by silence.

        Raises:
            ValueError: these are no such faces or no such audio.
        """
        check_given(faces, audio, self.size)
        if len(faces) == 0:
            return np.zeros(0, np.float32)
        rows = rows_of(audio, len(faces), self.fps)
        logits = SCHEMES[self.windows](self.network, rows, faces, round(self.fps))
        return (logits[:, 1] - logits[:, 0]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class SpeakingNetwork:
    """A network with its card, ready for film of any rate that it can be used at."""

    network: Network
    card: Card
    policy: str  # the crop that it wants

    def logits(self, rows: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """As `Network.logits`."""
        return self.network.logits(rows, faces)

    def at(self, fps: Fraction = Fraction(25), windows: str = "shared") -> WindowScorer:
        """The same as a speaking scorer of film of so many frames a second.

        Raises:
            UsageError: it has not learnt from film of that rate, or there are no such windows.
        """
        return WindowScorer(self.network, self.card, self.policy, fps, windows)


def check_given(faces: np.ndarray, audio: np.ndarray, size: int) -> None:
    """Nothing, if a speaking scorer may be given these: faces (T, size, size) uint8 and audio (N,) float.

    Raises:
        ValueError: it may not.
    """
    if faces.shape[1:] != (size, size) or faces.dtype != np.uint8:
        raise ValueError(f"expected faces (T, {size}, {size}) uint8, got {faces.shape} {faces.dtype}")
    if audio.ndim != 1 or not np.issubdtype(audio.dtype, np.floating):
        raise ValueError(f"expected audio (N,) float, got {audio.shape} {audio.dtype}")


def rows_of(audio: np.ndarray, frames: int, fps: Fraction) -> np.ndarray:
    """MFCC by the recipe psf, (4T, 13) float32, four rows a frame; at their end, too few, the first ones again.

    Rows are a whole number of samples apart; where a quarter of a frame is none, each is the nearest there is.
    """
    samples = -(-frames * SAMPLE_RATE // fps)
    heard = np.pad(audio[:samples], (0, max(samples - len(audio), 0)))
    made = mfcc(heard, SAMPLE_RATE, "psf", fps)
    step = made.rate / (ROWS * fps)
    wanted = (2 * np.arange(ROWS * frames) * step.numerator + step.denominator) // (2 * step.denominator)
    return made.values[wanted % len(made.values)].astype(np.float32)  # to begin again is what they were trained with


def track(network: Network, rows: np.ndarray, faces: np.ndarray, second: int) -> np.ndarray:
    """Logits (T, 2) of one pass over all; over more than some six seconds they drift."""
    return network.logits(rows, faces)


def shared(network: Network, rows: np.ndarray, faces: np.ndarray, second: int) -> np.ndarray:
    """Mean logits (T, 2) over the windows of each duration, of faces that were looked at once.

    Near the edges of a window, embeddings then know of a few frames beyond it.
    """
    seen, heard = network.see(faces), network.hear(rows[None])[0]
    return _mean(len(faces), second, lambda length: _judged(network.judge, seen, heard, length))


def exact(network: Network, rows: np.ndarray, faces: np.ndarray, second: int) -> np.ndarray:
    """The same numbers as of each window alone, though each face is looked at twice, not six times.

    An embedding knows of an edge of its window only within `reach` frames of it, and wherever a window has an edge, one
    of a second has one, too: those are looked at one by one, and lend their edges to the longer ones.

    Raises:
        ValueError: a second is shorter than its two edges.
    """
    if second < 2 * network.reach:
        raise ValueError(f"a second of {second} frames is shorter than two edges of {network.reach}")
    starts = range(0, len(faces), second)
    seen_alone = np.concatenate([network.see(faces[at : at + second]) for at in starts])
    heard_alone = np.concatenate([network.hear(rows[None, ROWS * at : ROWS * (at + second)])[0] for at in starts])
    only = len(starts) == 1
    seen = seen_alone if only else network.see(faces)
    heard = heard_alone if only else network.hear(rows[None])[0]

    def judged(length: int) -> np.ndarray:
        whole, alone = (seen, heard), (seen_alone, heard_alone)
        eyes, ears = (edged(w, a, length, second, network.reach) for w, a in zip(whole, alone, strict=True))
        return _judged(network.judge, eyes, ears, length)

    return _mean(len(faces), second, judged)


SCHEMES = {"shared": shared, "exact": exact, "track": track}


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
