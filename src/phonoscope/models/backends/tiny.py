"""Tiny: a scorer of our own that comes with phonoscope, small enough to be committed, run without PyTorch."""

import copy
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.models.cards import Card
from phonoscope.models.graphs import Graph, Tensors, folded, normed
from phonoscope.models.sessions import onnx_network
from phonoscope.models.speaking import COEFFICIENTS, FASTEST, ROWS, SLOWEST, rows_of
from phonoscope.models.state_dicts import linear_entries, norm_entries, read_state_dict, strict

WIDTH = 32  # features of what is seen, and of what is heard, that are compared with each other
REACHES = (12, 30)  # frames on either side over which they are compared
UPPER, SIDE = 8, 4  # px of the halved face, of 56: what lies above (eyes), and on either side, is not looked at
FACE = 48  # px, of what is left, both sides
SOUND_MEAN, SOUND_DEVIATION = (14.0, 0.0), (5.0, 12.0)  # of MFCC: of the first, and of all others
SLIGHT = 0.05  # variance below which a feature counts as still
PORTION = 64  # faces that are looked at at once
CONTEXT = 36  # frames: 2 of the last convolution, 30 that are compared, 2 and 1 of those before, 1 of MFCC


class Tiny:
    """Scores a face by how well what it does goes with what is heard, over a second and over two and a half."""

    backend_kind: ClassVar[str] = "speaking_scorer"
    card: Card = Card(
        name="tiny",
        version="1",
        sources=("package:phonoscope/models/backends/tiny.safetensors",),
        sha256="",
        licence="Apache-2.0",
        cite="",
        input="middle 112 px of the asd crop, grey; MFCC by the recipe psf, four rows a frame, of sound at 16 kHz",
        rate="one score a video frame; made for 25 frames a second",
        notes="",
        size=0,
    )
    cards: ClassVar[Mapping[str, Card]] = {"own": card}
    policy, size = "asd", 112
    context, period = CONTEXT, 1

    def __init__(self, weights: Path, *, card: Card | None = None, threads: int = 1) -> None:
        """Load any weights of this network.

        Raises:
            UsageError: they are of another network, or no weights at all.
        """
        tensors = read_state_dict(weights).tensors
        strict(tensors, entries(), "tiny")
        tensors = {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
        self.card, self._fps = card or self.card, Fraction(25)
        self._see, self._judge = (onnx_network(graph(tensors), threads) for graph in (see, judge))

    def at(self, fps: Fraction, windows: str = "shared") -> Self:
        """The same for film of so many frames a second; it has no windows, whatever `windows` says.

        Raises:
            UsageError: it was not trained for that rate.
        """
        if not SLOWEST <= fps <= FASTEST:
            said = f"'tiny' has learnt from film of 25 frames a second, not {float(fps):.5g}"
            raise UsageError(f"{said}: make the store at --clock.fps 25, or score with --asd.model motion")
        made = copy.copy(self)
        made._fps = fps
        return made

    def __call__(self, faces: np.ndarray, audio: np.ndarray) -> np.ndarray:
        """Log-odds of speaking, (T,) float32, from faces (T, 112, 112) uint8 and audio (N,) float32 at 16 kHz.

        Sound that ends before the faces do is followed by silence.

        Raises:
            ValueError: these are no such faces or no such audio.
        """
        if faces.shape[1:] != (112, 112) or faces.dtype != np.uint8:
            raise ValueError(f"expected faces (T, 112, 112) uint8, got {faces.shape} {faces.dtype}")
        if audio.ndim != 1 or not np.issubdtype(audio.dtype, np.floating):
            raise ValueError(f"expected audio (N,) float, got {audio.shape} {audio.dtype}")
        if len(faces) == 0:
            return np.zeros(0, np.float32)
        rows = rows_of(audio, len(faces) + 1, self._fps)[: ROWS * len(faces)]  # silence follows: pieces are to be alike
        logits = self.logits(rows, faces)
        return logits[:, 1] - logits[:, 0]

    def logits(self, mfcc: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """What the network says of a whole track, (T, 2) float32: not speaking, speaking.

        Args:
            mfcc: (4T, 13), by the recipe psf.
            faces: (T, 112, 112), 0 to 255.

        Raises:
            ValueError: they are not of the same frames.
        """
        if faces.shape[1:] != (112, 112) or mfcc.shape != (ROWS * len(faces), COEFFICIENTS):
            raise ValueError(f"expected MFCC (4T, 13) and faces (T, 112, 112), got {mfcc.shape} and {faces.shape}")
        if len(faces) == 0:
            return np.zeros((0, 2), np.float32)
        shown = np.concatenate([faces[:1], faces])  # before the first face it has not changed
        starts = range(0, len(faces), PORTION)
        seen = [self._see({"faces": shown[at : at + PORTION + 1, None].astype(np.float32)})["seen"] for at in starts]
        return self._judge({"seen": np.concatenate(seen), "mfcc": mfcc.astype(np.float32)})["logits"]


def see(tensors: Tensors) -> bytes:
    """Graph from faces (1 + T, 1, 112, 112), 0 to 255, each after the one before it, to "seen" (T, 48)."""
    graph = Graph()
    faces = graph.add("AveragePool", graph.input("faces", [None, 1, 112, 112]), kernel_shape=[2, 2], strides=[2, 2])
    corners = (graph.constant(np.array(edge)) for edge in ([UPPER, SIDE], [56, 56 - SIDE], [2, 3]))
    small = graph.add("Slice", faces, *corners)
    flat = graph.add("Sub", small, graph.add("ReduceMean", small, axes=[2, 3]))
    variance = graph.add("ReduceMean", graph.add("Mul", flat, flat), axes=[2, 3])
    even = graph.add("Div", flat, graph.add("Sqrt", graph.add("Add", variance, graph.constant(25.0))))
    before, now = (_cut(graph, even, *edges) for edges in ((0, -1), (1, np.iinfo(np.int64).max)))
    change = graph.add("Mul", graph.add("Sub", now, before), graph.constant(4.0))
    x = graph.convolve(graph.add("Concat", now, change, axis=1), *folded(tensors, *_pair("see.first")), stride=[2, 2])
    for block, groups in (("see.second", 12), ("see.third", 24)):
        x = graph.convolve(x, *folded(tensors, *_pair(f"{block}.0")), stride=[2, 2], groups=groups)
        x = graph.convolve(x, *folded(tensors, *_pair(f"{block}.1")))
    scale, shift = normed(tensors, "see.over_time.0")
    weight, bias = tensors["see.places.weight"][:, :, 0], tensors["see.places.bias"]
    x = graph.linear(graph.reshape(x, -1, 32 * 36), scale[:, None] * weight, scale * bias + shift)
    graph.output("seen", [None, 48], graph.add("Relu", x))
    return graph.bytes()


def judge(tensors: Tensors) -> bytes:
    """Graph from "seen" (T, 48) and "mfcc" (4T, 13) to "logits" (T, 2)."""
    graph = Graph()
    seen = _first(graph, graph.transpose(graph.input("seen", [None, 48]), 1, 0))
    seen = graph.convolve(seen, *_plain(tensors, "see.over_time.2"), relu=False)
    mean, deviation = (np.array([[first, *[rest] * 12]]) for first, rest in (SOUND_MEAN, SOUND_DEVIATION))
    rows = graph.add("Sub", graph.input("mfcc", [None, COEFFICIENTS]), graph.constant(mean))
    rows = _first(graph, graph.transpose(graph.add("Div", rows, graph.constant(deviation)), 1, 0))
    heard = graph.convolve(rows, *folded(tensors, "hear.rows.0", "hear.rows.1"))
    heard = graph.convolve(heard, *folded(tensors, "hear.frames.0", "hear.frames.1"), stride=[ROWS], reach=[0])
    heard = graph.convolve(heard, *_plain(tensors, "hear.over_time"), relu=False)
    told = [part for reach in REACHES for part in _together(graph, seen, heard, reach)]
    found = graph.convolve(graph.add("Concat", *told, seen, heard, axis=1), *_plain(tensors, "compare.0"))
    found = graph.transpose(graph.add("Squeeze", found, graph.constant(np.array([0]))), 1, 0)
    graph.output("logits", [None, 2], graph.linear(found, *_plain(tensors, "lossAV.FC")))
    return graph.bytes()


def _together(graph: Graph, seen: str, heard: str, reach: int) -> list[str]:
    """Correlations around each frame, and how much what is seen and what is heard vary (log), (1, WIDTH, T) each."""
    products = [graph.add("Mul", *pair) for pair in ((seen, seen), (heard, heard), (seen, heard))]
    a, b, aa, bb, ab = (_around(graph, value, reach) for value in (seen, heard, *products))
    none, slight = graph.constant(0.0), graph.constant(SLIGHT)
    varies = []
    for mean, square in ((a, aa), (b, bb)):
        variance = graph.add("Sub", square, graph.add("Mul", mean, mean))
        varies.append(graph.add("Add", graph.add("Max", variance, none), slight))
    both = graph.add("Sub", ab, graph.add("Mul", a, b))
    correlation = graph.add("Div", both, graph.add("Sqrt", graph.add("Mul", *varies)))
    return [correlation, *(graph.add("Log", value) for value in varies)]


def _around(graph: Graph, value: str, reach: int) -> str:
    """Means (1, C, T) around each frame, weighted by a Hann window; nothing lies beyond the ends."""
    bell = np.hanning(2 * reach + 3)[1:-1][None, None]
    rows = graph.transpose(value, 1, 0, 2)
    ones = graph.add("Add", graph.add("Mul", _cut(graph, rows, 0, 1), graph.constant(0.0)), graph.constant(1.0))
    sums, weights = (graph.convolve(part, bell, relu=False) for part in (rows, ones))
    return graph.transpose(graph.add("Div", sums, weights), 1, 0, 2)


def _cut(graph: Graph, value: str, start: int, stop: int) -> str:
    return graph.add("Slice", value, *(graph.constant(np.array([edge])) for edge in (start, stop, 0)))


def _first(graph: Graph, value: str) -> str:
    return graph.add("Unsqueeze", value, graph.constant(np.array([0])))


def _plain(tensors: Tensors, name: str) -> tuple[np.ndarray, np.ndarray]:
    return tensors[f"{name}.weight"], tensors[f"{name}.bias"]


def _pair(name: str) -> tuple[str, str]:
    """A convolution and its batch norm."""
    return f"{name}.0", f"{name}.1"


def entries() -> dict[str, tuple[int, ...]]:
    """Name and shape of each of the network's weights."""
    wanted: dict[str, tuple[int, ...]] = {}
    pictures = {
        "see.first": (12, 2, 5, 5),
        "see.second.0": (12, 1, 3, 3),
        "see.second.1": (24, 12, 1, 1),
        "see.third.0": (24, 1, 3, 3),
        "see.third.1": (32, 24, 1, 1),
    }
    for name, shape in pictures.items():
        wanted |= {f"{name}.0.weight": shape} | norm_entries(f"{name}.1", shape[0])
    rows = {
        "see.places": (48, 32 * 36, 1),
        "see.over_time.2": (WIDTH, 48, 5),
        "hear.rows.0": (32, COEFFICIENTS, 5),
        "hear.frames.0": (48, 32, 4),
        "hear.over_time": (WIDTH, 48, 5),
        "compare.0": (32, (3 * len(REACHES) + 2) * WIDTH, 5),
    }
    for name, shape in rows.items():
        wanted |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    for name, channels in (("see.over_time.0", 48), ("hear.rows.1", 32), ("hear.frames.1", 48)):
        wanted |= norm_entries(name, channels)
    return wanted | {key: shape for head in HEADS for key, shape in linear_entries(f"{head}.FC", 32, 2).items()}


HEADS = ("lossAV", "lossA", "lossV")
