"""Csv files of AVA-ActiveSpeaker, read: the official one without a header, those with one, TalkNet's `_orig`."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.corpora.ava.faults import EMPTY, Part, check, check_header, explain, opened
from phonoscope.corpora.ava.rows import BOX, LABEL, LABELS, OFFICIAL, ORIG, AvaRows, join

if TYPE_CHECKING:
    import pyarrow as pa

LAYOUTS = {8: OFFICIAL, 9: (*OFFICIAL, "score"), 10: ORIG, 11: (*ORIG, "score")}  # of files without a header
TEXTS = ("video_id", LABEL, "entity_id", "instance_id")
BLOCK_BYTES = 1 << 21
PARTS = "*-activespeaker.csv"  # AVA's own archives hold a file a video


def read_ava(given: Path | str | Iterable[Path | str]) -> AvaRows:
    """All rows of a csv, of several, or of a folder of AVA's `{video}-activespeaker.csv`; also of `.csv.gz`.

    Without a header, columns go by their number: 8 as AVA has them, 9 with a score, 10 with label_id and instance_id.
    With one, they go by name, in any order, and those of other names are passed over. Rows keep their order.

    Raises:
        UsageError: there is no such file, columns are wanting or shifted, a label is none of AVA's, a box lies outside
            the picture, time stamps are mixed, or a face has two rows at one time.
    """
    paths = [path for it in ([given] if isinstance(given, Path | str) else given) for path in _files(Path(it))]
    if not paths:
        raise UsageError("no table of AVA's given: name a .csv, a .csv.gz or a folder of them")
    parts = [_read(path) for path in paths]
    rows = join([part.rows for part in parts])
    check(rows, parts)
    return rows


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UsageError(f"there is no file '{path}': give a csv of AVA's, or a folder of {PARTS}")
    if not (found := sorted([*path.glob(PARTS), *path.glob(PARTS + ".gz")])):
        raise UsageError(f"the folder '{path}' holds no {PARTS}: name the csv in it that you mean")
    return found


def _read(path: Path) -> Part:
    import pyarrow as pa
    import pyarrow.csv

    names, header = _columns(path)
    # who predicts sets every label, and leaves label_id and instance_id as they were
    wanted = [name for name in ((*OFFICIAL, "score") if "score" in names else ORIG) if name in names]
    text = pa.dictionary(pa.int32(), pa.string())
    try:
        table = pyarrow.csv.read_csv(
            path,
            pyarrow.csv.ReadOptions(
                use_threads=pa.cpu_count() > 1,  # else in the caller's, or files read at once would queue for that one
                block_size=BLOCK_BYTES,
                skip_rows=header,
                column_names=names,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={name: text if name in TEXTS else pa.float64() for name in wanted},
                include_columns=wanted,
                null_values=EMPTY,
            ),
        )
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        explain(path, names, header)
        raise UsageError(f"'{path}' cannot be read: {' '.join(str(error).split())}") from None
    rows = _rows(table)
    if rows is None:
        explain(path, names, header)
        raise UsageError(f"'{path}' holds cells that cannot be understood")
    return Part(path, header, rows)


def _columns(path: Path) -> tuple[list[str], int]:
    """The names of a file's columns, and how many lines of header there are."""
    try:
        with opened(path) as file:
            first = [cell.strip() for cell in next(csv.reader(file), [""])]
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"'{path}' cannot be read as a csv: {error}") from None
    if first in ([], [""]):
        raise UsageError(f"'{path}' is empty, or begins with an empty line: expected rows of {', '.join(OFFICIAL)}")
    if set(first) & set(OFFICIAL):
        check_header(path, first)
        return first, 1
    if len(first) not in LAYOUTS:
        what = "its columns are set apart by tabs: read_loader reads TalkNet's loader lists" if "\t" in first[0] else ""
        what = what or f"expected {' or '.join(map(str, LAYOUTS))}: {', '.join(OFFICIAL)}, score"
        raise UsageError(f"'{path}' has no header and {len(first)} columns; {what}")
    return [*LAYOUTS[len(first)]], 0


def _rows(table: "pa.Table") -> AvaRows | None:
    """A table as rows; None if one of its cells is empty or says what it must not."""
    video, entity, label = (_coded(table, name) for name in ("video_id", "entity_id", LABEL))
    time_s, box = _numbers(table, ("frame_timestamp",))[0], _numbers(table, BOX).T
    holes = any(np.any(codes < 0) for codes, _ in (video, entity, label))
    if holes or not set(label[1]) <= set(LABELS) or not np.isfinite(time_s).all() or not np.isfinite(box).all():
        return None
    ids = np.array([LABELS.index(name) for name in label[1]], np.int8)
    there = table.column_names
    rows = AvaRows(
        videos=video[1],
        entities=entity[1],
        video=video[0],
        entity=entity[0],
        time_s=time_s,
        box=box,
        label=ids[label[0]],
        score=_numbers(table, ("score",))[0] if "score" in there else None,
        instance=_counters(*_coded(table, "instance_id")) if "instance_id" in there else None,
    )
    agree = "label_id" not in there or np.all(table["label_id"].to_numpy() == rows.label)
    return rows if agree else None


def _numbers(table: "pa.Table", names: Sequence[str]) -> np.ndarray:
    """Columns of numbers, (len(names), N) float64, NaN where a cell is empty."""
    numbers = np.empty((len(names), len(table)))
    for row, name in zip(numbers, names, strict=True):
        np.concatenate([chunk.to_numpy(zero_copy_only=False) for chunk in table[name].chunks], out=row)
    return numbers


def _coded(table: "pa.Table", name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """A column of text: the number of each row's word, (N,) int32, -1 where the cell is empty, and the words."""
    whole = table[name].unify_dictionaries().combine_chunks()
    words = tuple(whole.dictionary.to_pylist())
    indices = whole.indices.fill_null(-1) if whole.indices.null_count else whole.indices
    codes = indices.to_numpy()
    if "" in words:
        codes = np.where(codes == words.index(""), np.int32(-1), codes)
    return codes, words


def _counters(codes: np.ndarray, words: tuple[str, ...]) -> np.ndarray | None:
    """What stands behind the last colon of each instance_id, (N,) int32; None if some are no numbers."""
    ends = [word.rpartition(":")[2] for word in words]
    if not all(end.isdecimal() for end in ends) or np.any(codes < 0):
        return None
    return np.array([*map(int, ends)], np.int32)[codes] if ends else np.empty(0, np.int32)
