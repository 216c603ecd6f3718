"""Weights of networks by the names of their parameters, read from the files that people have.

Those are the files of `torch.save`, as authors publish them, and `.safetensors`, as phonoscope writes them. Neither
needs torch, and of neither is any code run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.models.cards import about_file
from phonoscope.models.torch_files import NotOurs, is_zip, read_legacy, read_zip, widened

SIGNS: Mapping[str, str] = {  # an entry that only this network has
    "lr-asd": "model.detector.gru_forward.weight_ih_l0",
    "light-asd": "model.GRU.gru_forward.weight_ih_l0",
    "talknet": "model.visualFrontend.frontend3D.0.weight",
    "ava-asd": "main_out.weight",
    "facenet": "repeat_1.0.branch0.conv.weight",
}
TYPES: Mapping[str, str] = {  # of .safetensors
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
PREFIX = "module."  # with which nn.DataParallel names everything


@dataclass(frozen=True, slots=True, eq=False)
class StateDict:
    """A network's weights."""

    tensors: Mapping[str, np.ndarray]  # in the file's order; read-only
    about: Mapping[str, Any]  # what a file of phonoscope says about itself: network, crop policy, threshold, licence …

    @property
    def network(self) -> str | None:
        """The network that it is of, if that is one we know."""
        named = self.about.get("network")
        return named if isinstance(named, str) else recognised(self.tensors)


def read_state_dict(path: Path) -> StateDict:
    """The weights in a file of `torch.save` or in a `.safetensors` file.

    Tensors of bfloat16, which NumPy lacks, become float32; all others keep their type. A wrapping in
    `{"state_dict": …}` and a prefix `module.` on all names are taken off.

    Raises:
        UsageError: it is neither, it is broken, it holds anything but tensors, or what it says of itself is no object.
    """
    try:
        if path.suffix == ".safetensors":
            return _safetensors(path)
        return StateDict(_unprefixed(read_zip(path) if is_zip(path) else read_legacy(path)), {})
    except (NotOurs, OSError) as error:
        found = error.strerror if isinstance(error, OSError) else error
        raise UsageError(
            f"{path} does not read as weights: {found}; expected a file of tensors by torch.save, or .safetensors"
        ) from error


def strict(tensors: Mapping[str, np.ndarray], wanted: Mapping[str, tuple[int, ...]], network: str = "network") -> None:
    """Nothing, if the tensors are exactly those that a network wants.

    Args:
        wanted: the shape of each entry, by its name.
        network: what wants them, for the message.

    Raises:
        UsageError: some are missing, too many or of another shape; it names them, and whose weights these are.
    """
    missing = [name for name in wanted if name not in tensors]
    surplus = [name for name in tensors if name not in wanted]
    askew = [
        f"{name} {tensors[name].shape} instead of {tuple(shape)}"
        for name, shape in wanted.items()
        if name in tensors and tensors[name].shape != tuple(shape)
    ]
    if not (missing or surplus or askew):
        return
    theirs = recognised(tensors)
    other = theirs and theirs != network.partition(" ")[0]  # "ava-asd in mode s_a" is no other network
    found = f"these are the weights of {theirs}: " if other else ""
    wrong = (("missing", missing), ("unexpected", surplus), ("misshapen", askew))
    told = "; ".join(f"{what}: {_some(names)}" for what, names in wrong if names)
    raise UsageError(f"{network} cannot take these weights: {found}{told}")


def norm_entries(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    """Entries of a batch norm, with their shapes."""
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{part}": (channels,) for part in parts} | {f"{name}.num_batches_tracked": ()}


def gru_entries(name: str, width: int, hidden: int) -> dict[str, tuple[int, ...]]:
    """Entries of a gated recurrent unit of one layer, with their shapes."""
    weights = {f"{name}.weight_ih_l0": (3 * hidden, width), f"{name}.weight_hh_l0": (3 * hidden, hidden)}
    return weights | {f"{name}.bias_ih_l0": (3 * hidden,), f"{name}.bias_hh_l0": (3 * hidden,)}


def linear_entries(name: str, width: int, made: int) -> dict[str, tuple[int, ...]]:
    """Entries of a linear layer, with their shapes."""
    return {f"{name}.weight": (made, width), f"{name}.bias": (made,)}


def recognised(tensors: Mapping[str, np.ndarray]) -> str | None:
    """The network whose weights these are, if it is one we know."""
    return next((network for network, sign in SIGNS.items() if sign in tensors), None)


def _safetensors(path: Path) -> StateDict:
    from safetensors import SafetensorError, deserialize

    try:
        tensors = {name: _array(**entry) for name, entry in deserialize(path.read_bytes())}
    except (SafetensorError, ValueError, TypeError) as error:
        raise NotOurs(f"no whole .safetensors file ({error})") from error
    return StateDict(_unprefixed(tensors), about_file(path))


def _array(shape: list[int], dtype: str, data: bytes | bytearray) -> np.ndarray:
    if dtype not in TYPES:
        raise NotOurs(f"numbers of the kind '{dtype}'")
    row = np.frombuffer(bytes(data), TYPES[dtype])
    return (widened(row) if dtype == "BF16" else row).reshape(shape)


def _unprefixed(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    prefixed = all(name.startswith(PREFIX) for name in tensors)
    return {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()} if prefixed else tensors


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
