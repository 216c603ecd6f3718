"""Speech as a network hears it: hidden states of HuBERT and its kin, fifty rows a second."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import IO, Literal

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.series import Series
from phonoscope.flow.step import step
from phonoscope.flow.streams import PartFolder
from phonoscope.models.protocols import SpeechEncoder
from phonoscope.store.codecs import series_clock

SAMPLE_RATE = 16000  # Hz: what every SpeechEncoder hears
WHOLE = 60 * SAMPLE_RATE  # samples that are heard in one pass; of longer sound,
CORE = 30 * SAMPLE_RATE  # rows are taken from so many samples at a time,
CONTEXT = 5 * SAMPLE_RATE  # of which so many more are heard before and after
PIECE = 1 << 20  # samples summed up at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechParams:
    """Which network listens, and what is kept of it."""

    model: str = ""  # of the kind HuBERT, Wav2Vec2, WavLM or Whisper: a folder, or org/name on a hub; must be given
    layers: str = "all"  # hidden states kept: all, last, mean (of all), or numbers from 0, such as 6,9
    dtype: Literal["float32", "float16"] = "float32"  # of the numbers on disk

    def __post_init__(self) -> None:
        numbers = self.layers.split(",")
        plain = all(number.isascii() and number.isdecimal() and number == str(int(number)) for number in numbers)
        if self.layers not in ("all", "last", "mean") and not (plain and len({*numbers}) == len(numbers)):
            raise UsageError(f"speech.layers must be all, last, mean or numbers such as 6,9, got '{self.layers}'")


@step(version=1)
def speech(audio: Series, encoder: SpeechEncoder, p: SpeechParams, folder: PartFolder) -> PartFolder:
    """Hidden states as a series (T, layers, D) of `dtype`, at the network's rate: `<layers>.npy` and `<layers>.json`.

    Sound of up to a minute is heard in one pass, longer sound in windows: rows are kept whose centre lies in a core
    of 30 s, of which 5 s more are heard on either side. A network that takes 30 s at most hears cores of 20 s. Rows
    are written as they come, so memory does not grow with the sound.

    Raises:
        UsageError: the audio is not at 16 kHz, the network has no such layer, or float16 cannot hold its numbers.
        ValueError: the network gave something else than it promised.
    """
    if audio.rate != SAMPLE_RATE:
        raise UsageError(f"speech hears {SAMPLE_RATE} samples a second, the store's audio has {audio.rate}")
    kept, dtype = chosen(p.layers, encoder.layers), np.dtype(p.dtype)
    mean, deviation = moments(audio.values) if encoder.scaled else (0.0, 1.0)
    shape = (encoder.rows(len(audio)), 1 if p.layers == "mean" else len(kept), encoder.width)
    path = folder / f"{p.layers}.npy"
    with path.open("wb") as file:
        _write_header(file, shape, dtype)
        for heard, rows in windows(len(audio), encoder):
            sound = ((audio.values[heard] - mean) / deviation).astype(np.float32)
            states = _checked(encoder(sound), len(sound), encoder)[kept, rows]
            states = states.mean(0, keepdims=True) if p.layers == "mean" else states
            file.write(_stored(states.swapaxes(0, 1), dtype).tobytes())
    start = audio.start + Fraction(encoder.centre) / SAMPLE_RATE
    made = Series(np.load(path, mmap_mode="r"), Fraction(SAMPLE_RATE, encoder.hop), start)
    path.with_suffix(".json").write_bytes(series_clock(made))
    return folder


def chosen(layers: str, count: int) -> list[int]:
    """Numbers of the hidden states that a setting means, of a network that has `count`.

    Raises:
        UsageError: it has no such layer.
    """
    if layers in ("all", "mean"):
        return [*range(count)]
    numbers = [count - 1] if layers == "last" else [int(number) for number in layers.split(",")]
    if max(numbers) >= count:
        raise UsageError(f"speech.layers {layers}: this network's hidden states are 0 to {count - 1}")
    return numbers


def moments(values: np.ndarray) -> tuple[float, float]:
    """Mean and deviation of a whole sound (N,), so that all its windows are scaled alike.

    Source: `zero_mean_unit_var_norm` of transformers' Wav2Vec2FeatureExtractor, Apache-2.0.
    """
    spans = [slice(at, at + PIECE) for at in range(0, len(values), PIECE)]
    count = max(1, len(values))
    mean = sum(float(values[span].sum(dtype=np.float64)) for span in spans) / count
    variance = sum(float(np.square(values[span] - np.float64(mean)).sum()) for span in spans) / count
    return mean, (variance + 1e-7) ** 0.5


def windows(samples: int, encoder: SpeechEncoder) -> Iterator[tuple[slice, slice]]:
    """Which samples are heard together, and which of the rows that they give are kept, window by window."""
    hop, longest = encoder.hop, encoder.longest or WHOLE
    if samples <= min(WHOLE, longest):
        yield slice(0, samples), slice(0, encoder.rows(samples))
        return
    context = CONTEXT // hop * hop  # whole rows, so that windows share one grid
    core = min(CORE, (encoder.longest or samples) - 2 * context) // hop * hop
    every, done = encoder.rows(samples), 0
    for at in range(0, samples, core):
        begin, end = max(0, at - context), min(samples, at + core + context)
        stop = min(every, ceil((at + core - encoder.centre) / hop))  # rows centred before the core ends
        if stop > done:
            yield slice(begin, end), slice(done - begin // hop, stop - begin // hop)
        done = stop


def _write_header(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype) -> None:
    about = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, about)


def _checked(states: np.ndarray, samples: int, encoder: SpeechEncoder) -> np.ndarray:
    wanted = (encoder.layers, encoder.rows(samples), encoder.width)
    if states.shape != wanted or not np.isfinite(states).all():
        raise ValueError(f"{encoder.card.name} must give {wanted} finite numbers, got {states.shape}")
    return states


def _stored(states: np.ndarray, dtype: np.dtype) -> np.ndarray:
    top = float(np.abs(states).max(initial=0))
    if top > float(np.finfo(dtype).max):
        raise UsageError(f"hidden states reach {top:.3g}, which {dtype} cannot hold: use --speech.dtype float32")
    return states.astype(dtype)
