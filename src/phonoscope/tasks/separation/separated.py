"""What was separated: a file beside the voices tells of them, so that they are known again, and a page can be made."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

SAMPLE_RATE = 16000  # Hz: what every VoiceSeparator hears
FORMAT = "phonoscope-voices-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceVoice:
    """One face, and what it says."""

    face: int  # the id of its track, or the number of the person
    start_s: float  # s, when it comes into the picture
    stop_s: float  # s, when it leaves it
    seen: float  # share of that time in which it is seen
    level_db: float | None  # dB, its voice against the sound, over the whole recording; None: it is silent
    clipped: int = 0  # samples that are louder than a file can hold
    wav: str  # name of the file with its voice
    film: str = ""  # of the film in which only it is heard; none: nobody wanted it, or the film is gone
    copied: bool = False  # the pictures of that are the film's own, not encoded anew
    portrait: str = ""  # of its picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Separated:
    """What was made of a recording; lies beside the files, as `<recording>.json`."""

    format: str = FORMAT
    recording: str
    source: str
    duration_s: float
    sample_rate: int = SAMPLE_RATE
    made_from: dict[str, str]  # keys of the sound and of the lips, and who separated
    by: str = "track"  # what a face is: a track, or all tracks of a "person"
    faces: tuple[FaceVoice, ...]
    others: tuple[int, ...] = ()  # faces whose voices were told apart, too, but were not asked for; -1: of nobody known
    mixture: str  # name of the file with the sound as it was
    notes: tuple[str, ...] = ()


def read_separated(path: Path) -> Separated | None:
    """What was made of a recording before; None if nothing was, or nothing that we know."""
    try:
        told = msgspec.json.decode(path.read_bytes(), type=Separated)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return told if told.format == FORMAT else None


def is_whole(made: Separated, to: Path, faces: Sequence[int], made_from: dict[str, str], films: bool) -> bool:
    """Whether all that is wanted is there, made from the same."""
    if made.made_from != made_from or [it.face for it in made.faces] != list(faces):
        return False
    if films and not all(it.film for it in made.faces):
        return False
    names = [made.mixture, *(name for it in made.faces for name in (it.wav, it.film) if name)]
    return all((to / name).exists() for name in names)
