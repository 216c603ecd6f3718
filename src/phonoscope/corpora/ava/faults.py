"""What is wrong with a table of AVA's, in one line that names the file and the row."""

import csv
import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.corpora.ava.rows import BOX, LABEL, LABELS, NUMBERS, OFFICIAL, ORIG, TICKS, AvaRows

MARGIN = 0.25  # of the picture, by which a box may leave it where the face does
LATEST_S = 1e12  # s; later times do not fit into whole microseconds
LONGEST_GAP_S = 3600.0  # s, in one entity; AVA's excerpts last 15 min, so more means another unit
SLACK = 0.4  # of a frame, by which times that were rounded to hundredths are apart too little
ENOUGH = 20  # steps, before a frame's length is believed
MANY = 50_000  # steps of a table, enough to tell how long its videos' frames last
CLEAR = 0.9  # of a video's steps, that must be of that length
KNOWN = {*ORIG, "score"}
EMPTY = ["", "nan", "NaN", "NA", "null", "None"]  # how writers of csv say that there is no number


@dataclass(frozen=True)
class Part:
    """What was read from one file."""

    path: Path
    header: int  # lines
    rows: AvaRows


def opened(path: Path) -> IO[str]:
    """A csv, packed or not, as text."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")  # type: ignore[return-value]
    return path.open(encoding="utf-8-sig", newline="")


def check_header(path: Path, names: Sequence[str]) -> None:
    """Nothing, if a header names every column that is needed, once.

    Raises:
        UsageError: it does not.
    """
    if lacking := [name for name in OFFICIAL if name not in names]:
        raise UsageError(f"'{path}' has no column {', '.join(lacking)}: its header says {', '.join(names)}")
    if twice := sorted({name for name in names if name in KNOWN and names.count(name) > 1}):
        raise UsageError(f"'{path}' has the column {', '.join(twice)} twice")


def explain(path: Path, names: Sequence[str], header: int) -> None:
    """Nothing, if each cell of a csv holds what its column asks for; the slow way, for files that did not come through.

    Raises:
        UsageError: the first cell that does not, or there are none.
    """
    some = False
    try:
        with opened(path) as file:
            lines = csv.reader(file)
            for cells in islice(lines, header, None):
                some = some or bool(cells)
                if fault := _fault(cells, names):
                    raise UsageError(f"'{path}', line {lines.line_num}: {fault}")
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise UsageError(f"'{path}' cannot be read: {error}") from None
    if not some:
        raise UsageError(f"'{path}' has no rows")


def _fault(cells: list[str], names: Sequence[str]) -> str:
    """What is wrong in one row, or nothing."""
    if not cells:
        return ""
    if len(cells) != len(names):
        return f"{len(cells)} columns, the first row has {len(names)}"
    row = dict(zip(names, cells, strict=True))
    for name in NUMBERS:
        if row[name].strip() in LABELS:
            return f"the label {row[name]} stands where {name} belongs: are the columns shifted? {_expected()}"
        if not _is_number(row[name]):
            return f"{name} is no number: '{row[name]}'; {_expected()}"
    if row[LABEL] not in LABELS:
        shifted = _is_number(row[LABEL])
        return f"label '{row[LABEL]}' is none of {', '.join(LABELS)}" + (
            f": are the columns shifted? {_expected()}" if shifted else ""
        )
    if empty := [name for name in ("video_id", "entity_id") if not row[name]]:
        return f"{empty[0]} is empty"
    score, id_ = row.get("score"), LABELS.index(row[LABEL])
    if score is None and not _is_number(row.get("label_id", str(id_)), id_):
        return f"label_id is '{row['label_id']}', but {row[LABEL]} is {id_}"
    if score is not None and score not in EMPTY and not _is_number(score):
        return f"score is no number: '{score}'"
    return ""


def check(rows: AvaRows, parts: Sequence[Part]) -> None:
    """Nothing, if the rows of some files make sense: boxes in the picture, times in seconds, a face once at a time.

    Raises:
        UsageError: the first row that does not.
    """
    for fault in (_box_fault(rows), _time_fault(rows, parts)):
        if fault:
            row, what = fault
            raise UsageError(f"{_place(row, parts)}: {what}")


def _box_fault(rows: AvaRows) -> tuple[int, str] | None:
    """A row whose box is none, and why."""
    box = rows.box
    if box.min(initial=0) > -MARGIN and box.max(initial=1) < 1 + MARGIN and (box[:, 2:] >= box[:, :2]).all():
        return None
    inside = np.all((box > -MARGIN) & (box < 1 + MARGIN), 1)
    right = inside & np.all(box[:, 2:] >= box[:, :2], 1)
    row = int(right.argmin())
    given = ", ".join(f"{it:g}" for it in box[row])
    if not inside[row]:
        why = "they are parts of the picture's width and height; are these pixels, or are the columns shifted?"
        return row, f"a box from 0 to 1 was expected, got {given}: {why}"
    return row, f"the box {given} ends before it begins: the order is {', '.join(BOX)}"


def _time_fault(rows: AvaRows, parts: Sequence[Part]) -> tuple[int, str] | None:
    """A row whose time stamp cannot be, and why."""
    time_s = rows.time_s
    if not (time_s >= 0).all():
        row = int((~(time_s >= 0)).argmax())
        return row, f"the time stamp {time_s[row]:g} is before the video begins"
    if time_s.max(initial=0) > LATEST_S:
        return int(time_s.argmax()), f"the time stamp {time_s.max():g} is no number of seconds"
    order = np.arange(len(rows)) if rows.in_runs else rows.order
    video, tick = (it if rows.in_runs else it[order] for it in (rows.video, rows.tick))
    same = rows.goes_on if rows.in_runs else (np.diff(video) == 0) & (np.diff(rows.entity[order]) == 0)
    step = np.diff(tick)
    frame = _frames(video, step, same)
    least, most = np.maximum(np.ceil(frame * SLACK), 1).astype(np.int64), int(LONGEST_GAP_S * TICKS)
    some = np.flatnonzero(same & ((step < least.max()) | (step > most)))  # few, and looked at again video by video
    strange = some[(step[some] < least[video[some]]) | (step[some] > most)]
    if not len(strange):
        return None
    at = int(strange[0])
    early, late = order[at : at + 2].tolist()
    name = f"'{rows.entities[rows.entity[late]]}'"
    if step[at] == 0:
        first, again = sorted((early, late))
        return again, f"{name} at {time_s[again]:.6g} s has had its row: {_place(first, parts)}"
    if step[at] < frame[video[at]]:
        apart = f"at {time_s[early]:.6f} and at {time_s[late]:.6f}, less than a frame apart"
        return late, f"{name} is {apart}: time stamps of two kinds are mixed"
    return late, f"{name} is at {time_s[early]:g} and at {time_s[late]:g}: seconds and another unit are mixed"


def _frames(video: np.ndarray, step: np.ndarray, same: np.ndarray) -> np.ndarray:
    """How many ticks a frame of each video lasts, (V,) float64; 0 where that is not clear.

    Args:
        video: (N,) int32, of each row.
        step: (N - 1,) int64, from each row to the next.
        same: (N - 1,) bool, whether that is the same face.
    """
    some = np.flatnonzero(same)
    some = some[:: 1 + len(some) // MANY]
    some = some[np.argsort(video[some], kind="stable")]
    frame = np.zeros(video.max(initial=0) + 1)
    for steps in np.split(some, np.flatnonzero(np.diff(video[some])) + 1):
        usual = np.median(step[steps]) if len(steps) >= ENOUGH else 0
        if usual and np.mean(np.abs(step[steps] - usual) < (1 - SLACK) * usual) > CLEAR:
            frame[video[steps[0]]] = usual
    return frame


def _place(row: int, parts: Sequence[Part]) -> str:
    """The file and line of a row."""
    for part in parts:
        if row < len(part.rows):
            with opened(part.path) as file:
                lines = csv.reader(file)
                full = (lines.line_num for cells in lines if cells)
                return f"'{part.path}', line {next(islice(full, part.header + row, None))}"
        row -= len(part.rows)
    raise IndexError(row)


def _is_number(cell: str, value: float | None = None) -> bool:
    """Whether a cell holds a finite number, or just this one."""
    try:
        return bool(np.isfinite(float(cell))) and value in (None, float(cell))
    except ValueError:
        return False


def _expected() -> str:
    return f"expected {', '.join(OFFICIAL)}"
