"""Speech with soft viseme labels: `wav_data/{name}.wav` beside `label/{name}.txt`, as Viseme-Classification has it.

A label is a line a frame: fifteen probabilities with commas between them, in the order of `core.visemes.VISEMES`.
Frames are 16 ms long and 8 ms apart, so a sound of N samples at 16 kHz has (N - 256) // 128 + 1 of them.
"""

import hashlib
import math
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.visemes import VISEMES

SOUNDS, LABELS = "wav_data", "label"
SAMPLE_RATE = 16_000  # Hz; another one is refused, not resampled: labels were made for this sound
WINDOW, HOP = 256, 128  # samples that a frame sees, and from one to the next
TOLERANCE = 1e-3  # by which the sum of a row may differ from 1

_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Pair:
    """A sound and its labels, not read yet."""

    name: str
    wav: Path
    label: Path


@dataclass(frozen=True, slots=True)
class Pairs:
    """What a folder holds."""

    pairs: tuple[Pair, ...]  # in natural order: 2 before 10
    faults: tuple[str, ...]  # a line for each file that has no partner, or is none


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A sound with its labels."""

    name: str
    audio: np.ndarray  # (N,) float32 in [-1, 1], 16 kHz
    weights: np.ndarray  # (T, 15) float32, rows sum to 1; T = frames(N)
    digest: str  # of the labels as they stand there, whatever the file is called


def frames(samples: int) -> int:
    """How many frames so many samples have."""
    return max(0, (samples - WINDOW) // HOP + 1)


def pairs_in(folder: Path, first: str = "", last: str = "") -> Pairs:
    """The pairs of a folder, by name, and what stands alone in it.

    Args:
        first: the first name that is meant, in natural order; "" is the first there is.
        last: the last one, itself included.

    Raises:
        UsageError: it has no `wav_data` and `label`, or there is no pair in them, or none from `first` to `last`.
    """
    for part in (SOUNDS, LABELS):
        if not (folder / part).is_dir():
            raise UsageError(f"there is no folder '{folder / part}': expected {SOUNDS}/NAME.wav and {LABELS}/NAME.txt")
    faults: list[str] = []
    wavs, labels = _files(folder / SOUNDS, ".wav", faults), _files(folder / LABELS, ".txt", faults)
    faults += [f"{LABELS}/{labels[it].name}: no {SOUNDS}/{it}.wav" for it in labels if it not in wavs]
    faults += [f"{SOUNDS}/{wavs[it].name}: no {LABELS}/{it}.txt" for it in wavs if it not in labels]
    names = sorted(wavs.keys() & labels.keys(), key=natural)
    if not names:
        held = f"{len(wavs)} sounds and {len(labels)} labels"
        raise UsageError(f"no pair in '{folder}': {held}, none of one name, as {SOUNDS}/7.wav and {LABELS}/7.txt are")
    meant = [it for it in names if (not first or natural(it) >= natural(first))]
    meant = [it for it in meant if (not last or natural(it) <= natural(last))]
    if not meant:
        raise UsageError(f"no pair in '{folder}' from {first or names[0]} to {last or names[-1]}: there are "
                         f"{len(names)}, from {names[0]} to {names[-1]}")  # fmt: skip
    return Pairs(tuple(Pair(it, wavs[it], labels[it]) for it in meant), tuple(sorted(faults, key=natural)))


def natural(name: str) -> list[tuple[int, str]]:
    """What names are sorted by so that 2 comes before 10."""
    return [(int(part), part) if part.isdigit() else (-1, part) for part in _DIGITS.split(name)]


def labelled(pairs: Iterable[Pair], fault: Callable[[str], object]) -> Iterator[Labelled]:
    """Pair after pair, one of them in memory at a time; one that cannot be used is told to `fault` and left out."""
    for pair in pairs:
        try:
            yield read_pair(pair)
        except UsageError as error:
            fault(str(error))


def read_pair(pair: Pair) -> Labelled:
    """A sound with its labels; the one frame by which they may differ in length is cut off.

    Raises:
        UsageError: a file cannot be read, the sound is not mono at 16 kHz, a row is not fifteen probabilities that sum
            to 1 within `TOLERANCE`, or there are more or fewer rows than the sound has frames.
    """
    audio = _sound(pair.wav)
    content = _bytes(pair.label)
    weights = _weights(content, pair.label)
    heard = frames(len(audio))
    if abs(len(weights) - heard) > 1 or not heard:
        both = f"{len(weights)} rows, but '{pair.wav}' has {heard} frames of 16 ms every 8 ms"
        raise UsageError(f"'{pair.label}': {both}: they are not of one sound")
    rows = min(len(weights), heard)
    return Labelled(pair.name, audio, weights[:rows], hashlib.sha256(content).hexdigest()[:12])


def _files(folder: Path, suffix: str, faults: list[str]) -> dict[str, Path]:
    """The files of one kind by their name without its ending; what else is there is told."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        told = f"{folder.name}/{path.name}"
        if path.name.startswith("."):
            continue
        if path.suffix.lower() != suffix or not path.is_file():
            faults.append(f"{told}: no {suffix} file, passed over")
        elif found.setdefault(path.stem, path) != path:
            faults.append(f"{told}: there is {found[path.stem].name} too, passed over")
    return found


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"'{path}' cannot be read: {error.strerror or error}") from None


def _sound(path: Path) -> np.ndarray:
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            if file.samplerate != SAMPLE_RATE or file.channels != 1:
                raise UsageError(f"'{path}' has {file.channels} channels at {file.samplerate} Hz: expected one at "
                                 f"{SAMPLE_RATE}, as ffmpeg -i IN -ac 1 -ar {SAMPLE_RATE} OUT makes it")  # fmt: skip
            audio = file.read(dtype="float32")
    except soundfile.LibsndfileError as error:
        raise UsageError(f"'{path}' is no sound that can be read: {error.error_string}") from None
    if len(audio) < WINDOW:
        raise UsageError(f"'{path}' has {len(audio)} samples: a frame is {WINDOW}")
    if not np.isfinite(audio).all():
        raise UsageError(f"'{path}' has samples that are no numbers")
    return audio


def _weights(content: bytes, path: Path) -> np.ndarray:
    """Rows of a label file, (T, 15) float32."""
    try:
        lines = content.decode("utf-8-sig").splitlines()  # of \r\n as of \n
    except UnicodeDecodeError:
        raise UsageError(f"'{path}' is no text: expected {len(VISEMES)} numbers a line") from None
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise UsageError(f"'{path}' is empty: expected {len(VISEMES)} numbers a line")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of what NumPy would pass over
            rows = np.loadtxt(lines, np.float64, delimiter=",", comments=None, ndmin=2)
    except (ValueError, UserWarning):
        rows = np.empty((0, 0))
    if rows.shape != (len(lines), len(VISEMES)) or not _sound_rows(rows).all():
        number, said = next((n, said) for n, line in enumerate(lines, 1) if (said := _fault(line)))
        raise UsageError(f"'{path}', line {number}: {said}")
    return rows.astype(np.float32)


def _sound_rows(rows: np.ndarray) -> np.ndarray:
    """Which rows (T, 15) are probabilities, (T,) bool; NaN are none."""
    return (rows >= 0).all(1) & (np.abs(rows.sum(1) - 1) <= TOLERANCE)


def _fault(line: str) -> str:
    """What is wrong with a line; "" if nothing is."""
    parts = line.split(",")
    if len(parts) != len(VISEMES):
        return f"expected {len(VISEMES)} numbers with commas between them, got {len(parts) if line.strip() else 0}"
    for part in parts:
        try:
            # as the whole file is read, not by float() alone, which takes 0_1 for a number
            value = float(np.loadtxt([part], delimiter=",", comments=None)) if part.strip() else math.nan
        except ValueError:
            return f"expected numbers, got '{part.strip()}'"
        if not value >= 0:  # nor is NaN
            return f"expected probabilities, got {part.strip() or 'nothing'}"
    total = float(np.loadtxt([line], delimiter=",", comments=None, ndmin=2).sum(1)[0])
    return "" if abs(total - 1) <= TOLERANCE else f"expected numbers that sum to 1 within {TOLERANCE:g}, got {total:g}"
