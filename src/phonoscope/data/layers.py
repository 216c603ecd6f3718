"""Layers of a speech network, mixed into one."""

from typing import Any


def mixed(layers: Any, weights: Any) -> Any:
    """The weighted sum of layers (…, layers, D) with weights (layers,), (…, D).

    Arrays of NumPy and tensors of PyTorch will do alike, so weights may be learnt: `mixed(x, w.softmax(0))`.

    Raises:
        ValueError: there are not as many weights as layers.

    Source: Peters et al., "Deep contextualized word representations", NAACL 2018; SUPERB (Yang et al., 2021).
    """
    if layers.shape[-2:-1] != weights.shape:
        raise ValueError(f"{layers.shape[-2:-1]} layers need as many weights, got {tuple(weights.shape)}")
    return (layers * weights[:, None]).sum(-2)
