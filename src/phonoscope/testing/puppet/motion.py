"""How heads and cameras move: small, smooth, and the same for the same seed."""

import numpy as np

from phonoscope.testing.puppet.anatomy import Pose
from phonoscope.testing.puppet.speech import Utterance


def pose(seed: int, said: Utterance | None, times_s: np.ndarray, yaw_deg: float = 0.0) -> Pose:
    """How head number `seed` is held at these times, (T,) s, while it says something or listens."""
    rng = np.random.default_rng([seed, 0x905E])
    open_, wide = said.lips(times_s) if said else (np.zeros(len(times_s)), np.zeros(len(times_s)))
    smile = 0.25 + 0.2 * _drift(rng, times_s, 0.12)
    lively = open_ * 0.02  # heads nod a little with stressed vowels
    return Pose(
        open=_in_steps(open_, 64),
        wide=_in_steps(np.clip(wide + smile * (1 - np.abs(wide)), -1, 1), 32),
        blink=_in_steps(_blinks(rng, times_s), 16),
        brow=_in_steps(0.02 + 0.022 * _drift(rng, times_s, 0.35), 160),
        gaze=_in_steps(0.8 * _drift(rng, times_s, 0.3), 2),
        yaw=np.deg2rad(yaw_deg + 6.0 * _drift(rng, times_s, 0.22)),
        pitch=np.deg2rad(3.5 * _drift(rng, times_s, 0.3)) + lively,
        roll=np.deg2rad(2.6 * _drift(rng, times_s, 0.2)),
        shift=np.stack([0.035 * _drift(rng, times_s, 0.25), 0.02 * _drift(rng, times_s, 0.3)], 1),
    )


def _in_steps(curve: np.ndarray, steps: int) -> np.ndarray:
    """Rounded to 1/steps, too little to see (but for the gaze, which leaps as eyes do): most frames repeat the last."""
    return np.round(curve * steps) / steps


def _drift(rng: np.random.Generator, times_s: np.ndarray, rate_hz: float) -> np.ndarray:
    """A smooth wandering within about -1…1, (T,)."""
    rates = rate_hz * rng.uniform(0.5, 1.6, 3)
    phases = rng.uniform(0, 2 * np.pi, 3)
    return np.sin(2 * np.pi * rates * times_s[:, None] + phases) @ np.array([0.5, 0.3, 0.2])


def _blinks(rng: np.random.Generator, times_s: np.ndarray) -> np.ndarray:
    """Eyes shut every few seconds, for a fifth of a second, (T,) in 0…1."""
    period, phase = rng.uniform(2.6, 4.4), rng.uniform(0.4, 2.4)
    away = (times_s - phase + period / 2) % period - period / 2
    return np.clip(1.25 - np.abs(away) / 0.085, 0, 1)


def ease(share: np.ndarray) -> np.ndarray:
    """0…1 to 0…1, slow at both ends."""
    return share * share * (3 - 2 * share)
