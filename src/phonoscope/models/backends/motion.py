"""The speaking scorer that needs no weights: a mouth that moves, and moves as the voice does.

Three clues, each local in time. *Voice*: is anybody heard at all. *Movement*: how far the mouth moves, in pixels,
once the head's own movement is taken out. *Togetherness*: does the mouth move more than the face around it just when
the voice is strong between 1 and 3.4 kHz, where the second and third formant follow the opening of the lips.

Source: Grant and Seitz, "The use of visible speech cues for improving auditory detection of spoken sentences",
JASA 108, 2000 (which band follows the lips).
"""

from typing import ClassVar

import numpy as np

from phonoscope.models.cards import Card
from phonoscope.models.speaking import check_given

SAMPLE_RATE = 16000  # Hz
REACH = 50  # frames on either side over which mouth and voice are compared

# All places are in the face halved to 56 × 56 px, the middle of an `asd` crop: it is 0.7 face boxes wide, the eyes lie
# on its upper edge, and the corners of the mouth lay at rows 28 to 34 in 18 clips.
_ROW, _COLUMN = np.mgrid[:56, :56] + 0.5
MOUTH = np.exp(-0.5 * (((_COLUMN - 28) / 9) ** 2 + ((_ROW - 31) / 6) ** 2))
MOUTH /= MOUTH.sum()
HEAD = (slice(0, 20), slice(4, 52))  # nose and cheeks: they move with the head, hardly with speech
NOISE = 0.3  # grey levels², below which a difference between frames is grain and coding


class Motion:
    """Scores a face by how its mouth moves while somebody is heard."""

    backend_kind: ClassVar[str] = "speaking_scorer"
    card = Card(
        name="motion",
        version="1",
        sources=(),
        sha256="",
        licence="Apache-2.0",
        cite="",
        input="middle 112 px of the asd crop, grey; sound at 16 kHz",
        rate="one score a video frame; made for 25 frames a second",
        notes="no network; five constants fitted on scenes made of nine short clips of eight people. On eight others, "
        "all of whom move their mouths while one is heard: AP .51 with three faces (share of positives .27), .66 with "
        "two (.40)",
    )
    policy: ClassVar[str] = "asd"
    size: ClassVar[int] = 112
    period: ClassVar[int] = 1
    context: int = REACH + 2  # a frame's movement is told from the two before it and the one after

    def __call__(self, faces: np.ndarray, audio: np.ndarray) -> np.ndarray:
        """Log-odds of speaking, (T,) float32, from faces (T, 112, 112) uint8 grey and audio (N,) float32 at 16 kHz.

        Raises:
            ValueError: these are no such faces or no such audio.
        """
        check_given(faces, audio, self.size)
        if len(faces) == 0:
            return np.zeros(0, np.float32)
        voice, movement, togetherness = clues(faces, audio)
        heard = 0.15 * (voice + 29)
        moving = 1.1 * movement + 3.8 * togetherness - 0.1
        # odds of both, were they independent: 1/p = (1 + e^-heard)(1 + e^-moving)
        odds = -np.logaddexp(np.logaddexp(-heard, -moving), -heard - moving)
        return odds.astype(np.float32)


def clues(faces: np.ndarray, audio: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Voice (dB below the loudest nearby), movement (log px) and togetherness (Fisher's z), each (T,) float64."""
    mouth, head, detail = mouth_movement(faces)
    speech_db, lips = voice_levels(audio, len(faces))
    smooth_db = _around(speech_db, 3, 9)
    peak_db = _local_maximum(smooth_db, REACH - 10)
    voice = smooth_db - np.maximum(peak_db, -35)  # -35 dB: rooms are quieter, speech is seldom
    movement = _around(mouth - detail, 5, 15)
    return voice, movement, _togetherness(mouth - head, lips)


def mouth_movement(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logs of the mouth's change since the last frame, the head's, and the mouth's detail, (T,) each, in grey levels.

    The shift that explains most of what changed on nose and cheeks is the head's, and is taken out of both.
    """
    told = np.zeros((len(faces), 3))
    before = _halved(faces[0])
    for at in range(1, len(faces)):
        now = _halved(faces[at])
        told[at] = _change(before, now)
        before = now
    told[0] = told[1] if len(faces) > 1 else _change(before, before)
    mouth, head, detail = told.T
    return _unrepeated(mouth), _unrepeated(head), detail


def _halved(face: np.ndarray) -> np.ndarray:
    return face.reshape(56, 2, 56, 2).mean((1, 3), dtype=np.float32).astype(np.float64)


def _change(before: np.ndarray, now: np.ndarray) -> tuple[float, float, float]:
    difference, between = now - before, (before + now) / 2
    down, right = np.gradient(between, axis=0), np.gradient(between, axis=1)
    # least squares for shift and brightness; the ridge keeps a blank patch from flying off
    causes = np.stack([right[HEAD].ravel(), down[HEAD].ravel(), np.ones(right[HEAD].size)], 1)
    ridge = 0.1 * len(causes) * np.diag([1, 1, 1e-3])
    x, y, light = np.linalg.solve(causes.T @ causes + ridge, causes.T @ difference[HEAD].ravel())
    rest = (difference - right * x - down * y - light) ** 2
    detail = (MOUTH * (right**2 + down**2)).sum() / 2
    logs = 0.5 * np.log([(MOUTH * rest).sum() + NOISE, rest[HEAD].mean() + NOISE, detail + 1])
    return float(logs[0]), float(logs[1]), float(logs[2])


def _unrepeated(movement: np.ndarray) -> np.ndarray:
    """Single dips filled: a source frame that is shown twice is no mouth that stopped."""
    padded = np.pad(movement, 1, mode="edge")
    return np.maximum(movement, np.minimum(padded[:-2], padded[2:]))


def voice_levels(audio: np.ndarray, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Speech level in dB (100 Hz to 4 kHz) and log amplitude from 1 to 3.4 kHz, (frames,) each.

    Each frame is heard through 60 ms around its middle.
    """
    window = 960  # samples
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    padded = np.pad(np.asarray(audio, np.float64), window)
    middles = ((np.arange(frames) + 0.5) * len(audio) / frames).astype(np.int64)
    rows = np.lib.stride_tricks.sliding_window_view(padded, window)[middles + window // 2]
    power = np.abs(np.fft.rfft(rows * taper)) ** 2 * 2 / window / (taper**2).sum()
    hz = np.fft.rfftfreq(window, 1 / SAMPLE_RATE)
    speech = power[:, (hz >= 100) & (hz < 4000)].sum(1)
    lips = power[:, (hz >= 1000) & (hz < 3400)].sum(1)
    return 10 * np.log10(speech + 1e-9), 0.5 * np.log(lips + 1e-8)


def _bell(width: float, reach: int) -> np.ndarray:
    return np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)


def _sums(values: np.ndarray, bell: np.ndarray) -> np.ndarray:
    """Weighted sums around each of the values, (T,); nothing lies beyond the ends."""
    return np.convolve(values, bell)[len(bell) // 2 :][: len(values)]


def _around(values: np.ndarray, width: float, reach: int) -> np.ndarray:
    """Weighted means around each of the values, (T,)."""
    bell = _bell(width, reach)
    return _sums(values, bell) / _sums(np.ones(len(values)), bell)


def _local_maximum(values: np.ndarray, reach: int) -> np.ndarray:
    padded = np.pad(values, reach, constant_values=-np.inf)
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(1)


def _togetherness(mouth: np.ndarray, lips: np.ndarray) -> np.ndarray:
    """Fisher's z of the correlation of two series (T,) around each frame; small where either hardly varies."""

    def mean(values: np.ndarray) -> np.ndarray:
        return _around(values, REACH / 2, REACH)

    a, b = mean(mouth), mean(lips)
    vary_mouth, vary_lips = mean(mouth**2) - a**2, mean(lips**2) - b**2
    together = (mean(mouth * lips) - a * b) / np.sqrt((vary_mouth + 0.02) * (vary_lips + 0.05))
    return np.arctanh(np.clip(together, -0.95, 0.95))
