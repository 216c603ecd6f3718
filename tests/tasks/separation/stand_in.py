"""People who do not exist, and a network small enough to learn their voices in a moment."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from phonoscope.core.time import Span
from phonoscope.tasks.separation.examples import FRAME, Material


@dataclass(frozen=True, eq=False)
class Talker:
    """Somebody whose mouth opens and shuts: hiss of their own colour, as loud as the mouth is open."""

    speaker: str
    span: Span
    seed: int

    def face(self) -> np.ndarray:
        """Rows (T, 2): how far the mouth is open, and something else."""
        rng = np.random.default_rng(self.seed)
        turns = np.repeat(rng.random(len(self.span)) < 0.5, 3)[: len(self.span)]
        return np.stack([turns, rng.normal(size=len(turns))], 1).astype(np.float32)

    def audio(self) -> np.ndarray:
        """Sound (N,) float32."""
        rng = np.random.default_rng([self.seed, 1])
        opening = np.repeat(self.face()[:, 0], FRAME)
        return (0.3 * opening * rng.uniform(-1, 1, len(opening))).astype(np.float32)


def talker(name: str, frames: int = 60) -> Talker:
    return Talker(name, Span(5, 5 + frames), sum(name.encode()) + frames)


PEOPLE = {"training": ("ana", "bo", "li", "mae"), "validation": ("eve", "kofi", "ida"), "test": ("uma", "zoe")}


def material(sees: bool = True, **people: tuple[str, ...]) -> Material:
    """Two voices of each of nine people, in three sets."""
    sets = {split: [talker(name, frames) for name in names for frames in (40, 90)]
            for split, names in (people or PEOPLE).items()}  # fmt: skip
    return Material(sets, (lambda voice: voice.face()) if sees else None)


class Mouths(nn.Module):
    """Gives each moment of the sound to the mouths that are open: two numbers to learn."""

    def __init__(self, lips: int = 2) -> None:
        super().__init__()
        self.told = nn.Linear(lips, 1)

    def forward(self, sound: Tensor, lips: Tensor) -> Tensor:
        """Voices (B, P, N) of sound (B, N), by lips (B, P, T, D)."""
        share = torch.sigmoid(self.told(torch.nan_to_num(lips, nan=0.5))).squeeze(3)
        samples = torch.repeat_interleave(share, sound.shape[1] // lips.shape[2], 2)
        return samples * sound[:, None]
