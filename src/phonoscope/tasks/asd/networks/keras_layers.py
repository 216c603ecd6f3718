"""Weights of seed 001 as Keras has them, by the names of its layers, and as `AvaAsd` has them.

| Keras's layer | in `AvaAsd` | kernel there | here |
|---|---|---|---|
| `s_av_a_conv1` … `conv6`, in `s_a` mode `s_a_conv1` … | `audio.conv1` … | (h, w, in, out) | (out, in, h, w) |
| `s_av_v_conv1` … `conv6`, in `s_v` mode `s_v_conv1` … | `video.conv1` … | (t, h, w, in, out) | (out, in, t, h, w) |
| `s_av_a_fc7`, `s_a_fc7` | `audio.fc7` | (in, out) | (out, in) |
| `s_av_v_fc7`, `s_v_fc7` | `video.fc7` | (in, out) | (out, in) |
| `s_av_fc1` | `fc1` | (in, out) | (out, in) |
| `a_out`, `v_out`, `main_out` | the same | (in, out) | (out, in) |

Biases are the same. Features are flattened with channels running fastest in both, so that dense kernels are only
turned. In an hdf5 file of Keras, the layer NAME has its arrays at `/NAME/NAME/kernel:0` and `/NAME/NAME/bias:0`, after
`save` under `/model_weights`; read them with h5py, which phonoscope does not need:

    with h5py.File(path) as file:
        whole = {name: group[name] for name, group in file.items() if group}
        layers = {name: (layer["kernel:0"][()], layer["bias:0"][()]) for name, layer in whole.items()}
    network.load_state_dict({name: torch.from_numpy(array) for name, array in to_state_dict(layers).items()})
"""

import re
from collections.abc import Mapping

import numpy as np

from phonoscope.core.errors import UsageError

_TOWER = re.compile(r"s_(?:av_)?([av])_((?:conv[1-6])|fc7)")
_WITHIN = {"a": "audio", "v": "video"}
_HEADS = {"s_av_fc1": "fc1", "a_out": "a_out", "v_out": "v_out", "main_out": "main_out"}

Layers = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""Kernel and bias by the name of Keras's layer."""


def to_state_dict(layers: Layers) -> dict[str, np.ndarray]:
    """What `AvaAsd.load_state_dict` takes, as arrays, of Keras's layers; it refuses what its mode lacks.

    Raises:
        UsageError: a layer is none of seed 001's.
    """
    state: dict[str, np.ndarray] = {}
    for name, (kernel, bias) in layers.items():
        ours = _ours(name)
        turned = np.moveaxis(kernel, (-1, -2), (0, 1))
        state[f"{ours}.weight"], state[f"{ours}.bias"] = np.ascontiguousarray(turned), np.asarray(bias)
    return state


def to_layers(state: Mapping[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Keras's layers of a state dict of `AvaAsd`: the other way round."""
    towers = {name.partition(".")[0] for name in state} & set(_WITHIN.values())
    layers = {}
    for name in (entry.removesuffix(".weight") for entry in state if entry.endswith(".weight")):
        kernel = np.moveaxis(state[f"{name}.weight"], (0, 1), (-1, -2))
        layers[_theirs(name, alone=len(towers) == 1)] = np.ascontiguousarray(kernel), np.asarray(state[f"{name}.bias"])
    return layers


def _ours(name: str) -> str:
    if name in _HEADS:
        return _HEADS[name]
    if (found := _TOWER.fullmatch(name)) is None:
        raise UsageError(f"'{name}' is no layer of ava_asd; expected such as s_av_a_conv1, s_v_fc7 or main_out")
    return f"{_WITHIN[found[1]]}.{found[2]}"


def _theirs(name: str, alone: bool) -> str:
    tower, _, layer = name.rpartition(".")
    if not tower:
        return next(theirs for theirs, ours in _HEADS.items() if ours == layer)
    return f"s_{tower[0]}_{layer}" if alone else f"s_av_{tower[0]}_{layer}"
