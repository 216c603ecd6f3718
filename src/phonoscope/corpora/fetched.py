"""Folders that `phonoscope fetch` has filled: `fetched.jsonl`, a line a film, with where it is from and whose it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError
from phonoscope.core.media import Rights
from phonoscope.store.lines import read_lines

NAME, LEDGER = "fetched", "fetched.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A film, or a piece of one, that lies in the folder."""

    name: str  # with suffix
    sha256: str
    bytes: int
    cut: str = ""  # how it was cut out of the film; "" of a whole one
    speaker: str = ""  # of a piece, where the list tells them for each
    split: str = ""
    aside: bool = False  # a whole film that is only kept beside its pieces: to the corpus these are the films
    by_whole: bool = False  # it is kept because --whole asked for it, and not for a piece that could not be cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A film that came: a line of `fetched.jsonl`."""

    url: str
    files: tuple[File, ...]
    site: str = ""
    id: str = ""  # by which the site knows it
    title: str = ""
    uploader: str = ""
    licence: str = ""  # as the list has it, else the site
    speaker: str = ""
    split: str = ""
    when: str = ""  # UTC


def came(folder: Path) -> dict[str, Fetched]:
    """What has come into a folder, by URL."""
    return {it.url: it for it in read_lines(folder / LEDGER, Fetched)}


def listing(folder: Path) -> list[tuple[Path, Listed]]:
    """The films of a folder that lie there as they came, by name, each with its speaker and set.

    Where pieces were wanted of a film it is they, not the film that was kept beside them.

    Raises:
        UsageError: nothing was fetched into it.
    """
    if not (folder / LEDGER).is_file():
        raise UsageError(f"nothing was fetched into '{folder}': `phonoscope fetch list urls.txt --to {folder}` does")
    return [
        (folder / file.name, Listed(NAME, file.name, file.speaker or film.speaker, file.split or film.split))
        for file, film in sorted(_files(folder), key=lambda it: it[0].name)
        if not file.aside
    ]


def rights(folder: Path) -> Mapping[Path, Rights]:
    """Licence and origin of the films of such a folder; of none in any other."""
    return {folder / file.name: Rights(licence=film.licence, origin=film.url) for file, film in _files(folder)}


def _files(folder: Path) -> list[tuple[File, Fetched]]:
    return [(file, film) for film in came(folder).values() for file in film.files if (folder / file.name).is_file()]
