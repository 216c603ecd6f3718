"""Fetching a list: hosts side by side, each politely; what came stands in `fetched.jsonl`, what failed in
`errors.jsonl`, and the same call again goes on from there."""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from phonoscope.core.errors import PhonoscopeError, RecordingFailed, UsageError
from phonoscope.corpora.fetched import LEDGER, Fetched, File, came
from phonoscope.corpora.wanted import Wanted
from phonoscope.data.fetch.due import asked_by, check_names, host_of, is_whole, pieces_there
from phonoscope.data.fetch.outcome import BLOCKS, SETTLED, FetchFailed
from phonoscope.data.fetch.pieces import cut_out, recipe
from phonoscope.data.fetch.polite import Host, Manners
from phonoscope.data.fetch.site import Got, SiteParams, get, remember
from phonoscope.store.folder import must_be_empty
from phonoscope.store.ledger import ERRORS, Failure, add_failure, read_failures, settle_failures
from phonoscope.store.lines import add_line
from phonoscope.store.lock import alone
from phonoscope.store.uri import sha256_of

STEP = "fetch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What has become of a film of the list."""

    name: str
    url: str
    state: str  # fetched, kept (it lay there), failed, left (it failed for good before), waiting (for another run)
    files: tuple[str, ...] = ()
    type: str = ""  # of failure
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchParams:
    """What is done with a film that has come, and which are asked for."""

    site: SiteParams = field(default_factory=SiteParams)
    manners: Manners = field(default_factory=Manners)
    whole: bool = False  # keep the whole film, too, where only pieces of it are wanted
    fps: Fraction | None = None  # of pieces; None: the film's own
    crop: bool = False  # pieces show the window that the list tells
    retry: str = ""  # a query over `type`, `host`, `name`, `message` of what failed: only that is tried


def fetch(
    films: Sequence[Wanted],
    to: Path,
    p: FetchParams,
    on_bytes: Callable[[str, int, int], object] = lambda name, done, of: None,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[Told]:
    """Fetch films into a folder, and tell of each as it comes.

    What lies there is kept; what is gone, private, blocked here or unsupported is left alone until `p.retry` asks for
    it; everything else is tried again by the same call.

    Raises:
        UsageError: the folder holds other things, or another film by the name of one of these, or the query makes no
            sense.
        PhonoscopeError: the disk is full.
    """
    to.mkdir(parents=True, exist_ok=True)
    with alone(to / ".lock"):
        if not (to / LEDGER).exists():
            must_be_empty(to)
            (to / LEDGER).touch()
    there, failures = came(to), {it.source: it for it in read_failures(to)}
    check_names(to, there, films)
    asked = asked_by(p.retry, list(failures.values()))
    due: dict[str, list[Wanted]] = {}
    for film in films:
        failure = failures.get(film.url)
        if (known := there.get(film.url)) and is_whole(to, known, film, p.fps, p.crop):
            yield Told(name=film.name, url=film.url, state="kept", files=tuple(it.name for it in known.files))
        elif asked is not None and film.url not in asked:
            yield Told(name=film.name, url=film.url, state="waiting")
        elif asked is None and failure and failure.reason in SETTLED:
            yield Told(name=film.name, url=film.url, state="left", type=failure.reason, message=failure.message)
        else:
            due.setdefault(host_of(film.url), []).append(film)
    yield from _Fetching(to, p, on_bytes, sleep, there).all(due)


class _Fetching:
    """A list that is being fetched, some threads a host."""

    def __init__(
        self,
        to: Path,
        p: FetchParams,
        on_bytes: Callable[[str, int, int], object],
        sleep: Callable,
        there: Mapping[str, Fetched],
    ) -> None:
        self.to, self.p, self.on_bytes, self.sleep = to, p, on_bytes, sleep
        self.there = there  # what came before, by URL
        self.told: queue.Queue[Told | BaseException | None] = queue.Queue()
        self.stop = threading.Event()

    def all(self, due: dict[str, list[Wanted]]) -> Iterator[Told]:
        threads = []
        for films in due.values():
            host, todo = Host(self.p.manners, sleep=self.sleep), iter(films)
            turn = threading.Lock()
            count = min(self.p.manners.at_once, len(films))
            threads += [threading.Thread(target=self._work, args=(host, todo, turn), daemon=True) for _ in range(count)]
        for it in threads:
            it.start()
        running, wrong = len(threads), None
        try:
            while running:
                told = self.told.get()
                if told is None:
                    running -= 1
                elif isinstance(told, BaseException):
                    wrong = wrong or told
                    self.stop.set()
                else:
                    yield told
        finally:
            self.stop.set()
        if wrong:
            raise wrong

    def _work(self, host: Host, todo: Iterator[Wanted], turn: threading.Lock) -> None:
        try:
            while not self.stop.is_set():
                with turn:
                    film = next(todo, None)
                if film is None:
                    return
                if host.wait():
                    self.told.put(self._one(film, host))
                else:
                    said = f"{host_of(film.url)} wants us to stop: the same command goes on later"
                    self.told.put(Told(name=film.name, url=film.url, state="waiting", message=said))
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that asked
            self.told.put(error)
        finally:
            self.told.put(None)

    def _one(self, film: Wanted, host: Host) -> Told:
        told = Told(name=film.name, url=film.url, state="fetched")
        try:
            got = get(film, self.to, self.p.site, lambda done, of: self._bytes(film.name, done, of))
            if got is None:
                return replace(told, state="kept", message=f"it stands in the archive {self.p.site.archive}")
            fetched, lost = self._keep(film, got)
            if not lost:
                remember(got, self.p.site)
        except FetchFailed as error:
            self._failed(film, error.kind, str(error))
            if error.kind == "disk":
                raise PhonoscopeError(f"'{self.to}' cannot be written to: {error}") from error
            if error.kind in BLOCKS:
                host.blocked()
            return replace(told, state="failed", type=error.kind, message=str(error))
        host.came()
        files = tuple(it.name for it in fetched.files)
        if lost:
            said = "; ".join(lost.values())
            self._failed(film, "damaged", said)
            return replace(told, state="failed", files=files, type="damaged", message=said)
        settle_failures(self.to, [film.url], {STEP})
        return replace(told, files=files)

    def _bytes(self, name: str, done: int, of: int) -> None:
        if self.stop.is_set():
            raise FetchFailed("network", "stopped")
        self.on_bytes(name, done, of)

    def _keep(self, film: Wanted, got: Got) -> tuple[Fetched, dict[str, str]]:
        known = self.there.get(film.url)
        before = {it.name: it for it in known.files if (self.to / it.name).is_file()} if known else {}
        kept = pieces_there(self.to, known, film, self.p.fps, self.p.crop) if known else ()
        recipes = {f"{it.name}.mp4": recipe(it, self.p.fps, self.p.crop) for it in film.pieces}
        paths, lost = [got.path], {}
        if film.pieces:
            try:
                cut, failed = cut_out(got.path, film.pieces, self.p.fps, crop=self.p.crop, kept=kept)
            except RecordingFailed as error:  # it was opened, but shows nothing
                got.path.unlink()
                raise FetchFailed("damaged", f"'{film.url}': {error}") from error
            lost = dict(failed)
            paths = [*([got.path] if self.p.whole or lost or got.path.name in before else []), *cut]
        files = {it.name: _told(it, recipes.get(it.name, "")) for it in paths}
        fetched = Fetched(
            url=film.url, files=tuple((before | files).values()),
            site=got.site, id=got.id, title=got.title, uploader=got.uploader, licence=film.licence or got.licence,
            speaker=film.speaker, split=film.split, when=datetime.now(UTC).isoformat(timespec="seconds"),
        )  # fmt: skip
        with alone(self.to / ".lock"):
            add_line(self.to / LEDGER, fetched)
        if got.path not in paths:
            got.path.unlink()
        return fetched, lost

    def _failed(self, film: Wanted, kind: str, message: str) -> None:
        add_failure(self.to, Failure(source=film.url, recording=film.name, step=STEP, reason=kind, message=message))


def _told(path: Path, cut: str) -> File:
    return File(name=path.name, sha256=sha256_of(path), bytes=path.stat().st_size, cut=cut)


def check(to: Path) -> None:
    """Raises: UsageError: the folder is a store, or holds other things than what was fetched."""
    if (to / "store.json").exists():
        raise UsageError(f"'{to}' is a store: fetch into a folder of its own, then `phonoscope prepare` it")
    if to.exists() and not (to / LEDGER).exists() and not (to / ERRORS).exists():
        must_be_empty(to)
