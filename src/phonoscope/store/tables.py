"""Tables as Parquet files: one row an instant, columns named as docs say; the metadata says what is held."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from phonoscope.core.faces import Faces, Track, Tracks, TrackTable
from phonoscope.core.geometry import Crop, Crops
from phonoscope.core.media import Clock

BOX = ("x0", "y0", "x1", "y1")
MATRIX = ("m00", "m01", "m02", "m10", "m11", "m12")


def _write_table(path: Path, kind: str, columns: Mapping[str, np.ndarray], **more: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def column(values: np.ndarray) -> pa.Array:
        if values.dtype.kind == "U":
            return pa.array(values.tolist(), pa.string())
        if values.ndim == 1:
            return pa.array(values)
        flat = pa.array(np.ascontiguousarray(values).reshape(-1))
        return pa.FixedSizeListArray.from_arrays(flat, int(np.prod(values.shape[1:])))

    table = pa.table({name: column(np.asarray(values)) for name, values in columns.items()})
    pq.write_table(table.replace_schema_metadata({"phonoscope": kind, **more}), path, compression="zstd")


def _columns(prefix: tuple[str, ...], values: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(prefix, values.T, strict=True))


def write_clock(path: Path, clock: Clock) -> None:
    """`clock.parquet`: frame, pts (source time in units of `time_base`, which stands in the metadata)."""
    columns = {"frame": np.arange(len(clock), dtype=np.int32), "pts": clock.pts.astype(np.int64)}
    _write_table(path, "clock", columns, time_base=str(clock.time_base))


def write_faces(path: Path, faces: Faces) -> None:
    """`faces.parquet`: frame, x0, y0, x1, y1, score, points (ten numbers: x and y of five points)."""
    box, rest = _columns(BOX, faces.box), {"score": faces.score, "points": faces.points.reshape(-1, 10)}
    _write_table(path, "faces", {"frame": faces.frame, **box, **rest})


def write_tracks(path: Path, tracks: Tracks) -> None:
    """`tracks.parquet`: track, frame, x0, y0, x1, y1, score (NaN where interpolated), observed."""
    rows = [
        {
            "track": np.full(len(t), t.id, np.int32),
            "frame": np.arange(t.start, t.start + len(t), dtype=np.int32),
            **_columns(BOX, t.box),
            "score": t.score,
            "observed": t.observed,
        }
        for t in tracks
    ]
    empty = {"track": np.int32, "frame": np.int32, **dict.fromkeys((*BOX, "score"), np.float32), "observed": np.bool_}
    _write_table(path, "tracks", _stacked(rows, empty))


def write_crops(path: Path, crops: Crops) -> None:
    """`crops.parquet`: track, frame, m00 … m12 (source px -> crop px); policy and size stand in the metadata."""
    rows = [
        {
            "track": np.full(len(c), c.track, np.int32),
            "frame": np.arange(c.start, c.start + len(c), dtype=np.int32),
            **_columns(MATRIX, c.matrix.reshape(-1, 6)),
        }
        for c in crops.crops
    ]
    first = {"policy": crops.crops[0].policy, "size": "x".join(map(str, crops.crops[0].size))} if crops.crops else {}
    empty = {"track": np.int32, "frame": np.int32, **dict.fromkeys(MATRIX, np.float64)}
    _write_table(path, "crops", _stacked(rows, empty), **first)


def write_track_table(path: Path, table: TrackTable) -> None:
    """`<name>.parquet`: track, frame, then the named columns."""
    _write_table(path, "track-table", {"track": table.track, "frame": table.frame, **table.columns})


def _stacked(rows: list[dict[str, np.ndarray]], empty: Mapping[str, type]) -> dict[str, np.ndarray]:
    if not rows:
        return {name: np.empty(0, kind) for name, kind in empty.items()}
    return {name: np.concatenate([row[name] for row in rows]) for name in empty}


def read_table(path: Path) -> Any:
    """Whatever a Parquet file of ours holds, as its own type.

    Raises:
        ValueError: the file does not say that it is one of ours.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    about = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
    kind = about.get("phonoscope", "")
    if kind not in _TABLES:
        raise ValueError(f"{path} holds '{kind or 'nothing that it names'}', expected one of {', '.join(_TABLES)}")

    def column(name: str) -> np.ndarray:
        values = table.column(name).combine_chunks()
        if pa.types.is_string(values.type):
            return np.array(values.to_pylist(), np.str_)
        return (values.flatten() if name == "points" else values).to_numpy(zero_copy_only=False)

    return _TABLES[kind]({name: column(name) for name in table.column_names}, about)


def _tracks(columns: dict[str, np.ndarray], about: dict[str, str]) -> Tracks:
    found = []
    for rows in _runs(columns["track"]):
        box = np.stack([columns[name][rows] for name in BOX], 1)
        start, id = int(columns["frame"][rows.start]), int(columns["track"][rows.start])
        found.append(Track(id, start, box, columns["score"][rows], columns["observed"][rows]))
    return Tracks(tuple(found))


def _crops(columns: dict[str, np.ndarray], about: dict[str, str]) -> Crops:
    found = []
    for rows in _runs(columns["track"]):
        matrix = np.stack([columns[name][rows] for name in MATRIX], 1).reshape(-1, 2, 3)
        height, width = map(int, about["size"].split("x"))
        start, track = int(columns["frame"][rows.start]), int(columns["track"][rows.start])
        found.append(Crop(track, start, matrix, (height, width), about["policy"]))
    return Crops(tuple(found))


def _runs(ids: np.ndarray) -> list[slice]:
    edges = [0, *(np.flatnonzero(np.diff(ids)) + 1).tolist(), len(ids)] if len(ids) else []
    return [slice(a, b) for a, b in pairwise(edges)]


_TABLES: dict[str, Callable[[dict[str, np.ndarray], dict[str, str]], Any]] = {
    "clock": lambda c, about: Clock(c["pts"], Fraction(about["time_base"])),
    "faces": lambda c, about: Faces(
        c["frame"], np.stack([c[name] for name in BOX], 1), c["score"], c["points"].reshape(-1, 5, 2)
    ),
    "tracks": _tracks,
    "crops": _crops,
    "track-table": lambda c, about: TrackTable(
        c["track"], c["frame"], {name: c[name] for name in c if name not in ("track", "frame")}
    ),
}
