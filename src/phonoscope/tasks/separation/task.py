"""Telling voices apart, as a task for the training loop, in PyTorch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from phonoscope.core.masks import complex_ratio_mask, compressed
from phonoscope.data.split import TEST
from phonoscope.models.backends.looking_to_listen import masked, parts, spectrum_of
from phonoscope.tasks.separation.examples import Batches, Material, Mixed
from phonoscope.tasks.separation.judging import Gain, Separate, figures, gains
from phonoscope.tasks.separation.losses import (
    discriminative_costs,
    in_order,
    mask_costs,
    si_sdr_costs,
)
from phonoscope.tasks.separation.networks.registry import entry, network
from phonoscope.tasks.separation.params import ExamplesParams, ObjectiveParams
from phonoscope.train.task import Loss, Task

Figures = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True, eq=False)
class SeparationBatch:
    """B mixtures of P voices, N samples and V frames long."""

    sound: Tensor  # (B, N) float32
    voices: Tensor  # (B, P, N) float32
    faces: Tensor  # (B, P, V, D) float32, NaN where a face is not seen
    spectrum: Tensor  # (B, T, 257, 2) float32; (0,) for networks that make voices
    masks: Tensor  # (B, T, 257, 2, P) float32, the true ones, compressed; (0,) alike

    def to(self, place: torch.device) -> "SeparationBatch":
        """The same on another device."""
        return SeparationBatch(*(getattr(self, it.name).to(place, non_blocking=True) for it in fields(self)))


def batch_of(them: Sequence[Mixed], masks: bool) -> SeparationBatch:
    """Mixtures as tensors; with spectra and masks if wanted."""
    sound, voices, faces = (np.stack([getattr(it, name) for it in them]) for name in ("sound", "voices", "rows"))
    spectrum = true = np.zeros(0, np.float32)
    if masks:
        spectrum = np.stack([parts(spectrum_of(it.sound)) for it in them])
        true = np.stack([true_masks(it) for it in them])
    return SeparationBatch(*(torch.from_numpy(it) for it in (sound, voices, faces, spectrum, true)))


def true_masks(it: Mixed) -> np.ndarray:
    """The compressed masks (T, 257, 2, P) float32 that make its voices of a mixture."""
    whole = spectrum_of(it.sound)
    return np.stack([parts(compressed(complex_ratio_mask(spectrum_of(one), whole))) for one in it.voices], -1)


def separation_task(
    model: str,
    material: Material,
    examples: ExamplesParams,
    objective: ObjectiveParams,
    *,
    shape: Mapping[str, Any],
    seed: int = 0,
    blind: bool = False,
    begin: Callable[[nn.Module], object] = lambda made: None,
    about: Callable[[Figures], dict[str, Any]] = lambda found: {"figures": found},
) -> Task:
    """The task of training a network on mixtures; the best model is that with the highest SI-SDRi on validation.

    Args:
        model: the network's name.
        shape: what the network's constructor takes.
        seed: of the mixtures of training, beside `examples.mix_seed`.
        blind: it is shown no faces.
        begin: puts weights into a fresh network, see `begin_with`.
        about: what the file of weights says of itself, given the figures of the splits.
    """
    masks = entry(model).makes == "masks"

    def build() -> nn.Module:
        made = network(model, **shape)
        begin(made)
        return made

    return Task(
        build=build,
        examples=lambda split, epoch: Batches(
            material, split, epoch, examples, seed, lambda them: batch_of(them, masks)
        ),
        forward=lambda made, batch: answer(made, batch, masks, blind),
        loss=lambda said, batch, epoch: loss(said, batch, objective),
        predict=lambda said, batch: predicted(said, batch, objective.any_order),
        score=lambda told: figures([it for batch in told for it in batch]),
        best="si_sdri_db",
        tested=len(material.people.get(TEST, ())) >= examples.speakers,
        about=about,
    )


def answer(made: nn.Module, batch: SeparationBatch, masks: bool, blind: bool) -> Tensor:
    """What a network makes of a batch: masks (B, T, 257, 2, P), or voices (B, P, N)."""
    faces = torch.full_like(batch.faces, torch.nan) if blind else batch.faces
    return made(batch.spectrum if masks else batch.sound, faces)


def loss(said: Tensor, batch: SeparationBatch, p: ObjectiveParams) -> Loss:
    """The loss of a batch, a mean over its mixtures."""
    if p.objective == "si-sdr":
        costs = si_sdr_costs(said, batch.voices, batch.sound, p.limit_db)
        total = in_order(costs, p.any_order).mean()
    elif p.objective == "discriminative":
        costs = discriminative_costs(mask_costs(said, batch.masks), p.gamma)
        total = in_order(costs, p.any_order).sum(1).mean()
    else:
        total = in_order(mask_costs(said, batch.masks), p.any_order).mean()
    return Loss(total, {}, float(len(batch.sound)))


def predicted(said: Tensor, batch: SeparationBatch, any_order: bool) -> list[Gain]:
    """What was gained by the voices that a network made."""
    sounds, voices = batch.sound.cpu().numpy(), batch.voices.cpu().numpy()
    made = said.detach().float().cpu().numpy()
    if made.ndim > 3:
        made = np.stack([masked(sound, masks) for sound, masks in zip(sounds, made, strict=True)])
    return [it for three in zip(made, voices, sounds, strict=True) for it in gains(*three, any_order)]


def separator_of(made: nn.Module, model: str, *, blind: bool = False) -> Separate:
    """What separates sound (N,) by the rows (P, T, D) of faces, with a network; its stretch is the whole of it."""
    masks = entry(model).makes == "masks"

    def separate(sound: np.ndarray, rows: np.ndarray) -> np.ndarray:
        nothing = np.zeros((len(rows), 0), np.float32)
        batch = batch_of([Mixed(sound, nothing, rows, ())], False)
        whole = spectrum_of(sound) if masks else None
        spectrum = batch.spectrum if whole is None else torch.from_numpy(parts(whole)[None])
        shown = SeparationBatch(batch.sound, batch.voices, batch.faces, spectrum, batch.masks)
        place = next(made.parameters()).device
        made.eval()
        with torch.inference_mode():
            said = answer(made, shown.to(place), masks, blind)[0].float().cpu().numpy()
        return masked(sound, said, whole) if masks else said

    return separate
