"""TalkNet as ONNX graphs: what it makes of faces, and what it concludes from them and from sound."""

import numpy as np

from phonoscope.models.face_encoders import EVER, SIDE, Block, Encoder, along_time, encoder, per_deviation, pixels
from phonoscope.models.graphs import NORM_EPS, Graph, Tensors, folded, normed
from phonoscope.models.sessions import onnx_network
from phonoscope.models.windows import Judge

EPS = 1e-3  # of the batch norms that see pictures; all others have PyTorch's own
REACH = 2  # frames on either side that an embedding of a face depends on
FRONTEND = Block("frontend", 1, SIDE, REACH, REACH)
SEEN = ((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2))  # of each layer: channels given, made, and stride
HEARD = ((16, 16, 1, 3), (16, 32, 2, 4), (32, 64, 2, 6), (64, 128, 1, 3))  # the same, and blocks
TEMPORAL = 5  # blocks of convolutions over time
HEADS = 8
STEM, RESNET = "model.visualFrontend.frontend3D", "model.visualFrontend.resnet"
COEFFICIENTS, ROWS = 13, 4  # of MFCC: of a row, and rows a frame


def see(tensors: Tensors, threads: int = 1) -> Encoder:
    """What the network makes of faces (T, 112, 112) before it looks along time: (T, 512)."""
    graph = Graph()
    joined = graph.reshape(along_time(graph, pixels(graph), FRONTEND), -1, 1, SIDE, SIDE)
    axis, begins = graph.constant([0]), [graph.constant([first]) for first in range(2 * REACH + 1)]
    ends = [graph.constant([last]) for last in (*range(-2 * REACH, 0), EVER)]
    shifted = [graph.add("Slice", joined, *edges, axis) for edges in zip(begins, ends, strict=True)]
    five = graph.add("Concat", *shifted, axis=1)  # what is around each frame, as if its channels: one flat convolution
    weight, bias = folded(tensors, f"{STEM}.0", f"{STEM}.1", EPS)
    value = graph.convolve(five, per_deviation(weight)[:, 0], bias, stride=(2, 2))
    value = graph.add("MaxPool", value, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for number, (_, _, stride) in enumerate(SEEN, 1):
        value = _pictures(graph, value, tensors, f"{RESNET}.layer{number}", stride)
    graph.output("seen", ["T'", 512], graph.add("ReduceMean", value, axes=[2, 3], keepdims=0))
    return encoder(graph, [FRONTEND], threads)


def judge(tensors: Tensors, threads: int = 1) -> Judge:
    """What the network concludes from windows of embeddings (B, T, 512) and of MFCC (B, T, 52): (B, T, 2).

    The encoder of sound is in here: it weighs its channels by what it hears of the whole window.
    """
    graph = Graph()
    seen, rows = graph.input("seen", ["B", "T", 512]), graph.input("rows", ["B", "T", ROWS * COEFFICIENTS])
    heard, seen = _heard(graph, rows, tensors), _followed(graph, seen, tensors)
    both = (
        _attended(graph, heard, seen, tensors, "model.crossA2V"),
        _attended(graph, seen, heard, tensors, "model.crossV2A"),
    )
    together = graph.add("Concat", *both, axis=2)
    together = _attended(graph, together, together, tensors, "model.selfAV")
    graph.output("logits", ["B", "T", 2], _linear(graph, together, tensors, "lossAV.FC"))
    network = onnx_network(graph.bytes(), threads)
    return lambda seen, rows: network({"seen": seen, "rows": rows})["logits"]


def _normed(graph: Graph, value: str, tensors: Tensors, norm: str, axes: int, eps: float = NORM_EPS) -> str:
    """A batch norm by itself, where no convolution is before it to take it up; `axes` follow the channels."""
    scale, shift = (graph.constant(part.reshape(-1, *[1] * axes)) for part in normed(tensors, norm, eps))
    return graph.add("Add", graph.add("Mul", value, scale), shift)


def _pictures(graph: Graph, value: str, tensors: Tensors, name: str, stride: int) -> str:
    """A layer of the network that sees, (T, C, H, W): two pairs of convolutions around which the sums go on."""
    shortcut = value
    if stride > 1:  # else the file holds a shortcut's weight that nobody uses
        weight = tensors[f"{name}.downsample.weight"]
        shortcut = graph.convolve(value, weight, stride=(stride, stride), relu=False)
    for pair, steps in (("a", stride), ("b", 1)):
        weight, bias = folded(tensors, f"{name}.conv1{pair}", f"{name}.bn1{pair}", EPS)
        value = graph.convolve(value, weight, bias, stride=(steps, steps))
        value = graph.convolve(value, tensors[f"{name}.conv2{pair}.weight"], relu=False)
        shortcut = graph.add("Add", value, shortcut)
        value = graph.add("Relu", _normed(graph, shortcut, tensors, f"{name}.outbn{pair}", 2, EPS))
    return value


def _followed(graph: Graph, seen: str, tensors: Tensors) -> str:
    """Embeddings of faces (B, T, 128) that know of their neighbours and of the window, of (B, T, 512)."""
    value = graph.transpose(seen, 0, 2, 1)
    for number in range(TEMPORAL):
        name = f"model.visualTCN.net.{number}.net"
        inner = _normed(graph, graph.add("Relu", value), tensors, f"{name}.1", 1)
        inner = graph.convolve(inner, tensors[f"{name}.2.weight"], groups=512, relu=False)
        inner = graph.add("PRelu", inner, graph.constant(tensors[f"{name}.3.weight"]))
        inner = _levelled(graph, inner, tensors[f"{name}.4.gamma"], tensors[f"{name}.4.beta"])
        inner = graph.convolve(inner, tensors[f"{name}.5.weight"], relu=False)
        value = graph.add("Add", value, inner)
    value = graph.convolve(value, *folded(tensors, "model.visualConv1D.net.0", "model.visualConv1D.net.1"))
    last = "model.visualConv1D.net.3"
    value = graph.convolve(value, tensors[f"{last}.weight"], tensors[f"{last}.bias"], relu=False)
    return graph.transpose(value, 0, 2, 1)


def _levelled(graph: Graph, value: str, gamma: np.ndarray, beta: np.ndarray) -> str:
    """Each window of (B, C, T) less its mean and over its deviation, both over all of it."""
    less = graph.add("Sub", value, graph.add("ReduceMean", value, axes=[1, 2]))
    variance = graph.add("ReduceMean", graph.add("Mul", less, less), axes=[1, 2])
    deviation = graph.add("Sqrt", graph.add("Add", variance, graph.constant(np.float32(1e-8))))
    scaled = graph.add("Mul", graph.add("Div", less, deviation), graph.constant(gamma))
    return graph.add("Add", scaled, graph.constant(beta))


def _heard(graph: Graph, rows: str, tensors: Tensors) -> str:
    """Embeddings of sound (B, T, 128) of MFCC (B, T, 52): pictures of it, time downwards."""
    name = "model.audioEncoder"
    value = graph.reshape(graph.reshape(rows, 0, -1, COEFFICIENTS), 0, 1, -1, COEFFICIENTS)
    weight, bias = folded(tensors, f"{name}.conv1", f"{name}.bn1")
    value = graph.convolve(value, _turned(weight), bias, stride=(1, 2))
    for layer, (_, _, stride, blocks) in enumerate(HEARD, 1):
        for block in range(blocks):
            value = _excited(graph, value, tensors, f"{name}.layer{layer}.{block}", 1 if block else stride)
    return graph.transpose(graph.add("ReduceMean", value, axes=[3], keepdims=0), 0, 2, 1)


def _excited(graph: Graph, value: str, tensors: Tensors, name: str, stride: int) -> str:
    """A residual block of (B, C, T, coefficients) that weighs its channels by their means over the window."""
    shortcut, steps = value, (stride, stride)
    if f"{name}.downsample.0.weight" in tensors:
        weight, bias = folded(tensors, f"{name}.downsample.0", f"{name}.downsample.1")
        shortcut = graph.convolve(value, weight, bias, stride=steps, relu=False)
    value = graph.convolve(value, _turned(tensors[f"{name}.conv1.weight"]), stride=steps)
    value = _normed(graph, value, tensors, f"{name}.bn1", 2)  # here the norm comes after ReLU
    weight, bias = folded(tensors, f"{name}.conv2", f"{name}.bn2")
    value = graph.convolve(value, _turned(weight), bias, relu=False)
    matters = graph.add("ReduceMean", value, axes=[2, 3], keepdims=0)
    matters = graph.add("Relu", _linear(graph, matters, tensors, f"{name}.se.fc.0"))
    matters = graph.add("Sigmoid", _linear(graph, matters, tensors, f"{name}.se.fc.2"))
    value = graph.add("Mul", value, graph.reshape(matters, 0, 0, 1, 1))
    return graph.add("Relu", graph.add("Add", value, shortcut))


def _turned(weight: np.ndarray) -> np.ndarray:
    """A weight over coefficients and time for pictures that have time first."""
    return weight.transpose(0, 1, 3, 2)


def _attended(graph: Graph, source: str, target: str, tensors: Tensors, name: str) -> str:
    """What `source` (B, T, D) is, plus what `target` finds in it, then a small network."""
    width = len(tensors[f"{name}.norm1.weight"])
    weights = np.split(tensors[f"{name}.self_attn.in_proj_weight"], 3)
    biases = np.split(tensors[f"{name}.self_attn.in_proj_bias"], 3)
    query, key, value = (
        graph.reshape(graph.linear(given, weight, bias), 0, 0, HEADS, width // HEADS)
        for given, weight, bias in zip((target, source, source), weights, biases, strict=True)
    )
    near = graph.add("MatMul", graph.transpose(query, 0, 2, 1, 3), graph.transpose(key, 0, 2, 3, 1))
    scale = graph.constant(np.float32((width // HEADS) ** -0.5))
    share = graph.add("Softmax", graph.add("Mul", near, scale), axis=-1)
    found = graph.add("MatMul", share, graph.transpose(value, 0, 2, 1, 3))
    found = graph.reshape(graph.transpose(found, 0, 2, 1, 3), 0, 0, width)
    found = _linear(graph, found, tensors, f"{name}.self_attn.out_proj")
    value = _layer_norm(graph, graph.add("Add", source, found), tensors, f"{name}.norm1")
    inner = graph.add("Relu", _linear(graph, value, tensors, f"{name}.linear1"))
    inner = _linear(graph, inner, tensors, f"{name}.linear2")
    return _layer_norm(graph, graph.add("Add", value, inner), tensors, f"{name}.norm2")


def _linear(graph: Graph, value: str, tensors: Tensors, name: str) -> str:
    return graph.linear(value, tensors[f"{name}.weight"], tensors[f"{name}.bias"])


def _layer_norm(graph: Graph, value: str, tensors: Tensors, name: str) -> str:
    scale, shift = (graph.constant(tensors[f"{name}.{part}"]) for part in ("weight", "bias"))
    return graph.add("LayerNormalization", value, scale, shift, axis=-1, epsilon=1e-5)
