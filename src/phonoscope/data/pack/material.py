"""What a recording has for its clips: where their faces are, which way they look, what they say."""

from functools import cached_property

import numpy as np

from phonoscope.core.faces import TrackArrays, TrackTable
from phonoscope.core.series import Series
from phonoscope.data.pack.clips import TrackClip
from phonoscope.data.pack.formats import unknown
from phonoscope.store.recording import StoredRecording

ANGLES = ("yaw_deg", "pitch_deg", "roll_deg")


class Material:
    """The fresh artifacts of a recording, read when they are first needed."""

    def __init__(self, stored: StoredRecording) -> None:
        self.stored, self.recording, fresh = stored, stored.recording, stored.fresh
        self.receipts = {name: receipt for name, receipt in stored.receipts.items() if name in fresh}
        self.flac = fresh.get("audio") if self.recording.num_samples else None

    def key(self, name: str) -> str:
        """The key of an artifact; nothing if it is not there."""
        return self.receipts[name].key if name in self.receipts else ""

    @property
    def face_policy(self) -> str:
        """How the faces that are kept are cut; nothing if none are."""
        receipt = self.receipts.get("face_crops")
        return str((receipt.params or {}).get("policy", "")) if receipt else ""

    @cached_property
    def landmarks(self) -> TrackArrays | None:
        """Along every track, (T, 68, 2) px of the source."""
        return self.stored.load("landmarks") if "landmarks" in self.receipts else None

    @cached_property
    def pose(self) -> TrackTable | None:
        """Along every track, degrees."""
        return self.stored.load("pose") if "pose" in self.receipts else None

    @cached_property
    def speech(self) -> Series:
        """Hidden states, (T, layers, D)."""
        return self.stored.load("speech")

    @cached_property
    def asd(self) -> TrackTable | None:
        """Log-odds of speaking along every track."""
        return self.stored.load("asd") if "asd" in self.receipts else None

    @cached_property
    def quality(self) -> TrackTable | None:
        """How good the pictures of every track are."""
        return self.stored.load("quality") if "quality" in self.receipts else None

    @cached_property
    def labels(self) -> TrackTable | None:
        """What a corpus says of some frames of tracks."""
        return self.stored.load("labels") if "labels" in self.receipts else None

    def points(self, clip: TrackClip) -> np.ndarray | None:
        """Landmarks of a clip, (T, 68, 2) float32 px of the source; None if there are none."""
        if self.landmarks is None:
            return None
        return under(clip, self.landmarks.frames, self.landmarks[clip.track.id])

    def angles(self, clip: TrackClip) -> np.ndarray | None:
        """Pose of a clip, (T, 3) float64: yaw, pitch and roll in degrees; None if there is none."""
        if self.pose is None:
            return None
        columns = np.stack([self.pose.of(clip.track.id, name) for name in ANGLES], 1)
        return under(clip, self.pose, columns.astype(np.float64))

    def embeddings(self, clip: TrackClip) -> tuple[np.ndarray, np.ndarray]:
        """Embeddings of a clip, (T, D) float32, NaN where there is none, and where no face is known, (T,) bool.

        Raises:
            UsageError: there are no embeddings, or they are stale.
        """
        faces: TrackArrays = self.stored.load("embeddings")
        lost = faces.frames.of(clip.track.id, "missing")
        return under(clip, faces.frames, faces[clip.track.id]), under(clip, faces.frames, lost)

    def missing(self, clip: TrackClip) -> np.ndarray | None:
        """In which frames landmarks or pose are not known, (T,) bool; None if there is neither."""
        lost = [unknown(values) for values in (self.points(clip), self.angles(clip)) if values is not None]
        return np.any(lost, axis=0) if lost else None


def under(clip: TrackClip, table: TrackTable, values: np.ndarray) -> np.ndarray:
    """The rows of a whole track's values that belong to a clip of it.

    Raises:
        ValueError: the track has no row for some of the clip's frames.
    """
    frame = table.frame[table.track == clip.track.id]
    first, count = int(np.searchsorted(frame, clip.span.start)), len(clip.span)
    rows = np.asarray(values[first : first + count])
    if len(rows) != count or frame[first] != clip.span.start:
        raise ValueError(f"{clip.name} has {count} frames from {clip.span.start} on, but its values are others")
    return rows
