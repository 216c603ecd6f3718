"""Silero VAD: tells speech from everything else, with weights from a package index."""

from pathlib import Path
from typing import ClassVar

import numpy as np

from phonoscope.models.cards import Card
from phonoscope.models.sessions import onnx_network

SAMPLE_RATE = 16000  # Hz
CHUNK = 512  # samples that each step of the network judges
CONTEXT = 64  # samples before them that it also sees
ROW = 160  # samples a row of the answer


class Silero:
    """A voice detector that runs through the sound once, in constant memory."""

    backend_kind: ClassVar[str] = "voice_detector"
    card: Card = Card(
        name="silero",
        version="6.2.3",
        sources=("wheel:silero-vad==6.2.3/silero_vad/data/silero_vad.onnx",),
        sha256="1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
        licence="MIT",
        cite="Silero Team: Silero VAD, github.com/snakers4/silero-vad, 2024",
        input="16 kHz mono sound, chunks of 512 samples after 64 of context",
        rate="100 rows a second, interpolated from 31.25",
        notes="its training speech is not published; both onsets and ends come out about 0.06 s late",
        size=2327524,
        download_size=11317527,
    )

    def __init__(self, weights: Path, threads: int = 1) -> None:
        self._network = onnx_network(weights, threads)

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        """Probability of speech, (ceil(N / 160),) float32, a row each 10 ms, from audio (N,) float32 at 16 kHz.

        Row j is for the instant (j + 0.5) / 100 s, interpolated linearly between the centres of the chunks. A chunk
        knows nothing of what follows it, so the answer is late: at a threshold of 0.5 both the begin and the end of
        speech come out about 0.06 s after those of the words (median of five aligned LibriVox readings).

        Raises:
            ValueError: that is no such audio.
        """
        if audio.ndim != 1 or audio.dtype != np.float32:
            raise ValueError(f"expected audio (N,) float32, got {audio.shape} {audio.dtype}")
        if len(audio) == 0:
            return np.zeros(0, np.float32)
        centre = CHUNK * np.arange(-(-len(audio) // CHUNK)) + CHUNK / 2
        row = ROW * np.arange(-(-len(audio) // ROW)) + ROW / 2
        return np.interp(row, centre, self.chunks(audio)).astype(np.float32)

    def chunks(self, audio: np.ndarray) -> np.ndarray:
        """What the network itself says of each 512 samples, (ceil(N / 512),) float32; zeros fill up the last chunk."""
        state = np.zeros((2, 1, 128), np.float32)
        window = np.zeros((1, CONTEXT + CHUNK), np.float32)
        said = np.zeros(-(-len(audio) // CHUNK), np.float32)
        for number in range(len(said)):
            piece = audio[number * CHUNK : (number + 1) * CHUNK]
            window[0, :CONTEXT] = window[0, CHUNK:]
            window[0, CONTEXT:] = 0
            window[0, CONTEXT : CONTEXT + len(piece)] = piece
            made = self._network({"input": window, "state": state, "sr": np.array(SAMPLE_RATE, np.int64)})
            state = made["stateN"]
            said[number] = made["output"][0, 0]
        return said
