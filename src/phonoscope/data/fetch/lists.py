"""Which lists of films can be read, by kind."""

from collections.abc import Sequence
from pathlib import Path

from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError
from phonoscope.corpora import ava_videos, avspeech_rows, hdtf, voxceleb2
from phonoscope.corpora.ava import read_ava
from phonoscope.corpora.wanted import Wanted, joined, split_map, wanted_in

KINDS = ("list", "avspeech", "hdtf", "voxceleb2", "ava")


def films_of(
    kind: str,
    lists: Sequence[Path],
    columns: Sequence[str] = (),
    annotations: Path | None = None,
    first: int = 0,
    last: int | None = None,
) -> list[Wanted]:
    """The films that lists of a kind tell of, in their order; of those, or of a catalogue's rows, [first, last).

    Args:
        columns: of `list`, what its columns are called: `url=link`.
        annotations: of `ava`, tables of labels: only their videos.

    Raises:
        UsageError: there is no such list, or it makes no sense.
    """
    within("--first", first, 0)
    if last is not None:
        within("--last", last, 0)
    if not lists:
        raise UsageError(f"no list given: name the files of kind '{kind}'")
    for path in lists:
        if not path.exists():
            raise UsageError(f"there is no list '{path}'")
    if kind == "avspeech":
        return joined(film for path in lists for film in avspeech_rows.wanted(path, first, last))
    return _films(kind, lists, columns, annotations)[first:last]


def _films(kind: str, lists: Sequence[Path], columns: Sequence[str], annotations: Path | None) -> list[Wanted]:
    match kind:
        case "hdtf":
            return joined(film for path in lists for film in hdtf.wanted(path))
        case "voxceleb2":
            return joined(film for path in lists for film in voxceleb2.wanted(path))
        case "ava":
            return _of_ava(lists, annotations)
    mapped = split_map(columns)
    return joined(film for path in lists for film in wanted_in(path, mapped))


def _of_ava(lists: Sequence[Path], annotations: Path | None) -> list[Wanted]:
    ids = set(read_ava([annotations]).videos) if annotations else None
    found = [ava_videos.wanted(path, ids) for path in lists]
    if ids and (unknown := set.intersection(*(set(it[1]) for it in found))):
        import logging

        said = "videos of the annotations that the list does not know, passed over: %s"
        logging.getLogger("phonoscope").warning(said, ", ".join(sorted(unknown)))
    return joined(film for films, _ in found for film in films)
