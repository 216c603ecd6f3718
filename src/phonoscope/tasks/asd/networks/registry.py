"""The networks by name, in PyTorch."""

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any

from phonoscope.core.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

NETWORKS = {
    "lr-asd": "lr_asd:LrAsd",
    "light-asd": "light_asd:LightAsd",
    "talknet": "talknet:TalkNet",
    "ava-asd": "ava_asd:AvaAsd",
    "tiny": "tiny:Tiny",
}


def network(name: str, **shape: Any) -> "nn.Module":
    """A network with fresh weights; its module is imported only now.

    Args:
        shape: what its constructor takes, such as `mode` and `channels` of "ava-asd"; the published ones take nothing.

    Raises:
        UsageError: there is no such network, it has no such shape, or torch is not installed.
    """
    if name not in NETWORKS:
        raise UsageError(f"no network '{name}'; there are {', '.join(NETWORKS)}")
    module, _, kind = NETWORKS[name].partition(":")
    try:
        made = getattr(import_module(f"phonoscope.tasks.asd.networks.{module}"), kind)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise UsageError(f"the network '{name}' needs torch: pip install 'phonoscope[train]'") from error
    known = inspect.signature(made).parameters
    if surplus := [each for each in shape if each not in known]:
        raise UsageError(f"'{name}' has no {surplus[0]}; it takes {', '.join(known) or 'nothing'}")
    return made(**shape)
