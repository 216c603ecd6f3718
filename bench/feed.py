"""Examples a second that reach a trainer: out of shards, out of a store, and how many it takes.

People who do not exist, whose faces lie in `face_crops`, are packed with `--as webdataset`. What is timed is all that
happens to an example before a network sees it: reading, MFCC, variation, another clip's sound under it.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import numpy as np
import torch

from bench.table import Row, Table, at_least, spread
from phonoscope.data.pack import ShardParams, pack
from phonoscope.data.split import TRAINING
from phonoscope.tasks.asd.batches import Batches, batches_of
from phonoscope.tasks.asd.examples import Examples
from phonoscope.tasks.asd.material import material_of
from phonoscope.tasks.asd.params import AugmentParams, ExamplesParams
from phonoscope.tasks.asd.task import asd_task, batch_of
from phonoscope.testing.talkers import save_labels, talkers
from phonoscope.train.feed import ahead
from phonoscope.train.params import TrainParams

CLIPS, FRAMES, PEOPLE, RUNS = 16, 250, 8, 3  # clips of 10 s: 50 MB of faces
P, VARIED = ExamplesParams(batch_frames=500), AugmentParams()
WAYS = {"as they are": AugmentParams(vary_faces=False, overlay=0), "varied": VARIED}
STEPS = 2  # that a trainer is timed for, after one that is not


def measure() -> list[Table]:
    """Store and shards in turn, as they are and varied; then what networks take."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        store, shards = _made(Path(folder))
        sources = {"shards": material_of(shards, P), "the store": material_of(store, P)}
        rates: dict[tuple[str, str], list[float]] = {}
        for run in range(RUNS):
            for how, augment in WAYS.items():
                for what, material in sources.items():
                    rates.setdefault((what, how), []).append(_rate(_batches(material, run, augment)))
        takes = {name: _taken(name, sources["shards"]) for name in ("tiny", "lr-asd")}
    rows = [Row(f"{what}, {how}", spread(of, " examples/s")) for (what, how), of in rates.items()]
    for how in WAYS:
        paired = [a / b for a, b in zip(*(rates[what, how] for what in sources), strict=True)]
        rows.append(at_least(f"shards ÷ store, {how}", median(paired), 1))
    best = median(rates["shards", "varied"])
    for name, taken in takes.items():
        rows.append(Row(f"what {name} takes in training", f"{taken:.3g} examples/s"))
        rows.append(at_least(f"shards, varied ÷ what {name} takes", best / taken, 1))
    notes = (
        f"A second is one of CPU. An example is {FRAMES} frames of a face, 112×112, with their sound; {CLIPS} clips of "
        f"{PEOPLE} people, labelled, files in memory. Batches of {P.batch_frames} frames, by two threads.",
        f"Varied: faces turned, mirrored or enlarged, other voices laid under, as by default. Medians of {RUNS} runs, "
        f"least and greatest. Networks in PyTorch, {STEPS} steps with their batches in memory.",
    )
    return [Table("Feeding a trainer", rows, notes)]


def _made(folder: Path) -> tuple[Path, Path]:
    """The store and its shards."""
    names = {f"training/p{at % PEOPLE:02d}/take{at // PEOPLE}": FRAMES for at in range(CLIPS)}
    store = talkers(folder / "films", names)
    for stored in map(store.__getitem__, store):
        save_labels(stored, (np.arange(FRAMES) // 50 % 2).astype(np.int8))
    job = pack(store.root, folder / "shards", "webdataset", params=ShardParams(film=False, shard_s=120))
    if failed := [it for it in job.carry_out() if it.failure]:
        raise RuntimeError(f"{failed[0].recording}: {failed[0].failure}")
    return store.root, folder / "shards"


def _batches(material: Examples, epoch: int, augment: AugmentParams = VARIED) -> Batches:
    return batches_of(material, TRAINING, epoch, P, augment, 0, batch_of)


def _rate(batches: Sequence[Any]) -> float:
    """Examples a second of CPU that come out."""
    began = process_time()
    count = sum(len(batch.labels) for batch in ahead(batches, 0, 2))
    return count / (process_time() - began)


def _taken(name: str, material: Examples) -> float:
    """Examples a second of CPU that a network learns from, with nothing to wait for."""
    task = asd_task(name, material, P, VARIED)
    network = task.build().train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=TrainParams().lr)
    batches = _batches(material, 1)
    ready = [batches[number] for number in range(STEPS + 1)]
    began = 0.0
    for number, batch in enumerate(ready):
        began = process_time() if number == 1 else began
        optimiser.zero_grad(set_to_none=True)
        task.loss(task.forward(network, batch), batch, 1).total.backward()
        optimiser.step()
    return sum(len(batch.labels) for batch in ready[1:]) / (process_time() - began)
