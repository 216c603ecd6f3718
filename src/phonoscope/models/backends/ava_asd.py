"""Seed 001's networks as speaking scorers, in any of their four modes, with weights of your own: none are published.

A window is half a second of faces, five of them, and a fifth of a second of sound; both end where it is judged.
"""

import copy
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.mfcc import mfcc, normalised
from phonoscope.models.backends.ava_asd_graph import ava_asd_graph
from phonoscope.models.cards import Card
from phonoscope.models.sessions import onnx_network
from phonoscope.models.speaking import check_given
from phonoscope.models.state_dicts import read_state_dict

SAMPLE_RATE = 16000  # Hz
RATE = 10  # faces a second that it sees
FACES, ROWS = 5, 20  # of a window: faces, and rows of MFCC at 100 a second
AT_ONCE = 16  # windows; more would only take more memory


class AvaAsd:
    """Scores a face by what it does, and what is heard, in the half second up to each frame."""

    backend_kind: ClassVar[str] = "speaking_scorer"
    cards: ClassVar[Mapping[str, Card]] = {}
    card: Card = Card(
        name="ava-asd",
        version="own",
        sources=("file:",),
        sha256="",
        licence="as its owner says",
        cite='Roth et al.: "AVA-ActiveSpeaker", arXiv 1901.01342; Chung: "Naver at ActivityNet Challenge 2019"',
        input="faces 100 px grey of the policy 'tight', ten a second; librosa's MFCC of 16 kHz mono sound",
        rate="ten scores a second, each given to the video frames next to it",
        notes="no weights are published: train some, then give them as --asd.weights FILE",
    )
    policy, size = "tight", 100
    context, period = 0, 0  # sound is normalised over the whole track, which is therefore never cut

    def __init__(self, weights: Path, *, card: Card | None = None, threads: int = 1) -> None:
        """Load weights in any mode that this network has.

        Raises:
            UsageError: there is no such file, or it holds weights of something else.
        """
        self.card, self._fps = card or self.card, Fraction(25)
        self._network = onnx_network(ava_asd_graph(read_state_dict(weights).tensors), threads)

    def at(self, fps: Fraction, windows: str = "shared") -> Self:
        """The same for film of so many frames a second; its windows are its own, whatever `windows` says.

        Raises:
            UsageError: the film has fewer frames than it wants to see.
        """
        if fps < RATE:
            raise UsageError(f"'ava-asd' sees {RATE} faces a second, this film has {float(fps):g}")
        made = copy.copy(self)
        made._fps = fps
        return made

    def __call__(self, faces: np.ndarray, audio: np.ndarray) -> np.ndarray:
        """Log-odds of speaking, (T,) float32, of faces (T, 100, 100) uint8 grey and audio (N,) float32 under them.

        A frame has the score of the window that ends next to it, of two equally near the later.

        Raises:
            ValueError: these are no such faces or no such audio.
        """
        check_given(faces, audio, self.size)
        if len(faces) == 0:
            return np.zeros(0, np.float32)
        frames = window_frames(len(faces), self._fps)
        rows = window_rows(frames[:, -1], self._fps)
        sound = normalised_mfcc(audio)
        odds = np.empty(len(frames), np.float32)
        for at in range(0, len(frames), AT_ONCE):
            part = slice(at, at + AT_ONCE)
            heard = sound[np.clip(rows[part], 0, len(sound) - 1)].transpose(0, 2, 1)
            logits = self._network({"faces": faces[frames[part]].astype(np.float32), "mfcc": heard})["logits"]
            odds[part] = logits[:, 0] - logits[:, 1]  # class 0 speaks
        return odds[next_to(frames[:, -1], len(faces))]


def window_frames(frames: int, fps: Fraction) -> np.ndarray:
    """The frames that each window shows, (K, 5), of a track of `frames`: ten a second, each the nearest, later of two.

    Each window begins one face after the last. A track too short for one repeats its first frame before it.
    """
    count = 1 + int((frames - Fraction(1, 2)) * RATE / fps)
    seen = [int(number * fps / RATE + Fraction(1, 2)) for number in range(count)]
    seen = [frame for frame in seen if frame < frames]
    return np.lib.stride_tricks.sliding_window_view(np.array([0] * (FACES - len(seen)) + seen), FACES)


def window_rows(last: np.ndarray, fps: Fraction) -> np.ndarray:
    """The rows of MFCC, 100 a second, that windows hear whose last frames are `last` (K,), (K, 20); some below 0.

    As in the seed, the first row passes for the sound at 25 ms, though it lies at 0: so the sound ends early.
    """
    ends = [int(np.floor(100 * frame / fps - Fraction(5, 2))) for frame in last.tolist()]
    return np.array(ends)[:, None] + np.arange(-ROWS, 0)


def normalised_mfcc(audio: np.ndarray) -> np.ndarray:
    """librosa's MFCC of audio (N,) float at 16 kHz, (1 + N // 160, 13) float32, each of mean 0 and deviation 1.

    Raises:
        ValueError: there is no such audio.
    """
    if audio.ndim != 1 or len(audio) == 0:
        raise ValueError(f"expected audio (N,) of one sample at least, got {audio.shape}")
    return normalised(mfcc(audio, SAMPLE_RATE, "librosa").values).astype(np.float32)


def next_to(last: np.ndarray, frames: int) -> np.ndarray:
    """For each of so many frames the place in `last` (K,), ascending, of the nearest, (frames,); of two, the later."""
    between = (last[1:] + last[:-1]) / 2
    return np.searchsorted(between, np.arange(frames), side="right")
