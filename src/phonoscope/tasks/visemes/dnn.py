"""Seed 004's network as a task for the training loop: frames, each by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from phonoscope.data.split import TEST, TRAINING
from phonoscope.metrics.confusion import accuracy, balanced_accuracy, confusion
from phonoscope.tasks.visemes.networks.dnn import VisemeDnn, groups
from phonoscope.train.task import Loss, Task

BATCH = 1024  # frames


@dataclass(frozen=True, slots=True, eq=False)
class FrameBatch:
    """n frames."""

    rows: Tensor  # (n, 13) float32, scaled
    classes: Tensor  # (n,) int64

    def to(self, place: torch.device) -> "FrameBatch":
        """The same on another device."""
        return FrameBatch(self.rows.to(place), self.classes.to(place))


@dataclass(frozen=True, slots=True)
class Batches(Sequence[FrameBatch]):
    """The batches of a set in an epoch."""

    rows: np.ndarray  # (N, 13) float32
    classes: np.ndarray  # (N,) int64
    order: np.ndarray  # (N,) in which they come

    def __len__(self) -> int:
        return -(-len(self.order) // BATCH)

    def __getitem__(self, at: Any) -> Any:
        if at >= len(self):
            raise IndexError(at)  # by which whoever goes through a sequence knows its end
        which = self.order[at * BATCH : (at + 1) * BATCH]
        return FrameBatch(torch.from_numpy(self.rows[which]), torch.from_numpy(self.classes[which]))


def dnn_task(
    rows: np.ndarray, classes: np.ndarray, sets: Mapping[str, np.ndarray], count: int, *, seed: int, weighted: bool
) -> Task:
    """The task of telling classes of scaled rows (N, 13) float32 apart.

    Args:
        classes: (N,) int64 below `count`.
        sets: numbers of rows, by set.
        seed: of the order in which rows come, another one every epoch.
        weighted: a mistake costs more in a class with few rows.
    """
    weight = None
    if weighted:
        there = np.bincount(classes[sets[TRAINING]], minlength=count)
        weight = torch.from_numpy((there.sum() / (count * np.maximum(there, 1))).astype(np.float32))

    def examples(split: str, epoch: int) -> Batches:
        order = sets[split]
        if split == TRAINING:
            order = np.random.default_rng([seed, epoch]).permutation(order)
        return Batches(rows, classes, order)

    def loss(logits: Tensor, batch: FrameBatch, epoch: int) -> Loss:
        total = functional.cross_entropy(logits, batch.classes, None if weight is None else weight.to(logits.device))
        return Loss(total, {}, len(batch.classes))

    def score(told: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
        truth, said = (np.concatenate(them) for them in zip(*told, strict=True))
        counts = confusion(truth, said, count)
        return {"accuracy": accuracy(counts), "balanced_accuracy": balanced_accuracy(counts)}

    return Task(
        build=lambda: VisemeDnn(count),
        examples=examples,
        forward=lambda network, batch: network(batch.rows),
        loss=loss,
        predict=lambda logits, batch: (batch.classes.cpu().numpy(), logits.argmax(1).cpu().numpy()),
        score=score,
        best="balanced_accuracy",
        tested=len(sets[TEST]) > 0,
        parameters=groups,
    )
