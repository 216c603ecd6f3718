"""Window samples: a second of a face, a second of a voice, and whether they belong together.

A window of W frames (odd) around frame c holds the frames [c - side, c + side + 1), side = (W - 1) / 2, and the MFCC
rows 4·(c - side) to 4·(c + side + 1): four a frame. All frames are counted from the first of the clip.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from phonoscope.core.errors import UsageError

POSITIVE, TEMPORAL, PARTIAL, COMPLETE = KINDS = ("positive", "temporal", "partial", "complete")
LABELLED = "labelled"  # the kind of windows whose label somebody has given
SHARES: Mapping[str, float] = {POSITIVE: 1 / 2, TEMPORAL: 1 / 6, PARTIAL: 1 / 6, COMPLETE: 1 / 6}
ROWS = 4  # MFCC rows a frame


@dataclass(frozen=True, slots=True)
class SpeakerClip:
    """A run of frames in which one person is seen, with the sound under it."""

    id: str  # set/speaker/clip, as its files are named
    speaker: str
    split: str
    num_frames: int
    recording: str = ""  # id in the store; "": it comes from a folder of arrays
    track: int = 0
    start: int = 0  # frame of the recording that is its first


@dataclass(frozen=True, slots=True)
class WindowSample:
    """A window of one clip's face with a window of the same or another clip's sound."""

    video: SpeakerClip  # whose face is seen
    audio: SpeakerClip  # whose sound is heard
    label: int  # 1: they belong together, who is seen speaks; 0: not
    kind: str  # one of `KINDS`, or "labelled"
    center: int  # frame of `video`
    audio_center: int  # frame of `audio`
    window: int  # frames, odd

    @property
    def split(self) -> str:
        """The set that it belongs to: one, since a mismatch is made of clips of one set."""
        return self.video.split


class ClipSource(Protocol):
    """Where the arrays of clips come from: a store, a folder, or a test's own dictionaries."""

    def faces(self, clip: SpeakerClip) -> tuple[np.ndarray, np.ndarray]:
        """Faces (T, 112, 112) uint8 grey, and in which frames there is none, (T,) bool."""
        ...

    def mfcc(self, clip: SpeakerClip) -> np.ndarray:
        """MFCC of the clip's own sound by the recipe "psf", (4T, 13)."""
        ...

    def labels(self, clip: SpeakerClip) -> np.ndarray:
        """What is said of every frame, (T,) int8: 1 speaks, 0 does not, -1 nobody has said."""
        ...


def side_of(window: int) -> int:
    """Frames of a window on either side of its middle.

    Raises:
        UsageError: a window of so many frames has no middle.
    """
    if window < 1 or window % 2 == 0:
        raise UsageError(f"a window has an odd number of frames, 25 for example, got {window}")
    return (window - 1) // 2


def centres(num_frames: int, window: int, pad: bool = False) -> range:
    """The frames around which a window fits into a clip; with `pad`, all: what lies outside is then zero."""
    side = side_of(window)
    return range(num_frames) if pad else range(side, max(side, num_frames - side))


def min_shift(window: int) -> int:
    """The least number of frames by which two windows lie apart that share at most half: 13 of 25, 26 of 51."""
    side_of(window)
    return -(-window // 2)


def cut(values: np.ndarray, center: int, window: int, rows: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The rows (window·rows, …) of a window, zero where the values have ended, and which of them are such, bool."""
    side = side_of(window)
    at = np.arange((center - side) * rows, (center + side + 1) * rows)
    outside = (at < 0) | (at >= len(values))
    made = np.zeros((len(at), *values.shape[1:]), values.dtype)
    made[~outside] = values[at[~outside]]
    return made, outside


def window_arrays(sample: WindowSample, source: ClipSource) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a sample shows and lets hear: faces (W, 112, 112) uint8, MFCC (4W, 13), missing (W,) bool.

    Missing are frames in which no face was found, and those beyond the clip.
    """
    faces, missing = source.faces(sample.video)
    shown, outside = cut(faces, sample.center, sample.window)
    unseen, _ = cut(missing, sample.center, sample.window)
    heard, _ = cut(source.mfcc(sample.audio), sample.audio_center, sample.window, ROWS)
    return shown, heard, unseen | outside


def frame_labels(sample: WindowSample, source: ClipSource) -> np.ndarray:
    """What is right for each frame of a sample, (W,) int8: 1 speaks, 0 does not, -1 nobody has said.

    Of a drawn sample that is its label, all along; of a labelled one what was said of each frame.
    """
    if sample.kind != LABELLED:
        return np.full(sample.window, sample.label, np.int8)
    said, outside = cut(source.labels(sample.video), sample.center, sample.window)
    return np.where(outside, np.int8(-1), said).astype(np.int8)
