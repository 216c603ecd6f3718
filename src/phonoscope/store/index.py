"""`index.parquet`: a row a recording, so that nobody has to open them all to know which there are."""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from phonoscope.core.errors import PhonoscopeError
from phonoscope.store.files import whole_file
from phonoscope.store.mirror import COMMIT, Mirror
from phonoscope.store.shared import bucket_of, latest

FILE = "index.parquet"
GROUP = 1000  # rows that are written at a time


class NoIndex(PhonoscopeError):
    """There is no index, or it is cut off, or is none of ours."""


def read_columns(path: Path, only: Sequence[str] = ()) -> dict[str, list[Any]]:
    """The columns of an index, by name.

    Args:
        only: these; by default all.

    Raises:
        NoIndex: it is none.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            if not file.schema_arrow.equals(schema()):
                raise NoIndex(f"{path} is no index of a store")
            return file.read(columns=list(only) or None).to_pydict()
    except (pa.ArrowException, OSError) as error:
        raise NoIndex(f"{path}: {error}") from None


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """An index of these rows, which come sorted by id, whole; no more of them are held than go into one group."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    left = iter(rows)
    with whole_file(path) as part, pq.ParquetWriter(part, schema(), compression="zstd") as file:
        while group := [*islice(left, GROUP)]:
            file.write_table(pa.Table.from_pylist(group, schema=schema()))


def read_ids(root: Path) -> list[str]:
    """The recordings of a store in a bucket, sorted: those of its index, and of the others here those that stand.

    What another machine was told to forget is thereby forgotten here as well.
    """
    try:
        there = {*read_columns(latest(root, FILE))["id"]}
    except NoIndex:
        there = {*listed_ids(root)}
    here = {path.name for path in (root / "recordings").glob("[!.]*")}
    others = [Mirror(root, id) for id in here - there]
    for mirror in others:
        mirror.refresh()
    return sorted(there | {it.id for it in others if (it.folder / "recording.json").exists()})


def changed_here(root: Path) -> list[str]:
    """The recordings that were changed from this machine, of which no index written here has been told yet."""
    return sorted(path.stem for path in (root / ".seen").glob("*.new"))


def listed_ids(root: Path) -> list[str]:
    """The recordings of a store in a bucket by a listing of all its objects: dear, and needed only without an index."""
    bucket = bucket_of(root)
    names = bucket.below("recordings") if bucket else []
    return sorted({name.split("/")[1] for name in names if name.count("/") == 2 and name.endswith(f"/{COMMIT}")})


def schema() -> Any:
    """What an index's columns are."""
    import pyarrow as pa

    text, whole = pa.string(), pa.int64()
    return pa.schema(
        [
            ("id", text),
            ("source", text),
            ("sha256", text),
            ("bytes", whole),
            ("mtime_ns", whole),
            ("duration_s", pa.float64()),
            ("fps", text),
            ("num_frames", whole),
            ("width", whole),
            ("height", whole),
            ("sample_rate", whole),
            ("artifacts", pa.list_(text)),
        ]
    )
