"""Speech with what is said in it: folders of sounds and alignments, pair by pair."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from phonoscope.core.errors import UsageError
from phonoscope.core.phones import viseme_rows
from phonoscope.corpora.alignments import FORMATS, read_alignment
from phonoscope.models.viseme_rows import ROW, SAMPLE_RATE

SOUNDS = (".wav", ".flac", ".ogg", ".mp3")


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """A sound, and which viseme is said when."""

    audio: np.ndarray  # (N,) int16, 16 kHz
    rows: np.ndarray  # (ceil(N / 160),) int8, numbers in VISEMES or NOT_SCORED
    speaker: str


def spoken_in(folder: Path) -> Iterator[Spoken]:
    """Every sound below a folder that has an alignment of its name beside it; a speaker is a folder.

    Raises:
        UsageError: there is no such pair, or an alignment cannot be read.
    """
    found = False
    for path in sorted(it for it in folder.rglob("*") if it.suffix.lower() in SOUNDS):
        beside = (it for it in sorted(path.parent.glob(f"{path.stem}.*")) if it.suffix.lower() in FORMATS)
        if aligned := next((it for it in beside if it.stem == path.stem), None):
            found = True
            audio = sound_of(path)
            rows = viseme_rows(read_alignment(aligned), -(-len(audio) // ROW))
            yield Spoken(audio, rows, str(path.parent.relative_to(folder)))
    if not found:
        raise UsageError(f"'{folder}' has no sound with an alignment of its name beside it: expected a.wav, a.TextGrid")


def sound_of(path: Path) -> np.ndarray:
    """A file's sound, (N,) int16 at 16 kHz, its channels mixed."""
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = audio.mean(1)
    if rate != SAMPLE_RATE:
        mono = soxr.resample(mono, rate, SAMPLE_RATE)
    return (np.clip(mono, -1, 1 - 2**-15) * 32768).astype(np.int16)
