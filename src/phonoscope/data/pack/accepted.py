"""Rows of AnnoTheia's tables, as its window for reviewing leaves them: which stretches of speech people want to keep.

Source: https://github.com/joactr/AnnoTheia, whose columns these are.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from phonoscope.core.errors import UsageError
from phonoscope.core.time import Span

NEEDED = ("video", "sample_start", "sample_end", "speaker")  # `transcription` may lack; the others are not looked at


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the file."""

    line: int  # of the file, from 1, that it begins in
    video: str
    start: str  # s from the start of the film
    stop: str  # s
    speaker: str
    text: str

    @property
    def name(self) -> str:
        """What it is called where it is told of."""
        return f"line {self.line}"

    def stretch(self, fps: Fraction) -> tuple[int, Span]:
        """The track, and the frames whose edges are nearest to the row's times.

        Raises:
            UsageError: a cell is no number, or no frame lies between the times.
        """
        track, start_s, stop_s = (_number(*it) for it in (("speaker", self.speaker), *self._times))
        if track.denominator != 1:
            raise UsageError(f"speaker must be the number of a track, got '{self.speaker}'")
        start, stop = round(start_s * fps), round(stop_s * fps)
        if not 0 <= start < stop:
            raise UsageError(f"no frame lies between {self.start} and {self.stop} s")
        return int(track), Span(start, stop)

    @property
    def _times(self) -> tuple[tuple[str, str], tuple[str, str]]:
        return ("sample_start", self.start), ("sample_end", self.stop)


def read_rows(path: Path) -> tuple[Row, ...]:
    """The rows of a table of AnnoTheia, or of the `_annotated.csv` or `_saved.csv` that its window makes of one.

    Columns go by their names: one too many, as an index, or one too few, as `scene_path`, does no harm.

    Raises:
        UsageError: there is no such file, or it is no such table.
    """
    try:
        about = path.stat()
    except OSError:
        raise UsageError(f"there is no file '{path}': give a table of `pack --as annotheia`, or what was made of it")
    return _read(path, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=1)
def _read(path: Path, _changed: int, _bytes: int) -> tuple[Row, ...]:
    """Read once for all recordings, and again if the file has changed."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            if lacking := [name for name in NEEDED if name not in (table.fieldnames or ())]:
                raise UsageError(f"'{path}' is no table of AnnoTheia: it has no column {', '.join(lacking)}")
            rows, line = [], table.line_num + 1
            for cells in table:
                rows.append(_row(line, cells))
                line = table.line_num + 1
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"'{path}' cannot be read: {' '.join(str(error).split())}") from None
    return tuple(rows)


def _row(line: int, cells: Mapping[str, str | None]) -> Row:
    video, start, stop, speaker, text = (cells.get(name) or "" for name in (*NEEDED, "transcription"))
    return Row(line, video, start, stop, speaker, text)


def _number(name: str, cell: str) -> Fraction:
    try:
        return Fraction(cell)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"{name} must be a number, got '{cell}'") from None
