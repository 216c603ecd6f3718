"""What of a list is still to be fetched into a folder, and what may be."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.corpora.fetched import Fetched, File
from phonoscope.corpora.wanted import Wanted
from phonoscope.data.fetch.pieces import recipe
from phonoscope.data.where import conditions
from phonoscope.store.ledger import Failure


def host_of(url: str) -> str:
    """Who is asked for a film: `youtube.com`."""
    return (urlsplit(url).netloc or url).removeprefix("www.")


def asked_by(retry: str, failures: list[Failure]) -> set[str] | None:
    """The URLs that a query over failures means; None without one."""
    if not retry:
        return None
    columns = {
        "type": np.array([it.reason for it in failures], np.str_),
        "host": np.array([host_of(it.source) for it in failures], np.str_),
        "name": np.array([it.recording for it in failures], np.str_),
        "message": np.array([it.message for it in failures], np.str_),
    }
    wanted = np.ones(len(failures), bool)
    for part in conditions(retry):
        wanted &= part.judge(columns)[0]
    return {it.source for it, mine in zip(failures, wanted, strict=True) if mine}


def check_names(to: Path, there: Mapping[str, Fetched], films: Sequence[Wanted]) -> None:
    """Raises: UsageError: a film would be written over one of another URL, or its piece be taken for that one's."""
    files = ((Path(file.name), known.url) for known in there.values() for file in known.files)
    owners = {path.stem: url for path, url in files if (to / path).exists()}
    for film in films:
        for name in (film.name, *(it.name for it in film.pieces)):
            if owners.get(name, film.url) != film.url:
                said = f"'{name}' in '{to}' is of '{owners[name]}', and '{film.url}' would be called so, too"
                raise UsageError(f"{said}: fetch into another folder")


def pieces_there(to: Path, known: Fetched, film: Wanted, fps: Fraction | None, crop: bool) -> set[str]:
    """The pieces of a film that lie there as they were cut, and would be cut so again."""
    cut = {Path(it.name).stem: it.cut for it in known.files if _lies_there(to, it)}
    return {it.name for it in film.pieces if cut.get(it.name) == recipe(it, fps, crop)}


def film_there(to: Path, known: Fetched) -> File | None:
    """The film itself, as it came, if it lies there."""
    return next((it for it in known.files if not it.cut and _lies_there(to, it)), None)


def is_there(to: Path, known: Fetched, film: Wanted, fps: Fraction | None, crop: bool, whole: bool) -> bool:
    """Whether all that is wanted of a film lies there as it came; `whole`: the film itself, too."""
    if len(pieces_there(to, known, film, fps, crop)) < len(film.pieces):
        return False
    if film.pieces and not (whole or film.whole):
        return True
    file = film_there(to, known)
    return file is not None and not (file.aside and (film.whole or not film.pieces))


def _lies_there(to: Path, file: File) -> bool:
    path = to / file.name
    return path.is_file() and path.stat().st_size == file.bytes
