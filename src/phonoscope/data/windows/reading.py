"""Window samples read back, also from folders that AnnoTheia's own scripts made, in every dialect of their csv."""

import csv
import hashlib
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import msgspec
import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.data.split import check_disjoint, set_named
from phonoscope.data.windows.samples import (
    COMPLETE,
    PARTIAL,
    POSITIVE,
    ROWS,
    TEMPORAL,
    SpeakerClip,
    WindowSample,
    centres,
    min_shift,
)
from phonoscope.data.windows.tree import CROPS, MFCCS, TreeSource, rows_in

LOG = logging.getLogger("phonoscope")
ABOUT = "windows.json"
NAMES: Mapping[str, tuple[str, ...]] = {
    "video": ("video_id", "video"),
    "audio": ("audio_id", "audio"),
    "label": ("label",),
    "center": ("window_center", "video_window_center", "center"),
}
"""Column -> what it is called: at AnnoTheia's head, before it, in the lists of LIP-RTVE."""
WINDOW = 25  # frames, where a folder does not say


@dataclass(frozen=True, slots=True)
class WindowSets:
    """The samples of a folder, set by set, and where their arrays come from."""

    samples: Mapping[str, tuple[WindowSample, ...]]
    source: TreeSource
    left_out: Mapping[str, int] = field(default_factory=dict)  # why -> rows


def read_windows(
    root: Path | str,
    window: int | None = None,
    seed: int = 0,
    *,
    crops: Path | str | None = None,
    mfccs: Path | str | None = None,
) -> WindowSets:
    """All samples of the csv files in a folder; a set is called as its file, train.csv and training.csv alike.

    Rows that do not say where their sound lies (AnnoTheia draws it anew whenever it loads one) get a place here, once,
    by the seed: that of the video if the label is 1, far enough from it in the same clip, anywhere in another one.
    Which clip is heard goes by `audio_id`; AnnoTheia's `audio_path` is always the video's own, and believed only
    where both agree.

    Args:
        window: frames; by default what `windows.json` says, or 25.
        crops: the folder of face crops, by default `face_crops` in `root`, and `mfccs` likewise.

    Raises:
        UsageError: there is no such folder or no such csv in it, a row makes no sense, or an array is not there.
    """
    root = Path(root)
    if not root.is_dir():
        raise UsageError(f"there is no folder '{root}': `phonoscope windows STORE --to {root}` makes one")
    window = window or _window_of(root)
    places = [_Places(Path(given or root / name), root) for given, name in ((crops, CROPS), (mfccs, MFCCS))]
    read = _Reading(window, places[0], places[1])
    samples = {}
    for path in sorted(root.glob("*.csv")):
        if (rows := _rows(path)) is not None:
            samples[set_named(path.stem)] = read.samples(path, rows, seed)
    if not samples:
        raise UsageError(f"'{root}' has no csv of windows: expected training.csv with video_id, audio_id, label, …")
    try:
        check_disjoint((it.video.speaker, name) for name, its in samples.items() for it in its)
    except UsageError as error:
        LOG.warning("%s: %s", root, error)
    for why, count in read.left_out.items():
        LOG.warning("%s: %d rows left out: %s", root, count, why)
    return WindowSets(samples, TreeSource(places[0].folder, places[1].folder), dict(read.left_out))


def _window_of(root: Path) -> int:
    try:
        return int(msgspec.json.decode((root / ABOUT).read_bytes())["window"])
    except FileNotFoundError:
        return WINDOW
    except (msgspec.DecodeError, KeyError, ValueError, TypeError) as error:
        raise UsageError(f"'{root / ABOUT}' is damaged ({error}): `phonoscope windows` writes it anew") from None


def _rows(path: Path) -> list[dict[str, str]] | None:
    """The rows of a csv of windows, by the names of `NAMES`; None if it holds something else."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            head = reader.fieldnames or ()
            called = {ours: next((it for it in names if it in head), None) for ours, names in NAMES.items()}
            if None in called.values():
                return None
            more = {name: name for name in ("video_path", "audio_path", "audio_center", "kind") if name in head}
            return [{ours: row[it] or "" for ours, it in {**called, **more}.items() if it} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"'{path}' cannot be read as a csv: {error}") from None


class _Places:
    """A folder of arrays, {set}/{speaker}/{clip}.npz, in which clips are found by what a csv says of them."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder, self.root = folder, root
        self.ids = {path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.npz")}
        self.called: dict[str, list[str]] = {}
        for id in sorted(self.ids):
            self.called.setdefault(id.rpartition("/")[2], []).append(id)

    def find(self, id: str, path: str, split: str) -> str:
        """The clip that a row means, as {set}/{speaker}/{clip}.

        Raises:
            LookupError: there is none, or there are several.
        """
        name = PurePosixPath(id.replace("\\", "/").removesuffix(".npz"))
        told = PurePosixPath(path.replace("\\", "/").removesuffix(".npz"))
        if told.name == name.name:
            for first in range(len(told.parts)):  # the longest end of the path that lies here
                if (tail := "/".join(told.parts[first:])) in self.ids:
                    return tail
        found = [it for it in self.called.get(name.name, ()) if f"/{it}".endswith(f"/{name}")]
        found = [it for it in found if set_named(it.partition("/")[0]) == split] or found
        if len(found) != 1:
            many = f"several clips are called '{name}'" if found else f"no '{name}.npz'"
            raise LookupError(f"{many} in '{self.folder}'")
        return found[0]


class _Reading:
    """Rows of a csv as samples; what could not be made is counted."""

    def __init__(self, window: int, crops: _Places, mfccs: _Places) -> None:
        self.window, self.crops, self.mfccs = window, crops, mfccs
        self.clips: dict[tuple[str, str], SpeakerClip] = {}
        self.left_out: Counter[str] = Counter()
        centres(1, window)  # an even window is refused before anything is read

    def samples(self, path: Path, rows: list[dict[str, str]], seed: int) -> tuple[WindowSample, ...]:
        split = set_named(path.stem)
        rng = np.random.default_rng([seed, int.from_bytes(hashlib.sha256(split.encode()).digest()[:8])])
        made = []
        for number, row in enumerate(rows, 2):
            try:
                sample = self._sample(row, split, rng)
            except (ValueError, LookupError) as error:
                raise UsageError(f"'{path}', line {number}: {error.args[0]}") from None
            made += [sample] if sample else []
        return tuple(made)

    def _sample(self, row: dict[str, str], split: str, rng: np.random.Generator) -> WindowSample | None:
        label, center = _whole("label", row["label"]), _whole("center", row["center"])
        if label not in (0, 1):
            raise ValueError(f"a label is 0 or 1, got {label}")
        video = self._clip(self.crops.find(row["video"], row.get("video_path", ""), split), split)
        if row["audio"] == row["video"] and not row.get("audio_path") and video.id in self.mfccs.ids:
            audio = video  # other speakers may have a clip of that name as well
        else:
            audio = self._clip(self.mfccs.find(row["audio"], row.get("audio_path", ""), split), split)
        kind = row.get("kind") or _kind(label, video, audio)
        _check_center(center, video)
        if row.get("audio_center"):
            place = _whole("audio_center", row["audio_center"])
            _check_center(place, audio)
        else:
            place = center if kind == POSITIVE else self._audio_center(audio, center if audio == video else None, rng)
        if place is None:
            self.left_out["a clip has no room for sound that is shifted by half a window"] += 1
            return None
        return WindowSample(video, audio, label, kind, center, place, self.window)

    def _clip(self, id: str, split: str) -> SpeakerClip:
        if (id, split) not in self.clips:
            faces = self.crops.folder / f"{id}.npz"
            rows = rows_in(faces) if id in self.crops.ids else rows_in(self.mfccs.folder / f"{id}.npz") // ROWS
            self.clips[id, split] = SpeakerClip(id, _speaker(id), split, rows)
        return self.clips[id, split]

    def _audio_center(self, audio: SpeakerClip, away_from: int | None, rng: np.random.Generator) -> int | None:
        fits = centres(audio.num_frames, self.window) or centres(audio.num_frames, self.window, pad=True)
        shift = min_shift(self.window)
        free = [it for it in fits if away_from is None or abs(it - away_from) >= shift]
        return free[int(rng.integers(len(free)))] if free else None


def _whole(name: str, text: str) -> int:
    try:
        number = float(text)
    except ValueError:
        number = 0.5
    if number % 1:
        raise ValueError(f"{name} is a whole number, got '{text}'")
    return int(number)


def _check_center(center: int, clip: SpeakerClip) -> None:
    if not 0 <= center <= clip.num_frames:  # AnnoTheia draws one past the end as well: a window half empty
        raise ValueError(f"a window's centre is frame {center}, but '{clip.id}' has {clip.num_frames}")


def _speaker(id: str) -> str:
    """Whose folder a clip lies in; where there are none, what its name begins with: speaker008 of speaker008_0001."""
    parts = id.split("/")
    return parts[-2] if len(parts) > 2 else parts[-1].rpartition("_")[0] or parts[-1]


def _kind(label: int, video: SpeakerClip, audio: SpeakerClip) -> str:
    if label:
        return POSITIVE
    return TEMPORAL if audio.id == video.id else PARTIAL if audio.speaker == video.speaker else COMPLETE
