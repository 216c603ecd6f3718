"""Who speaks alone in a store: stretches of film in which one person is heard, and whose face that is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Tracks
from phonoscope.core.time import Span
from phonoscope.data.mixing import SAMPLE_RATE
from phonoscope.data.people import named_in
from phonoscope.data.right_face import seen_in, share_seen
from phonoscope.data.speaking_alone import alone_in
from phonoscope.data.split import SHARES, check_disjoint, set_named, split_of
from phonoscope.models.stretches import FaceLips
from phonoscope.store.folder import Store
from phonoscope.store.recording import StoredRecording

FPS = Fraction(25)


@dataclass(frozen=True, slots=True)
class Voice:
    """A stretch of film in which one person is heard alone."""

    stored: StoredRecording
    track: int  # id of their face's
    speaker: str  # who it is
    split: str  # "training", "validation", "test", or as a corpus calls its set
    span: Span  # frames of the recording, 25 a second
    seen: float  # share of these frames in which the face is there: `right_face.seen_in`
    row: int | None = None  # of AVSpeech's catalogue

    def audio(self) -> np.ndarray:
        """Sound (N,) float32 at 16 kHz, 640 samples a frame."""
        return self.stored.audio(self.span)

    def rows(self, artifact: str) -> np.ndarray:
        """The face's rows of `lips` or `embeddings`, (T, D) float32, a row a frame; NaN where the face is missing.

        It is missing, too, where the voice goes beyond the face's track, as a row of AVSpeech's catalogue may.

        Raises:
            UsageError: there are none that are fresh: `phonoscope run` makes them.
        """
        start = self.stored.load("tracks")[self.track].start
        return FaceLips(start, self.stored.load(artifact)[self.track]).on(self.span.start, self.span.stop)


@dataclass(frozen=True, slots=True)
class Voices:
    """The voices of a store, by recording and time, and why others are none."""

    voices: tuple[Voice, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)  # recording -> why


def voices_in(
    store: Store,
    *,
    least_s: float = 1.0,
    max_missing: float = 1.0,
    shares: Mapping[str, float] = SHARES,
    seed: int = 0,
    say: Callable[[str], None] = lambda line: None,
) -> Voices:
    """Who is heard alone, when, and which face is theirs.

    A recording with one track is that track's voice. With several, or with labels, it is a stretch in which exactly one
    track speaks: by `labels` where a corpus gave them, else by `asd` above 0. Pauses of up to half a second belong to
    it. Of films that AVSpeech's catalogue lists, each row is a stretch, and its face the one nearest to the point.

    Speakers are those that a corpus lists, else the persons of `people`, joined over recordings where all have been
    embedded, else each recording is one. Sets are those of the corpus, else drawn by `split_of`, so that neither a
    speaker nor a recording is in two. Copies of one film are one.

    Args:
        least_s: a shorter stretch is none.
        max_missing: share of its frames, up to which the face may be missing.
        shares: of speakers in each set, where no corpus tells it.
        seed: of that draw.
        say: told of each recording that is left out, in a line.

    Raises:
        UsageError: a corpus has a speaker, or a film, in several sets.
    """
    found: list[Voice] = []
    left_out: dict[str, str] = {}
    persons = named_in(store)
    for id in store:
        try:
            mine = [*_alone(store[id], persons.get(id, {}))]
            found += _fit(mine, least_s, max_missing)
        except UsageError as error:
            left_out[id] = str(error)
            say(f"left out {id}: {error}")
    found = _parted(found, shares, seed)
    check_disjoint((it.speaker, it.split) for it in found)
    check_disjoint(((it.stored.recording.sha256, it.split) for it in found), "film")
    return Voices(tuple(found), left_out)


def parted_anew(found: Sequence[Voice], seed: int) -> list[Voice]:
    """The same voices in the sets that this seed draws; those of a corpus stay."""
    free = [it if it.stored.listed and it.stored.listed.split else replace(it, split="") for it in found]
    return _parted(free, SHARES, seed)


def _alone(stored: StoredRecording, persons: Mapping[int, str]) -> Iterator[Voice]:
    """The stretches of one recording, not yet in a set unless a corpus says in which.

    Raises:
        UsageError: there are none; why.
    """
    recording, fresh = stored.recording, stored.fresh
    if not recording.num_samples:
        raise UsageError("it has no sound: a face without a voice")
    if (recording.fps, recording.sample_rate) != (FPS, SAMPLE_RATE):
        kept = f"{float(recording.fps):.5g} frames and {recording.sample_rate} samples a second"
        raise UsageError(f"it has {kept}, a voice {FPS} and {SAMPLE_RATE}: prepare it into another store")
    if "tracks" not in fresh:
        raise UsageError("it has no tracks: `phonoscope run tracks` makes them")
    tracks: Tracks = stored.load("tracks")
    if not len(tracks):
        raise UsageError("nobody is seen in it: a voice without a face")
    listed = stored.listed
    split = set_named(listed.split) if listed and listed.split else ""
    for track, span, row in alone_in(stored, tracks):
        who = (listed.speaker if listed else "") or persons.get(track.id) or recording.sha256[:8]
        seen = share_seen(seen_in(stored, track), track, span)
        yield Voice(stored, track.id, who, split, span, seen, row)


def _fit(found: Sequence[Voice], least_s: float, max_missing: float) -> list[Voice]:
    """Those that are long enough and seen enough.

    Raises:
        UsageError: none is; why.
    """
    if not found:
        raise UsageError("nobody speaks alone in it, or where AVSpeech's catalogue says")
    long = [it for it in found if len(it.span) >= least_s * FPS]
    if not long:
        longest_s = max(len(it.span) for it in found) / FPS
        raise UsageError(
            f"nobody speaks alone for {least_s:g} s in it, the longest stretch is {float(longest_s):.2f} s"
        )
    seen = [it for it in long if 1 - it.seen <= max_missing + 1e-9]
    if not seen:
        least = 1 - max(it.seen for it in long)
        raise UsageError(f"the face is missing in {least:.0%} of the frames, {max_missing:.0%} are allowed")
    return sorted(seen, key=lambda it: (it.span, it.track))


def _parted(found: Sequence[Voice], shares: Mapping[str, float], seed: int) -> list[Voice]:
    """The same voices, each in a set: speakers who share a film, and films that share a speaker, in one."""
    group: dict[str, str] = {}

    def first(name: str) -> str:
        while (leads := group.setdefault(name, name)) != name:
            name = leads
        return name

    for it in found:
        group[first(f"speaker {it.speaker}")] = first(f"film {it.stored.recording.sha256}")
    given: dict[str, str] = {}
    names: dict[str, str] = {}
    for it in found:
        which = first(f"speaker {it.speaker}")
        names[which] = min(names.get(which, it.speaker), it.speaker)
        if it.split:
            given.setdefault(which, it.split)
    sets = {which: given.get(which) or split_of(name, shares, seed) for which, name in names.items()}
    return [it if it.split else replace(it, split=sets[first(f"speaker {it.speaker}")]) for it in found]
