"""A voice: glottal pulses and hiss through a vocal tract that changes every 5 ms."""

from collections.abc import Callable

import numpy as np

from phonoscope.testing.puppet.speech import CONTROL_RATE, Utterance, smooth

_NATIVE_RATE = 16000  # Hz, of the synthesis; other rates are resampled from it
_HOP = _NATIVE_RATE // CONTROL_RATE
_LEVEL = 0.052  # gain that brings the phrases of most voices to an RMS of 0.06 to 0.09, full scale 1
_LONG = 10 * _HOP  # samples of a filtered piece: window and room for ringing on both sides
_FREQUENCY = np.fft.rfftfreq(_LONG, 1 / _NATIVE_RATE)[None]
_PIECES = 1000  # rows filtered at a time: memory stays small however long the film


def voice(said: Utterance, sample_rate: int = _NATIVE_RATE) -> np.ndarray:
    """The sound of an utterance, (N,) float32 in [-1, 1], from time 0 for as long as its curves run."""
    rng = np.random.default_rng([said.speech.voice, 0x701CE])
    low = said.speech.voice % 2 == 0
    pitch_hz = rng.uniform(95, 130) if low else rng.uniform(175, 225)
    throat = (1.0 if low else 1.16) * rng.uniform(0.97, 1.04)
    rows = len(said.voicing)
    wobble, breath = (np.random.default_rng([said.speech.voice, seed]) for seed in (0x30BB, 0xB4EA))
    jitter = 1 + 0.035 * smooth(wobble.standard_normal(rows), 9)
    phase = np.cumsum(np.repeat(pitch_hz * said.pitch * jitter, _HOP) / _NATIVE_RATE)
    noise = breath.standard_normal(len(phase))
    even = (110 / pitch_hz) ** 1.5  # quicker pulses are steeper and more: this keeps voices equally loud
    source = 30 * even * np.diff(_glottis(phase % 1), prepend=0) + 0.02 * noise
    audio = _filter(source, said.voicing, lambda part: _tract(throat * said.formants[part]))
    audio += 0.9 * _filter(noise, said.hiss, lambda part: _hiss(said.hiss_hz[part, None]))
    return _at_rate(np.clip(_LEVEL * audio, -1, 1).astype(np.float32), sample_rate)


def _at_rate(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    if sample_rate == _NATIVE_RATE:
        return audio
    import soxr

    return np.clip(soxr.resample(audio, _NATIVE_RATE, sample_rate), -1, 1)


def _glottis(phase: np.ndarray) -> np.ndarray:
    """Flow through the glottis over one cycle of phase 0…1.

    Source: Rosenberg, "Effect of glottal pulse shape on the quality of natural vowels", JASA 1971.
    """
    rise, fall = phase / 0.42, (phase - 0.42) / 0.18
    return np.where(phase < 0.42, 3 * rise**2 - 2 * rise**3, np.clip(1 - fall**2, 0, None))


def _tract(formants: np.ndarray) -> np.ndarray:
    """Gain of the vocal tract, (rows, F), from three formants a row (Hz) and two above that follow the third."""
    above = formants[:, 2:] * np.array([1.38, 1.75])
    gain = 1 + _FREQUENCY / 1500  # the lips radiate high tones better
    for centre, width_hz in zip(np.concatenate([formants, above], 1).T, (70, 100, 150, 220, 300), strict=True):
        ratio = _FREQUENCY / centre[:, None]
        gain = gain / np.hypot(1 - ratio**2, ratio * width_hz / centre[:, None])
    return gain


def _hiss(centre_hz: np.ndarray) -> np.ndarray:
    return np.exp(-(((_FREQUENCY - centre_hz) / 1300) ** 2))


def _filter(source: np.ndarray, loudness: np.ndarray, gain_of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The source with each 5 ms of it filtered by its own gain (zero phase, overlap-add), as long as the source."""
    window = np.hanning(5 * _HOP + 1)[:-1] / 2.5  # five windows overlap and add to one
    padded = np.pad(source, (2 * _HOP, 3 * _HOP))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, 5 * _HOP)[::_HOP]
    made = np.zeros((len(loudness) + 9, _HOP))
    for first in range(0, len(loudness), _PIECES):
        part = np.flatnonzero(loudness[first : first + _PIECES] > 0) + first
        if len(part):
            spread = np.zeros((len(part), _LONG))
            spread[:, 2 * _HOP : 7 * _HOP] = pieces[part] * window
            gain = gain_of(part) * loudness[part, None]
            rung = np.fft.irfft(np.fft.rfft(spread) * gain, _LONG).reshape(len(part), 10, _HOP)
            for block in range(10):
                made[part + block] += rung[:, block]
    return made.reshape(-1)[4 * _HOP : 4 * _HOP + len(source)]
