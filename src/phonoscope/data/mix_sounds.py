"""Noise and rooms: the sounds of two folders, which mixtures are laid into."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.corpora.folder import files_in
from phonoscope.data.kept import Kept
from phonoscope.data.mixing import SAMPLE_RATE

ENDINGS = (".wav", ".flac", ".ogg", ".mp3")
MANY, MOST_BYTES = 1 << 16, 1 << 28  # sounds that are kept, and how much of them


@dataclass(eq=False)
class Sounds:
    """The files of noise, and the impulse responses of rooms; each is read when it is asked for, and kept a while."""

    noise: Path | None = None  # folder
    responses: Path | None = None  # folder
    _kept: Kept = field(default_factory=partial(Kept, MANY, MOST_BYTES), init=False)

    @cached_property
    def noises(self) -> tuple[str, ...]:
        """The files of noise, as paths below their folder; none if there is no folder.

        Raises:
            UsageError: there is no such folder, or no sound in it.
        """
        return _sounds_in(self.noise, "noise")

    @cached_property
    def rooms(self) -> tuple[str, ...]:
        """The impulse responses, alike.

        Raises:
            UsageError: as of `noises`.
        """
        return _sounds_in(self.responses, "responses")

    def noise_of(self, name: str) -> np.ndarray:
        """A noise (M,) float32 at 16 kHz.

        Raises:
            RecordingFailed: it cannot be read.
        """
        return self._read((self.noise or Path()) / name)

    def room_of(self, name: str) -> np.ndarray:
        """An impulse response (K,) float32 at 16 kHz.

        Raises:
            UsageError: it is silent.
            RecordingFailed: it cannot be read.
        """
        found = self._read((self.responses or Path()) / name)
        if not found.any():
            raise UsageError(f"the impulse response '{name}' is silent: take it out of --responses")
        return found

    def told(self) -> list[list[str | int]]:
        """Name and bytes of each file that there is."""
        folders = (self.noise, self.noises), (self.responses, self.rooms)
        return [[name, (folder / name).stat().st_size] for folder, names in folders if folder for name in names]

    def drawn(self, voices: int, rng: np.random.Generator) -> tuple[np.ndarray | None, list[np.ndarray] | None]:
        """A noise (M,), and an impulse response (K,) for each voice, by lot; None where there is no folder of them."""
        noise = self.noise_of(one_of(self.noises, rng)) if self.noises else None
        rooms = [self.room_of(one_of(self.rooms, rng)) for _ in range(voices)] if self.rooms else None
        return noise, rooms

    def seen(self, name: str) -> list[Any]:
        """By what a file is known to be the same."""
        paths = [folder / name for folder in (self.noise, self.responses) if folder and (folder / name).exists()]
        return [name, *(it for path in paths for it in (path.stat().st_size, path.stat().st_mtime_ns))]

    def _read(self, path: Path) -> np.ndarray:
        from phonoscope.media.sound import read_sound

        return self._kept.get(path, lambda: (np.concatenate([*read_sound(path, SAMPLE_RATE)]),))[0]


def _sounds_in(folder: Path | None, what: str) -> tuple[str, ...]:
    if folder is None:
        return ()
    if not folder.is_dir():
        raise UsageError(f"--{what} '{folder}': there is no such folder")
    found = sorted(files_in(folder))
    sounds = tuple(path.relative_to(folder).as_posix() for path in found if path.suffix.lower() in ENDINGS)
    if not sounds:
        raise UsageError(f"--{what} '{folder}': no sound in it, expected files {', '.join(ENDINGS)}")
    return sounds


def one_of(names: Sequence[str], rng: np.random.Generator) -> str:
    """One of them, by lot."""
    return names[int(rng.integers(len(names)))]
