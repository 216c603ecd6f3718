"""What each paper's network is told it has done wrong, in PyTorch.

All but seed 001's judge every frame. Where clips of a batch differ in length, or a face is missing, frames count as
much as their weight says: none of what they hold changes the loss where that is 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from phonoscope.tasks.asd.networks.heads import Logits
from phonoscope.train.task import Loss


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A paper's loss: cross entropy of each head's logits, weighted and added up."""

    audio: float = 0.0  # weight of the head that only hears
    video: float = 0.0  # weight of the head that only sees; that of both together is 1
    hot: float = 1.0  # what logits are divided by in the first epoch
    cooling: float = 0.0  # by how much less in every epoch that follows
    speaks: int = 1  # the class that stands for speaking

    def temperature(self, epoch: int) -> float:
        """What logits are divided by in an epoch, counted from 1."""
        return max(self.hot - self.cooling * (epoch - 1), 0.02)


OBJECTIVES: Mapping[str, Objective] = {
    "talknet": Objective(audio=0.4, video=0.4),
    "light-asd": Objective(video=0.5, hot=1.3, cooling=0.02),
    "lr-asd": Objective(video=0.5),
    "ava-asd": Objective(audio=0.4, video=0.4, speaks=0),
    "tiny": Objective(audio=0.4, video=0.4),
}


def objective_of(model: str, mode: str = "") -> Objective:
    """A network's loss; of ava-asd in `mode` s_av_fc all heads weigh the same.

    ava_asd weighs only the joint head of that mode, and Keras counts a head that no weight is given to as 1.
    """
    found = OBJECTIVES[model]
    return replace(found, audio=1.0, video=1.0) if mode == "s_av_fc" else found


def loss(logits: Logits, labels: Tensor, weight: Tensor, objective: Objective, epoch: int) -> Loss:
    """The loss of a batch, a mean over what counts in it.

    Binary cross entropy on softmax(logits / r)[1], as Light-ASD and LR-ASD have it, is cross entropy on logits / r: so
    one formula does for all.

    Args:
        logits: of B clips of T frames, (B, T, 2) each; heads that a network lacks are left out.
        labels: (B, T) int64, 1 where the face speaks.
        weight: (B, T) float32, how much each frame counts.
    """
    target = labels if objective.speaks else 1 - labels
    heads = (("av", logits.av, 1.0), ("audio", logits.audio, objective.audio), ("video", logits.video, objective.video))
    counts = weight.sum().clamp_min(1e-12)
    parts, total = {}, torch.zeros((), device=weight.device)
    for name, head, share in heads:
        if head is not None and share:
            each = cross_entropy(
                (head.float() / objective.temperature(epoch)).flatten(0, 1), target.flatten(), reduction="none"
            )
            parts[name] = (each * weight.flatten()).sum() / counts
            total = total + share * parts[name]
    return Loss(total, parts, float(weight.sum()))


def log_odds(logits: Logits, objective: Objective) -> Tensor:
    """How sure a network is that faces speak, (B, T), as a natural logarithm."""
    return logits.av[..., objective.speaks] - logits.av[..., 1 - objective.speaks]
