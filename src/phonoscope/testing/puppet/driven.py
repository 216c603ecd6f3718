"""Driven mouths: a puppet whose lips follow somebody's real voice, as a puppeteer would move them."""

from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from phonoscope.core.geometry import central, crop_track
from phonoscope.media.warp import warp
from phonoscope.testing.puppet.scene import Head, Scene, Seat, Shot
from phonoscope.testing.puppet.speech import CONTROL_RATE, Speech, Utterance, smooth

SAMPLE_RATE, HOP, WINDOW = 16000, 80, 400  # of the sound; samples from row to row, and that a row hears
VOWELS_HZ, THROAT_HZ = (200, 3000), (200, 1000)  # where vowels are, and their first formant
BACK_HZ, FRONT_HZ, HISS_HZ = (600, 1400), (1600, 3000), (3500, 8000)  # round vowels, spread ones, fricatives
RANGE_DB = 24.0  # below the loudest vowels lips are shut
SILENT_DB = -60.0  # what is never louder is silence: a tone of a 5000th of full scale
LOUDEST = 97  # percentile of rows that counts as loudest
LIVELIEST = 0.25  # by how much people differ in how far they open their mouths
LEAD_S = 0.04  # lips are ahead of the voice by up to so much
SIDE = 112  # px, of crops
TALL = 96  # px, of a face's box in them: drawn about as large as it is shown


@dataclass(frozen=True, slots=True, eq=False)
class _Heard:
    """What rows of a sound are like, (rows,) each."""

    level_db: np.ndarray  # of vowels
    throat: np.ndarray  # 0 closed vowels … 1 open ones, by where the first formant's energy lies
    front: np.ndarray  # -1 round … 1 spread
    hiss: np.ndarray  # share of the energy that is a fricative's
    all_db: np.ndarray  # level of everything


def driven(sound: np.ndarray, seed: int = 0) -> Utterance:
    """What lips do that say this sound, (N,) float at 16 kHz; they are shut where it is silent.

    Level in the bands of vowels opens them, the balance of low and high formants rounds or spreads them.

    Args:
        seed: of the manner: how far a mouth is opened at all, and how far its lips run ahead, up to 40 ms.

    Raises:
        ValueError: that is no such sound.
    """
    if sound.ndim != 1 or not np.isfinite(sound).all():
        raise ValueError(f"expected sound (N,) of finite numbers, got {sound.shape}")
    rng = np.random.default_rng([seed, 0xD217])
    heard = _heard(sound)
    loudest = max(float(np.percentile(heard.level_db, LOUDEST)), SILENT_DB)
    loud, sounding = (np.clip(1 + (it - loudest) / RANGE_DB, 0, 1) for it in (heard.level_db, heard.all_db))
    hiss = heard.hiss * sounding
    vivid = rng.uniform(1 - LIVELIEST, 1 + LIVELIEST)
    open_ = np.clip(vivid * loud * (0.45 + 0.55 * heard.throat), 0, 1) * (1 - 0.6 * hiss)
    wide = np.clip(heard.front + 0.3 * hiss, -1, 1) * np.minimum(2 * np.maximum(loud, hiss), 1)
    lead = round(rng.uniform(0, LEAD_S) * CONTROL_RATE)
    ahead = [np.append(curve[lead:], np.zeros(lead))[: len(loud)] for curve in (open_, wide)]
    rows = len(loud)
    formants = np.tile(np.array([500.0, 1500.0, 2500.0]), (rows, 1))
    return Utterance(
        Speech(seed, ()), _phrases(np.maximum(loud, hiss)), smooth(ahead[0], 13), smooth(ahead[1], 17),
        loud * (1 - hiss), hiss, np.full(rows, 4500.0), formants, np.ones(rows),
    )  # fmt: skip


def crops(said: Utterance, seed: int, frames: int, yaw_deg: float = 0.0, fps: Fraction = Fraction(25)) -> np.ndarray:
    """Head number `seed` that says this, as the middle of its `asd` crops, (T, 112, 112) uint8 grey; its box is true.

    Args:
        yaw_deg: turned to the right of the picture on average.
    """
    side = 2 * TALL
    shot = Shot(frames, (Seat(0, side / 2, side / 2, TALL, yaw_deg),), backdrop=seed)
    scene = Scene(heads=(Head(seed, said),), shots=(shot,), width=side, height=side, fps=fps)
    crop = central(crop_track(scene.truth.tracks().tracks[0], "asd"), SIDE)
    grey = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in scene.frames())
    return np.stack([warp(plane, crop.matrix[at], (SIDE, SIDE), 110) for at, plane in enumerate(grey)])


def _heard(sound: np.ndarray) -> _Heard:
    rows = len(sound) // HOP + 1
    padded = np.pad(sound.astype(np.float64), WINDOW // 2)
    pieces = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:rows]
    power = np.abs(np.fft.rfft(pieces * np.hanning(WINDOW + 2)[1:-1], axis=1)) ** 2 / WINDOW
    hertz = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)

    def within(band: tuple[int, int]) -> np.ndarray:
        return (hertz >= band[0]) & (hertz <= band[1])

    def energy(band: tuple[int, int]) -> np.ndarray:
        return power[:, within(band)].sum(1) + 1e-10

    throat = within(THROAT_HZ)
    centre = (power[:, throat] @ hertz[throat] + 1e-10 * 300) / (power[:, throat].sum(1) + 1e-10)
    vowels, hiss = energy(VOWELS_HZ), energy(HISS_HZ)
    front = np.tanh((np.log(energy(FRONT_HZ) / energy(BACK_HZ)) + 1.5) / 2)
    return _Heard(
        10 * np.log10(vowels), np.clip((centre - 300) / 350, 0, 1), front, hiss**2 / (hiss**2 + vowels**2),
        10 * np.log10(vowels + hiss),
    )  # fmt: skip


def _phrases(loud: np.ndarray, pause_s: float = 0.2) -> np.ndarray:
    """Start and stop of each run of sound, (P, 2) s; shorter pauses do not part them."""
    sounding = np.flatnonzero(loud > 0.1)
    if not len(sounding):
        return np.zeros((0, 2))
    runs = np.split(sounding, np.flatnonzero(np.diff(sounding) > pause_s * CONTROL_RATE) + 1)
    return np.array([(run[0], run[-1] + 1) for run in runs]) / CONTROL_RATE
