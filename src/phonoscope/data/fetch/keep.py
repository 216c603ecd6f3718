"""A film that has come gets its place, or its pieces theirs, and a line in `fetched.jsonl` says so."""

from datetime import UTC, datetime
from pathlib import Path

from phonoscope.core.errors import RecordingFailed
from phonoscope.corpora.fetched import LEDGER, Fetched, File
from phonoscope.corpora.wanted import Wanted
from phonoscope.data.fetch.due import film_there, pieces_there
from phonoscope.data.fetch.outcome import FetchFailed
from phonoscope.data.fetch.params import FetchParams
from phonoscope.data.fetch.pieces import cut_out, recipe
from phonoscope.data.fetch.site import Got
from phonoscope.store.lines import add_line
from phonoscope.store.lock import alone
from phonoscope.store.uri import md5_of, sha256_of


def at_hand(to: Path, known: Fetched, film: Wanted) -> Got | None:
    """A film as it came before, where it lies here."""
    file = film_there(to, known)
    if file is None or (film.md5 and md5_of(to / file.name) != film.md5):
        return None
    return Got(
        path=to / file.name, id=known.id, site=known.site,
        title=known.title, licence=known.licence, uploader=known.uploader,
    )  # fmt: skip


def keep(to: Path, film: Wanted, got: Got, known: Fetched | None, p: FetchParams) -> tuple[Fetched, dict[str, str]]:
    """What is kept of a film that lies in the folder `to`, put down, and why pieces could not be cut, by name.

    Args:
        known: what came of it before.

    Raises:
        FetchFailed: "damaged": it was opened, but shows nothing; it is gone then.
        OSError: there is no room for a piece, or for the line.
    """
    before = {it.name: it for it in known.files if (to / it.name).is_file()} if known else {}
    cut, lost = _cut(to, film, got, known, p)
    whole = before.pop(got.path.name, None)
    asked = film.whole or not film.pieces or (whole is not None and not whole.aside)
    by_whole = p.whole or (whole is not None and whole.by_whole)
    stays = asked or by_whole or bool(lost)
    its = {got.path.name: _told(got.path, aside=not asked, by_whole=by_whole)} if stays else {}
    files = its | cut
    fetched = Fetched(
        url=film.url, files=tuple((before | files).values()),
        site=got.site, id=got.id, title=got.title, uploader=got.uploader, licence=film.licence or got.licence,
        speaker=film.speaker, split=film.split, when=datetime.now(UTC).isoformat(timespec="seconds"),
    )  # fmt: skip
    with alone(to / ".lock"):
        add_line(to / LEDGER, fetched)
    if not stays:
        got.path.unlink()
    return fetched, lost


def _cut(
    to: Path, film: Wanted, got: Got, known: Fetched | None, p: FetchParams
) -> tuple[dict[str, File], dict[str, str]]:
    """The pieces of a film that are there now, and why others are not, by name."""
    if not film.pieces:
        return {}, {}
    kept = pieces_there(to, known, film, p.fps, p.crop) if known else ()
    try:
        paths, lost = cut_out(got.path, film.pieces, p.fps, crop=p.crop, kept=kept)
    except RecordingFailed as error:
        if known is None or got.path.name not in {it.name for it in known.files}:  # what lay here before stays
            got.path.unlink()
        raise FetchFailed("damaged", f"'{film.url}': {error}") from error
    its = {f"{it.name}.mp4": (recipe(it, p.fps, p.crop), it.speaker, it.split) for it in film.pieces}
    return {it.name: _told(it, *its[it.name]) for it in paths}, dict(lost)


def _told(
    path: Path, cut: str = "", speaker: str = "", split: str = "", aside: bool = False, by_whole: bool = False
) -> File:
    return File(
        name=path.name, sha256=sha256_of(path), bytes=path.stat().st_size,
        cut=cut, speaker=speaker, split=split, aside=aside, by_whole=by_whole,
    )  # fmt: skip
