"""Settings of the training loop, whatever is learnt; they need no torch, so that help is shown without it."""

from dataclasses import dataclass
from typing import Literal

from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError

Optimiser = Literal["adam", "adamw", "sgd", "rmsprop", "adagrad", "adadelta", "adamax", "nadam"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainParams:
    """How a network learns."""

    epochs: int = 20  # at most; a run that has ended goes on if this is raised
    patience: int = 0  # epochs without a better model after which training ends; 0: never
    optimiser: Optimiser = "adam"  # by its name in torch.optim
    lr: float = 1e-4  # learning rate of the first epoch
    lr_decay: float = 0.95  # the learning rate is multiplied by this after every epoch
    lr_steps: str = ""  # such as 6:0.2,11:0.1: from epoch 6 on, counted from 1, lr times 0.2; from 11 on, lr times 0.1
    step_decay: float = 0.0  # the learning rate is divided by 1 + this × the steps done
    weight_decay: float = 0.0  # as the optimiser has it
    momentum: float = 0.0  # of sgd and rmsprop
    nesterov: bool = False  # of sgd with momentum
    freeze: str = ""  # parts of the network that keep their weights, such as model.visualEncoder; several with commas
    clip: float = 0.0  # largest norm of the gradient; a longer one is shortened; 0: any
    seed: int = 0  # of fresh weights, order, augmentation and dropout
    device: str = "auto"  # cpu, cuda, cuda:1 or mps; auto: a GPU by CUDA if there is one
    amp: Literal["auto", "off", "bf16", "fp16"] = "auto"  # half precision, on a GPU only; auto: what the GPU is good at
    workers: int = 2  # threads that load examples ahead
    processes: int = 0  # that load examples of shards ahead, in place of these threads; 0: none
    checkpoint_s: float = 60.0  # seconds from one checkpoint within an epoch to the next; what a kill can cost

    def __post_init__(self) -> None:
        within("train.epochs", self.epochs, 1)
        within("train.patience", self.patience, 0)
        within("train.lr", self.lr, 0)
        within("train.lr_decay", self.lr_decay, 0, 1)
        within("train.step_decay", self.step_decay, 0)
        lr_steps(self.lr_steps)  # which refuses what says nothing
        within("train.weight_decay", self.weight_decay, 0)
        within("train.momentum", self.momentum, 0, 1)
        within("train.clip", self.clip, 0)
        within("train.seed", self.seed, 0)
        within("train.workers", self.workers, 1)
        within("train.processes", self.processes, 0)
        within("train.checkpoint_s", self.checkpoint_s, 0)

    def lr_at(self, epoch: int, steps: int) -> float:
        """The learning rate of a step of `epoch`, counted from 1, after `steps` steps in all."""
        factor = next((by for since, by in reversed(lr_steps(self.lr_steps)) if since <= epoch), 1.0)
        return self.lr * factor * self.lr_decay ** (epoch - 1) / (1 + self.step_decay * steps)


def lr_steps(said: str) -> list[tuple[int, float]]:
    """The epochs, counted from 1, from which on a learning rate is multiplied by a factor, and the factors, in order.

    Raises:
        UsageError: it is no list of EPOCH:FACTOR with commas between them, or its epochs do not rise.
    """
    try:
        steps = [(int(epoch), float(by)) for epoch, by in (it.split(":") for it in said.split(",") if it.strip())]
    except ValueError:
        raise UsageError(f"train.lr_steps must be such as 6:0.2,11:0.1, got '{said}'") from None
    for (epoch, by), before in zip(steps, [0, *(epoch for epoch, _ in steps)], strict=False):
        within("train.lr_steps: an epoch, after those before it,", epoch, before + 1)
        within("train.lr_steps: a factor", by, 0)
    return steps
