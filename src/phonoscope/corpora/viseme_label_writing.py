"""Labelled speech of any kind written as `wav_data/{name}.wav` and `label/{name}.txt`."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from phonoscope.core.phones import Alignment, Interval, viseme_rows
from phonoscope.core.visemes import SILENCE, VISEMES, VisemeTrack
from phonoscope.corpora.viseme_labels import HOP, LABELS, SAMPLE_RATE, SOUNDS, TOLERANCE, WINDOW, frames
from phonoscope.store.files import whole_file

FRAME_RATE = Fraction(SAMPLE_RATE, HOP)  # frames a second
LEAD_S = (WINDOW - HOP) / 2 / SAMPLE_RATE  # s by which a frame's middle lies behind that of its 8 ms


def write_labelled(folder: Path | str, name: str, audio: np.ndarray, weights: np.ndarray) -> None:
    """Write one pair, 16 bit, CRLF, `%.6e`; the same arrays give the same bytes.

    Args:
        audio: (N,) float in [-1, 1], 16 kHz.
        weights: (frames(N), 15) probabilities.

    Raises:
        ValueError: there are more or fewer rows than frames, or one is not fifteen probabilities that sum to 1.
    """
    import soundfile

    if weights.shape != (frames(len(audio)), len(VISEMES)):
        raise ValueError(f"expected weights ({frames(len(audio))}, {len(VISEMES)}), got {weights.shape}")
    if not ((weights >= 0).all() and (np.abs(weights.sum(1) - 1) <= TOLERANCE).all()):
        raise ValueError("expected rows of probabilities that sum to 1")
    folder = Path(folder)
    for part in (SOUNDS, LABELS):
        (folder / part).mkdir(parents=True, exist_ok=True)
    with whole_file(folder / SOUNDS / f"{name}.wav") as path:
        soundfile.write(path, audio, SAMPLE_RATE, "PCM_16", format="WAV")
    with whole_file(folder / LABELS / f"{name}.txt") as path:
        np.savetxt(path, weights, "%.6e", delimiter=",", newline="\r\n")


def weights_of(said: Alignment | VisemeTrack, samples: int) -> np.ndarray:
    """What an alignment or a track says of each frame of a sound, (frames(samples), 15) float32; rows sum to 1.

    A frame has what is said in its middle, and silence behind the end. What has no shape of its own, as the breath of
    an h, may be any: a fifteenth of each, which no rule of confidence keeps.

    Raises:
        UsageError: a phone that its alphabet does not know.
    """
    rows = frames(samples)
    if isinstance(said, Alignment):
        moved = tuple(Interval(it.start_s - LEAD_S, it.stop_s - LEAD_S, it.text) for it in said.phones)
        visemes = viseme_rows(replace(said, phones=moved), rows, FRAME_RATE)
        return np.append(np.eye(len(VISEMES)), np.full((1, len(VISEMES)), 1 / len(VISEMES)), 0)[visemes].astype("f4")
    middle = [Fraction(HOP * row + WINDOW // 2, SAMPLE_RATE) * said.rate for row in range(rows)]
    at = np.array([int(place) for place in middle], np.int64)
    shown = np.eye(len(VISEMES), dtype=np.float32)[said.per_row()] if said.weights is None else said.weights
    quiet = np.eye(len(VISEMES), dtype=np.float32)[[SILENCE]]
    made = np.append(shown, quiet, 0)[np.minimum(at, len(shown))]
    total = made.sum(1, keepdims=True)
    return np.where(total > 0, made / np.maximum(total, 1e-12), quiet).astype(np.float32)
