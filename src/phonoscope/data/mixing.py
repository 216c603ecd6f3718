"""Mixing: voices heard at once, each as loud as asked for, in a room and in noise if there are some."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError
from phonoscope.data.loudness import loudness_lufs

SAMPLE_RATE = 16000  # Hz, of all voices
BLOCK = 320  # samples, 20 ms: who is silent in one of them is so in all of it
SILENT_DB = 30.0  # dB below the loudest block: there a voice pauses
PEAK = 0.99  # of full scale: what is normalised is never louder


@dataclass(frozen=True, slots=True, kw_only=True)
class MixParams:
    """How voices are laid over each other."""

    speakers: int = 2  # voices heard at once, each another person's
    gains: Literal["snr", "equal"] = "snr"  # levels drawn from snr-db; equal: each voice times 1/speakers
    snr_db: tuple[float, float] = (-5.0, 5.0)  # dB, least and most, of the first voice over each of the others
    noise_db: tuple[float, float] = (0.0, 20.0)  # dB, least and most, of all voices over the noise, if there is some
    normalise: Literal["none", "peak", "loudness"] = "peak"  # of the mixture: its peak to 0.99, or to loudness-lufs
    loudness_lufs: float = -23.0  # LUFS, of a mixture by normalise loudness; less where its peak would pass 0.99
    seed: int = 0  # of whatever is drawn

    def __post_init__(self) -> None:
        within("speakers", self.speakers, 1, 99)
        within("seed", self.seed, 0)
        within("loudness-lufs", self.loudness_lufs, -70, 0)
        for name, (least, most) in (("snr-db", self.snr_db), ("noise-db", self.noise_db)):
            within(f"the least of {name}", least, -100, 100)
            if not least <= most <= 100:
                raise UsageError(f"{name} is the least and the most, 100 dB at the utmost, got {least:g} and {most:g}")


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """Voices at once, and what each is in it: `sound` is the sum of `voices`, and of `noise` if there is any."""

    sound: np.ndarray  # (N,) float32
    voices: np.ndarray  # (P, N) float32, as loud and as reverberant as they are heard
    noise: np.ndarray | None = None  # (N,) float32


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """What was drawn for one mixture."""

    snr_db: tuple[float, ...]  # (P,) dB, of the first voice over each; 0 of itself; empty: each voice times 1/P
    noise_db: float | None = None  # dB, of all voices over the noise


def mixed(
    voices: np.ndarray,
    p: MixParams,
    rng: np.random.Generator,
    noise: np.ndarray | None = None,
    responses: Sequence[np.ndarray] | None = None,
) -> Mixture:
    """Voices (P, N) at once, their levels by lot.

    Args:
        noise: (M,) of any length: a part by lot, or over and over if it is shorter.
        responses: an impulse response (K,) for each voice: how the room answers.

    Raises:
        ValueError: voices are not as many as the settings say, responses not as many as voices, something is not
            finite, or a response is silent.
    """
    if len(voices) != p.speakers:
        raise ValueError(f"settings ask for {p.speakers} voices, got {np.shape(voices)}")
    levels = drawn(p, rng, noisy=noise is not None)
    if noise is not None:
        noise = part_of(noise, np.shape(voices)[1], float(rng.random()))
    return laid(voices, levels, p, noise, responses)


def drawn(p: MixParams, rng: np.random.Generator, noisy: bool) -> Levels:
    """The levels of one mixture."""
    others = rng.uniform(*p.snr_db, p.speakers - 1).tolist() if p.gains == "snr" else None
    noise_db = float(rng.uniform(*p.noise_db)) if noisy else None
    return Levels(snr_db=() if others is None else (0.0, *others), noise_db=noise_db)


def part_of(noise: np.ndarray, samples: int, at: float) -> np.ndarray:
    """(samples,) of noise (M,): a part that begins `at` of all its places, 0 to 1; over and over if it is shorter."""
    noise = np.asarray(noise)
    if not len(noise):
        return np.zeros(samples, np.float32)
    spare = len(noise) - samples
    if spare < 0:
        return np.resize(np.roll(noise, -int(at * len(noise))), samples)
    begin = int(at * (spare + 1))
    return noise[begin : begin + samples]


def laid(
    voices: np.ndarray,
    levels: Levels,
    p: MixParams,
    noise: np.ndarray | None = None,
    responses: Sequence[np.ndarray] | None = None,
) -> Mixture:
    """Voices (P, N) and noise (N,) at these levels.

    The level of a voice is its root mean square where it is active; a silent one stays silent, and if the first is,
    the others stay as loud as they are.

    Raises:
        ValueError: as of `mixed`.
    """
    voices = _finite(voices, "the voices", 2)
    if responses is not None:
        if len(responses) != len(voices):
            raise ValueError(f"{len(voices)} voices want as many impulse responses, got {len(responses)}")
        voices = np.array([reverberant(*pair) for pair in zip(voices, responses, strict=True)])
    voices = voices * _gains(voices, levels.snr_db)[:, None]
    parts = [*voices]
    if noise is not None and levels.noise_db is not None:
        parts.append(_at_snr(_finite(noise, "the noise", 1), voices.sum(0), levels.noise_db))
    scaled = (np.array(parts) * _common_gain(np.sum(parts, 0), p)).astype(np.float32)
    heard = scaled[: len(voices)]
    return Mixture(scaled.sum(0, dtype=np.float32), heard, scaled[-1] if len(scaled) > len(heard) else None)


def reverberant(voice: np.ndarray, response: np.ndarray) -> np.ndarray:
    """A voice (N,) as a room answers to it, (N,) float64: what reaches us first stays where and as loud as it was.

    Args:
        response: (K,) impulse response at the same rate; its largest sample is the direct path.

    Raises:
        ValueError: the response is silent, or not finite.
    """
    from scipy.signal import oaconvolve

    voice, response = _finite(voice, "the voice", 1), _finite(response, "the impulse response", 1)
    if not response.any():
        raise ValueError("the impulse response is silent")
    direct = int(np.abs(response).argmax())
    if not len(voice):
        return np.zeros(0)
    return oaconvolve(voice, response / response[direct])[direct : direct + len(voice)]


def active_rms(sound: np.ndarray) -> float:
    """Root mean square of the `active_blocks` of sound (N,); 0 of silence."""
    power, active = _block_power(sound), active_blocks(sound)
    return float(np.sqrt(power[active].mean())) if active.any() else 0.0


def active_blocks(sound: np.ndarray) -> np.ndarray:
    """Which blocks of sound (N,) are at most 30 dB below the loudest, (ceil(N / 320),) bool; none of silence.

    Blocks of 20 ms lie edge to edge from the first sample; what does not fill one at the end is one itself.
    """
    power = _block_power(sound)
    return (power > 0) & (power >= power.max(initial=0.0) * 10 ** (-SILENT_DB / 10))


def _block_power(sound: np.ndarray) -> np.ndarray:
    """Mean square of each block, (ceil(N / 320),)."""
    starts = np.arange(0, len(sound), BLOCK)
    if not len(starts):
        return np.zeros(0)
    return np.add.reduceat(np.square(sound, dtype=np.float64), starts) / np.diff(starts, append=len(sound))


def _gains(voices: np.ndarray, snr_db: Sequence[float]) -> np.ndarray:
    """By what each voice is multiplied, (P,)."""
    if not snr_db:
        return np.full(len(voices), 1 / len(voices))
    rms = np.array([active_rms(voice) for voice in voices])
    wanted = rms[0] * 10 ** (-np.asarray(snr_db) / 20)
    return np.divide(wanted, rms, out=np.ones(len(voices)), where=(rms > 0) & (rms[0] > 0))


def _at_snr(noise: np.ndarray, speech: np.ndarray, snr_db: float) -> np.ndarray:
    """Noise so much below what is active of the speech; as it is where there is no speech, or no noise."""
    loud, level = active_rms(speech), float(np.sqrt(np.mean(noise**2))) if len(noise) else 0.0
    return noise * (loud * 10 ** (-snr_db / 20) / level) if loud > 0 and level > 0 else noise


def _common_gain(sound: np.ndarray, p: MixParams) -> float:
    peak = float(np.abs(sound).max(initial=0.0))
    if p.normalise == "none" or peak == 0:
        return 1.0
    most = PEAK / peak
    if p.normalise == "peak":
        return most
    found = loudness_lufs(sound, SAMPLE_RATE)
    return min(most, 10 ** ((p.loudness_lufs - found) / 20)) if np.isfinite(found) else min(most, 1.0)


def _finite(values: np.ndarray, what: str, axes: int) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if values.ndim != axes:
        raise ValueError(f"{what} must have {axes} axes, got {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{what} hold samples that are NaN or infinite")
    return values
