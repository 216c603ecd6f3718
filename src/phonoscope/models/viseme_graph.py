"""The viseme network as an ONNX graph that listens on where it has stopped, its weights in a byte each."""

from pathlib import Path

import numpy as np

from phonoscope.core.visemes import VISEMES
from phonoscope.models.graphs import Graph, Tensors, in_onnx_order
from phonoscope.models.state_dicts import linear_entries
from phonoscope.models.viseme_rows import BANKS, LEAD, ROW, SAMPLE_RATE, WINDOW

FILE = Path(__file__).parent / "backends" / "viseme_gru.onnx"
STEP = 2  # rows that the GRUs take at a time
KERNEL = 7  # rows that the convolution sees,
BEFORE = 2  # this many of them before those of its step
DELAY = 3  # steps by which the GRUs are ahead of what they tell
AHEAD = STEP * DELAY + KERNEL - BEFORE - 1  # rows after one that it may depend on
LOOK_AHEAD_S = (AHEAD * ROW - LEAD + WINDOW - ROW // 2) / SAMPLE_RATE  # after a row's centre
LAYERS = ("first", "second")
HIDDEN = 192  # numbers that each of them remembers, of the network that comes along


def width_of(tensors: Tensors) -> int:
    """How many numbers each GRU remembers; that of the network that comes along if the weights do not tell."""
    bias = tensors.get("convolution.bias", np.zeros(HIDDEN))
    return bias.size


def entries(hidden: int = HIDDEN) -> dict[str, tuple[int, ...]]:
    """Name and shape of each of the network's weights."""
    made: dict[str, tuple[int, ...]] = {"convolution.weight": (hidden, BANKS, KERNEL), "convolution.bias": (hidden,)}
    for layer in LAYERS:
        made |= {f"{layer}.weight_{part}_l0": (3 * hidden, hidden) for part in ("ih", "hh")}
        made |= {f"{layer}.bias_{part}_l0": (3 * hidden,) for part in ("ih", "hh")}
    return made | linear_entries("told", hidden, STEP * len(VISEMES))


def graph_of(tensors: Tensors) -> bytes:
    """The network: rows (2n + 5, 80) and the state (2, 1, H) of its GRUs in; told (2n, 15) and the next state out."""
    graph, hidden = Graph(), width_of(tensors)
    rows, state = graph.input("rows", ["2n + 5", BANKS]), graph.input("state", [len(LAYERS), 1, hidden])
    value = graph.add("Unsqueeze", graph.transpose(rows, 1, 0), graph.constant([0]))
    kernel = graph.reshape(_packed(graph, tensors["convolution.weight"]), hidden, BANKS, KERNEL)
    value = graph.add("Conv", value, kernel, graph.constant(tensors["convolution.bias"]), strides=[STEP])
    value = graph.transpose(graph.add("Relu", value), 2, 0, 1)  # (n, 1, H)
    states = []
    for number, layer in enumerate(LAYERS):
        value = _gru(graph, value, graph.add("Gather", state, graph.constant([number]), axis=0), layer, tensors)
        states.append(graph.add("Gather", value, graph.constant([-1]), axis=0))
    graph.output("next", [len(LAYERS), 1, hidden], graph.add("Concat", *states, axis=0))
    value = graph.add("MatMul", value, graph.transpose(_packed(graph, tensors["told.weight"]), 1, 0))
    value = graph.reshape(graph.add("Add", value, graph.constant(tensors["told.bias"])), -1, len(VISEMES))
    graph.output("told", ["2n", len(VISEMES)], graph.add("Softmax", value, axis=1))
    return graph.bytes()


def _gru(graph: Graph, value: str, state: str, layer: str, tensors: Tensors) -> str:
    """A GRU over (n, 1, H) that goes on from a state (1, 1, H): (n, 1, H)."""
    ih, hh = (in_onnx_order(tensors[f"{layer}.weight_{part}_l0"]) for part in ("ih", "hh"))
    hidden = hh.shape[1]
    matrices = [graph.reshape(_packed(graph, weight), 1, 3 * hidden, hidden) for weight in (ih, hh)]
    bias = np.concatenate([in_onnx_order(tensors[f"{layer}.bias_{part}_l0"]) for part in ("ih", "hh")])[None]
    operands = [value, *matrices, graph.constant(bias), "", state]
    return graph.reshape(graph.add("GRU", *operands, hidden_size=hidden, linear_before_reset=1), -1, 1, hidden)


def _packed(graph: Graph, weight: np.ndarray) -> str:
    return graph.packed(weight.reshape(len(weight), -1))
