"""Files as the field's own tools write them: landmarks as text, numbered pictures, sound, layers of speech."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Literal

import numpy as np

from phonoscope.core.series import Series
from phonoscope.core.time import Span
from phonoscope.store.files import whole_file

BLOCK = 1 << 12  # rows of speech at a time, samples · 16: memory stays the same for an hour


def picture_name(row: int) -> str:
    """The file of a clip's row: 0 is 000001.png."""
    return f"{row + 1:06d}.png"


def landmark_lines(points: np.ndarray, sub_pixel: bool = False) -> Iterator[str]:
    """A line a frame: `000001.png x_y x_y … `, of points (T, K, 2) px.

    Whole numbers are cut towards zero and each line ends in a blank, as upstream writes them; `sub_pixel` gives
    three decimals. What is not known is `nan_nan`.

    Source: `save_lmds` of talking_face_preprocessing.
    """

    def number(value: float) -> str:
        return "nan" if np.isnan(value) else f"{value:.3f}" if sub_pixel else str(int(value))

    for row, face in enumerate(points):
        yield f"{picture_name(row)} " + "".join(f"{number(x)}_{number(y)} " for x, y in face.tolist()) + "\n"


def read_landmarks(path: Path) -> np.ndarray:
    """Landmarks out of such a file, (T, K, 2) float32 px, row k of line k; NaN where it says so.

    Raises:
        ValueError: a line names another picture than the next, or has not as many points as the first.
    """
    faces: list[list[list[float]]] = []
    for row, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        name, *points = line.split()
        faces.append([[float(number) for number in point.split("_")] for point in points])
        if name != picture_name(row) or any(len(xy) != 2 for xy in faces[-1]) or len(faces[-1]) != len(faces[0]):
            raise ValueError(f"{path}, line {row + 1}: expected {picture_name(row)} and {len(faces[0])} points x_y")
    return np.array(faces, np.float32).reshape(len(faces), -1, 2)


def unknown(values: np.ndarray) -> np.ndarray:
    """Which rows of (T, …) hold a NaN, (T,) bool."""
    return np.asarray(np.isnan(values).any(axis=tuple(range(1, values.ndim))))


def repeated(values: np.ndarray) -> np.ndarray:
    """The same rows (T, …), those that hold a NaN replaced by the last known before them, or the first after.

    Raises:
        ValueError: no row is known.
    """
    known = np.flatnonzero(~unknown(values))
    if not len(known):
        raise ValueError(f"none of {len(values)} rows is known: there is nothing to repeat")
    return values[known[np.maximum(np.searchsorted(known, np.arange(len(values)), side="right") - 1, 0)]]


def write_wav(path: Path, flac: Path, under: slice) -> None:
    """The samples `under` a span of a 16-bit mono FLAC, bit by bit, as WAV.

    Raises:
        ValueError: the sound is shorter than that.
    """
    import soundfile

    with soundfile.SoundFile(flac) as sound, whole_file(path) as part:
        sound.seek(min(under.start, sound.frames))
        with soundfile.SoundFile(part, "w", sound.samplerate, 1, "PCM_16", format="WAV") as file:
            for block in sound.blocks(16 * BLOCK, frames=under.stop - under.start, dtype="int16"):
                file.write(block)
            if file.frames != under.stop - under.start:
                raise ValueError(f"{flac} ends {under.stop - under.start - file.frames} samples before the clip does")


SpeechRows = Literal["two-a-frame", "as-heard", "plus-one"]


def rows_under(speech: Series, span: Span, fps: Fraction, how: SpeechRows) -> np.ndarray:
    """Which rows of a series of speech belong to a span, (T,) int64.

    "two-a-frame": exactly two a frame, by `Series.on`; "as-heard": those whose centres lie in the span; "plus-one":
    the same and the last of them again, as upstream pads.

    Raises:
        ValueError: the series does not cover the span, or has no row in it.
    """
    if how == "two-a-frame":
        return Series(np.arange(len(speech)), speech.rate, speech.start).on(span, fps, 2)
    first, stop = (ceil((edge / fps - speech.start) * speech.rate) for edge in (span.start, span.stop))
    at = np.arange(max(first, 0), min(stop, len(speech)))
    if not len(at):
        raise ValueError(f"no row of the speech has its centre in {span}")
    return np.append(at, at[-1]) if how == "plus-one" else at


def write_layers(path: Path, speech: Series, at: np.ndarray) -> None:
    """The rows `at` (T,) of layers of speech (…, layers, D) as `.npy` (layers, T, D) float32."""
    _, layers, width = speech.values.shape
    about = {"descr": "<f4", "fortran_order": False, "shape": (layers, len(at), width)}
    with whole_file(path) as part, part.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, about)
        for layer in range(layers):
            for first in range(0, len(at), BLOCK):
                file.write(np.ascontiguousarray(speech.values[at[first : first + BLOCK], layer], "<f4").tobytes())


def write_array(path: Path, values: np.ndarray) -> None:
    """An array as `.npy`."""
    with whole_file(path) as part, part.open("wb") as file:
        np.save(file, values, allow_pickle=False)


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Lines as UTF-8, which end in \\n everywhere."""
    with whole_file(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(lines)
