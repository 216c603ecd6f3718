"""Compact: a separator of our own that comes with phonoscope, of some three hundred thousand numbers.

It goes by lips: each face's voice is asked for by what that mouth does, and by what the others do. What it is made of
tells `tasks.separation.networks.compact`; here it runs without PyTorch.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.models.backends.compact_graph import HOP, WINDOW, entries, graph_of, widths
from phonoscope.models.cards import Card
from phonoscope.models.sessions import onnx_network
from phonoscope.models.state_dicts import read_state_dict, strict
from phonoscope.models.stretches import check_shown

FRAME = 2 * HOP  # samples under a frame
EXPONENT = 0.3  # to which sizes are compressed, as loudness is in the ear
FAINT = 1e-4  # of full scale, added to what is divided by
DEVIATION = 0.2  # of lips; added to theirs, so that a mouth at rest stays at rest


class Compact:
    """Tells voices apart by the lips that speak them, one a face, however many there are."""

    backend_kind: ClassVar[str] = "voice_separator"
    card: Card = Card(
        name="compact",
        version="1",
        sources=("package:phonoscope/models/backends/compact.safetensors",),
        sha256="a5892b80884bb968e5a649f79af3abadd73e1556f56ad4f3bb205dcdec1aeaaf",
        licence="Apache-2.0",
        cite="",
        input="16 kHz mono sound; rows of the lip encoder mouth, 25 a second",
        rate="16 kHz",
        notes="learnt from 17 min of puppets with 32 real and synthetic voices and from 12 s of four real people; "
        "SI-SDRi of two at once: 3.8 dB on puppets with five voices that it has not heard (1.9 min), -0.1 dB on 12 "
        "real people whom it has not seen (2.0 min). Of real film expect nothing before it is trained on film of "
        "yours. Made by `python -m bench separation_recipe`, chosen on those 12 people; there swapped faces swap 60 % "
        "of the voices",
        size=1283448,
    )
    cards: ClassVar[Mapping[str, Card]] = {"v1": card}
    stretch: int = 100  # frames; it looks 0.7 s to either side, and at how loud it is and how lips are on the whole

    def __init__(self, weights: Path, *, card: Card | None = None, threads: int = 1) -> None:
        """Load the weights that come along, or those of a run of `phonoscope train separation`.

        Raises:
            UsageError: they are of another network, of one that sees no lips, or no weights at all.
        """
        state = read_state_dict(weights)
        if state.about.get("blind") or "slots" in state.tensors:
            raise UsageError(f"'{weights}' was trained blind: it cannot know whose voice is whose; give one that sees")
        strict(state.tensors, entries(*(widths(state.tensors) or (35, 24, 48))), "compact")
        self.card = card or self.card
        self.rows = str(state.about.get("rows", "lips"))
        self.lips = str(state.about.get("rows_by") or state.about.get("lips") or "mouth")
        tensors = {name: tensor.astype(np.float32) for name, tensor in state.tensors.items()}
        self._width = tensors["lips.first.weight"].shape[1] - 1
        self._network = onnx_network(graph_of(tensors), threads)

    def __call__(self, audio: np.ndarray, lips: np.ndarray) -> np.ndarray:
        """Voices (S, N) float32, one a face in the order of `lips`, of audio (N,) float32 at 16 kHz.

        Sound that ends before the lips do is followed by silence; where there are no lips any more, voices are silent.

        Args:
            lips: (S, T, width) float32, 25 rows a second, row t from sample 640 t on; NaN where a face is not seen.

        Raises:
            ValueError: these are no such lips or no such audio.
        """
        check_shown(audio, lips, self._width)
        faces, frames, _ = lips.shape
        made = np.zeros((faces, len(audio)), np.float32)
        heard = audio[: frames * FRAME]
        if not faces or not heard.any():
            return made
        sound = np.pad(heard, (0, frames * FRAME - len(heard)))
        level = np.sqrt(np.square(sound, dtype=np.float64).mean()) + FAINT
        spectrum = spectra(sound / np.float32(level))
        masks = self._network({"heard": told(spectrum)[None], "lips": evened(lips)})["masks"]
        for voice, mask in zip(made, masks, strict=True):
            voice[: len(heard)] = sound_of((mask[..., 0] + 1j * mask[..., 1]) * spectrum)[: len(heard)] * level
        return made


def window() -> np.ndarray:
    """The root of a Hann window, (640,) float32: once on the way in and once on the way out."""
    return np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)


def spectra(sound: np.ndarray) -> np.ndarray:
    """The spectrum (2T + 1, 321) complex64 of sound (640 T,), row j centred at sample 320 j."""
    padded = np.pad(sound, HOP)
    rows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    return np.fft.rfft(rows * window(), axis=1).astype(np.complex64)


def sound_of(spectrum: np.ndarray) -> np.ndarray:
    """The sound (640 T,) float32 of a spectrum (2T + 1, 321)."""
    rows = np.fft.irfft(spectrum, WINDOW, axis=1) * window()
    return (rows[1:, :HOP] + rows[:-1, HOP:]).reshape(-1).astype(np.float32)


def told(spectrum: np.ndarray) -> np.ndarray:
    """What the network hears of a complex spectrum (J, F): compressed size, real and imaginary part, (J, F, 3)."""
    size = np.abs(spectrum) + np.float32(FAINT)
    small = size ** np.float32(EXPONENT)
    return np.stack([small, small * np.real(spectrum) / size, small * np.imag(spectrum) / size], -1)


def evened(lips: np.ndarray) -> np.ndarray:
    """Lips (S, T, D) of mean 0 and deviation 1 each, and whether they are seen: (S, T, D + 1) float32, all finite."""
    seen = np.isfinite(lips).all(2, keepdims=True)
    many = np.maximum(seen.sum(1, keepdims=True), 1)
    values = np.where(seen, lips, 0)
    values = np.where(seen, values - values.sum(1, keepdims=True) / many, 0)
    deviation = np.sqrt(np.square(values).sum(1, keepdims=True) / many) + DEVIATION
    return np.concatenate([values / deviation, seen], 2).astype(np.float32)
