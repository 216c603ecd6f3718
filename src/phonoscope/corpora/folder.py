"""Films named one by one, in folders, or in text lists."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlparse

from phonoscope.core.errors import UsageError


def sources(given: Iterable[str]) -> list[str]:
    """Every film meant by files, folders, lists and URIs, each once, in a steady order.

    A folder means every file in it and below it but hidden ones. A `.txt` file means the films that it lists, a
    line each, relative to itself; blank lines and those that begin with `#` are passed over.

    Raises:
        UsageError: nothing was given, or a folder or list holds no film.
    """
    found = [film for it in given for film in _expand(it, Path())]
    if not found:
        raise UsageError("no film given: name files, folders or a .txt list of them")
    return list(dict.fromkeys(found))


def _expand(given: str, beside: Path) -> Iterator[str]:
    scheme = urlparse(given).scheme
    if len(scheme) > 1 and "://" in given:
        yield given
        return
    path = beside / Path(given).expanduser()
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.is_file() and not _hidden(p.relative_to(path)))
        if not inside:
            raise UsageError(f"'{given}' is a folder without files: give one with films in it")
        for file in inside:
            yield str(file)
    elif path.suffix == ".txt" and path.is_file():
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
        for line in lines:
            if line and not line.startswith("#"):
                yield from _expand(line, path.parent)
    else:
        yield str(path)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
