"""The compact separator as an ONNX graph made from its weights; see `tasks.separation.networks.compact`."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from phonoscope.models.graphs import NORM_EPS, Graph, Tensors
from phonoscope.models.state_dicts import linear_entries

WINDOW, HOP = 640, 320  # samples of a row of the spectrum, and from row to row: two a video frame
BINS = WINDOW // 2 + 1
# Edges of bands, bins of 25 Hz: 100 Hz wide up to 1 kHz, 200 up to 2, 500 up to 4, and three above
BANDS = (*range(0, 40, 4), *range(40, 80, 8), *range(80, 160, 20), 160, 200, 250, BINS)
REACHES = (1, 2, 4), (1, 2, 4, 8)  # dilations, rows of 20 ms, of the layers that hear all, and of those for one face
TAPS, LIP_TAPS = 3, 5  # rows that each layer looks at, its dilation apart; rows of lips
_EVER = np.iinfo(np.int64).max
_COUNT = len(BANDS) - 1


def graph_of(tensors: Tensors) -> bytes:
    """A network with the inputs "heard" (1, J, 321, 3) and "lips" (S, T, D + 1), J = 2T + 1; "masks" (S, J, 321, 2)."""
    made = _Made(tensors)
    graph = made.graph
    heard = graph.input("heard", [1, None, BINS, 3])
    face = made.face(graph.input("lips", [None, None, tensors["lips.first.weight"].shape[1]]))
    bands = []
    for number, (start, stop) in enumerate(pairwise(BANDS)):
        band = graph.reshape(made.cut(heard, 2, start, stop), 0, -1, 3 * (stop - start))
        bands.append(made.unsqueezed(made.linear(band, f"split.{number}"), 2))
    values = graph.add("Concat", *bands, axis=2)
    for number, reach in enumerate(REACHES[0]):
        values = made.layer(values, f"trunk.{number}", reach)
    for number, reach in enumerate(REACHES[1]):
        if number % 2 == 0:
            values = made.shown(values, face, f"shown.{number // 2}")
        values = made.layer(values, f"heads.{number}", reach)
    values = made.norm(values, "norm")
    masks = []
    for number in range(_COUNT):
        band = graph.add("Gather", values, graph.constant(np.array(number)), axis=2)
        masks.append(graph.reshape(made.linear(band, f"masks.{number}"), 0, 0, -1, 2))
    graph.output("masks", [None, None, BINS, 2], graph.add("Concat", *masks, axis=2))
    return graph.bytes()


def entries(lips: int, width: int, seen: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of each of the network's weights.

    Args:
        lips: numbers of a row of a face.
        width: numbers that each band is told by.
        seen: numbers that lips are told by.
    """
    wanted: dict[str, tuple[int, ...]] = {}
    for number, (start, stop) in enumerate(pairwise(BANDS)):
        wanted |= linear_entries(f"split.{number}", 3 * (stop - start), width)
        wanted |= linear_entries(f"masks.{number}", width, 2 * (stop - start))
    parts = zip(("trunk", "heads"), REACHES, strict=True)
    for name in (f"{part}.{number}" for part, reaches in parts for number in range(len(reaches))):
        wanted |= {f"{name}.{norm}.{of}": (width,) for norm in ("before", "across") for of in ("weight", "bias")}
        wanted |= linear_entries(f"{name}.time.0", TAPS * width, 2 * width)
        wanted |= linear_entries(f"{name}.time.1", 2 * width, width)
        wanted |= linear_entries(f"{name}.band.0", _COUNT, 2 * _COUNT)
        wanted |= linear_entries(f"{name}.band.1", 2 * _COUNT, _COUNT)
    for number in range(len(REACHES[1]) // 2):
        wanted |= linear_entries(f"shown.{number}", 2 * seen, 2 * _COUNT * width)
    wanted |= linear_entries("lips.first", lips + 1, seen)
    wanted |= linear_entries("lips.frames", LIP_TAPS * seen, seen) | linear_entries("lips.rows", LIP_TAPS * seen, seen)
    return wanted | {"norm.weight": (width,), "norm.bias": (width,)}


class _Made:
    """A graph in the making, with the weights that its layers are made from."""

    def __init__(self, tensors: Tensors) -> None:
        self.graph, self._tensors = Graph(), tensors

    def face(self, lips: str) -> str:
        """What is seen of each face and of all others, (S, J, 2E), of lips (S, T, D + 1)."""
        graph = self.graph
        values = graph.add("Relu", self.linear(lips, "lips.first"))
        values = self._lips(values, "lips.frames")
        twice = graph.add("Concat", *[self.unsqueezed(values, 2)] * 2, axis=2)
        width = self._tensors["lips.first.weight"].shape[0]
        rows = graph.reshape(twice, 0, -1, width)
        rows = graph.add("Concat", rows, self.cut(rows, 1, -1, _EVER), axis=1)
        rows = self._lips(rows, "lips.rows")
        every = graph.add("ReduceSum", rows, graph.constant([0]), keepdims=1)
        return graph.add("Concat", rows, graph.add("Sub", every, rows), axis=2)

    def layer(self, values: str, name: str, reach: int) -> str:
        """Values (S, J, K, C) after one `Layer`."""
        graph = self.graph
        near = self._beside(self.norm(values, f"{name}.before"), reach, TAPS, 4)
        values = graph.add("Add", values, self._two(near, f"{name}.time"))
        turned = graph.transpose(self.norm(values, f"{name}.across"), 0, 1, 3, 2)
        return graph.add("Add", values, graph.transpose(self._two(turned, f"{name}.band"), 0, 1, 3, 2))

    def shown(self, values: str, face: str, name: str) -> str:
        """Values (1 or S, J, K, C) of the mixture as they are for each face (S, J, 2E)."""
        graph = self.graph
        width = self._tensors["norm.weight"].shape[0]
        both = graph.reshape(self.linear(face, name), 0, 0, 2, _COUNT, width)
        gain, shift = (graph.add("Gather", both, graph.constant(np.array(at)), axis=2) for at in (0, 1))
        gain = graph.add("Add", gain, graph.constant(1.0))
        return graph.add("Add", graph.add("Mul", values, gain), shift)

    def linear(self, values: str, name: str) -> str:
        return self.graph.linear(values, self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"])

    def norm(self, values: str, name: str) -> str:
        scale, shift = (self.graph.constant(self._tensors[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.graph.add("LayerNormalization", values, scale, shift, axis=-1, epsilon=NORM_EPS)

    def cut(self, values: str, axis: int, start: int, stop: int) -> str:
        return self.graph.add("Slice", values, *(self.graph.constant([it]) for it in (start, stop, axis)))

    def unsqueezed(self, values: str, axis: int) -> str:
        return self.graph.add("Unsqueeze", values, self.graph.constant([axis]))

    def _two(self, values: str, name: str) -> str:
        return self.linear(self.graph.add("Relu", self.linear(values, f"{name}.0")), f"{name}.1")

    def _lips(self, values: str, name: str) -> str:
        near = self._beside(values, 1, LIP_TAPS, 3)
        return self.graph.add("Add", values, self.graph.add("Relu", self.linear(near, name)))

    def _beside(self, values: str, reach: int, taps: int, axes: int) -> str:
        """Values (S, J, …, C) with those before and after them, `reach` rows apart; zeros beyond."""
        around = reach * (taps // 2)
        pads = np.zeros((2, axes), int)
        pads[:, 1] = around
        padded = self.graph.add("Pad", values, self.graph.constant(pads.reshape(-1)))
        parts = [self.cut(padded, 1, reach * tap, reach * (tap + 1 - taps) or _EVER) for tap in range(taps)]
        return self.graph.add("Concat", *parts, axis=axes - 1)


def widths(tensors: Mapping[str, np.ndarray]) -> tuple[int, int, int] | None:
    """Numbers of a row of lips, of a band, and of what is seen; None if these are no weights of a network with lips."""
    first, norm = tensors.get("lips.first.weight"), tensors.get("norm.weight")
    if first is None or norm is None or first.ndim != 2:
        return None
    return first.shape[1] - 1, len(norm), first.shape[0]
