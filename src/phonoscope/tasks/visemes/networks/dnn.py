"""Seed 004's network in PyTorch: three dense layers over the MFCC of one frame."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from torch import Tensor, nn

from phonoscope.models.graphs import Graph
from phonoscope.tasks.visemes.frames import WIDTH

SIZES = (64, 128, 64)
DROPPED = 0.25  # after the second layer
L2 = 1e-3  # of the squares of their kernels, which Keras adds to the loss


class VisemeDnn(nn.Module):
    """Logits of k classes from scaled MFCC: 17 797 parameters at 5 classes, 18 057 at 9."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.first = nn.Linear(WIDTH, SIZES[0])
        self.second = nn.Linear(SIZES[0], SIZES[1])
        self.third = nn.Linear(SIZES[1], SIZES[2])
        self.told = nn.Linear(SIZES[2], classes)
        self.dropout = nn.Dropout(DROPPED)
        for layer in (self.first, self.second, self.third, self.told):
            nn.init.xavier_uniform_(layer.weight)  # as Keras begins
            nn.init.zeros_(layer.bias)

    def forward(self, rows: Tensor) -> Tensor:
        """Logits (n, k) of scaled rows (n, 13)."""
        heard = self.dropout(self.second(self.first(rows).relu()).relu())
        return self.told(self.third(heard).relu())


def groups(network: nn.Module) -> list[dict[str, Any]]:
    """What the optimiser takes: kernels of the three layers decay by the squares that Keras adds to their loss."""
    decayed = {name: it for name, it in network.named_parameters() if it.ndim == 2 and not name.startswith("told")}
    rest = [it for name, it in network.named_parameters() if name not in decayed]
    return [{"params": rest}, {"params": list(decayed.values()), "weight_decay": 2 * L2}]


def told_by(tensors: Mapping[str, np.ndarray]) -> Callable[[Graph, str], str]:
    """What puts a network with these weights into a graph: probabilities of scaled rows."""

    def told(graph: Graph, rows: str) -> str:
        for name in ("first", "second", "third", "told"):
            rows = graph.linear(rows, tensors[f"{name}.weight"], tensors[f"{name}.bias"])
            rows = rows if name == "told" else graph.add("Relu", rows)
        return graph.add("Softmax", rows, axis=1)

    return told
