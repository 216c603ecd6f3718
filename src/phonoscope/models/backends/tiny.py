"""Tiny: a scorer of our own that comes with phonoscope, of some eight hundred numbers, in NumPy.

A mouth moves, somebody is heard, and the mouth moves just as the voice does: the clues of `motion`, but how mouth and
voice go together has been learnt, and so has what each clue weighs. The two err differently, so the score is the mean
of what the network says and of what `motion` says.
"""

import copy
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.models.backends.motion import Motion
from phonoscope.models.cards import Card
from phonoscope.models.speaking import (
    FASTEST,
    SAMPLE_RATE,
    SCENES,
    SLOWEST,
    Calibration,
    check_given,
    rows_of,
)
from phonoscope.models.state_dicts import linear_entries, read_state_dict, strict
from phonoscope.models.windows import COEFFICIENTS, ROWS, check_track

WIDTH = 4  # filters of movement, and of sound, that are compared pair by pair
REACHES = (12, 30)  # frames on either side over which they are compared
SMOOTH = (6, 15)  # frames on either side over which movement is averaged,
SHORT = (4, 12)  # and loudness
PEAK = 40  # frames on either side among which the loudest is looked for
SOUND_MEAN = np.array([14.0] + [0.0] * 12, np.float32)  # of MFCC; the first tells how loud it is
SOUND_DEVIATION = np.array([5.0] + [12.0] * 12, np.float32)
NOISE = 0.3  # grey levels², below which a difference between frames is grain and coding
RIDGE = 0.1  # grey levels² a px², keeps a blank face from flying off
PORTION = 32  # faces that are looked at at once: more do not fit into the cache
REACH = 46  # frames that the network sees on either side: 40 and 4 of loudness, 1 of MFCC, and 1 to spare

# Places are in the face halved to 56 × 56 px, less its border: the middle of an `asd` crop, where the corners of the
# mouth lay at rows 28 to 34 in 18 clips. Height and width of the mouth, its upper and its lower lip, and the chin:
_PLACES = ((31, 6, 9), (26, 3, 8), (36, 3, 8), (44, 5, 9))  # row, and its deviation; deviation of the column
_ROW, _COLUMN = np.mgrid[1:55, 1:55] + 0.5
MASKS = np.stack([np.exp(-(((_ROW - y) / tall) ** 2 + ((_COLUMN - 28) / wide) ** 2) / 2) for y, tall, wide in _PLACES])
MASKS = (MASKS / MASKS.sum((1, 2), keepdims=True)).astype(np.float32)
HEAD = (slice(0, 19), slice(3, 51))  # nose and cheeks: they move with the head, hardly with speech


class Tiny:
    """Scores a face by how it moves while somebody is heard, and how well that goes with the voice."""

    backend_kind: ClassVar[str] = "speaking_scorer"
    card: Card = Card(
        name="tiny",
        version="1",
        sources=("package:phonoscope/models/backends/tiny.safetensors",),
        sha256="5ed9b2b59ffdf772694dbc9e484e2a1d867ba0bf507ce044b85c43ae5249faf1",
        licence="Apache-2.0",
        cite="",
        input="middle 112 px of the asd crop, grey; MFCC by the recipe psf, four rows a frame, of sound at 16 kHz",
        rate="one score a video frame; made for 25 frames a second",
        notes="trained on puppets, on four people of GRID and on voices of LibriSpeech, both CC-BY-4.0, by `python -m "
        "bench tiny`. On six people it has not seen, and on whom nothing was chosen, all moving their mouths: AP .70 "
        "where two take turns (`motion` .65), .62 with wrong dubs and silence too (.58), .93 beside a face that does "
        f"not speak (.92); shares of positives .46, .26, .46. {SCENES}: AP .59, F1 .52 at 0 and .56 at best (-0.5); on "
        "four of the ten choices were made",
        size=4320,
    )
    cards: ClassVar[Mapping[str, Card]] = {"v1": card}
    calibrations: ClassVar[Mapping[str, Calibration]] = {"v1": Calibration(1.17, -0.39)}
    policy, size = "asd", 112
    context, period = max(REACH, Motion.context), 1

    def __init__(self, weights: Path, *, card: Card | None = None, threads: int = 1) -> None:
        """Load any weights of this network; it runs on one thread, whatever `threads` says.

        Raises:
            UsageError: they are of another network, or no weights at all.
        """
        tensors = read_state_dict(weights).tensors
        strict(tensors, entries(), "tiny")
        self._tensors = {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
        self.card, self._fps, self._motion = card or self.card, Fraction(25), Motion()
        self.calibration = self.calibrations["v1"] if self.card.sha256 == Tiny.card.sha256 else None

    def at(self, fps: Fraction, windows: str = "shared") -> Self:
        """The same for film of so many frames a second; it has no windows, whatever `windows` says.

        Raises:
            UsageError: it was not trained for that rate.
        """
        if not SLOWEST <= fps <= FASTEST:
            said = f"'tiny' has learnt from film of 25 frames a second, not {float(fps):.5g}"
            raise UsageError(f"{said}: make the store at --clock.fps 25, or score with --asd.model motion")
        made = copy.copy(self)
        made._fps = fps
        return made

    def __call__(self, faces: np.ndarray, audio: np.ndarray) -> np.ndarray:
        """Log-odds of speaking, (T,) float32, from faces (T, 112, 112) uint8 and audio (N,) float32 at 16 kHz.

        Sound that ends before the faces do is followed by silence.

        Raises:
            ValueError: these are no such faces or no such audio.
        """
        check_given(faces, audio, self.size)
        if len(faces) == 0:
            return np.zeros(0, np.float32)
        samples = round(len(faces) * SAMPLE_RATE / self._fps)
        heard = np.pad(audio[:samples], (0, max(samples - len(audio), 0)))
        rows = rows_of(heard, len(faces) + 1, self._fps)  # silence follows: what ends a piece ends the whole
        return (self.logits(rows[: ROWS * len(faces)], faces)[:, 1] + self._motion(faces, heard)) / 2

    def logits(self, mfcc: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """What the network alone says of a whole track, (T, 2) float32: not speaking (always 0), speaking.

        Args:
            mfcc: (4T, 13), by the recipe psf.
            faces: (T, 112, 112), 0 to 255.

        Raises:
            ValueError: they are not of the same frames.
        """
        check_track(mfcc, faces)
        if len(faces) == 0:
            return np.zeros((0, 2), np.float32)
        sound, moved = (mfcc.astype(np.float32) - SOUND_MEAN) / SOUND_DEVIATION, movement(faces)
        seen, heard = self._filtered("see", moved, 2), self._filtered("hear", sound, 4, stride=ROWS)
        told = [together(seen, heard, np.exp(self._tensors["slight"]), reach) for reach in REACHES]
        moving = self._weighed("moving", *told, *(around(moved, reach) for reach in SMOOTH))
        loud = [around(sound[:, :1].reshape(-1, ROWS).mean(1, keepdims=True), reach) for reach in SHORT]
        padded = np.pad(loud[0], ((PEAK, PEAK), (0, 0)), constant_values=-np.inf)
        peak = np.lib.stride_tricks.sliding_window_view(padded, 2 * PEAK + 1, 0).max(2)
        voiced = self._weighed("level", *loud, peak, loud[0] - peak)
        # odds of both, were they independent: 1/p = (1 + e^-voiced)(1 + e^-moving)
        odds = -np.logaddexp(np.logaddexp(-voiced, -moving), -voiced - moving)
        return np.concatenate([np.zeros_like(odds), odds], 1).astype(np.float32)

    def _filtered(self, name: str, values: np.ndarray, reach: int, stride: int = 1) -> np.ndarray:
        """Values (T, C) through learnt filters along time, (T / stride, C'); zeros lie beyond the ends."""
        weight, bias = self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"]
        padded = np.pad(values, ((reach, reach), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2], 0)[::stride]  # (T', C, taps)
        return np.tensordot(windows, weight, ((1, 2), (1, 2))) + bias

    def _weighed(self, name: str, *clues: np.ndarray) -> np.ndarray:
        return np.concatenate(clues, 1) @ self._tensors[f"{name}.weight"].T + self._tensors[f"{name}.bias"]


def movement(faces: np.ndarray) -> np.ndarray:
    """How much the mouth moves once the head's own movement is out, (T, 5) float32, of faces (T, 112, 112), 0 to 255.

    Four places about the mouth, in logs of px; then the mouth less the head, in logs of grey levels.
    """
    parts = []
    for at in range(0, len(faces), PORTION):
        shown = faces[max(at - 1, 0) : at + PORTION].astype(np.float32)
        if at == 0:
            shown = np.concatenate([shown[:1], shown])  # before the first face it has not changed
        parts.append(_changes(shown.reshape(-1, 56, 2, 56, 2).sum((2, 4)) / 4))
    told = np.concatenate(parts)
    moves, head, detail = told[:, :4], told[:, 4:5], told[:, 5:]
    moves, head = _unrepeated(moves), _unrepeated(head)
    return np.concatenate([moves - detail, moves[:, :1] - head], 1)


def _changes(halved: np.ndarray) -> np.ndarray:
    """Of faces (1 + T, 56, 56) and those before them: logs of four changes, of the head's, of four details, (T, 9).

    The shift that explains most of what has changed on nose and cheeks is the head's, and is taken out.
    """
    change, between = (halved[1:] - halved[:-1])[:, 1:-1, 1:-1], (halved[1:] + halved[:-1]) / 2
    right = (between[:, 1:-1, 2:] - between[:, 1:-1, :-2]) / 2
    down = (between[:, 2:, 1:-1] - between[:, :-2, 1:-1]) / 2
    causes = np.stack([part[:, *HEAD].reshape(len(change), -1) for part in (change, right, down)], 1)  # (T, 3, N)
    means = causes.mean(2, keepdims=True)
    over = (causes - means) @ (causes - means).transpose(0, 2, 1) / causes.shape[2]
    xx, yy, xy = over[:, 1, 1] + RIDGE, over[:, 2, 2] + RIDGE, over[:, 1, 2]
    x = (yy * over[:, 0, 1] - xy * over[:, 0, 2]) / (xx * yy - xy * xy)
    y = (xx * over[:, 0, 2] - xy * over[:, 0, 1]) / (xx * yy - xy * xy)
    light = means[:, 0, 0] - x * means[:, 1, 0] - y * means[:, 2, 0]
    x, y, light = (value[:, None, None] for value in (x, y, light))
    rest = (change - right * x - down * y - light) ** 2
    masks = MASKS.reshape(len(MASKS), -1).T
    moves = rest.reshape(len(rest), -1) @ masks
    detail = ((right**2 + down**2) / 2).reshape(len(rest), -1) @ masks
    head = rest[:, *HEAD].mean((1, 2))[:, None]
    return 0.5 * np.log(np.concatenate([moves + NOISE, head + NOISE, detail + 1], 1))


def _unrepeated(values: np.ndarray) -> np.ndarray:
    """Values (T, C) with single dips filled: a picture that is shown twice is no mouth that stopped."""
    values = np.concatenate([values[1:2], values[1:]]) if len(values) > 1 else values
    padded = np.pad(values, ((1, 1), (0, 0)), mode="edge")
    return np.maximum(values, np.minimum(padded[:-2], padded[2:]))


def together(seen: np.ndarray, heard: np.ndarray, slight: np.ndarray, reach: int) -> np.ndarray:
    """Fisher's z of the correlation of two features (T, C) around each frame, (T, C); small where either hardly varies.

    Args:
        slight: variance (C,) below which it does not.
    """
    means = around(np.concatenate([seen, heard, seen * seen, heard * heard, seen * heard], 1), reach)
    a, b, aa, bb, ab = np.split(means, 5, 1)
    varies = (np.maximum(aa - a * a, 0) + slight) * (np.maximum(bb - b * b, 0) + slight)
    return np.arctanh(0.98 * (ab - a * b) / np.sqrt(varies))


def around(values: np.ndarray, reach: int) -> np.ndarray:
    """Means (T, C) of values (T, C) around each frame, weighted by a Hann window; nothing lies beyond the ends."""
    bell = np.hanning(2 * reach + 3)[1:-1].astype(np.float32)
    padded = np.pad(values, ((reach, reach), (0, 0)))
    sums = np.lib.stride_tricks.sliding_window_view(padded, len(bell), 0) @ bell
    inside = np.convolve(np.ones(len(values), np.float32), bell)[reach : reach + len(values)]
    return sums / inside[:, None]


def entries() -> dict[str, tuple[int, ...]]:
    """Name and shape of each of the network's weights."""
    series = len(MASKS) + 1
    wanted: dict[str, tuple[int, ...]] = {
        "slight": (WIDTH,),
        "see.weight": (WIDTH, series, 5),
        "see.bias": (WIDTH,),
        "hear.weight": (WIDTH, COEFFICIENTS, 12),
        "hear.bias": (WIDTH,),
    }
    wanted |= linear_entries("level", 4, 1) | linear_entries("moving", len(REACHES) * WIDTH + 2 * series, 1)
    return wanted | linear_entries("lossA.FC", WIDTH, 2) | linear_entries("lossV.FC", WIDTH, 2)
