"""Whisper, by faster-whisper: what is said, word by word."""

from functools import cache
from importlib import import_module
from typing import Any, ClassVar

import numpy as np

from phonoscope.models.cards import Card
from phonoscope.models.extras import need
from phonoscope.models.protocols import Word


class Whisper:
    """A transcriber. Its weights are faster-whisper's own affair: it fetches them by name, or reads them from a folder.

    Raises:
        UsageError: faster-whisper is not installed.
    """

    backend_kind: ClassVar[str] = "transcriber"

    def __init__(self, model: str = "small", language: str = "", threads: int = 1) -> None:
        """Load a model.

        Args:
            model: "tiny", "small", "large-v3" and so on, or a folder of converted weights.
            language: of what is said, as "sw"; by default it is told from the sound.
        """
        check_installed()
        library: Any = import_module("faster_whisper")  # an extra
        self.card = Card(
            name="whisper",
            version=f"{model}{'-' + language if language else ''}",
            sources=(),
            sha256="",
            licence="MIT",
            cite='Radford et al.: "Robust speech recognition via large-scale weak supervision", ICML 2023',
            input="16 kHz mono sound",
            rate="a row a word",
        )
        self._language = language or None
        self._model = library.WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=threads)

    def __call__(self, audio: np.ndarray) -> list[Word]:
        """The words in audio (N,) float32 at 16 kHz, in order of time."""
        heard = np.ascontiguousarray(audio, np.float32)
        segments, _ = self._model.transcribe(heard, language=self._language, word_timestamps=True)
        return [Word(it.word, float(it.start), float(it.end)) for segment in segments for it in segment.words or ()]


def check_installed() -> None:
    """Nothing, if faster-whisper is installed.

    Raises:
        UsageError: it is not.
    """
    need("a transcript", "faster_whisper", extra="asr")


@cache
def loaded(model: str, language: str) -> Whisper:
    """A model that is loaded but once a process.

    Raises:
        UsageError: faster-whisper is not installed.
    """
    return Whisper(model, language)
