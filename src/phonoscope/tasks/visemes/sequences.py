"""The viseme network as a task for the training loop: speech whose visemes are known row by row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from phonoscope.core.visemes import NOT_SCORED, VISEMES
from phonoscope.data.split import TEST, TRAINING
from phonoscope.metrics.confusion import accuracy, balanced_accuracy, confusion
from phonoscope.models.viseme_graph import AHEAD, HIDDEN
from phonoscope.models.viseme_rows import BANKS, LEAD, MEAN, MEMORY, ROW, levelled, log_mel
from phonoscope.tasks.visemes.networks.gru import VisemeGru
from phonoscope.tasks.visemes.spoken import Spoken
from phonoscope.tasks.visemes.varied import VaryParams, faster, in_place, other_throat
from phonoscope.train.task import Loss, Task

PIECE = 300  # rows that the network is shown at once
BATCH = 32  # pieces
WARM = 0.5  # part of the pieces of training that are from the midst of something heard: its mean is known,
OFF = 0.7  # but for so much
SPARE = 1.2  # as much more sound is taken, so that it may be played faster

Material = Mapping[str, Sequence[Spoken]]  # by set
Figures = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """B pieces of T rows."""

    rows: Tensor  # (B, T, 80) float32, as `models.viseme_rows` makes them
    visemes: Tensor  # (B, T) int64, NOT_SCORED where nothing counts

    def to(self, place: torch.device) -> "Pieces":
        """The same on another device."""
        return Pieces(self.rows.to(place), self.visemes.to(place))


class Line:
    """What one set has to say, utterance after utterance, as if it were one sound."""

    def __init__(self, spoken: Sequence[Spoken], order: Sequence[int]) -> None:
        self._spoken = [spoken[at] for at in order]
        self._ends = np.cumsum([len(it.rows) for it in self._spoken])

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def cut(self, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Sound (count · 160,) float32 and visemes (count,) int8 of rows from `start` on; silence behind the end."""
        audio, rows = np.zeros(count * ROW, np.float32), np.zeros(count, np.int8)
        at, which = start, int(np.searchsorted(self._ends, start, "right"))
        while at < start + count and which < len(self._spoken):
            it = self._spoken[which]
            begin = at - (int(self._ends[which]) - len(it.rows))
            stop = min(len(it.rows), begin + start + count - at)
            into = at - start
            rows[into : into + stop - begin] = it.rows[begin:stop]
            sound = it.audio[begin * ROW : stop * ROW]
            audio[into * ROW : into * ROW + len(sound)] = sound / np.float32(32768)
            at, which = at + stop - begin, which + 1
        return audio, rows


@dataclass(frozen=True, slots=True)
class Batches(Sequence[Any]):
    """The batches of a set in an epoch; each is cut, and varied, when it is asked for."""

    line: Line
    starts: np.ndarray  # rows, of each piece
    vary: VaryParams | None  # None: pieces as they are
    seed: tuple[int, int]

    def __len__(self) -> int:
        return -(-len(self.starts) // BATCH)

    def __getitem__(self, at: Any) -> Any:
        if at >= len(self):
            raise IndexError(at)
        rng = np.random.default_rng([*self.seed, at])
        chosen = self.starts[at * BATCH : (at + 1) * BATCH]
        made = [self._piece(int(start), rng) for start in chosen]
        visemes = torch.from_numpy(np.stack([it[1] for it in made]).astype(np.int64))
        return Pieces(torch.from_numpy(np.stack([it[0] for it in made])), visemes)

    def _piece(self, start: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        if self.vary is None:
            audio, visemes = self.line.cut(start, PIECE)
            return _levelled(log_mel(np.pad(audio, LEAD))), _counted(visemes)
        audio, visemes = self.line.cut(start, int(PIECE * SPARE))
        by = 1 + rng.uniform(-1, 1) * self.vary.pace
        audio, visemes = faster(audio, visemes, by, PIECE)
        other, _ = self.line.cut(int(rng.integers(max(1, len(self.line) - PIECE))), PIECE)
        levels = log_mel(np.pad(in_place(audio, other, self.vary, rng), LEAD))
        levels = other_throat(levels, self.vary, rng)
        if rng.random() < WARM:
            mean = levels.mean(0) + rng.normal(0, OFF) + rng.normal(0, OFF / 2, BANKS)
            return levelled(levels, mean.astype(np.float32), MEMORY)[0], _counted(visemes)
        return _levelled(levels), _counted(visemes)


def _levelled(levels: np.ndarray) -> np.ndarray:
    return levelled(levels, np.full(BANKS, MEAN, np.float32))[0]


def _counted(visemes: np.ndarray) -> np.ndarray:
    """Visemes (T,) without those at the end, of which the network hears what follows cut off."""
    visemes = visemes.copy()
    visemes[-AHEAD:] = NOT_SCORED
    return visemes


def batches_of(material: Material, split: str, epoch: int, vary: VaryParams, seed: int) -> Sequence[Pieces]:
    """The batches of a set; those of training in an order, and varied, by lot of the seed and the epoch."""
    spoken = material.get(split, ())
    rng = np.random.default_rng([seed, epoch])
    training = split == TRAINING
    order = rng.permutation(len(spoken)) if training else np.arange(len(spoken))
    line = Line(spoken, order.tolist())
    starts = np.arange(0, len(line), PIECE)
    if training:
        starts = rng.permutation(starts)[: len(starts) // BATCH * BATCH or None]
    return Batches(line, starts, vary if training else None, (seed, epoch))


def viseme_task(
    material: Material,
    *,
    vary: VaryParams | None = None,
    hidden: int = HIDDEN,
    seed: int = 0,
    about: Callable[[Figures], dict[str, Any]] = lambda found: {"figures": found},
) -> Task:
    """The task of training the network on speech whose visemes are known.

    Args:
        vary: how it is varied; None: as it is by default.
        hidden: width of its layers.
        about: what the file of weights says of itself, given the figures of the sets.
    """
    return Task(
        build=lambda: VisemeGru(hidden),
        examples=lambda split, epoch: batches_of(material, split, epoch, vary or VaryParams(), seed),
        forward=lambda made, batch: made(batch.rows),
        loss=lambda logits, batch, epoch: loss_of(logits, batch.visemes),
        predict=lambda logits, batch: taken(logits.argmax(2).cpu().numpy(), batch.visemes.cpu().numpy()),
        score=lambda told: figures_of(np.sum(told, axis=0)),
        best="accuracy",
        tested=bool(material.get(TEST)),
        about=about,
    )


def loss_of(logits: Tensor, visemes: Tensor) -> Loss:
    """Cross entropy of logits (B, T, 15) where a viseme is known."""
    total = functional.cross_entropy(logits.flatten(0, 1), visemes.flatten(), ignore_index=NOT_SCORED)
    return Loss(total, {}, float((visemes != NOT_SCORED).sum()))


def taken(told: np.ndarray, visemes: np.ndarray) -> np.ndarray:
    """How often which viseme was taken for which where it is known, (15, 15): truth by row, what was told by column."""
    known = visemes != NOT_SCORED
    return confusion(visemes[known], told[known], len(VISEMES))


def figures_of(counts: np.ndarray) -> dict[str, float]:
    """Part of the rows that are right, 0 of none, and the mean of that over the visemes there are."""
    return {"accuracy": float(np.nan_to_num(accuracy(counts))), "balanced_accuracy": balanced_accuracy(counts)}
