"""AVSpeech's catalogue: pieces of films in which nobody is heard but one person who is seen, and where the face is.

What its rows tell of a film lies in the film's folder as `catalogue.json`, beside `listed.json`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError, readable
from phonoscope.corpora.avspeech_rows import Row, read_catalogue
from phonoscope.corpora.folder import files_in, is_film
from phonoscope.store.files import as_json, write_if_new
from phonoscope.store.recording import StoredRecording

NAME = "avspeech"
ROWS = "catalogue.json"


def catalogued(root: Path, first: int = 0, last: int | None = None) -> list[tuple[Path, Listed, tuple[Row, ...]]]:
    """The films that lie beside a catalogue, each with those of its rows [first, last) that tell of it.

    A film is whole, `ID.mp4`, or cut to its row: `{row}.mp4`, `ID_{start}-{stop}.mp4`; times are those of the file.
    Rows without a film are passed over. All rows of a film are one speaker, since nobody tells who they are. What a
    catalogue of tests lists is of the set "test"; others are in none, so that they are shared out.

    Args:
        root: the csv, or a folder with one csv in it; films lie beside it, or in folders there.

    Raises:
        UsageError: there is no catalogue, there are several, or none of its rows has a film.
    """
    path = _csv_in(root)
    split = "test" if "test" in path.stem.lower() else ""
    films = {film.stem: film for film in sorted(files_in(path.parent)) if is_film(film)}
    told: dict[Path, list[Row]] = {}
    for row in read_catalogue(path, first, last):
        pieces = (str(row.row), f"{row.video}_{row.start_s:g}-{row.stop_s:g}")
        if film := next((films[it] for it in pieces if it in films), None):
            told.setdefault(film, []).append(replace(row, start_s=0.0, stop_s=row.stop_s - row.start_s))
        elif film := films.get(row.video):
            told.setdefault(film, []).append(row)
    if not told:
        raise UsageError(f"no film beside '{path}' is of its rows: they are called ID.mp4 or ROW.mp4, as 0.mp4")
    return [
        (film, Listed(NAME, readable(film.relative_to(path.parent).as_posix()), rows[0].video, split), tuple(rows))
        for film, rows in told.items()
    ]


def listing(root: Path) -> list[tuple[Path, Listed]]:
    """The same without the rows.

    Raises:
        UsageError: as of `catalogued`.
    """
    return [(film, listed) for film, listed, _ in catalogued(root)]


def rows_of(stored: StoredRecording) -> tuple[Row, ...]:
    """What the catalogue tells of a recording; nothing if no catalogue knows it."""
    path = stored.file(ROWS)
    return msgspec.json.decode(path.read_bytes(), type=tuple[Row, ...]) if path.exists() else ()


def write_rows(stored: StoredRecording, rows: Sequence[Row]) -> None:
    """Write down what the catalogue tells of a recording, in place of what it told before."""
    write_if_new(stored.folder / ROWS, as_json(tuple(rows)))


def write_valid(path: Path, shares: Mapping[int, float], max_missing: float = 0.0) -> None:
    """`valid_frame.txt`: a line `frame_{row}` a row of which at most that share of frames lacks the right face.

    By 0 it is the list of seed 000. It is written whole; one that says so already is not touched.
    """
    valid = sorted(row for row, share in shares.items() if 1 - share <= max_missing + 1e-9)
    write_if_new(path, "".join(f"frame_{row}\n" for row in valid).encode())


def read_valid(path: Path) -> frozenset[int]:
    """The rows that a `valid_frame.txt` lists.

    Raises:
        UsageError: there is no such file, or it lists something else.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the list '{path}' cannot be read: {error}") from None
    found = [re.fullmatch(r"frame_(\d+)", line) for line in lines]
    if None in found:
        raise UsageError(f"'{path}' lists '{lines[found.index(None)]}': expected lines frame_0, frame_1 and so on")
    return frozenset(int(it[1]) for it in found if it)


def _csv_in(root: Path) -> Path:
    if root.suffix.lower() == ".csv" and root.is_file():
        return root
    found = sorted(root.glob("*.csv")) if root.is_dir() else []
    if len(found) != 1:
        what = f"{len(found)} csv files" if found else "no csv file"
        raise UsageError(f"'{root}' has {what}: name AVSpeech's catalogue itself, as films/avspeech_train.csv")
    return found[0]
