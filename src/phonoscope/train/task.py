"""A task: what is learnt, as a value made of functions; the loop knows nothing else of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Tensor, device, nn


class Batch(Protocol):
    """Examples that a network is shown at once."""

    def to(self, place: "device") -> Any:
        """The same on another device."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """How wrong a network was about a batch."""

    total: "Tensor"  # (), what is made smaller
    parts: Mapping[str, "Tensor"]  # () each, what it is made of, for people to look at
    weight: float  # how much counts in it, such as frames: epochs average losses by it


def _every(network: "nn.Module") -> Iterable[Any]:
    return network.parameters()


def _told(figures: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    return {"figures": figures}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is learnt.

    Each function gives the same for the same arguments; what is left to chance is drawn from the split, the epoch and
    the place of the batch in it. So a run that was killed can go on as if nothing had been.
    """

    build: "Callable[[], nn.Module]"  # the network with the weights that training begins with
    examples: Callable[[str, int], Sequence[Any]]  # (split, epoch) -> batches, each loaded when it is asked for
    forward: "Callable[[nn.Module, Any], Any]"  # (network, batch) -> outputs
    loss: Callable[[Any, Any, int], Loss]  # (outputs, batch, epoch) -> loss; epochs count from 1
    predict: Callable[[Any, Any], Any]  # (outputs, batch) -> predictions, in NumPy
    score: Callable[[Sequence[Any]], dict[str, float]]  # predictions of all batches -> figures
    best: str  # the figure on the validation split by which the best model is chosen; "loss" is always there
    higher: bool = True  # of `best`, whether more is better
    tested: bool = True  # whether there are examples of the split "test"
    parameters: "Callable[[nn.Module], Iterable[Any]]" = _every  # what the optimiser takes: parameters or groups
    about: Callable[[Mapping[str, Mapping[str, float]]], dict[str, Any]] = (
        _told  # figures -> what the weights' file says
    )
