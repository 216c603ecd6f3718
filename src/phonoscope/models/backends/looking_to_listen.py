"""Looking to Listen: seed 000's separator, with weights of your own: none are published. It runs without PyTorch.

What it is made of tells `tasks.separation.networks.looking_to_listen`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.istft import istft
from phonoscope.core.masks import recovered
from phonoscope.core.stft import stft
from phonoscope.models.backends.looking_to_listen_graph import GATES, Shape, entries, graph_of, onto, shape_of
from phonoscope.models.cards import Card
from phonoscope.models.sessions import onnx_network
from phonoscope.models.state_dicts import read_state_dict, strict
from phonoscope.models.stretches import check_shown

SAMPLE_RATE, FRAME = 16000, 640  # Hz; samples under a frame
THEIRS = Shape(speakers=2, faces=1792, filters=96, cells=400, dense=600)  # the seed's


class LookingToListen:
    """Tells apart the voices of as many faces as it was trained for, or of fewer."""

    backend_kind: ClassVar[str] = "voice_separator"
    cards: ClassVar[Mapping[str, Card]] = {}
    card: Card = Card(
        name="looking-to-listen",
        version="own",
        sources=("file:",),
        sha256="",
        licence="as its owner says",
        cite='Ephrat et al.: "Looking to Listen at the Cocktail Party", SIGGRAPH 2018',
        input="16 kHz mono sound; embeddings of faces, or lips, 25 a second",
        rate="16 kHz",
        notes="no weights are published: train some by `phonoscope train separation --separation.model "
        "looking-to-listen`, then give them as --separation.weights RUN",
    )

    def __init__(self, weights: Path, *, card: Card | None = None, threads: int = 1) -> None:
        """Load the weights of a run of `phonoscope train separation --separation.model looking-to-listen`.

        Raises:
            UsageError: they are of another network, or no weights at all.
        """
        state = read_state_dict(weights)
        tensors, of = state.tensors, shape_of(state.tensors) or THEIRS
        strict(tensors, entries(of), self.card.name)
        gates = dict(state.about.get("shape", {})).get("gates", "hard")
        if gates not in GATES:
            raise UsageError(f"'{weights}' says that its gates are {gates!r}; there are {', '.join(GATES)}")
        self.card = card or self.card
        self.rows = str(state.about.get("rows", "embeddings"))
        self.lips = str(state.about.get("rows_by") or state.about.get("lips") or "facenet-avgpool")
        self.stretch = int(state.about.get("stretch", 75))  # frames: its LSTM has learnt from so many
        self.speakers, self._width = of.speakers, of.faces
        self._network = onnx_network(graph_of(tensors, of.speakers, gates), threads)

    def __call__(self, audio: np.ndarray, lips: np.ndarray) -> np.ndarray:
        """Voices (S, N) float32, one a face in the order of `lips`, of audio (N,) float32 at 16 kHz.

        Sound that ends before the faces do is followed by silence; beyond them voices are silent. Of fewer faces than
        it was trained for, the others are not seen.

        Args:
            lips: (S, T, width) float32, 25 rows a second, row t from sample 640 t on; NaN where a face is not seen,
                which is nought to the network.

        Raises:
            UsageError: there are more faces than it was trained for.
            ValueError: these are no such faces or no such audio.
        """
        check_shown(audio, lips, self._width, "faces")
        faces, frames, _ = lips.shape
        if faces > self.speakers:
            raise UsageError(
                f"{faces} faces are seen at once, and '{self.card.name}@{self.card.version}' was trained for "
                f"{self.speakers}: train one by --speakers {faces}, or take compact, which knows no such number"
            )
        made = np.zeros((faces, len(audio)), np.float32)
        heard = audio[: frames * FRAME]
        if not faces or not heard.any():
            return made
        sound = np.pad(heard, (0, frames * FRAME - len(heard)))
        shown = np.zeros((self.speakers, frames, self._width), np.float32)
        shown[:faces] = np.nan_to_num(lips)
        whole = spectrum_of(sound)
        spectrum = parts(whole)
        given = {"spectrum": spectrum[None], "faces": shown, "onto": onto(len(spectrum), frames)}
        made[:, : len(heard)] = masked(sound, self._network(given)["masks"], whole)[:faces, : len(heard)]
        return made


def spectrum_of(sound: np.ndarray) -> np.ndarray:
    """The spectrum (T, 257) complex of sound (N,) at 16 kHz, as the seed has it."""
    return stft(sound, SAMPLE_RATE).values


def masked(sound: np.ndarray, masks: np.ndarray, whole: np.ndarray | None = None) -> np.ndarray:
    """Voices (P, N) float32 that compressed masks (T, 257, 2, P) leave of a sound (N,), whose spectrum may be known."""
    whole = spectrum_of(sound) if whole is None else whole
    each = recovered(masks[:, :, 0] + 1j * masks[:, :, 1])
    voices = [istft(whole * mask, len(sound), SAMPLE_RATE) for mask in np.moveaxis(each, -1, 0)]
    return np.stack(voices).astype(np.float32)


def parts(spectrum: np.ndarray) -> np.ndarray:
    """Real and imaginary part (…, 2) float32."""
    return np.stack([np.real(spectrum), np.imag(spectrum)], -1).astype(np.float32)
