"""Tiny: how far what a mouth does and what is heard go together, over a second and over two and a half; 0.12 M numbers."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv1d, pad

from phonoscope.tasks.asd.networks.heads import Head, Logits
from phonoscope.tasks.asd.networks.layers import checked

WIDTH = 32  # features of what is seen, and of what is heard, that are compared with each other
REACHES = (12, 30)  # frames on either side over which they are compared
UPPER, SIDE = 8, 4  # px of the halved face, of 56: what lies above (eyes), and on either side, is not looked at
SOUND_MEAN = (14.0, 0.0)  # of MFCC: of the first, which tells how loud it is, and of all others
SOUND_DEVIATION = (5.0, 12.0)
SLIGHT = 0.05  # variance below which a feature counts as still


class Tiny(nn.Module):
    """Judges every frame of clips from 38 frames around it and no others.

    Small convolutions see the lower face and how it has changed, others hear MFCC; `WIDTH` features of both are
    correlated over windows of 25 and 61 frames. A last convolution weighs these with how much each varies.
    """

    def __init__(self) -> None:
        super().__init__()
        self.see, self.hear = _See(), _Hear()
        self.compare = nn.Sequential(
            nn.Conv1d(len(REACHES) * 3 * WIDTH + 2 * WIDTH, 32, 5, padding=2), nn.ReLU(), nn.Dropout(0.2)
        )
        self.lossAV, self.lossA, self.lossV = Head(32), Head(WIDTH), Head(WIDTH)

    def forward(self, mfcc: Tensor, faces: Tensor) -> Logits:
        """Logits from MFCC (B, 4T, 13) float32 and faces (B, T, 112, 112) float32, 0 to 255.

        Raises:
            ValueError: they do not belong together.
        """
        checked(mfcc, faces)
        return self.judged(mfcc, avg_pool2d(faces, 2))

    def judged(self, mfcc: Tensor, halved: Tensor) -> Logits:
        """The same from faces of half the size, (B, T, 56, 56)."""
        seen, heard = self.see(halved), self.hear(mfcc)
        told = [together(seen, heard, reach) for reach in REACHES]
        found = self.compare(torch.cat([*told, seen, heard], 1)).transpose(1, 2)
        return Logits(
            self.lossAV(found), self.lossA(torch.relu(heard.transpose(1, 2))), self.lossV(torch.relu(seen.transpose(1, 2)))
        )


class _See(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = _convolution(2, 12, 5, stride=2)  # 24 × 24 px
        self.second = nn.Sequential(_convolution(12, 12, 3, stride=2, groups=12), _convolution(12, 24, 1))
        self.third = nn.Sequential(_convolution(24, 24, 3, stride=2, groups=24), _convolution(24, 32, 1))
        self.places = nn.Conv1d(32 * 36, 48, 1)
        self.over_time = nn.Sequential(nn.BatchNorm1d(48), nn.ReLU(), nn.Conv1d(48, WIDTH, 5, padding=2))

    def forward(self, halved: Tensor) -> Tensor:
        """Features (B, WIDTH, T) of faces (B, T, 56, 56), 0 to 255."""
        count, frames = halved.shape[:2]
        small = halved[:, :, UPPER:, SIDE:-SIDE]  # (B, T, 48, 48)
        mean = small.mean((2, 3), keepdim=True)
        even = (small - mean) / ((small - mean).square().mean((2, 3), keepdim=True) + 25).sqrt()
        change = 4 * (even - torch.cat([even[:, :1], even[:, :-1]], 1))
        x = torch.stack([even, change], 2).flatten(0, 1)  # (B T, 2, 48, 48)
        x = self.third(self.second(self.first(x))).reshape(count, frames, -1).transpose(1, 2)
        return self.over_time(self.places(x))


class _Hear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rows = nn.Sequential(nn.Conv1d(13, 32, 5, padding=2), nn.BatchNorm1d(32), nn.ReLU())
        self.frames = nn.Sequential(nn.Conv1d(32, 48, 4, stride=4), nn.BatchNorm1d(48), nn.ReLU())
        self.over_time = nn.Conv1d(48, WIDTH, 5, padding=2)

    def forward(self, mfcc: Tensor) -> Tensor:
        """Features (B, WIDTH, T) of MFCC (B, 4T, 13)."""
        mean, deviation = (mfcc.new_tensor([first, *[rest] * 12]) for first, rest in (SOUND_MEAN, SOUND_DEVIATION))
        return self.over_time(self.frames(self.rows(((mfcc - mean) / deviation).transpose(1, 2))))


def _convolution(given: int, made: int, size: int, stride: int = 1, groups: int = 1) -> nn.Module:
    inner = nn.Conv2d(given, made, size, stride, size // 2, groups=groups, bias=False)
    return nn.Sequential(inner, nn.BatchNorm2d(made), nn.ReLU())


def together(seen: Tensor, heard: Tensor, reach: int) -> Tensor:
    """Correlations around each frame, and how much both vary (log), (B, 3 C, T), of two features (B, C, T)."""
    width = seen.shape[1]
    means = around(torch.cat([seen, heard, seen * seen, heard * heard, seen * heard], 1), reach)
    a, b, aa, bb, ab = means.split(width, 1)
    vary_a, vary_b = (aa - a * a).clamp(min=0) + SLIGHT, (bb - b * b).clamp(min=0) + SLIGHT
    return torch.cat([(ab - a * b) / (vary_a * vary_b).sqrt(), vary_a.log(), vary_b.log()], 1)


def around(values: Tensor, reach: int) -> Tensor:
    """Means (B, C, T) of values (B, C, T) around each frame, weighted by a Hann window; nothing lies beyond the ends."""
    bell = torch.hann_window(2 * reach + 3, periodic=False, dtype=values.dtype)[1:-1][None, None]
    padded = pad(values, (reach, reach)).flatten(0, 1)[:, None]
    weights = conv1d(pad(torch.ones_like(values[:1, :1]), (reach, reach)), bell)
    return conv1d(padded, bell)[:, 0].reshape(values.shape) / weights
