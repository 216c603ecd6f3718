"""A model that tells the viseme of a frame: one ONNX file with its scaler, its classes and what it says of itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.models.cards import KEY
from phonoscope.models.graphs import Graph
from phonoscope.models.sessions import OnnxNetwork, onnx_network
from phonoscope.store.files import whole_file
from phonoscope.tasks.visemes.frames import WIDTH

FILE = "model.onnx"
INPUT, OUTPUT = "mfcc", "scores"
CHUNK = 2048  # frames asked at a time


@dataclass(frozen=True, slots=True, eq=False)
class Scaler:
    """What brings each coefficient to mean 0 and deviation 1, on what it was fitted to."""

    mean: np.ndarray  # (13,) float32
    deviation: np.ndarray  # (13,) float32; 1 of a coefficient that never varies

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Rows (n, 13) float32, scaled."""
        return (rows - self.mean) / self.deviation


def scaler_of(rows: np.ndarray) -> Scaler:
    """The scaler of rows (n, 13): fitted on what is learnt from, never on what is tested."""
    deviation = rows.std(0, dtype=np.float64)
    return Scaler(
        rows.mean(0, dtype=np.float64).astype(np.float32), np.where(deviation > 0, deviation, 1).astype(np.float32)
    )


def write_model(path: Path, scaler: Scaler, told: Callable[[Graph, str], str], about: Mapping[str, Any]) -> None:
    """Write a model; the same one gives the same bytes.

    Args:
        told: puts into a graph what makes scores (n, k) float32 of scaled rows (n, 13).
        about: what it says of itself; `classes` must be there.
    """
    graph = Graph()
    rows = graph.input(INPUT, (None, WIDTH))
    rows = graph.add("Sub", rows, graph.constant(scaler.mean))
    rows = graph.add("Div", rows, graph.constant(scaler.deviation))
    graph.output(OUTPUT, (None, len(about["classes"])), told(graph, rows))
    _write(path, graph.bytes(), about)


def retold(source: Path, path: Path, about: Mapping[str, Any]) -> None:
    """Write a model again, saying something else of itself."""
    _write(path, source.read_bytes(), about)


def _write(path: Path, content: bytes, about: Mapping[str, Any]) -> None:
    import onnx

    model = onnx.load_model_from_string(content)
    onnx.helper.set_model_props(model, {KEY: msgspec.json.encode(about).decode()})
    with whole_file(path) as part:
        part.write_bytes(model.SerializeToString(deterministic=True))


class FrameModel:
    """A model that was written, ready to be asked; it needs neither scikit-learn nor PyTorch."""

    def __init__(self, path: Path) -> None:
        """Read it.

        Args:
            path: the file, or the folder of the run that made it.

        Raises:
            UsageError: there is none, or it is no model of ours.
        """
        self.path = path / FILE if path.is_dir() else path
        self.about = _about(self.path)
        self.names: tuple[str, ...] = tuple(self.about["classes"])
        self._network: OnnxNetwork = onnx_network(self.path)

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """How much speaks for each class, (n, k) float32, of MFCC (n, 13) float32 by the recipe "viseme"."""
        parts = [self._network({INPUT: rows[at : at + CHUNK]})[OUTPUT] for at in range(0, len(rows), CHUNK)]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.names)), np.float32)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """The class of each row, (n,) int64, as its number in `names`."""
        return self.scores(rows).argmax(1)


def _about(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise UsageError(f"there is no model '{path}': give a .onnx file that phonoscope train visemes has made, "
                         f"or the folder of its run")  # fmt: skip
    import onnx
    from google.protobuf.message import DecodeError

    try:
        props = {it.key: it.value for it in onnx.load(path, load_external_data=False).metadata_props}
        about = msgspec.json.decode(props.get(KEY, ""), type=dict[str, Any])
    except (DecodeError, msgspec.DecodeError):
        about = {}
    if "classes" not in about:
        raise UsageError(f"'{path}' is no model that phonoscope train visemes has made: it names no classes")
    return about
