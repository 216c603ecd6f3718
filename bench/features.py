"""What landmarks and all that follows from them cost beside the rest, in CPU of decoding the film once."""

import json
import tempfile
from pathlib import Path
from statistics import median

from bench.children import prepare, python
from bench.films import monologue
from bench.table import Row, Table, at_most, spread

RUNS = 5
WANTED = ("landmarks", "pose", "motion", "mouth", "quality")


def measure() -> list[Table]:
    """Whole processes with their imports, in turn with the decoding of the film."""
    film = monologue()
    decoded, plain, wanted = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for run in range(RUNS):
            decoded.append(python("-m", "bench.speed", "decode", str(film)))
            plain.append(prepare([film], Path(folder) / f"plain-{run}"))
            store = Path(folder) / f"wanted-{run}"
            wanted.append(prepare([film], store, "--want", *WANTED))
        (receipts,) = store.glob("recordings/*/receipts.json")
        seconds = {name: json.loads(receipts.read_text())[name]["seconds"] for name in WANTED}
    ratios = [ours.cpu_s / theirs.cpu_s for theirs, ours in zip(decoded, wanted, strict=True)]
    usual = [ours.cpu_s / theirs.cpu_s for theirs, ours in zip(decoded, plain, strict=True)]
    rows = [
        at_most(f"CPU of `prepare --want {' '.join(WANTED)}` ÷ CPU of decoding", median(ratios), 6.5),
        Row("least and greatest of the runs", f"{min(ratios):.3g}–{max(ratios):.3g}"),
        Row("the same without these", f"{median(usual):.3g}"),
        Row("CPU of decoding", spread((cost.cpu_s for cost in decoded), " s")),
        *(Row(f"{name}, wall, its share of the decoder in it", f"{took:.2f} s") for name, took in seconds.items()),
    ]
    notes = (f"60 s of 1280×720 H.264 at 29.97 fps, one face; one core; medians of {RUNS} interleaved runs.",)
    return [Table("Landmarks, pose, motion, mouth, quality", rows, notes)]
