"""Beginning with weights that are there, whatever the network."""

import torch
from torch import nn

from phonoscope.core.errors import UsageError
from phonoscope.models.state_dicts import StateDict, strict


def begin_with(made: nn.Module, state: StateDict, model: str, *, partial: bool = False) -> list[str]:
    """Put weights into a network; the names of those that keep their fresh values, none unless `partial`.

    Raises:
        UsageError: the weights are of another network; with `partial`, none of them fits.
    """
    wanted = {name: tuple(it.shape) for name, it in made.state_dict().items()}
    if not partial:
        strict(state.tensors, wanted, model)
    fits = {name: it for name, it in state.tensors.items() if wanted.get(name) == it.shape}
    if not fits:
        raise UsageError(f"none of the {len(state.tensors)} weights fits '{model}'")
    made.load_state_dict({name: torch.from_numpy(it.copy()) for name, it in fits.items()}, strict=False)
    return [name for name in wanted if name not in fits]
