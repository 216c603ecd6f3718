"""Speech with what is said in it: folders of sounds and alignments, pair by pair."""

from collections.abc import Iterator
from dataclasses import dataclass
from glob import escape
from pathlib import Path

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.phones import viseme_rows
from phonoscope.corpora.alignments import FORMATS, read_alignment
from phonoscope.media.sound import read_sound
from phonoscope.models.viseme_rows import ROW, SAMPLE_RATE

SOUNDS = (".wav", ".flac", ".ogg", ".mp3")
PHONES = ".phone"  # before the suffix of an alignment that says that it is one


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
        if aligned := beside(path):
            found = True
            audio = sound_of(path)
            rows = viseme_rows(read_alignment(aligned), -(-len(audio) // ROW))
            yield Spoken(audio, rows, str(path.parent.relative_to(folder)))
    if not found:
        raise UsageError(f"'{folder}' has no sound with an alignment of its name beside it: expected a.wav, a.TextGrid")


def sound_of(path: Path) -> np.ndarray:
    """A file's sound, (N,) int16 at 16 kHz, its channels mixed.

    Raises:
        RecordingFailed: it cannot be read, or there is no sound in it.
    """
    audio = np.concatenate(list(read_sound(path, SAMPLE_RATE)))
    return (np.clip(audio, -1, 1 - 2**-15) * 32768).astype(np.int16)


def beside(path: Path) -> Path | None:
    """The alignment of a sound, `a.TextGrid` or `a.phone.json` of `a.wav`; None if there is none."""
    for it in sorted(path.parent.glob(f"{escape(path.stem)}.*")):
        if it.suffix.lower() in FORMATS and it.stem.removesuffix(PHONES) == path.stem:
            return it
    return None
