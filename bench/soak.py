"""A long job under bad weather: what is lost, doubled, corrupt or redone when its processes are killed at random."""

import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from bench.films import copies, kept
from bench.table import Row, Table, at_most
from phonoscope.testing.film import flash_and_beep
from phonoscope.testing.quick import fingerprint
from phonoscope.testing.soak import Diary, soak_job
from phonoscope.testing.storm import Account, Storm, Weathered, account, weather

FILMS = 2000
STORM = Storm(workers=40, jobs=8, disks=6, timeout_s=20, seed=8)
HANGS = 200  # of so many films one hangs
WARM = 300  # films after which a process has all that it will ever hold: decoders and allocators fill up until then


def measure() -> list[Table]:
    """Counts of files and makings, and memory as the job goes on."""
    with tempfile.TemporaryDirectory() as folder, _disk(Path(folder) / "disk") as (disk, own):
        films, diary = copies(tiny(), FILMS, Path(folder) / "films")[0].parent, Diary(Path(folder), HANGS)
        expected, workers_mb = _calm(films, disk / "calm")
        storm = STORM if own else Storm(workers=STORM.workers, jobs=STORM.jobs, timeout_s=STORM.timeout_s)
        began = perf_counter()
        went = weather(films, disk / "store", diary, storm)
        rows = [
            Row("films, three artifacts made of each", str(FILMS)),
            Row("workers killed · whole jobs killed", f"{went.blows['worker']} · {went.blows['job']}"),
            Row("films hung · disk filled up", f"{diary.hung()} · {went.blows['disk']}"),
            Row("times that the command was given", str(len(went.resident_mb))),
            *_rows(account(disk / "store", expected, diary), went, diary),
            *_memory("the supervisor", went.resident_mb),
            *_memory("a worker, in calm", workers_mb),
            Row("wall time", f"{perf_counter() - began:.0f} s"),
        ]
    where = "The store on a disk of its own" if own else "No small disk may be mounted here: it never filled up"
    return [Table("Soak", rows, (f"{where}; -j 2; held against a store that was made in calm.",))]


def tiny() -> Path:
    """A film of 0.3 s, 64×48, with sound."""
    return kept(
        "tiny.mp4",
        lambda path: flash_and_beep(path, duration_s=Fraction(3, 10), events_s=[Fraction(1, 10)], size=(48, 64)),
    )


def _rows(found: Account, went: Weathered, diary: Diary) -> Iterator[Row]:
    yield at_most("files lost", found.lost, 0)
    yield at_most("files or rows doubled", found.doubled, 0)
    yield at_most("files corrupt", found.corrupt, 0)
    yield at_most("failures that stand, and debris", found.standing + found.debris, 0)
    yield at_most("artifacts redone, a worker lost or film failed", found.redone / max(1, went.lost(diary)), 2)
    yield Row("artifacts redone · films failed, then made", f"{found.redone} · {went.failures.total()}")


def _memory(who: str, runs_mb: Sequence[Sequence[float]]) -> Iterator[Row]:
    yield at_most(f"memory of {who}, growth over 1,000 films", growth_mb(runs_mb), 5, " MB")
    yield Row(f"memory of {who}", f"{median(mb for run in runs_mb for mb in run):.0f} MB")


def growth_mb(runs: Iterable[Sequence[float]]) -> float:
    """Growth of memory over 1,000 films: the slope that fits all runs best, each from where it was warm."""
    warm = [np.array(run[WARM:]) for run in runs if len(run) > WARM + 1]
    films = [np.arange(len(run)) - (len(run) - 1) / 2 for run in warm]
    steps = sum(float(at @ run) for at, run in zip(films, warm, strict=True))
    return 1000 * steps / sum(float(at @ at) for at in films) if warm else float("nan")


def _calm(films: Path, to: Path) -> tuple[dict[str, str], list[list[float]]]:
    """The fingerprint of a store in which nothing goes wrong, and what each worker held, film by film.

    The store is gone afterwards.
    """
    with tempfile.TemporaryDirectory() as folder:
        diary = Diary(Path(folder))
        for outcome in soak_job(sorted(films.iterdir()), to, diary).carry_out(2):
            if outcome.failure:
                raise RuntimeError(f"{outcome.failure.source}: {outcome.failure.message}")
        held: dict[int, list[float]] = defaultdict(list)
        for making in diary.makings():
            if making.what == "words":  # the last of each film
                held[making.process].append(making.resident_mb)
    expected = fingerprint(to)
    shutil.rmtree(to)
    return expected, [*held.values()]


@contextmanager
def _disk(folder: Path) -> Iterator[tuple[Path, bool]]:
    """A disk of its own where we may make one, else a folder; and which it is."""
    folder.mkdir()
    mount, options = shutil.which("mount") or "mount", f"size={FILMS // 4}m"
    done = subprocess.run([mount, "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False)
    try:
        yield folder, not done.returncode
    finally:
        if not done.returncode:
            subprocess.run([shutil.which("umount") or "umount", "-l", folder], check=True)
