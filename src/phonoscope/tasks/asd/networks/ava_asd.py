"""The networks of seed 001, ava_asd: VGG-M towers for half a second of face and a fifth of a second of sound.

In these, class 0 speaks and class 1 does not.
"""

from typing import get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, max_pool3d, pad

from phonoscope.core.errors import UsageError
from phonoscope.tasks.asd.networks.heads import Logits
from phonoscope.tasks.asd.params import Mode

AV = ("s_av", "s_av_fc")  # modes that both hear and see, and so have three heads
FRAMES, SIDE = 5, 100  # video frames at 10 a second, and px of both their sides
COEFFICIENTS, ROWS = 13, 20  # MFCC at 100 a second
L2 = 1e-4  # times the squares of the decayed kernels, summed: what the loss of s_av and s_av_fc adds
HEARD, SEEN = 3072, 40960  # features of each tower, flattened


class AvaAsd(nn.Module):
    """Judges one window a clip: its last frame, at which both the faces and the sound end.

    `s_a` only hears and `s_v` only sees; `s_av` and `s_av_fc` do both, the latter with no dense layer but the last.

    Source: Roth et al., "AVA-ActiveSpeaker", arXiv 1901.01342, and Chung, "Naver at ActivityNet Challenge 2019",
    arXiv 1906.10555, as ava_asd (Tuan Chien and James Diprose, Apache-2.0) has them.
    """

    def __init__(self, mode: Mode = "s_av", channels: int = 1, dropout: float = 0.5) -> None:
        """Fresh weights, drawn as Keras draws them.

        Args:
            channels: of a pixel: 1 grey, 3 blue, green and red.
            dropout: share of the joint features that training hides.

        Raises:
            UsageError: there is no such mode, or no such pixel.
        """
        super().__init__()
        if mode not in get_args(Mode):
            raise UsageError(f"no mode '{mode}' of ava-asd; there are {', '.join(get_args(Mode))}")
        if channels not in (1, 3):
            raise UsageError(f"pixels of {channels} channels; expected 1 (grey) or 3 (blue, green, red)")
        self.mode, self.channels, dense = mode, channels, mode != "s_av_fc"
        self.audio = None if mode == "s_v" else AudioTower(dense)
        self.video = None if mode == "s_a" else VideoTower(channels, dense)
        self.dropout = nn.Dropout(dropout)
        heard, seen = (256, 256) if dense else (HEARD, SEEN)
        if mode in AV:
            self.a_out, self.v_out = nn.Linear(heard, 2), nn.Linear(seen, 2)
        self.fc1 = nn.Linear(512, 512) if mode == "s_av" else None  # as wide as both towers together
        self.main_out = nn.Linear(heard + seen if mode in AV else 256, 2)
        for layer in self.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d | nn.Conv3d):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.get_parameter("bias"))

    def forward(self, mfcc: Tensor | None, faces: Tensor | None) -> Logits:
        """Logits (B, 2) of every head, class 0 speaks; the answer, Keras's `main_out`, is their `av` in each mode.

        Args:
            mfcc: (B, 13, 20) float32, each coefficient less the film's mean and over its deviation; None for `s_v`.
            faces: (B, 5, 100, 100, channels) float32, 0 to 255, or grey ones (B, 5, 100, 100); None for `s_a`.

        Raises:
            ValueError: they are of other shapes.
        """
        heard = self.audio(mfcc) if self.audio is not None else None
        seen = self.video(faces) if self.video is not None else None
        if heard is None or seen is None:
            return Logits(self.main_out(seen if heard is None else heard))
        x = self.dropout(torch.cat([heard, seen], 1))
        if self.fc1 is not None:
            x = self.dropout(torch.relu(self.fc1(x)))
        return Logits(self.main_out(x), self.a_out(heard), self.v_out(seen))

    def decayed(self) -> list[Tensor]:
        """The kernels of which `L2` times the sum of squares is added to the loss: of all convolutions, in AV nets."""
        if self.mode not in AV:
            return []
        return [layer.weight for layer in self.modules() if isinstance(layer, nn.Conv2d | nn.Conv3d)]


def outputs(logits: Logits) -> tuple[Tensor, ...]:
    """The heads in the order of the seed: audio, video, main; main alone where there is no other."""
    return tuple(head for head in (logits.audio, logits.video, logits.av) if head is not None)


class AudioTower(nn.Module):
    """Features (B, 256), or (B, 3072) if not `dense`, of MFCC (B, 13, 20)."""

    def __init__(self, dense: bool = True) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 64, 3), nn.Conv2d(64, 192, 3)
        self.conv3, self.conv4 = nn.Conv2d(192, 384, 3), nn.Conv2d(384, 256, 3)
        self.conv5, self.conv6 = nn.Conv2d(256, 256, 3), nn.Conv2d(256, 512, (5, 4))
        self.fc7 = nn.Linear(HEARD, 256) if dense else None

    def forward(self, mfcc: Tensor | None) -> Tensor:
        if mfcc is None or mfcc.shape[1:] != (COEFFICIENTS, ROWS):
            given = None if mfcc is None else tuple(mfcc.shape)
            raise ValueError(f"expected MFCC (B, {COEFFICIENTS}, {ROWS}), got {given}")
        x = _thirds(_same(self.conv2, _same(self.conv1, mfcc.unsqueeze(1))))
        x = _same(self.conv5, _same(self.conv4, _same(self.conv3, x)))
        return _features(_same(self.conv6, _thirds(x)), self.fc7)


class VideoTower(nn.Module):
    """Features (B, 256), or (B, 40960) if not `dense`, of faces (B, 5, 100, 100[, channels]) of 0 to 255."""

    def __init__(self, channels: int = 1, dense: bool = True) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv3d(channels, 96, (5, 7, 7)), nn.Conv3d(96, 256, (1, 5, 5))
        self.conv3, self.conv4 = nn.Conv3d(256, 256, (1, 3, 3)), nn.Conv3d(256, 256, (1, 3, 3))
        self.conv5, self.conv6 = nn.Conv3d(256, 256, (1, 3, 3)), nn.Conv3d(256, 512, (1, 6, 6))
        self.fc7 = nn.Linear(SEEN, 256) if dense else None

    def forward(self, faces: Tensor | None) -> Tensor:
        channels = self.conv1.in_channels
        pixels = faces.unsqueeze(4).expand(*faces.shape, channels) if faces is not None and faces.ndim == 4 else faces
        wanted = (FRAMES, SIDE, SIDE, channels)
        if pixels is None or pixels.shape[1:] != wanted:
            given = None if faces is None else tuple(faces.shape)
            raise ValueError(f"expected faces (B, {', '.join(map(str, wanted))}), got {given}")
        x = _thirds(_same(self.conv1, pixels.movedim(4, 1) / 255))
        x = _same(self.conv3, _thirds(_same(self.conv2, x)))
        x = _thirds(_same(self.conv5, _same(self.conv4, x)))
        return _features(_same(self.conv6, x), self.fc7)


def _same(convolution: nn.Conv2d | nn.Conv3d, x: Tensor) -> Tensor:
    """A convolution that keeps sizes, then ReLU; of an even kernel, Keras's "same" lacks the one before, not after."""
    margins = [side for size in reversed(convolution.kernel_size) for side in ((size - 1) // 2, size // 2)]
    return torch.relu(convolution(pad(x, margins)))


def _thirds(x: Tensor) -> Tensor:
    """The largest of every 3 × 3 of the last two axes, as Keras's "same" lays them: what is over is split, more after.

    Zeros around stand for nothing, as no feature is below zero.
    """
    height, width = (-size % 3 for size in x.shape[-2:])
    x = pad(x, (width // 2, width - width // 2, height // 2, height - height // 2))
    return max_pool2d(x, 3) if x.ndim == 4 else max_pool3d(x, (1, 3, 3))


def _features(x: Tensor, dense: nn.Linear | None) -> Tensor:
    """All features of (B, C, …) in a row, channels running fastest, as Keras lays them; then the dense layer."""
    flat = x.movedim(1, -1).flatten(1)
    return flat if dense is None else torch.relu(dense(flat))
