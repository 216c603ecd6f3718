"""Looking to Listen as an ONNX graph made from its weights; see `tasks.separation.networks.looking_to_listen`."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from phonoscope.models.graphs import Graph, Tensors, folded
from phonoscope.models.state_dicts import linear_entries, norm_entries

BINS, PARTS = 257, 2  # of a row of a spectrum; real and imaginary
LAST = 8  # filters of the last convolution over the spectrum
SEEN = 256  # filters of each over the faces
HEARD_KERNELS = (  # kernel and dilation, each (time, frequency)
    ((1, 7), (1, 1)), ((7, 1), (1, 1)), ((5, 5), (1, 1)), ((5, 5), (2, 1)), ((5, 5), (4, 1)), ((5, 5), (8, 1)),
    ((5, 5), (16, 1)), ((5, 5), (32, 1)), ((5, 5), (1, 1)), ((5, 5), (2, 2)), ((5, 5), (4, 4)), ((5, 5), (8, 8)),
    ((5, 5), (16, 16)), ((5, 5), (32, 32)), ((1, 1), (1, 1)),
)  # fmt: skip
SEEN_KERNELS = ((7, 1), (5, 1), (5, 2), (5, 4), (5, 8), (5, 16))  # kernel and dilation, along time
NORM_EPS = 1e-3  # Keras's own
GATES = {"hard": "HardSigmoid", "sigmoid": "Sigmoid"}  # 0.2 x + 0.5, cut to [0, 1], is ONNX's too


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a network is made of."""

    speakers: int
    faces: int  # numbers of a row of a face
    filters: int
    cells: int
    dense: int


def shape_of(tensors: Mapping[str, np.ndarray]) -> Shape | None:
    """By its weights; None if these are none of a network that sees faces."""
    names = ("complex_mask.bias", "seen.conv1.0.weight", "heard.conv1.0.weight", "lstm.recurrent", "fc1.bias")
    found = [tensors.get(name) for name in names]
    axes = (1, 3, 4, 3, 1)
    if any(it is None or it.ndim != many for it, many in zip(found, axes, strict=True)):
        return None
    mask, face, heard, recurrent, dense = (it for it in found if it is not None)
    return Shape(
        speakers=len(mask) // (BINS * PARTS), faces=face.shape[1], filters=len(heard), cells=recurrent.shape[1],
        dense=len(dense),
    )  # fmt: skip


def entries(of: Shape) -> dict[str, tuple[int, ...]]:
    """Name and shape of each of the network's weights."""
    wanted: dict[str, tuple[int, ...]] = {}
    widths = [PARTS, *[of.filters] * (len(HEARD_KERNELS) - 1), LAST]
    for number, (kernel, _) in enumerate(HEARD_KERNELS, 1):
        wanted |= _convolution(f"heard.conv{number}", widths[number - 1], widths[number], *kernel)
    for number, (kernel, _) in enumerate(SEEN_KERNELS, 1):
        wanted |= _convolution(f"seen.conv{number}", of.faces if number == 1 else SEEN, SEEN, kernel)
    width = LAST * BINS + SEEN * of.speakers
    wanted |= {"lstm.kernel": (2, width, 4 * of.cells), "lstm.recurrent": (2, of.cells, 4 * of.cells)}
    wanted |= {"lstm.bias": (2, 4 * of.cells)} | linear_entries("fc1", of.cells, of.dense)
    wanted |= linear_entries("fc2", of.dense, of.dense) | linear_entries("fc3", of.dense, of.dense)
    return wanted | linear_entries("complex_mask", of.dense, BINS * PARTS * of.speakers)


def _convolution(name: str, width: int, made: int, *kernel: int) -> dict[str, tuple[int, ...]]:
    own = {f"{name}.0.weight": (made, width, *kernel), f"{name}.0.bias": (made,)}
    return own | norm_entries(f"{name}.1", made)


def graph_of(tensors: Tensors, speakers: int, gates: str) -> bytes:
    """A network with the inputs "spectrum" (1, T, 257, 2), "faces" (P, V, D) and "onto" (T, V); "masks" (T, 257, 2, P).

    "onto" says of how much of each row of faces each row of the spectrum is shown: `onto`.
    """
    graph = Graph()
    maps = graph.transpose(graph.input("spectrum", [1, None, BINS, PARTS]), 0, 3, 1, 2)
    for number, (_, dilation) in enumerate(HEARD_KERNELS, 1):
        maps = _convolved(graph, maps, tensors, f"heard.conv{number}", dilation)
    heard = graph.reshape(graph.transpose(maps, 2, 0, 3, 1), -1, 1, BINS * LAST)  # (T, 1, 8 f + c)
    width = tensors["seen.conv1.0.weight"].shape[1]
    rows = graph.transpose(graph.input("faces", [speakers, None, width]), 0, 2, 1)
    for number, (_, dilation) in enumerate(SEEN_KERNELS, 1):
        rows = _convolved(graph, rows, tensors, f"seen.conv{number}", [dilation])
    drawn_out = graph.add("MatMul", graph.input("onto", [None, None]), graph.transpose(rows, 0, 2, 1))  # (P, T, 256)
    seen = graph.reshape(graph.transpose(drawn_out, 1, 0, 2), -1, 1, SEEN * speakers)
    told = _both_ways(graph, graph.add("Concat", heard, seen, axis=2), tensors, gates)
    for name in ("fc1", "fc2", "fc3"):
        told = graph.add("Relu", graph.linear(told, tensors[f"{name}.weight"], tensors[f"{name}.bias"]))
    masks = graph.linear(told, tensors["complex_mask.weight"], tensors["complex_mask.bias"])
    graph.output("masks", [None, BINS, PARTS, speakers], graph.reshape(masks, -1, BINS, PARTS, speakers))
    return graph.bytes()


def onto(rows: int, frames: int) -> np.ndarray:
    """How much of each of `frames` rows each of `rows` is made of, (rows, frames) float32, each summing to 1.

    They lie evenly between the first and the last; lines are drawn between neighbours.
    """
    at = np.arange(rows) * ((frames - 1) / max(rows - 1, 1))
    return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(frames))).astype(np.float32)


def _convolved(graph: Graph, values: str, tensors: Tensors, name: str, dilation: "tuple[int, ...] | list[int]") -> str:
    """A convolution that keeps the size of its axes, its batch norm, and a ReLU."""
    weight, bias = folded(tensors, f"{name}.0", f"{name}.1", NORM_EPS)
    around = [(size - 1) * apart // 2 for size, apart in zip(weight.shape[2:], dilation, strict=True)]
    operands = (values, graph.constant(weight), graph.constant(bias))
    return graph.add("Relu", graph.add("Conv", *operands, pads=around * 2, dilations=list(dilation)))


def _both_ways(graph: Graph, rows: str, tensors: Tensors, gates: str) -> str:
    """Rows (T, cells) of rows (T, 1, width): two LSTMs, one from the front and one from the back, added up."""
    kernel, recurrent, bias = (tensors[f"lstm.{part}"] for part in ("kernel", "recurrent", "bias"))
    operands = [_in_onnx_order(np.moveaxis(it, 1, 2)) for it in (kernel, recurrent)]
    biases = _in_onnx_order(bias[..., None])[..., 0]
    operands.append(np.concatenate([biases, np.zeros_like(biases)], 1))
    made = graph.add(
        "LSTM", rows, *map(graph.constant, operands), direction="bidirectional", hidden_size=recurrent.shape[1],
        activations=[GATES[gates], "Tanh", "Tanh"] * 2,
    )  # (T, 2, 1, cells)  # fmt: skip
    return graph.reshape(graph.add("ReduceSum", made, graph.constant([1, 2]), keepdims=0), -1, recurrent.shape[1])


def _in_onnx_order(part: np.ndarray) -> np.ndarray:
    """Gates (2, 4H, …): Keras has in, forget, cell, out; ONNX in, out, forget, cell."""
    into, forget, new, out = np.split(part, 4, 1)
    return np.concatenate([into, out, forget, new], 1)
