"""Small drawn stores, made without any step or model, so that what is in them is known."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from phonoscope.core.faces import Faces, Shots, Track, TrackArrays, Tracks, TrackTable
from phonoscope.core.geometry import Crops, crop_track
from phonoscope.core.media import Clock, Recording
from phonoscope.core.series import Series
from phonoscope.core.time import Span, sample_at
from phonoscope.media.encode import jpeg, write_film
from phonoscope.media.probe import probe
from phonoscope.store.codecs import write_recording
from phonoscope.store.folder import Store
from phonoscope.store.receipts import Receipt, write_receipts
from phonoscope.store.recording import StoredRecording
from phonoscope.store.tables import write_clock
from phonoscope.store.uri import as_uri

FPS = Fraction(25)
SIZE = (96, 160)  # h, w


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store.create(tmp_path / "films")


@pytest.fixture
def add(store: Store) -> Callable[..., StoredRecording]:
    """Puts a drawn recording into the store: `add("talk.mp4", frames=100)`; `features=0`: with all that is known along
    its tracks and of its sound, and no face is missing in its first frames."""

    def add(name: str = "talk.mp4", features: int | None = None, **options: object) -> StoredRecording:
        stored = add_recording(store, name, **options)  # type: ignore[arg-type]
        return stored if features is None else add_features(stored, features)

    return add


def add_recording(
    store: Store,
    name: str = "talk.mp4",
    *,
    frames: int = 100,
    tracks: int | None = 2,
    sound: bool = True,
    scored: bool = True,
    thumbs: bool = True,
    crop_video: bool = False,
    notes: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
    source: str = "",
    film: bool = False,
    seed: int = 0,
) -> StoredRecording:
    """A recording of a disc a track, in two shots; odd tracks speak in their second half.

    Args:
        tracks: None for a recording that was only taken in.
        film: there is such a film, and it can be decoded.
    """
    rng = np.random.default_rng(seed)
    id = f"{''.join(c if c.isalnum() and c.isascii() else '-' for c in Path(name).stem.lower())}-{seed:08x}"
    samples = sample_at(frames, FPS, 16000) if sound else 0
    uri = source or as_uri(str(store.root.parent / name))
    rate = 16000 if sound else 0
    recording = Recording(id, uri, "0" * 64, FPS, frames, SIZE[1], SIZE[0], rate, samples, Fraction(0), notes=notes)
    folder = store.root / "recordings" / id
    folder.mkdir(parents=True)
    write_recording(folder / "recording.json", recording)
    clock = Clock(np.arange(frames, dtype=np.int64), 1 / FPS)
    if film:
        grey = (np.full((*SIZE, 3), 40 + k % 100, np.uint8) for k in range(frames))
        write_film(store.root.parent / name, grey, FPS)
        clock = probe(store.root.parent / name, FPS, 16000).clock
    write_clock(folder / "clock.parquet", clock)
    about = (store.root.parent / name).stat() if film else None
    seen = {"bytes": about.st_size, "mtime_ns": about.st_mtime_ns} if about else None
    receipt = Receipt(key="k", step="ingest", version=1, params=seen, seconds=0.25)
    given = ["recording", "clock", *(["audio"] if sound else [])]
    heard = _sound(samples, rng)
    if sound:
        import soundfile

        soundfile.write(folder / "audio.flac", heard, 16000, subtype="PCM_16", format="FLAC")
    write_receipts(folder, dict.fromkeys(given, receipt))
    stored = StoredRecording(folder)
    if tracks is not None:
        _save_steps(stored, tracks, sound and scored, thumbs, crop_video, warnings, rng)
    return stored


def _save_steps(
    stored: StoredRecording, count: int, scored: bool, thumbs: bool, crop_video: bool, warnings: tuple[str, ...],
    rng: np.random.Generator,
) -> None:  # fmt: skip
    recording = stored.recording
    total, half = recording.num_frames, recording.num_frames // 2
    found = Tracks(tuple(_track(n, half, total) for n in range(count)))

    def save(name: str, value: object, seconds: float = 0.5, **more: object) -> None:
        needs = {"crops": "tracks", "asd": "tracks", "thumbs": "tracks", "crop_video": "crops"}.get(name)
        inputs = {needs: needs} if needs else {}
        receipt = Receipt(key=name, step=name, version=1, inputs=inputs, seconds=seconds, **more)  # type: ignore[arg-type]
        stored.save(name, value, receipt)

    save("shots", Shots((Span(0, half), Span(half, total)), FPS))
    seen = sorted((t.start + k, t.id) for t in found for k in range(0, len(t), 5))
    box = np.array([found[id].box[frame - found[id].start] for frame, id in seen], np.float32).reshape(-1, 4)
    points = np.full((len(seen), 5, 2), np.nan, np.float32)
    frame = np.array([frame for frame, _ in seen], np.int32)
    faces = Faces(frame, box, np.full(len(seen), 0.9, np.float32), points)
    save("faces", faces, 2.0, params={"every": 5}, card="drawn@1 · 0a1b2c3d")
    save("tracks", found, warnings=warnings)
    save("crops", Crops(tuple(crop_track(track, "asd") for track in found)))
    if recording.num_samples:
        rows = -(-recording.num_samples // 160)
        voice = np.clip(np.sin(np.arange(rows) / 40) ** 2 + 0.05, 0, 1).astype(np.float32)
        save("vad", Series(voice, Fraction(100), Fraction(1, 200)))
        save("mfcc", Series(rng.normal(size=(rows, 13)).astype(np.float32), Fraction(100), Fraction(1, 200)))
    if scored:
        save("asd", _scores(found, rng), 4.0)
    if thumbs:
        with stored.part_folder("thumbs") as part:
            for track in found:
                (part / f"{track.id}.jpg").write_bytes(jpeg(_face(track.id, 96)))
            save("thumbs", part)
    if crop_video:
        with stored.part_folder("crop_video") as part:
            for track in found:
                write_film(part / f"{track.id}.mp4", [_face(track.id, 64)] * 3, FPS)
            save("crop_video", part)


def add_features(stored: StoredRecording, missing: int) -> StoredRecording:
    """Gives a recording all that is known along its tracks and of its sound; the first `missing` faces are not seen."""
    tracks, rng = stored.load("tracks"), np.random.default_rng(1)
    id = np.concatenate([np.full(len(t), t.id, np.int32) for t in tracks])
    frame = np.concatenate([np.arange(t.start, t.start + len(t), dtype=np.int32) for t in tracks])

    def table(**columns: float) -> TrackTable:
        return TrackTable(id, frame, {c: np.full(len(id), v, np.float32) for c, v in columns.items()})

    def along(count: int, depth: int) -> dict[int, np.ndarray]:
        made = {}
        for track in tracks:
            low, size = track.box[:, None, :2], np.ptp(track.box.reshape(-1, 2, 2), axis=1)[:, None]
            spots = low + rng.uniform(0, 1, (1, count, 2)) * size
            made[track.id] = np.concatenate([spots, np.zeros((len(track), count, depth - 2))], 2).astype(np.float32)
            made[track.id][:missing] = np.nan
        return made

    upright = {f"r{i}{j}": float(i == j) for i in range(3) for j in range(3)}
    sound = {"fbank": (100, 80), "stft": (100, 257), "speech": (50, 3, 8), "visemes": (100, 15)}
    made = {
        "landmarks": TrackArrays(along(68, 2), table(score=0.9, **upright)),
        "mesh": TrackArrays(along(468, 3), table(score=0.9, **upright)),
        "pose": table(yaw_deg=10, pitch_deg=-5, roll_deg=0),
        "motion": table(angular_deg_s=3, translation_widths_s=0.1),
        "mouth": table(opening=0.1, width=0.6, lower_face=0.2),
        "quality": table(blur=100, size_px=40, brightness=0.5),
        "hands": table(hands=0),
    }
    grey = {track.id: np.repeat(_face(track.id, 112)[None, ..., 0], len(track), 0) for track in tracks}
    lost = TrackTable(id, frame, {"missing": np.arange(len(id)) < missing})
    made["face_crops"] = TrackArrays(grey, lost)
    made["quality"].columns["faces"] = np.ones(len(id), np.int32)  # type: ignore[index]
    for name, (rate, *shape) in sound.items():
        rows = int(stored.recording.duration_s * rate) - 2
        values = rng.normal(size=(rows, *shape)).astype(np.complex64 if name == "stft" else np.float32)
        made[name] = Series(values, Fraction(rate), Fraction(1, 200))
    for name, value in made.items():
        stored.save(name, value, Receipt(key=name, step=name, version=1, seconds=0.5))
    return stored


def _track(n: int, half: int, total: int) -> Track:
    start, stop = ((0, half), (half, total))[n % 2]
    start += min(3 * (n // 2), stop - start - 12)
    length = stop - start - 2
    x = 10 + 24 * (n % 6) + np.arange(length) * 0.1
    box = np.stack([x, np.full(length, 20.0), x + 36, np.full(length, 60.0)], 1).astype(np.float32)
    observed = np.arange(length) % 5 == 0
    return Track(n, start, box, np.where(observed, 0.9, np.nan).astype(np.float32), observed)


def _scores(tracks: Tracks, rng: np.random.Generator) -> TrackTable:
    """Above 0 in the second half of odd tracks, below it elsewhere."""
    scores = [
        np.where((np.arange(len(t)) >= len(t) // 2) & (t.id % 2 == 1), 1.0, -1.0) * rng.uniform(0.2, 4, len(t))
        for t in tracks
    ]
    track = [np.full(len(t), t.id, np.int32) for t in tracks]
    frame = [np.arange(t.span.start, t.span.stop, dtype=np.int32) for t in tracks]
    none = np.zeros(0, np.int32)
    values = np.concatenate([np.zeros(0, np.float32), *scores]).astype(np.float32)
    return TrackTable(np.concatenate([none, *track]), np.concatenate([none, *frame]), {"score": values})


def _sound(samples: int, rng: np.random.Generator) -> np.ndarray:
    swell = np.sin(np.arange(samples) / 16000 * 1.7) ** 2
    return (0.2 * swell * rng.normal(size=samples)).clip(-1, 1).astype(np.float32)


def _face(n: int, size: int) -> np.ndarray:
    """A disc on a ground, a colour a track: nobody's face."""
    y, x = np.mgrid[:size, :size] / size - 0.5
    disc = (x**2 + (y * 0.8) ** 2 < 0.1)[..., None]
    colour = np.array([(90 + 70 * n) % 256, (160 + 40 * n) % 256, (200 + 110 * n) % 256])
    return np.where(disc, colour, 70).astype(np.uint8)
