"""Films that lists name by their URL: what is to be fetched, and which pieces of it."""

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from phonoscope.core.errors import UsageError

COLUMNS = ("url", "name", "start", "stop", "speaker", "split", "licence", "md5")  # what a list may tell
YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}")
FILE_NAME = re.compile(r"[^\w.@+-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a film that is wanted."""

    name: str  # of its file, without suffix
    start_s: float
    stop_s: float
    crop: tuple[float, float, float, float] | None = None  # xyxy, px of a film that is `crop_height` px high
    crop_height: int = 0
    speaker: str = ""  # where the list tells them for each piece
    split: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A film that is to be fetched."""

    url: str
    name: str  # of its file, without suffix
    pieces: tuple[Piece, ...] = ()  # none: the whole film
    whole: bool = False  # the film itself, too, where pieces of it are wanted
    md5: str = ""  # of the file, where the list tells it
    licence: str = ""
    speaker: str = ""  # of all pieces, if they have one
    split: str = ""


def wanted_in(path: Path, columns: Mapping[str, str]) -> list[Wanted]:
    """The films of a table of any columns, csv or Parquet; rows of one URL are pieces of one film.

    Args:
        columns: what a column tells, of `COLUMNS`, and what it is called in the table; those called so already need no
            entry. `url` may also hold bare ids of YouTube.

    Raises:
        UsageError: there is no such table or column, or a row makes no sense.
    """
    if unknown := set(columns) - set(COLUMNS):
        raise UsageError(f"no column '{min(unknown)}' to map; there are {', '.join(COLUMNS)}")
    rows = _rows(path)
    there = set(rows[0]) if rows else set()
    called = {name: columns.get(name, name) for name in COLUMNS}
    if lost := [name for name, it in called.items() if it not in there and (name in columns or name == "url")]:
        has = ", ".join(sorted(map(str, there))) or "nothing"
        said = f"'{path}' has no column '{called[lost[0]]}', only {has}"
        raise UsageError(f"{said}; --map {lost[0]}=COLUMN says which one tells it")
    return joined(_wanted(path, number, row, called) for number, row in enumerate(rows, 1))


def joined(films: Iterable[Wanted]) -> list[Wanted]:
    """The same films, each once, with all pieces that are wanted of it.

    Raises:
        UsageError: two files would have one name.
    """
    by_url: dict[str, Wanted] = {}
    for film in films:
        by_url[film.url] = _both(by_url[film.url], film) if film.url in by_url else film
    names: dict[str, str] = {}
    for film in by_url.values():
        called = [it.name for it in film.pieces] or [film.name]
        if len({*called}) < len(called):
            twice = next(it for it in called if called.count(it) > 1)
            raise UsageError(f"two pieces of '{film.url}' would both be called '{twice}': give them names")
        for name in called:
            if names.setdefault(name, film.url) != film.url:
                raise UsageError(f"'{names[name]}' and '{film.url}' would both be called '{name}': give them names")
    return [_apart(film, names) for film in by_url.values()]


def _both(one: Wanted, other: Wanted) -> Wanted:
    """A film that two rows want: all pieces of either, and the film itself if a row asks for no piece."""
    pieces = one.pieces + tuple(it for it in other.pieces if it not in one.pieces)
    whole = one.whole or other.whole or not (one.pieces and other.pieces)
    return replace(
        other if one.pieces and not other.pieces else one,  # who wants the film itself says what it is called
        pieces=pieces,
        whole=whole and bool(pieces),
        md5=one.md5 or other.md5,
        licence=one.licence or other.licence,
        speaker=one.speaker if one.speaker == other.speaker else "",
        split=one.split if one.split == other.split else "",
    )


def _apart(film: Wanted, names: dict[str, str]) -> Wanted:
    """The same film; where pieces are cut out of it, by a name that neither a piece nor another film has."""
    if not film.pieces or names.setdefault(film.name, f"{film.url} whole") == f"{film.url} whole":
        return film
    return replace(film, name=f"{film.name}-{hashlib.sha256(film.url.encode()).hexdigest()[:8]}")


def name_of(url: str) -> str:
    """A file's name from a URL: the id of YouTube's, else the last part of the path."""
    if (found := re.search(r"(?:[?&]v=|youtu\.be/|/shorts/|/embed/)([A-Za-z0-9_-]{11})", url)) is not None:
        return found[1]
    parts = urlsplit(url)
    last = Path(parts.path).stem or parts.netloc
    return FILE_NAME.sub("_", last)


def youtube(id: str) -> str:
    """The URL of a film of YouTube's."""
    return f"https://www.youtube.com/watch?v={id}"


def seconds(written: str) -> float:
    """ "1:02.5" or "62.5" in seconds.

    Raises:
        ValueError: it is neither.
    """
    total = 0.0
    for part in written.strip().split(":"):
        total = 60 * total + float(part)
    if not 0 <= total < float("inf"):
        raise ValueError(f"'{written}' is no time")
    return total


def _wanted(path: Path, number: int, row: Mapping[str, Any], called: Mapping[str, str]) -> Wanted:
    told = {name: str(value).strip() for name in COLUMNS if (value := row.get(called[name])) not in (None, "")}
    where = f"'{path}', row {number}"
    url = told.get("url", "")
    if YOUTUBE_ID.fullmatch(url):
        url = youtube(url)
    if not urlsplit(url).scheme.startswith("http"):
        raise UsageError(f"{where}: '{url}' is no URL")
    name = FILE_NAME.sub("_", told.get("name", "")) or name_of(url)
    pieces = ()
    if "start" in told or "stop" in told:
        try:
            start, stop = seconds(told.get("start", "0")), seconds(told["stop"])
            if not start < stop:
                raise ValueError
        except (KeyError, ValueError):
            span = f"{told.get('start', '')} to {told.get('stop', '')}"
            raise UsageError(f"{where}: '{span}' is no span of seconds") from None
        called_so = name if "name" in told else f"{name}_{start:g}-{stop:g}"
        who, split = told.get("speaker", ""), told.get("split", "")
        pieces = (Piece(name=called_so, start_s=start, stop_s=stop, speaker=who, split=split),)
    return Wanted(
        url=url, name=name_of(url) if pieces else name, pieces=pieces, md5=told.get("md5", ""),
        licence=told.get("licence", ""), speaker=told.get("speaker", ""), split=told.get("split", ""),
    )  # fmt: skip


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        if path.suffix == ".parquet":
            import pyarrow.parquet as pq

            return pq.read_table(path).to_pylist()
        with path.open(newline="", encoding="utf-8-sig") as file:
            if path.suffix == ".txt":  # a URL a line
                return [{"url": line.strip()} for line in file if line.strip() and not line.startswith("#")]
            return list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise UsageError(f"the list '{path}' cannot be read: {error}") from None


def split_map(told: Iterable[str]) -> dict[str, str]:
    """`url=link name=id` as a mapping.

    Raises:
        UsageError: one of them is not of that form.
    """
    return dict(_pairs(told))


def _pairs(told: Iterable[str]) -> Iterator[tuple[str, str]]:
    for it in told:
        name, equals, column = it.partition("=")
        if not equals or not name or not column:
            raise UsageError(f"--map wants url=COLUMN, name=COLUMN and so on, got '{it}'")
        yield name, column
