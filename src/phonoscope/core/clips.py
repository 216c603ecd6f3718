"""Clips: pieces of recordings that are trained on, and what is said of them."""

from dataclasses import dataclass

from phonoscope.core.time import Span


@dataclass(frozen=True, slots=True)
class Label:
    """What a person or a model says of a span of a track."""

    span: Span
    track: int
    value: str  # "speaking", a viseme, a word
    rater: str  # "human:ana" or "model:lr-asd@1f3c"
    confidence: float = 1.0  # in [0, 1]


@dataclass(frozen=True, slots=True)
class Clip:
    """A run of frames of one recording, with the tracks that count in it."""

    id: str  # one clip's only, whatever else is selected
    recording: str  # id
    span: Span
    tracks: tuple[int, ...]
    labels: tuple[Label, ...] = ()
    split: str = ""  # "train", "validation", "test"; "" while it is in none
