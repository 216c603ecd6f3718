"""A store: one folder a recording, one file an artifact; on disk, or in a bucket of which the folder is a mirror."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import msgspec

from phonoscope.core.errors import UsageError
from phonoscope.store import commit
from phonoscope.store.files import as_json, whole_file
from phonoscope.store.index import read_ids
from phonoscope.store.lock import alone
from phonoscope.store.mirror import Mirror
from phonoscope.store.recording import StoredRecording
from phonoscope.store.shared import bucket_of, latest, opened, rewrite

FORMAT = 1
NATIVE = "native"  # the rate of a store in which each film keeps its own


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """`store.json`: what holds for every recording of a store."""

    format: int = FORMAT
    fps: Fraction | None = Fraction(25)  # of the clock that recordings are put on; None: each keeps its film's own
    sample_rate: int = 16000  # Hz
    models: dict[str, str] = field(default_factory=dict)  # step -> the model that 'auto' came to mean here

    @property
    def rate(self) -> str:
        """Frames a second in words: a fraction, or "native"."""
        return NATIVE if self.fps is None else str(self.fps)


class Store:
    """A folder of recordings.

    `Store(path)` opens one; `store[id]` gives a recording, by its id or by any part of it that only one has. So does
    `Store("s3://bucket/films")`: `root` is then a mirror here, which fetches what is asked for and keeps it.

    Raises:
        UsageError: there is no store at `root`, its `store.json` is damaged, or a newer phonoscope wrote it.
        RecordingFailed: "storage": the bucket cannot be reached.
    """

    def __init__(self, root: Path | str) -> None:
        self.root, self.uri = opened(root)
        self.far = bucket_of(self.root) is not None
        self._looked: set[str] = set()  # recordings that are as the bucket had them when we first asked
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
        folder, _ = opened(root)
        if not latest(folder, "store.json").exists():
            folder.mkdir(parents=True, exist_ok=True)
            rewrite(folder, "store.json", lambda _: _found(folder, settings or StoreSettings()))
        store = cls(root)
        if settings and (settings.fps, settings.sample_rate) != (store.settings.fps, store.settings.sample_rate):
            kept = f"{store.settings.rate} frames and {store.settings.sample_rate} samples a second"
            raise UsageError(f"the store at '{root}' keeps {kept}: for {settings.rate} frames use another store")
        return store

    def choose_models(self, models: Mapping[str, str]) -> None:
        """Write down which models 'auto' came to mean, so that later runs mean the same.

        Raises:
            UsageError: another process has chosen otherwise since this store was opened.
        """
        if dict(models) == self.settings.models:
            return

        def choose(path: Path) -> None:
            there = _settings_in(path)
            for step, model in models.items():
                if there.models.get(step, model) != model:
                    raise UsageError(f"another process has just chosen {there.models[step]} for '{step}': start again")
            self.settings = replace(there, models=dict(sorted({**there.models, **models}.items())))
            _write_settings(self.root, self.settings)

        rewrite(self.root, "store.json", choose)

    @contextmanager
    def hold(self, id: str) -> Iterator[None]:
        """Be the only one at work on a recording; what a killed predecessor left unfinished is removed first.

        Of a store in a bucket: the only one on this machine. What was made is in the bucket afterwards; of what
        another machine has made of the same recording meanwhile, nothing is lost.

        Raises:
            RecordingFailed: "storage": the bucket cannot be reached; what was made waits for the next one here.
        """
        recordings = self.root / "recordings"
        recordings.mkdir(exist_ok=True)
        with alone(recordings / f".{id}.lock"):
            for debris in (recordings / id).glob(".*"):
                if debris.suffix in (".part", ".old"):
                    shutil.rmtree(debris) if debris.is_dir() else debris.unlink()
            with commit.at_work(Mirror(self.root, id)) if self.far else nullcontext():
                self._looked.add(id)
                yield

    def at(self, id: str, *, anew: bool = False) -> StoredRecording:
        """The recording of an id, of which there may be nothing yet.

        Args:
            anew: ask the bucket even if it was asked before.
        """
        folder = self.root / "recordings" / id
        if not self.far:
            return StoredRecording(folder)
        mirror = Mirror(self.root, id)
        if anew or id not in self._looked:
            mirror.refresh()
            self._looked.add(id)
        return StoredRecording(folder, mirror)

    def has(self, id: str) -> bool:
        """Whether there is anything of a recording."""
        stored = self.at(id)
        return stored.folder.exists() or stored.has("")

    def remove(self, id: str) -> None:
        """Remove a recording with everything that was made of it; it must be held."""
        if self.far:
            commit.remove(Mirror(self.root, id))
        elif (self.root / "recordings" / id).exists():
            shutil.rmtree(self.root / "recordings" / id)

    def __iter__(self) -> Iterator[str]:
        """The ids of the recordings, sorted; what ingest has not finished is none. A bucket's are its index's."""
        if self.far:
            return iter(read_ids(self.root))
        return iter(sorted(path.parent.name for path in self.root.glob("recordings/*/recording.json")))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, id: str) -> "StoredRecording":
        if id and ((stored := self.at(id)).folder / "recording.json").exists():
            return stored
        near = [other for other in self if id and id in other]
        if len(near) == 1 and ((stored := self.at(near[0])).folder / "recording.json").exists():
            return stored
        said = f"{len(near)} recordings have '{id}' in their ids: {', '.join(near[:5])}" if near else f"no '{id}'"
        raise UsageError(f"{said} in the store at '{self.uri}'; `phonoscope status {self.uri}` lists them")


def _found(root: Path, settings: StoreSettings) -> None:
    """Make a store of a folder, unless another process has just done so."""
    if (root / "store.json").exists():
        return
    if bucket := bucket_of(root):
        if bucket.below(most=1):
            raise UsageError(f"'{bucket.uri}' has other things in it: give a prefix where nothing is yet to --to")
    else:
        must_be_empty(root)
    _write_settings(root, settings)
    (root / "recordings").mkdir(exist_ok=True)


def must_be_empty(root: Path) -> None:
    """Refuse to make a store among other things.

    Raises:
        UsageError: the folder holds something that is not hidden.
    """
    if any(not path.name.startswith(".") for path in root.iterdir()):
        raise UsageError(f"'{root}' is a folder with other things in it: give a new or empty folder to --to")


def _read_settings(root: Path) -> StoreSettings:
    return _settings_in(latest(root, "store.json"))


def _settings_in(path: Path) -> StoreSettings:
    text = path.read_bytes()
    try:
        values = msgspec.json.decode(text)
        if isinstance(values, dict) and values.get("fps") == NATIVE:
            values["fps"] = None
        return msgspec.convert(values, StoreSettings, dec_hook=lambda kind, text: kind(text))
    except (msgspec.DecodeError, UnicodeDecodeError, ZeroDivisionError) as error:
        mend = 'write {"fps": "25", "sample_rate": 16000} into it, or the numbers that this store has kept'
        raise UsageError(f"'{path}' is damaged ({error}): {mend}") from None


def _write_settings(root: Path, settings: StoreSettings) -> None:
    values = {**asdict(settings), "fps": settings.rate}
    with whole_file(root / "store.json") as part:
        part.write_bytes(as_json(values))
