"""Made-up speech whose every frame is known: visemes as formants and hiss, voices of other pitch and other throats."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from phonoscope.core.visemes import VISEMES
from phonoscope.corpora.viseme_label_writing import write_labelled
from phonoscope.corpora.viseme_labels import HOP, SAMPLE_RATE, WINDOW, frames

SOUND = 12 * HOP  # samples of one sound
NOISE = 0.02  # of a room, beside sounds whose loudest sample is 0.3
FORMANTS_HZ = {
    "PP": (250, 800, 2200), "DD": (350, 1900, 2700), "kk": (400, 1300, 1700), "nn": (280, 1500, 2600),
    "RR": (400, 1200, 1600), "aa": (780, 1250, 2550), "E": (560, 1850, 2500), "ih": (320, 2300, 2950),
    "oh": (480, 850, 2500), "ou": (320, 700, 2250),
}  # fmt: skip
HISS_HZ = {"FF": 5500, "TH": 4500, "CH": 3000, "SS": 6500}  # middle of a band of noise


def spoken(visemes: Sequence[int], pitch_hz: float, throat: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sounds of 96 ms, one a viseme, (N,) float32 at 16 kHz.

    Args:
        visemes: their numbers.
        throat: (15,) by which the formants of each viseme are multiplied.
    """
    said = np.concatenate([_sound(VISEMES[it], pitch_hz, throat[it], rng) for it in visemes])
    return (said + NOISE * rng.normal(0, 1, len(said))).astype(np.float32)


def _sound(name: str, pitch_hz: float, throat: float, rng: np.random.Generator) -> np.ndarray:
    noise = rng.normal(0, 1, SOUND)
    if name == "sil":
        return np.zeros(SOUND)
    hertz = np.fft.rfftfreq(SOUND, 1 / SAMPLE_RATE)
    if name in HISS_HZ:
        made = np.fft.irfft(np.fft.rfft(noise) * np.exp(-(((hertz - HISS_HZ[name] * throat) / 900) ** 2)), SOUND)
    else:
        comb = np.arange(SOUND) * pitch_hz * rng.uniform(0.95, 1.05) / SAMPLE_RATE % 1
        pulses = np.diff(comb, prepend=0) < 0
        shape = sum(80**2 / ((hertz - it * throat) ** 2 + 80**2) / at for at, it in enumerate(FORMANTS_HZ[name], 1))
        made = np.fft.irfft(np.fft.rfft(pulses + 0.003 * noise) * shape, SOUND)
    return 0.3 * made / np.abs(made).max()


def soft_labels(visemes: Sequence[int], samples: int, surest: float = 0.95) -> np.ndarray:
    """The labels of such sounds, (frames(samples), 15): `surest` for what is said where a frame lies in one sound.

    Where it lies in two, each has its share.
    """
    each = np.repeat(np.asarray(visemes), SOUND)
    starts = HOP * np.arange(frames(samples))
    sharp = np.eye(len(VISEMES))
    said = (sharp[each[starts]] + sharp[each[starts + WINDOW - 1]]) / 2
    return said * surest + (1 - surest) / len(VISEMES)


def write_voices(
    folder: Path, names: Sequence[str], *, speakers: int, utterances: int, sounds: int = 20, seed: int = 0
) -> None:
    """A folder of pairs `s{speaker}_{utterance}`; each speaker has a way to speak, and says all of `names`."""
    for speaker in range(1, speakers + 1):
        rng = np.random.default_rng([seed, speaker])
        pitch_hz, throat = rng.uniform(90, 240), rng.uniform(0.6, 1.6, len(VISEMES))
        for number in range(1, utterances + 1):
            every = np.resize(rng.permutation([VISEMES.index(it) for it in names]), sounds).tolist()
            audio = spoken(every, pitch_hz, throat, rng)
            write_labelled(folder, f"s{speaker}_{number}", audio, soft_labels(every, len(audio)))
