"""Folders of separated voices: which file belongs to which source of which mixture."""

import re
from dataclasses import dataclass
from pathlib import Path

from phonoscope.core.errors import UsageError

SOUNDS = (".wav", ".flac")
FOLDER, NUMBERED = re.compile(r"s(\d+)"), re.compile(r"(.+)_s(\d+)")


@dataclass(frozen=True, slots=True)
class Case:
    """The files of one mixture, of references and estimates as many, source by source."""

    name: str
    sources: tuple[int, ...]  # numbers of the references
    references: tuple[Path, ...]
    estimates: tuple[Path, ...]
    mixture: Path | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A mixture that no figure counts."""

    mixture: str
    why: str


def sources_in(folder: Path) -> dict[str, dict[int, Path]]:
    """Each mixture's sources by number: `s1/NAME.wav`, or `NAME_s1.wav`, or `NAME.wav` if there is but one.

    Raises:
        UsageError: there is no such folder, no sound in it, or a source has two files.
    """
    found: dict[str, dict[int, Path]] = {}
    for path in sorted((*folder.glob("*"), *folder.glob("s*/*"))):
        of_folder, of_name = FOLDER.fullmatch(path.parent.name), NUMBERED.fullmatch(path.stem)
        if path.suffix.lower() not in SOUNDS or (path.parent != folder and not of_folder):
            continue
        if path.parent != folder and of_folder:
            name, number = path.stem, int(of_folder[1])
        else:
            name, number = (of_name[1], int(of_name[2])) if of_name else (path.stem, 1)
        if other := found.setdefault(name, {}).get(number):
            raise UsageError(f"'{path}' and '{other}' are both source {number} of {name}; keep one of them")
        found[name][number] = path
    if not found:
        raise UsageError(
            f"'{folder}' {_lacks(folder)}: expected NAME_s1.wav, NAME_s2.wav … or s1/NAME.wav, s2/NAME.wav …"
        )
    return found


def paired(
    references: Path, estimates: Path, mixtures: Path | None = None, permute: bool = False
) -> tuple[list[Case], list[LeftOut]]:
    """What can be compared, by name, and what has no counterpart.

    Args:
        permute: estimates need be as many as references, not have their numbers.

    Raises:
        UsageError: as of `sources_in`, or there is not one pair.
    """
    true, said = sources_in(references), sources_in(estimates)
    mixed = mixtures_in(mixtures) if mixtures else {}
    cases: list[Case] = []
    left_out: list[LeftOut] = []
    for name in sorted(true.keys() | said.keys() | mixed.keys()):
        mine, theirs = true.get(name, {}), said.get(name, {})
        why = _wanting(mine, theirs, permute)
        if not why and mixtures and name not in mixed:
            why = "no mixture"
        if why:
            left_out.append(LeftOut(name, why))
        else:
            files = [tuple(it[number] for number in sorted(it)) for it in (mine, theirs)]
            cases.append(Case(name, tuple(sorted(mine)), files[0], files[1], mixed.get(name)))
    if not cases:
        first = left_out[0]
        raise UsageError(
            f"nothing of '{estimates}' belongs to anything of '{references}': {first.mixture}: {first.why}"
        )
    return cases, left_out


def mixtures_in(folder: Path) -> dict[str, Path]:
    """The mixtures by name: `NAME.wav`.

    Raises:
        UsageError: there is no such folder, or no sound in it.
    """
    found = {path.stem: path for path in sorted(folder.glob("*")) if path.suffix.lower() in SOUNDS}
    if not found:
        raise UsageError(f"'{folder}' {_lacks(folder)}: expected a mixture NAME.wav for NAME_s1.wav or s1/NAME.wav")
    return found


def _wanting(references: dict[int, Path], estimates: dict[int, Path], permute: bool) -> str:
    if not references or not estimates:
        return f"no {'estimate' if references else 'reference'}"
    alike = len(references) == len(estimates) if permute else references.keys() == estimates.keys()
    return "" if alike else f"references {_numbers(references)}, but estimates {_numbers(estimates)}"


def _numbers(files: dict[int, Path]) -> str:
    return ", ".join(f"s{number}" for number in sorted(files))


def _lacks(folder: Path) -> str:
    return "holds no sound" if folder.is_dir() else "is no folder"
