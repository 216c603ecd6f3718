"""Labels that people gave, as AVA and ASW have them, on the clock of the films: the artifacts `tracks` and `labels`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePath

import numpy as np

from phonoscope.core.clips import Listed
from phonoscope.core.errors import RecordingFailed, UsageError
from phonoscope.core.faces import Track, Tracks, TrackTable
from phonoscope.core.media import Recording
from phonoscope.corpora.ava import AvaRows, join, write_ava, write_loader
from phonoscope.store.folder import Store
from phonoscope.store.receipts import BY_CORPUS, Receipt
from phonoscope.store.recording import StoredRecording

VERSION = 1
BOX = ("x0", "y0", "x1", "y1")
COHERENT = 0.45  # of 1: times that lie on one grid of frames, though rounded to hundredths, agree more than this


@dataclass(frozen=True, slots=True)
class Annotations:
    """Writes `tracks` and `labels` of a film as soon as it is taken in, unless they are there already."""

    by_uri: Mapping[str, tuple[Listed, AvaRows, np.ndarray]]  # rows of one video, and their places (N,) in the table
    max_gap_s: Fraction  # a face that is not labelled for longer begins a new track

    def __call__(self, stored: StoredRecording, uri: str) -> tuple[str, ...]:
        """The artifacts that were written.

        Raises:
            RecordingFailed: "annotations": the labels do not fit the film.
        """
        listed, rows, places = self.by_uri[uri]
        if stored.listed != listed:
            stored.list_as(listed)
        receipts = stored.receipts
        clock = receipts["clock"].key
        key = {"tracks": _hash(clock, str(self.max_gap_s), rows.time_s, rows.box, _words(rows))}
        key["labels"] = _hash(key["tracks"], rows.label, places, "" if rows.instance is None else rows.instance)
        stale = {it for it in key if it not in receipts or receipts[it].key != key[it] or stored.path(it) is None}
        if not stale:
            return ()
        made = dict(zip(key, on_clock(rows, places, stored.recording, self.max_gap_s), strict=True))
        for name, inputs in (("tracks", {"clock": clock}), ("labels", {"tracks": key["tracks"]})):
            if name in stale:
                receipt = Receipt(key=key[name], step=BY_CORPUS, version=VERSION, inputs=inputs)
                stored.save(name, made[name], receipt)
        return tuple(name for name in key if name in stale)

    def listed(self, uri: str) -> Listed | None:
        """How the corpus lists a film; None if it does not."""
        return self.by_uri[uri][0] if uri in self.by_uri else None


def on_clock(rows: AvaRows, places: np.ndarray, recording: Recording, max_gap_s: Fraction) -> tuple[Tracks, TrackTable]:
    """The tracks of a video's entities, and its labels, a row each.

    Every row stands on the frame nearest to its time. Frames between two rows of an entity have a box between theirs,
    and are not `observed`; no row is left out. A gap longer than `max_gap_s` begins a new track.

    Args:
        places: (N,) int64, of the rows in the table that they come from.

    Returns:
        Tracks, numbered in order of appearance, from the left. Labels: `label` int8 as AVA's label_id, `entity`, and
        what was given, exactly: `time_s`, `x0` … `y1` as parts of the picture float64, `place` int64 and, if it is
        told, `instance` int32.

    Raises:
        RecordingFailed: "annotations": two rows of an entity fall on one frame, or one lies beyond the film's end.
    """
    frame, entities = frames_at(rows.time_s, recording.fps), rows.tracks()
    _check(rows, frame, entities, recording)
    longest = int(max_gap_s * recording.fps)  # frames from label to label
    pieces = [piece for of in entities for piece in np.split(of, np.flatnonzero(np.diff(frame[of]) > longest) + 1)]
    pieces.sort(key=lambda piece: (frame[piece[0]], rows.box[piece[0], 0]))
    size_px = np.array([recording.width, recording.height] * 2)
    tracks = Tracks(tuple(_track(id, frame[of], rows.box[of] * size_px) for id, of in enumerate(pieces)))
    order = np.concatenate([np.empty(0, np.int64), *pieces])
    columns = {
        "label": rows.label[order].astype(np.int8),
        "entity": np.array(rows.entities, np.str_)[rows.entity[order]],
        "time_s": rows.time_s[order],
        **dict(zip(BOX, rows.box[order].T, strict=True)),
        "place": places[order],
    }
    if rows.instance is not None:
        columns["instance"] = rows.instance[order]
    whose = np.repeat(np.arange(len(pieces), dtype=np.int32), [*map(len, pieces)])
    return tracks, TrackTable(whose, frame[order].astype(np.int32), columns)


def frames_at(time_s: np.ndarray, fps: Fraction) -> np.ndarray:
    """The frames nearest to times (N,) of one video, (N,) int64.

    Where all times lie on one grid of frames, whatever their distance from the clock's, neighbours stay neighbours:
    halfway between two frames a rounding of the table would otherwise put them now on one, now on the other.
    """
    turn = np.asarray(time_s, np.float64) * float(fps)
    lie = np.exp(2j * np.pi * (turn - np.floor(turn))).mean() if len(turn) else 0j
    away = np.angle(lie) / (2 * np.pi) if abs(lie) > COHERENT else 0.0
    return np.rint(turn - away).astype(np.int64)


def rows_in(store: Store) -> AvaRows:
    """The labelled rows of all recordings of a store, as they were given, in the order of their table."""
    parts, places = [], []
    for id in store:
        stored = store[id]
        if stored.listed and "labels" in stored.fresh:
            labels: TrackTable = stored.load("labels")
            parts.append(_rows(PurePath(stored.listed.path).stem, labels))
            places.append(labels.columns["place"])
    if not parts:
        none = np.empty(0, np.int32)
        return AvaRows((), (), none, none, np.empty(0), np.empty((0, 4)), np.empty(0, np.int8))
    return join(parts).take(np.argsort(np.concatenate(places), kind="stable"))


def write_lists(store: Store, to: Path, split: str = "") -> None:
    """The labelled faces of a store as TalkNet's trainer reads them: `{split}_orig.csv`, `{split}_loader.csv`.

    Args:
        to: folder, made if it is not there.
        split: only recordings of this set; by default all, in files that begin with `all`.

    Raises:
        UsageError: there are no labelled faces.
    """
    mine = [id for id in store if (listed := store[id].listed) and (not split or listed.split == split)]
    rates = {PurePath(listed.path).stem: store[id].recording.fps for id in mine if (listed := store[id].listed)}
    rows = rows_in(store)
    rows = rows.take(np.flatnonzero([video in rates for video in np.asarray(rows.videos)[rows.video]]))
    if not len(rows):
        raise UsageError(f"'{store.root}' has no labelled faces of '{split or 'any'}': nothing to list")
    to.mkdir(parents=True, exist_ok=True)
    write_ava(to / f"{split or 'all'}_orig.csv", rows, "orig")
    write_loader(to / f"{split or 'all'}_loader.csv", rows, rates)


def _rows(video: str, labels: TrackTable) -> AvaRows:
    told = labels.columns
    entities, entity = np.unique(told["entity"], return_inverse=True)
    return AvaRows(
        videos=(video,),
        entities=tuple(entities.tolist()),
        video=np.zeros(len(entity), np.int32),
        entity=entity.astype(np.int32),
        time_s=told["time_s"],
        box=np.stack([told[name] for name in BOX], 1),
        label=told["label"],
        instance=told.get("instance"),
    )


def _check(rows: AvaRows, frame: np.ndarray, entities: list[np.ndarray], recording: Recording) -> None:
    film = f"{float(recording.duration_s):.3f} s, {recording.fps} frames a second"
    if len(rows) and (beyond := frame >= recording.num_frames).any():
        late = f"{beyond.sum()} of {len(rows)} labels lie beyond the end of the film ({film})"
        told = f"the first at {rows.time_s[beyond].min():.6g} s: is this the whole film?"
        raise RecordingFailed("annotations", f"{late}, {told}")
    for of in entities:
        if (near := np.diff(frame[of]) < 1).any():
            at = int(near.argmax())
            early, late = rows.time_s[of[at]], rows.time_s[of[at + 1]]
            told = f"'{rows.entities[rows.entity[of[0]]]}' has labels at {early:.6g} and {late:.6g} s"
            mend = "take the film that was labelled into a store with --clock.fps native"
            raise RecordingFailed("annotations", f"{told}, which are one frame here ({film}): {mend}")


def _track(id: int, seen: np.ndarray, box: np.ndarray) -> Track:
    """A box for every frame: given where there is a label, in between on straight lines."""
    every = np.arange(seen[0], seen[-1] + 1)
    whole = np.stack([np.interp(every, seen, box[:, edge]) for edge in range(4)], 1).astype(np.float32)
    observed = np.isin(every, seen)
    score = np.where(observed, np.float32(1), np.float32(np.nan))
    return Track(id, int(seen[0]), whole, score, observed)


def _words(rows: AvaRows) -> str:
    return "\n".join(np.array(rows.entities, np.str_)[rows.entity].tolist())


def _hash(*parts: str | np.ndarray) -> str:
    made = hashlib.sha256(f"annotations {VERSION}".encode())
    for part in parts:
        content = part.encode() if isinstance(part, str) else np.ascontiguousarray(part).tobytes()
        made.update(f" {len(content)} ".encode() + content)
    return made.hexdigest()[:16]
