"""What the page of a store tells, as plain numbers: read once, recording by recording, and small enough to keep."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import numpy as np

from phonoscope.core.faces import Shots
from phonoscope.core.media import Recording
from phonoscope.core.time import Span
from phonoscope.report.sound import sound_level, voice_level
from phonoscope.report.speech import Run, speech_runs
from phonoscope.report.traces import Trace, maps_of, traces_of
from phonoscope.store.folder import Store
from phonoscope.store.ledger import Failure, read_failures
from phonoscope.store.receipts import Receipt
from phonoscope.store.recording import StoredRecording


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackFacts:
    """One track in numbers."""

    id: int
    span: Span
    observed: float  # share of its frames in which a detector saw the face
    speaking: float | None  # share of its frames with a speaking score above 0; None if nobody scored it
    runs: tuple[Run, ...]  # where it speaks, and how surely
    thumb: Path | None  # its portrait
    crop: Path | None  # its film


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordingFacts:
    """One recording in numbers; None is what has not been made."""

    recording: Recording
    shots: tuple[Span, ...] | None
    face_frames: int | None  # in which there is a face: see `STAGES`
    tracks: tuple[TrackFacts, ...] | None
    tracked_frames: int | None  # under at least one track
    speaking_frames: int | None  # in which at least one track speaks
    level_db: np.ndarray | None  # (bins,) float32 dB of full scale, evenly along the recording
    voice: np.ndarray | None  # (bins,) float32, mean probability of speech
    maps: Mapping[str, np.ndarray]  # series -> (bands, bins) uint8
    traces: tuple[Trace, ...]  # curves of heads and mouths
    seconds: Mapping[str, float]  # step -> what it took
    warnings: tuple[tuple[str, str], ...]  # (artifact, what it had to say)
    failures: tuple[Failure, ...]
    drawn: bool = True  # if not, levels, voice, maps and traces were not looked at

    @property
    def amiss(self) -> int:
        """How much there is to say of it: 2 if something failed, 1 if something was odd, 0 if all is well."""
        return 2 if self.failures else 1 if self.warnings or self.recording.notes else 0

    def seconds_of(self, frames: int) -> Fraction:
        """How long so many frames of this recording last."""
        return Fraction(frames) / self.recording.fps


@dataclass(frozen=True, slots=True)
class Stage:
    """How much of the film has come so far."""

    name: str
    meaning: str  # exactly what is counted
    seconds: float
    recordings: int  # for which it is known


@dataclass(frozen=True, slots=True)
class Timing:
    """What a step took over the whole store."""

    step: str
    seconds: float
    film_s: float  # of the recordings that it was made of

    @property
    def speed(self) -> float | None:
        """Times real time; None where the clock saw nothing."""
        return self.film_s / self.seconds if self.seconds else None


STAGES = {
    "film": "all that was taken in, on the store's clock",
    "with a face": "frames in which a face was found, or in the last one looked at before, or which a track bridges",
    "tracked": "frames under at least one track, however many there are",
    "speaking": "frames in which at least one track has a speaking score above 0",
}


def recording_facts(
    stored: StoredRecording,
    failures: Sequence[Failure] = (),
    models: Mapping[str, str] = MappingProxyType({}),
    drawn: bool = True,
) -> RecordingFacts:
    """What there is to tell of one recording, stale artifacts left out; its sound is read in pieces and not kept.

    Args:
        models: by step, those of the store; of what another one has made, it is said.
        drawn: what only a timeline shows as well: sound, voice, maps and traces.
    """
    recording, paths = stored.recording, stored.fresh
    receipts = {name: receipt for name, receipt in stored.receipts.items() if name in paths}
    shots: Shots | None = stored.load("shots") if "shots" in paths else None
    tracked = _masks(recording, paths.get("tracks"), paths.get("asd"))
    faces = paths.get("faces")
    shown = paths if drawn else {}
    return RecordingFacts(
        recording=recording,
        shots=shots.spans if shots else None,
        face_frames=int((_face_mask(recording, faces, receipts["faces"]) | tracked[0]).sum()) if faces else None,
        tracks=_tracks(stored, paths) if "tracks" in paths else None,
        tracked_frames=int(tracked[0].sum()) if "tracks" in paths else None,
        speaking_frames=int(tracked[1].sum()) if "asd" in paths else None,
        level_db=sound_level(shown["audio"]) if "audio" in shown else None,
        voice=voice_level(stored.load("vad")) if "vad" in shown else None,
        maps=maps_of(stored, shown),
        traces=traces_of(stored, shown),
        seconds={receipt.step: receipt.seconds for receipt in receipts.values()},
        warnings=tuple((name, said) for name, receipt in receipts.items() for said in _said(receipt, models)),
        failures=tuple(failures),
        drawn=drawn,
    )


def _said(receipt: Receipt, models: Mapping[str, str]) -> Iterator[str]:
    """What a step had to say, and whether it has run another model than it does elsewhere in the store."""
    yield from receipt.warnings
    made_by, usual = receipt.card.partition("@")[0], models.get(receipt.step, "").partition(":")[0]
    if made_by and usual and made_by != usual:
        yield f"made by {made_by}, not by {usual}"


def store_facts(store: Store, most: int | None = None) -> list[RecordingFacts]:
    """All recordings of a store, by id.

    Args:
        most: of no more than so many what a timeline shows, those first of which most is amiss; by default of all.
    """
    failures: dict[str, list[Failure]] = {}
    for failure in read_failures(store.root):
        failures.setdefault(failure.recording, []).append(failure)

    def facts_of(id: str, drawn: bool) -> RecordingFacts:
        return recording_facts(store[id], failures.get(id, ()), store.settings.models, drawn)

    ids = list(store)
    if most is None or len(ids) <= most:
        return [facts_of(id, True) for id in ids]
    facts = {id: facts_of(id, False) for id in ids}
    for id in sorted(ids, key=lambda id: (-facts[id].amiss, id))[:most]:
        facts[id] = facts_of(id, True)
    return list(facts.values())


def funnel(facts: Iterable[RecordingFacts]) -> list[Stage]:
    """Seconds of film at each stage; each stage is part of the one before."""
    facts = list(facts)
    counts = {
        "film": [f.recording.num_frames for f in facts],
        "with a face": [f.face_frames for f in facts],
        "tracked": [f.tracked_frames for f in facts],
        "speaking": [f.speaking_frames for f in facts],
    }
    stages = []
    for name, meaning in STAGES.items():
        known = [(f, count) for f, count in zip(facts, counts[name], strict=True) if count is not None]
        stages.append(Stage(name, meaning, float(sum(f.seconds_of(count) for f, count in known)), len(known)))
    return stages


def timings(facts: Iterable[RecordingFacts]) -> list[Timing]:
    """What each step took, slowest first."""
    spent: dict[str, float] = {}
    film: dict[str, Fraction] = {}
    for it in facts:
        for step, seconds in it.seconds.items():
            spent[step] = spent.get(step, 0.0) + seconds
            film[step] = film.get(step, Fraction(0)) + it.recording.duration_s
    made = [Timing(step, seconds, float(film[step])) for step, seconds in spent.items()]
    return sorted(made, key=lambda timing: (-timing.seconds, timing.step))


def columns_of(path: Path, *names: str) -> dict[str, np.ndarray]:
    """Some columns of a Parquet file, and nothing else of it."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        table = file.read(columns=list(names), use_threads=False)
    return {name: table.column(name).to_numpy() for name in names}


def _face_mask(recording: Recording, path: Path, receipt: Receipt) -> np.ndarray:
    """Frames with a face, (num_frames,) bool: a face found stands for the frames up to the next regular look."""
    every = (receipt.params or {}).get("every", 1)
    found = np.unique(columns_of(path, "frame")["frame"]).astype(np.int64)
    mask = np.zeros(recording.num_frames + every, bool)
    for later in range(every):
        mask[np.minimum(found + later, found // every * every + every - 1)] = True
    return mask[: recording.num_frames]


def _masks(recording: Recording, tracks: Path | None, asd: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Frames under a track and frames in which one speaks, (num_frames,) bool each."""
    tracked, speaking = np.zeros((2, recording.num_frames), bool)
    if tracks:
        tracked[columns_of(tracks, "frame")["frame"]] = True
    if asd:
        scores = columns_of(asd, "frame", "score")
        speaking[scores["frame"][scores["score"] > 0]] = True
    return tracked, speaking


def _tracks(stored: StoredRecording, paths: Mapping[str, Path]) -> tuple[TrackFacts, ...]:
    asd, rows = paths.get("asd"), columns_of(paths["tracks"], "track", "frame", "observed")
    scores = columns_of(asd, "track", "score") if asd else {"track": np.zeros(0, np.int32)}
    scored = _runs(scores["track"])
    cell = -(-stored.recording.num_frames // 800)  # frames: finer than a page can show
    made = []
    for id, mine in _runs(rows["track"]).items():
        span = Span(int(rows["frame"][mine.start]), int(rows["frame"][mine.stop - 1]) + 1)
        score = scores["score"][scored[id]] if id in scored else None
        made.append(
            TrackFacts(
                id=id,
                span=span,
                observed=float(rows["observed"][mine].mean()),
                speaking=float((score > 0).mean()) if score is not None else None,
                runs=speech_runs(score, span.start, cell) if score is not None else (),
                thumb=_file(paths.get("thumbs"), f"{id}.jpg"),
                crop=_file(paths.get("crop_video"), f"{id}.mp4"),
            )
        )
    return tuple(made)


def _runs(ids: np.ndarray) -> dict[int, slice]:
    """The rows of each track: tables along tracks keep them together."""
    edges = [0, *(np.flatnonzero(np.diff(ids)) + 1).tolist(), len(ids)] if len(ids) else []
    return {int(ids[a]): slice(a, b) for a, b in pairwise(edges)}


def _file(folder: Path | None, name: str) -> Path | None:
    return folder / name if folder and (folder / name).is_file() else None
