"""Speech: nonsense syllables in phrases, as the curves that steer both a voice and a mouth."""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

CONTROL_RATE = 200  # rows a second of every curve


class _Vowel(NamedTuple):
    formants: tuple[float, float, float]  # Hz
    open: float  # 0 … 1
    wide: float  # -1 rounded … 1 spread


class _Onset(NamedTuple):
    voicing: float
    hiss: float
    hiss_hz: float
    open: float
    wide: float
    length: float  # s


_VOWELS = (
    _Vowel((730, 1090, 2440), 1.00, 0.0), _Vowel((660, 1720, 2410), 0.85, 0.5), _Vowel((530, 1840, 2480), 0.62, 0.5),
    _Vowel((400, 1990, 2550), 0.42, 0.5), _Vowel((290, 2290, 3010), 0.30, 0.9), _Vowel((440, 1020, 2240), 0.42, -0.5),
    _Vowel((310, 870, 2240), 0.25, -1.0), _Vowel((570, 840, 2410), 0.75, -0.7), _Vowel((640, 1190, 2390), 0.72, 0.1),
)  # fmt: skip
_ONSETS = (
    _Onset(0.50, 0.00, 2500, 0.35, 0.0, 0.02),  # none
    _Onset(0.34, 0.00, 2500, 0.00, 0.0, 0.10),  # m
    _Onset(0.06, 0.00, 1200, 0.00, 0.0, 0.10),  # b
    _Onset(0.00, 0.03, 1500, 0.00, 0.1, 0.11),  # p
    _Onset(0.00, 0.30, 5600, 0.12, 0.4, 0.10),  # s
    _Onset(0.00, 0.34, 3200, 0.15, -0.5, 0.10),  # sh
    _Onset(0.00, 0.14, 4200, 0.15, 0.2, 0.06),  # t
    _Onset(0.42, 0.00, 2500, 0.28, 0.1, 0.06),  # l
    _Onset(0.40, 0.00, 1000, 0.10, -1.0, 0.07),  # w
)


@dataclass(frozen=True, slots=True)
class Speech:
    """What one voice says, and when."""

    voice: int  # seed of the voice: its pitch (even seeds are low), its throat, how far its lips run ahead
    turns: tuple[tuple[float, float], ...]  # (start, stop) s; each is filled with phrases and pauses between them
    words: int = 0  # seed of the syllables


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """A speech worked out: curves of `rows` rows at CONTROL_RATE, row 0 at time 0."""

    speech: Speech
    phrases: np.ndarray  # (P, 2) s: start and stop of each run of syllables; there is silence between them
    mouth_open: np.ndarray  # (rows,) 0 lips shut … 1 wide open
    mouth_wide: np.ndarray  # (rows,) -1 rounded … 1 spread
    voicing: np.ndarray  # (rows,) loudness of the glottis, 0 … 1
    hiss: np.ndarray  # (rows,) loudness of fricative noise
    hiss_hz: np.ndarray  # (rows,) centre of that noise
    formants: np.ndarray  # (rows, 3) Hz, of an average throat
    pitch: np.ndarray  # (rows,) relative to the voice's own

    def lips(self, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far the mouth is open and how far spread at these times, two of (T,)."""
        rows = np.arange(len(self.voicing)) / CONTROL_RATE
        return np.interp(times_s, rows, self.mouth_open), np.interp(times_s, rows, self.mouth_wide)

    def talks(self, times_s: np.ndarray) -> np.ndarray:
        """Whether these times lie in a phrase, (T,) bool."""
        start, stop = self.phrases.T
        return ((times_s[:, None] >= start) & (times_s[:, None] < stop)).any(1)


def utter(speech: Speech, duration_s: float) -> Utterance:
    """The speech worked out over the first `duration_s` seconds; a longer look begins in the same way.

    Raises:
        ValueError: a turn starts before 0 or does not stop after its start.
    """
    rows = round(duration_s * CONTROL_RATE) + 1
    end_s = max((stop for _, stop in speech.turns), default=0.0)
    draft = _Draft(max(rows, round(end_s * CONTROL_RATE) + 1))
    phrases: list[tuple[float, float]] = []
    for number, (start, stop) in enumerate(speech.turns):
        if not 0 <= start < stop:
            raise ValueError(f"a turn must satisfy 0 <= start < stop, got ({start}, {stop}) s")
        rng = np.random.default_rng([speech.voice, speech.words, number, 0x5A7])
        for phrase in _phrases(start, stop, rng):
            draft.add_phrase(*phrase, rng)
            phrases.append(phrase)
    lead = round(np.random.default_rng([speech.voice, 0x1EAD]).uniform(0.0, 0.04) * CONTROL_RATE)
    ahead = [np.append(curve[lead:], np.zeros(lead)) for curve in (draft.open, draft.wide)]
    formants = np.stack([smooth(curve, 9) for curve in draft.formants.T], 1)
    curves = (
        smooth(ahead[0], 13), smooth(ahead[1], 17), smooth(draft.voicing, 5), smooth(draft.hiss, 5), draft.hiss_hz,
        formants, smooth(draft.pitch, 15),
    )  # fmt: skip
    return Utterance(speech, np.array(phrases).reshape(-1, 2), *(curve[:rows] for curve in curves))


def smooth(curve: np.ndarray, width: int) -> np.ndarray:
    """Moving Hann average over `width` rows (odd)."""
    weights = np.hanning(width + 2)[1:-1]
    return np.convolve(np.pad(curve, width // 2, mode="edge"), weights / weights.sum(), "valid")


def _phrases(start: float, stop: float, rng: np.random.Generator) -> list[tuple[float, float]]:
    """A turn cut into phrases of 1–3 s with pauses of 0.35–0.65 s between them; a short turn is one phrase."""
    phrases = []
    while stop - start > 1e-6:
        length, pause = float(rng.uniform(1.2, 2.6)), float(rng.uniform(0.35, 0.65))
        if stop - start < length + pause + 1.0:  # no room for another phrase
            length = stop - start if stop - start <= 3.0 else (stop - start - pause) / 2
        phrases.append((start, start + length))
        start += length + pause
    return phrases


class _Draft:
    """Curves in the making, one target held until the next."""

    def __init__(self, rows: int) -> None:
        self.voicing, self.hiss, self.open, self.wide = (np.zeros(rows) for _ in range(4))
        self.hiss_hz = np.full(rows, 2500.0)
        self.formants = np.tile(np.array(_VOWELS[-1].formants, float), (rows, 1))
        self.pitch = np.ones(rows)

    def add_phrase(self, start: float, stop: float, rng: np.random.Generator) -> None:
        """Fill a phrase with syllables, 3–6 a second."""
        count = max(1, round((stop - start) * rng.uniform(3.4, 5.4)))
        lengths = rng.uniform(0.75, 1.25, count)
        lengths[-1] *= 1.3
        edges = start + (stop - start) * np.concatenate([[0], np.cumsum(lengths) / lengths.sum()])
        for begin, end in pairwise(edges):
            self._add_syllable(begin, end, (begin - start) / (stop - start), rng)

    def _add_syllable(self, begin: float, end: float, progress: float, rng: np.random.Generator) -> None:
        stress = rng.uniform(0.7, 1.0)
        onset, vowel = _ONSETS[rng.integers(len(_ONSETS))], _VOWELS[rng.integers(len(_VOWELS))]
        first, middle, last = (
            round(at * CONTROL_RATE) for at in (begin, begin + min(onset.length, 0.45 * (end - begin)), end)
        )
        before, during = slice(first, middle), slice(middle, last)
        self.voicing[before], self.hiss[before], self.hiss_hz[before] = onset.voicing, onset.hiss, onset.hiss_hz
        self.open[before], self.wide[before] = onset.open, onset.wide
        self.voicing[during] = stress * (0.55 + 0.45 * vowel.open)
        self.open[during], self.wide[during] = stress * vowel.open, vowel.wide
        self.formants[first:last] = vowel.formants
        self.formants[before, 0] *= 0.6
        self.pitch[first:last] = 1.12 - 0.24 * progress + 0.14 * (stress - 0.8)  # falls towards the phrase's end
