"""What seed 001's networks learn from: half a second of faces up to a labelled frame, and a fifth of its sound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.data.split import SETS
from phonoscope.data.windows.samples import ClipSource, SpeakerClip
from phonoscope.data.windows.source import StoreSource
from phonoscope.models.backends.ava_asd import normalised_mfcc, window_frames, window_rows
from phonoscope.store.folder import Store
from phonoscope.tasks.asd.augment import vary_faces
from phonoscope.tasks.asd.examples import Arrays, Example, StoreSound
from phonoscope.tasks.asd.params import AugmentParams

SIZE, STRIDE = 100, 4  # px; faces from one window to the next


@dataclass(frozen=True, slots=True, eq=False)
class WindowMaterial:
    """Windows of a store's labelled tracks, split by split. An example's `start` is the frame at which it ends."""

    examples: Mapping[str, Sequence[Example]]
    store: Store
    source: ClipSource  # of labels
    policy: str = "tight"
    lock: Lock = field(default_factory=Lock)
    heard: dict[str, np.ndarray] = field(default_factory=dict)  # clip -> its MFCC (R, 13)
    shards: Mapping[str, str] = field(default_factory=dict)  # clip -> its shard: it lies in a store

    def load(self, example: Example) -> Arrays:
        """A window: faces (5, 100, 100) uint8, MFCC (13, 20) float32, one label and one weight."""
        clip, fps = example.video, self.store[example.video.recording].recording.fps
        frames = window_frames(example.start + 1, fps)[-1]
        with self.lock:
            crops = self.store[clip.recording].load("face_crops")
            if clip.id not in self.heard:
                self.heard[clip.id] = normalised_mfcc(StoreSound(self.store).audio(clip, 0, clip.num_frames))
            rows, seen = self.heard[clip.id], crops.frames.of(clip.track, "missing")[frames]
            faces = np.stack([crops[clip.track][frame] for frame in frames])
        mfcc = rows[np.clip(window_rows(frames[-1:], fps)[0], 0, len(rows) - 1)].T
        weight = np.array([not seen[-1]], np.float32)
        return Arrays(faces, np.ascontiguousarray(mfcc), np.array([example.label]), weight, np.array(True))

    def vary(self, example: Example, others: Sequence[Example], rng: np.random.Generator, p: AugmentParams) -> Arrays:
        """A window with its faces varied; its sound, which is normalised by its film, is left as it is."""
        it = self.load(example)
        return replace(it, faces=vary_faces(it.faces, rng, p)) if p.vary_faces else it


def ava_material(store: Store, clips: Sequence[SpeakerClip]) -> WindowMaterial:
    """A window every fourth face of labelled clips, ten faces a second, labelled as its last frame is.

    Raises:
        UsageError: a recording's faces are not cut as this network wants them.
    """
    examples: dict[str, list[Example]] = {name: [] for name in SETS}
    source = StoreSource(store)
    for clip in clips:
        stored = store[clip.recording]
        receipt = stored.receipts.get("face_crops") if "face_crops" in stored.fresh else None
        made = (receipt.params or {}) if receipt else {}
        if (made.get("policy"), made.get("size")) != ("tight", SIZE):
            again = f"`phonoscope run face_crops {store.root} --face-crops.policy tight --face-crops.size {SIZE}`"
            raise UsageError(f"'{clip.recording}' has no tight faces of {SIZE} px, which ava-asd learns from: {again}")
        said = source.labels(clip)
        for last in window_frames(clip.num_frames, stored.recording.fps)[::STRIDE, -1].tolist():
            if said[last] >= 0:
                examples.setdefault(clip.split, []).append(Example(clip, clip, last, last, 1, int(said[last])))
    return WindowMaterial(examples, store, source)
