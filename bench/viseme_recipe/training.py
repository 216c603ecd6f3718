"""The network that comes along: from pieces, and from what the teacher and pocketsphinx' ears say of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.viseme_recipe.ears import STATES
from bench.viseme_recipe.fitting import fit
from bench.viseme_recipe.masking import masked, other_place, silenced
from phonoscope.core.visemes import NOT_SCORED, VISEMES
from phonoscope.models.viseme_graph import AHEAD, HIDDEN
from phonoscope.models.viseme_rows import BANKS, MEAN, MEMORY, levelled, rows_of
from phonoscope.tasks.visemes.networks.gru import VisemeGru
from phonoscope.tasks.visemes.spoken import Spoken

RATE = 2.5e-3
TRUSTED = 0.5  # part of the target that the teacher says where it is known what is said,
ALONE = 0.7  # and how much a row counts of which only the teacher knows anything
SMOOTHED = 0.05  # of what is known
EARS = 0.2  # how much it counts what the first GRU tells of the ears' states
EARLY = 1  # steps after which it tells them
WARM, OFF = 0.5, (0.7, 0.3)  # part of the pieces from the midst of something heard; by how much its mean is off


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """N pieces of 300 rows."""

    levels: np.ndarray  # (N, 2, 300, 80) float16, in two places
    visemes: np.ndarray  # (N, 300) int8
    told: np.ndarray  # (N, 300, 15) float16, by the teacher
    states: np.ndarray  # (N, 150, 126) float16, by the ears, of every other row


class Pupil(nn.Module):
    """The network, and a head over its first GRU that tells the ears' states and is thrown away."""

    def __init__(self) -> None:
        super().__init__()
        self.network = VisemeGru()
        self.ears = nn.Linear(HIDDEN, STATES)


def learnt(lessons: Lessons, chosen_by: Sequence[Spoken], steps: int) -> VisemeGru:
    """The network; the best is chosen by whole sounds."""
    pupil = Pupil()

    def loss(chosen: np.ndarray, rng: np.random.Generator) -> Tensor:
        rows, target, states = _batch(lessons, chosen, rng)
        begun = pupil.network.begun(rows)
        said = functional.log_softmax(pupil.network.rest(begun, rows.shape[1]), 2)
        heard = functional.log_softmax(pupil.ears(begun[:, EARLY : EARLY + states.shape[1]]), 2)
        counted = said.shape[1] - AHEAD
        visemes = -(target * said)[:, :counted].sum() / (len(rows) * counted)
        return visemes - EARS * (states * heard).sum() / (len(rows) * states.shape[1])

    sounds = [(torch.from_numpy(rows_of(it.audio / np.float32(32768)))[None], it.rows) for it in chosen_by]

    @torch.no_grad()
    def judged(network: Pupil) -> float:
        right = [network.network(rows)[0].argmax(1).numpy() == truth for rows, truth in sounds]
        scored = [truth != NOT_SCORED for _, truth in sounds]
        return float(np.concatenate(right)[np.concatenate(scored)].mean())

    return fit(pupil, len(lessons.visemes), loss, judged, steps=steps, rate=RATE).network


def _batch(lessons: Lessons, chosen: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Rows (B, 300, 80), targets (B, 300, 15) that sum to 1 or less, and states (B, 150, 126)."""
    levels = lessons.levels[chosen, rng.integers(0, 2, len(chosen))].astype(np.float32)
    visemes, told = lessons.visemes[chosen].astype(np.int64), lessons.told[chosen].astype(np.float32)
    levels = other_place(levels, rng)
    silenced(levels, visemes, told, rng)
    mean = np.full((len(chosen), BANKS), MEAN, np.float32)
    warm = rng.random(len(chosen)) < WARM
    off = rng.normal(0, OFF[0], (len(chosen), 1)) + rng.normal(0, OFF[1], mean.shape)
    mean[warm] = (levels.mean(1) + off)[warm]
    rows = np.empty_like(levels)
    for some, heard in ((warm, MEMORY), (~warm, 0)):
        if some.any():
            rows[some] = levelled(levels[some].transpose(1, 0, 2), mean[some], heard)[0].transpose(1, 0, 2)
    known = (visemes != NOT_SCORED)[..., None]
    truth = np.eye(len(VISEMES), dtype=np.float32)[np.maximum(visemes, 0)] * (1 - SMOOTHED) + SMOOTHED / len(VISEMES)
    target = np.where(known, (1 - TRUSTED) * truth + TRUSTED * told, ALONE * told).astype(np.float32)
    states = torch.from_numpy(lessons.states[chosen].astype(np.float32))
    return torch.from_numpy(masked(rows, rng)), torch.from_numpy(target), states
