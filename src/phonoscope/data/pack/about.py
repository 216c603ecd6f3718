"""What is told of a clip beside its film and its sound: whose it is, when, in which set, under which rights."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from phonoscope.core.time import Span
from phonoscope.data.pack.clips import TrackClip
from phonoscope.data.pack.material import Material, under
from phonoscope.data.pack.rttm import RttmParams, speaker_of, turns_of
from phonoscope.data.pack.speaking import runs, scores_of
from phonoscope.data.pack.square import FixedSquare
from phonoscope.data.split import TRAINING, check_disjoint, set_named, split_of
from phonoscope.store.folder import Store
from phonoscope.store.recording import StoredRecording

TRAIN = "train"  # what the field's file names call the training set
FIGURES = ("blur", "size_px", "brightness", "contrast", "confidence", "faces")  # columns of `quality`
HEARD = 1  # the label of who speaks and is heard
NEAR = 10  # labels speak for frames up to a second / NEAR away: they come at other rates than ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of a clip in which its face speaks."""

    start: int  # frame of the clip
    stop: int  # frame of the clip
    start_s: float  # s from the clip's start
    stop_s: float  # s from the clip's start


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """A clip in words and numbers; these are the names of keys in JSON and of columns in tables."""

    clip: str
    recording: str  # id
    track: int
    start_frame: int  # of the recording
    stop_frame: int  # of the recording
    frames: int
    start_s: float  # s of the recording
    stop_s: float  # s of the recording
    duration_s: float  # s
    fps: str  # a fraction
    sample_rate: int  # Hz; 0: silent
    samples: int
    speaker: str  # as the corpus calls them, else `recording:track`
    split: str  # "train", "validation", "test", or as the corpus calls it
    corpus: str
    licence: str
    consent: str
    origin: str
    x: int  # px of the recording's upright picture, left edge of the square
    y: int  # px, upper edge
    side: int  # px, of the square
    size: int  # px, of the clip's film
    missing: int | None  # frames without landmarks; None: the store has no landmarks
    speaking: tuple[Stretch, ...] | None  # None: neither labels nor scores tell
    speaking_by: str  # "labels", "asd", ""
    blur: float | None  # this and the following: medians of `quality`; None: not measured
    size_px: float | None
    brightness: float | None
    contrast: float | None
    confidence: float | None
    faces: float | None


def about(material: Material, clip: TrackClip, square: FixedSquare, size: int) -> About:
    """What is known of a clip whose film shows a square at `size` px.

    It speaks where a corpus's labels say so, else where the layout `rttm` has turns by its defaults.
    """
    recording, span, listed = material.recording, clip.span, material.stored.listed
    under_it = span.samples(recording.fps, recording.sample_rate) if material.flac else slice(0, 0)
    points = material.points(clip)
    spans, by = _speaking(material, clip)
    return About(
        clip=clip.name, recording=recording.id, track=clip.track.id, start_frame=span.start, stop_frame=span.stop,
        frames=len(span), start_s=float(span.start / recording.fps), stop_s=float(span.stop / recording.fps),
        duration_s=float(len(span) / recording.fps), fps=str(recording.fps),
        sample_rate=recording.sample_rate if material.flac else 0, samples=under_it.stop - under_it.start,
        speaker=(listed.speaker if listed else "") or speaker_of(material, clip), split=set_of(material.stored),
        corpus=listed.corpus if listed else "", licence=recording.rights.licence, consent=recording.rights.consent,
        origin=recording.rights.origin, x=square.x, y=square.y, side=square.side, size=size,
        missing=None if points is None else int(np.isnan(points).any((1, 2)).sum()),
        speaking=None if spans is None else tuple(_stretch(it, span.start, recording.fps) for it in spans),
        speaking_by=by,
        **_figures(material, clip),
    )  # fmt: skip


def set_of(stored: StoredRecording) -> str:
    """The set that all of a recording belongs to, as a word for file names: the corpus's, else by its speaker."""
    listed = stored.listed
    speaker = (listed.speaker if listed else "") or stored.recording.sha256[:8]  # copies of a film are one person
    named = set_named(listed.split) if listed and listed.split else split_of(speaker)
    return TRAIN if named == TRAINING else re.sub(r"\W+", "_", named)


def check_sets(store: Store, ids: Sequence[str]) -> None:
    """Nothing, if no speaker and no film of these recordings is in two sets.

    Raises:
        UsageError: one is.
    """
    speakers, films, there = set(), set(), {*store}
    for stored in (store[id] for id in ids if id in there):
        split = set_of(stored)
        films.add((stored.recording.sha256, split))
        if stored.listed and stored.listed.speaker:
            speakers.add((stored.listed.speaker, split))
    check_disjoint(speakers)
    check_disjoint(films, "film")


def _speaking(material: Material, clip: TrackClip) -> tuple[list[Span] | None, str]:
    """The frames of the recording in which a clip's face speaks, and who says so."""
    fps, labels = material.recording.fps, material.labels
    if labels is not None and len(at := labels.frame[labels.track == clip.track.id]):
        heard = labels.of(clip.track.id, "label") == HEARD
        return labelled(at, heard, clip.span, max(1, int(fps / NEAR))), "labels"
    if material.flac and material.asd is not None:
        return turns_of(scores_of(material.asd, clip), clip.span.start, fps, RttmParams()), "asd"
    return None, ""


def labelled(at: np.ndarray, heard: np.ndarray, span: Span, near: int) -> list[Span]:
    """The frames of a span whose nearest label says that it is heard, from labels (N,) bool of frames `at` (N,).

    Labels more than `near` frames away say nothing; of two equally near, the earlier one speaks.
    """
    order = np.argsort(at, kind="stable")
    at, heard = at[order], heard[order]
    frame = np.arange(span.start, span.stop)
    after = np.minimum(np.searchsorted(at, frame), len(at) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(at[before] - frame) <= np.abs(at[after] - frame), before, after)
    return runs(heard[nearest] & (np.abs(at[nearest] - frame) <= near), span.start)


def _stretch(span: Span, first: int, fps: Fraction) -> Stretch:
    start, stop = span.start - first, span.stop - first
    return Stretch(start=start, stop=stop, start_s=float(start / fps), stop_s=float(stop / fps))


def _figures(material: Material, clip: TrackClip) -> dict[str, float | None]:
    """Medians of what `quality` measured; None where it has not, or where nothing was to be seen."""
    table = material.quality
    if table is None:
        return dict.fromkeys(FIGURES)
    found = {}
    for name in FIGURES:
        values = np.asarray(under(clip, table, table.of(clip.track.id, name)), np.float64)
        known = values[~np.isnan(values)]
        found[name] = float(np.median(known)) if len(known) else None
    return found
