"""Which labels are meant, and which films they belong to."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError, readable
from phonoscope.corpora.annotations import Annotations
from phonoscope.corpora.asw import read_asw
from phonoscope.corpora.ava import AvaRows, read_ava
from phonoscope.corpora.folder import files_in, is_film
from phonoscope.store.uri import as_uri

LONGEST_S = {"ava": Fraction(1, 10), "asw": Fraction(3, 10)}  # ASW has a row each 0.2 s
LOG = logging.getLogger("phonoscope")


def read_labels(given: Iterable[Path | str]) -> tuple[str, AvaRows]:
    """The corpus, "ava" or "asw", and all rows of its tables: csv files, JSON files, or folders of either.

    Raises:
        UsageError: there is no such table, some are of one kind and some of the other, or they hold predictions.
    """
    paths = [Path(it).expanduser() for it in given]
    kinds = {_kind(path) for path in paths}
    if len(kinds) != 1:
        what = "tables of AVA and of ASW at a time" if kinds else "no table given"
        raise UsageError(f"{what}: name csv files of AVA's, or JSON files of ASW's, or folders of one of them")
    (kind,) = kinds
    rows = read_asw(paths) if kind == "asw" else read_ava(paths)
    if rows.score is not None:
        raise UsageError(f"'{paths[0]}' has scores: these are predictions, give the labels themselves")
    return kind, rows


def _kind(path: Path) -> str:
    asw = path.suffix == ".json" or (path.is_dir() and any(path.glob("*.json")) and not any(path.glob("*.csv*")))
    return "asw" if asw else "ava"


def labelled_films(
    corpus: str, rows: AvaRows, folder: Path, max_gap_s: Fraction | None = None, split: str = ""
) -> tuple[list[str], Annotations]:
    """The films in a folder that are named for the videos of a table, and what writes their labels down.

    Videos without a film and films that the table does not know are named in a warning, and left out.

    Args:
        max_gap_s: a face without a label for longer begins a new track; by default 0.1 s in AVA's, 0.3 s in ASW's.
        split: the set that all of these videos belong to.

    Raises:
        UsageError: there is no such folder, no film in it fits, or two films have one name.
    """
    films = _films(folder)
    code = {video: number for number, video in enumerate(rows.videos)}
    known = [video for video in sorted(code) if video in films]
    for what, names in (
        (f"no film in '{folder}' for these videos of the table", sorted({*code} - {*films})),
        ("films that the table does not know", sorted({*films} - {*code})),
    ):
        if names:
            LOG.warning("%s, passed over: %s", readable(what), readable(", ".join(names)))
    if not known:
        raise UsageError(f"no film in '{folder}' is named for a video of the table, such as '{min(code)}.mp4'")
    longest = LONGEST_S[corpus] if max_gap_s is None else max_gap_s
    if (usual_s := _usual_s(rows)) > float(longest) * 1.01:
        said = "most rows of a face are %.3g s apart, and a gap over %.3g s begins a new track: try --max-gap-s %.3g"
        LOG.warning(said, usual_s, float(longest), 1.5 * usual_s)
    by_uri = {}
    for video in known:
        mine = np.flatnonzero(rows.video == code[video])
        by_uri[as_uri(str(films[video]))] = (
            Listed(corpus, readable(films[video].name), split=split),
            _alone(rows, mine),
            mine,
        )
    return [str(films[video]) for video in known], Annotations(by_uri, longest)


def _alone(rows: AvaRows, mine: np.ndarray) -> AvaRows:
    """Some rows of a table, without the names of all others."""
    some = rows.take(mine)
    videos, video = np.unique(some.video, return_inverse=True)
    entities, entity = np.unique(some.entity, return_inverse=True)
    return replace(
        some,
        videos=tuple(rows.videos[code] for code in videos),
        entities=tuple(rows.entities[code] for code in entities),
        video=video.astype(np.int32),
        entity=entity.astype(np.int32),
    )


def _usual_s(rows: AvaRows) -> float:
    """How far most rows of a face are from the next, s; 0 if there are no two."""
    steps = np.concatenate([np.empty(0), *(np.diff(rows.time_s[of]) for of in rows.tracks())])
    return float(np.median(steps)) if len(steps) else 0.0


def _films(folder: Path) -> dict[str, Path]:
    """Every film in a folder and below it, but hidden ones and those in stores, by its name without the ending."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder '{folder}': give the one with films named for their videos, as ID.mp4")
    found: dict[str, Path] = {}
    for path in sorted(files_in(folder)):
        if is_film(path) and found.setdefault(path.stem, path) != path:
            raise UsageError(f"'{found[path.stem]}' and '{path}' have one name: leave one of them in '{folder}'")
    return found
