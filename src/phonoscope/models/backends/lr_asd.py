"""LR-ASD: the most accurate of the small published networks, run without PyTorch."""

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
WIDTHS = ((1, 16, 32), (32, 32, 64), (64, 64, 128))  # of each block: what it is given, its first half, its second
BLOCKS = tuple(Block(f"block{n + 1}", WIDTHS[n][2], 56 >> n, reach=3, first_reach=2) for n in range(3))
REACH = 9  # frames on either side that an embedding depends on: three of each block; of sound it is six

_AT = "https://raw.githubusercontent.com/Junhua-Liao/LR-ASD/1b6dcd2/weight"
TALKSET = Card(
    name="lr-asd",
    version="talkset-1b6dcd2",
    sources=(f"{_AT}/finetuning_TalkSet.model",),
    sha256="6b4ef53694e874e96cf630198dc479c78aebb3993bbf166aee3d926dfe7d9342",
    licence="MIT",
    cite='Liao, Duan, Feng, Zhao, Yang, Chen: "LR-ASD: Lightweight and Robust Network for Active Speaker Detection", '
    "International Journal of Computer Vision, 2025",
    input=INPUT,
    rate="one score a video frame",
    notes="trained on AVA-ActiveSpeaker, then on TalkSet (VoxCeleb2 and LRS3); its authors report F1 .964 on Columbia, "
    f"and advise it for film in the wild. {SCENES}: AP .31, F1 .41 at 0 and .42 at best (3.2); beside listeners AP .96",
    size=3426337,
)
AVA = replace(
    TALKSET,
    version="ava-1b6dcd2",
    sources=(f"{_AT}/pretrain_AVA.model",),
    sha256="85e6c77fc981595234790d1e128ebb60352d37726b2445e0ef8891e2512fe9e3",
    notes="trained on AVA-ActiveSpeaker; its authors report mAP .9445 on its validation part, F1 .861 on Columbia. "
    f"{SCENES}: AP .48, F1 .54 at 0 and .54 at best (-0.5); beside listeners AP .97",
)


def see(tensors: Tensors, threads: int = 1) -> Encoder:
    """What the network makes of faces (T, 112, 112): (T, 128)."""
    graph = Graph()
    value = pixels(graph)
    for block in BLOCKS:
        name = f"model.visualEncoder.{block.name}"
        for layer in "12":
            weight, bias = folded(tensors, f"{name}.s_{layer}", f"{name}.s_norm_{layer}", EPS)
            stem = weight.shape[1] == 1
            weight = per_deviation(weight) if stem else weight
            value = graph.convolve(value, weight[:, :, 0], bias, stride=(2, 2) if stem else (1, 1))
        value = along_time(graph, value, block)
        for layer, reach in (("1", 0), ("2", 1)):
            weight, bias = folded(tensors, f"{name}.t_{layer}", f"{name}.t_norm_{layer}", EPS)
            value = graph.convolve(value, weight[..., 0], bias, reach=(reach, 0))
        value = greatest(graph, value, block) if block is BLOCKS[-1] else halved(graph, value, block)
    graph.output("seen", ["T'", 128], value)
    return encoder(graph, BLOCKS, threads)


def hear(tensors: Tensors, threads: int = 1) -> Hear:
    """What the network makes of MFCC (B, 4T, 13): (B, T, 128)."""
    graph = Graph()
    value = graph.add("Unsqueeze", graph.input("mfcc", ["B", "4T", 13]), graph.constant([1]))  # (B, 1, 4T, 13)
    for block in BLOCKS:
        name = f"model.audioEncoder.{block.name}"
        for layer in ("m_1", "m_2", "t_1", "t_2"):
            weight, bias = folded(tensors, f"{name}.{layer}", f"{name}.{layer.replace('_', '_norm_')}", EPS)
            value = graph.convolve(value, weight.transpose(0, 1, 3, 2), bias)  # theirs has time last
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
    value = _gated(graph, graph.add("Concat", heard, seen, axis=2), tensors, "model.fusion")
    both = ("model.detector.gru_forward", "model.detector.gru_backward")
    value = graph.gru(graph.transpose(value, 1, 0, 2), tensors, *both)
    value = _gated(graph, graph.transpose(value, 1, 0, 2), tensors, "model.detector.attention")
    value = graph.linear(value, tensors["lossAV.FC.weight"], tensors["lossAV.FC.bias"])
    graph.output("logits", ["B", "T", 2], value)
    network = onnx_network(graph.bytes(), threads)
    return lambda seen, heard: network({"seen": seen, "heard": heard})["logits"]


def _gated(graph: Graph, value: str, tensors: Tensors, name: str) -> str:
    """Features (B, T, D), each times how much it matters."""
    weight, bias = folded(tensors, f"{name}.attention", f"{name}.bn", EPS)
    return graph.add("Mul", value, graph.add("Sigmoid", graph.linear(value, weight[:, :, 0], bias)))


def entries() -> dict[str, tuple[int, ...]]:
    """Name and shape of each of the network's weights, in the order of its files."""
    wanted: dict[str, tuple[int, ...]] = {}
    for name, axis in (("model.visualEncoder", "s"), ("model.audioEncoder", "m")):
        for block, (given, half, full) in zip(BLOCKS, WIDTHS, strict=True):
            widths = ((axis, 1, given, half), (axis, 2, half, full), ("t", 1, full, full), ("t", 2, full, full))
            for kind, number, wide, made in widths:
                taps = 5 if number == 1 else 3
                over = {"s": (1, taps, taps), "m": (taps, 1), "t": (taps, 1, 1) if axis == "s" else (1, taps)}[kind]
                wanted[f"{name}.{block.name}.{kind}_{number}.weight"] = (made, wide, *over)
                wanted |= norm_entries(f"{name}.{block.name}.{kind}_norm_{number}", made)
    wanted |= {"model.fusion.attention.weight": (256, 256, 1)} | norm_entries("model.fusion.bn", 256)
    for direction in ("forward", "backward"):
        wanted |= gru_entries(f"model.detector.gru_{direction}", 256, 64)
    wanted |= {"model.detector.attention.attention.weight": (128, 128, 1)}
    wanted |= norm_entries("model.detector.attention.bn", 128)
    return wanted | linear_entries("lossAV.FC", 128, 2) | linear_entries("lossV.FC", 128, 2)


LR_ASD = SpeakingModel(
    card=TALKSET,
    entries=entries,
    see=see,
    hear=hear,
    judge=judge,
    reach=REACH,
    cards={"talkset": TALKSET, "ava": AVA},
    calibrations={"talkset": Calibration(0.17, -2.13), "ava": Calibration(0.28, -1.68)},
)
