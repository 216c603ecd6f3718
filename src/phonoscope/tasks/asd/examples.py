"""What a network learns from and is judged on, as arrays: windows, or labelled tracks whole; it needs no torch."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from threading import Lock
from typing import Any, Protocol

import numpy as np

from phonoscope.core.mfcc import fit_rows, mfcc
from phonoscope.core.time import Span
from phonoscope.data.windows.samples import LABELLED, ROWS, ClipSource, SpeakerClip, WindowSample, side_of
from phonoscope.store.folder import Store
from phonoscope.tasks.asd.augment import overlay, vary_faces
from phonoscope.tasks.asd.params import AugmentParams

BY_FRAME = -1  # the label of an example of whose frames each has its own
SAMPLE_RATE = 16000  # Hz


@dataclass(frozen=True, slots=True)
class Example:
    """A run of frames of one clip's face, and as long a run of the same or another clip's sound."""

    video: SpeakerClip
    audio: SpeakerClip
    start: int  # frame of `video`; what lies beyond the clip is black
    audio_start: int  # frame of `audio`
    num_frames: int
    label: int = BY_FRAME  # 1: who is seen speaks, 0: not, all along; or BY_FRAME
    kind: str = LABELLED  # as `data.windows` names it


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """An example, loaded. A network that judges windows as a whole has one label and one weight for all frames."""

    faces: np.ndarray  # (T, H, W) uint8
    mfcc: np.ndarray  # (4T, 13) float32
    labels: np.ndarray  # (T,) int64: 1 speaks, 0 not
    weight: np.ndarray  # (T,) float32: 0 where no face is to be seen or nobody has said who speaks, else 1
    whole: np.ndarray  # () bool: it is a window that has one label for all frames


class Sound(Protocol):
    """Where the sound of clips is to be had."""

    def audio(self, clip: SpeakerClip, start: int, stop: int) -> np.ndarray:
        """The samples (N,) float32 at 16 kHz under the frames [start, stop) of a clip."""
        ...

    def fps(self, clip: SpeakerClip) -> Fraction:
        """Its frames a second."""
        ...


class StoreSound:
    """The sound of a store's clips."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def audio(self, clip: SpeakerClip, start: int, stop: int) -> np.ndarray:
        """The samples (N,) float32 at 16 kHz under the frames [start, stop) of a clip."""
        return self.store[clip.recording].audio(Span(clip.start + start, clip.start + stop))

    def fps(self, clip: SpeakerClip) -> Fraction:
        """Its frames a second."""
        return self.store[clip.recording].recording.fps


class Examples(Protocol):
    """The examples of every split, loaded one by one."""

    @property
    def examples(self) -> Mapping[str, Sequence[Example]]:
        """Split by split."""
        ...

    @property
    def policy(self) -> str:
        """How faces are cut."""
        ...

    @property
    def source(self) -> ClipSource:
        """Where arrays of clips come from, and what is said of their frames."""
        ...

    @property
    def shards(self) -> Mapping[str, str]:
        """Which shard each clip lies in, by its id; none if they do not lie in shards."""
        ...

    def load(self, example: Example) -> Arrays:
        """An example as it is."""
        ...

    def vary(self, example: Example, others: Sequence[Example], rng: np.random.Generator, p: AugmentParams) -> Arrays:
        """An example, varied as the settings say; what is laid over its sound is of `others`."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Examples as published networks want them: a frame of face, four rows of MFCC and a label at a time."""

    examples: Mapping[str, Sequence[Example]]
    source: ClipSource
    policy: str = "asd"  # how faces are cut
    sound: Sound | None = None  # None: only MFCC are kept, so that nothing can be laid over
    lock: AbstractContextManager[Any] = field(default_factory=Lock)  # around a source that keeps what it reads
    shards: Mapping[str, str] = field(default_factory=dict)  # clip -> its shard

    def load(self, example: Example) -> Arrays:
        """An example as it is."""
        with self.lock:
            faces, missing = self.source.faces(example.video)
            heard = self.source.mfcc(example.audio)
            said = self.source.labels(example.video) if example.label == BY_FRAME else None
        shown, outside = run_of(faces, example.start, example.num_frames)
        unseen, _ = run_of(np.asarray(missing), example.start, example.num_frames)
        labels = np.full(example.num_frames, example.label, np.int64)
        if said is not None:
            labels = run_of(np.asarray(said), example.start, example.num_frames)[0].astype(np.int64)
        counts = ~(unseen | outside) & (labels >= 0)
        rows, _ = run_of(heard, example.audio_start * ROWS, example.num_frames * ROWS)
        whole = np.array(example.label != BY_FRAME)
        return Arrays(shown, rows.astype(np.float32), np.maximum(labels, 0), counts.astype(np.float32), whole)

    def vary(self, example: Example, others: Sequence[Example], rng: np.random.Generator, p: AugmentParams) -> Arrays:
        """An example, varied as the settings say; what is laid over its sound is of `others`."""
        it = self.load(example)
        faces = vary_faces(it.faces, rng, p) if p.vary_faces else it.faces
        rows = it.mfcc
        if self.sound and others and rng.random() < p.overlay:
            snr_db, other = rng.uniform(-p.overlay_db, p.overlay_db), others[int(rng.integers(len(others)))]
            rows = self._overlaid(self.sound, example, other, snr_db, rng)
        return replace(it, faces=faces, mfcc=it.mfcc if rows is None else rows)

    def _overlaid(
        self, sound: Sound, example: Example, other: Example, snr_db: float, rng: np.random.Generator
    ) -> np.ndarray | None:
        """MFCC (4T, 13) of an example's sound with another clip's under it; None if it is the same, or has ended.

        A frame on either side is heard too, so that the MFCC at both ends are those of the whole clip.
        """
        clip, first, last = example.audio, example.audio_start, example.audio_start + example.num_frames
        spare = other.audio.num_frames - example.num_frames
        begin = int(rng.integers(max(spare, 0) + 1))
        if other.audio.id == clip.id or first < 0 or last > clip.num_frames:
            return None
        before, after = min(first, 1), min(clip.num_frames - last, 1)
        with self.lock:
            own = sound.audio(clip, first - before, last + after)
            noise = sound.audio(other.audio, begin, min(begin + example.num_frames + 2, other.audio.num_frames))
        made = mfcc(overlay(own, noise, snr_db), SAMPLE_RATE, "psf", sound.fps(clip)).values
        return fit_rows(made[before * ROWS :], example.num_frames * ROWS).astype(np.float32)


def run_of(values: np.ndarray, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` rows from `start` on, zero where there are none, and which of them are such, (count,) bool."""
    at = np.arange(start, start + count)
    outside = (at < 0) | (at >= len(values))
    made = np.zeros((count, *values.shape[1:]), values.dtype)
    made[~outside] = values[at[~outside]]
    return made, outside


def of_window(sample: WindowSample, by_frame: bool = True) -> Example:
    """A window sample as an example; of a labelled one each frame keeps its own label, where the source has them."""
    side = side_of(sample.window)
    label = BY_FRAME if by_frame and sample.kind == LABELLED else sample.label
    starts = sample.center - side, sample.audio_center - side
    return Example(sample.video, sample.audio, *starts, sample.window, label, sample.kind)


def of_track(clip: SpeakerClip, piece: int) -> list[Example]:
    """A labelled track as examples, one, or several of at most `piece` frames that differ by one at most in length."""
    count = -(-clip.num_frames // piece)
    edges = [round(at * clip.num_frames / count) for at in range(count + 1)]
    return [Example(clip, clip, a, a, b - a) for a, b in pairwise(edges)]
