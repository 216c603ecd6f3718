"""Trees as LRS2 and LRS3 have them: `{set}/{id}/{clip}.mp4`, and beside each film a text of what is said in it.

Source: Afouras et al., "Deep Audio-Visual Speech Recognition", TPAMI 2018 (LRS2); "LRS3-TED", arXiv 1809.00496. What a
text tells lies in the film's folder as `transcript.json`, beside `listed.json`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError, readable
from phonoscope.core.phones import Interval
from phonoscope.corpora.folder import files_in, is_film
from phonoscope.store.files import as_json, write_if_new
from phonoscope.store.recording import StoredRecording

NAME = "lrs"
TRANSCRIPT = "transcript.json"
LISTS = {"train": "main", "val": "main", "test": "main", "pretrain": "pretrain"}  # LRS2's: set -> folder it is of
WORDS = "WORD START END"  # the line above words with their times


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What is said in a film."""

    text: str  # as it is written there
    confidence: str = ""  # as it is written there
    film: str = ""  # by which YouTube knows the film that the clip is from
    words: tuple[Interval, ...] = ()  # s from the film's beginning, where the text tells


def transcribed(root: Path) -> list[tuple[Path, Listed, Transcript]]:
    """The films of a tree that have a text beside them, by name, each with its set, its `id` as speaker, and the text.

    Sets are the folders, or what lists beside them say (`train.txt`, `val.txt`, `test.txt`: a line `{id}/{clip}` each).

    Raises:
        UsageError: there is no such film, or a text is none of these.
    """
    films = [it for it in sorted(files_in(root)) if is_film(it) and it.with_suffix(".txt").is_file()]
    if not films:
        raise UsageError(
            f"no film with a text beside it in '{root}': expected main/ID/00001.mp4 with main/ID/00001.txt"
        )
    sets = dict(_listed(root))
    found = []
    for film in films:
        place = film.relative_to(root)
        folder, id = place.parts[0], place.parts[-2] if len(place.parts) > 1 else ""
        split = sets.get((folder, id, film.stem), "" if folder == "main" or len(place.parts) < 3 else folder)
        listed = Listed(NAME, readable(place.as_posix()), readable(id), readable(split))
        found.append((film, listed, read_transcript(film.with_suffix(".txt"))))
    return found


def listing(root: Path) -> list[tuple[Path, Listed]]:
    """The same without the texts.

    Raises:
        UsageError: as of `transcribed`.
    """
    return [(film, listed) for film, listed, _ in transcribed(root)]


def read_transcript(path: Path) -> Transcript:
    """What a text beside a film tells: LRS2's, LRS3's, or one that holds nothing but what is said.

    Raises:
        UsageError: it cannot be read, or a word has no times.
    """
    lines = _lines(path)
    if not lines or not lines[0].startswith("Text:"):
        return Transcript(text=" ".join(" ".join(lines).split()))
    told = {name.strip(): value.strip() for name, colon, value in (it.partition(":") for it in lines) if colon}
    first = next((number for number, line in enumerate(lines, 1) if line.startswith(WORDS)), len(lines))
    words = tuple(
        _word(line, f"'{path}', line {number}") for number, line in enumerate(lines[first:], first + 1) if line.strip()
    )
    return Transcript(text=told["Text"], confidence=told.get("Conf", ""), film=told.get("Ref", ""), words=words)


def write_transcript(stored: StoredRecording, told: Transcript) -> None:
    """Write down what is said in a recording, in place of what was told before."""
    write_if_new(stored.folder / TRANSCRIPT, as_json(told))


def transcript_of(stored: StoredRecording) -> Transcript | None:
    """What is said in a recording; None if no corpus tells."""
    path = stored.file(TRANSCRIPT)
    return msgspec.json.decode(path.read_bytes(), type=Transcript) if path.exists() else None


def _word(line: str, where: str) -> Interval:
    word, *numbers = line.split()
    try:
        start, stop = map(float, numbers[:2])
    except ValueError:
        raise UsageError(f"{where}: '{line}' is no word with its start and end, as HELLO 0.11 0.23") from None
    return Interval(start, stop, word)


def _listed(root: Path) -> Iterator[tuple[tuple[str, str, str], str]]:
    """Which set a film is in, by folder, id and name, where lists beside the folders say."""
    for name, folder in LISTS.items():
        path = root / f"{name}.txt"
        for line in _lines(path) if path.is_file() else ():
            place: Sequence[str] = (line.split() or [""])[0].split("/")  # LRS2's test list has a second word
            if len(place) == 2:
                yield (folder, place[0], place[1]), name


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the text '{path}' cannot be read: {error}") from None
