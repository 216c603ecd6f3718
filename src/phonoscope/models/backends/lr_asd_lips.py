"""What LR-ASD sees of a face before it has heard anything: rows for networks that read lips."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from phonoscope.models.backends.lr_asd import REACH, TALKSET, entries, see
from phonoscope.models.cards import Card
from phonoscope.models.state_dicts import read_state_dict, strict


class LrAsdLips:
    """The visual encoder of LR-ASD, 128 numbers a frame."""

    backend_kind: ClassVar[str] = "lip_encoder"
    card: Card = replace(
        TALKSET,
        name="lr-asd-lips",
        input="middle 112 px of the asd crop, grey",
        rate="one row a video frame; learnt at 25 frames a second",
        notes="the half of LR-ASD that sees, by the weights talkset; it has learnt to tell who speaks",
    )
    policy: str = "asd"
    size: int = 112
    width: int = 128
    context: int = REACH

    def __init__(self, weights: Path, *, threads: int = 1) -> None:
        """Load any weights of LR-ASD.

        Raises:
            UsageError: they are of another network, or no weights at all.
        """
        tensors = read_state_dict(weights).tensors
        strict(tensors, entries(), "lr-asd")
        self._see = see(tensors, threads)

    def __call__(self, faces: np.ndarray) -> np.ndarray:
        """Rows (T, 128) float32 of faces (T, 112, 112) uint8 grey."""
        return self._see(faces) if len(faces) else np.zeros((0, self.width), np.float32)
