"""Whose voices are written: each track, or each person whom several tracks show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, TrackArrays, Tracks
from phonoscope.models.stretches import FaceLips
from phonoscope.store.recording import StoredRecording
from phonoscope.tasks.separation.separated import SAMPLE_RATE

By = Literal["track", "person"]
MOST = 48  # whose voices are written at a time: each keeps a file open


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """Somebody whose voice is told apart from the others'."""

    number: int  # of the track or of the person; -1: nobody knows who it is
    tracks: tuple[Track, ...]  # in order of time; no two share a frame

    @property
    def start(self) -> int:
        """The first frame."""
        return self.tracks[0].start

    @property
    def stop(self) -> int:
        """The frame after the last."""
        return self.tracks[-1].span.stop

    @property
    def portrayed(self) -> int:
        """The track whose portrait is the best, by its length."""
        return max(self.tracks, key=len).id

    def lips(self, lips: TrackArrays) -> FaceLips:
        """What is seen of the lips, NaN between tracks; mapped from disk if there is but one."""
        if len(self.tracks) == 1:
            return FaceLips(self.start, lips[self.tracks[0].id])
        width = lips[self.tracks[0].id].shape[1]
        rows = np.full((self.stop - self.start, width), np.nan, np.float32)
        for track in self.tracks:
            rows[track.start - self.start :][: len(track)] = lips[track.id]
        return FaceLips(self.start, rows)


def subjects_of(
    stored: StoredRecording, by: By, wanted: Sequence[int], least_s: float
) -> tuple[list[Subject], list[Subject]]:
    """Those whose voices are written, and the others, by number.

    Raises:
        UsageError: there is no sound or no face, or not that one, or there are too many.
    """
    id, fps = stored.recording.id, stored.recording.fps
    _check_sound(stored)
    every = _by_person(stored) if by == "person" else _by_track(stored)
    if not every:
        raise UsageError(f"'{id}' shows no face, and voices are told apart by the faces that speak them")
    there, kind = [it.number for it in every if it.number >= 0], "face" if by == "track" else by
    if unknown := [number for number in wanted if number not in there]:
        raise UsageError(f"'{id}' has no {kind} {unknown[0]}; there are {', '.join(map(str, there)) or 'none'}")
    chosen = [
        it for it in every if it.number >= 0
        and (it.number in wanted if wanted else sum(map(len, it.tracks)) / fps >= least_s)
    ]  # fmt: skip
    if not chosen:
        raise UsageError(f"no {kind} of '{id}' is there for {least_s:g} s: give a lower --least-s")
    if len(chosen) > MOST:
        fewer = "" if by == "person" else ", take those of one person together with --by person,"
        raise UsageError(f"'{id}' has {len(chosen)} faces, {MOST} can be written at a time: name those that you want "
                         f"with --faces{fewer} or leave short ones out with --least-s")  # fmt: skip
    return chosen, [it for it in every if it not in chosen]


def _check_sound(stored: StoredRecording) -> None:
    recording = stored.recording
    if not recording.num_samples:
        raise UsageError(f"'{recording.id}' has no sound, so there are no voices to tell apart")
    if recording.sample_rate != SAMPLE_RATE:
        said = f"voices are told apart at {SAMPLE_RATE} Hz, '{recording.id}' has {recording.sample_rate}"
        raise UsageError(f"{said}: prepare the film in a store at --clock.sample-rate {SAMPLE_RATE}")


def _by_track(stored: StoredRecording) -> list[Subject]:
    tracks: Tracks = stored.load("tracks")
    return [Subject(track.id, (track,)) for track in sorted(tracks, key=lambda track: track.id)]


def _by_person(stored: StoredRecording) -> list[Subject]:
    """Known people by number, then every track of which nobody knows who it is."""
    people, groups = stored.load("people"), dict[int, list[Track]]()
    alone = []
    for track in sorted(stored.load("tracks"), key=lambda track: track.start):
        person = int(people.of(track.id, "person")[0])
        if person < 0:
            alone.append(Subject(person, (track,)))
        else:
            groups.setdefault(person, []).append(track)
    return [Subject(person, tuple(groups[person])) for person in sorted(groups)] + alone
