"""Stores of drawn people of whom everything is known, saved as if steps had measured it, without any model."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np

from phonoscope.core.faces import Track, TrackArrays, Tracks, TrackTable
from phonoscope.core.series import Series
from phonoscope.job import prepare
from phonoscope.store.folder import Store
from phonoscope.store.receipts import Receipt
from phonoscope.store.recording import StoredRecording
from phonoscope.testing.puppet import Scene, one_head, two_heads_taking_turns

LAYERS, WIDTH = 3, 4  # of the speech
PAIR, MUTE = two_heads_taking_turns(1.2), one_head(0.6)  # 30 frames of two people, 15 of one


def known_store(film: Path, scene: Scene, to: Path) -> StoredRecording:
    """A recording that has tracks, landmarks, pose and, if there is sound, speech; the second track begins late.

    Args:
        film: the scene as a file, at 25 frames a second.
        to: the store; it is made if there is none.
    """
    (outcome,) = prepare([film], to, ()).carry_out()
    stored = Store(to)[outcome.recording]
    save_tracks(stored, known_tracks(scene))
    save_landmarks(stored, known_points(scene))
    save_pose(stored, {track.id: known_angles(track) for track in known_tracks(scene)})
    if stored.recording.num_samples:
        save_speech(stored)
    return stored


def known_tracks(scene: Scene, late: int = 5) -> Tracks:
    """Each head; all but the first begin `late` frames after they could."""
    return Tracks(
        tuple(
            Track(t.id, t.start + cut, t.box[cut:], t.score[cut:], t.observed[cut:])
            for t in scene.truth.tracks()
            for cut in [late if t.id else 0]
        )
    )


def known_points(scene: Scene) -> dict[int, np.ndarray]:
    """Where the landmarks of each track are, (T, 68, 2) float32 px."""
    heads, whose = scene.truth.heads, scene.truth.speakers()
    return {
        track.id: heads[whose[track.id]].landmarks[track.span.start : track.span.stop].astype(np.float32)
        for track in known_tracks(scene)
    }


def known_angles(track: Track) -> np.ndarray:
    """Angles (T, 3) float32 that say which frame, and which angle, they are."""
    frame = np.arange(track.span.start, track.span.stop)[:, None]
    return (frame / 8 + np.array([10.0, -20.0, 30.0])).astype(np.float32)


def save_tracks(stored: StoredRecording, tracks: Tracks, take: int = 1) -> None:
    """Keep tracks; another `take` makes stale what was made from those of before."""
    stored.save("tracks", tracks, _receipt("tracks", stored, take))


def save_landmarks(stored: StoredRecording, points: Mapping[int, np.ndarray], take: int = 1) -> None:
    """Keep landmarks (T, 68, 2) of each track."""
    track, frame = _rows(stored.load("tracks"))
    table = TrackTable(track, frame, {"score": np.ones(len(track), np.float32)})
    stored.save("landmarks", TrackArrays(points, table), _receipt("landmarks", stored, take, "tracks"))


def save_pose(stored: StoredRecording, angles: Mapping[int, np.ndarray], take: int = 1) -> None:
    """Keep yaw, pitch and roll (T, 3) of each track."""
    tracks = stored.load("tracks")
    columns = np.concatenate([angles[track.id] for track in tracks]).astype(np.float32).T
    table = TrackTable(*_rows(tracks), dict(zip(("yaw_deg", "pitch_deg", "roll_deg"), columns, strict=True)))
    stored.save("pose", table, _receipt("pose", stored, take, "landmarks"))


def save_embeddings(stored: StoredRecording, rows: Mapping[int, np.ndarray], missing: Mapping[int, np.ndarray]) -> None:
    """Keep embeddings (T, D) of each track, and where its face is not known, (T,) bool."""
    tracks = stored.load("tracks")
    column = np.concatenate([missing[track.id] for track in tracks])
    made = TrackArrays(rows, TrackTable(*_rows(tracks), {"missing": column}))
    stored.save("embeddings", made, _receipt("embeddings", stored, 1, "tracks"))


def save_asd(stored: StoredRecording, scores: Mapping[int, np.ndarray], take: int = 1) -> None:
    """Keep log-odds of speaking (T,) of each track."""
    tracks = stored.load("tracks")
    column = np.concatenate([np.asarray(scores[track.id], np.float32) for track in tracks])
    stored.save("asd", TrackTable(*_rows(tracks), {"score": column}), _receipt("asd", stored, take, "tracks"))


def save_speech(stored: StoredRecording, take: int = 1, card: str = "chinese-hubert-large@hubert:0a1b2c") -> None:
    """Keep as many rows as HuBERT gives, (T, 3, 4) float16: row + 1000 · layer."""
    rows = (stored.recording.num_samples - 400) // 320 + 1
    values = np.arange(rows)[:, None, None] + 1000.0 * np.arange(LAYERS)[:, None] + np.zeros(WIDTH)
    series = Series(values.astype(np.float16), Fraction(50), Fraction(200, 16000))
    stored.save("speech", series, _receipt("speech", stored, take, "audio", card))


def _receipt(name: str, stored: StoredRecording, take: int, needs: str = "", card: str = "") -> Receipt:
    inputs = {needs: stored.receipts[needs].key} if needs else {}
    return Receipt(key="-".join([name, str(take), *inputs.values()]), step=name, version=1, inputs=inputs, card=card)


def _rows(tracks: Tracks) -> tuple[np.ndarray, np.ndarray]:
    track = np.concatenate([np.full(len(t), t.id, np.int32) for t in tracks])
    return track, np.concatenate([np.arange(t.span.start, t.span.stop, dtype=np.int32) for t in tracks])
