"""viseme-gru: the network of our own that tells visemes from sound as it comes; its weights lie beside this file."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from phonoscope.core.visemes import VISEMES
from phonoscope.models import viseme_graph as graph
from phonoscope.models.cards import Card
from phonoscope.models.sessions import OnnxNetwork, onnx_network
from phonoscope.models.state_dicts import read_state_dict, strict
from phonoscope.models.viseme_rows import BANKS, Rows

PIECE = 160_000  # samples that are heard at once: memory stays the same for hours of sound


class VisemeGru:
    """Tells which viseme is spoken, 113 ms after it was said; it has learnt from English most."""

    backend_kind: ClassVar[str] = "viseme_scorer"
    card: Card = Card(
        name="viseme-gru",
        version="1",
        sources=("package:phonoscope/models/backends/viseme_gru.onnx",),
        sha256="d0a772e91598979e72944b183aa575240095da446df94030af8da67c41ce305a",
        licence="Apache-2.0",
        cite="Huggins-Daines et al.: PocketSphinx, ICASSP 2006, for what taught it",
        input="16 kHz mono sound",
        rate="100 rows a second",
        notes="learnt from prompts read in five languages, games, seven free synthesisers, espeak-ng, and from what a "
        "teacher over pocketsphinx' Gaussians makes of them; on 11 people not heard, 2.9 min: 0.689 of rows, balanced "
        "0.579, closures 0.835",
        size=577861,
    )
    cards: ClassVar[Mapping[str, Card]] = {"v1": card}
    look_ahead_s = graph.LOOK_AHEAD_S

    def __init__(self, weights: Path, *, card: Card | None = None, threads: int = 1) -> None:
        """Load the network that comes along, or weights of one that was trained anew, `.safetensors`.

        Raises:
            UsageError: they are of another network, or no weights at all.
        """
        source: Path | bytes = weights
        self._hidden = graph.HIDDEN
        if weights.suffix != ".onnx":
            tensors = read_state_dict(weights).tensors
            strict(tensors, graph.entries(graph.width_of(tensors)), "viseme-gru")
            source, self._hidden = graph.graph_of(tensors), graph.width_of(tensors)
        self.card = card or self.card
        self._network = onnx_network(source, threads)

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        """Probabilities of `core.visemes.VISEMES`, (ceil(N / 160), 15) float32, of audio (N,) float32 at 16 kHz.

        Row j is centred at (j + ½) / 100 s, and rows sum to 1.

        Raises:
            ValueError: that is no such audio.
        """
        stream = self.begin()
        rows = [stream.hear(audio[at : at + PIECE]) for at in range(0, max(len(audio), 1), PIECE)]
        return np.concatenate([*rows, stream.end()])

    def begin(self) -> "Stream":
        """The same rows, within 1e-4, of a sound that is given bit by bit."""
        return Stream(self._network, self._hidden)


class Stream:
    """A sound that is heard bit by bit."""

    def __init__(self, network: OnnxNetwork, hidden: int) -> None:
        self._network = network
        self._rows = Rows()
        self._near = np.zeros((0, BANKS), np.float32)  # rows that the next step of the network sees
        self._state = np.zeros((len(graph.LAYERS), 1, hidden), np.float32)
        self._early = graph.STEP * graph.DELAY  # rows that it tells before the sound begins
        self._heard = self._told = 0  # rows

    def hear(self, audio: np.ndarray) -> np.ndarray:
        """The rows that are certain after more of the sound, (N,) float32 at 16 kHz: (n, 15) float32, n may be 0.

        Raises:
            ValueError: that is no such audio.
        """
        if audio.ndim != 1 or audio.dtype != np.float32:
            raise ValueError(f"expected audio (N,) float32, got {audio.shape} {audio.dtype}")
        return self._step(self._rows.hear(audio))

    def end(self) -> np.ndarray:
        """The rows that are left, (n, 15), now that the sound is over."""
        told = self._step(self._rows.end())
        total, before = self._heard, self._told - len(told)
        steps = -(-total // graph.STEP) + graph.DELAY
        after = graph.STEP * (steps - 1) + graph.KERNEL - graph.BEFORE - total
        return np.concatenate([told, self._step(np.repeat(self._near[-1:], after, 0))])[: total - before]

    def _step(self, rows: np.ndarray) -> np.ndarray:
        """What the network tells now that it has rows (n, 80) more."""
        if not self._heard:
            self._near = np.repeat(rows[:1], graph.BEFORE, 0)
        self._heard += len(rows)
        near = np.concatenate([self._near, rows])
        steps = max(0, (len(near) - graph.KERNEL) // graph.STEP + 1)
        self._near = near[steps * graph.STEP :]
        if not steps:
            return np.zeros((0, len(VISEMES)), np.float32)
        seen = near[: (steps - 1) * graph.STEP + graph.KERNEL]
        made = self._network({"rows": seen, "state": self._state})
        self._state = made["next"]
        told = made["told"][self._early :]
        self._early = max(0, self._early - graph.STEP * steps)
        self._told += len(told)
        return told
