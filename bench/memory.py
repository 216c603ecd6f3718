"""How much memory `prepare` takes for an hour of film, against six minutes of it."""

import tempfile
from pathlib import Path

from bench.children import prepare
from bench.films import minute, repeated
from bench.table import Row, Table, at_most


def measure() -> list[Table]:
    """Resident memory at its peak, start-up and imports included."""
    with tempfile.TemporaryDirectory() as folder:
        short = prepare([repeated(minute(), 6)], Path(folder) / "short", "--no-report")
        long = prepare([repeated(minute(), 60)], Path(folder) / "long", "--no-report")
    rows = [
        at_most("peak for 60 minutes", long.peak_mb, 1000, " MB"),
        at_most("peak for 60 minutes − peak for 6 minutes", long.peak_mb - short.peak_mb, 350, " MB"),
        Row("CPU for 60 minutes ÷ CPU for 6 minutes", f"{long.cpu_s / short.cpu_s:.3g}"),
        Row("wall time for 60 minutes", f"{long.wall_s:.0f} s"),
    ]
    notes = ("320×180 at 25 fps, two faces, one shot: two tracks as long as the film. One run each.",)
    return [Table("Memory", rows, notes)]
