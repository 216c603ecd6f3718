"""What lies under a part of a recording, and the whole put together from what was made of its parts.

Frames and tracks keep their numbers in a part: it is less of the same, not a film of its own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np

from phonoscope.core.faces import Faces, TrackArrays, Tracks, TrackTable
from phonoscope.core.geometry import Crops
from phonoscope.core.time import Span


@singledispatch
def restricted(value: Any, span: Span) -> Any:
    """What an artifact says of the frames of a span; what does not go by frames, such as sound, is given whole.

    Raises:
        ValueError: a track crosses the edge of the span.
    """
    return value


@restricted.register
def _(value: Faces, span: Span) -> Faces:
    rows = slice(*np.searchsorted(value.frame, [span.start, span.stop]))
    return Faces(value.frame[rows], value.box[rows], value.score[rows], value.points[rows])


@restricted.register
def _(value: Tracks, span: Span) -> Tracks:
    return Tracks(tuple(track for track in value if _inside(track.span, span, track.id)))


@restricted.register
def _(value: Crops, span: Span) -> Crops:
    return Crops(tuple(crop for crop in value.crops if _inside(crop.span, span, crop.track)))


@restricted.register
def _(value: TrackTable, span: Span) -> TrackTable:
    rows = (span.start <= value.frame) & (value.frame < span.stop)
    return TrackTable(value.track[rows], value.frame[rows], {name: it[rows] for name, it in value.columns.items()})


@restricted.register
def _(value: TrackArrays, span: Span) -> TrackArrays:
    frames = restricted(value.frames, span)
    return TrackArrays(_Some(value.arrays, tuple(np.unique(frames.track).tolist())), frames)


@dataclass(frozen=True, slots=True)
class _Some(Mapping[int, np.ndarray]):
    """Some of the arrays, each taken only when it is asked for: they may be mapped from disk."""

    arrays: Mapping[int, np.ndarray]
    ids: tuple[int, ...]

    def __getitem__(self, id: int) -> np.ndarray:
        if id not in self.ids:
            raise KeyError(id)
        return self.arrays[id]

    def __iter__(self) -> Iterator[int]:
        return iter(self.ids)

    def __len__(self) -> int:
        return len(self.ids)


def _inside(span: Span, part: Span, track: int) -> bool:
    """Whether a track lies in a part of the film.

    Raises:
        ValueError: it lies there with a part of it only.
    """
    shared = span & part
    if shared not in (None, span):
        said = f"track {track} has frames {span.start} to {span.stop - 1}"
        raise ValueError(f"{said}, and the film is cut at frame {part.start} or {part.stop}: cut it between tracks")
    return shared is not None


def joined(parts: Sequence[Any]) -> Any:
    """One artifact from those of successive parts of a film: what would have been made of the whole.

    Raises:
        TypeError: nobody knows how artifacts of this type go together.
    """
    if isinstance(parts[0], Faces):
        columns = zip(*((it.frame, it.box, it.score, it.points) for it in parts), strict=True)
        return Faces(*map(np.concatenate, columns))
    if isinstance(parts[0], TrackTable):
        return _joined_tables(parts)
    raise TypeError(f"{type(parts[0]).__name__} of parts of a film cannot be put together")


def _joined_tables(parts: Iterable[TrackTable]) -> TrackTable:
    """All rows, by track, then frame."""
    tables = list(parts)
    track, frame = (np.concatenate([getattr(it, name) for it in tables]) for name in ("track", "frame"))
    order = np.lexsort((frame, track))
    columns = {name: np.concatenate([it.columns[name] for it in tables])[order] for name in tables[0].columns}
    return TrackTable(track[order], frame[order], columns)
