"""The networks by name, in PyTorch; what each is given, and what it makes."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from phonoscope.core.errors import UsageError
from phonoscope.models.extras import need

if TYPE_CHECKING:
    from torch import nn

Makes = Literal["voices", "masks"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A network that one can train."""

    place: str  # "module:Class"
    makes: Makes  # voices (B, P, N) of sound (B, N), or compressed masks (B, T, 257, 2, P) of spectra (B, T, 257, 2)
    sees: str  # what its constructor calls the width of a row of a face; "": it looks at no faces


NETWORKS: Mapping[str, Entry] = {
    "compact": Entry("phonoscope.tasks.separation.networks.compact:Compact", "voices", "lips"),
    "looking-to-listen": Entry(
        "phonoscope.tasks.separation.networks.looking_to_listen:LookingToListen", "masks", "faces"
    ),
    "audio-only": Entry("phonoscope.tasks.separation.networks.looking_to_listen:AudioOnly", "masks", ""),
}


def entry(name: str) -> Entry:
    """What is known of a network.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in NETWORKS:
        raise UsageError(f"no network '{name}' to train; there are {', '.join(NETWORKS)}")
    return NETWORKS[name]


def network(name: str, **shape: Any) -> "nn.Module":
    """A network with fresh weights; its module is imported only now.

    Args:
        shape: what its constructor takes, such as `speakers` and `gates` of "audio-only".

    Raises:
        UsageError: there is no such network, it has no such shape, or torch is not installed.
    """
    module, _, kind = entry(name).place.partition(":")
    need(f"the network '{name}'", "torch", extra="train")
    made = getattr(import_module(module), kind)
    known = inspect.signature(made).parameters
    if surplus := [each for each in shape if each not in known]:
        raise UsageError(f"'{name}' has no {surplus[0]}; it takes {', '.join(known) or 'nothing'}")
    return made(**shape)
