"""Scenes: who sits where, who says what when, and how it is filmed; and the exact truth about all of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from phonoscope.core.time import Span, sample_at
from phonoscope.testing.puppet import render, truth
from phonoscope.testing.puppet.sound import voice
from phonoscope.testing.puppet.speech import Speech, Utterance, utter


@dataclass(frozen=True, slots=True)
class Head:
    """A person: looks and manners from a seed, and what the lips say."""

    seed: int
    says: Speech | Utterance | None = None  # an utterance moves the lips only: its sound is somebody else's to add


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a head is in a shot, before the camera moves."""

    head: int  # number among the scene's heads
    x: float  # px, centre of the face's box
    y: float  # px
    height: float  # px, of the face's box
    yaw_deg: float = 0.0  # turned to the right of the picture on average


@dataclass(frozen=True, slots=True)
class View:
    """What the camera shows: the point in the middle of the picture, and how near it is."""

    x: float  # px of the unmoved picture
    y: float  # px
    zoom: float = 1.0


@dataclass(frozen=True, slots=True)
class Shot:
    """Frames filmed without a cut."""

    num_frames: int
    seats: tuple[Seat, ...] = ()
    backdrop: int = 0  # seed of the room
    camera: tuple[View, View] | None = None  # from, to; None stands still
    fade_in: int = 0  # frames from black
    fade_out: int = 0  # frames to black
    desk: float | None = None  # px of the unmoved picture, top of a table before the people


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A drawn film of talking heads. Frame k shows the time (k + 1/2) / fps."""

    heads: tuple[Head, ...]
    shots: tuple[Shot, ...]
    width: int = 640  # px
    height: int = 360  # px
    fps: Fraction = Fraction(25)
    sample_rate: int = 16000  # Hz
    sounds: tuple[Speech, ...] | None = None  # what is heard; None: what the heads say. Others here are wrong dubs
    audio_offset_s: float = 0.0  # positive: sound comes late; truth keeps to the picture
    noise: float = 0.0006  # RMS of the room's noise, full scale 1

    def __post_init__(self) -> None:
        if not self.shots or any(shot.num_frames < 1 for shot in self.shots):
            raise ValueError("a scene needs at least one shot, and every shot at least one frame")
        for number, shot in enumerate(self.shots):
            seated = [seat.head for seat in shot.seats]
            if len(set(seated)) < len(seated) or not set(seated) <= set(range(len(self.heads))):
                raise ValueError(
                    f"shot {number} seats heads {seated}; each of the {len(self.heads)} heads may sit once"
                )

    @property
    def num_frames(self) -> int:
        """Frames in all."""
        return sum(shot.num_frames for shot in self.shots)

    @property
    def duration_s(self) -> Fraction:
        """Length, seconds."""
        return self.num_frames / self.fps

    @property
    def spans(self) -> tuple[Span, ...]:
        """The frames of each shot."""
        stops = np.cumsum([shot.num_frames for shot in self.shots]).tolist()
        return tuple(Span(stop - shot.num_frames, stop) for stop, shot in zip(stops, self.shots, strict=True))

    @property
    def heard(self) -> tuple[Speech, ...]:
        """The speeches in the sound."""
        if self.sounds is not None:
            return self.sounds
        return tuple(dict.fromkeys(head.says for head in self.heads if isinstance(head.says, Speech)))

    def times_s(self, span: Span | None = None) -> np.ndarray:
        """The times that frames show, (T,) float64 s."""
        span = span or Span(0, self.num_frames)
        return (np.arange(span.start, span.stop) + 0.5) / float(self.fps)

    def utterance(self, head: int) -> Utterance | None:
        """What a head says, as its lips say it."""
        said = self.heads[head].says
        return utter(said, float(self.duration_s)) if isinstance(said, Speech) else said

    def frames(self) -> Iterator[np.ndarray]:
        """The pictures, one after another, (H, W, 3) uint8 RGB; each is a new array."""
        return render.frames(self)

    def audio(self) -> np.ndarray:
        """The sound, (N,) float32 in [-1, 1], exactly as long as the pictures."""
        count = sample_at(self.num_frames, self.fps, self.sample_rate)
        mixed = self.noise * np.random.default_rng(0x4015E).standard_normal(count)
        shift = int(np.clip(round(self.audio_offset_s * self.sample_rate), -count, count))
        for speech in self.heard:
            sound = voice(utter(speech, float(self.duration_s)), self.sample_rate)[:count]
            earlier, later = max(-shift, 0), max(shift, 0)
            mixed[later : count - earlier] += sound[earlier : count - later]
        return np.clip(mixed, -1, 1).astype(np.float32)

    @property
    def truth(self) -> truth.Truth:
        """Everything that is so, by frame; worked out anew at every call."""
        return truth.truth_of(self)
