"""Speech varied for training: other throats, paces, rooms, microphones and noises; what is said stays."""

from dataclasses import dataclass

import numpy as np

from phonoscope.core.checks import within
from phonoscope.models.viseme_rows import BANKS, LOUD, QUIET, ROW, SAMPLE_RATE

CENTRES_HZ = 700 * (np.exp(np.linspace(0.03, 2.52, BANKS)) - 1)  # of the banks
KNEE_HZ = 4800.0  # up to which formants move alike; half the sample rate stays where it is
EDGES_HZ = (3400.0, 4000.0, 5500.0, 7000.0)  # above which a narrow line carries nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class VaryParams:
    """By how much sound is varied while a network learns from it."""

    pace: float = 0.15  # part by which speech may be faster and higher, or slower and lower
    throat: float = 0.12  # part by which formants may move, the pitch standing
    gain_db: float = 12.0  # by which it may be louder or softer
    tilt_db: float = 9.0  # by which the highest band may be louder or softer than the lowest
    noise: float = 0.6  # part of the pieces that get noise
    noise_db: tuple[float, float] = (6.0, 35.0)  # how much louder than noise speech is
    echo: float = 0.5  # part of the pieces that are heard in a room
    echo_s: tuple[float, float] = (0.1, 0.6)  # s in which a room's sound falls by 60 dB
    narrow: float = 0.25  # part of the pieces whose upper bands are lost, as by a telephone or a codec

    def __post_init__(self) -> None:
        within("visemes.pace", self.pace, 0, 0.5)
        within("visemes.throat", self.throat, 0, 0.5)
        for name in ("noise", "echo", "narrow"):
            within(f"visemes.{name}", getattr(self, name), 0, 1)


def faster(audio: np.ndarray, rows: np.ndarray, by: float, length: int) -> tuple[np.ndarray, np.ndarray]:
    """The first `length` rows of sound (N,) that is played `by` times as fast, and the rows (T,) it then has."""
    place = np.arange(length * ROW) * by
    whole = place.astype(np.int64)
    part = (place - whole).astype(np.float32)
    at = np.minimum(whole, len(audio) - 2)
    then = ((np.arange(length) + 0.5) * by).astype(np.int64)
    return audio[at] * (1 - part) + audio[at + 1] * part, rows[np.minimum(then, len(rows) - 1)]


def in_place(audio: np.ndarray, other: np.ndarray, p: VaryParams, rng: np.random.Generator) -> np.ndarray:
    """Sound (N,) in a room, with noise, louder or softer.

    Args:
        other: (N,) of somebody else, who may be heard behind it.
    """
    if rng.random() < p.echo:
        audio = _echoed(audio, rng.uniform(*p.echo_s), rng)
    level = np.sqrt(np.mean(audio**2)) + 1e-5
    if rng.random() < p.noise:
        noise = other if rng.random() < 0.25 else _noise(len(audio), rng.uniform(0, 1.2), rng)
        scale = level * 10 ** (-rng.uniform(*p.noise_db) / 20) / (np.sqrt(np.mean(noise**2)) + 1e-5)
        audio = audio + noise * scale
    gain = 0.06 / level * 10 ** (rng.uniform(-p.gain_db, p.gain_db) / 20)
    return np.clip(audio * gain + rng.normal(0, 3e-5, len(audio)), -1, 1).astype(np.float32)


def other_throat(levels: np.ndarray, p: VaryParams, rng: np.random.Generator) -> np.ndarray:
    """Levels (T, 80) with formants moved, bands louder or softer, and perhaps without the upper ones."""
    # the mel scale is all but straight below 1 kHz and logarithmic above: a factor of Hz is a shift that grows
    by = np.exp(rng.uniform(-p.throat, p.throat))
    bent = CENTRES_HZ * np.where(CENTRES_HZ < KNEE_HZ, by, by + (1 - by) * (CENTRES_HZ - KNEE_HZ) / (8000 - KNEE_HZ))
    place = np.clip(np.interp(bent, CENTRES_HZ, np.arange(BANKS)), 0, BANKS - 1.001)
    low = place.astype(np.int64)
    part = (place - low).astype(np.float32)
    levels = levels[:, low] * (1 - part) + levels[:, low + 1] * part
    gain_db = np.interp(np.arange(BANKS), np.linspace(0, BANKS - 1, 6), rng.uniform(-p.tilt_db, p.tilt_db, 6) / 2)
    gain_db += np.linspace(-0.5, 0.5, BANKS) * rng.uniform(-p.tilt_db, p.tilt_db)
    if rng.random() < p.narrow:
        edge = np.interp(rng.choice(EDGES_HZ), CENTRES_HZ, np.arange(BANKS))
        gain_db -= np.clip((np.arange(BANKS) - edge) / 2, 0, 1) * rng.uniform(10, 40)
    return np.clip(levels + gain_db * np.log(10) / 10, QUIET, LOUD).astype(np.float32)


def _echoed(audio: np.ndarray, falls_s: float, rng: np.random.Generator) -> np.ndarray:
    from scipy.signal import fftconvolve

    length = int(min(falls_s, 0.4) * SAMPLE_RATE)
    tail = rng.normal(0, 1, length) * np.exp(-6.9 * np.arange(length) / (falls_s * SAMPLE_RATE))
    tail[: SAMPLE_RATE // 500] = 0
    tail *= 10 ** (-rng.uniform(4, 20) / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1
    return fftconvolve(audio, tail)[: len(audio)].astype(np.float32)


def _noise(length: int, colour: float, rng: np.random.Generator) -> np.ndarray:
    spectrum = np.fft.rfft(rng.normal(0, 1, length))
    spectrum *= (np.arange(len(spectrum)) + 5.0) ** -colour
    return np.fft.irfft(spectrum, length).astype(np.float32)
