"""Action units that OpenFace has measured: its csv as a series, a row a frame."""

import csv
import re
from fractions import Fraction
from pathlib import Path

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.series import Series

UNIT = re.compile(r"AU\d\d_[rc]")  # AU01_r: intensity, 0 to 5; AU01_c: presence, 0 or 1
LONGEST = 10**8  # frames; a greater number is a slip, and there would be no memory for it


def read_action_units(path: Path | str, fps: Fraction, face_id: int = 0) -> tuple[Series, tuple[str, ...]]:
    """Action units (T, 35) float32, row k for frame k, and the names of the columns: AU01_r … AU45_r, AU01_c … AU45_c.

    T is the last frame of the file, which counts from 1; names and numbers may have blanks before them. Rows of frames
    that the file leaves out, or in which no face was found (`success` is 0), are NaN.

    Args:
        fps: frames a second of the film that was measured; OpenFace's own timestamps are not trusted.
        face_id: which face, where the file tells several apart.

    Raises:
        UsageError: the file has no frames or no action units, a cell is no number, or a frame has two rows.
    """
    head, rows = _table(path)
    names = tuple(name for name in head if UNIT.fullmatch(name))
    if "frame" not in head or not names:
        raise UsageError(f"'{path}' is no table of OpenFace's: it needs the columns frame, AU01_r, …")
    found: dict[int, list[float]] = {}
    for line, cells in rows:
        row = dict(zip(head, cells, strict=True))
        if row.get("face_id", face_id) != face_id:
            continue
        frame = row["frame"]
        if not 1 <= frame <= LONGEST or frame % 1 or frame in found:
            why = "has had its row" if frame in found else "is none: they count from 1"
            raise UsageError(f"'{path}', line {line}: frame {frame:g} {why}")
        seen = row.get("success", 1) != 0
        found[int(frame)] = [row[name] if seen else np.nan for name in names]
    values = np.full((max(found, default=0), len(names)), np.nan, np.float32)
    for frame, units in found.items():
        values[frame - 1] = units
    return Series(values, fps, 1 / (2 * fps)), names


def _table(path: Path | str) -> tuple[list[str], list[tuple[int, list[float]]]]:
    """The names of the columns, and each row that is not empty with the number of its line."""
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            head, *rows = list(csv.reader(file, skipinitialspace=True)) or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"cannot read action units from '{path}': {error}") from None
    numbers = []
    for line, row in enumerate(rows, 2):
        if row and len(row) != len(head):
            raise UsageError(f"'{path}', line {line} has {len(row)} cells, the first line {len(head)}")
        try:
            numbers += [(line, [float(cell) for cell in row])] if row else []
        except ValueError as error:
            raise UsageError(f"'{path}', line {line}: {error}") from None
    return [name.strip() for name in head], numbers
