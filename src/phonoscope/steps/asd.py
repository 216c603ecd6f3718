"""Who speaks: for each face, frame by frame, the odds that the voice is theirs."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from itertools import takewhile
from typing import Literal

import numpy as np

from phonoscope.core.align import face_crop, not_needed
from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, TrackArrays, Tracks, TrackTable
from phonoscope.core.geometry import POLICIES, Crop
from phonoscope.core.media import Picture, Recording
from phonoscope.core.series import Series
from phonoscope.core.time import Span
from phonoscope.flow.step import Apart, step
from phonoscope.flow.streams import Film, Look
from phonoscope.models.protocols import Piece, PiecewiseScorer, SpeakingScorer, WindowedScorer

SAMPLE_RATE = 16000  # Hz: what every SpeakingScorer hears


@dataclass(frozen=True, slots=True, kw_only=True)
class AsdParams:
    """Which model scores, and in what portions."""

    model: str = "auto"  # a speaking scorer by name; auto: the best whose weights can be had
    weights: str = ""  # of a network: talkset, ava, or a file, your own for example; by default the one for any film
    windows: Literal["shared", "exact", "track"] = "shared"  # how a network hears a long track; docs/steps/asd.md
    policy: str = "auto"  # the crop that the scorer is shown; auto: the one that it has learnt from
    piece: int = 750  # frames scored at a time, at least; a longer track is scored in pieces

    def __post_init__(self) -> None:
        within("asd.piece", self.piece, 1)
        if self.policy not in ("auto", *POLICIES):
            raise UsageError(f"no crop policy '{self.policy}' for asd.policy; there are auto, {', '.join(POLICIES)}")

    @property
    def without(self) -> frozenset[str]:
        """Inputs that are not needed with these settings."""
        return not_needed(self.policy)


@step(version=2, apart=Apart())
def asd(
    film: Film,
    tracks: Tracks,
    audio: Series,
    recording: Recording,
    landmarks: TrackArrays | None,
    scorer: SpeakingScorer,
    p: AsdParams,
) -> Look[TrackTable]:
    """Log-odds of speaking, column "score" float32, a row for every frame of every track, by track, then frame.

    A look at the film: it asks for the frames under tracks and scores them piece by piece. A piece is `piece` faces of
    a track, and those that the scorer must see around them: it holds them all, unless the scorer looks at them as they
    come. So an hour-long track takes no more memory than a short one.

    Raises:
        UsageError: the audio is not at 16 kHz, or the scorer not made for film of this rate.
        ValueError: the film leaves out a frame of a track, or the scorer a score.
    """
    if audio.rate != SAMPLE_RATE:
        raise UsageError(f"asd hears {SAMPLE_RATE} samples a second, the store's audio has {audio.rate}")
    if isinstance(scorer, WindowedScorer):
        scorer = scorer.at(recording.fps, p.windows)
    policy = scorer.policy if p.policy == "auto" else p.policy
    waiting = sorted(tracks, key=lambda track: track.start, reverse=True)
    live: list[_Strip] = []
    scores: dict[int, list[np.ndarray]] = {track.id: [] for track in tracks}
    batch = yield [track.span for track in tracks]
    while batch:
        for picture in batch:
            while waiting and waiting[-1].start <= picture.frame:
                track = waiting.pop()
                crop, missing = face_crop(track, policy, scorer.size, landmarks[track.id] if landmarks else None)
                live.append(_Strip(track, crop, missing, _parts(track, p.piece, scorer)))
            for strip in live:
                for part in strip.see(picture):
                    given = part.faces.end(_sound(audio, part.span, recording.fps))
                    scores[strip.track.id].append(_checked(given, len(part.span), scorer)[part.kept])
            live = [strip for strip in live if strip.parts]
        batch = yield
    if unfinished := [strip.track.id for strip in live] + [track.id for track in waiting]:
        raise ValueError(f"the film ended before these tracks did: {', '.join(map(str, sorted(unfinished)))}")
    return _table(tracks, scores)


@dataclass(slots=True)
class _Held:
    """A piece for a scorer that wants all its faces at once."""

    scorer: SpeakingScorer
    faces: list[np.ndarray] = field(default_factory=list)  # (N, size, size) uint8 each

    def see(self, faces: np.ndarray) -> None:
        self.faces.append(faces)

    def end(self, audio: np.ndarray) -> np.ndarray:
        faces, self.faces = np.concatenate(self.faces), []
        return self.scorer(faces, audio)


@dataclass(frozen=True, slots=True)
class _Part:
    """Frames of a track that are scored together."""

    span: Span  # of the film
    kept: slice  # of their scores: those of frames that lie around the piece are another's
    faces: Piece


def _parts(track: Track, piece: int, scorer: SpeakingScorer) -> deque[_Part]:
    """A track in pieces of as few whole periods as `piece` frames fit into, and what lies around them."""
    begin = scorer.begin if isinstance(scorer, PiecewiseScorer) else partial(_Held, scorer)
    length = len(track)
    step = -(-piece // scorer.period) * scorer.period if scorer.period else length
    parts: deque[_Part] = deque()
    for first in range(0, length, step):
        start, stop = max(first - scorer.context, 0), min(first + step + scorer.context, length)
        kept = slice(first - start, min(first + step, length) - start)
        parts.append(_Part(Span(track.start + start, track.start + stop), kept, begin()))
    return parts


@dataclass(slots=True)
class _Strip:
    """One track of which there are faces still to come."""

    track: Track
    crop: Crop
    missing: np.ndarray  # (T,) bool: no landmarks say where the face is; it is shown as 0, as in training
    parts: deque[_Part]  # that have no scores yet, in order
    seen: int = 0  # frames of the track

    def see(self, picture: Picture) -> Iterator[_Part]:
        """Show this track's face in the next picture to the scorer; the parts that this was the last face of."""
        at = picture.frame - self.track.start
        if at != self.seen:
            raise ValueError(f"track {self.track.id} needs frame {self.track.start + self.seen}, got {picture.frame}")
        self.seen += 1
        face = self._face(picture, at)[None]
        for part in takewhile(lambda part: part.span.start <= picture.frame, self.parts):
            part.faces.see(face)
        while self.parts and self.parts[0].span.stop == picture.frame + 1:
            yield self.parts.popleft()

    def _face(self, picture: Picture, at: int) -> np.ndarray:
        if self.missing[at]:
            return np.zeros(self.crop.size, np.uint8)
        return picture.crop_grey(self.crop.matrix[at], self.crop.size, POLICIES[self.crop.policy].border)


def _sound(audio: Series, span: Span, fps: Fraction) -> np.ndarray:
    """Exactly the samples under a span, (N,) float32; silence where the sound has ended."""
    under = span.samples(fps, SAMPLE_RATE)
    heard = np.asarray(audio.values[under], np.float32)
    return np.pad(heard, (0, under.stop - under.start - len(heard)))


def _checked(scores: np.ndarray, count: int, scorer: SpeakingScorer) -> np.ndarray:
    if scores.shape != (count,) or not np.isfinite(scores).all():
        raise ValueError(f"{scorer.card.name} must give ({count},) finite scores, got {scores.shape}")
    return scores.astype(np.float32)


def _table(tracks: Tracks, scores: dict[int, list[np.ndarray]]) -> TrackTable:
    ordered: Sequence[Track] = sorted(tracks, key=lambda track: track.id)
    track = [np.full(len(t), t.id, np.int32) for t in ordered]
    frame = [np.arange(t.span.start, t.span.stop, dtype=np.int32) for t in ordered]
    score = [part for t in ordered for part in scores[t.id]]
    empty = np.zeros(0, np.int32)
    return TrackTable(
        np.concatenate([empty, *track]),
        np.concatenate([empty, *frame]),
        {"score": np.concatenate([np.zeros(0, np.float32), *score])},
    )
