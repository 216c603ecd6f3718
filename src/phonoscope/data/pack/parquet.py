"""The layout of Parquet: a row a clip, what is told of it and all of its numbers in columns."""

from collections.abc import Iterable
from pathlib import Path

from phonoscope.data.pack.clip_tables import write_rows
from phonoscope.data.pack.members import FILM, SOUND
from phonoscope.data.pack.shards import ClipFiles, ShardKind

COLUMNS = {SOUND: "wav", FILM: "mp4"}  # the bytes of files


def write_parquet(path: Path, clips: Iterable[ClipFiles]) -> None:
    """A Parquet file with a row a clip."""
    write_rows(path, clips, COLUMNS, structs=False, about={"phonoscope": "packed-clips"})


PARQUET = ShardKind("parquet", 1, "%s.parquet", write_parquet)
