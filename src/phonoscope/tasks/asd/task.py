"""Telling who speaks, as a task for the training loop, in PyTorch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from phonoscope.data.split import TEST, TRAINING
from phonoscope.tasks.asd.batches import batches_of
from phonoscope.tasks.asd.examples import Arrays, Examples
from phonoscope.tasks.asd.figures import Scored, figures
from phonoscope.tasks.asd.losses import log_odds, loss, objective_of
from phonoscope.tasks.asd.networks.heads import Logits
from phonoscope.tasks.asd.networks.registry import network
from phonoscope.tasks.asd.params import AugmentParams, ExamplesParams
from phonoscope.train.task import Task

Figures = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True, eq=False)
class AsdBatch:
    """B examples of T frames."""

    mfcc: Tensor  # (B, 4T, 13) float32
    faces: Tensor  # (B, T, H, W) uint8
    labels: Tensor  # (B, T) int64
    weight: Tensor  # (B, T) float32
    whole: Tensor  # (B,) bool

    def to(self, place: torch.device) -> "AsdBatch":
        """The same on another device."""
        return AsdBatch(*(getattr(self, name).to(place, non_blocking=True) for name in self.__slots__))


def batch_of(arrays: Arrays) -> AsdBatch:
    """Arrays as tensors."""
    return AsdBatch(*(torch.from_numpy(getattr(arrays, name)) for name in AsdBatch.__slots__))


def asd_task(
    model: str,
    material: Examples,
    examples: ExamplesParams,
    augment: AugmentParams,
    *,
    seed: int = 0,
    begin: "Callable[[nn.Module], None]" = lambda made: None,
    about: Callable[[Figures], dict[str, Any]] = lambda found: {"figures": found},
    shape: Mapping[str, Any] | None = None,
) -> Task:
    """The task of training a network on examples.

    Args:
        model: the network's name.
        begin: puts weights into a fresh network, see `begin_with`.
        about: what the file of weights says of itself, given the figures of the splits.
        shape: what the network's constructor takes, such as `mode` of ava-asd.
    """
    objective = objective_of(model, (shape or {}).get("mode", ""))

    def build() -> nn.Module:
        made = network(model, **(shape or {}))
        begin(made)
        return made

    def score(scored: Sequence[Any]) -> dict[str, float]:
        return figures([it for batch in scored for it in batch])

    def forward(made: nn.Module, batch: AsdBatch) -> Logits:
        said = made(batch.mfcc, batch.faces.float())
        return said if said.av.ndim == 3 else _of_one_frame(said)

    return Task(
        build=build,
        examples=lambda split, epoch: batches_of(
            material, split, epoch, examples, augment if split == TRAINING else None, seed, batch_of
        ),
        forward=forward,
        loss=lambda logits, batch, epoch: loss(logits, batch.labels, batch.weight, objective, epoch),
        predict=lambda logits, batch: scored(log_odds(logits, objective), batch),
        score=score,
        best="ap",
        tested=bool(material.examples.get(TEST)),
        parameters=groups,
        about=about,
    )


def _of_one_frame(said: Logits) -> Logits:
    """Logits (B, 2) of networks that judge windows as a whole, as (B, 1, 2)."""
    audio, video = (None if head is None else head.unsqueeze(1) for head in (said.audio, said.video))
    return Logits(said.av.unsqueeze(1), audio, video)


def scored(odds: Tensor, batch: AsdBatch) -> list[Scored]:
    """The frames of a batch that count, example by example."""
    found = []
    them = (it.cpu() for it in (odds.detach().float(), batch.labels, batch.weight, batch.whole))
    for each, labels, weight, whole in zip(*them, strict=True):
        counts = weight.numpy() > 0
        found.append(Scored(each.numpy()[counts], labels.numpy()[counts], bool(whole)))
    return found


def groups(made: nn.Module) -> list[dict[str, Any]]:
    """What the optimiser takes: kernels of seed 001's networks decay by the squares that Keras adds to their loss."""
    from phonoscope.tasks.asd.networks.ava_asd import L2, AvaAsd

    decayed = made.decayed() if isinstance(made, AvaAsd) else []
    known = {id(it) for it in decayed}
    rest = {"params": [it for it in made.parameters() if id(it) not in known]}
    return [rest, {"params": decayed, "weight_decay": 2 * L2}] if decayed else [rest]
