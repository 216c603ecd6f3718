"""A task that a network learns in a moment: is the sum of four numbers above nought?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from phonoscope.train.task import Loss, Task


@dataclass(frozen=True)
class ToyBatch:
    x: Tensor
    y: Tensor

    def to(self, place: torch.device) -> "ToyBatch":
        return ToyBatch(self.x.to(place), self.y.to(place))


@dataclass(frozen=True)
class ToyBatches(Sequence[ToyBatch]):
    split: str
    epoch: int
    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, at: Any) -> ToyBatch:
        if not 0 <= at < self.count:
            raise IndexError(at)
        draw = np.random.default_rng([len(self.split), self.epoch, at])
        x = draw.normal(size=(16, 4)).astype(np.float32)
        return ToyBatch(torch.from_numpy(x), torch.from_numpy((x.sum(1) > 0).astype(np.float32)))


def toy(*, batches: int = 5, tested: bool = True, best: str = "accuracy") -> Task:
    def loss(outputs: Tensor, batch: ToyBatch, epoch: int) -> Loss:
        total = binary_cross_entropy_with_logits(outputs, batch.y)
        return Loss(total, {"bce": total}, float(len(batch.y)))

    def score(predictions: Sequence[np.ndarray]) -> dict[str, float]:
        return {"accuracy": float(np.concatenate(predictions).mean())}

    return Task(
        build=lambda: nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.2), nn.ReLU(), nn.Linear(8, 1)),
        examples=lambda split, epoch: ToyBatches(split, epoch, batches),
        forward=lambda network, batch: network(batch.x)[:, 0],
        loss=loss,
        predict=lambda outputs, batch: ((outputs > 0) == (batch.y > 0)).cpu().numpy(),
        score=score,
        best=best,
        tested=tested,
        about=lambda figures: {"network": "toy"},
    )
