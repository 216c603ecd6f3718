"""The folder that shards are packed into: which lie there whole, and how one gets there.

`shards.jsonl` has a line a change. A shard is first written below `.part`, then renamed into place, then its line
follows: no line, no shard. `manifest.json` and `clips.csv` are made of those lines.
"""

import csv
import io
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from phonoscope.core.checks import folder_here
from phonoscope.core.errors import UsageError
from phonoscope.store.files import as_json, sync, write_if_new
from phonoscope.store.folder import must_be_empty
from phonoscope.store.lines import add_line, read_lines
from phonoscope.store.lock import alone
from phonoscope.store.uri import sha256_of

LEDGER, MANIFEST, LIST, PARTS = "shards.jsonl", "manifest.json", "clips.csv", ".part"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardedClip:
    """A clip that lies in a shard."""

    clip: str
    recording: str  # id
    track: int
    start: int  # frame of the recording that is its first
    frames: int
    speaker: str
    licence: str
    seconds: float
    files: tuple[str, ...] = ()  # endings of what there is of it


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedShard:
    """A shard that lies in the folder."""

    shard: str
    layout: str
    split: str
    key: str  # hash of what it was made from
    file: str  # path below the folder
    bytes: int = 0
    sha256: str = ""
    clips: tuple[ShardedClip, ...] = ()
    failed: tuple[str, ...] = ()  # clips that belong into it, but could not be made
    gone: bool = False  # it has been taken away


class ShardFolder:
    """A folder of shards. Several processes may fill one, each with shards of its own.

    Raises:
        UsageError: the folder holds something else, or another layout.
    """

    def __init__(self, root: Path | str, layout: str) -> None:
        self.root, self.layout = folder_here("--to", root), layout
        self.shards: dict[str, PackedShard] = {}
        if self.root.exists() and not self.root.is_dir():
            raise UsageError(f"'{root}' is a file: give a new or empty folder to --to")
        if self.root.exists() and not (self.root / LEDGER).exists():
            must_be_empty(self.root)
        self.catch_up()
        if other := next((it.layout for it in self.shards.values() if it.layout != layout), None):
            raise UsageError(f"'{root}' holds shards in the layout '{other}': give another folder to --to")

    def catch_up(self) -> None:
        """Learn what was put down by others."""
        lines = read_lines(self.root / LEDGER, PackedShard)
        self.shards = {line.shard: line for line in lines}
        self.shards = {name: it for name, it in self.shards.items() if not it.gone}

    def has(self, shard: str, key: str) -> bool:
        """Whether a shard lies here whole, with all of its clips, and was made from what `key` stands for."""
        it = self.shards.get(shard)
        if it is None or it.key != key or it.failed:
            return False
        place = self.root / it.file
        return place.exists() and place.stat().st_size == it.bytes

    def unfinished(self, shard: str) -> bool:
        """Whether somebody is making a shard, or was killed while at it."""
        return (self.root / PARTS / shard).exists() or self._lock(shard).exists()

    @contextmanager
    def hold(self, shard: str) -> Iterator[Path]:
        """Be the only one to make a shard, in an empty folder; what a killed predecessor left is removed first."""
        self.root.mkdir(parents=True, exist_ok=True)
        if not (self.root / LEDGER).exists():  # by it the folder is known to be ours, however soon we are killed
            (self.root / LEDGER).touch()
        part = self.root / PARTS / shard
        with alone(self._lock(shard)):
            self.catch_up()
            with alone(self.root / ".lock"):
                shutil.rmtree(part, ignore_errors=True)
                part.mkdir(parents=True)
            try:
                yield part
            finally:
                with alone(self.root / ".lock"):
                    shutil.rmtree(part, ignore_errors=True)
                    with suppress(OSError):  # others are at work there
                        part.parent.rmdir()

    def keep(self, shard: PackedShard, made: Path) -> None:
        """Give a new shard its place, then put it down with its bytes and its sha256."""
        sync(made)
        shard = replace(shard, bytes=made.stat().st_size, sha256=sha256_of(made))
        self._put_down(replace(shard, gone=True))
        place = self.root / shard.file
        place.parent.mkdir(parents=True, exist_ok=True)
        made.replace(place)
        sync(place.parent)
        self._put_down(shard)

    def discard(self, shard: str) -> None:
        """Take a shard away."""
        if it := self.shards.get(shard):
            self._put_down(replace(it, gone=True))
            (self.root / it.file).unlink(missing_ok=True)

    def only(self, shards: Collection[str]) -> None:
        """Take away all shards but these."""
        self.catch_up()
        for name in sorted({*self.shards} - {*shards}):
            self.discard(name)

    def tell(self, keys: dict[str, str]) -> None:
        """Write `manifest.json` and `clips.csv`, of the shards that are as they should be.

        Args:
            keys: shard -> what it should be made from; what else lies here is of an earlier time.
        """
        with alone(self.root / ".lock"):
            self.catch_up()
            self.shards = {name: it for name, it in self.shards.items() if it.key == keys.get(name)}
            shards = [self.shards[name] for name in sorted(self.shards)]
            write_if_new(self.root / MANIFEST, as_json(_manifest(self.layout, shards)))
            write_if_new(self.root / LIST, _rows(shards))

    def write(self, path: str, content: bytes) -> None:
        """A file that is made of all shards, whole; one that has this content already is not touched."""
        with alone(self.root / ".lock"):
            write_if_new(self.root / path, content)

    def _lock(self, shard: str) -> Path:
        return self.root / f".{shard}.lock"

    def _put_down(self, shard: PackedShard) -> None:
        with alone(self.root / ".lock"):
            add_line(self.root / LEDGER, shard)
        if shard.gone:
            self.shards.pop(shard.shard, None)
        else:
            self.shards[shard.shard] = shard


def _manifest(layout: str, shards: Sequence[PackedShard]) -> dict[str, object]:
    about = [
        {
            "file": it.file, "split": it.split, "clips": len(it.clips), "seconds": _seconds([it]),
            "bytes": it.bytes, "sha256": it.sha256, "failed": it.failed,
        }
        for it in shards
    ]  # fmt: skip
    splits = {
        split: {"shards": len(mine), "clips": sum(len(it.clips) for it in mine), "seconds": _seconds(mine)}
        for split in sorted({it.split for it in shards})
        for mine in [[it for it in shards if it.split == split]]
    }
    return {"layout": layout, "splits": splits, "shards": about}


def _seconds(shards: Sequence[PackedShard]) -> float:
    return round(sum(clip.seconds for it in shards for clip in it.clips), 6)


def _rows(shards: Sequence[PackedShard]) -> bytes:
    """`clips.csv`: a row a clip, by shard and in its order."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["clip", "split", "shard", "recording", "track", "start", "frames", "seconds", "speaker", "files"])
    for it in shards:
        for c in it.clips:
            told = [c.clip, it.split, it.file, c.recording, c.track, c.start, c.frames, f"{c.seconds:.6f}", c.speaker]
            rows.writerow([*told, " ".join(c.files)])
    return text.getvalue().encode()
