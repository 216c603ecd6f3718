"""A store on disk: one folder a recording, one file an artifact."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from phonoscope.core.errors import PhonoscopeError, UsageError
from phonoscope.core.geometry import crop_track
from phonoscope.core.media import Clock, Recording
from phonoscope.core.series import Series
from phonoscope.core.time import Span
from phonoscope.store.codecs import CODECS, READERS, read_audio, read_recording, series_clock
from phonoscope.store.lock import alone
from phonoscope.store.receipts import Receipt, read_receipts, sync, whole_file, write_receipts
from phonoscope.store.tables import read_table
from phonoscope.store.uri import local_path

FORMAT = 1
FOLDERS = {"crop_video": "crops"}  # artifacts that are folders of files, where the folder has another name


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """`store.json`: what holds for every recording of a store."""

    format: int = FORMAT
    fps: Fraction = Fraction(25)  # of the clock that recordings are put on
    sample_rate: int = 16000  # Hz
    models: dict[str, str] = field(default_factory=dict)  # step -> the model that 'auto' came to mean here


class Store:
    """A folder of recordings.

    `Store(path)` opens one; `store[id]` gives a recording, by its id or by any part of it that only one has.

    Raises:
        UsageError: there is no store at `path`, or it was written by a newer phonoscope.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        try:
            self.settings = _read_settings(self.root)
        except (FileNotFoundError, NotADirectoryError):
            raise UsageError(f"no store at '{root}': `phonoscope prepare FILM --to {root}` makes one") from None
        if self.settings.format > FORMAT:
            raise UsageError(f"the store at '{root}' has format {self.settings.format}, this phonoscope reads {FORMAT}")

    @classmethod
    def create(cls, root: Path | str, settings: StoreSettings | None = None) -> "Store":
        """The store at `root`, made if there is none.

        Raises:
            UsageError: a store is there already and keeps another time than `settings` asks for.
        """
        root = Path(root)
        if not (root / "store.json").exists():
            root.mkdir(parents=True, exist_ok=True)
            with alone(root / ".lock"):
                _found(root, settings or StoreSettings())
        store = cls(root)
        if settings and (settings.fps, settings.sample_rate) != (store.settings.fps, store.settings.sample_rate):
            kept = f"{store.settings.fps} frames and {store.settings.sample_rate} samples a second"
            raise UsageError(f"the store at '{root}' keeps {kept}: for {settings.fps} frames use another store")
        return store

    def choose_models(self, models: Mapping[str, str]) -> None:
        """Write down which models 'auto' came to mean, so that later runs mean the same.

        Raises:
            UsageError: another process has chosen otherwise since this store was opened.
        """
        if dict(models) == self.settings.models:
            return
        with alone(self.root / ".lock"):
            there = _read_settings(self.root)
            for step, model in models.items():
                if there.models.get(step, model) != model:
                    raise UsageError(f"another process has just chosen {there.models[step]} for '{step}': start again")
            self.settings = replace(there, models=dict(sorted({**there.models, **models}.items())))
            _write_settings(self.root, self.settings)

    @contextmanager
    def hold(self, id: str) -> Iterator[None]:
        """Be the only one at work on a recording; what a killed predecessor left unfinished is removed first."""
        recordings = self.root / "recordings"
        recordings.mkdir(exist_ok=True)
        with alone(recordings / f".{id}.lock"):
            for debris in (recordings / id).glob(".*"):
                if debris.suffix in (".part", ".old"):
                    shutil.rmtree(debris) if debris.is_dir() else debris.unlink()
            yield

    def __iter__(self) -> Iterator[str]:
        """The ids of the recordings, sorted; what ingest has not finished is none."""
        return iter(sorted(path.parent.name for path in self.root.glob("recordings/*/recording.json")))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, id: str) -> "StoredRecording":
        if (self.root / "recordings" / id / "recording.json").exists():
            return StoredRecording(self.root / "recordings" / id)
        near = [other for other in self if id and id in other]
        if len(near) == 1:
            return StoredRecording(self.root / "recordings" / near[0])
        said = f"{len(near)} recordings have '{id}' in their ids: {', '.join(near[:5])}" if near else f"no '{id}'"
        raise UsageError(f"{said} in the store at '{self.root}'; `phonoscope status {self.root}` lists them")


class StoredRecording:
    """One recording of a store: its pictures, its sound, and everything that steps have made of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return f"<recording {self.folder.name}>"

    @cached_property
    def recording(self) -> Recording:
        """What it is."""
        return read_recording(self.folder / "recording.json")

    @cached_property
    def clock(self) -> Clock:
        """Which source frame each of its frames is."""
        return read_table(self.folder / "clock.parquet")

    @property
    def source(self) -> Path:
        """The film itself.

        Raises:
            RecordingFailed: it is no longer where it was.
        """
        return local_path(self.recording.source)

    def frames(self, span: Span | None = None) -> np.ndarray:
        """Pictures (T, H, W, 3) uint8 RGB, upright, straight from the film."""
        from phonoscope.media.video import frames

        return frames(self.source, self.clock, span or self.recording.span)

    def crops(self, track: int, policy: str = "asd", span: Span | None = None, *, grey: bool = False) -> np.ndarray:
        """One face cut out by a named policy, (T, h, w, 3) uint8 RGB, or (T, h, w) if `grey`.

        Args:
            span: frames of the recording; those where the track is. By default the whole track.
        """
        from phonoscope.core.geometry import POLICIES
        from phonoscope.media.video import decode

        crop = crop_track(self.load("tracks")[track], policy)
        span = span or crop.span
        if (span & crop.span) != span:
            raise UsageError(f"track {track} covers {crop.span}, asked for {span}")
        border = POLICIES[policy].border
        cut = []
        for picture in decode(self.source, self.clock, [span]):
            matrix = crop.matrix[picture.frame - crop.start]
            sample = picture.crop_grey if grey else picture.crop_rgb
            cut.append(sample(matrix, crop.size, border))
        return np.stack(cut)

    def audio(self, span: Span | None = None) -> np.ndarray:
        """Sound (N,) float32 under `span`, or all of it.

        Raises:
            PhonoscopeError: the film has no sound.
        """
        import soundfile

        if not self.recording.num_samples:
            raise PhonoscopeError(f"{self.recording.id} has no sound")
        span = span or self.recording.span
        under = span.samples(self.recording.fps, self.recording.sample_rate)
        return soundfile.read(self.folder / "audio.flac", start=under.start, stop=under.stop, dtype="float32")[0]

    @property
    def receipts(self) -> dict[str, Receipt]:
        """What there is, and how it was made."""
        return read_receipts(self.folder)

    def load(self, name: str) -> Any:
        """An artifact, as the type that its step returns; a folder of files as its path.

        Raises:
            UsageError: it has not been made.
        """
        if name == "recording":
            return self.recording
        if name == "audio":
            return read_audio(self.folder / "audio.flac")
        path = self.path(name)
        if path is None:
            made = ", ".join(self.receipts)
            raise UsageError(f"recording '{self.folder.name}' has no '{name}'; it has {made}")
        return path if path.is_dir() else READERS[path.suffix](path)

    def path(self, name: str) -> Path | None:
        """Where an artifact lies, or None if it has not been made."""
        if name not in self.receipts:
            return None
        if name == "recording":
            return self.folder / "recording.json"
        places = [self.folder / f"{name}{suffix}" for suffix in READERS] if name not in FOLDERS else []
        places.append(self.folder / FOLDERS.get(name, name))
        return next((place for place in places if place.exists()), None)

    def save(self, name: str, value: Any, receipt: Receipt) -> None:
        """Keep an artifact, then its receipt."""
        self.forget(name)
        if isinstance(value, Path):
            _swap_folder(value, self.folder / FOLDERS.get(name, name))
        else:
            codec = CODECS[type(value)]
            path = self.folder / f"{name}{codec.suffix}"
            if isinstance(value, Series):
                with whole_file(path.with_suffix(".json")) as part:
                    part.write_bytes(series_clock(value))
            with whole_file(path) as part:
                codec.write(part, value)
        write_receipts(self.folder, {**self.receipts, name: receipt})

    def forget(self, name: str) -> None:
        """Take the receipt of an artifact away, before it is made anew."""
        receipts = self.receipts
        if receipts.pop(name, None):
            write_receipts(self.folder, receipts)

    @contextmanager
    def part_folder(self, name: str) -> Iterator[Path]:
        """An empty folder for files in the making; `save` gives it its name."""
        part = self.folder / f".{FOLDERS.get(name, name)}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        try:
            yield part
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _swap_folder(part: Path, folder: Path) -> None:
    old = folder.with_name(f".{folder.name}.old")
    for file in part.iterdir():
        sync(file)
    sync(part)
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    sync(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _found(root: Path, settings: StoreSettings) -> None:
    """Make a store of a folder, unless another process has just done so."""
    if (root / "store.json").exists():
        return
    if any(not path.name.startswith(".") for path in root.iterdir()):
        raise UsageError(f"'{root}' is a folder with other things in it: give a new or empty folder to --to")
    _write_settings(root, settings)
    (root / "recordings").mkdir(exist_ok=True)


def _read_settings(root: Path) -> StoreSettings:
    text = (root / "store.json").read_bytes()
    return msgspec.json.decode(text, type=StoreSettings, dec_hook=lambda kind, text: kind(text))


def _write_settings(root: Path, settings: StoreSettings) -> None:
    with whole_file(root / "store.json") as part:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(asdict(settings), enc_hook=str), indent=1) + b"\n")
