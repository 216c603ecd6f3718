"""Work done in processes of its own, so that what it costs can be told from everything else."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.films import FOLDER

ROOT = Path(__file__).resolve().parents[1]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took, with its start and its imports."""

    cpu_s: float  # user and system, its own children included
    wall_s: float
    peak_mb: float  # resident, of its largest process
    said: Any  # the JSON of the last line that it printed, if it was that


def python(*arguments: str, cores: int = 1) -> Cost:
    """What `python ARGUMENTS…` takes on that many cores.

    Raises:
        RuntimeError: it failed; its stderr is in the message.
    """
    timer = [sys.executable, "-m", "bench.children", str(cores), sys.executable, *arguments]
    done = subprocess.run(timer, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"python {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
    *_, said, told = ["", *done.stdout.splitlines()]
    cpu_s, wall_s, peak_mb = json.loads(told)
    return Cost(cpu_s, wall_s, peak_mb, json.loads(said) if said.startswith("{") else None)


def prepare(films: Sequence[Path], store: Path, *more: str, cores: int = 1) -> Cost:
    """What `phonoscope prepare` takes."""
    flags = ("--to", str(store), "--asd.model", "motion", "--json", *more)
    return python("-m", "phonoscope.cli.main", "prepare", *map(str, films), *flags, cores=cores)


def environment() -> dict[str, str]:
    """Ours, with one thread a library, and weights kept where `make` keeps them unless you said where."""
    home = {"PHONOSCOPE_HOME": str(FOLDER.parent / "phonoscope")}
    return home | dict(os.environ) | ONE_THREAD


def pin(cores: int) -> None:
    """Keep this process and its children to that many cores, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        ours = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, ours[-cores:])


def _time(cores: int, command: Sequence[str]) -> int:
    """Run a command and print, after what it prints: CPU seconds, wall seconds, MB at its peak."""
    import time

    pin(cores)
    began = time.perf_counter()
    code = subprocess.run(command, check=False).returncode
    wall_s = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak_mb = used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e6 / 1024)
    print(json.dumps([used.ru_utime + used.ru_stime, wall_s, peak_mb]), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(_time(int(sys.argv[1]), sys.argv[2:]))
