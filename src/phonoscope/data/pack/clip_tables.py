"""Clips as rows of Parquet: what is told of them, their sound and film as bytes, arrays as lists of numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from phonoscope.data.pack.about import About
from phonoscope.data.pack.members import FILM, LANDMARKS, SERIES, SOUND
from phonoscope.data.pack.shards import ClipFiles

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 16  # clips a row group: what a reader has in memory at a time
BYTES = (SOUND, FILM)
ARRAYS = {ending: ending.removesuffix(".npy") for ending in (*SERIES, LANDMARKS)}  # ending -> column


def write_rows(
    path: Path, clips: Iterable[ClipFiles], names: Mapping[str, str], structs: bool, about: Mapping[str, str]
) -> None:
    """A Parquet file with a row a clip; the same clips give the same bytes.

    Args:
        names: ending of a file, of `BYTES` -> its column.
        structs: whether files are {bytes, path}, as Hugging Face has them, or bytes alone.
        about: what the schema's metadata say.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = schema_of(names, structs).with_metadata({**about})
    rows = (_row(clip, names, structs) for clip in clips)
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        while some := [*islice(rows, ROWS)]:
            file.write_table(pa.Table.from_pylist(some, schema=schema))


def schema_of(names: Mapping[str, str], structs: bool) -> "pa.Schema":
    """The columns: those of `About`, files, arrays."""
    import pyarrow as pa

    scalars = {"str": pa.string(), "int": pa.int64(), "float": pa.float64()}
    stretch = pa.struct({"start": pa.int64(), "stop": pa.int64(), "start_s": pa.float64(), "stop_s": pa.float64()})
    file = pa.struct({"bytes": pa.binary(), "path": pa.string()}) if structs else pa.binary()
    told = [(it.name, scalars.get(_kind(it.type), pa.list_(stretch))) for it in fields(About)]
    rows = pa.list_(pa.list_(pa.float32()))
    return pa.schema([*told, *((name, file) for name in names.values()), *((it, rows) for it in ARRAYS.values())])


def _kind(type_: Any) -> str:
    """The name of a type, without `| None`."""
    return getattr(type_, "__name__", "") or str(type_).partition(" | ")[0]


def _row(clip: ClipFiles, names: Mapping[str, str], structs: bool) -> dict[str, Any]:
    row: dict[str, Any] = asdict(clip.about)
    for ending, name in names.items():
        content = clip.files[ending].read_bytes() if ending in clip.files else None
        path = f"{clip.about.clip}.{ending}"
        row[name] = {"bytes": content, "path": path} if structs and content is not None else content
    for ending, name in ARRAYS.items():
        values = np.load(clip.files[ending], allow_pickle=False) if ending in clip.files else None
        row[name] = None if values is None else [*values.reshape(len(values), -1)]
    return row
