"""Films named one by one, in folders, or in text lists."""

import logging
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from phonoscope.core.errors import UsageError, readable

SUFFIXES = (
    "3gp", "avi", "flv", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "ogv", "ts", "vob", "webm", "wmv",
)  # fmt: skip
LOG = logging.getLogger("phonoscope")


def sources(given: Iterable[str]) -> list[str]:
    """Every film meant by files, folders, lists and URIs, each once, in a steady order.

    A folder means every file in it and below it but hidden ones and what lies in stores. A `.txt` file means the
    films that it lists, a line each, relative to itself; blank lines and those that begin with `#` are passed over.
    So are, with a warning, folders without films and lists within themselves. `~` and what begins with `~/` lie in
    the home folder.

    Raises:
        UsageError: there is no film in all of it.
    """
    empty: list[str] = []
    found = [film for it in given for film in _expand(it, Path(), (), empty)]
    if not found:
        raise UsageError(empty[0] if empty else "no film given: name files, folders or a .txt list of them")
    for said in empty:
        LOG.warning("passed over: %s", said)
    return list(dict.fromkeys(found))


def is_film(path: Path) -> bool:
    """Whether a file is a film, by its name; hidden ones are not meant."""
    return path.suffix[1:].lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def _expand(given: str, beside: Path, lists: tuple[Path, ...], empty: list[str]) -> Iterator[str]:
    """The films that one entry means; `lists` are being read, `empty` is told what holds none."""
    if re.match(r"[a-z][a-z0-9+.-]+://", given, re.IGNORECASE):
        yield given
        return
    path = beside / (Path(given).expanduser() if given == "~" or given.startswith("~/") else given)
    if path.is_dir():
        inside = sorted(files_in(path))
        if not inside:
            what = "a store" if is_store(path) else "a folder without files"
            empty.append(readable(f"'{given}' is {what}: give a folder with films in it"))
        yield from map(str, inside)
    elif path.suffix == ".txt" and path.is_file():
        if path.resolve() in lists:
            empty.append(readable(f"'{given}' is a list that names itself"))
            return
        for line in path.read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines():
            if (entry := line.strip()) and not entry.startswith("#"):
                yield from _expand(entry, path.parent, (*lists, path.resolve()), empty)
    else:
        yield str(path)


def files_in(folder: Path) -> Iterator[Path]:
    """Every file in a folder and below it, but hidden ones and those in stores."""
    for here, folders, files in os.walk(folder, onerror=_unread):
        if is_store(Path(here)):
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (path for name in files if not name.startswith(".") and (path := Path(here, name)).is_file())


def is_store(folder: Path) -> bool:
    """Whether a folder is a store, whose films are ours and no corpus's."""
    return (folder / "store.json").is_file() and (folder / "recordings").is_dir()


def _unread(error: OSError) -> None:
    LOG.warning("passed over: %s", error)
