"""The folder that mixtures are written to: what lies there whole, and was made from what.

`mix.json` says by which settings; `mix.jsonl` has a line a mixture that is whole: its files first, each by rename, then
its line.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from phonoscope.core.checks import folder_here
from phonoscope.core.errors import UsageError
from phonoscope.data.mixing import SAMPLE_RATE
from phonoscope.store.files import as_json, whole_file, write_if_new
from phonoscope.store.folder import Store, must_be_empty
from phonoscope.store.lines import add_line, read_lines, replace_lines
from phonoscope.store.lock import alone

ABOUT, LEDGER = "mix.json", "mix.jsonl"
Write = Callable[[Path], Any]


class Entry(msgspec.Struct, frozen=True):
    """What lies in the folder under one name."""

    name: str
    key: str  # hash of what it was made from; "": it is being made anew
    files: dict[str, int]  # path below the folder -> bytes


class MixFolder:
    """A folder of mixtures.

    Raises:
        UsageError: it holds something else, or another layout, or lies among the recordings of the store.
    """

    def __init__(self, root: Path, store: Store, layout: str) -> None:
        self.root, self.layout = folder_here("--to", root), layout
        if root.resolve().is_relative_to((store.root / "recordings").resolve()):
            raise UsageError(f"'{root}' lies among the recordings of the store: give another folder to --to")
        if root.exists() and not root.is_dir():
            raise UsageError(f"'{root}' is a file: give a new or empty folder to --to")
        if root.exists() and not (root / ABOUT).exists():
            must_be_empty(root)
        if (there := self._about().get("layout", layout)) != layout:
            raise UsageError(f"'{root}' holds mixtures in the layout '{there}': give another folder to --to")
        self.entries = {it.name: it for it in read_lines(root / LEDGER, Entry)}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the only one to write into it."""
        self.root.mkdir(parents=True, exist_ok=True)
        with alone(self.root / ".lock"):
            if not (self.root / ABOUT).exists():
                self.write_about({})  # by it the folder is known to be ours, however soon we are killed
            self.entries = {it.name: it for it in read_lines(self.root / LEDGER, Entry)}
            yield

    def has(self, name: str, key: str) -> bool:
        """Whether it lies here whole, and was made from what `key` stands for."""
        entry = self.entries.get(name)
        return entry is not None and entry.key == key and all(self._size(it) == n for it, n in entry.files.items())

    def keep(self, name: str, key: str, files: Mapping[str, Write]) -> None:
        """Write its files, each whole, then its line; files that it had before and has no longer go."""
        before = self.entries.get(name)
        if before:  # of two makings, half of each would else be taken for the first, should we be killed
            add_line(self.root / LEDGER, Entry(name, "", before.files))
        for path, write in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            with whole_file(self.root / path) as part:
                write(part)
        for path in before.files.keys() - files.keys() if before else ():
            (self.root / path).unlink(missing_ok=True)
        entry = Entry(name, key, {path: self._size(path) for path in files})
        add_line(self.root / LEDGER, entry)
        self.entries[name] = entry

    def forget(self, mine: Callable[[str], bool], but: Collection[str]) -> None:
        """Take away what was made before, is `mine`, and is no longer asked for."""
        old = [it for it in self.entries.values() if mine(it.name) and it.name not in but]
        stay = {path for it in self.entries.values() if it not in old for path in it.files}
        for entry in old:
            for path in entry.files.keys() - stay:
                (self.root / path).unlink(missing_ok=True)
            del self.entries[entry.name]
        if old:
            replace_lines(self.root / LEDGER, self.entries.values())

    def write(self, path: str, content: bytes) -> None:
        """A file that is made of all mixtures; one that says so already is not touched."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        write_if_new(self.root / path, content)

    def write_about(self, values: Mapping[str, Any]) -> None:
        """`mix.json`."""
        write_if_new(self.root / ABOUT, as_json({"layout": self.layout, **values}))

    def _about(self) -> dict[str, Any]:
        try:
            return msgspec.json.decode((self.root / ABOUT).read_bytes(), type=dict[str, Any])
        except FileNotFoundError:
            return {}
        except msgspec.DecodeError as error:
            path = self.root / ABOUT
            raise UsageError(f"'{path}' is damaged ({error}): delete the folder and mix anew") from None

    def _size(self, path: str) -> int:
        place = self.root / path
        return place.stat().st_size if place.is_file() else -1


def wav(sound: np.ndarray) -> Write:
    """What writes sound (N,) float32 as a 16 kHz wav; the same bytes at any time, as libsndfile's would not be."""
    from scipy.io import wavfile

    return lambda path: wavfile.write(path, SAMPLE_RATE, np.asarray(sound, np.float32))


def npy(values: np.ndarray) -> Write:
    """What writes an array as `.npy`."""

    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.save(file, values, allow_pickle=False)

    return write
