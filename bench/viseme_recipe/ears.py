"""What pocketsphinx' model of American English hears: how well each of the 126 states of its phones explains a row.

Its Gaussians are read out of its wheel whenever they are wanted. They teach; none of them is kept in any file of ours.

Source: pocketsphinx 5, src/fe, src/feat, src/util/bio.c, src/ptm_mgau.c and the model en-us, BSD-2.
"""

from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from phonoscope.core.mel import cosines, lifter
from phonoscope.core.spectra import PREEMPHASIS, Cut, spectra
from phonoscope.models.viseme_rows import ROW, SAMPLE_RATE

STREAMS, PHONES, DENSITIES, CEPSTRA = 3, 42, 128, 13  # cepstra, their changes, the changes of those
STATES, WIDTH = 3 * PHONES, STREAMS * CEPSTRA
SENONES = 5126  # of which the first are the states of phones by themselves
ORDER = 0x11223344  # of the bytes
LEAST = 1e-4  # variance
MIXED = 1024 * np.log(1.0001)  # nats of one step of a mixture's weight
WORST = 40.0  # nats by which a state may be less likely than all of them together
WINDOW = 410  # samples that a row sees, from the start of its 10 ms
AT_ONCE = 50  # rows: more do not fit a processor's cache
BANKS, LOW_HZ, HIGH_HZ = 25, 130, 6800
MEAN = np.array([55.0, 12.1, -9.5, 12.2, -8.4, -1.1, -9.9, -3.9, 2.8, -0.1, 3.0, 4.0, 2.4])  # before anything is heard
TRUST, MEMORY = 100, 500  # rows that it is worth, and after which the past is forgotten

_TAPER = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))
_CUT = Cut(
    window_s=Fraction(WINDOW, SAMPLE_RATE), edges="drop", scale=32768.0, preemphasis="row-edge", nfft=512,
    taper=lambda length: _TAPER,
)  # fmt: skip
_HISS = np.abs(1 - PREEMPHASIS * np.exp(-2j * np.pi * np.arange(257) / 512)) ** 2 * np.sum(_TAPER**2)  # of variance 1


class Ears:
    """How well each state explains each row of a sound."""

    def __init__(self, model: Path) -> None:
        """Read the folder of the model.

        Raises:
            ValueError: it is another model.
        """
        means, variances = _gaussians(model / "means"), np.maximum(_gaussians(model / "variances"), LEAST)
        sharp = 1 / (2 * variances)
        self._slopes = torch.from_numpy(np.concatenate([-sharp, 2 * means * sharp], 2).transpose(0, 2, 1))
        self._heights = torch.from_numpy(-(np.log(2 * np.pi * variances) / 2 + means**2 * sharp).sum(2))
        mixture = np.frombuffer((model / "sendump").read_bytes()[-SENONES * STREAMS * DENSITIES :], np.uint8)
        shares = np.exp(-MIXED * mixture.reshape(STREAMS, DENSITIES, SENONES)[:, :, :STATES])
        shares = shares.reshape(STREAMS, DENSITIES, PHONES, 3).transpose(0, 2, 1, 3)
        self._shares = torch.from_numpy((shares / shares.sum(2, keepdims=True)).astype(np.float32))

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Logarithms of probabilities of states, (T, 126) float32 nats, of rows (T, 39)."""
        return np.concatenate(
            [self._some(torch.from_numpy(rows[at : at + AT_ONCE])) for at in range(0, len(rows), AT_ONCE)]
        )

    def _some(self, rows: Tensor) -> np.ndarray:
        total = torch.zeros(())
        for stream, x in enumerate(rows.split(CEPSTRA, 1)):
            each = torch.cat([x * x, x], 1) @ self._slopes[stream] + self._heights[stream]
            each = each.view(len(x), PHONES, DENSITIES)
            best = each.amax(2, keepdim=True)
            mixed = torch.einsum("tpm,pms->tps", torch.exp(each - best), self._shares[stream])
            total = total + torch.log(mixed + 1e-12) + best
        return torch.log_softmax(total.reshape(len(rows), -1), 1).clamp_min(-WORST).numpy()


def rows_of(audio: np.ndarray) -> np.ndarray:
    """Cepstra, their changes and the changes of those, (ceil(N / 160), 39) float32, as that model wants them.

    But the mean that is taken from them is that of what was heard so far, and noise is not removed.
    """
    count = -(-len(audio) // ROW)
    padded = np.pad(audio, (0, max(0, (count - 1) * ROW + WINDOW - len(audio))))
    made, mean = np.empty((count, CEPSTRA)), MEAN.copy()
    for at, spectrum in spectra(padded, _CUT.rows(len(padded), SAMPLE_RATE), _CUT):
        power = np.abs(spectrum) ** 2 + _HISS
        made[at : at + len(power)] = np.log(power @ _filters().T) @ (cosines(BANKS, range(CEPSTRA)).T * _lifter())
    for at, row in enumerate(made):
        mean += (row - mean) / min(TRUST + at, MEMORY)
        made[at] = row - mean
    r = [np.pad(made, ((3, 3), (0, 0)), mode="edge")[at : at + count] for at in range(7)]
    return np.concatenate([r[3], r[5] - r[1], (r[6] - r[2]) - (r[4] - r[0])], 1).astype(np.float32)


def _lifter() -> np.ndarray:
    return lifter(CEPSTRA, 22)


@cache
def _filters() -> np.ndarray:
    """Triangles of equal area with corners at whole bins, (25, 257)."""
    low, top = 2595 * np.log10(1 + np.array([LOW_HZ, HIGH_HZ]) / 700)
    corners = 700 * (10 ** (np.linspace(low, top, BANKS + 2) / 2595) - 1) * 512 / SAMPLE_RATE
    corners = np.floor(corners + 0.5)[:, None]
    bins = np.arange(257)
    rising, falling = (bins - corners[:-2]) / np.diff(corners, axis=0)[:-1], (corners[2:] - bins)
    falling = falling / np.diff(corners, axis=0)[1:]
    areas = (corners[2:] - corners[:-2]) / 2 * SAMPLE_RATE / 512
    return np.maximum(0, np.minimum(rising, falling)) / areas


def _gaussians(path: Path) -> np.ndarray:
    """The numbers of all Gaussians, (3, 42 · 128, 13) float32."""
    content = path.read_bytes()
    numbers = np.frombuffer(content, "<i4", offset=content.index(b"endhdr\n") + 7, count=8)
    expected = (ORDER, PHONES, STREAMS, DENSITIES, CEPSTRA, CEPSTRA, CEPSTRA, PHONES * STREAMS * DENSITIES * CEPSTRA)
    if tuple(numbers.tolist()) != expected:
        raise ValueError(f"'{path}' holds {numbers.tolist()}, expected {expected}: is it the model en-us?")
    values = np.frombuffer(content, "<f4", offset=content.index(b"endhdr\n") + 7 + 32, count=expected[-1])
    by_phone = values.reshape(PHONES, STREAMS, DENSITIES, CEPSTRA)
    return np.ascontiguousarray(by_phone.transpose(1, 0, 2, 3).reshape(STREAMS, -1, CEPSTRA))
