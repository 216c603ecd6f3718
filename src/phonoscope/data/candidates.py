"""What there is to choose from: a row a track, and in it whatever the store knows of that track."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from phonoscope.core.faces import Track, Tracks, TrackTable
from phonoscope.core.media import Recording
from phonoscope.core.series import Series
from phonoscope.data.columns import ALWAYS, ONCE, REPEATS, TEXT, WHOLE, name_of, spread
from phonoscope.store.folder import Store
from phonoscope.store.recording import StoredRecording

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """All tracks of a store."""

    table: "pa.Table"  # by recording, then track; null: never measured, NaN: measured, and nothing to be seen
    made_by: Mapping[str, str]  # column -> artifact that it comes from, for those that a track may lack
    untracked: tuple[str, ...]  # recordings whose faces have not been tracked


def candidates(store: Store | Path | str) -> "pa.Table":
    """A row a track of a store: which it is, how long, and the numbers of everything that was made of it.

    Of what varies along a track there are three columns: the median under its own name, `_min` and `_max`.
    Null is what was never measured, NaN what could not be: pose while the face was not to be seen.

    Raises:
        UsageError: there is no such store.
    """
    return gather(store if isinstance(store, Store) else Store(store)).table


def gather(store: Store) -> Candidates:
    """All tracks of a store, from artifacts that are whole and fresh."""
    rows, untracked = [], []
    made_by: dict[str, str] = {}
    for id in store:
        stored = store[id]
        paths = stored.fresh
        if "tracks" in paths:
            facts = _facts(stored, paths)
            rows += facts.rows()
            made_by |= facts.made_by()
        else:
            untracked.append(id)
    columns = [*ALWAYS, *sorted(made_by, key=lambda name: made_by[name])]
    return Candidates(_table(rows, columns), made_by, tuple(untracked))


def _table(rows: list[dict[str, Any]], columns: list[str]) -> "pa.Table":
    import pyarrow as pa

    def kind(name: str) -> pa.DataType:
        return pa.string() if name in TEXT else pa.int32() if name in WHOLE else pa.float64()

    schema = pa.schema([(name, kind(name)) for name in columns])
    return pa.Table.from_pylist(rows, schema=schema)


@dataclass(frozen=True, slots=True, eq=False)
class _Facts:
    """What is known of one recording."""

    recording: Recording
    tracks: Tracks
    tables: Mapping[str, TrackTable]  # what varies along tracks, by artifact
    scores: TrackTable | None  # asd
    voice: Series | None  # vad
    landmarks: Mapping[int, np.ndarray] | None  # track -> (T, 68, 2)

    def made_by(self) -> Iterator[tuple[str, str]]:
        """The columns that not every track has, each with its artifact."""
        had = {"asd": self.scores, "vad": self.voice, "landmarks": self.landmarks}
        yield from ((name, artifact) for name, artifact in ONCE.items() if had[artifact] is not None)
        for artifact, table in self.tables.items():
            for column in table.columns:
                yield from ((name, artifact) for name in spread(name_of(artifact, column)))

    def rows(self) -> list[dict[str, Any]]:
        """A row a track, by id."""
        crowd = np.zeros(self.recording.num_frames, np.int32)
        for track in self.tracks:
            crowd[track.start : track.span.stop] += 1
        found = {
            track.id: _itself(track, self.recording, crowd) | self._once(track)
            for track in sorted(self.tracks, key=lambda it: it.id)
        }
        for artifact, table in self.tables.items():
            for id, mine in _rows_of(table, found):
                for column, values in table.columns.items():
                    found[id] |= _spread(name_of(artifact, column), values[mine])
        if scores := self.scores:
            for id, mine in _rows_of(scores, found):
                score = scores.columns["score"][mine]
                found[id] |= {"speaking": float((score > 0).mean()), "score": float(score.mean(dtype=np.float64))}
        return list(found.values())

    def _once(self, track: Track) -> dict[str, float]:
        made = {}
        if self.voice is not None:
            rows = max(1, round(self.voice.rate / self.recording.fps))  # a frame
            under = self.voice.on(track.span, self.recording.fps, rows)
            made["voice"] = float(under.mean(dtype=np.float64))
        if self.landmarks and track.id in self.landmarks:
            points = self.landmarks[track.id]
            made["missing"] = float(np.isnan(points).reshape(len(points), -1).any(1).mean())
        return made


def _facts(stored: StoredRecording, paths: Mapping[str, Path]) -> _Facts:
    tables = {name: stored.load(name) for name, path in sorted(paths.items()) if _is_track_table(path)}
    scores = tables.pop("asd", None)
    landmarks = stored.load("landmarks") if "landmarks" in paths else None
    if landmarks:
        score = {"score": landmarks.frames.columns["score"]}  # and not the rotations: `pose` puts them into words
        tables["landmarks"] = TrackTable(landmarks.frames.track, landmarks.frames.frame, score)
    kept = {artifact: _own_numbers(artifact, table) for artifact, table in tables.items()}
    voice = stored.load("vad") if "vad" in paths else None
    points = landmarks.arrays if landmarks else None
    return _Facts(stored.recording, stored.load("tracks"), kept, scores, voice, points)


def _is_track_table(path: Path) -> bool:
    if path.suffix != ".parquet":
        return False
    import pyarrow.parquet as pq

    try:
        about = pq.read_schema(path).metadata or {}
    except ValueError:
        return True  # it is damaged: loading it says so
    return about.get(b"phonoscope") == b"track-table"


def _own_numbers(artifact: str, table: TrackTable) -> TrackTable:
    """A table without what `tracks` says as well, and without what is no number."""
    columns = {
        name: values if np.issubdtype(values.dtype, np.floating) else values.astype(np.float64)
        for name, values in table.columns.items()
        if (artifact, name) not in REPEATS and (np.issubdtype(values.dtype, np.number) or values.dtype == bool)
    }
    return TrackTable(table.track, table.frame, columns)


def _rows_of(table: TrackTable, tracks: Collection[int]) -> Iterator[tuple[int, slice]]:
    """Each of these tracks that a table knows, and its rows: tables along tracks keep them together."""
    ids, firsts, counts = np.unique(table.track, return_index=True, return_counts=True)
    for id, first, count in zip(ids.tolist(), firsts.tolist(), counts.tolist(), strict=True):
        if id in tracks:
            yield id, slice(first, first + count)


def _itself(track: Track, recording: Recording, crowd: np.ndarray) -> dict[str, Any]:
    """What a track has by itself; `crowd` (num_frames,) is how many tracks there are in each frame."""
    span, fps, rights = track.span, recording.fps, recording.rights
    return {
        "recording": recording.id,
        "source": recording.source,
        "track": track.id,
        "start_frame": span.start,
        "stop_frame": span.stop,
        "start_s": float(span.start / fps),
        "stop_s": float(span.stop / fps),
        "duration_s": float(len(span) / fps),
        "fps": float(fps),
        "width": recording.width,
        "height": recording.height,
        "licence": rights.licence,
        "consent": rights.consent,
        "origin": rights.origin,
        "faces": int(crowd[span.start : span.stop].max()),
        "observed": float(track.observed.mean()),
        **_spread("size_px", (track.box[:, 2:] - track.box[:, :2]).max(1)),
        **_spread("confidence", track.score),
    }


def _spread(name: str, values: np.ndarray) -> dict[str, float]:
    """Median, least and most of what is a number, NaN if nothing is; float32 0.9 gives 0.9, so that >= 0.9 holds."""
    seen = values[~np.isnan(values)]
    numbers = (np.median(seen), seen.min(), seen.max()) if len(seen) else (np.nan,) * 3
    return {end: float(str(number)) for end, number in zip(spread(name), numbers, strict=True)}
