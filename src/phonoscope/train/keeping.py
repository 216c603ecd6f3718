"""The file of weights that a run leaves: the best model, and what it says of itself."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.numpy import save
from torch import nn

from phonoscope.models.registry import RUN_WEIGHTS
from phonoscope.store.files import whole_file

KEY = "phonoscope"  # in the file's metadata: the JSON object that `models.cards` reads


def keep_weights(folder: Path, network: nn.Module, about: Mapping[str, Any]) -> Path:
    """Write the network's weights under the names of its parameters; the same weights give the same bytes."""
    tensors = {name: tensor.detach().cpu().contiguous().numpy() for name, tensor in network.state_dict().items()}
    with whole_file(folder / RUN_WEIGHTS) as part:
        part.write_bytes(save(tensors, {KEY: json.dumps(about, ensure_ascii=False)}))  # save_file lets nobody else read
    return folder / RUN_WEIGHTS
