"""The recipe of `tiny`: from clips whose licence permits it, and puppets, to weights, and what these reach.

`python -m bench tiny` trains anew with the seeds of the weights that come with phonoscope, writes what it gets to
.cache/bench/tiny.safetensors, and scores people whom neither training nor any choice has seen. The same machine gets
the same bytes; others may differ in last digits.
"""

import csv
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from bench.asd_scenes import CHOSEN_ON, DATA, DELAYS_S, LISTENER, NEVER_USED, Clip, clips, precision
from bench.films import FOLDER
from bench.table import Row, Table
from bench.tiny_data import Sampler, Window, puppet, rooms, seen_often, voices
from phonoscope.models import load
from phonoscope.models.backends.tiny import Tiny as Scorer
from phonoscope.models.hashes import sha256_of

if TYPE_CHECKING:
    from torch import Tensor

    from phonoscope.tasks.asd.networks.tiny import Tiny as TinyNetwork

DATA_SEED, SEED = 0, 1  # of five trainings the one that did best on CHOSEN_ON
# All that is learnt from: GRID (Cooke et al., JASA 120, 2006) and LibriSpeech (Panayotov et al., 2015), both CC-BY-4.0.
FACES = ("grid_spk_bbaf2n", "grid_spk_lbax4n", "grid_spk_lrwp9a", "grid_spk_sbwe5n")
SPEECH = "e_clean_speech/librispeech_test-other/"
PUPPETS = 90
STEPS, BATCH, RATE, DECAY = 300, 48, 0.01, 0.05
AUXILIARY = 0.2  # weight of the two heads that only hear or only see
KEPT = 0.98  # of the running mean of weights, a step
JITTER = 0.2  # RMS of what is added to movement
WEIGHTS = FOLDER / "tiny.safetensors"


def measure() -> list[Table]:
    """What it learns from, and what it reaches on people whom it has not seen, beside `motion`."""
    began = monotonic()
    weights = trained(sampler(), WEIGHTS)
    minutes = (monotonic() - began) / 60
    with tempfile.TemporaryDirectory() as folder:
        kept = clips((*CHOSEN_ON, *NEVER_USED, LISTENER), Path(folder))
    told = statement()
    same = "yes" if sha256_of(weights) == Scorer.card.sha256 else "no, on this machine"
    data = [Row(f"{path} ({licence})", sha256[:16]) for path, sha256, licence in told]
    rows = [
        Row("weights", f"{weights.stat().st_size} bytes"),
        Row("the bytes that come with phonoscope", same),
        Row("training", f"{minutes:.1f} min"),
        *_reached(weights, kept),
    ]
    notes = (f"Seeds {DATA_SEED} and {SEED}; {PUPPETS} puppets; {STEPS} steps of {BATCH} windows.",)
    return [Table("What tiny learns from, beside puppets", data), Table("What tiny reaches", rows, notes)]


def statement() -> list[tuple[str, str, str]]:
    """Path, sha256 and licence of every file that it learns from."""
    with (DATA / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        every = list(csv.DictReader(file))
    used = [row for row in every if row["speakers"] in FACES or row["path"].startswith(SPEECH)]
    return [(row["path"], row["sha256"], row["licence_as_stated"]) for row in used]


def sampler(seed: int = DATA_SEED) -> Sampler:
    """All that is learnt from, seen and heard in many ways."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        real = clips(FACES, Path(folder))
    drawn = [puppet(number) for number in range(PUPPETS)]
    spoken = [path for path, _, _ in statement() if path.startswith(SPEECH)]
    return Sampler(
        seen_often(real, 100, 0.55, rng), seen_often(drawn, 6, 0.0, rng), voices(spoken, 3, rng), rooms(20, rng)
    )


def trained(windows: Sampler, path: Path, seed: int = SEED) -> Path:
    """Weights in a file, with what they are in its metadata."""
    import torch

    from phonoscope.tasks.asd.networks.tiny import Tiny

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = Tiny()
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, STEPS)
    mean = {name: value.clone() for name, value in network.state_dict().items()}
    for step in range(STEPS):
        loss = _loss(network, [windows.draw(rng) for _ in range(BATCH)])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        follow = min(KEPT, step / (step + 1))
        for name, value in network.state_dict().items():
            mean[name].mul_(follow).add_(value, alpha=1 - follow)
    return written({name: value.numpy() for name, value in mean.items()}, path)


def _loss(network: "TinyNetwork", drawn: Sequence[Window]) -> "Tensor":
    import torch
    from torch.nn.functional import cross_entropy

    moved, sound = (torch.tensor(np.stack([getattr(each, of) for each in drawn])) for of in ("moved", "mfcc"))
    said = network.judged(sound, moved + JITTER * torch.randn_like(moved))
    total = torch.zeros(())
    for logits, of, weight in (
        (said.av, "speaks", 1.0),
        (said.audio, "heard", AUXILIARY),
        (said.video, "talks", AUXILIARY),
    ):
        truth = torch.tensor(np.stack([getattr(each, of) for each in drawn]).astype(np.int64))
        total = total + weight * cross_entropy(cast("Tensor", logits).flatten(0, 1), truth.flatten())
    return total


def written(tensors: dict[str, np.ndarray], path: Path) -> Path:
    """A `.safetensors` file that says what it is."""
    from safetensors.numpy import save_file

    card = Scorer.card
    about = {
        "network": "tiny", "policy": "asd", "threshold": 0.0, "licence": card.licence,
        "trained_on": "four people of GRID (CC-BY-4.0), puppets of phonoscope, voices of LibriSpeech (CC-BY-4.0)",
        "recipe": "python -m bench tiny",
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, {"phonoscope": json.dumps(about)})
    return path


def _reached(weights: Path, kept: Sequence[Clip]) -> list[Row]:
    rows = []
    for title, people in (("six people never used", NEVER_USED), ("four people chosen on", CHOSEN_ON)):
        among = [clip for clip in kept if clip.person in (*people, LISTENER)]
        for name, scorer in (("tiny", Scorer(weights)), ("motion", load("motion"))):
            found = precision(scorer, among)
            rows.append(Row(f"{name}, {title}: AP", ", ".join(f"{kind} {ap:.3f}" for kind, ap in found.items())))
        late = [precision(Scorer(weights), among, delay_s)["all"] for delay_s in DELAYS_S[1:]]
        words = ", ".join(f"{delay_s:g} s" for delay_s in DELAYS_S[1:])
        rows.append(Row(f"tiny, {title}: sound late by {words}", " ".join(f"{ap:.3f}" for ap in late)))
    return rows
