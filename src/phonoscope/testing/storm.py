"""A long job under bad weather: workers and the whole of it are killed, films hang, the disk fills up.

After each blow that ended it the same command is given again, until it comes through. Then the store is held against
one that nobody disturbed.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from phonoscope.store.ledger import read_failures
from phonoscope.testing.quick import fingerprint
from phonoscope.testing.soak import Diary

BEGIN = "from phonoscope.testing.soak import main; import sys; main(*sys.argv[1:])"
SURVIVABLE = ("cannot be written to", "No space left on device")  # a job that ends so found the disk full
FULL_S = 0.3  # that the disk stays full
JOBS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """What is to happen; blows fall by chance, anywhere in the first nine tenths of the job."""

    workers: int  # to be killed by SIGKILL
    jobs: int  # the same of the supervisor and all its workers
    disks: int = 0  # how often the disk is to fill up; the store must have one of its own
    timeout_s: float = 10.0  # until a hung film is given up; a busy machine takes seconds to start a worker
    seed: int = 0

    def blows(self, films: int) -> list[tuple[int, str]]:
        """After how many films each blow falls, and which."""
        kinds = ["worker"] * self.workers + ["job"] * self.jobs + ["disk"] * self.disks
        rng = np.random.default_rng(self.seed)
        when = sorted(rng.integers(films * 9 // 10, size=len(kinds)).tolist())
        return list(zip(when, rng.permutation(kinds).tolist(), strict=True))


@dataclass(slots=True)
class Weathered:
    """How it went."""

    blows: Counter[str] = field(default_factory=Counter)  # that have fallen
    failures: Counter[str] = field(default_factory=Counter)  # outcomes by reason
    resident_mb: list[list[float]] = field(default_factory=list)  # of the supervisor, after each outcome of each run

    def lost(self, diary: Diary) -> int:
        """How often a worker was lost, or failed at what it had in hand: each time there is something to be redone."""
        return self.blows["worker"] + JOBS * self.blows["job"] + diary.hung() + self.failures.total()


def weather(films: Path, to: Path, diary: Diary, storm: Storm) -> Weathered:
    """Give the job again and again until it comes through, one blow after the other falling on it.

    Raises:
        RuntimeError: it ended in another way than by a blow.
    """
    told, left, rng = Weathered(), storm.blows(len([*films.iterdir()])), np.random.default_rng(storm.seed + 1)
    arguments = map(str, (films, to, diary.folder, diary.hangs, JOBS, storm.timeout_s))
    command, errors = [sys.executable, "-c", BEGIN, *arguments], diary.folder / "stderr.txt"
    while True:
        failed_before = told.failures.total()
        told.resident_mb.append([])
        with (
            errors.open("w") as stderr,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, start_new_session=True) as job,
        ):
            for line in job.stdout or ():
                state, resident_mb = line.split()
                told.resident_mb[-1].append(float(resident_mb))
                told.failures.update({state} - {"made", "kept"})
                if left and state != "kept" and len(told.resident_mb[-1]) >= left[0][0]:
                    time.sleep(rng.uniform(0, 0.1))
                    if _strike(left[0][1], job, diary, to, rng):  # else it falls after the next film
                        told.blows[left.pop(0)[1]] += 1
        if job.returncode not in (0, -signal.SIGKILL) and not any(it in errors.read_text() for it in SURVIVABLE):
            raise RuntimeError(f"the job ended with exit code {job.returncode}:\n{errors.read_text()}")
        if job.returncode == 0 and told.failures.total() == failed_before:
            return told


def _strike(kind: str, job: subprocess.Popen[str], diary: Diary, to: Path, rng: np.random.Generator) -> bool:
    """Have a blow fall on a job; whether it has hit."""
    if kind == "disk":
        _fill(to / ".ballast")
    elif kind == "job":
        os.killpg(job.pid, signal.SIGKILL)
    else:
        list_children = [shutil.which("pgrep") or "pgrep", "-P", str(job.pid)]
        found = subprocess.run(list_children, capture_output=True, text=True, check=False).stdout.split()
        at_work = {making.process for making in diary.makings()} & {*map(int, found)}
        if not at_work:
            return False
        with suppress(ProcessLookupError):
            os.kill(int(rng.choice(sorted(at_work))), signal.SIGKILL)
    return True


def _fill(ballast: Path) -> None:
    """Fill the disk up to its last byte, for a while."""
    try:
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(bytes(1 << 16)):
                pass
        time.sleep(FULL_S)
    finally:
        ballast.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A store that went through a storm, against one that did not: all should be 0 but what was redone."""

    lost: int  # files that are not there
    corrupt: int  # files of other bytes
    doubled: int  # files too many, and rows of the index
    standing: int  # failures
    debris: int  # hidden files
    redone: int  # artifacts made again


def account(to: Path, expected: Mapping[str, str], diary: Diary) -> Account:
    """What the storm has done.

    Args:
        expected: the `fingerprint` of a store in which the same job was not disturbed.
    """
    found = fingerprint(to)
    sources = pq.read_table(to / "index.parquet", columns=["source"])["source"].to_pylist()
    made = Counter((making.recording, making.what) for making in diary.makings())
    return Account(
        lost=len(expected.keys() - found.keys()),
        corrupt=sum(found[path] != expected[path] for path in expected.keys() & found.keys()),
        doubled=len(found.keys() - expected.keys()) + len(sources) - len({*sources}),
        standing=len(read_failures(to)),
        debris=len([*to.rglob(".*")]),
        redone=sum(times - 1 for times in made.values()),
    )
