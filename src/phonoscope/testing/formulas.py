"""Sound, faces and weights given by formula, so that what a network makes of them is known and nothing is stored."""

from collections.abc import Mapping

import numpy as np


def formula_inputs(frames: int, phase: float = 0.0, side: int = 112) -> tuple[np.ndarray, np.ndarray]:
    """MFCC (4T, 13) and faces (T, side, side) of 0 to 255, both float32: waves in all directions."""
    row, column = np.ogrid[: 4 * frames, :13]
    t, y, x = np.ogrid[:frames, :side, :side]
    mfcc = 5 * np.sin(0.01 * row * (column + 1) + column + phase)
    faces = 127.5 * (1 + np.sin(0.1 * t + 0.05 * y + 0.03 * x + phase))
    return mfcc.astype(np.float32), faces.astype(np.float32)


def formula_weights(shapes: Mapping[str, tuple[int, ...]], phase: float = 0.0) -> dict[str, np.ndarray]:
    """Weights for entries of these shapes, in their order: waves that neither die out in a network nor explode.

    Counts (`num_batches_tracked`) are 0, int64; all else is float32.
    """
    return {name: _entry(name, shape, place, phase) for place, (name, shape) in enumerate(shapes.items())}


def _entry(name: str, shape: tuple[int, ...], place: int, phase: float) -> np.ndarray:
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    wave = np.sin(0.7391 * np.arange(np.prod(shape, dtype=int)) + 0.31 * place + phase).reshape(shape)
    if name.endswith("running_var"):
        wave = 1 + 0.25 * wave
    elif name.endswith("running_mean"):
        wave = 0.05 * wave
    elif len(shape) < 2:
        wave = 1 + 0.1 * wave if name.endswith("weight") else 0.05 * wave
    else:
        wave = wave * np.sqrt(2 / np.prod(shape[1:], dtype=int))
    return wave.astype(np.float32)
