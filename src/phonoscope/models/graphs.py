"""ONNX graphs made from weights: what a network of PyTorch does, run without it.

Batch norm is folded into the convolution before it, so that a block is one convolution and one ReLU.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

OPSET, FORMAT = 17, 9  # ONNX of 2022: every onnxruntime that we allow reads it
NORM_EPS = 1e-5  # PyTorch's own

Tensors = Mapping[str, np.ndarray]
Shape = Sequence[int | str | None]  # a name, or None: any number
Node = tuple[str, list[str], str, dict[str, Any]]  # operator, inputs, output, attributes


class Graph:
    """A graph in the making; values go by names, which `add` gives back."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._constants: list[np.ndarray] = []
        self._inputs: list[tuple[str, type, Shape]] = []
        self._outputs: list[tuple[str, type, Shape]] = []

    def input(self, name: str, shape: Shape, kind: type = np.float32) -> str:
        """A value that is given to the network."""
        self._inputs.append((name, kind, shape))
        return name

    def output(self, name: str, shape: Shape, value: str) -> None:
        """A value, float32, that the network gives back."""
        self._nodes.append(("Identity", [value], name, {}))
        self._outputs.append((name, np.float32, shape))

    def constant(self, values: Any) -> str:
        """Numbers of the network's own; whole numbers become int64, all others float32."""
        array = np.asarray(values)
        self._constants.append(array.astype(np.int64 if np.issubdtype(array.dtype, np.integer) else np.float32))
        return f"c{len(self._constants) - 1}"

    def packed(self, weight: np.ndarray) -> str:
        """A matrix (D', D) as float32 that lies in the file as a byte a number and a scale a row."""
        scale = np.maximum(np.abs(weight).max(1, keepdims=True), 1e-12) / 127
        self._constants.append(np.rint(weight / scale).astype(np.int8))
        return self.add("Mul", self.add("Cast", f"c{len(self._constants) - 1}", to=1), self.constant(scale))

    def add(self, operator: str, *values: str, **attributes: Any) -> str:
        """The first output of an ONNX operator; the others cannot be had."""
        name = f"v{len(self._nodes)}"
        self._nodes.append((operator, list(values), name, attributes))
        return name

    def convolve(
        self, value: str, weight: np.ndarray, bias: np.ndarray | None = None, *, reach: Sequence[int] | None = None,
        stride: Sequence[int] | None = None, groups: int = 1, relu: bool = True,
    ) -> str:  # fmt: skip
        """A convolution of (N, C, …) by a weight (C', C / groups, …), then a ReLU.

        Args:
            reach: zeros on either side of each axis; by default as many as keep its size at stride 1.
        """
        around = [size // 2 for size in weight.shape[2:]] if reach is None else list(reach)
        operands = [value, self.constant(weight), *([] if bias is None else [self.constant(bias)])]
        steps = list(stride or [1] * len(around))
        made = self.add("Conv", *operands, pads=around * 2, strides=steps, group=groups)
        return self.add("Relu", made) if relu else made

    def reshape(self, value: str, *shape: int) -> str:
        """The same numbers in another shape; -1: what is left, 0: as before."""
        return self.add("Reshape", value, self.constant(np.array(shape)))

    def transpose(self, value: str, *axes: int) -> str:
        """The same numbers with their axes in another order."""
        return self.add("Transpose", value, perm=axes)

    def gru(self, value: str, tensors: Tensors, *layers: str, backwards: bool = False) -> str:
        """One or two of PyTorch's GRUs over (T, B, D): (T, B, H), or (T, B, 2H) of one forwards and one backwards.

        Args:
            layers: prefixes of their entries, "…gru." for example; of two, the second runs backwards.
            backwards: the only one does.
        """
        direction = "bidirectional" if len(layers) == 2 else "reverse" if backwards else "forward"
        inner = [stacked(tensors, layers, part) for part in ("weight_ih_l0", "weight_hh_l0")]
        bias = np.concatenate([stacked(tensors, layers, part) for part in ("bias_ih_l0", "bias_hh_l0")], 1)
        operands = [self.constant(array) for array in (*inner, bias)]
        hidden = inner[1].shape[2]
        made = self.add(
            "GRU", value, *operands, direction=direction, hidden_size=hidden, linear_before_reset=1
        )  # (T, directions, B, H)
        return self.reshape(self.transpose(made, 0, 2, 1, 3), 0, 0, len(layers) * hidden)

    def linear(self, value: str, weight: np.ndarray, bias: np.ndarray | None = None) -> str:
        """PyTorch's nn.Linear over the last axis, by a weight (D', D)."""
        made = self.add("MatMul", value, self.constant(weight.T))
        return made if bias is None else self.add("Add", made, self.constant(bias))

    def bytes(self) -> bytes:
        """The graph as a model that onnxruntime loads."""
        from onnx import ValueInfoProto, helper, numpy_helper

        def told(name: str, kind: type, shape: Shape) -> ValueInfoProto:
            return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(kind)), shape)

        nodes = [helper.make_node(operator, given, [made], **how) for operator, given, made, how in self._nodes]
        inputs, outputs = ([told(*end) for end in ends] for ends in (self._inputs, self._outputs))
        constants = [numpy_helper.from_array(array, f"c{number}") for number, array in enumerate(self._constants)]
        graph = helper.make_graph(nodes, "phonoscope", inputs, outputs, constants)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=FORMAT)
        return made.SerializeToString()


def normed(tensors: Tensors, norm: str, eps: float = NORM_EPS) -> tuple[np.ndarray, np.ndarray]:
    """Scale and shift, (C,) float64, that a batch norm comes to; `norm` is the prefix of its entries."""
    parts = ("weight", "bias", "running_mean", "running_var")
    weight, bias, mean, variance = (tensors[f"{norm}.{part}"].astype(np.float64) for part in parts)
    scale = weight / np.sqrt(variance + eps)
    return scale, bias - mean * scale


def folded(tensors: Tensors, convolution: str, norm: str, eps: float = NORM_EPS) -> tuple[np.ndarray, np.ndarray]:
    """Weight and bias, float32, of a convolution that does the work of the batch norm after it, too.

    Args:
        convolution: prefix of its entries; it may have a bias of its own.
    """
    weight = tensors[f"{convolution}.weight"].astype(np.float64)
    scale, shift = normed(tensors, norm, eps)
    shift = shift + scale * tensors.get(f"{convolution}.bias", np.zeros(1))
    return (weight * scale.reshape(-1, *[1] * (weight.ndim - 1))).astype(np.float32), shift.astype(np.float32)


def stacked(tensors: Tensors, layers: Sequence[str], part: str) -> np.ndarray:
    """One part of GRUs, (layers, 3H, …), with its gates in the order of ONNX."""
    return np.stack([in_onnx_order(tensors[f"{layer}.{part}"]) for layer in layers])


def in_onnx_order(part: np.ndarray) -> np.ndarray:
    """A GRU's rows (3H, …): PyTorch has reset, update, new; ONNX update, reset, new."""
    reset, update, new = np.split(part, 3)
    return np.concatenate([update, reset, new])
