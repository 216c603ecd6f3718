"""Seed 001's own figures, to compare with its tables: of all heads, and of rows with the nearest window's score.

| column | what it is |
|---|---|
| `{audio,video,main}_accuracy` | share of windows of which the likelier class is right |
| `…_map` | average precision of speaking, as ActivityNet has it |
| `…_ap_sp`, `…_ap_ns` | average precision, as scikit-learn has it, of speaking and of not speaking (by 1 - score) |
| `…_auc` | area under ROC |
| `orig_…` | `main` on every labelled frame: the score of the nearest window of its track, 0.0 if it has none |

Upstream's `ap_ns` takes the score of speaking for that of not speaking. A head that a network lacks has empty columns.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.data.windows.samples import LABELLED
from phonoscope.metrics.ranking import accuracy, average_precision, roc_auc, stepwise_average_precision
from phonoscope.models.backends.ava_asd_graph import colours, mode_of
from phonoscope.models.state_dicts import read_state_dict
from phonoscope.tasks.asd.examples import Arrays, Example, Examples

HEADS = ("audio", "video", "main")
METRICS = ("accuracy", "map", "ap_sp", "ap_ns", "auc")
COLUMNS = ("weights", *(f"{head}_{metric}" for head in (*HEADS, "orig") for metric in METRICS))

Heads = Callable[[Arrays], Mapping[str, np.ndarray]]
"""Probability of speaking (T,) by head of an example."""


@dataclass(frozen=True, slots=True)
class Window:
    """A window with what each head says of its last frame that counts."""

    track: str  # the clip's id
    frame: int  # of the clip
    label: int
    chance: Mapping[str, float]  # head -> probability of speaking


def heads_of(path: Path, model: str) -> Heads:
    """All heads of a network, in PyTorch.

    Raises:
        UsageError: torch is not installed, or the weights are of another network.
    """
    try:
        import torch

        from phonoscope.tasks.asd.losses import OBJECTIVES
        from phonoscope.tasks.asd.networks.registry import network
        from phonoscope.train.begin import begin_with
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise UsageError("all heads of a network are run by PyTorch: pip install 'phonoscope[train]'") from None
    state, speaks = read_state_dict(path), OBJECTIVES[model].speaks
    tensors = state.tensors
    made = network(model, **({"mode": mode_of(tensors), "channels": colours(tensors)} if model == "ava-asd" else {}))
    begin_with(made, state, model)
    made.eval()

    def run(it: Arrays) -> dict[str, np.ndarray]:
        with torch.inference_mode():
            said: Any = made(torch.from_numpy(it.mfcc)[None], torch.from_numpy(it.faces)[None].float())
        found = {"audio": said.audio, "video": said.video, "main": said.av}
        return {
            name: torch.softmax(head, -1)[..., speaks].flatten().numpy()
            for name, head in found.items()
            if head is not None
        }

    return run


def windows(heads: Heads, material: Examples, split: str) -> Iterator[Window]:
    """Every example of a split as a window; those of which no frame counts are left out."""
    for example in material.examples.get(split, ()):
        it = material.load(example)
        counts = np.flatnonzero(it.weight > 0)
        if len(counts):
            last = int(counts[-1])
            chance = {name: float(values[last]) for name, values in heads(it).items()}
            yield Window(example.video.id, example.start + last, int(it.labels[last]), chance)


def legacy_row(path: Path, them: Sequence[Window], labelled: Mapping[str, np.ndarray]) -> dict[str, str]:
    """A row of seed 001's csv.

    Args:
        labelled: clip -> what is said of each of its frames, 1, 0, or -1 for nothing; none gives no `orig_…`.
    """
    labels = np.array([it.label for it in them])
    found: dict[str, float] = {}
    for head in HEADS:
        if them and head in them[0].chance:
            found |= _figures(head, labels, np.array([it.chance[head] for it in them]))
    if labelled:
        found |= _figures("orig", *nearest(them, labelled))
    said = {"weights": str(path), **{name: f"{value:.6f}" for name, value in found.items()}}
    return {name: said.get(name, "") for name in COLUMNS}


def nearest(them: Sequence[Window], labelled: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Label and score of every labelled frame: that of the nearest window of its clip, of two the later, or 0.0."""
    of: dict[str, list[Window]] = defaultdict(list)
    for it in sorted(them, key=lambda it: it.frame):
        of[it.track].append(it)
    labels, scores = [np.zeros(0, np.int64)], [np.zeros(0)]
    for track, said in labelled.items():
        frames = np.flatnonzero(said >= 0)
        labels.append(said[frames].astype(np.int64))
        mine = np.zeros(len(frames))
        if its := of.get(track):
            at = np.array([it.frame for it in its])
            between = (at[1:] + at[:-1]) / 2
            mine = np.array([it.chance["main"] for it in its])[np.searchsorted(between, frames, side="right")]
        scores.append(mine)
    return np.concatenate(labels), np.concatenate(scores)


def labels_of(material: Examples, split: str) -> dict[str, np.ndarray]:
    """What is said of every frame of the labelled clips of a split."""
    clips: dict[str, Example] = {it.video.id: it for it in material.examples.get(split, ()) if it.kind == LABELLED}
    return {id: np.asarray(material.source.labels(it.video)) for id, it in clips.items()}


def _figures(head: str, labels: np.ndarray, chance: np.ndarray) -> dict[str, float]:
    speaks = labels == 1
    found = {}
    if len(labels):
        found["accuracy"] = accuracy(speaks, chance > 0.5)
    if speaks.any():
        found |= {"map": average_precision(speaks, chance), "ap_sp": stepwise_average_precision(speaks, chance)}
    if (~speaks).any():
        found["ap_ns"] = stepwise_average_precision(~speaks, 1 - chance)
        if speaks.any():
            found["auc"] = roc_auc(speaks, chance)
    return {f"{head}_{name}": value for name, value in found.items()}
