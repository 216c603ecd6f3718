"""Clips that one collects to adapt a model to a language: a folder a set, in it a folder a speaker, in it the clips."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError, readable
from phonoscope.corpora.folder import files_in, is_film, is_store

NAME = "vlogs"
TREE = "{set}/{speaker}/{clip}, as in training/ana/monday.mp4"
LOG = logging.getLogger("phonoscope")


@dataclass(frozen=True, slots=True)
class Tree:
    """What lies in a folder of collected clips; paths are relative to it."""

    clips: tuple[tuple[Path, Listed], ...]  # whole paths, by set, speaker and clip
    astray: tuple[str, ...]  # films that lie elsewhere than in the folder of a speaker
    empty: tuple[str, ...]  # sets and speakers without a clip
    other: tuple[str, ...]  # files beside clips that are no films by their names

    @property
    def doubled(self) -> Mapping[str, tuple[str, ...]]:
        """The speakers who sit in more than one set, and in which."""
        sets: dict[str, dict[str, None]] = {}
        for _, listed in self.clips:
            sets.setdefault(listed.speaker, {})[listed.split] = None
        return {speaker: tuple(mine) for speaker, mine in sorted(sets.items()) if len(mine) > 1}


def listing(root: Path, *, strict: bool = False) -> list[tuple[Path, Listed]]:
    """The clips of `{set}/{speaker}/{clip}`, each with its set and speaker; the sets may be called what you like.

    Args:
        strict: refuse a speaker who sits in two sets; otherwise there is a warning.

    Raises:
        UsageError: there is no clip, or one does not lie in the folder of a speaker in a set.
    """
    tree = survey(root)
    for first in tree.astray[:1]:
        others = f", and {len(tree.astray) - 1} more" if tree.astray[1:] else ""
        raise UsageError(f"clips in '{root}' should lie as {TREE}, but there is '{first}'{others}")
    if not tree.clips:
        raise UsageError(f"no clip in '{root}': films lie in it as {TREE}")
    for speaker, sets in tree.doubled.items():
        said = f"speaker '{speaker}' sits in {len(sets)} sets ({', '.join(sets)})"
        if strict:
            raise UsageError(f"{said}: a model would be tested on people whom it knows; leave them in one")
        LOG.warning("%s: a model would be tested on people whom it knows", said)
    if tree.other:
        LOG.warning("passed over, no films by their names: %d files, the first '%s'", len(tree.other), tree.other[0])
    return list(tree.clips)


def survey(root: Path) -> Tree:
    """All that lies in a folder of collected clips, right or wrong; stores and hidden files are passed over.

    Raises:
        UsageError: there is no such folder.
    """
    if not root.is_dir():
        raise UsageError(f"there is no folder '{root}': give the one in which clips lie as {TREE}")
    clips, astray, empty, other = [], [*_films(root)], [], []
    for set_ in _folders(root):
        astray += _films(set_)
        speakers = [*_folders(set_)]
        if not speakers:
            empty.append(set_)
        for speaker in speakers:
            mine = [*_films(speaker)]
            clips += mine
            other += [path for path in sorted(speaker.iterdir()) if path.is_file() and not _is_meant(path, mine)]
            deeper = [path for path in sorted(files_in(speaker)) if path.parent != speaker and is_film(path)]
            astray += deeper
            if not mine and not deeper:
                empty.append(speaker)

    def names(paths: list[Path]) -> tuple[str, ...]:
        return tuple(readable(path.relative_to(root).as_posix()) for path in paths)

    listed = [Listed(NAME, name, *reversed(name.split("/")[:2])) for name in names(clips)]
    return Tree(tuple(zip(clips, listed, strict=True)), names(astray), names(empty), names(other))


def _is_meant(path: Path, films: list[Path]) -> bool:
    return path in films or path.name.startswith(".")


def _films(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if is_film(path))


def _folders(folder: Path) -> Iterator[Path]:
    inside = (path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith("."))
    return (path for path in inside if not is_store(path))
