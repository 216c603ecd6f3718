"""Arrays of clips straight from a store: nothing is written."""

from typing import Literal

import numpy as np

from phonoscope.core.align import face_crop
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import TrackArrays, Tracks
from phonoscope.core.geometry import POLICIES
from phonoscope.core.mfcc import fit_rows, mfcc
from phonoscope.core.time import Span
from phonoscope.corpora.ava import SPEAKING_AUDIBLE
from phonoscope.data.kept import Kept
from phonoscope.data.windows.samples import ROWS, SpeakerClip
from phonoscope.store.folder import Store
from phonoscope.store.recording import StoredRecording

SIZE = 112  # px, both sides of a face

Policy = Literal["asd", "aligned"]


class StoreSource:
    """Clips of a store: faces from `face_crops` if they are fresh and of this policy, else from the film itself.

    Args:
        policy: how a face is cut: "asd" as scorers see it, "aligned" upright and of one size, by `landmarks`.
    """

    def __init__(self, store: Store, policy: Policy = "asd") -> None:
        self.store, self.policy = store, policy
        self._kept = Kept()

    def faces(self, clip: SpeakerClip) -> tuple[np.ndarray, np.ndarray]:
        """Faces (T, 112, 112) uint8 grey, and in which frames there is none, (T,) bool; these are 0.

        Raises:
            UsageError: the clip is no longer in the store, or has no landmarks where "aligned" needs them.
        """
        faces, missing = self._kept.get((clip.id, "faces"), lambda: self._faces(clip))
        return faces, missing

    def mfcc(self, clip: SpeakerClip) -> np.ndarray:
        """MFCC of the clip's own sound by the recipe "psf", (4T, 13) float64, filled up from its start.

        Raises:
            UsageError: the recording has no sound.
        """
        return self._kept.get((clip.id, "mfcc"), lambda: (self._mfcc(clip),))[0]

    def labels(self, clip: SpeakerClip) -> np.ndarray:
        """What is said of every frame, (T,) int8: 1 speaks, 0 does not or is not heard, -1 nobody has said.

        Raises:
            UsageError: the recording has no labels.
        """
        return self._kept.get((clip.id, "labels"), lambda: (self._labels(clip),))[0]

    def key(self, clip: SpeakerClip) -> str:
        """What the arrays of a clip depend on, as text: equal keys mean equal arrays."""
        receipts = self.store[clip.recording].receipts
        needed = ["audio", "tracks", *(["landmarks"] if self.policy == "aligned" else [])]
        made = [f"{name}={receipts[name].key}" for name in needed if name in receipts]
        return " ".join([f"windows-1 {self.policy} {clip.track} {clip.start}+{clip.num_frames}", *made])

    def has_faces(self, clip: SpeakerClip) -> bool:
        """Whether there is what a clip's faces are cut by."""
        stored = self.store[clip.recording]
        return self.policy != "aligned" or "landmarks" in stored.fresh or self._kept_crops(stored)

    def _kept_crops(self, stored: StoredRecording) -> bool:
        """Whether the store has these very faces."""
        receipt = stored.receipts.get("face_crops")
        params = (receipt.params if receipt else None) or {}
        return (params.get("policy"), params.get("size")) == (self.policy, SIZE) and "face_crops" in stored.fresh

    def _faces(self, clip: SpeakerClip) -> tuple[np.ndarray, np.ndarray]:
        stored = self.store[clip.recording]
        if self._kept_crops(stored):
            made: TrackArrays = stored.load("face_crops")
            faces, missing = made[clip.track], made.frames.of(clip.track, "missing")
            return (np.where(missing[:, None, None], np.uint8(0), faces) if missing.any() else faces), missing
        return _cut_faces(stored, clip, self.policy)

    def _mfcc(self, clip: SpeakerClip) -> np.ndarray:
        stored = self.store[clip.recording]
        sound = stored.audio(Span(clip.start, clip.start + clip.num_frames))
        made = mfcc(sound, stored.recording.sample_rate, "psf", stored.recording.fps).values
        return fit_rows(made, ROWS * clip.num_frames)

    def _labels(self, clip: SpeakerClip) -> np.ndarray:
        table = self.store[clip.recording].load("labels")
        mine = table.track == clip.track
        said = np.full(clip.num_frames, -1, np.int8)
        said[table.frame[mine] - clip.start] = table.columns["label"][mine] == SPEAKING_AUDIBLE
        return said


def _cut_faces(stored: StoredRecording, clip: SpeakerClip, policy: str) -> tuple[np.ndarray, np.ndarray]:
    """Faces of a clip out of the film, as the step `asd` shows them to a scorer.

    Raises:
        UsageError: the policy needs landmarks, and there are none.
    """
    from phonoscope.media.video import decode

    tracks: Tracks = stored.load("tracks")
    points = None
    if policy == "aligned":
        if "landmarks" not in stored.fresh:
            again = f"`phonoscope run landmarks {stored.folder.parents[1]}` makes them"
            raise UsageError(f"'{stored.folder.name}' has no landmarks, by which aligned faces are cut: {again}")
        points = stored.load("landmarks")[clip.track]
    crop, missing = face_crop(tracks[clip.track], policy, SIZE, points)
    faces = np.zeros((clip.num_frames, SIZE, SIZE), np.uint8)
    border = POLICIES[crop.policy].border
    for picture in decode(stored.source, stored.clock, [crop.span]):
        at = picture.frame - crop.start
        if not missing[at]:
            faces[at] = picture.crop_grey(crop.matrix[at], crop.size, border)
    return faces, missing
