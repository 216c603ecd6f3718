"""Along tracks: tables that wait to be filled, and which frames a speed is taken from."""

import numpy as np

from phonoscope.core.faces import Track, Tracks, TrackTable


def blank_table(tracks: Tracks, *columns: str) -> tuple[TrackTable, dict[int, int]]:
    """A row for every frame of every track, by track, then frame, with NaN float32 in every column.

    Returns:
        The table, whose columns may be written to, and the row at which each track starts, by id.
    """
    ordered = sorted(tracks, key=lambda track: track.id)
    starts = np.cumsum([0, *map(len, ordered)])
    empty = np.zeros(0, np.int32)
    table = TrackTable(
        np.concatenate([empty, *(np.full(len(track), track.id, np.int32) for track in ordered)]),
        np.concatenate([empty, *(np.arange(t.span.start, t.span.stop, dtype=np.int32) for t in ordered)]),
        {name: np.full(starts[-1], np.nan, np.float32) for name in columns},
    )
    return table, {track.id: int(start) for track, start in zip(ordered, starts[:-1], strict=True)}


class Passing:
    """Which tracks are under a frame, for frames that come in order: none is asked again once it is over."""

    def __init__(self, tracks: Tracks) -> None:
        self._waiting = sorted(tracks, key=lambda track: track.start, reverse=True)
        self._live: list[Track] = []

    def at(self, frame: int) -> list[Track]:
        """The tracks that have this frame, in order of start."""
        while self._waiting and self._waiting[-1].start <= frame:
            self._live.append(self._waiting.pop())
        self._live = [track for track in self._live if frame < track.span.stop]
        return self._live


def neighbours(seen: np.ndarray, reach: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Between which rows to take the speed in each row of a track, and how many frames lie between them.

    `reach` rows before and after; fewer at the ends. Nothing is bridged: where the row itself, or one from the first to
    the last of those that it leans on, was not seen, there is no speed.

    Args:
        seen: (T,) bool, in which rows there is something to compare.

    Returns:
        Rows before (T,), rows after (T,), frames between them (T,) float64: NaN where there is no speed.
    """
    row = np.arange(len(seen))
    before, after = np.maximum(row - reach, 0), np.minimum(row + reach, len(seen) - 1)
    missing = np.concatenate([[0], np.cumsum(~np.asarray(seen, bool))])
    whole = (missing[after + 1] == missing[before]) & (after > before)
    return before, after, np.where(whole, after - before, np.nan)
