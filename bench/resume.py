"""How long a second run takes that has nothing to do."""

import tempfile
from pathlib import Path
from statistics import median

from bench.children import prepare
from bench.films import copies, small
from bench.table import Row, Table, at_most, spread

RECORDINGS, RUNS = 100, 5


def measure() -> list[Table]:
    """Wall seconds of whole processes, start-up and imports included."""
    with tempfile.TemporaryDirectory() as folder:
        films, store = copies(small(1), RECORDINGS, Path(folder) / "films"), Path(folder) / "store"
        first = prepare(films, store, "--no-report", cores=2)
        again = [prepare(films, store, "--no-report", cores=2) for _ in range(RUNS)]
        with_report = [prepare(films, store, cores=2) for _ in range(RUNS)]
    if (made := again[0].said["kept"]) != RECORDINGS:
        raise RuntimeError(f"the second run should have kept {RECORDINGS} recordings, it kept {made}")
    rows = [
        at_most(f"a second run over {RECORDINGS} recordings", median(cost.wall_s for cost in again), 2, " s"),
        Row("least and greatest", spread((cost.wall_s for cost in again), " s")),
        Row("the same without --no-report", spread((cost.wall_s for cost in with_report), " s")),
        Row("second run ÷ first run", f"{median(cost.wall_s for cost in again) / first.wall_s:.3g}"),
    ]
    return [Table("Going on", rows, (f"Films of 1 s, 640×360; medians of {RUNS} runs.",))]
