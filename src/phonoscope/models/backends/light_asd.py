"""Light-ASD: the small network before LR-ASD, run without PyTorch."""

from dataclasses import replace

import numpy as np

from phonoscope.models.cards import Card
from phonoscope.models.face_encoders import Block, Encoder, along_time, encoder, greatest, halved, per_deviation, pixels
from phonoscope.models.graphs import Graph, Tensors, folded
from phonoscope.models.sessions import onnx_network
from phonoscope.models.speaking import INPUT, SCENES, Calibration, SpeakingModel
from phonoscope.models.state_dicts import gru_entries, linear_entries, norm_entries
from phonoscope.models.windows import Hear, Judge

EPS = 1e-3  # of every batch norm
WIDTHS = ((1, 32), (32, 64), (64, 128))  # of each block: what it is given, what it makes
PATHS = ((3, 1), (5, 2))  # of each block, side by side: over how many pixels and frames, and how far that reaches
BLOCKS = tuple(Block(f"block{n + 1}", WIDTHS[n][1], 56 >> n, reach=2, first_reach=2) for n in range(3))
REACH = 6  # frames on either side that an embedding depends on: two of each block; of sound it is five

_AT = "https://raw.githubusercontent.com/Junhua-Liao/Light-ASD/ed38c23/weight"
TALKSET = Card(
    name="light-asd",
    version="talkset-ed38c23",
    sources=(f"{_AT}/finetuning_TalkSet.model",),
    sha256="efc375833887eefa9d209dc92810e18519b04c3c73ea35a549f2a7f40b7d94d5",
    licence="MIT",
    cite='Liao, Duan, Feng, Zhao, Yang, Chen: "A Light Weight Model for Active Speaker Detection", CVPR 2023',
    input=INPUT,
    rate="one score a video frame",
    notes="trained on AVA-ActiveSpeaker, then on TalkSet (VoxCeleb2 and LRS3); its authors report F1 .955 on Columbia, "
    f"and advise it for film in the wild. {SCENES}: AP .32, F1 .40 at 0 and .42 at best (6.8); beside listeners AP .96",
    size=4175289,
)
AVA = replace(
    TALKSET,
    version="ava-ed38c23",
    sources=(f"{_AT}/pretrain_AVA_CVPR.model",),
    sha256="d44bc3ea7baa8e0946fa3921311714a630ed8b90a1928fab0dbe30d918909317",
    notes="trained on AVA-ActiveSpeaker; its authors report mAP .9406 on its validation part, F1 .811 on Columbia. "
    f"{SCENES}: AP .44, F1 .55 at 0 and .56 at best (0.5); beside listeners AP .97",
)


def see(tensors: Tensors, threads: int = 1) -> Encoder:
    """What the network makes of faces (T, 112, 112): (T, 128)."""
    graph, blocks = Graph(), []
    value = pixels(graph)
    for block in BLOCKS:
        name = f"model.visualEncoder.{block.name}"
        paths = []
        for taps, reach in PATHS:
            weight, bias = folded(tensors, f"{name}.s_{taps}", f"{name}.bn_s_{taps}", EPS)
            stem = weight.shape[1] == 1
            weight = per_deviation(weight) if stem else weight
            path = graph.convolve(value, weight[:, :, 0], bias, stride=(2, 2) if stem else (1, 1))
            blocks.append(replace(block, name=f"{block.name}_{taps}"))
            path = along_time(graph, path, blocks[-1], unused=block.reach - reach)
            weight, bias = folded(tensors, f"{name}.t_{taps}", f"{name}.bn_t_{taps}", EPS)
            paths.append(graph.convolve(path, weight[..., 0], bias, reach=(0, 0)))
        weight, bias = folded(tensors, f"{name}.last", f"{name}.bn_last", EPS)
        value = graph.convolve(graph.add("Add", *paths), weight[..., 0], bias)
        value = greatest(graph, value, block) if block is BLOCKS[-1] else halved(graph, value, block)
    graph.output("seen", ["T'", 128], value)
    return encoder(graph, blocks, threads)


def hear(tensors: Tensors, threads: int = 1) -> Hear:
    """What the network makes of MFCC (B, 4T, 13): (B, T, 128)."""
    graph = Graph()
    value = graph.add("Unsqueeze", graph.input("mfcc", ["B", "4T", 13]), graph.constant([1]))  # (B, 1, 4T, 13)
    for block in BLOCKS:
        name = f"model.audioEncoder.{block.name}"
        paths = []
        for taps, _ in PATHS:
            path = value
            for layer in (f"m_{taps}", f"t_{taps}"):
                weight, bias = folded(tensors, f"{name}.{layer}", f"{name}.bn_{layer}", EPS)
                path = graph.convolve(path, weight.transpose(0, 1, 3, 2), bias)  # theirs has time last
            paths.append(path)
        value = graph.convolve(graph.add("Add", *paths), *folded(tensors, f"{name}.last", f"{name}.bn_last", EPS))
        if block is not BLOCKS[-1]:
            value = graph.add("MaxPool", value, kernel_shape=[3, 1], strides=[2, 1], pads=[1, 0, 1, 0])
    mean = graph.add("ReduceMean", value, axes=[3], keepdims=0)
    graph.output("heard", ["B", "T", 128], graph.transpose(mean, 0, 2, 1))
    network = onnx_network(graph.bytes(), threads)
    return lambda mfcc: network({"mfcc": np.ascontiguousarray(mfcc, np.float32)})["heard"]


def judge(tensors: Tensors, threads: int = 1) -> Judge:
    """What the network concludes from both, (B, T, 128) each: (B, T, 2)."""
    graph = Graph()
    seen, heard = (graph.input(name, ["B", "T", 128]) for name in ("seen", "heard"))
    value = graph.transpose(graph.add("Add", heard, seen), 1, 0, 2)
    value = _gelu(graph, graph.gru(value, tensors, "model.GRU.gru_forward"))
    value = _gelu(graph, graph.gru(value, tensors, "model.GRU.gru_backward", backwards=True))
    value = graph.linear(graph.transpose(value, 1, 0, 2), tensors["lossAV.FC.weight"], tensors["lossAV.FC.bias"])
    graph.output("logits", ["B", "T", 2], value)
    network = onnx_network(graph.bytes(), threads)
    return lambda seen, heard: network({"seen": seen, "heard": heard})["logits"]


def _gelu(graph: Graph, value: str) -> str:
    half, one = graph.constant(0.5), graph.constant(1.0)
    error = graph.add("Erf", graph.add("Mul", value, graph.constant(0.5**0.5)))
    return graph.add("Mul", graph.add("Mul", value, half), graph.add("Add", error, one))


def entries() -> dict[str, tuple[int, ...]]:
    """Name and shape of each of the network's weights, in the order of their files."""
    wanted: dict[str, tuple[int, ...]] = {}
    for name, axis in (("model.visualEncoder", "s"), ("model.audioEncoder", "m")):
        for block, (given, made) in zip(BLOCKS, WIDTHS, strict=True):
            layers: list[tuple[str, int, tuple[int, ...]]] = []
            for taps, _ in PATHS:
                layers.append((f"{axis}_{taps}", given, (1, taps, taps) if axis == "s" else (taps, 1)))
                layers.append((f"t_{taps}", made, (taps, 1, 1) if axis == "s" else (1, taps)))
            layers.append(("last", made, (1, 1, 1) if axis == "s" else (1, 1)))
            for layer, wide, over in layers:
                wanted[f"{name}.{block.name}.{layer}.weight"] = (made, wide, *over)
                wanted |= norm_entries(f"{name}.{block.name}.bn_{layer}", made)
    for direction in ("forward", "backward"):
        wanted |= gru_entries(f"model.GRU.gru_{direction}", 128, 128)
    return wanted | linear_entries("lossAV.FC", 128, 2) | linear_entries("lossV.FC", 128, 2)


LIGHT_ASD = SpeakingModel(
    card=TALKSET,
    entries=entries,
    see=see,
    hear=hear,
    judge=judge,
    reach=REACH,
    cards={"talkset": TALKSET, "ava": AVA},
    calibrations={"talkset": Calibration(0.15, -2.38), "ava": Calibration(0.41, -1.39)},
)
