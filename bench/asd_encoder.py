"""What an active-speaker network costs to look at a face: ours against the published form in PyTorch, in turns."""

import json
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from bench.children import python
from bench.table import Row, Table, at_most, spread

FRAMES = (25, 150, 600)
NETWORKS = ("lr-asd", "light-asd")
TIMES = 3


def measure() -> list[Table]:
    """Milliseconds a face and frame on one core, and how far the numbers are apart."""
    said = python("-m", "bench.asd_encoder").said
    rows = []
    for network in NETWORKS:
        for frames in FRAMES:
            ours, theirs = (np.array(said[network][str(frames)][which]) for which in ("ours_ms", "theirs_ms"))
            what = f"{network}, {frames} frames: ours over theirs, median"
            rows.append(at_most(what, median(ours / theirs), 0.5, " ×"))
            rows.append(Row("ours", spread(ours, " ms")))
            rows.append(Row("as published", spread(theirs, " ms")))
        rows.append(at_most(f"{network}: greatest difference of embeddings", said[network]["difference"], 1e-4))
    notes = (
        f"Visual encoders with weights by formula, {TIMES} times in turns, one core, time of the processor. As "
        "published: convolutions over three dimensions, batch norm by itself.",
    )
    return [Table("Looking at faces", rows, notes)]


def main() -> int:
    """Time both, and print what was found as JSON."""
    import torch

    torch.set_num_threads(1)
    print(json.dumps({network: _paired(network) for network in NETWORKS}))
    return 0


def _paired(network: str) -> dict[str, Any]:
    ours, theirs = _encoders(network)
    faces = np.random.default_rng(0).integers(0, 256, (max(FRAMES), 112, 112), np.uint8)
    found: dict[str, Any] = {"difference": float(np.abs(ours(faces[:40]) - theirs(faces[:40])).max())}
    for frames in FRAMES:
        some, times = faces[:frames], {"ours_ms": [], "theirs_ms": []}
        for _ in range(TIMES):
            for which, encode in (("ours_ms", ours), ("theirs_ms", theirs)):
                times[which].append(_seconds(encode, some) * 1000 / frames)
        found[str(frames)] = times
    return found


def _encoders(network: str) -> tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]:
    """Ours and theirs, with the same weights: faces (T, 112, 112) uint8 in, embeddings (T, 128) out."""
    import torch

    from phonoscope.models.backends import light_asd, lr_asd
    from phonoscope.models.face_encoders import DEVIATION, MEAN
    from phonoscope.tasks.asd.networks.light_asd import LightAsd
    from phonoscope.tasks.asd.networks.lr_asd import LrAsd
    from phonoscope.testing.formulas import formula_weights

    backend, module = {"lr-asd": (lr_asd, LrAsd()), "light-asd": (light_asd, LightAsd())}[network]
    tensors = formula_weights(backend.entries(), phase=1.0)
    module.load_state_dict({name: torch.tensor(tensor) for name, tensor in tensors.items()})
    published = module.eval().model.visualEncoder
    for layer in published.modules():
        if isinstance(layer, torch.nn.Conv3d):
            layer.__class__ = torch.nn.Conv3d  # ours runs them in two dimensions, its authors do not

    def theirs(faces: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            scaled = (torch.from_numpy(faces).float() / 255 - MEAN) / DEVIATION
            return published(scaled[None, None])[0].numpy()

    return backend.see(tensors), theirs


def _seconds(work: Callable[[np.ndarray], np.ndarray], faces: np.ndarray) -> float:
    began = time.process_time()
    work(faces)
    return time.process_time() - began


if __name__ == "__main__":
    sys.exit(main())
