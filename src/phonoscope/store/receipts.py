"""Receipts: what made each artifact, from what. No receipt, no artifact."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

FILE = "receipts.json"
BY_CORPUS = "corpus"  # the `step` of what a corpus has given: no step of ours makes it anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """How an artifact came to be."""

    key: str  # hash of the recipe
    step: str
    version: int
    params: dict[str, Any] | None = None
    inputs: dict[str, str] = field(default_factory=dict)  # artifact name -> key
    card: str = ""  # name, version and weights of the model that was run
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()  # names, sorted, if the artifact is a folder


def read_receipts(folder: Path) -> dict[str, Receipt]:
    """The receipts of one recording, by artifact."""
    try:
        text = (folder / FILE).read_bytes()
    except FileNotFoundError:
        return {}
    return msgspec.json.decode(text, type=dict[str, Receipt])


def write_receipts(folder: Path, receipts: Mapping[str, Receipt]) -> None:
    """Replace them all, atomically."""
    with whole_file(folder / FILE) as part:
        part.write_bytes(as_json(dict(sorted(receipts.items()))))


def stale_in(receipts: Mapping[str, Receipt]) -> dict[str, str]:
    """Artifacts that were made from what is no longer there, each with the input that has changed or gone.

    An artifact is fresh if each of its inputs stands under the key that it was made from, and is fresh itself.
    """
    changed: dict[str, str | None] = {}

    def change(name: str) -> str | None:
        if name not in changed:
            inputs = receipts[name].inputs
            gone = (it for it, key in inputs.items() if it not in receipts or receipts[it].key != key)
            changed[name] = next(gone, None) or next(filter(None, map(change, inputs)), None)
        return changed[name]

    return {name: root for name in receipts if (root := change(name))}


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A place to write what will be `path` once it is whole: part file, fsync, rename.

    Whoever reads `path` sees the old content or the new one, never half of it, whenever the writer is killed.
    """
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        try:
            yield part
        except Exception as error:
            if getattr(error, "errno", None) is None:  # NumPy and libsndfile do not say that the disk is full
                _probe(part)
            raise
        sync(part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync(path.parent)


def write_if_new(path: Path, content: bytes) -> None:
    """A whole file with this content; one that has it already is not touched."""
    if not path.exists() or path.read_bytes() != content:
        with whole_file(path) as part:
            part.write_bytes(content)


def as_json(value: Any) -> bytes:
    """JSON that people can read, ending in a line break."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def _probe(part: Path) -> None:
    """Raise the OSError that keeps us from writing, if there is one; `part` is spoilt."""
    with part.open("ab") as file:
        file.write(bytes(1 << 16))


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk before we go on."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
