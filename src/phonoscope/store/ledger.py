"""What went wrong (`errors.jsonl`) and what there is (`index.parquet`), for the store as a whole.

Several processes may write to one store, on one machine or many: each takes its turn behind the lock file `.lock`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phonoscope.core.clips import Listed
from phonoscope.core.errors import RecordingFailed
from phonoscope.store.folder import Store
from phonoscope.store.index import FILE as INDEX
from phonoscope.store.index import NoIndex, changed_here, listed_ids, read_columns, write_rows
from phonoscope.store.lines import add_line, read_lines, replace_lines
from phonoscope.store.mirror import Mirror
from phonoscope.store.shared import latest, rewrite
from phonoscope.store.uri import seen_film

ERRORS = "errors.jsonl"
KNOWN = ("source", "id", "bytes", "mtime_ns")  # columns of the index


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
    return read_lines(latest(root, ERRORS), Failure)


def add_failure(root: Path, failure: Failure) -> None:
    """Put a failure down at once, so that it outlives us."""
    rewrite(root, ERRORS, lambda path: add_line(path, failure))


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

    def settle(path: Path) -> None:
        last = {(f.source, f.step): f for f in read_lines(path, Failure) if stands(f)}
        replace_lines(path, (last[place] for place in sorted(last)))

    rewrite(root, ERRORS, settle)


def _is_gone(uri: str) -> bool:
    try:
        seen_film(uri)
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


def write_index(store: Store, seen: Collection[str] = ()) -> None:
    """`index.parquet`, a row a recording, from nothing but the folders.

    Of a store in a bucket, only the rows of what was changed are made anew, and what it has not yet of `seen`.

    Args:
        seen: recordings that others may have made for us.
    """
    changed = changed_here(store.root) if store.far else []

    def write(path: Path) -> None:
        if not store.far:
            write_rows(path, _rows(store, store))
            return
        try:
            columns = read_columns(path)
            there = {row[0]: dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)}
        except NoIndex:
            there = {row["id"]: row for row in _rows(store, listed_ids(store.root))}
        due = {*changed, *seen}
        rows = [*(row for id, row in there.items() if id not in due), *_rows(store, due)]
        write_rows(path, sorted(rows, key=lambda row: row["id"]))

    rewrite(store.root, INDEX, write)  # from the first look to the last byte, or an older view would win
    for id in changed:
        Mirror(store.root, id).changed.unlink(missing_ok=True)


def _rows(store: Store, ids: Iterable[str]) -> Iterator[dict[str, Any]]:
    for id in ids:
        stored = store.at(id, anew=True)
        receipts = stored.receipts
        if "recording" not in receipts:  # ingest was killed at the very end; the next run takes it in again
            continue
        it, seen = stored.recording, receipts["recording"].params or {}
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


def known_artifacts(store: Store) -> Mapping[str, set[str]]:
    """What each recording has, as the index says; nothing without a sound one."""
    try:
        columns = read_columns(latest(store.root, INDEX), ("id", "artifacts"))
    except NoIndex:
        return {}
    return {id: {*names} for id, names in zip(columns["id"], columns["artifacts"], strict=True)}


def known_sources(store: Store) -> Mapping[str, Known]:
    """What each source looked like when it was ingested, from the index or, without a sound one, from the folders."""
    try:
        columns = read_columns(latest(store.root, INDEX), KNOWN)
    except NoIndex:  # cut off, not ours, or not there
        write_index(store)
        columns = read_columns(store.root / INDEX, KNOWN)
    rows = zip(*(columns[name] for name in KNOWN), strict=True)
    return {source: Known(id, size, mtime) for source, id, size, mtime in rows}
