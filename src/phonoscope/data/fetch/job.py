"""Fetching a list: hosts side by side, each politely; what came stands in `fetched.jsonl`, what failed in
`errors.jsonl`, and the same call again goes on from there."""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from phonoscope.core.checks import folder_here
from phonoscope.core.errors import PhonoscopeError, UsageError
from phonoscope.corpora.fetched import LEDGER, Fetched, came
from phonoscope.corpora.wanted import Wanted
from phonoscope.data.fetch.cookies import cookies_of
from phonoscope.data.fetch.due import asked_by, check_names, host_of, is_there
from phonoscope.data.fetch.keep import at_hand, keep
from phonoscope.data.fetch.outcome import BLOCKS, SETTLED, FetchFailed, failed
from phonoscope.data.fetch.params import FetchParams
from phonoscope.data.fetch.polite import Host
from phonoscope.data.fetch.site import Got, get, remember
from phonoscope.store.folder import must_be_empty
from phonoscope.store.ledger import ERRORS, Failure, add_failure, read_failures, settle_failures
from phonoscope.store.lock import alone

STEP = "fetch"
GRACE_S = 5.0  # that films under way have to notice that all is to stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What has become of a film of the list."""

    name: str
    url: str
    state: str  # fetched, kept (it lay there), failed, left (it failed for good before), waiting (for another run)
    files: tuple[str, ...] = ()
    type: str = ""  # of failure
    message: str = ""


def fetch(
    films: Sequence[Wanted],
    to: Path,
    p: FetchParams,
    on_bytes: Callable[[str, int, int], object] = lambda name, done, of: None,
    sleep: Callable[[float], object] | None = None,
) -> Iterator[Told]:
    """Fetch films into a folder, and tell of each as it comes.

    What lies there is kept; what is gone, private, blocked here or unsupported is left alone until `p.retry` asks for
    it; everything else is tried again by the same call. A film that lies there whole is not asked for again to cut
    pieces out of it, unless `p.retry` means it.

    Args:
        on_bytes: is told a film's name, bytes that have come, and how many there are, 0 if nobody says.
        sleep: how a host is waited for; by default so that a full disk ends the wait.

    Raises:
        UsageError: the folder holds other things, or another film by the name of one of these, or the query makes no
            sense.
        PhonoscopeError: the disk is full.
    """
    folder_here("--to", to).mkdir(parents=True, exist_ok=True)
    with alone(to / ".lock"):
        if not (to / LEDGER).exists():
            must_be_empty(to)
            (to / LEDGER).touch()
    there, failures = came(to), {it.source: it for it in read_failures(to)}
    check_names(to, there, films)
    cookies = cookies_of(p.site.cookies, p.site.cookies_from)
    asked = asked_by(p.retry, list(failures.values()))
    due: dict[str, list[Wanted]] = {}
    for film in films:
        failure = failures.get(film.url)
        if (known := there.get(film.url)) and is_there(to, known, film, p.fps, p.crop, p.whole):
            yield Told(name=film.name, url=film.url, state="kept", files=tuple(it.name for it in known.files))
        elif asked is not None and film.url not in asked:
            yield Told(name=film.name, url=film.url, state="waiting")
        elif asked is None and failure and failure.reason in SETTLED:
            yield Told(name=film.name, url=film.url, state="left", type=failure.reason, message=failure.message)
        else:
            due.setdefault(host_of(film.url), []).append(film)
    yield from _Fetching(to, p, on_bytes, sleep, there, cookies).all(due)


class _Fetching:
    """A list that is being fetched, some threads a host."""

    def __init__(
        self,
        to: Path,
        p: FetchParams,
        on_bytes: Callable[[str, int, int], object],
        sleep: Callable[[float], object] | None,
        there: Mapping[str, Fetched],
        cookies: str,
    ) -> None:
        self.to, self.p, self.on_bytes, self.cookies = to, p, on_bytes, cookies
        self.there = there  # what came before, by URL
        self.told: queue.Queue[Told | BaseException | None] = queue.Queue()
        self.stop = threading.Event()
        self.sleep = sleep or self.stop.wait

    def all(self, due: dict[str, list[Wanted]]) -> Iterator[Told]:
        threads = []
        for films in due.values():
            host, todo = Host(self.p.manners, sleep=self.sleep, stopped=self.stop.is_set), iter(films)
            turn = threading.Lock()
            count = min(self.p.manners.at_once, len(films))
            threads += [threading.Thread(target=self._work, args=(host, todo, turn), daemon=True) for _ in range(count)]
        for it in threads:
            it.start()
        running = len(threads)
        try:
            while running:
                told = self.told.get()
                if told is None:
                    running -= 1
                elif isinstance(told, BaseException):
                    raise told
                else:
                    yield told
        except PhonoscopeError:
            self._end(threads)
            raise
        finally:
            self.stop.set()

    def _end(self, threads: Sequence[threading.Thread]) -> None:
        """Stop; films under way notice by the next bytes that come, and what came of them stays for the next run."""
        self.stop.set()
        until = time.monotonic() + GRACE_S
        for it in threads:
            it.join(max(0.0, until - time.monotonic()))

    def _work(self, host: Host, todo: Iterator[Wanted], turn: threading.Lock) -> None:
        try:
            while not self.stop.is_set():
                with turn:
                    film = next(todo, None)
                if film is None:
                    return
                known = self.there.get(film.url)
                got = at_hand(self.to, known, film) if known and not self.p.retry else None
                if got or host.wait():
                    self.told.put(self._one(film, host, got))
                elif not self.stop.is_set():
                    said = f"{host_of(film.url)} wants us to stop: the same command goes on later"
                    self.told.put(Told(name=film.name, url=film.url, state="waiting", message=said))
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that asked
            self.told.put(error)
        finally:
            self.told.put(None)

    def _one(self, film: Wanted, host: Host, here: Got | None) -> Told:
        told = Told(name=film.name, url=film.url, state="fetched")
        try:
            got = here or get(film, self.to, self.p.site, partial(self._bytes, film.name), self.cookies)
            if got is None:
                return replace(told, state="kept", message=f"it stands in the archive {self.p.site.archive}")
            fetched, lost = keep(self.to, film, got, self.there.get(film.url), self.p)
            if not lost:
                remember(got, self.p.site)
        except (FetchFailed, OSError) as error:
            return replace(told, state="failed", **self._why(film, host, failed(error)))
        if not here:
            host.came()
        files = tuple(it.name for it in fetched.files)
        if lost:
            said = "; ".join(lost.values())
            self._failed(film, "damaged", said)
            return replace(told, state="failed", files=files, type="damaged", message=said)
        settle_failures(self.to, [film.url], {STEP})
        return replace(told, files=files)

    def _why(self, film: Wanted, host: Host, error: FetchFailed) -> dict[str, str]:
        """Put down why a film did not come."""
        if error.kind == "disk":
            with suppress(OSError):  # there may be no room for that either
                self._failed(film, error.kind, str(error))
            raise PhonoscopeError(f"'{self.to}' cannot be written to: {error}") from error
        self._failed(film, error.kind, str(error))
        if error.kind in BLOCKS:
            host.blocked()
        return {"type": error.kind, "message": str(error)}

    def _bytes(self, name: str, done: int, of: int) -> None:
        if self.stop.is_set():
            raise FetchFailed("network", "stopped")
        self.on_bytes(name, done, of)

    def _failed(self, film: Wanted, kind: str, message: str) -> None:
        if not self.stop.is_set():  # what broke off because all stopped has not failed
            add_failure(self.to, Failure(source=film.url, recording=film.name, step=STEP, reason=kind, message=message))


def check(to: Path) -> None:
    """Raises: UsageError: it is no folder of this machine, or a store, or holds other things than what was fetched."""
    folder_here("--to", to)
    if (to / "store.json").exists():
        raise UsageError(f"'{to}' is a store: fetch into a folder of its own, then `phonoscope prepare` it")
    if to.exists() and not (to / LEDGER).exists() and not (to / ERRORS).exists():
        must_be_empty(to)
