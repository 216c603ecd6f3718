"""What networks that look at faces have in common: pixels as they learnt them, and film in portions.

A network that convolves over space and over time is run over a few frames at once, so that what it holds stays in the
processor's cache and does not grow with the film. Between portions each block keeps the last frames that it saw, so
that nothing is looked at twice, and the numbers are those of the whole film at once.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from phonoscope.models.graphs import Graph
from phonoscope.models.sessions import OnnxNetwork, onnx_network

MEAN, DEVIATION = 0.4161, 0.1688  # of the pixels of AVA's faces, in [0, 1]
SIDE = 112  # px
PORTION = 32  # frames: more do not fit into the cache, fewer cost a little more
SIDE_BY_SIDE = 2  # films that are looked at at the same time
EVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a network that looks along time."""

    name: str
    channels: int
    side: int  # px
    reach: int  # frames on either side that its result depends on
    first_reach: int  # of its first convolution over time alone: so many zeros lie beyond the ends of the film

    @property
    def surplus(self) -> int:
        """Frames at either end of a portion that come out wrong: later convolutions take what lies beyond as zero."""
        return self.reach - self.first_reach


def pixels(graph: Graph) -> str:
    """The input "faces" (T, 1, 112, 112) float32, 0 to 255, less their mean; `per_deviation` does the rest."""
    faces = graph.input("faces", ["T", 1, SIDE, SIDE])
    return graph.add("Sub", faces, graph.constant(255 * MEAN))  # not in the bias: what lies around a picture is zero


def per_deviation(weight: np.ndarray) -> np.ndarray:
    """The weight of a first convolution that divides pixels by their deviation, too."""
    return weight / np.float32(255 * DEVIATION)


def along_time(graph: Graph, value: str, block: Block, unused: int = 0) -> str:
    """Pictures (T, C, H, W) and the last ones of the portion before, in the order of time: (1, C, T', H·W).

    Args:
        unused: frames at either end that are left out, for a convolution with less reach than the block.
    """
    shape = [block.channels, block.side, block.side]
    before, after = (graph.input(f"{end}_{block.name}", [None, *shape]) for end in ("before", "after"))
    joined = graph.add("Concat", before, value, after, axis=0)
    graph.output(f"kept_{block.name}", [None, *shape], _cut(graph, joined, -2 * block.reach, EVER))
    joined = _cut(graph, joined, unused, -unused) if unused else joined
    return graph.reshape(graph.transpose(joined, 1, 0, 2, 3), 1, block.channels, -1, block.side**2)


def _cut(graph: Graph, value: str, first: int, stop: int) -> str:
    return graph.add("Slice", value, *(graph.constant([number]) for number in (first, stop, 0)))


def halved(graph: Graph, value: str, block: Block) -> str:
    """Pictures of half the size (T, C, H/2, W/2) of (1, C, T, H·W): of each 3 × 3 the greatest."""
    pictures = graph.reshape(value, block.channels, -1, block.side, block.side)
    pooled = graph.add("MaxPool", pictures, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    return trimmed(graph, graph.transpose(pooled, 1, 0, 2, 3), block)


def greatest(graph: Graph, value: str, block: Block) -> str:
    """The greatest of each picture, (T, C), of (1, C, T, H·W)."""
    most = graph.add("ReduceMax", value, axes=[0, 3], keepdims=0)
    return trimmed(graph, graph.transpose(most, 1, 0), block)


def trimmed(graph: Graph, value: str, block: Block) -> str:
    """Frames (T, …) without the surplus of a portion."""
    if not block.surplus:
        return value
    first, stop = (graph.input(f"{end}_{block.name}", [1], np.int64) for end in ("first", "stop"))
    return graph.add("Slice", value, first, stop, graph.constant([0]))


def encoder(graph: Graph, blocks: Sequence[Block], threads: int) -> "Encoder":
    """What runs a graph of these blocks, with the output "seen", over film of any length.

    Args:
        threads: with several, two films are looked at side by side, each by half of them: then no thread has to wait
            for another so often, and other work goes on meanwhile.
    """
    network = onnx_network(graph.bytes(), max(1, threads // SIDE_BY_SIDE))
    workers = ThreadPoolExecutor(SIDE_BY_SIDE, "encoder") if threads > 1 else None
    return Encoder(network, tuple(blocks), workers)


@dataclass(frozen=True, slots=True)
class Encoder:
    """Looks at faces (T, 112, 112), 0 to 255: embeddings (T, D) float32."""

    network: OnnxNetwork
    blocks: tuple[Block, ...]
    workers: Executor | None  # None: everything is done at once

    def __call__(self, faces: np.ndarray) -> np.ndarray:
        """Embeddings (T, D) float32 of faces (T, 112, 112), 0 to 255, of which there is one at least."""
        encoding = self.begin()
        encoding.see(faces)
        return encoding.end()

    def begin(self) -> "Encoding":
        """The same for faces that are still to come."""
        return Encoding(self)


class Encoding:
    """Film that is looked at as it comes, portion by portion, while its next portion gathers."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._waiting: list[np.ndarray] = []  # faces (112, 112)
        self._under_way: Future[None] | None = None  # the portion before; one at a time, as each needs what it kept
        self._kept: Mapping[str, np.ndarray] = {}  # the last frames, as each block sees them
        self._seen: list[np.ndarray] = []  # (≤ PORTION, D) each

    def see(self, faces: np.ndarray) -> None:
        """Take the next faces, (N, 112, 112), 0 to 255."""
        self._waiting.extend(faces)
        while len(self._waiting) > PORTION:  # more than one, since what ends the film is looked at otherwise
            self._begin_portion(ends=False)

    def end(self) -> np.ndarray:
        """Embeddings (T, D) float32 of all faces, of which there is one at least."""
        self._begin_portion(ends=True)
        self._wait()
        return np.concatenate(self._seen)

    def _begin_portion(self, *, ends: bool) -> None:
        faces = np.stack(self._waiting[:PORTION])
        del self._waiting[:PORTION]
        if self._encoder.workers is None:
            self._look(faces, ends)
        else:
            self._wait()
            self._under_way = self._encoder.workers.submit(self._look, faces, ends)

    def _wait(self) -> None:
        if self._under_way is not None:
            self._under_way.result()

    def _look(self, faces: np.ndarray, ends: bool) -> None:
        given = {"faces": faces[:, None].astype(np.float32)}
        for block in self._encoder.blocks:
            given |= _around(block, self._kept.get(f"kept_{block.name}"), ends)
            if block.surplus:
                given[f"first_{block.name}"] = np.array([block.surplus if self._seen else 0])
                given[f"stop_{block.name}"] = np.array([EVER if ends else -block.surplus])
        self._kept = self._encoder.network(given)
        self._seen.append(self._kept["seen"])


def _around(block: Block, kept: np.ndarray | None, ends: bool) -> dict[str, np.ndarray]:
    """What lies before and after a portion: what was seen, or zeros beyond the ends of the film."""
    shape = (block.channels, block.side, block.side)
    beyond = np.zeros((block.first_reach, *shape), np.float32)
    return {
        f"before_{block.name}": beyond if kept is None else kept,
        f"after_{block.name}": beyond if ends else beyond[:0],
    }
