"""AVA's average precision of 761,000 rows: ours against the official procedure, written out plainly, in turns."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bench.children import python
from bench.table import Row, Table, at_most, spread

VIDEOS, ENTITIES, ROWS = 33, 8015, 761_000  # as AVA's validation set
TIMES = 5
CORES = 2
BOX = ("x1", "y1", "x2", "y2")
TEXTS = ("video", "label", "entity")
COLUMNS = ("video", "time", *BOX, "label", "entity")


def measure() -> list[Table]:
    """Our time over theirs, reading included, and how far the figures are apart."""
    said = python("-m", "bench.asd_metric", cores=CORES).said
    ours, theirs = said["ours"], said["theirs"]
    wall, cpu = ([a[kind] / b[kind] for a, b in zip(ours, theirs, strict=True)] for kind in ("wall_s", "cpu_s"))
    rows = [
        at_most("ours over the official procedure, by the clock, median", median(wall), 0.1, " ×"),
        at_most("greatest difference of the figures", said["difference"], 1e-12),
        Row("the same ratio by time of the processor", spread(cpu, " ×")),
        Row("ours, with bracket and breakdowns", spread([it["wall_s"] for it in ours], " s")),
        Row("official procedure", spread([it["wall_s"] for it in theirs], " s")),
    ]
    notes = (
        f"{ROWS:,} rows of {ENTITIES:,} faces in {VIDEOS} videos, made by rule; predictions in another order. The "
        "official procedure is written out in Python and NumPy as it is described: joined by the text of time and "
        f"entity, sorted, precision smoothed row by row. Reading counts. {TIMES} times in turns, {CORES} cores, of "
        "which the official procedure uses one.",
    )
    return [Table("AVA's average precision", rows, notes)]


def main() -> int:
    """Time both, and print what was found as JSON."""
    from phonoscope.corpora.ava import read_ava
    from phonoscope.tasks.asd.evaluation import evaluate

    def ours() -> float:
        with ThreadPoolExecutor() as both:
            truth, scores = both.map(read_ava, files)
            return evaluate(truth, scores).average_precision

    took: dict[str, list[dict[str, float]]] = {"ours": [], "theirs": []}
    difference = 0.0
    with tempfile.TemporaryDirectory() as folder:
        files = made(Path(folder))
        for _ in range(TIMES):
            one, cost = timed(ours)
            took["ours"].append(cost)
            other, cost = timed(lambda: official(*map(official_columns, files)))
            took["theirs"].append(cost)
            difference = max(difference, abs(one - other))
    print(json.dumps({**took, "difference": difference}))
    return 0


def made(folder: Path) -> tuple[Path, Path]:
    """A truth and predictions, as many rows as AVA's validation set has; every score is another."""
    from phonoscope.corpora.ava import AvaRows, write_ava

    rng = np.random.default_rng(0)
    length = np.full(ENTITIES, ROWS // ENTITIES)
    length[: ROWS % ENTITIES] += 1
    entity = np.repeat(np.arange(ENTITIES, dtype=np.int32), length)
    frame = np.concatenate([np.arange(n) for n in length])
    videos = tuple(f"video_{number:05}" for number in range(VIDEOS))
    minute = 900 + 60 * (np.arange(ENTITIES) // VIDEOS % 15)
    names = tuple(f"{videos[e % VIDEOS]}_{at:04}_{at + 60:04}:{e}" for e, at in enumerate(minute.tolist()))
    corner = np.round(rng.uniform(0, 0.6, (ENTITIES, 2))[entity], 6)
    size = np.round(rng.uniform(0.05, 0.4, (ENTITIES, 2))[entity], 6)
    truth = AvaRows(
        videos=videos,
        entities=names,
        video=entity % VIDEOS,
        entity=entity,
        time_s=np.round(minute[entity] + frame / 25, 2),
        box=np.round(np.concatenate([corner, corner + size], 1), 6),
        label=(np.sin(0.07 * frame + entity) > 0.5).astype(np.int8),
    )
    score = truth.speaking * 1.5 + rng.normal(size=ROWS)
    files = folder / "truth.csv", folder / "scores.csv"
    write_ava(files[0], truth)
    write_ava(files[1], truth.scored(score).take(rng.permutation(ENTITIES)[entity].argsort(kind="stable")))
    return files


def official_columns(path: Path) -> dict[str, Any]:
    """The columns of a csv without a header, and `uid`, the text of time and entity; numbers as arrays, text as lists.

    Cells are told apart by Arrow, which is no slower than the official procedure's reader; Python's csv would be.
    """
    import pyarrow.csv

    with path.open() as file:
        names = [*COLUMNS, "score"][: file.readline().count(",") + 1]
    table = pyarrow.csv.read_csv(path, pyarrow.csv.ReadOptions(column_names=names))
    columns = {name: table[name].to_pylist() if name in TEXTS else table[name].to_numpy() for name in names}
    columns["uid"] = [f"{time}:{name}" for time, name in zip(columns["time"].tolist(), columns["entity"], strict=True)]
    return columns


def official(truth: dict[str, Any], scores: dict[str, Any]) -> float:
    """Average precision, as the official procedure is described: join, check, sort, count, smooth, sum."""
    if len(truth["uid"]) != len(scores["uid"]) or set(scores["label"]) != {"SPEAKING_AUDIBLE"}:
        raise ValueError("other rows, or another label")
    if np.isnan(scores["score"]).any():
        raise ValueError("a row has no score")
    place = {uid: row for row, uid in enumerate(scores["uid"])}
    if len(place) != len(scores["uid"]) or len(set(truth["uid"])) != len(truth["uid"]):
        raise ValueError("a row is there twice")
    pairs = [(row, place[uid]) for row, uid in enumerate(truth["uid"]) if uid in place]
    score = scores["score"].tolist()
    pairs.sort(key=lambda pair: score[pair[1]], reverse=True)
    here, there = np.array(pairs).T
    if not all((np.abs(truth[side][here] - scores[side][there]) <= 1e-9).all() for side in BOX):
        raise ValueError("a box has moved")
    hit = np.array([truth["label"][row] == scores["label"][other] for row, other in pairs])
    found = hit.cumsum()
    precision, recall = found / np.arange(1, len(found) + 1), found / hit.sum()
    if not all(recall[k] <= recall[k + 1] for k in range(len(recall) - 1)):
        raise ValueError("recall decreases")
    recall, precision = np.concatenate([[0], recall, [1]]), np.concatenate([[0], precision, [0]])
    for k in range(len(precision) - 2, -1, -1):
        precision[k] = np.maximum(precision[k], precision[k + 1])
    at = np.where(recall[1:] != recall[:-1])[0] + 1
    return float(np.sum((recall[at] - recall[at - 1]) * precision[at]))


def timed(work: Callable[[], float]) -> tuple[float, dict[str, float]]:
    """What some work makes, and the seconds that it took, by the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    made = work()
    return made, {"wall_s": time.perf_counter() - clock, "cpu_s": time.process_time() - processor}


if __name__ == "__main__":
    sys.exit(main())
