"""Pieces of speech to learn from: 3 s each, at a pace of its own, and as they sound in two places by lot."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from phonoscope.core.phones import Alignment, Interval, viseme_rows
from phonoscope.core.visemes import NOT_SCORED
from phonoscope.corpora.alignments import read_alignment
from phonoscope.models.viseme_rows import LEAD, ROW, log_mel
from phonoscope.tasks.visemes.sequences import PIECE, SPARE, Line
from phonoscope.tasks.visemes.spoken import Spoken, beside, sound_of
from phonoscope.tasks.visemes.varied import VaryParams, faster, in_place

LOUD = 0.06  # root of the mean square of each piece, before it is put into a place
EARLY_S = 0.007  # by which pocketsphinx' boundaries lie before those of synthesisers (median of 3,800, flite's voices)
SYNTHETIC = ("espeak", "fest", "flite")  # prefixes of folders
MOST_S = 480  # s of each of those
TIMES = {
    "allison": 4,
    "people_asterisk": 2,
    "people": 6,
}  # how often the folders of people are gone through
PLACES = (
    VaryParams(pace=0.11, noise=0.5, noise_db=(15.0, 40.0), echo=0.25, gain_db=10.0),
    VaryParams(pace=0.11, noise=0.75, noise_db=(6.0, 30.0), echo=0.5, gain_db=10.0),
)


def spoken_of(folder: Path) -> list[Spoken]:
    """The sounds of a folder with what is said in them, if it is known; of synthetic ones as much as is wanted."""
    synthetic = folder.name.startswith(SYNTHETIC)
    found, count = [], 0
    for path in sorted(folder.rglob("*.wav")):
        if synthetic and count >= MOST_S * 100:
            break
        audio = sound_of(path)
        rows = np.full(-(-len(audio) // ROW), NOT_SCORED, np.int8)
        if aligned := beside(path):
            said = read_alignment(aligned)
            rows = viseme_rows(_earlier(said) if synthetic else said, len(rows))
        found.append(Spoken(audio, rows, folder.name))
        count += len(rows)
    return found


def pieces_of(folder: Path) -> dict[str, np.ndarray]:
    """All pieces of a folder: `sound` (N, 48000) int16, `visemes` (N, 300) int8, `levels` (N, 2, 300, 80) float16."""
    spoken, rng = spoken_of(folder), np.random.default_rng(sum(folder.name.encode()))
    times = next((often for name, often in TIMES.items() if folder.name.startswith(name)), 1)
    made = list(_pieces(spoken, times, rng))
    names = ("sound", "visemes", "levels")
    return {name: np.stack(column) for name, column in zip(names, zip(*made, strict=True), strict=True)}


def _pieces(spoken: Sequence[Spoken], times: int, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, ...]]:
    length = int(PIECE * SPARE)
    for _ in range(times):
        line = Line(spoken, rng.permutation(len(spoken)).tolist())
        for start in range(int(rng.integers(PIECE)) if len(line) > 2 * PIECE else 0, max(1, len(line) - length), PIECE):
            cut, known = line.cut(start, length)
            sound, visemes = faster(cut, known, 1 + rng.uniform(-1, 1) * PLACES[0].pace, PIECE)
            sound = np.clip(sound * min(30.0, LOUD / (np.sqrt(np.mean(sound**2)) + 1e-5)), -1, 1)
            levels = [log_mel(np.pad(in_place(sound, _other(line, rng), place, rng), LEAD)) for place in PLACES]
            yield (sound * 32767).astype(np.int16), visemes, np.stack(levels).astype(np.float16)


def _other(line: Line, rng: np.random.Generator) -> np.ndarray:
    return line.cut(int(rng.integers(max(1, len(line) - PIECE))), PIECE)[0]


def _earlier(said: Alignment) -> Alignment:
    moved = (Interval(max(0.0, it.start_s - EARLY_S), max(0.0, it.stop_s - EARLY_S), it.text) for it in said.phones)
    return replace(said, phones=tuple(moved))
