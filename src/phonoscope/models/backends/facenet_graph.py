"""FaceNet's network, Inception-ResNet-v1, as a graph made from weights; their names are those of facenet-pytorch.

Source: Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning", AAAI 2017;
in the widths of https://github.com/davidsandberg/facenet and its port facenet-pytorch, both MIT.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from phonoscope.models.graphs import Graph, Tensors, folded, normed
from phonoscope.models.state_dicts import norm_entries

EPS = 1e-3  # of every batch norm
SIDE = 160  # px, both sides of a face
POOLED, WIDTH = 1792, 512  # numbers of the average pool, and of the embedding after it
POOL = {"kernel_shape": [3, 3], "strides": [2, 2]}


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution, its batch norm and a ReLU."""

    name: str
    given: int  # channels
    made: int
    taps: tuple[int, int] = (1, 1)  # down, across
    stride: int = 1
    padded: bool = True  # so many zeros around that the size is kept; where it is halved, there are none


@dataclass(frozen=True, slots=True)
class Block:
    """Branches side by side, whose sum is added to what they were given."""

    name: str
    width: int  # channels
    scale: float  # of what is added
    branches: tuple[tuple[Layer, ...], ...]
    relu: bool = True  # after the sum


def _block(name: str, width: int, thin: int, scale: float, *paths: tuple[tuple[int, int], ...], relu: bool = True):
    """A block whose branches begin with `thin` channels and go on with convolutions of these taps."""
    first = Layer(f"{name}.branch0", width, thin)
    branches = [
        tuple(
            Layer(f"{name}.branch{number}.{place}", thin if place else width, thin, taps)
            for place, taps in enumerate(((1, 1), *path))
        )
        for number, path in enumerate(paths, 1)
    ]
    return Block(name, width, scale, ((first,), *branches), relu)


STEM = (
    Layer("conv2d_1a", 3, 32, (3, 3), 2),
    Layer("conv2d_2a", 32, 32, (3, 3), padded=False),
    Layer("conv2d_2b", 32, 64, (3, 3)),
)
STEM_POOLED = (
    Layer("conv2d_3b", 64, 80),
    Layer("conv2d_4a", 80, 192, (3, 3), padded=False),
    Layer("conv2d_4b", 192, 256, (3, 3), 2),
)
LARGE = tuple(_block(f"repeat_1.{n}", 256, 32, 0.17, ((3, 3),), ((3, 3), (3, 3))) for n in range(5))
TO_MIDDLE = (
    (Layer("mixed_6a.branch0", 256, 384, (3, 3), 2),),
    (
        Layer("mixed_6a.branch1.0", 256, 192),
        Layer("mixed_6a.branch1.1", 192, 192, (3, 3)),
        Layer("mixed_6a.branch1.2", 192, 256, (3, 3), 2),
    ),
)
MIDDLE = tuple(_block(f"repeat_2.{n}", 896, 128, 0.10, ((1, 7), (7, 1))) for n in range(10))
TO_SMALL = (
    (Layer("mixed_7a.branch0.0", 896, 256), Layer("mixed_7a.branch0.1", 256, 384, (3, 3), 2)),
    (Layer("mixed_7a.branch1.0", 896, 256), Layer("mixed_7a.branch1.1", 256, 256, (3, 3), 2)),
    (
        Layer("mixed_7a.branch2.0", 896, 256),
        Layer("mixed_7a.branch2.1", 256, 256, (3, 3)),
        Layer("mixed_7a.branch2.2", 256, 256, (3, 3), 2),
    ),
)
SMALL = (
    *(_block(f"repeat_3.{n}", 1792, 192, 0.20, ((1, 3), (3, 1))) for n in range(5)),
    _block("block8", 1792, 192, 1.0, ((1, 3), (3, 1)), relu=False),
)
BLOCKS = (*LARGE, *MIDDLE, *SMALL)


def facenet_graph(tensors: Tensors, pooled: bool) -> bytes:
    """Input "faces" (N, 3, 160, 160) float32; output "embeddings", (N, 1792) if `pooled`, else (N, 512), length 1."""
    graph = Graph()
    value = graph.input("faces", ["N", 3, SIDE, SIDE])
    value = graph.add("MaxPool", _along(graph, value, STEM, tensors), **POOL)
    value = _along(graph, value, STEM_POOLED, tensors)
    for blocks, halving in ((LARGE, TO_MIDDLE), (MIDDLE, TO_SMALL), (SMALL, ())):
        for block in blocks:
            value = _added(graph, value, block, tensors)
        if halving:
            made = [_along(graph, value, branch, tensors) for branch in halving]
            value = graph.add("Concat", *made, graph.add("MaxPool", value, **POOL), axis=1)
    value = graph.add("ReduceMean", value, axes=[2, 3], keepdims=0)
    if not pooled:
        scale, shift = normed(tensors, "last_bn", EPS)
        value = graph.linear(value, tensors["last_linear.weight"] * scale[:, None], shift)
        value = graph.add("LpNormalization", value, axis=1, p=2)
    graph.output("embeddings", ["N", POOLED if pooled else WIDTH], value)
    return graph.bytes()


def entries() -> dict[str, tuple[int, ...]]:
    """Name and shape of each of the network's weights, but for those of its classifier and counts of batches."""
    wanted: dict[str, tuple[int, ...]] = {}
    for layer in _layers():
        wanted[f"{layer.name}.conv.weight"] = (layer.made, layer.given, *layer.taps)
        wanted |= norm_entries(f"{layer.name}.bn", layer.made)
    for block in BLOCKS:
        wanted[f"{block.name}.conv2d.weight"] = (block.width, sum(path[-1].made for path in block.branches), 1, 1)
        wanted[f"{block.name}.conv2d.bias"] = (block.width,)
    wanted |= {"last_linear.weight": (WIDTH, POOLED)} | norm_entries("last_bn", WIDTH)
    return {name: shape for name, shape in wanted.items() if needed(name)}


def needed(name: str) -> bool:
    """Whether an entry of a state dict matters here: the classifier of the people it has learnt from does not."""
    return not name.startswith("logits.") and not name.endswith(".num_batches_tracked")


def _layers() -> Iterator[Layer]:
    yield from (*STEM, *STEM_POOLED)
    for branches in (*(block.branches for block in BLOCKS), TO_MIDDLE, TO_SMALL):
        for path in branches:
            yield from path


def _along(graph: Graph, value: str, path: tuple[Layer, ...], tensors: Tensors) -> str:
    for layer in path:
        weight, bias = folded(tensors, f"{layer.name}.conv", f"{layer.name}.bn", EPS)
        reach = None if layer.padded and layer.stride == 1 else (0, 0)
        value = graph.convolve(value, weight, bias, reach=reach, stride=(layer.stride,) * 2)
    return value


def _added(graph: Graph, value: str, block: Block, tensors: Mapping[str, np.ndarray]) -> str:
    joined = graph.add("Concat", *(_along(graph, value, path, tensors) for path in block.branches), axis=1)
    scale = np.float32(block.scale)
    weight, bias = (tensors[f"{block.name}.conv2d.{part}"] * scale for part in ("weight", "bias"))
    made = graph.add("Add", graph.convolve(joined, weight, bias, relu=False), value)
    return graph.add("Relu", made) if block.relu else made
