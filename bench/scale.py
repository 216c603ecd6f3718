"""Many tiny recordings: what taking them in, going on, status and report cost, and whether memory stays as it is."""

import json
import resource
import sys
import tempfile
from pathlib import Path

from bench.children import Cost, python
from bench.films import copies
from bench.soak import tiny
from bench.table import Row, Table, at_most

FEW, MANY = 1000, 10_000


def measure() -> list[Table]:
    """Wall and CPU seconds of whole processes, and the memory of the one that keeps the account."""
    with tempfile.TemporaryDirectory() as folder:
        films = copies(tiny(), MANY, Path(folder) / "films")
        few, many = Path(folder) / "few", Path(folder) / "many"
        (Path(folder) / "few.txt").write_text("".join(f"{film}\n" for film in films[:FEW]))
        of_few, of_many = f"{folder}/few.txt", f"{folder}/films"
        small = {verb: _cost(verb, of_few, few) for verb in ("ingest", "again", "status", "report")}
        large = {verb: _cost(verb, of_many, many) for verb in ("ingest", "again", "status", "report")}
        page_mb = (many / "report.html").stat().st_size / 1e6
    rows = [
        Row("taking them in, -j 2", f"{large['ingest'].wall_s:.0f} s"),
        Row("CPU of that, a recording", f"{1000 * large['ingest'].cpu_s / MANY:.3g} ms"),
        Row("a second run", f"{large['again'].wall_s:.3g} s, {large['again'].cpu_s:.3g} s of CPU"),
        at_most("status", large["status"].wall_s, 5, " s"),
        Row("CPU of that", f"{large['status'].cpu_s:.3g} s"),
        Row("report", f"{large['report'].wall_s:.3g} s, {large['report'].cpu_s:.3g} s of CPU, {page_mb:.3g} MB"),
        *(_growth(verb, small[verb], large[verb]) for verb in large),
    ]
    notes = (f"{MANY:,} films of 0.3 s; memory is that of the supervisor, at its peak, against {FEW:,} films.",)
    return [Table("Ten thousand recordings", rows, notes)]


def _cost(verb: str, films: str, store: Path) -> Cost:
    """What a verb takes; "again" is a second `ingest`."""
    if verb in ("ingest", "again"):
        return python("-m", "bench.scale", "ingest", films, "--to", str(store), "-j", "2", cores=2)
    return python("-m", "bench.scale", verb, str(store))


def _growth(verb: str, small: Cost, large: Cost) -> Row:
    """How much more memory a verb takes for more recordings."""
    peak_mb = large.said["peak_mb"]
    grown = (peak_mb - small.said["peak_mb"]) / (MANY - FEW) * 1000
    return Row(f"memory of {verb}, and what 1,000 more add", f"{peak_mb:.0f} MB, {grown:+.2g} MB")


def _run(arguments: list[str]) -> dict[str, float]:
    """Run a verb here, and tell what this process has held, its workers apart."""
    from phonoscope.cli.main import main

    if main(arguments):
        raise RuntimeError(f"phonoscope {' '.join(arguments)} failed")
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"peak_mb": used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e6 / 1024)}


if __name__ == "__main__":
    print(json.dumps(_run(sys.argv[1:])))
