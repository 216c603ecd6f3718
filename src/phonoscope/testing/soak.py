"""Small work for long trials: real steps on real films, each making of an artifact written down before it begins.

So it can be told afterwards what was made twice. What else goes wrong is done from outside (`testing.storm`), but for
films that hang: a step finds out from the diary that it is to, once a film.
"""

import os
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import msgspec
import numpy as np

from phonoscope.core.media import Recording
from phonoscope.core.series import Series
from phonoscope.flow.ingest import GIVEN
from phonoscope.flow.job import Job
from phonoscope.flow.plan import plan
from phonoscope.flow.run import Work
from phonoscope.flow.shard import Shard
from phonoscope.flow.step import Step, step
from phonoscope.flow.streams import Film, Look, PartFolder
from phonoscope.store.folder import Store
from phonoscope.store.ledger import known_sources
from phonoscope.store.lines import read_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """A line of the diary: something is about to be made."""

    recording: str  # id
    what: str  # artifact
    process: int
    resident_mb: float


@dataclass(frozen=True, slots=True)
class Diary:
    """Where makings are written down; it stands where a step's model would, so that it is part of no key."""

    backend_kind = "diary"
    folder: Path
    hangs: int = 0  # of so many films one hangs, once; 0: none

    def __call__(self, recording: Recording, what: str) -> None:
        """Write a making down; of a film that is to hang, and has not yet, never come back."""
        line = Making(recording=recording.id, what=what, process=os.getpid(), resident_mb=resident_mb())
        with (self.folder / "makings.jsonl").open("ab", buffering=0) as file:  # appended whole, by whoever else does
            file.write(msgspec.json.encode(line) + b"\n")
        if self.hangs and recording.sha256 in Shard(1, self.hangs) and self._first(recording.id):
            time.sleep(3600)

    def _first(self, recording: str) -> bool:
        try:
            (self.folder / f"{recording}.hung").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def load(self, model: str, threads: int = 1) -> "Diary":
        """What a step is given that asks for a model."""
        return self

    def makings(self) -> list[Making]:
        """All that was written down."""
        return read_lines(self.folder / "makings.jsonl", Making)

    def hung(self) -> int:
        """How many films have hung."""
        return len([*self.folder.glob("*.hung")])


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that the steps below need to know."""

    model: str = "diary"


@step(version=1)
def loudness(recording: Recording, audio: Series, diary: Diary, p: Settings) -> Series:
    """Mean square of each frame of sound, (T,) float64."""
    diary(recording, "loudness")
    edges = np.linspace(0, len(audio.values), recording.num_frames + 1).astype(int)[:-1]
    square = np.add.reduceat(np.asarray(audio.values, np.float64) ** 2, edges)
    return Series(square, recording.fps, Fraction(1, 2) / recording.fps)


@step(version=1)
def light(film: Film, recording: Recording, diary: Diary, p: Settings) -> Look[Series]:
    """Mean of each picture, (T,) float64, 0 to 255."""
    diary(recording, "light")
    seen = []
    batch = yield film.whole
    while batch:
        seen += [picture.rgb().mean() for picture in batch]
        batch = yield None
    return Series(np.array(seen), recording.fps, Fraction(1, 2) / recording.fps)


@step(version=1)
def words(recording: Recording, light: Series, diary: Diary, out: PartFolder, p: Settings) -> PartFolder:
    """A file of text for each of the first four frames."""
    diary(recording, "words")
    for frame, value in enumerate(light.values[:4]):
        (out / f"{frame}.txt").write_text(f"{value:.3f}\n")
    return out


STEPS: dict[str, Step] = {one.step.name: one.step for one in (loudness, light, words)}  # type: ignore[attr-defined]


def soak_job(films: Sequence[Path | str], to: Path | str, diary: Diary) -> Job:
    """The job that takes films in and makes all of the above."""
    steps, store = plan(STEPS, STEPS, frozenset(GIVEN)), Store.create(to)
    work = Work(
        root=str(to), steps=tuple(steps), params=dict.fromkeys(STEPS, Settings()), load_backend=diary.load,
        card_of=str, known=known_sources(store),
    )  # fmt: skip
    return Job(store=store, work=work, items=[str(film) for film in films], retry_failed=True)


def resident_mb() -> float:
    """What this process holds in memory; where that cannot be told, the most that it has held."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main(films: str, to: str, diary: str, hangs: str, jobs: str, timeout_s: str) -> None:
    """Do the job on the films of a folder, and print for each outcome whether it failed, and the memory held."""
    job = soak_job(sorted(Path(films).iterdir()), to, Diary(Path(diary), int(hangs)))
    for outcome in job.carry_out(int(jobs), timeout_s=float(timeout_s)):
        state = outcome.failure.reason if outcome.failure else "made" if outcome.made else "kept"
        sys.stdout.write(f"{state} {resident_mb():.3f}\n")
        sys.stdout.flush()
