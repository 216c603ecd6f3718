"""A voice and the lips that go with it: nonsense syllables with glottal pulses, formants, hiss and pauses."""

from dataclasses import dataclass

import numpy as np

CONTROL_RATE = 200  # rows a second of everything that steers the synthesis
_LEVEL = 0.075  # RMS of a phrase, full scale 1

# first three formants Hz, how far the mouth is open (0…1), how spread (-1 rounded … 1)
_VOWELS = np.array([
    (730, 1090, 2440, 1.00, 0.0), (660, 1720, 2410, 0.85, 0.5), (530, 1840, 2480, 0.62, 0.5), (400, 1990, 2550, 0.42, 0.5),
    (290, 2290, 3010, 0.30, 0.9), (440, 1020, 2240, 0.42, -0.5), (310, 870, 2240, 0.25, -1.0), (570, 840, 2410, 0.75, -0.7),
    (640, 1190, 2390, 0.72, 0.1),
])  # fmt: skip
# voicing, hiss, centre of the hiss Hz, open, spread, duration s
_ONSETS = {
    "none": (0.50, 0.00, 2500, 0.35, 0.0, 0.02),
    "m": (0.34, 0.00, 2500, 0.00, 0.0, 0.09),
    "b": (0.06, 0.00, 1200, 0.00, 0.0, 0.09),
    "p": (0.00, 0.03, 1500, 0.00, 0.1, 0.10),
    "s": (0.00, 0.30, 5600, 0.12, 0.4, 0.10),
    "sh": (0.00, 0.34, 3200, 0.15, -0.5, 0.10),
    "t": (0.00, 0.14, 4200, 0.15, 0.2, 0.06),
    "l": (0.42, 0.00, 2500, 0.28, 0.1, 0.06),
    "w": (0.40, 0.00, 1000, 0.10, -1.0, 0.07),
}


@dataclass(frozen=True, slots=True)
class Speech:
    """What one voice says, and when."""

    voice: int  # seed of the voice: its pitch, its throat, how far its lips run ahead of its sound
    turns: tuple[tuple[float, float], ...]  # (start, stop) s; each is filled with phrases and the pauses between them
    words: int = 0  # seed of the syllables


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """A speech made audible and visible."""

    audio: np.ndarray  # (N,) float32 in [-1, 1]
    sample_rate: int  # Hz
    open: np.ndarray  # (M,) 0 shut … 1 wide open, at CONTROL_RATE; row 0 lies at time 0
    wide: np.ndarray  # (M,) -1 rounded … 1 spread
    phrases: np.ndarray  # (P, 2) s: start and stop of each run of syllables; between them there is silence

    def lips(self, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far the mouth is open and spread at these times, two of (T,)."""
        at = times_s * CONTROL_RATE
        rows = np.arange(len(self.open))
        return np.interp(at, rows, self.open, 0, 0), np.interp(at, rows, self.wide, 0, 0)

    def speaks(self, times_s: np.ndarray) -> np.ndarray:
        """Whether these times lie in a phrase, (T,) bool."""
        start, stop = self.phrases.T
        return ((times_s[:, None] >= start) & (times_s[:, None] < stop)).any(1)


def speak(speech: Speech, duration_s: float, sample_rate: int = 16000) -> Utterance:
    """The speech as sound and lip movement, `duration_s` seconds long."""
    rows = round(duration_s * CONTROL_RATE) + 1
    steer = _Steering(rows)
    phrases = []
    for number, turn in enumerate(speech.turns):
        rng = np.random.default_rng([speech.voice, speech.words, number, 0x5A7])
        for start, stop in _phrases(turn, min(turn[1], duration_s), rng):
            steer.add_phrase(start, stop, rng)
            phrases.append((start, stop))
    voice = np.random.default_rng([speech.voice, 0x701CE])
    pitch_hz = float(voice.uniform(95, 130) if speech.voice % 2 == 0 else voice.uniform(175, 225))
    throat = 1.0 + 0.16 * (speech.voice % 2) + float(voice.uniform(-0.03, 0.04))
    lead = round(float(voice.uniform(0.0, 0.04)) * CONTROL_RATE)
    audio = _synthesize(steer, pitch_hz, throat, sample_rate, voice)[: round(duration_s * sample_rate)]
    lips = _smooth(np.clip(steer.open, 0, 1), 13), _smooth(steer.wide, 17)
    open_, wide = (np.concatenate([curve[lead:], np.zeros(lead)]) for curve in lips)
    return Utterance(audio, sample_rate, open_, wide, np.array(phrases).reshape(-1, 2))


def _phrases(turn: tuple[float, float], stop_s: float, rng: np.random.Generator) -> list[tuple[float, float]]:
    """A turn cut into phrases of 1–3 s with pauses of 0.35–0.65 s between them."""
    phrases, start = [], turn[0]
    while stop_s - start > 0.25:
        length = float(rng.uniform(1.2, 2.8))
        if stop_s - start - length < 1.2:  # what would be left is too short for a pause and a phrase
            length = stop_s - start if stop_s - start < 3.2 else (stop_s - start) / 2
        phrases.append((start, start + length))
        start += length + float(rng.uniform(0.35, 0.65))
    return phrases


class _Steering:
    """Curves that steer the synthesis, (rows,) each at CONTROL_RATE."""

    def __init__(self, rows: int) -> None:
        self.voicing, self.hiss, self.open, self.wide = (np.zeros(rows) for _ in range(4))
        self.hiss_hz = np.full(rows, 2500.0)
        self.formants = np.tile(_VOWELS[-1, :3], (rows, 1))
        self.pitch = np.ones(rows)

    def add_phrase(self, start: float, stop: float, rng: np.random.Generator) -> None:
        """Fill a phrase with syllables, 3–6 a second, pitch falling towards its end."""
        rate = rng.uniform(3.4, 5.4)
        count = max(1, round((stop - start) * rate))
        lengths = rng.uniform(0.75, 1.25, count)
        lengths[-1] *= 1.3
        edges = start + (stop - start) * np.concatenate([[0], np.cumsum(lengths) / lengths.sum()])
        for begin, end in zip(edges[:-1], edges[1:], strict=True):
            self._add_syllable(begin, end, (begin - start) / (stop - start), rng)

    def _add_syllable(self, begin: float, end: float, progress: float, rng: np.random.Generator) -> None:
        stress = rng.uniform(0.7, 1.0)
        voicing, hiss, hiss_hz, open_, wide, length = _ONSETS[list(_ONSETS)[int(rng.integers(len(_ONSETS)))]]
        vowel = _VOWELS[int(rng.integers(len(_VOWELS)))]
        middle = begin + min(length, 0.45 * (end - begin))
        onset, nucleus = self._rows(begin, middle), self._rows(middle, end)
        self.voicing[onset], self.hiss[onset], self.hiss_hz[onset] = voicing, hiss, hiss_hz
        self.open[onset], self.wide[onset] = open_, wide
        self.voicing[nucleus] = stress * (0.55 + 0.45 * vowel[3])
        self.open[nucleus], self.wide[nucleus] = stress * vowel[3], vowel[4]
        self.formants[slice(onset.start, nucleus.stop)] = vowel[:3]
        self.formants[onset, 0] *= 0.6
        self.pitch[slice(onset.start, nucleus.stop)] = 1.12 - 0.24 * progress + 0.14 * (stress - 0.8)

    def _rows(self, start: float, stop: float) -> slice:
        return slice(round(start * CONTROL_RATE), round(stop * CONTROL_RATE))


def _smooth(curve: np.ndarray, width: int) -> np.ndarray:
    """Moving Hann average over `width` rows (odd)."""
    weights = np.hanning(width + 2)[1:-1]
    padded = np.pad(curve, width // 2, mode="edge")
    return np.convolve(padded, weights / weights.sum(), "valid")


def _synthesize(
    steer: _Steering, pitch_hz: float, throat: float, sample_rate: int, rng: np.random.Generator
) -> np.ndarray:
    """Pulses and noise through a vocal tract that changes every 5 ms, (≥ rows · sample_rate / CONTROL_RATE,) float32."""
    rows, hop = len(steer.open), sample_rate // CONTROL_RATE
    jitter = 1 + 0.035 * _smooth(rng.standard_normal(rows), 9)
    pitch = np.repeat(pitch_hz * _smooth(steer.pitch, 15) * jitter, hop)
    phase = np.cumsum(pitch / sample_rate)
    breath = rng.standard_normal(len(phase))
    source = 30 * np.diff(_glottis(phase % 1), prepend=0) * (sample_rate / 16000) + 0.02 * breath
    tract = _tract(_smooth_columns(steer.formants * throat, 9), hop, sample_rate)
    mouth = np.exp(-(((_frequencies(hop, sample_rate) - steer.hiss_hz[:, None]) / 1300) ** 2))
    voiced = _filter(source, tract * _smooth(steer.voicing, 5)[:, None], hop)
    hissed = _filter(breath, mouth * _smooth(steer.hiss, 5)[:, None], hop)
    audio = voiced + 0.9 * hissed
    loud = np.sqrt(np.mean(audio[np.repeat(steer.voicing > 0, hop)] ** 2)) if steer.voicing.any() else 1.0
    return np.clip(audio * _LEVEL / loud, -1, 1).astype(np.float32)


def _smooth_columns(curves: np.ndarray, width: int) -> np.ndarray:
    return np.stack([_smooth(curve, width) for curve in curves.T], 1)


def _glottis(phase: np.ndarray) -> np.ndarray:
    """Flow through the glottis over one cycle of phase 0…1.

    Source: Rosenberg, "Effect of glottal pulse shape on the quality of natural vowels", JASA 1971.
    """
    rise, fall = phase / 0.42, (phase - 0.42) / 0.18
    return np.where(phase < 0.42, 3 * rise**2 - 2 * rise**3, np.clip(1 - fall**2, 0, None))


def _frequencies(hop: int, sample_rate: int) -> np.ndarray:
    return np.fft.rfftfreq(10 * hop, 1 / sample_rate)[None]


def _tract(formants: np.ndarray, hop: int, sample_rate: int) -> np.ndarray:
    """Gain of the vocal tract, (rows, F), from three formants a row and two fixed ones above."""
    frequency = _frequencies(hop, sample_rate)
    above = formants[:, 2:] * np.array([1.38, 1.75])
    gain = np.ones((len(formants), frequency.shape[1]))
    for centre, width in zip(np.concatenate([formants, above], 1).T, (70, 100, 150, 220, 300), strict=True):
        ratio = frequency / centre[:, None]
        gain /= np.hypot(1 - ratio**2, ratio * width / centre[:, None])
    return gain * (1 + frequency / 1500)  # the lips radiate high tones better


def _filter(source: np.ndarray, gain: np.ndarray, hop: int) -> np.ndarray:
    """The source with each 5 ms row weighted by its gain (zero phase, overlap-add), as long as the source."""
    window = np.hanning(5 * hop + 1)[:-1] / 2.5  # five windows overlap and add to one
    padded = np.pad(source, 2 * hop)
    made = np.zeros(len(source) + 9 * hop)
    for row, weight in enumerate(gain):
        piece = padded[row * hop : row * hop + 5 * hop]
        spectrum = np.fft.rfft(np.pad(piece * window[: len(piece)], (2 * hop, 10 * hop - 2 * hop - len(piece))))
        made[row * hop : row * hop + 10 * hop] += np.fft.irfft(spectrum * weight, 10 * hop)[: len(made) - row * hop]
    return made[4 * hop : 4 * hop + len(source)]
