"""What went wrong (`errors.jsonl`) and what there is (`index.parquet`), for the store as a whole.

Several processes may write to one store, on one machine or many: each takes its turn behind the lock file `.lock`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phonoscope.core.clips import Listed
from phonoscope.core.errors import RecordingFailed
from phonoscope.store.files import whole_file
from phonoscope.store.folder import Store
from phonoscope.store.lines import add_line, read_lines, replace_lines
from phonoscope.store.lock import alone
from phonoscope.store.uri import local_path

ERRORS = "errors.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a recording could not be worked on."""

    source: str  # URI, whole
    recording: str  # id; "" if the film never became a recording
    step: str  # what was being made
    reason: str  # a short type: "unreadable", "no-video", …
    message: str  # one line
    detail: str = ""  # the traceback, if it was our own fault
    listed: Listed | None = None  # how a corpus lists a film that could not be taken in


def read_failures(root: Path) -> list[Failure]:
    """Failures that still stand."""
    return read_lines(root / ERRORS, Failure)


def add_failure(root: Path, failure: Failure) -> None:
    """Put a failure down at once, so that it outlives us."""
    with alone(root / ".lock"):
        add_line(root / ERRORS, failure)


def settle_failures(
    root: Path, done: Iterable[str], steps: Collection[str] | None = None, asked: Collection[str] | None = None
) -> None:
    """Strike out the failures that no longer stand, and all but the last of a source in one step.

    Args:
        done: sources that have come through since.
        steps: what they have come through; their failures in other steps stand. By default everything.
        asked: all sources of the job, in all its shards; of others, those whose file is gone are struck out.
    """
    through = set(done)

    def stands(failure: Failure) -> bool:
        if failure.source in through and (steps is None or not set(steps).isdisjoint(failure.step.split("+"))):
            return False
        return asked is None or failure.source in asked or not _is_gone(failure.source)

    with alone(root / ".lock"):
        last = {(f.source, f.step): f for f in read_failures(root) if stands(f)}
        replace_lines(root / ERRORS, (last[place] for place in sorted(last)))


def _is_gone(uri: str) -> bool:
    try:
        local_path(uri)
    except RecordingFailed as error:
        return error.reason == "missing"
    except OSError:  # who may not look cannot tell
        return False
    return False


@dataclass(frozen=True, slots=True)
class Known:
    """What a file looked like when it was ingested; unchanged means that it need not be read again."""

    id: str
    size: int  # bytes
    mtime_ns: int


def write_index(store: Store) -> None:
    """`index.parquet`, a row a recording, from nothing but the folders."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with alone(store.root / ".lock"):  # from the first look to the last byte, or an older view would win
        rows = list(_rows(store))
        with whole_file(store.root / "index.parquet") as part:
            pq.write_table(pa.Table.from_pylist(rows, schema=_index_schema()), part, compression="zstd")


def _rows(store: Store) -> Iterator[dict[str, Any]]:
    for id in store:
        stored = store[id]
        it, receipts = stored.recording, stored.receipts
        if "recording" not in receipts:  # ingest was killed at the very end; the next run takes it in again
            continue
        seen = receipts["recording"].params or {}
        yield (
            {
                "id": id,
                "source": it.source,
                "sha256": it.sha256,
                "bytes": seen.get("bytes", -1),
                "mtime_ns": seen.get("mtime_ns", -1),
                "duration_s": float(it.duration_s),
                "fps": str(it.fps),
                "num_frames": it.num_frames,
                "width": it.width,
                "height": it.height,
                "sample_rate": it.sample_rate,
                "artifacts": sorted(receipts),
            }
        )


def known_sources(store: Store) -> Mapping[str, Known]:
    """What each source looked like when it was ingested, from the index or, without a sound one, from the folders."""
    import pyarrow as pa

    try:
        columns = _read_index(store)
    except (pa.ArrowException, OSError):  # cut off, not ours, or not there
        write_index(store)
        columns = _read_index(store)
    rows = zip(columns["source"], columns["id"], columns["bytes"], columns["mtime_ns"], strict=True)
    return {source: Known(id, size, mtime) for source, id, size, mtime in rows}


def _read_index(store: Store) -> dict[str, list[Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = store.root / "index.parquet"
    table = pq.read_table(path)
    if not table.schema.equals(_index_schema()):
        raise pa.ArrowInvalid(f"{path} is no index of a store")
    return table.to_pydict()


def _index_schema():
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
