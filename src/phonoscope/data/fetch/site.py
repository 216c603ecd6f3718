"""One film from its site, by yt-dlp: picture and sound, together or not at all."""

import io
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phonoscope.corpora.wanted import FILE_NAME, Wanted
from phonoscope.data.fetch.cookies import cookies_of
from phonoscope.data.fetch.outcome import FetchFailed, failed
from phonoscope.data.fetch.quiet import Quiet
from phonoscope.models.extras import need
from phonoscope.store.files import whole_file
from phonoscope.store.uri import md5_of

RETRIES = 5  # of one request for a file, with pauses that double
ASKED = 3  # times that a site is asked what there is
LONGEST_PAUSE_S = 30

Tell = Callable[[int, int], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteParams:
    """How films are asked for, in yt-dlp's words."""

    format: str = "bv*[height<=1080]+ba/b"  # the best picture of at most 1080 lines, and the best sound
    cookies: str = ""  # a file of cookies, Netscape's format
    cookies_from: str = ""  # a browser to take cookies from: firefox, chrome …; with a profile, firefox:work
    proxy: str = ""  # such as socks5://127.0.0.1:9050
    limit_rate: int = 0  # bytes a second; 0: as fast as it comes
    timeout_s: float = 20.0  # without a byte
    archive: str = ""  # a file of yt-dlp's of what was downloaded before: read, and added to


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """A film that lies in the folder, and what its site says of it."""

    path: Path
    id: str  # by which its site knows it
    site: str
    title: str = ""
    licence: str = ""
    uploader: str = ""


def need_yt_dlp() -> None:
    """Raises: UsageError: yt-dlp is not installed."""
    need("fetching films", "yt_dlp", extra="download")


def get(
    film: Wanted, into: Path, p: SiteParams, tell: Tell = lambda done, of: None, cookies: str | None = None
) -> Got | None:
    """Fetch a film to `into/<name>.<suffix>`, going on in the middle of a file that was begun.

    None if it stands in the archive, so that it has been fetched before.

    Args:
        tell: is told bytes that have come, and how many there are, 0 if nobody says.
        cookies: what `cookies_of` gives; None: it is asked.

    Raises:
        FetchFailed: it could not be had; what has come of it stays, for the next try.
    """
    import yt_dlp
    from yt_dlp.utils import YoutubeDLError

    into.mkdir(parents=True, exist_ok=True)
    sent = cookies_of(p.cookies, p.cookies_from) if cookies is None else cookies
    try:
        with yt_dlp.YoutubeDL(_settings(p, tell, sent)) as site:  # pyright: ignore[reportArgumentType] - it takes any dict
            told = _asked(site, film.url)
            if told is None or (p.archive and site.in_download_archive(told)):
                return None
            parts = [
                _part(site, {**told, **stream}, into, film.name, number)
                for number, stream in enumerate(told.get("requested_formats") or [told])
            ]
            path = _together(parts, into / film.name)
            _check(path, film)
    except (YoutubeDLError, OSError) as error:
        raise failed(error) from error
    said = {"title": "title", "licence": "license", "uploader": "uploader"}
    about = {ours: str(told.get(theirs) or "") for ours, theirs in said.items()}
    return Got(path=path, id=str(told.get("id", "")), site=str(told.get("extractor_key", "")), **about)


def _asked(site: Any, url: str) -> Any:
    """What a site says of a film; None if its address is enough to find it in the archive."""
    from yt_dlp.utils import YoutubeDLError

    told: Any = None
    for tries in range(1, ASKED + 1):
        try:
            told = site.extract_info(url, download=False)
            break
        except YoutubeDLError as error:
            if tries == ASKED or failed(error).kind != "network":
                raise
            time.sleep(_pause(tries))
    if told is None:
        return None
    if told.get("entries") is not None:
        raise FetchFailed("unsupported", f"'{url}' is no single film")
    if told.get("is_live"):
        raise FetchFailed("unsupported", f"'{url}' is live: --retry \"type == 'unsupported'\" when it is over")
    return told


def remember(got: Got, p: SiteParams) -> None:
    """Put a film down in the archive, if there is one; once all that was wanted of it is there.

    Raises:
        FetchFailed: the archive cannot be written.
    """
    if p.archive:
        import yt_dlp

        settings: Any = {"download_archive": p.archive, "logger": Quiet()}
        told: Any = {"id": got.id, "extractor_key": got.site}
        try:
            with yt_dlp.YoutubeDL(settings) as site:
                site.record_download_archive(told)
        except OSError as error:
            raise failed(error) from error


def _settings(p: SiteParams, tell: Tell, cookies: str) -> dict[str, Any]:
    def hook(told: Mapping[str, Any]) -> None:
        if told.get("status") == "downloading":
            of = told.get("total_bytes") or told.get("total_bytes_estimate") or 0
            tell(int(told.get("downloaded_bytes") or 0), int(of))

    return {
        "quiet": True, "no_warnings": True, "noprogress": True, "logger": Quiet(), "color": "never",
        "format": p.format, "noplaylist": True, "continuedl": True, "overwrites": False, "updatetime": False,
        "cookiefile": io.StringIO(cookies) if cookies else None,  # not the file itself: yt-dlp would write to it
        "proxy": p.proxy or None, "ratelimit": p.limit_rate or None, "socket_timeout": p.timeout_s,
        "download_archive": p.archive or None,
        "retries": RETRIES, "file_access_retries": 0, "fragment_retries": RETRIES, "extractor_retries": 1,
        "skip_unavailable_fragments": False,  # a film with holes is no film
        "retry_sleep_functions": {"http": _pause, "fragment": _pause},
        "progress_hooks": [hook], "cachedir": False,
    }  # fmt: skip


def _pause(n: int) -> float:
    return min(LONGEST_PAUSE_S, 0.5 * 2**n)


def _part(site: Any, stream: dict[str, Any], into: Path, name: str, number: int) -> Path:
    """One stream of a film, whole."""
    form = FILE_NAME.sub("_", str(stream.get("format_id") or number))  # or half of one would be gone on with as another
    path = into / f".{name}.{number}-{form}.{stream.get('ext') or 'mp4'}"
    if not path.exists():  # else an earlier try got so far
        with _refused():
            came, _ = site.dl(str(path), stream)
        if not came or not path.exists():
            raise FetchFailed("network", f"'{stream.get('url')}' did not come whole")
    return path


@contextmanager
def _refused() -> Iterator[None]:
    """A site that has told of a film and then refuses its file takes us for a robot; the film is not private."""
    from yt_dlp.utils import YoutubeDLError

    try:
        yield
    except YoutubeDLError as error:
        if (told := failed(error)).kind == "private":
            raise FetchFailed("bot-check", str(told)) from error
        raise


def _together(parts: list[Path], stem: Path) -> Path:
    """One film of its streams, their packets as they are; the parts are gone afterwards."""
    if len(parts) == 1:
        path = stem.with_name(stem.name + parts[0].suffix)
        return parts[0].replace(path)
    import av

    from phonoscope.media.dub import timed

    path = stem.with_name(stem.name + ".mkv")  # holds every codec there is
    with whole_file(path) as part, _damaged(parts), av.open(str(part), "w", format="matroska") as film:
        sources = [av.open(str(it)) for it in parts]
        try:
            streams = [it.streams.video[0] if it.streams.video else it.streams.audio[0] for it in sources]
            outs = {id(it): film.add_stream_from_template(it) for it in streams}
            queues = [
                (packet for _, packet in timed(it for it in source.demux(stream) if it.size))  # an empty one ends it
                for source, stream in zip(sources, streams, strict=True)
            ]
            for stream, packet in _by_time(queues, streams):
                packet.stream = outs[id(stream)]
                film.mux(packet)
        finally:
            for it in sources:
                it.close()
    for it in parts:
        it.unlink()
    return path


def _by_time(queues: Sequence[Iterator[Any]], streams: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    heads = [next(it, None) for it in queues]
    while any(it is not None for it in heads):
        times = [float("inf") if it is None else float(it.dts * it.time_base) for it in heads]
        at = times.index(min(times))
        yield streams[at], heads[at]
        heads[at] = next(queues[at], None)


def _check(path: Path, film: Wanted) -> None:
    """Raises: FetchFailed: the file is not what was promised; it is gone then."""
    if film.md5:
        found = md5_of(path)
        if found != film.md5:
            path.unlink()
            raise FetchFailed("damaged", f"'{film.url}' has md5 {found}, the list says {film.md5}")
    import av

    with _damaged([path]), av.open(str(path)) as opened:
        if not opened.streams.video:
            path.unlink()
            raise FetchFailed("unsupported", f"'{film.url}' has no picture")


@contextmanager
def _damaged(paths: list[Path]) -> Iterator[None]:
    """What cannot be opened has come damaged: it is removed, or it would be taken for whole the next time."""
    from av.error import FFmpegError

    try:
        yield
    except (FFmpegError, ValueError) as error:
        if isinstance(error, OSError) and shutil.disk_usage(paths[0].parent).free < 2**20:
            raise FetchFailed("disk", str(error)) from error
        for path in paths:
            path.unlink(missing_ok=True)
        raise FetchFailed("damaged", f"{paths[0].name.lstrip('.')}: {error}") from error
