"""Stores of clips of people who do not exist: every frame's face shows which frame it is, every voice is noise."""

from collections.abc import Mapping
from fractions import Fraction
from hashlib import sha256
from pathlib import Path, PurePosixPath

import numpy as np
import soundfile

from phonoscope.core.clips import Listed
from phonoscope.core.faces import Track, TrackArrays, Tracks, TrackTable
from phonoscope.core.media import Recording
from phonoscope.store.codecs import write_recording
from phonoscope.store.folder import Store
from phonoscope.store.receipts import Receipt, write_receipts
from phonoscope.store.recording import StoredRecording

FPS, RATE, HIGH = 25, 16000, 200  # frames and samples a second, px of the picture


def talkers(
    root: Path, clips: Mapping[str, int], *, listed: bool = True, size_px: Mapping[str, int] | None = None
) -> Store:
    """A store with a recording a clip, of so many frames; it is added to if it is there.

    Args:
        clips: set/speaker/clip -> frames.
        listed: whether a corpus lists them.
        size_px: clip -> longer side of its face; 100 for others.
    """
    store = Store.create(root)
    for name, frames in clips.items():
        add_talker(store, name, frames, listed=listed, size_px=(size_px or {}).get(name, 100))
    return store


def add_talker(store: Store, name: str, frames: int, *, listed: bool = True, size_px: int = 100) -> StoredRecording:
    """Add one clip; its face begins at frame 3 of the recording and shows, grey in grey, how many came before."""
    digest = sha256(name.encode()).hexdigest()
    id = f"{PurePosixPath(name).name}-{digest[:8]}"
    whole = frames + 5
    samples = whole * RATE // FPS
    film = (f"file:///films/{name}.mp4", digest, Fraction(FPS), whole, 320, HIGH, RATE, samples, Fraction(0))
    folder = store.root / "recordings" / id
    folder.mkdir(parents=True)
    write_recording(folder / "recording.json", Recording(id, *film))
    noise = np.random.default_rng([*digest.encode()]).uniform(-0.3, 0.3, samples).astype(np.float32)
    soundfile.write(folder / "audio.flac", noise, RATE, subtype="PCM_16")
    made = {step: Receipt(key=f"{step}-{digest}", step="ingest", version=1) for step in ("recording", "audio")}
    write_receipts(folder, made)
    stored = store[id]
    box = np.tile(np.array([10, 20, 10 + size_px * 0.8, 20 + size_px], np.float32), (frames, 1))
    track = Track(0, 3, box, np.full(frames, 0.9, np.float32), np.ones(frames, bool))
    stored.save("tracks", Tracks((track,)), Receipt(key=f"tracks-{digest}", step="tracks", version=1))
    save_face_crops(stored, faces_of(frames))
    if listed:
        split, speaker, _ = name.split("/")
        stored.list_as(Listed("vlogs", f"{name}.mp4", speaker, split))
    return stored


def faces_of(frames: int) -> np.ndarray:
    """Faces (T, 112, 112) uint8: frame t is t + 1 all over, from 1 again after 250."""
    return np.broadcast_to((1 + np.arange(frames) % 250).astype(np.uint8)[:, None, None], (frames, 112, 112))


def save_face_crops(stored: StoredRecording, faces: np.ndarray, policy: str = "asd") -> None:
    """Keep the faces (T, 112, 112) of track 0; every tenth is missing where the policy is "aligned"."""
    frames = np.arange(3, 3 + len(faces), dtype=np.int32)
    missing = (np.arange(len(faces)) % 10 == 0) & (policy == "aligned")
    table = TrackTable(np.zeros(len(faces), np.int32), frames, {"missing": missing})
    inputs = {"tracks": stored.receipts["tracks"].key}
    params = {"policy": policy, "size": 112}
    receipt = Receipt(key=f"crops-{policy}", step="face_crops", version=1, params=params, inputs=inputs)
    stored.save("face_crops", TrackArrays({0: np.ascontiguousarray(faces)}, table), receipt)


def save_labels(stored: StoredRecording, label: np.ndarray, time_s: np.ndarray | None = None) -> None:
    """Keep what somebody says of every frame of track 0, (T,) int8 as AVA's label_id."""
    frames = np.arange(3, 3 + len(label), dtype=np.int32)
    times = frames / FPS if time_s is None else time_s
    columns = {"label": np.asarray(label, np.int8), "entity": np.full(len(label), "them:1"), "time_s": times}
    inputs = {"tracks": stored.receipts["tracks"].key}
    table = TrackTable(np.zeros(len(label), np.int32), frames, columns)
    stored.save("labels", table, Receipt(key="labels", step="corpus", version=1, inputs=inputs))


_PEOPLE = {"training": ("ana", "bo", "li"), "validation": ("eve", "kofi"), "test": ("uma", "zoe")}

VLOGS = {
    f"{split}/{speaker}/{clip}": 50 + 7 * number + 3 * len(speaker)
    for split, speakers in _PEOPLE.items()
    for speaker in speakers
    for number, clip in enumerate(("talk", "walk"))
}
"""Two clips of each of seven people, in three sets: clip -> frames."""
