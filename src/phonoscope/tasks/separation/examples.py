"""What a separator learns from and is judged on: people who speak alone, mixed anew each time; it needs no torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Protocol

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.time import Span
from phonoscope.data.kept import Kept
from phonoscope.data.mix_sounds import Sounds
from phonoscope.data.mixing import MixParams, mixed
from phonoscope.data.split import SETS, TRAINING
from phonoscope.tasks.separation.params import ExamplesParams

FPS, SAMPLE_RATE = 25, 16000  # frames and samples a second
FRAME = SAMPLE_RATE // FPS  # samples under a frame
MANY, MOST_BYTES = 1 << 20, 1 << 30  # voices that are kept, and how much of them


class Voice(Protocol):
    """A stretch of film in which one person is heard; see `data.voices`."""

    @property
    def speaker(self) -> str:
        """Who it is."""
        ...

    @property
    def span(self) -> Span:
        """The frames of the recording."""
        ...

    def audio(self) -> np.ndarray:
        """Sound (N,) float32 at 16 kHz, 640 samples a frame."""
        ...


Face = Callable[[Any], np.ndarray]
"""Rows (T, D) float32 of a voice's face, one a frame; NaN where it is not seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """P voices that are heard at once, T frames long."""

    sound: np.ndarray  # (N,) float32, with noise if there is some
    voices: np.ndarray  # (P, N) float32, as loud and as reverberant as they are in it
    rows: np.ndarray  # (P, T, D) float32, NaN where a face is not seen
    speakers: tuple[str, ...]


@dataclass(eq=False)
class Material:
    """The voices of every split, by speaker; what was read is kept as long as there is room."""

    voices: Mapping[str, Sequence[Voice]]
    face: Face | None = None  # None: nobody looks at faces
    sounds: Sounds = field(default_factory=Sounds)  # noise and rooms that mixtures are laid into
    _kept: Kept = field(default_factory=partial(Kept, MANY, MOST_BYTES), init=False)

    @cached_property
    def people(self) -> dict[str, list[list[Voice]]]:
        """The voices of each speaker, split by split; speakers in the order of their names."""
        found: dict[str, dict[str, list[Voice]]] = {}
        for split, voices in self.voices.items():
            for voice in voices:
                found.setdefault(split, {}).setdefault(voice.speaker, []).append(voice)
        return {split: [its[name] for name in sorted(its)] for split, its in found.items()}

    @cached_property
    def width(self) -> int:
        """Numbers of a row of a face; 0 if nobody looks at faces."""
        first = next((voice for split in SETS for voice in self.voices.get(split, ())), None)
        return self.load(first)[1].shape[1] if first and self.face else 0

    def load(self, voice: Voice) -> tuple[np.ndarray, np.ndarray]:
        """A voice's sound (N,) and rows (T, D) of its face.

        Raises:
            UsageError: the sound is not finite, or there are not as many samples and rows as its frames want.
        """
        audio, rows = self._kept.get(id(voice), lambda: _checked(voice, voice.audio(), self._rows(voice)))
        return audio, rows

    def _rows(self, voice: Voice) -> np.ndarray:
        return self.face(voice) if self.face else np.zeros((len(voice.span), 0), np.float32)


def _checked(voice: Voice, audio: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    who, frames = f"the voice of '{voice.speaker}'", len(voice.span)
    if len(audio) != frames * FRAME or len(rows) != frames:
        raise UsageError(f"{who} has {len(audio)} samples and {len(rows)} rows, its {frames} frames want {FRAME} and 1")
    if not np.isfinite(audio).all():
        raise UsageError(f"{who} holds samples that are NaN or infinite: take its recording out of the store")
    return audio.astype(np.float32, copy=False), rows.astype(np.float32, copy=False)


def draw(material: Material, split: str, p: ExamplesParams, rng: np.random.Generator, *, vary: bool = False) -> Mixed:
    """A mixture of as many people as the settings say, each with one of their voices, all by lot.

    Of a longer voice a part is taken; a shorter one lies somewhere in the mixture, its face not seen before and after.

    Args:
        vary: voices and faces as the settings say that those of training are; else as they are.

    Raises:
        UsageError: the split has fewer people.
    """
    people = material.people.get(split, [])
    if len(people) < p.speakers:
        raise UsageError(f"the split '{split}' has {len(people)} speakers, mixtures want {p.speakers}")
    chosen = [_one_of(people[who], rng) for who in rng.choice(len(people), p.speakers, replace=False)]
    parts = [(varied if vary else _part)(*material.load(voice), p.frames, rng, p) for voice in chosen]
    sounds, rows = (np.stack(it) for it in zip(*parts, strict=True))
    if vary and rng.random() < p.still:
        sounds[-1], rows[-1] = 0, rows[-1, :1]
    how = MixParams(speakers=p.speakers, gains=p.gains, snr_db=p.snr_db, noise_db=p.noise_db, normalise=p.normalise)
    made = mixed(sounds, how, rng, *material.sounds.drawn(p.speakers, rng))
    return Mixed(made.sound, made.voices, rows, tuple(voice.speaker for voice in chosen))


def strangers(
    material: Material, split: str, p: ExamplesParams, but: Sequence[str], rng: np.random.Generator
) -> np.ndarray | None:
    """Rows (P, T, D) of the faces of people who are not in a mixture; None if there is nobody else.

    All are different people as long as there are enough.
    """
    others = [voices for voices in material.people[split] if voices[0].speaker not in but]
    if not others:
        return None
    order = np.resize(rng.permutation(len(others)), p.speakers)
    return np.stack([_part(*material.load(_one_of(others[who], rng)), p.frames, rng, p)[1] for who in order])


def _one_of(voices: Sequence[Voice], rng: np.random.Generator) -> Voice:
    """One of a speaker's voices, the likelier the longer it is."""
    lengths = np.array([len(it.span) for it in voices], np.float64)
    return voices[int(rng.choice(len(voices), p=lengths / lengths.sum()))]


def _part(
    audio: np.ndarray, rows: np.ndarray, frames: int, rng: np.random.Generator, _: ExamplesParams
) -> tuple[np.ndarray, np.ndarray]:
    """`frames` frames of a voice; where it is shorter, silence and NaN are around it."""
    spare = len(rows) - frames
    begin = int(rng.integers(abs(spare) + 1))
    if spare >= 0:
        return audio[begin * FRAME : (begin + frames) * FRAME], rows[begin : begin + frames]
    around = begin, -spare - begin
    sound = np.pad(audio, (around[0] * FRAME, around[1] * FRAME))
    return sound, np.pad(rows, (around, (0, 0)), constant_values=np.nan)


def varied(
    audio: np.ndarray, rows: np.ndarray, frames: int, rng: np.random.Generator, p: ExamplesParams
) -> tuple[np.ndarray, np.ndarray]:
    """`frames` frames of a voice as it might have been: of another pace and colour, its face hidden for a while.

    Few people then sound, and look, like many.
    """
    said = max(1, round(frames * p.pace ** rng.uniform(-1, 1)))
    audio, rows = _part(audio, rows, said, rng, p)
    if said != frames:
        audio, rows = _drawn_out(audio, frames * FRAME), _drawn_out(rows, frames)
    sound = audio.astype(np.float32)
    sound[1:] += np.float32(rng.uniform(-p.tilt, p.tilt)) * audio[:-1]
    return sound, _hidden(rows, rng) if rng.random() < p.hide else rows


def _drawn_out(values: np.ndarray, count: int) -> np.ndarray:
    """`count` rows of as long a time as the values (T, …), lines drawn between their middles."""
    at = np.clip((np.arange(count) + 0.5) * (len(values) / count) - 0.5, 0, len(values) - 1)
    low = at.astype(np.int64)
    share = (at - low).reshape(-1, *[1] * (values.ndim - 1)).astype(np.float32)
    high = np.minimum(low + 1, len(values) - 1)
    return np.where(share == 0, values[low], (1 - share) * values[low] + share * values[high])


def _hidden(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same rows with some that follow each other, or all, as NaN."""
    length = int(rng.integers(1, len(rows) + 1))
    start = int(rng.integers(len(rows) - length + 1))
    rows = rows.copy()
    rows[start : start + length] = np.nan
    return rows


@dataclass(frozen=True, slots=True)
class Batches(Sequence[Any]):
    """The batches of a split in an epoch; each is mixed when it is asked for.

    The same number gives the same batch: what is left to chance is drawn from the seeds, the epoch and the number of
    the mixture. Those of validation and test depend on `mix_seed` and their number alone, and are not varied.
    """

    material: Material
    split: str
    epoch: int
    p: ExamplesParams
    seed: int
    made: Callable[[Sequence[Mixed]], Any]

    def __len__(self) -> int:
        return -(-self.mixtures // self.p.batch)

    def __getitem__(self, at: Any) -> Any:
        if not 0 <= at < len(self):
            raise IndexError(at)
        numbers = range(at * self.p.batch, min((at + 1) * self.p.batch, self.mixtures))
        return self.made([self.mixture(number) for number in numbers])

    @property
    def mixtures(self) -> int:
        """How many there are."""
        return self.p.mixtures if self.split == TRAINING else self.p.judged

    def mixture(self, number: int) -> Mixed:
        """One of them."""
        learning = self.split == TRAINING
        when = (self.seed, self.epoch) if learning else (0, 0)
        rng = np.random.default_rng([self.p.mix_seed, SETS.index(self.split), *when, number])
        return draw(self.material, self.split, self.p, rng, vary=learning)
