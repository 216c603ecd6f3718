"""Pieces made different each time that they are shown: other microphones, silence before, holes."""

import numpy as np

from phonoscope.core.visemes import SILENCE
from phonoscope.models.viseme_rows import BANKS, LOUD, QUIET
from phonoscope.tasks.visemes.varied import VaryParams, other_throat

EAR = VaryParams(throat=0.08, tilt_db=7.0, narrow=0.12)
GAIN_DB = 6.0
SILENT, WHOLE = 0.1, 0.25  # part of the pieces that begin with silence; and of those, part that are nothing else
SHORT, LONG = 20, 170  # rows of silence
HISS = 0.1  # of rows
HOLES, WIDEST = 0.5, 12  # part of the pieces with holes in time, and with one in the banks; rows or banks


def other_place(levels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Levels (B, T, 80) through other throats and microphones, louder or softer."""
    made = np.stack([other_throat(it, EAR, rng) for it in levels])
    gain = rng.uniform(-GAIN_DB, GAIN_DB, (len(levels), 1, 1)) / 10 * np.log(10)
    return np.clip(made + gain, QUIET, LOUD).astype(np.float32)


def silenced(levels: np.ndarray, visemes: np.ndarray, told: np.ndarray, rng: np.random.Generator) -> None:
    """Some pieces begin with silence, by numbers or nearly, from now on."""
    for at in np.flatnonzero(rng.random(len(levels)) < SILENT):
        rows = levels.shape[1] if rng.random() < WHOLE else int(rng.integers(SHORT, LONG))
        quiet = rng.uniform(QUIET, QUIET + 5) + rng.normal(0, 1, (rows, BANKS)) if rng.random() < 0.5 else QUIET
        levels[at, :rows] = np.clip(quiet, QUIET, LOUD)
        visemes[at, :rows] = SILENCE
        told[at, :rows] = np.eye(told.shape[2])[SILENCE]


def masked(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows (B, T, 80) with a little noise, and with holes."""
    rows = rows + rng.normal(0, HISS, rows.shape).astype(np.float32)
    for piece in rows:
        if rng.random() < HOLES:
            for _ in range(2):
                wide, at = int(rng.integers(2, WIDEST)), int(rng.integers(len(piece) - WIDEST))
                piece[at : at + wide] = 0
        if rng.random() < HOLES:
            wide, at = int(rng.integers(2, WIDEST)), int(rng.integers(BANKS - WIDEST))
            piece[:, at : at + wide] = 0
    return rows
