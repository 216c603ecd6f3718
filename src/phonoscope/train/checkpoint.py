"""Checkpoints: all that a run needs to go on as if it had never been stopped.

What is left to chance is drawn anew for every step, from the seed, the epoch and the step; so no state of a generator
need be kept. A checkpoint is a file of `torch.save` that holds tensors and plain numbers only, and is read as such.
"""

import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from phonoscope.core.errors import UsageError
from phonoscope.store.files import whole_file

FILE = "checkpoint.pt"


@dataclass(slots=True)
class Place:
    """Where a run stands."""

    epoch: int = 1  # the epoch that goes on, counted from 1
    step: int = 0  # steps of it that are done
    steps: int = 0  # steps in all
    sums: dict[str, float] = field(default_factory=dict)  # of the losses of this epoch's steps, times their weights
    weight: float = 0.0  # of these steps
    best: float | None = None  # the best model's figure
    best_epoch: int = 0  # after which it was reached; 0: there is none yet
    seconds: float = 0.0  # that this epoch has taken so far


def save(folder: Path, place: Place, network: nn.Module, optimiser: torch.optim.Optimizer, scaler: Any) -> None:
    """Replace the run's checkpoint, atomically."""
    state = {
        "place": asdict(place),
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "scaler": scaler.state_dict(),
    }
    with whole_file(folder / FILE) as part:
        torch.save(state, part)


def resume(folder: Path, network: nn.Module, optimiser: torch.optim.Optimizer, scaler: Any) -> Place:
    """Where the run in a folder stands, with its weights and optimiser put back; its beginning if there is none.

    Raises:
        UsageError: the checkpoint is damaged, or of another network or optimiser.
    """
    path = folder / FILE
    if not path.exists():
        return Place()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        scaler.load_state_dict(state["scaler"])
        return Place(**state["place"])
    except (RuntimeError, ValueError, KeyError, TypeError, EOFError, OSError, pickle.UnpicklingError) as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"'{path}' is no checkpoint of this run ({told}): begin anew with another --to") from None
