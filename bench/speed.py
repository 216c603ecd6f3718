"""What `prepare` costs, in CPU of decoding the same film once."""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from time import process_time
from types import SimpleNamespace
from typing import TYPE_CHECKING

from bench.children import Cost, prepare, python
from bench.films import conversation, small
from bench.table import Row, Table, at_most, spread

if TYPE_CHECKING:
    from phonoscope.core.media import Clock, Picture
    from phonoscope.core.time import Span
    from phonoscope.job import Job
    from phonoscope.media.video import DecodeCount

RUNS = 5
STEPS = ("recording", "shots", "faces", "tracks", "crops", "mfcc", "vad", "asd", "thumbs")  # "recording" is ingest
LOOKS = (("shots", "faces"), ("asd", "thumbs"))  # steps that share a decode


def measure() -> list[Table]:
    """Whole processes with their imports, and the work alone, in turn with the decoding of the film."""
    film = conversation()
    decoded, whole, inside = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for run in range(RUNS):
            decoded.append(python("-m", "bench.speed", "decode", str(film)))
            whole.append(prepare([film], Path(folder) / f"whole-{run}"))
            inside.append(python("-m", "bench.speed", "prepare", str(film), f"{folder}/inside-{run}"))
    return [_costs(decoded, whole, inside), _steps(decoded, inside)]


def _costs(decoded: list[Cost], whole: list[Cost], inside: list[Cost]) -> Table:
    pairs = list(zip(decoded, whole, inside, strict=True))
    command = [ours.cpu_s / theirs.cpu_s for theirs, ours, _ in pairs]
    work = [ours.said["cpu_s"] / theirs.said["cpu_s"] for theirs, _, ours in pairs]
    said = inside[0].said
    looked = said["decoded"] / decoded[0].said["pictures"]
    rows = [
        at_most("CPU of `prepare` ÷ CPU of decoding, whole processes", median(command), 4.5),
        Row("least and greatest of the runs", f"{min(command):.3g}–{max(command):.3g}"),
        at_most("the same without start-up and imports", median(work), 4.5),
        at_most("pictures decoded ÷ pictures in the film", looked, 2.0),
        Row("CPU of decoding", spread((cost.cpu_s for cost in decoded), " s")),
        Row("CPU of `prepare`", spread((cost.cpu_s for cost in whole), " s")),
        Row("film seconds ÷ wall seconds of `prepare`", spread(60 / cost.wall_s for cost in whole)),
    ]
    notes = (
        f"60 s of 1280×720 H.264 at 29.97 fps, {said['mbit_s']:.1f} Mbit/s, two faces; default steps with "
        f"--asd.model motion, faces by {said['detector']}; one core; medians of {RUNS} interleaved runs.",
        "Decoding is PyAV, one thread, every picture once. The pictures that ingest tries, 8 or so, are not counted.",
    )
    return Table("Speed", rows, notes)


def _steps(decoded: list[Cost], inside: list[Cost]) -> Table:
    unit = median(cost.said["cpu_s"] for cost in decoded)
    rows = []
    for step in inside[0].said["steps"]:
        took = median(cost.said["steps"][step] for cost in inside)
        rows.append(Row("ingest" if step == "recording" else step, f"{took / unit:.3f}"))
    return Table("Speed, step by step", rows, ("CPU, in that of decoding the film once, without start-up.",))


def _decode(film: str) -> dict[str, float]:
    import av

    began, pictures = process_time(), 0
    with av.open(film) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "NONE", 1
        for _ in container.decode(stream):
            pictures += 1
    return {"cpu_s": process_time() - began, "pictures": pictures}


def _prepare(film: str, store: str) -> dict[str, object]:
    """`prepare` once everything is imported and has run once, with CPU where the receipts have wall seconds."""
    from phonoscope import job
    from phonoscope.flow import ingest, run, streams
    from phonoscope.media import video
    from phonoscope.report.page import write_report
    from phonoscope.store.folder import Store

    params = job.params_from({"asd": {"model": "motion"}})
    _succeed(job.prepare([str(small(2))], f"{store}-warm", params=params))
    write_report(Store(f"{store}-warm"))
    watch = _Watch(video.decode)
    video.decode = watch
    for module in (ingest, run, streams):
        module.time = SimpleNamespace(perf_counter=process_time)  # type: ignore[assignment]
    began = process_time()
    _succeed(job.prepare([film], store, params=params))
    done = process_time()
    page = write_report(Store(store))
    over = process_time()
    stored = Store(page.parent)
    (recording,) = (stored[id] for id in stored)
    steps = {name: recording.receipts[name].seconds for name in STEPS}
    for look, seconds in zip(LOOKS, watch.cpu_s, strict=True):
        for step in look:
            steps[step] -= seconds / len(look)
    steps |= {f"decoding for {' and '.join(look)}": cpu_s for look, cpu_s in zip(LOOKS, watch.cpu_s, strict=True)}
    steps |= {"report.html": over - done}
    steps |= {"the rest: reading and writing files, keys": over - began - sum(steps.values())}
    return {
        "cpu_s": over - began,
        "steps": steps,
        "decoded": sum(count.decoded for count in watch.counts),
        "mbit_s": Path(film).stat().st_size * 8 / 1e6 / float(recording.recording.duration_s),
        "detector": stored.settings.models["faces"],
    }


class _Watch:
    """`decode`, with its CPU and its counts put down, a row a look."""

    def __init__(self, decode: "Callable[..., Iterator[Picture]]") -> None:
        self.decode = decode
        self.cpu_s: list[float] = []
        self.counts: list[DecodeCount] = []

    def __call__(
        self, path: Path, clock: "Clock", spans: "Sequence[Span]", count: "DecodeCount"
    ) -> "Iterator[Picture]":
        self.counts.append(count)
        self.cpu_s.append(0.0)
        pictures = self.decode(path, clock, spans, count)
        while True:
            began = process_time()
            picture = next(pictures, None)
            self.cpu_s[-1] += process_time() - began
            if picture is None:
                return
            yield picture


def _succeed(job: "Job") -> None:
    for outcome in job.carry_out():
        if outcome.failure:
            raise RuntimeError(outcome.failure.message)


def _profile(film: str, store: str) -> None:
    """Where the time of a `prepare` goes, by function."""
    import cProfile
    import pstats

    profile = cProfile.Profile()
    profile.runcall(_prepare, film, store)
    pstats.Stats(profile).sort_stats("tottime").print_stats(40)


if __name__ == "__main__":
    verb, *given = sys.argv[1:]
    print(json.dumps({"decode": _decode, "prepare": _prepare, "profile": _profile}[verb](*given)))
