"""What is packed: a track, or the piece of one that somebody chose, under a name that no other clip has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, Tracks
from phonoscope.core.time import Span
from phonoscope.data.clips import read_clips
from phonoscope.store.folder import Store
from phonoscope.store.recording import StoredRecording

Choice = Mapping[str, Sequence[tuple[int, Span]]]
"""Recording id -> the pieces of its tracks that are wanted."""


@dataclass(frozen=True, slots=True)
class TrackClip:
    """A piece of one track."""

    name: str  # a-z, 0-9, dashes and underscores: a file's name on any system
    track: Track  # cut to the piece

    @property
    def span(self) -> Span:
        """The frames of the recording that it covers."""
        return self.track.span


def recording_in(store: Store, id: str) -> StoredRecording:
    """A recording by its whole id: names of clips begin with it, so a part of it will not do.

    Raises:
        UsageError: there is none.
    """
    stored = store[id]
    if stored.folder.name != id:
        raise UsageError(f"no '{id}' in the store at '{store.root}'; did you mean '{stored.folder.name}'?")
    return stored


def clips_of(recording: str, tracks: Tracks, chosen: Sequence[tuple[int, Span]] | None = None) -> list[TrackClip]:
    """The chosen pieces of a recording's tracks as clips, in the order given; by default every track, whole.

    A name is the recording's id, then `_` and the track's id where the recording has several, then `_start-stop`
    (frames) where the clip is not all of its track. It does not depend on what else is chosen.

    Raises:
        UsageError: there is no such track, or it does not cover the piece.
    """
    if chosen is None:
        chosen = [(track.id, track.span) for track in tracks]
    return [_clip(recording, tracks, id, span) for id, span in dict.fromkeys(chosen)]


def _clip(recording: str, tracks: Tracks, id: int, span: Span) -> TrackClip:
    track = next((track for track in tracks if track.id == id), None)
    if track is None or track.span & span != span:
        has = f"has frames [{track.start}, {track.span.stop})" if track else "does not exist"
        raise UsageError(f"asked for frames [{span.start}, {span.stop}) of track {id} of '{recording}', which {has}")
    name = recording + (f"_{id}" if len(tracks) > 1 else "")
    if span == track.span:
        return TrackClip(name, track)
    rows = slice(span.start - track.start, span.stop - track.start)
    piece = Track(id, span.start, track.box[rows], track.score[rows], track.observed[rows])
    return TrackClip(f"{name}_{span.start}-{span.stop}", piece)


def read_choice(path: Path) -> Choice:
    """The clips that a table asks for, such as `phonoscope select` writes.

    Raises:
        UsageError: it is no such table, or has a row that is no clip.
    """
    chosen: dict[str, list[tuple[int, Span]]] = {}
    try:
        for clip in read_clips(path):
            chosen.setdefault(clip.recording, []).extend((track, clip.span) for track in clip.tracks)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"cannot read the clips in '{path}': {' '.join(str(error).split())}") from None
    return chosen
