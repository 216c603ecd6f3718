"""Recordings that a store was told to forget: everything made of them goes, and `forgotten.jsonl` says so for good.

The tombstone comes first: who is killed in the middle goes on when the same is asked for again. What was packed or cut
elsewhere is not ours to find, but whoever keeps it can hold it against the list.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from phonoscope.core.errors import PhonoscopeError, UsageError
from phonoscope.store.folder import Store
from phonoscope.store.ledger import ERRORS, Failure, write_index
from phonoscope.store.lines import add_line, read_lines, replace_lines
from phonoscope.store.shared import latest, remove, rewrite
from phonoscope.store.uri import as_uri

FILE = "forgotten.jsonl"
REPORT = "report.html"  # it shows faces


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """What was forgotten."""

    recording: str  # id
    source: str  # URI
    sha256: str  # of the film
    origin: str  # where it came from, if that was known
    why: str
    when: str  # UTC


class Forgotten(PhonoscopeError):
    """A film that the store was told to forget."""

    def __init__(self, stone: Tombstone) -> None:
        super().__init__(f"forgotten {stone.when[:10]}; without its line in {FILE} it would be taken in again")


def forgotten(root: Path) -> list[Tombstone]:
    """What the store at `root` was told to forget."""
    return read_lines(latest(root, FILE), Tombstone)


def meant(store: Store, what: str) -> list[str]:
    """The recordings that are meant by an id, a path, a URI, or where films came from.

    Raises:
        UsageError: there is none.
    """
    there = {}
    for id in store:
        with suppress(UsageError):  # it is gone since the index was written
            there[id] = (store[id].recording.source, store[id].recording.rights.origin)
    halves = {it.recording: (it.source, it.origin) for it in forgotten(store.root) if store.has(it.recording)}
    known = halves | there
    found = [id for id, names in known.items() if what == id or {what, as_uri(what)} & {*names}]
    gone = [it for it in forgotten(store.root) if {what, as_uri(what)} & {it.recording, it.source, it.origin}]
    if not found and gone:
        raise UsageError(f"'{what}' was forgotten already, {gone[0].when[:10]}: {FILE} in '{store.uri}' says so")
    if not found:
        raise UsageError(f"nothing in '{store.uri}' is or comes from '{what}': give an id, a film's path, or its URL")
    return found


def forget(store: Store, id: str, why: str = "") -> Tombstone:
    """Remove a recording and everything that was made of it; the film itself is not touched.

    Raises:
        OSError: something of it cannot be removed; the same again goes on.
    """
    with store.hold(id):
        known = {it.recording: it for it in forgotten(store.root)}
        if id in known:
            stone = known[id]
        else:
            it = store[id].recording
            stone = Tombstone(
                recording=id, source=it.source, sha256=it.sha256, origin=it.rights.origin, why=why,
                when=datetime.now(UTC).isoformat(timespec="seconds"),
            )  # fmt: skip
            rewrite(store.root, FILE, lambda path: add_line(path, stone))
        store.remove(id)

    def strike_out(path: Path) -> None:
        failures = read_lines(path, Failure)
        replace_lines(path, [it for it in failures if stone.source != it.source and it.recording != id])

    rewrite(store.root, ERRORS, strike_out)
    remove(store.root, REPORT)
    write_index(store)
    return stone
