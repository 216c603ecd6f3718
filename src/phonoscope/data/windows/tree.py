"""Window samples in the layout of AnnoTheia's fine-tuning: a csv a set, and beside it the arrays of every clip.

`face_crops/{set}/{speaker}/{clip}.npz` holds `data` (T, 112, 112) uint8 grey and, of ours, `missing` (T,) bool;
`mfccs/…` holds `data` (4T, 13) float64. `made_from` in both says what they were made from.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.data.kept import Kept
from phonoscope.data.windows.samples import ROWS, SpeakerClip, WindowSample
from phonoscope.data.windows.source import SIZE
from phonoscope.store.files import whole_file

CROPS, MFCCS = "face_crops", "mfccs"
THEIRS = ("video_id", "audio_id", "label", "window_center", "video_path", "audio_path")
COLUMNS = (*THEIRS, "audio_center", "kind")
BROKEN = (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error)  # what NumPy raises for a damaged file
BLUE_GREEN_RED = np.array([0.114, 0.587, 0.299])  # colour crops of older scripts are as OpenCV reads films


def write_samples(path: Path, samples: Sequence[WindowSample]) -> None:
    """A csv with a row a sample, whole or not at all; paths are relative to its folder."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for it in samples:
        video, audio = it.video.id, it.audio.id
        ids = (f"{video.rpartition('/')[2]}.npz", f"{audio.rpartition('/')[2]}.npz")
        paths = (f"{CROPS}/{video}.npz", f"{MFCCS}/{audio}.npz")
        rows.writerow([*ids, it.label, it.center, *paths, it.audio_center, it.kind])
    content = text.getvalue().encode()
    if not path.exists() or path.read_bytes() != content:
        with whole_file(path) as part:
            part.write_bytes(content)


def has_clip(root: Path, clip: SpeakerClip, key: str) -> bool:
    """Whether both arrays of a clip lie there whole and were made from what `key` stands for."""
    return all(_made_from(root / folder / f"{clip.id}.npz") == key for folder in (CROPS, MFCCS))


def write_clip(
    root: Path, clip: SpeakerClip, faces: np.ndarray, missing: np.ndarray, mfcc: np.ndarray, key: str
) -> None:
    """Both arrays of a clip, each whole or not at all; the same arrays give the same bytes."""
    made = np.array(key)
    _write(root / MFCCS / f"{clip.id}.npz", {"made_from": made, "data": mfcc.astype(np.float64)})
    crops = {"made_from": made, "missing": np.asarray(missing, bool), "data": np.asarray(faces, np.uint8)}
    _write(root / CROPS / f"{clip.id}.npz", crops)


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part, part.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def _made_from(path: Path) -> str | None:
    """What an array of ours was made from; None if it is not there, damaged, or somebody else's."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return str(file["made_from"])
    except (*BROKEN, KeyError):
        return None


class TreeSource:
    """Arrays of the clips of such a folder, ours or one made by AnnoTheia's scripts; grey or colour.

    Args:
        crops: the folder of faces; below it and below that of MFCC lies `{clip.id}.npz`.
    """

    def __init__(self, crops: Path, mfccs: Path) -> None:
        self.crops, self.mfccs = crops, mfccs
        self._kept = Kept()

    def faces(self, clip: SpeakerClip) -> tuple[np.ndarray, np.ndarray]:
        """Faces (T, 112, 112) uint8 grey, and in which frames there is none, (T,) bool: those that are all 0.

        Raises:
            UsageError: the file is not there, damaged, or holds something else.
        """
        faces, missing = self._kept.get((clip.id, CROPS), lambda: read_faces(self.crops / f"{clip.id}.npz"))
        return faces, missing

    def mfcc(self, clip: SpeakerClip) -> np.ndarray:
        """MFCC of the clip, (4T, 13) float64.

        Raises:
            UsageError: as `faces`.
        """
        return self._kept.get((clip.id, MFCCS), lambda: (read_mfcc(self.mfccs / f"{clip.id}.npz"),))[0]

    def labels(self, clip: SpeakerClip) -> np.ndarray:
        """Nothing is said of frames in such a folder.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"'{self.crops}' has a label a window, none a frame: take the windows from the store itself")


def read_faces(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Faces (T, 112, 112) uint8 grey of an npz, and in which frames there is none, (T,) bool.

    Raises:
        UsageError: there is no such file, it is damaged, or holds no faces.
    """
    with _opened(path) as file:
        data = file["data"]
        told = file.get("missing", None)
    if data.ndim == 4 and data.shape[3] == 3:
        data = data @ BLUE_GREEN_RED
    if data.ndim != 3 or data.shape[1:] != (SIZE, SIZE):
        raise UsageError(f"'{path}' holds {data.shape}, expected faces (T, {SIZE}, {SIZE}), or with three colours")
    faces = data if data.dtype == np.uint8 else np.rint(np.clip(data, 0, 255)).astype(np.uint8)
    missing = ~np.any(faces, axis=(1, 2)) if told is None else told
    return faces, np.asarray(missing, bool)


def read_mfcc(path: Path) -> np.ndarray:
    """MFCC (4T, 13) float64 of an npz.

    Raises:
        UsageError: there is no such file, it is damaged, or holds no MFCC.
    """
    with _opened(path) as file:
        data = file["data"]
    if data.ndim != 2 or data.shape[1] != 13 or len(data) < ROWS:
        raise UsageError(f"'{path}' holds {data.shape}, expected MFCC (4T, 13)")
    return data.astype(np.float64)


def rows_in(path: Path) -> int:
    """The length of `data` in an npz, without unpacking it.

    Raises:
        UsageError: there is no such file, it is damaged, or has no `data`.
    """
    try:
        with zipfile.ZipFile(path) as whole, whole.open("data.npy") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            return int(read(file)[0][0])
    except (*BROKEN, KeyError, IndexError) as error:
        raise UsageError(f"'{path}' is no npz with 'data' in it: {error}") from None


@contextmanager
def _opened(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    """An npz with `data` in it.

    Raises:
        UsageError: it is not there, damaged, or another file.
    """
    try:
        with path.open("rb") as opened:
            file = np.load(opened, allow_pickle=False)
            if not isinstance(file, np.lib.npyio.NpzFile) or "data" not in file:
                raise UsageError(f"'{path}' has no array 'data': expected faces or MFCC as npz")
            yield file
    except BROKEN as error:
        raise UsageError(f"'{path}' cannot be read as npz: {' '.join(str(error).split())}") from None
