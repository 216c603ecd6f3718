"""Receipts: what made each artifact, from what. No receipt, no artifact."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from phonoscope.store.files import as_json, whole_file

FILE = "receipts.json"
FOLDERS = {"crop_video": "crops"}  # artifacts that are folders of files, where the folder has another name
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
