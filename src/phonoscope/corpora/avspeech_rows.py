"""AVSpeech's csv: a row a piece of a film, which has its number, counted from 0 without the header, as its lasting id.

Source: Ephrat et al., "Looking to Listen at the Cocktail Party", SIGGRAPH 2018.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from math import isfinite
from pathlib import Path

from phonoscope.core.errors import UsageError
from phonoscope.core.media import Recording
from phonoscope.core.time import Span
from phonoscope.corpora.wanted import Piece, Wanted, joined, youtube

COLUMNS: Mapping[str, tuple[str, ...]] = {  # what a header may call them; without one they are in this order
    "video": ("link", "id", "youtube_id", "yt_id", "video_id", "video"),
    "start_s": ("start_time", "start", "start_s", "start_segment"),
    "stop_s": ("end_time", "end", "stop", "stop_s", "end_segment"),
    "x": ("pos_x", "x_coord", "x", "x_coordinate"),
    "y": ("pos_y", "y_coord", "y", "y_coordinate"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A piece of a film."""

    row: int  # its number in the catalogue
    video: str  # YouTube's id
    start_s: float
    stop_s: float
    x: float  # of the middle of the face, as part of the picture's width
    y: float  # as part of its height

    def span(self, recording: Recording) -> Span | None:
        """Its frames of a recording; None if they lie beyond its end."""
        start, stop = (round(Fraction(at) * recording.fps) for at in (self.start_s, self.stop_s))
        return Span(start, max(stop, start + 1)) & recording.span


def read_catalogue(path: Path, first: int = 0, last: int | None = None) -> list[Row]:
    """The rows [first, last) of a csv with or without a header, which may call and order its columns as it likes.

    Raises:
        UsageError: there is no such file, its header lacks a column, or a row makes no sense.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = filter(None, csv.reader(file))
            head = next(lines, None)
            if head is None:
                raise UsageError(f"'{path}' is empty: expected AVSpeech's rows id,start,end,x,y")
            places, named = _header(path, head)
            rows = enumerate(lines if named else chain([head], lines))
            return [_row(path, number, row, places) for number, row in islice(rows, first, last)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"the catalogue '{path}' cannot be read: {error}") from None


def wanted(path: Path, first: int = 0, last: int | None = None) -> list[Wanted]:
    """The films of the rows [first, last), of which each row's piece is to be called by its number, as seed 000 has it.

    Raises:
        UsageError: as of `read_catalogue`.
    """
    return joined(
        Wanted(
            url=youtube(row.video),
            name=row.video,
            pieces=(Piece(name=str(row.row), start_s=row.start_s, stop_s=row.stop_s),),
            speaker=row.video,
        )
        for row in read_catalogue(path, first, last)
    )


def _header(path: Path, head: list[str]) -> tuple[dict[str, int], bool]:
    """Where the columns are, and whether the first line is a header."""
    if len(head) == len(COLUMNS) and all(map(_is_number, head[1:])):
        return {name: place for place, name in enumerate(COLUMNS)}, False
    named = [name.strip().lower().replace(" ", "_") for name in head]
    places = {name: next((named.index(it) for it in called if it in named), -1) for name, called in COLUMNS.items()}
    if lacking := [COLUMNS[name][0] for name, place in places.items() if place < 0]:
        raise UsageError(f"'{path}' has no column '{lacking[0]}', only {', '.join(head)}: expected id,start,end,x,y")
    return places, True


def _row(path: Path, number: int, row: list[str], places: Mapping[str, int]) -> Row:
    where = f"'{path}', row {number}: "
    if len(row) <= max(places.values()):
        raise UsageError(f"{where}'{','.join(row)}' has {len(row)} columns: expected id,start,end,x,y")
    told = {name: row[place].strip() for name, place in places.items()}
    wrong = next((told[name] for name in COLUMNS if name != "video" and not _is_number(told[name])), None)
    if wrong is not None or not told["video"]:
        raise UsageError(f"{where}'{wrong or ''}' is no {'number' if told['video'] else 'id'}")
    start_s, stop_s, x, y = (float(told[name]) for name in ("start_s", "stop_s", "x", "y"))
    if not 0 <= start_s < stop_s:
        raise UsageError(f"{where}from {start_s:g} to {stop_s:g} s is no span")
    return Row(row=number, video=told["video"], start_s=start_s, stop_s=stop_s, x=x, y=y)


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False
