"""What a Ray cluster on one machine costs over plain processes, once both are at work."""

import json
import os
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench.children import python
from bench.films import copies, small
from bench.table import Row, Table, at_most, spread
from phonoscope.flow.cluster import Ray
from phonoscope.flow.executors import Executor, Processes
from phonoscope.job import Params, prepare

SECONDS, WORKERS, RECORDINGS, RUNS = 10, 2, 24, 5


def measure() -> list[Table]:
    """Wall seconds a recording of two workers of Ray's, over those of two processes, in turn."""
    told = python("-c", "from bench.ray import compare; compare()", cores=WORKERS).said
    ratios = [far / near for far, near in zip(told["ray"], told["processes"], strict=True)]
    rows = [
        at_most("wall time of Ray ÷ wall time of processes", median(ratios), 1.10),
        Row("least and greatest of the runs", f"{min(ratios):.3g}–{max(ratios):.3g}"),
        Row("wall time a recording, Ray", spread(told["ray"], " s")),
        Row("wall time a recording, processes", spread(told["processes"], " s")),
        Row("until the first outcome: Ray, its cluster running", spread(told["begun ray"], " s")),
        Row("until the first outcome: processes", spread(told["begun processes"], " s")),
        Row("start of the cluster", f"{told['cluster']:.3g} s"),
        Row("load of the machine as it ended", f"{os.getloadavg()[0]:.1f}"),
    ]
    notes = (
        f"{RECORDINGS} films of {SECONDS} s, 640×360, {WORKERS} workers on as many cores; medians of {RUNS} "
        f"interleaved runs. The clock starts when {WORKERS} films more are through.",
    )
    return [Table("A Ray cluster on one machine", rows, notes)]


def compare() -> None:
    """Print all that was measured, as JSON."""
    told: dict[str, list[float]] = {"processes": [], "ray": [], "begun processes": [], "begun ray": []}
    with tempfile.TemporaryDirectory() as folder, Ray("local", WORKERS) as ray:
        films = copies(small(SECONDS), WORKERS + RECORDINGS, Path(folder) / "films")
        began = time.perf_counter()
        _pace(ray, films[:1], Path(folder) / "first")
        cluster_s = time.perf_counter() - began
        for run in range(RUNS):
            order = [("processes", Processes(WORKERS)), ("ray", ray)]
            for name, doing in order if run % 2 else reversed(order):
                begun_s, pace_s = _pace(doing, films, Path(folder) / f"{name}-{run}")
                told[name].append(pace_s)
                told[f"begun {name}"].append(begun_s)
    print(json.dumps({**told, "cluster": cluster_s - median(told["begun ray"])}), flush=True)


def _pace(doing: Executor, films: list[Path], store: Path) -> tuple[float, float]:
    """Seconds until the first outcome, and seconds a film after `WORKERS` are through."""
    params = Params()
    job = prepare(films, store, params=replace(params, asd=replace(params.asd, model="motion")))
    began, through = time.perf_counter(), []
    with closing(job.carry_out(WORKERS, doing=doing)) as outcomes:
        for outcome in outcomes:
            if outcome.failure:
                raise RuntimeError(f"{outcome.source}: {outcome.failure.message}")
            through.append(time.perf_counter() - began)
    counted = through[WORKERS - 1 :] or through
    return through[0], (counted[-1] - counted[0]) / max(1, len(counted) - 1)
