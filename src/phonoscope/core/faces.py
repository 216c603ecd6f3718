"""What is seen of people: shots, faces, tracks, and whatever varies along a track.

Boxes are xyxy in pixels of the upright source frame, with pixel centres at +0.5.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from phonoscope.core.time import Span


@dataclass(frozen=True, slots=True)
class Shots:
    """Runs of frames filmed without a cut; together they tile the recording."""

    spans: tuple[Span, ...]
    fps: Fraction


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Every face that a detector found, sorted by frame."""

    frame: np.ndarray  # (N,) int32
    box: np.ndarray  # (N, 4) float32 xyxy px
    score: np.ndarray  # (N,) float32 in [0, 1]
    points: np.ndarray  # (N, 5, 2) float32 px: right and left eye, nose, right and left mouth corner; NaN: unknown

    def __len__(self) -> int:
        return len(self.frame)


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One face followed through one shot, a box for every frame."""

    id: int
    start: int  # frame of row 0
    box: np.ndarray  # (T, 4) float32 xyxy px
    score: np.ndarray  # (T,) float32, NaN where interpolated
    observed: np.ndarray  # (T,) bool: a detector saw it; elsewhere the box is interpolated

    def __len__(self) -> int:
        return len(self.box)

    @property
    def span(self) -> Span:
        """The frames it covers."""
        return Span(self.start, self.start + len(self))


@dataclass(frozen=True, slots=True)
class Tracks:
    """The tracks of a recording, by id."""

    tracks: tuple[Track, ...] = ()

    def __len__(self) -> int:
        return len(self.tracks)

    def __iter__(self) -> Iterator[Track]:
        return iter(self.tracks)

    def __getitem__(self, id: int) -> Track:
        """The track with this id.

        Raises:
            KeyError: there is none.
        """
        for track in self.tracks:
            if track.id == id:
                return track
        raise KeyError(f"no track {id}; this recording has {[t.id for t in self.tracks]}")


@dataclass(frozen=True, slots=True, eq=False)
class TrackTable:
    """Numbers along tracks: one row per track and frame, one or more named columns."""

    track: np.ndarray  # (N,) int32
    frame: np.ndarray  # (N,) int32
    columns: Mapping[str, np.ndarray]  # name -> (N,)

    def of(self, track: int, column: str) -> np.ndarray:
        """One column along one track, (T,)."""
        return self.columns[column][self.track == track]


@dataclass(frozen=True, slots=True, eq=False)
class TrackArrays:
    """Arrays along tracks, a row a frame: landmarks, a mesh, an embedding; NaN where the face is not to be seen."""

    arrays: Mapping[int, np.ndarray]  # track id -> (T, …)
    frames: TrackTable  # what else is known of every frame of every track, such as how sure the model was

    def __getitem__(self, track: int) -> np.ndarray:
        """The rows of one track, (T, …).

        Raises:
            KeyError: there is no such track.
        """
        if track not in self.arrays:
            raise KeyError(f"no track {track}; there are {[*self.arrays]}")
        return self.arrays[track]
