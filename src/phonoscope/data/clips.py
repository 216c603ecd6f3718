"""Files of clips, a row a clip: Parquet, which says itself how it was selected, or CSV."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from phonoscope.core.clips import Clip
from phonoscope.core.errors import UsageError
from phonoscope.core.time import Span
from phonoscope.data.columns import ALWAYS
from phonoscope.store.files import whole_file
from phonoscope.store.selections import Selection

if TYPE_CHECKING:
    import pyarrow as pa

NEEDED = ("recording", "track", "start_frame", "stop_frame")


def check_place(path: Path, store: Path) -> None:
    """Nothing, if clips of `store` may be written to `path`: a new file, or one of clips, which is then replaced.

    Raises:
        UsageError: the suffix is neither .parquet nor .csv, there is no such folder, it is the store's own, or the file
            holds something else.
    """
    if path.suffix not in (".parquet", ".csv"):
        raise UsageError(f"clips are written to .parquet or .csv, not to '{path}'")
    if not path.parent.is_dir():
        raise UsageError(f"'{path}' cannot be written: there is no folder '{path.parent}'")
    place, root = path.resolve(), store.resolve()
    if place == root / "index.parquet" or root / "recordings" in place.parents:
        raise UsageError(f"'{path}' is a place where the store keeps its own: write clips beside it")
    if path.exists() and not _holds_clips(path):
        raise UsageError(f"'{path}' is there and holds no clips: give another name, or move it away")


def write_clips(path: Path, table: "pa.Table", selection: Selection) -> None:
    """A file of clips, whole or not at all; of Parquet the metadata hold `selection`: the query and its funnel."""
    import pyarrow.csv
    import pyarrow.parquet as pq

    with whole_file(path) as part:
        if path.suffix == ".csv":
            pyarrow.csv.write_csv(table, part)
        else:
            about = {"phonoscope": "clips", "selection": msgspec.json.encode(selection).decode()}
            pq.write_table(table.replace_schema_metadata(about), part, compression="zstd")


def read_clips(path: Path | str) -> tuple[Clip, ...]:
    """The clips of a file, in its order; any table will do that has recording, track, start_frame and stop_frame.

    Raises:
        UsageError: there is no such file, it is no such table, or has a row that is no clip.
    """
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    path = Path(path)
    if not path.is_file():
        raise UsageError(f"there is no file '{path}' with clips: `phonoscope select STORE --to {path}` writes one")
    try:
        table = pyarrow.csv.read_csv(path) if path.suffix == ".csv" else pq.read_table(path)
    except pa.ArrowException as error:
        raise UsageError(f"'{path}' cannot be read: {' '.join(str(error).split())}") from None
    if lacking := [name for name in NEEDED if name not in table.column_names]:
        raise UsageError(f"'{path}' holds no clips: it has no column {', '.join(lacking)}")
    return clips_of(table)


def clips_of(table: "pa.Table") -> tuple[Clip, ...]:
    """A clip a row, of recording, track, start_frame and stop_frame.

    Raises:
        UsageError: one of the last three is no whole number.
    """
    return tuple(_clip(row) for row in table.select(list(NEEDED)).to_pylist())


def _clip(row: dict[str, Any]) -> Clip:
    track, start, stop = (_whole(name, row[name]) for name in NEEDED[1:])
    return Clip(f"{row['recording']}-{track}-{start}", row["recording"], Span(start, stop), (track,))


def _whole(name: str, value: Any) -> int:
    """A whole number, also where a program that knows no others has made 3.0 of it."""
    if not isinstance(value, int | float) or value % 1:
        raise UsageError(f"{name} of a clip is a whole number, not {value!r}")
    return int(value)


def _holds_clips(path: Path) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if path.suffix == ".csv":
            with path.open(newline="", encoding="utf-8") as file:
                return next(csv.reader(file), [])[:3] == list(ALWAYS[:3])
        return (pq.read_schema(path).metadata or {}).get(b"phonoscope") == b"clips"
    except (pa.ArrowException, UnicodeDecodeError, csv.Error):
        return False
