"""FaceNet: 512 numbers that lie near each other for pictures of one person, or the 1792 before; without PyTorch."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from phonoscope.models.backends.facenet_graph import POOLED, SIDE, WIDTH, entries, facenet_graph, needed
from phonoscope.models.cards import Card
from phonoscope.models.sessions import OnnxNetwork, onnx_network
from phonoscope.models.state_dicts import read_state_dict, strict

MIDDLE, HALF = np.float32(127.5), np.float32(128)  # grey level that becomes 0, and levels from there to 1

_INPUT = "faces of the policy 'tight' at 160 px, RGB, "
_SCALED = _INPUT + "(level - 127.5) / 128"
_ABOUT = (
    "trained on VGGFace2, 3.3 million faces of 9131 people, which was given out for research and has been withdrawn; "
    "LFW .9965 by its authors. facenet-pytorch's 20180408-102900-casia-webface.pt fits too, as a file of your own: its "
    "sha256 is not known here"
)
VGGFACE2 = Card(
    name="facenet",
    version="20180402-114759",
    sources=("https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/20180402-114759-vggface2.pt",),
    sha256="281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
    licence="MIT (facenet and facenet-pytorch, with their weights); the faces learnt from: for research",
    cite='Schroff, Kalenichenko, Philbin: "FaceNet: A Unified Embedding for Face Recognition and Clustering", CVPR '
    "2015; weights by D. Sandberg, ported by T. Esler",
    input=_SCALED,
    rate="one answer a face and picture",
    notes=_ABOUT,
    size=111898327,
)
AVGPOOL = replace(VGGFACE2, name="facenet-avgpool", notes=f"what stands before the last layer, 1792 numbers; {_ABOUT}")
RAW = replace(
    AVGPOOL,
    name="facenet-avgpool-raw",
    input=_INPUT + "0 to 255 as they are, which is not what the network has learnt from",
    notes=f"as seed 000 asks its network, for comparison only; {AVGPOOL.notes}",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceNetModel:
    """The network that still wants its weights: call it with their file, and it is a face embedder."""

    card: Card  # of the weights that are published
    pooled: bool = False  # whether it gives the average pool, or the last layer
    raw: bool = False  # whether it is shown 0 to 255, or levels around 0
    backend_kind: ClassVar[str] = "face_embedder"

    @property
    def cards(self) -> Mapping[str, Card]:
        """Of the weights that are published, by name."""
        return {"vggface2": self.card}

    def __call__(self, weights: Path, *, card: Card | None = None, threads: int = 1) -> "FaceNet":
        """The network with any weights that fit.

        Args:
            card: theirs, if they are not the published ones.
            threads: not looked at; on several, the last bits might differ.

        Raises:
            UsageError: they are of another network, or no weights at all.
        """
        card = card or self.card
        tensors = {name: it for name, it in read_state_dict(weights).tensors.items() if needed(name)}
        strict(tensors, entries(), card.name)
        network = onnx_network(facenet_graph(tensors, self.pooled))
        return FaceNet(network, card, POOLED if self.pooled else WIDTH, self.raw)


class FaceNet:
    """FaceNet as a face embedder."""

    backend_kind: ClassVar[str] = "face_embedder"
    policy, expand = "tight", 0.0  # the longer side of the box: about as wide as its authors' box with their margin
    size = SIDE

    def __init__(self, network: OnnxNetwork, card: Card, width: int, raw: bool) -> None:
        self.card, self.width = card, width
        self._network, self._raw = network, raw

    def __call__(self, faces: np.ndarray) -> np.ndarray:
        """Embeddings (N, width) float32 of faces (N, 160, 160, 3) uint8 RGB; those of 512 numbers have length 1.

        Raises:
            ValueError: those are no such faces.
        """
        if faces.shape[1:] != (SIDE, SIDE, 3) or faces.dtype != np.uint8:
            raise ValueError(f"expected faces (N, {SIDE}, {SIDE}, 3) uint8, got {faces.shape} {faces.dtype}")
        made = [self._one(face) for face in faces]  # side by side, a face would change with those beside it
        return np.concatenate(made) if made else np.zeros((0, self.width), np.float32)

    def _one(self, face: np.ndarray) -> np.ndarray:
        levels = face.astype(np.float32)
        levels = levels if self._raw else (levels - MIDDLE) / HALF
        return self._network({"faces": np.ascontiguousarray(levels.transpose(2, 0, 1)[None])})["embeddings"]


FACENET = FaceNetModel(card=VGGFACE2)
FACENET_AVGPOOL = FaceNetModel(card=AVGPOOL, pooled=True)
FACENET_AVGPOOL_RAW = FaceNetModel(card=RAW, pooled=True, raw=True)
