"""Optimisers, devices and precision, by name."""

from collections.abc import Iterable
from typing import Any

import torch

from phonoscope.core.errors import UsageError
from phonoscope.train.params import TrainParams

_CLASSES = {
    "adam": "Adam", "adamw": "AdamW", "sgd": "SGD", "rmsprop": "RMSprop", "adagrad": "Adagrad",
    "adadelta": "Adadelta", "adamax": "Adamax", "nadam": "NAdam",
}  # fmt: skip


def optimiser_of(parameters: Iterable[Any], p: TrainParams) -> torch.optim.Optimizer:
    """The optimiser that the settings name, for parameters or groups of them; a group's own settings stand."""
    more: dict[str, Any] = {"lr": p.lr, "weight_decay": p.weight_decay}
    if p.optimiser in ("sgd", "rmsprop"):
        more["momentum"] = p.momentum
    if p.optimiser == "sgd":
        more["nesterov"] = p.nesterov and p.momentum > 0
    return getattr(torch.optim, _CLASSES[p.optimiser])(parameters, **more)


def device_of(name: str) -> torch.device:
    """The device to train on.

    Raises:
        UsageError: there is none of that name here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f"no device '{name}' here ({str(error).splitlines()[0]}): --device cpu will do") from None
    return device


def precision_of(name: str, device: torch.device) -> torch.dtype | None:
    """The type that the network computes in where half the precision will do; None: single precision throughout."""
    if device.type != "cuda" or name == "off":
        return None
    if name == "auto":
        name = "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    return torch.bfloat16 if name == "bf16" else torch.float16
