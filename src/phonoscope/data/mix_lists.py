"""Seed 000's lists of examples, of any number of speakers: a mixture, its masks, its faces, a line each.

Source: https://github.com/bill9800/speech_separation, `build_audio_database_v2.py` and `gentxtnew.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from phonoscope.core.errors import UsageError
from phonoscope.data.face_embeddings import ENDING
from phonoscope.store.files import write_if_new


@dataclass(frozen=True, slots=True)
class Example:
    """A line: names of files."""

    mixture: str  # mix-00003-00008.npy
    masks: tuple[str, ...]  # crm-00003-00008-00003.npy, a voice each
    faces: tuple[str, ...] = ()  # 00003_face_emb.npy, a voice each; none in lists without faces

    @property
    def ids(self) -> tuple[int, ...]:
        """The numbers of its voices."""
        return tuple(int(it) for it in self.mixture.removesuffix(".npy").split("-")[1:])

    @property
    def line(self) -> str:
        """As it stands in a list."""
        return " ".join([self.mixture, *self.masks, *self.faces])

    def with_faces(self) -> "Example":
        """The same with the file of each face."""
        return Example(self.mixture, self.masks, tuple(f"{id:05d}{ENDING}" for id in self.ids))


def example_of(ids: Sequence[int]) -> Example:
    """The example of the voices of these numbers, without faces."""
    name = "-".join(f"{id:05d}" for id in ids)
    return Example(f"mix-{name}.npy", tuple(f"crm-{name}-{id:05d}.npy" for id in ids))


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """A list with every example in it, whole; one that says so already is not touched."""
    write_if_new(path, lines_of(it.line for it in examples))


def lines_of(names: Iterable[str]) -> bytes:
    """A line each, the last one ended too."""
    return "".join(f"{name}\n" for name in names).encode()


def read_examples(path: Path) -> list[Example]:
    """The examples of `dataset_train.txt`, `AVdataset_val.txt` and the like.

    Raises:
        UsageError: there is no such list, or a line is none of its kind.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the list '{path}' cannot be read: {error}") from None
    return [_example(path, number, line.split()) for number, line in enumerate(lines, 1) if line.strip()]


def _example(path: Path, number: int, words: list[str]) -> Example:
    masks = tuple(word for word in words[1:] if word.startswith("crm-"))
    faces = tuple(word for word in words[1:] if word.endswith(ENDING))
    parts = words[0].removesuffix(".npy").split("-")
    right = parts[0] == "mix" and all(it.isdigit() for it in parts[1:]) and len(parts) > 1
    if not right or len(masks) != len(parts) - 1 or len(faces) not in (0, len(masks)) or words[1:] != [*masks, *faces]:
        expected = "mix-00001-00002.npy crm-00001-00002-00001.npy crm-00001-00002-00002.npy"
        raise UsageError(f"'{path}', line {number}: '{' '.join(words)}' is no example: expected {expected}")
    return Example(words[0], masks, faces)
