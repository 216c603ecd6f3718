"""Loudness of speech as ears have it: LUFS, by ITU-R BS.1770-4 of one channel."""

import numpy as np

BLOCK_S, STEP_S = 0.4, 0.1  # s, of the blocks that are measured, and from one to the next
ABSOLUTE_LUFS, RELATIVE_DB = -70.0, -10.0  # blocks below either are silence
OFFSET_DB = -0.691  # so that a full-scale sine of 997 Hz has about -3


def loudness_lufs(sound: np.ndarray, sample_rate: int) -> float:
    """Integrated loudness of sound (N,), LUFS; -inf of silence. Of less than 0.4 s, as if that were one block.

    Source: ITU-R BS.1770-4; the filters at other rates than 48 kHz as pyloudnorm (MIT) has them.
    """
    from scipy.signal import lfilter

    heard = np.asarray(sound, np.float64)
    if not len(heard):
        return -np.inf
    for b, a in _k_weighting(sample_rate):
        heard = np.asarray(lfilter(b, a, heard))
    block, step = (min(len(heard), round(length_s * sample_rate)) for length_s in (BLOCK_S, STEP_S))
    power = np.lib.stride_tricks.sliding_window_view(heard**2, block)[:: max(1, step)].mean(1)
    loud = _lufs(power)
    power, loud = power[loud > ABSOLUTE_LUFS], loud[loud > ABSOLUTE_LUFS]
    if not len(power):
        return -np.inf
    return float(_lufs(power[loud > _lufs(power.mean()) + RELATIVE_DB].mean()))


def _lufs(power: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return OFFSET_DB + 10 * np.log10(power)


def _k_weighting(sample_rate: int) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Numerators and denominators of the shelf that stands for a head, and of the high pass."""
    cos, alpha = _biquad(1500.0, 1 / np.sqrt(2), sample_rate)
    a = 10 ** (4.0 / 40)  # 4 dB above 1.5 kHz
    root = 2 * np.sqrt(a) * alpha
    b_shelf = a * np.array([a + 1 + (a - 1) * cos + root, -2 * (a - 1 + (a + 1) * cos), a + 1 + (a - 1) * cos - root])
    a_shelf = np.array([a + 1 - (a - 1) * cos + root, 2 * (a - 1 - (a + 1) * cos), a + 1 - (a - 1) * cos - root])
    cos, alpha = _biquad(38.0, 0.5, sample_rate)
    b_high = np.array([(1 + cos) / 2, -(1 + cos), (1 + cos) / 2])
    a_high = np.array([1 + alpha, -2 * cos, 1 - alpha])
    return (b_shelf / a_shelf[0], a_shelf / a_shelf[0]), (b_high / a_high[0], a_high / a_high[0])


def _biquad(corner_hz: float, q: float, sample_rate: int) -> tuple[float, float]:
    turn = 2 * np.pi * corner_hz / sample_rate
    return float(np.cos(turn)), float(np.sin(turn) / (2 * q))
