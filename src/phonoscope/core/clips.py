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
class Listed:
    """How a corpus lists a recording."""

    corpus: str  # "vlogs", "ava"
    path: str  # within the corpus, such as training/ana/talk.mp4; what it is called there
    speaker: str = ""  # who is to be seen and heard, where that is one person
    split: str = ""  # "training", "validation", "test", or as the corpus calls it


@dataclass(frozen=True, slots=True)
class Clip:
    """A run of frames of one recording, with the tracks that count in it."""

    id: str  # one clip's only, whatever else is selected
    recording: str  # id
    span: Span
    tracks: tuple[int, ...]
    labels: tuple[Label, ...] = ()
    split: str = ""  # "train", "validation", "test"; "" while it is in none
