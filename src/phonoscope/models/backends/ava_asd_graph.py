"""Seed 001's networks as ONNX graphs, so that they run without torch."""

from collections.abc import Mapping

import numpy as np

from phonoscope.models.graphs import Graph
from phonoscope.models.state_dicts import strict

FACES, SIDE = 5, 100  # a window's pictures, and px of both their sides
COEFFICIENTS, ROWS = 13, 20  # MFCC of a window
HEARD = {
    "conv1": (64, 1, 3, 3), "conv2": (192, 64, 3, 3), "conv3": (384, 192, 3, 3), "conv4": (256, 384, 3, 3),
    "conv5": (256, 256, 3, 3), "conv6": (512, 256, 5, 4),
}  # fmt: skip
SEEN = {
    "conv1": (96, 1, 5, 7, 7), "conv2": (256, 96, 1, 5, 5), "conv3": (256, 256, 1, 3, 3),
    "conv4": (256, 256, 1, 3, 3), "conv5": (256, 256, 1, 3, 3), "conv6": (512, 256, 1, 6, 6),
}  # fmt: skip
POOLED = {"audio": ("conv2", "conv5"), "video": ("conv1", "conv2", "conv5")}  # a pool by 3 comes after these
FEATURES = {"audio": 3072, "video": 40960}  # of each tower, flattened

Tensors = Mapping[str, np.ndarray]


def ava_asd_graph(tensors: Tensors) -> bytes:
    """A graph from "faces" (N, 5, 100, 100), 0 to 255, and "mfcc" (N, 13, 20) to "logits" (N, 2), of any mode.

    A network of colours is shown grey.

    Raises:
        UsageError: these are no such weights.
    """
    mode = mode_of(tensors)
    strict(tensors, shapes(mode, colours(tensors)), f"ava-asd in mode {mode}")
    graph = Graph()
    inputs = {
        "audio": graph.input("mfcc", ["N", COEFFICIENTS, ROWS]),
        "video": graph.input("faces", ["N", FACES, SIDE, SIDE]),
    }
    towers = [
        (_heard if tower == "audio" else _seen)(graph, value, tensors)
        for tower, value in inputs.items()
        if f"{tower}.conv1.weight" in tensors
    ]
    value = towers[0] if len(towers) == 1 else graph.add("Concat", *towers, axis=1)
    if mode == "s_av":
        value = _dense(graph, value, tensors, "fc1")
    graph.output("logits", ["N", 2], graph.linear(value, tensors["main_out.weight"], tensors["main_out.bias"]))
    return graph.bytes()


def mode_of(tensors: Tensors) -> str:
    """The mode of a network by the names of its parameters: "s_av", "s_av_fc", "s_a" or "s_v".

    Raises:
        UsageError: it has no tower at all.
    """
    hears, sees = (f"{tower}.conv1.weight" in tensors for tower in ("audio", "video"))
    if not (hears or sees):
        strict(tensors, shapes("s_av", 1), "ava-asd")
    return ("s_av" if "fc1.weight" in tensors else "s_av_fc") if hears and sees else "s_a" if hears else "s_v"


def colours(tensors: Tensors) -> int:
    """Channels of the pixels that a network has learnt from: 3, else 1."""
    first = tensors.get("video.conv1.weight")
    return 3 if first is not None and first.ndim == 5 and first.shape[1] == 3 else 1


def shapes(mode: str, channels: int) -> dict[str, tuple[int, ...]]:
    """The shape of every parameter, by its name."""
    towers = {"s_a": ["audio"], "s_v": ["video"]}.get(mode, ["audio", "video"])
    made: dict[str, tuple[int, ...]] = {}

    def layer(name: str, *weight: int) -> None:
        made[f"{name}.weight"], made[f"{name}.bias"] = weight, weight[:1]

    for tower in towers:
        for name, shape in (HEARD if tower == "audio" else SEEN).items():
            layer(f"{tower}.{name}", *shape)
        if mode != "s_av_fc":
            layer(f"{tower}.fc7", 256, FEATURES[tower])
        if len(towers) == 2:
            layer(f"{tower[0]}_out", 2, FEATURES[tower] if mode == "s_av_fc" else 256)
    if "video" in towers:
        made["video.conv1.weight"] = (96, channels, 5, 7, 7)
    if mode == "s_av":
        layer("fc1", 512, 512)
    layer("main_out", 2, sum(FEATURES.values()) if mode == "s_av_fc" else 256 * len(towers))
    return made


def _heard(graph: Graph, mfcc: str, tensors: Tensors) -> str:
    value = graph.reshape(mfcc, -1, 1, COEFFICIENTS, ROWS)
    for name in HEARD:
        value = _convolved(graph, value, tensors[f"audio.{name}.weight"], tensors[f"audio.{name}.bias"])
        value = _pooled(graph, value) if name in POOLED["audio"] else value
    flat = graph.reshape(graph.transpose(value, 0, 2, 3, 1), -1, FEATURES["audio"])
    return _dense(graph, flat, tensors, "audio.fc7")


def _seen(graph: Graph, faces: str, tensors: Tensors) -> str:
    """The tower that sees: once the first convolution has looked over time, pictures go one by one."""
    weight = tensors["video.conv1.weight"].sum(1, keepdims=True) / np.float32(255)  # grey is the same in all colours
    value = graph.reshape(faces, -1, 1, FACES, SIDE, SIDE)
    value = _convolved(graph, value, weight, tensors["video.conv1.bias"])
    value = graph.reshape(graph.transpose(value, 0, 2, 1, 3, 4), -1, len(weight), SIDE, SIDE)
    for name in SEEN:
        if name != "conv1":
            weight, bias = tensors[f"video.{name}.weight"][:, :, 0], tensors[f"video.{name}.bias"]
            value = _convolved(graph, value, weight, bias)
        value = _pooled(graph, value) if name in POOLED["video"] else value
    flat = graph.reshape(graph.transpose(value, 0, 2, 3, 1), -1, FEATURES["video"])
    return _dense(graph, flat, tensors, "video.fc7")


def _convolved(graph: Graph, value: str, weight: np.ndarray, bias: np.ndarray) -> str:
    """A convolution that keeps sizes, then ReLU; where an even kernel lacks a zero, it is one before, as in Keras."""
    made = graph.add("Conv", value, graph.constant(weight), graph.constant(bias), auto_pad="SAME_UPPER")
    return graph.add("Relu", made)


def _pooled(graph: Graph, value: str) -> str:
    return graph.add("MaxPool", value, kernel_shape=[3, 3], strides=[3, 3], auto_pad="SAME_UPPER")


def _dense(graph: Graph, value: str, tensors: Tensors, name: str) -> str:
    """A dense layer and ReLU, or nothing where the network has no such layer."""
    if f"{name}.weight" not in tensors:
        return value
    return graph.add("Relu", graph.linear(value, tensors[f"{name}.weight"], tensors[f"{name}.bias"]))
