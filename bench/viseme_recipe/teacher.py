"""The teacher: two GRUs in both directions over what pocketsphinx' ears say of sound that nothing is wrong with."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.viseme_recipe.ears import CEPSTRA, STATES, WIDTH, Ears, rows_of
from bench.viseme_recipe.fitting import fit
from phonoscope.core.visemes import NOT_SCORED, VISEMES
from phonoscope.tasks.visemes.spoken import Spoken

EASE = np.repeat([10.0, 4.0, 3.0], CEPSTRA)  # by which cepstra and their changes are divided
HIDDEN, STEP, KERNEL = 96, 2, 6
STEPS, RATE = 1200, 3e-3
FAVOUR, HISS = 0.12, 0.08  # by which a voice that the ears do not know favours states, in tens of nats; and by chance


class Teacher(nn.Module):
    """Logits (B, T, 15) of what the ears say (B, T, 165); T is even."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(STATES + WIDTH, 2 * HIDDEN, KERNEL, stride=STEP, padding=(KERNEL - STEP) // 2)
        self.gru = nn.GRU(2 * HIDDEN, HIDDEN, 2, batch_first=True, bidirectional=True, dropout=0.25)
        self.told = nn.Linear(2 * HIDDEN, STEP * len(VISEMES))
        self.dropout = nn.Dropout(0.25)

    def forward(self, heard: Tensor) -> Tensor:
        """Logits, row by row."""
        if self.training:
            heard = heard + HISS * torch.randn_like(heard)
            heard[:, :, :STATES] += FAVOUR * torch.randn(len(heard), 1, STATES)
        value = functional.relu(self.convolution(heard.transpose(1, 2))).transpose(1, 2)
        told = self.told(self.dropout(self.gru(self.dropout(value))[0]))
        return told.reshape(len(heard), -1, len(VISEMES))


def heard(ears: Ears, audio: np.ndarray) -> np.ndarray:
    """What the ears say of (N,) float32: states in tens of nats and cepstra, (ceil(N / 160), 165) float16."""
    rows = rows_of(audio)
    return np.concatenate([ears(rows) / 10, rows / EASE], 1).astype(np.float16)


def taught(said: np.ndarray, visemes: np.ndarray, chosen_by: Sequence[tuple[np.ndarray, Spoken]]) -> Teacher:
    """A teacher that has learnt from the pieces of which it is known what is said.

    Args:
        said: by the ears, (N, 300, 165) float16.
        visemes: (N, 300) int8.
        chosen_by: what the ears say of whole sounds, and the sounds: by these the best is chosen.
    """
    known = np.flatnonzero((visemes != NOT_SCORED).mean(1) > 0.5)
    teacher = Teacher()

    def loss(chosen: np.ndarray, rng: np.random.Generator) -> Tensor:
        at = known[chosen]
        told = teacher(torch.from_numpy(said[at].astype(np.float32))).flatten(0, 1)
        truth = torch.from_numpy(visemes[at].astype(np.int64)).flatten()
        return functional.cross_entropy(told, truth, ignore_index=NOT_SCORED, label_smoothing=0.05)

    def judged(network: Teacher) -> float:
        right = [told(network, it).argmax(1)[: len(of.rows)] == of.rows for it, of in chosen_by]
        scored = [of.rows != NOT_SCORED for _, of in chosen_by]
        return float(np.concatenate(right)[np.concatenate(scored)].mean())

    return fit(teacher, len(known), loss, judged, steps=STEPS, rate=RATE)


@torch.no_grad()
def told(network: nn.Module, said: np.ndarray) -> np.ndarray:
    """How likely each viseme is, (T, 15) float32, by what the ears say of a sound (T, 165)."""
    even = np.pad(said, ((0, len(said) % STEP), (0, 0)), mode="edge").astype(np.float32)
    return network(torch.from_numpy(even)[None])[0, : len(said)].softmax(1).numpy()
