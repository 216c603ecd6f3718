"""What a second process brings."""

import os
import tempfile
from pathlib import Path
from statistics import median

from bench.children import prepare
from bench.films import copies, small
from bench.table import Row, Table, at_least, spread

RECORDINGS, RUNS = 8, 5


def measure() -> list[Table]:
    """Wall seconds of `-j 2` and of `-j 1` on two cores, in turn."""
    one, two = [], []
    with tempfile.TemporaryDirectory() as folder:
        films = copies(small(30), RECORDINGS, Path(folder) / "films")
        for run in range(RUNS):
            one.append(prepare(films, Path(folder) / f"one-{run}", "--no-report", "-j", "1", cores=2))
            two.append(prepare(films, Path(folder) / f"two-{run}", "--no-report", "-j", "2", cores=2))
    gains = [alone.wall_s / together.wall_s for alone, together in zip(one, two, strict=True)]
    rows = [
        at_least("wall time of -j 1 ÷ wall time of -j 2", median(gains), 1.8),
        Row("least and greatest of the runs", f"{min(gains):.3g}–{max(gains):.3g}"),
        Row("wall time of -j 1", spread((cost.wall_s for cost in one), " s")),
        Row("wall time of -j 2", spread((cost.wall_s for cost in two), " s")),
        Row("CPU of -j 2 ÷ CPU of -j 1", f"{sum(cost.cpu_s for cost in two) / sum(cost.cpu_s for cost in one):.3g}"),
        Row("load of the machine as it ended", f"{os.getloadavg()[0]:.1f}"),
    ]
    notes = (f"{RECORDINGS} films of 30 s, 640×360, two cores; medians of {RUNS} interleaved runs, start-up included.",)
    return [Table("Two at a time", rows, notes)]
