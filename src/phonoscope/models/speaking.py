"""Networks that tell who speaks, as speaking scorers: of any weights that fit, for film of about 25 frames a second.

A track may be given whole or face by face, as it is seen; the numbers are the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.mfcc import mfcc
from phonoscope.models.cards import Card
from phonoscope.models.face_encoders import Encoder
from phonoscope.models.graphs import Tensors
from phonoscope.models.state_dicts import read_state_dict, strict
from phonoscope.models.windows import ROWS, SCHEMES, Hear, Judge, Network, begin

SAMPLE_RATE = 16000  # Hz
EVERY = 60  # s: at multiples of this, a window of each duration begins
SLOWEST, FASTEST = 20, 32  # frames a second: beyond, faces move otherwise than the networks have learnt

INPUT = (  # of cards
    "middle 112 px of the asd crop, grey; MFCC by the recipe psf, four rows a frame, of sound at 16 kHz; learnt at 25 "
    "frames a second, at others rows are as much longer or shorter as frames"
)
SCENES = (  # on which cards say what was measured: those of `python -m bench asd_calibration`
    "On scenes of ten people who all move their mouths, while one of them, somebody else or nobody is heard (share of "
    "positives .24)"
)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakingModel:
    """A network that still wants its weights: call it with their file, and it is a speaking scorer."""

    card: Card  # of the weights that it is preferred with
    entries: Callable[[], Mapping[str, tuple[int, ...]]]  # name and shape of each of its weights
    see: Callable[[Tensors, int], Encoder]  # its part that looks, made of its weights, on so many threads
    hear: Callable[[Tensors, int], Hear]
    judge: Callable[[Tensors, int], Judge]
    reach: int  # frames on either side that what is seen and what is heard depend on
    cards: Mapping[str, Card] = field(default_factory=dict)  # of the weights that are published, by name
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)  # of those, under the same names
    policy: str = "asd"  # the crop that those have learnt from
    backend_kind: ClassVar[str] = "speaking_scorer"

    def __call__(self, weights: Path, *, card: Card | None = None, threads: int = 1) -> "SpeakingNetwork":
        """The network with any weights that fit.

        Args:
            card: theirs, if they are not those that it is preferred with.

        Raises:
            UsageError: they are of another network, or no weights at all.
        """
        state, card = read_state_dict(weights), card or self.card
        strict(state.tensors, self.entries(), self.card.name)
        policy = str(state.about.get("policy", self.policy))  # weights tuned on other crops want those
        which = next((name for name, known in self.cards.items() if known.sha256 == card.sha256), "")
        of = state.tensors, threads
        network = Network(self.see(*of), self.hear(*of), self.judge(*of), self.reach)
        return SpeakingNetwork(network, card, policy, self.calibrations.get(which))


@dataclass(frozen=True, slots=True)
class SpeakingNetwork:
    """A network as a speaking scorer: it goes by what is seen and heard of up to six seconds around."""

    network: Network
    card: Card
    policy: str  # the crop that it wants
    calibration: Calibration | None = None  # None: nobody has fitted one
    fps: Fraction = Fraction(25)
    windows: str = "shared"  # each face is looked at once; "exact": the demo's numbers; "track": one window is enough
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
        piece = self.begin()
        piece.see(faces)
        return piece.end(audio)

    def begin(self) -> "LookedAt":
        """The same for a piece of a track whose faces are still to come."""
        return LookedAt(self)

    def logits(self, mfcc: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """As `Network.logits`."""
        return self.network.logits(mfcc, faces)

    def at(self, fps: Fraction = Fraction(25), windows: str = "shared") -> "SpeakingNetwork":
        """The same for film of so many frames a second, scored in windows "shared", "exact" or "track".

        Raises:
            UsageError: it has not learnt from film of that rate, or there are no such windows.
        """
        return replace(self, fps=fps, windows=windows)


class LookedAt:
    """A piece of a track whose faces are looked at as they come; no more than a portion of them is held."""

    def __init__(self, scorer: SpeakingNetwork) -> None:
        self._scorer, self._second, self._frames = scorer, round(scorer.fps), 0
        self._look = begin(scorer.network, scorer.windows, self._second)

    def see(self, faces: np.ndarray) -> None:
        """Take the next faces, (N, 112, 112) uint8."""
        self._frames += len(faces)
        self._look.see(faces)

    def end(self, audio: np.ndarray) -> np.ndarray:
        """Log-odds of speaking, (T,) float32, of all faces, from the audio (N,) float32 at 16 kHz under them."""
        if not self._frames:
            return np.zeros(0, np.float32)
        rows = rows_of(audio, self._frames, self._scorer.fps)
        logits = SCHEMES[self._scorer.windows](self._scorer.network, rows, self._look.end(), self._second)
        return (logits[:, 1] - logits[:, 0]).astype(np.float32)


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
