"""Speech of people whom `viseme-gru` has never heard, and which viseme they speak when: what bench/visemes measures on.

Words are those of `visemes_said.csv`: of GRID as its files are named, of readings as the books have them. A reading is
used if pocketsphinx can align its words, and if what it hears freely sounds more like these words than like those of
any other reading here, by `MARGIN` at least, and like them by `LIKE` at least. Of LibriVox the times are published.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.viseme_recipe.aligning import aligned, alike, understood
from phonoscope.core.phones import Alignment, viseme_rows
from phonoscope.corpora.alignments import read_alignment
from phonoscope.media.sound import read_sound
from phonoscope.models.viseme_rows import ROW, SAMPLE_RATE

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
SAID = Path(__file__).with_name("visemes_said.csv")
LIKE, MARGIN = 0.45, 0.15
SOUNDS = {
    "crayfish": "K R EY F IH SH", "reciter": "R IH S AY T ER", "seest": "S IY AH S T", "wot": "W AA T",
    "whomsoever": "HH UW M S OW EH V ER",
}  # fmt: skip
READER, HAND_MADE = "librivox_austen", "bobby"
ODD = "PT"  # a phone of its own there: not scored


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """Somebody speaks, and it is known what."""

    speaker: str
    name: str
    audio: np.ndarray  # (N,) float32, 16 kHz
    rows: np.ndarray  # (ceil(N / 160),) int8, numbers in VISEMES or NOT_SCORED
    phones: Alignment


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether a reading can be used."""

    name: str
    like: float  # how much what is heard freely sounds like its words
    next: float  # and like those of the reading that it sounds like most otherwise
    used: bool


def truth() -> tuple[list[Told], list[Judged]]:
    """All that can be used, and how the readings were judged."""
    with SAID.open(encoding="utf-8") as file:
        said = list(csv.DictReader(file))
    found, judged = [], []
    for row in said:
        audio = sound(SHARED / row["file"])
        phones = aligned(audio, row["text"], SOUNDS)
        fits = phones is not None
        if not row["speaker"].startswith("grid"):
            heard = understood(audio)
            like = [
                (alike(heard, it["text"], SOUNDS), it is row) for it in said if not it["speaker"].startswith("grid")
            ]
            own, best = next(much for much, same in like if same), max(much for much, same in like if not same)
            fits = phones is not None and own >= LIKE and own - best >= MARGIN
            judged.append(Judged(Path(row["file"]).stem, own, best, fits))
        if fits and phones:
            found.append(_told(row["speaker"], Path(row["file"]).stem, audio, phones))
    return found + list(_published()), judged


def sound(path: Path) -> np.ndarray:
    """A file's sound, (N,) float32 at 16 kHz; of a film too."""
    return np.concatenate(list(read_sound(path, SAMPLE_RATE)))


def _published() -> Iterator[Told]:
    folder = SHARED / "d_alignment"
    for path in sorted(folder.glob("librivox_*.phone.json")):
        name = path.name.removesuffix(".phone.json")
        yield _told(READER, name, sound(folder / f"{name}.wav"), read_alignment(path))
    bobby = read_alignment(folder / "praatio_bobby_phones.TextGrid", phones="phone", alphabet="arpabet")
    known = (replace(it, text="SPN") if it.text == ODD else it for it in bobby.phones)
    yield _told(HAND_MADE, "bobby", sound(folder / "praatio_bobby.wav"), replace(bobby, phones=tuple(known)))


def _told(speaker: str, name: str, audio: np.ndarray, phones: Alignment) -> Told:
    return Told(speaker, name, audio, viseme_rows(phones, -(-len(audio) // ROW)), phones)
