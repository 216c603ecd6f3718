"""What `prepare --dry-run` foretells. Nothing is made, fetched or written, not even the store."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

import msgspec

from phonoscope import job as api
from phonoscope.cli.doctor import present
from phonoscope.cli.how import How
from phonoscope.core.errors import RecordingFailed
from phonoscope.corpora.folder import sources
from phonoscope.corpora.listing import films_of, to_retry
from phonoscope.flow.ingest import GIVEN, VERSION, given_of, id_of, slug
from phonoscope.flow.job import GROUNDED, Job
from phonoscope.flow.run import Work
from phonoscope.models.registry import PREFERRED, card_of, choose
from phonoscope.models.weights import where
from phonoscope.store.folder import Store, StoreSettings
from phonoscope.store.ledger import Known
from phonoscope.store.recording import StoredRecording
from phonoscope.store.uri import as_uri, local_path, seen_film, sha256_of


def foretell(
    films: Sequence[str], to: Path | str, names: Sequence[str], params: Any, how: How, corpus: str = ""
) -> int:
    """Tell for each film what would be made and what kept, or why it would fail.

    Returns:
        Exit code, as far as it can be foreseen: 1 if a film would fail.

    Raises:
        UsageError: as `prepare` would.
    """
    items = films_of(corpus, films)[0] if corpus else sources(films) if films or not how.retry_failed else []
    store = api.open_store(to, params.clock) if items else Store(to)
    settings = store.settings if store is not None else StoreSettings(fps=params.clock.fps)
    work, _ = api.work_on(to, names, params, settings, _pick)
    failed = Job(store=store, work=work, items=items).failed() if store is not None else []
    grounded = {} if how.retry_failed else {f.source: f.reason for f in failed if f.reason in GROUNDED}
    foresight = _Foresight(work, store, _known(store) if store is not None else {}, grounded)
    shard, bad = how.checked(), False
    for film in items or to_retry(failed):
        if shard is None or as_uri(film) in shard:
            told = foresight.of(as_uri(film))
            bad = bad or told["state"] == "would fail"
            print(msgspec.json.encode(told).decode() if how.json else f"{film}: {_words(told)}")
    return int(bad)


def _words(told: Mapping[str, Any]) -> str:
    if told["state"] == "would fail":
        return f"would fail: {told['reason']}: {told['message']}"
    return f"would make {', '.join(told['make'])}" if told["make"] else "is fresh"


@dataclass(frozen=True, slots=True)
class _Foresight:
    """All that `prepare` would know before it looks into a film."""

    work: Work
    store: Store | None  # None: it would be made
    known: Mapping[str, Known]  # URI -> what the film looked like
    grounded: Mapping[str, str]  # URI -> why it is left alone

    def of(self, uri: str) -> dict[str, Any]:
        """What would become of a film."""
        make, keep = [*GIVEN, *(step.name for step in self.work.steps)], []
        try:
            if why := self.grounded.get(uri):
                raise RecordingFailed(why, "as it did before; left alone since: --retry-failed tries it again")
            seen = seen_film(uri)
            if self.store is not None and (stored := _taken(uri, seen, self.store, self.known)):
                fresh, due, _, _ = self.work.on(stored.recording).survey(stored)
                make, keep = [step.name for step in due], [step.name for step in fresh]
        except RecordingFailed as error:
            return {"state": "would fail", "source": uri, "reason": error.reason, "message": str(error)}
        return {"state": "would", "source": uri, "make": make, "keep": keep}


def _taken(uri: str, about: tuple[int, int], store: Store, known: Mapping[str, Known]) -> StoredRecording | None:
    """The recording that ingest would find to be of this film, whole and unchanged; the film is only read."""
    seen = known.get(uri)
    if seen and (seen.size, seen.mtime_ns) == about:
        id = seen.id
    elif any(id.rpartition("-")[0] == slug(PurePosixPath(unquote(uri)).stem) for id in store):
        id = id_of(path := local_path(uri), sha256_of(path))
    else:
        return None  # nothing here has its name: new, without reading it
    stored = store.at(id)
    if not (stored.folder / "recording.json").exists():
        return None
    whole = {*given_of(stored.recording)} <= stored.places.keys()
    return stored if whole and stored.receipts["recording"].version == VERSION else None


def _known(store: Store) -> dict[str, Known]:
    """What the films looked like, from the folders: the index might have to be written first."""
    found = {}
    for id in store:
        stored = store[id]
        if receipt := stored.receipts.get("recording"):
            seen = receipt.params or {}
            found[stored.recording.source] = Known(id, seen.get("bytes", -1), seen.get("mtime_ns", -1))
    return found


def _pick(kind: str, name: str) -> str:
    """The model that `prepare` would choose, as far as can be told without fetching."""
    first = PREFERRED[kind][0] if name == "auto" and kind in PREFERRED else choose(kind, name)
    if where(card_of(first)):
        return first
    here = present(kind) if name == "auto" else None
    then = f"; foretold as if that failed, with {here}" if here else ""
    logging.getLogger("phonoscope").warning("the weights of %s are not here and would be fetched%s", first, then)
    return here or first
