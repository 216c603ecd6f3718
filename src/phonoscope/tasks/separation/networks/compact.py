"""Compact: a separator of our own that goes by lips, of a few hundred thousand numbers, in PyTorch.

The spectrum is split into bands, narrow ones where voices have their harmonics. Layers that all bands share look along
time, layers that all times share look across bands. Half of them hear the mixture, once; the others are shown one face
each and hear for that one alone, so that there may be any number, and none has to be put in order.
"""

import math
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from phonoscope.models.backends.compact import DEVIATION, EXPONENT, FAINT, FRAME, window
from phonoscope.models.backends.compact_graph import BANDS, HOP, LIP_TAPS, REACHES, TAPS, WINDOW

SLOTS = 4  # voices that a blind network can tell apart, at most


class Compact(nn.Module):
    """Separates voices by lips: one voice a face, in the order of the faces."""

    window: Tensor

    def __init__(self, lips: int = 35, width: int = 24, seen: int = 48, blind: bool = False) -> None:
        """A network with fresh weights.

        Args:
            lips: numbers of a row of a face.
            width: numbers that each band is told by.
            seen: numbers that lips are told by.
            blind: it is shown no faces, whatever it is given, and its voices come in an order of their own.
        """
        super().__init__()
        self.bands = len(BANDS) - 1
        self.split = nn.ModuleList([nn.Linear(3 * (stop - start), width) for start, stop in pairwise(BANDS)])
        self.trunk = nn.ModuleList([Layer(width, self.bands, reach) for reach in REACHES[0]])
        self.heads = nn.ModuleList([Layer(width, self.bands, reach) for reach in REACHES[1]])
        self.lips = None if blind else Lips(lips, seen)
        self.slots = nn.Parameter(torch.randn(SLOTS, seen)) if blind else None
        self.shown = nn.ModuleList([nn.Linear(2 * seen, 2 * self.bands * width) for _ in range(2)])
        self.norm = nn.LayerNorm(width)
        self.masks = nn.ModuleList([_half(width, stop - start) for start, stop in pairwise(BANDS)])
        self.register_buffer("window", torch.from_numpy(window()), persistent=False)

    def forward(self, sound: Tensor, lips: Tensor) -> Tensor:
        """Voices (B, S, N) of sound (B, N) at 16 kHz, N = 640 T, and lips (B, S, T, D), NaN where a face is not seen.

        Raises:
            ValueError: they are not of the same frames.
        """
        count, samples = sound.shape
        if samples != FRAME * lips.shape[2]:
            raise ValueError(f"{lips.shape[2]} rows of lips want {FRAME * lips.shape[2]} samples, got {samples}")
        level = sound.square().mean(1, keepdim=True).sqrt() + FAINT
        spectrum = torch.stft(
            sound / level, WINDOW, HOP, window=self.window, pad_mode="constant", return_complex=True
        ).transpose(1, 2)  # (B, J, 321)
        masks = self.masked(told(spectrum), lips)
        parts = torch.complex(masks[..., 0], masks[..., 1]) * spectrum[:, None]
        made = torch.istft(parts.flatten(0, 1).transpose(1, 2), WINDOW, HOP, window=self.window, length=samples)
        return made.view(count, -1, samples) * level[:, None]

    def masked(self, heard: Tensor, lips: Tensor) -> Tensor:
        """Complex masks (B, S, J, 321, 2) of what is `told` of a spectrum (B, J, 321, 3)."""
        faces = lips.shape[1]
        seen = self._seen(lips, heard.shape[1])
        others = seen.sum(1, keepdim=True) - seen
        face = torch.cat([seen, others], -1).flatten(0, 1)  # (B S, J, 2E)
        bands = [
            layer(heard[:, :, start:stop].flatten(2))
            for layer, (start, stop) in zip(self.split, pairwise(BANDS), strict=True)
        ]
        values = torch.stack(bands, 2)  # (B, J, K, C)
        for layer in self.trunk:
            values = layer(values)
        values = values.repeat_interleave(faces, 0)
        for number, layer in enumerate(self.heads):
            if number % 2 == 0:
                gain, shift = self.shown[number // 2](face).unflatten(2, (2, self.bands, -1)).unbind(2)
                values = values * (1 + gain) + shift
            values = layer(values)
        values = self.norm(values)
        made = [layer(values[:, :, band]).unflatten(2, (-1, 2)) for band, layer in enumerate(self.masks)]
        return torch.cat(made, 2).unflatten(0, (-1, faces))

    def _seen(self, lips: Tensor, rows: int) -> Tensor:
        """What is seen of each face, (B, S, J, E); of a blind network, which voice it is."""
        count, faces = lips.shape[:2]
        if self.slots is not None:
            return self.slots[None, :faces, None].expand(count, -1, rows, -1)
        return cast("Lips", self.lips)(lips)


def _half(width: int, bins: int) -> nn.Linear:
    """Masks of bins, real and imaginary part; at first every voice is half of the mixture, whatever is heard."""
    made = nn.Linear(width, 2 * bins)
    nn.init.normal_(made.weight, 0, 0.1 / math.sqrt(width))
    made.bias.data = torch.tensor([0.5, 0.0]).repeat(bins)
    return made


class Layer(nn.Module):
    """Looks along time in each band, then across bands at each time."""

    def __init__(self, width: int, bands: int, reach: int) -> None:
        super().__init__()
        self.reach = reach
        self.before, self.across = nn.LayerNorm(width), nn.LayerNorm(width)
        self.time = nn.ModuleList([nn.Linear(TAPS * width, 2 * width), nn.Linear(2 * width, width)])
        self.band = nn.ModuleList([nn.Linear(bands, 2 * bands), nn.Linear(2 * bands, bands)])

    def forward(self, values: Tensor) -> Tensor:
        """Values (B, J, K, C) in, and out."""
        first, second = self.time
        values = values + second(first(beside(self.before(values), self.reach)).relu())
        first, second = self.band
        return values + second(first(self.across(values).transpose(2, 3)).relu()).transpose(2, 3)


class Lips(nn.Module):
    """Tells what lips do, whoever's they are."""

    def __init__(self, lips: int, seen: int) -> None:
        super().__init__()
        self.first = nn.Linear(lips + 1, seen)
        self.frames, self.rows = nn.Linear(LIP_TAPS * seen, seen), nn.Linear(LIP_TAPS * seen, seen)

    def forward(self, lips: Tensor) -> Tensor:
        """Rows (B, S, 2T + 1, E) of lips (B, S, T, D), NaN where they are not seen."""
        count = lips.shape[0]
        values = self.first(evened(lips).flatten(0, 1)).relu()
        values = values + self.frames(beside(values, 1, LIP_TAPS)).relu()
        values = values.repeat_interleave(2, 1)
        values = torch.cat([values, values[:, -1:]], 1)
        values = values + self.rows(beside(values, 1, LIP_TAPS)).relu()
        return values.unflatten(0, (count, -1))


def told(spectrum: Tensor) -> Tensor:
    """What is heard of a spectrum (B, J, F) complex: compressed size, real and imaginary part, (B, J, F, 3)."""
    size = spectrum.abs() + FAINT
    small = size**EXPONENT
    return torch.stack([small, small * spectrum.real / size, small * spectrum.imag / size], -1)


def evened(lips: Tensor) -> Tensor:
    """Lips (B, S, T, D) of mean 0 and deviation 1 each, and whether they are seen: (B, S, T, D + 1), all finite."""
    seen = torch.isfinite(lips).all(3, keepdim=True)
    many = seen.sum(2, keepdim=True).clamp(min=1)
    values = torch.where(seen, lips, 0.0)
    values = torch.where(seen, values - values.sum(2, keepdim=True) / many, 0.0)
    deviation = (values.square().sum(2, keepdim=True) / many).sqrt() + DEVIATION
    return torch.cat([values / deviation, seen.to(values)], 3)


def beside(values: Tensor, reach: int, taps: int = TAPS) -> Tensor:
    """Values (B, J, …, C) with those before and after them, `reach` rows apart, (B, J, …, taps · C); zeros beyond."""
    rows, around = values.shape[1], reach * (taps // 2)
    padded = pad(values, [0, 0] * (values.dim() - 2) + [around, around])
    return torch.cat([padded[:, reach * tap : reach * tap + rows] for tap in range(taps)], -1)
