"""What the published networks have in common: how they see pixels, convolutions with their batch norm, encoders."""

from torch import Tensor, nn
from torch.nn.functional import conv2d

EPS, MOMENTUM = 1e-3, 0.01  # of every batch norm after a convolution of an encoder
MEAN, DEVIATION = 0.4161, 0.1688  # of the pixels of AVA's faces, in [0, 1]


def checked(mfcc: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
    """MFCC (B, 1, 13, 4T) and standardised faces (B, 1, T, H, W), as the encoders want what a network is given.

    Raises:
        ValueError: these are not MFCC (B, 4T, 13) and faces (B, T, H, W) of the same clips.
    """
    if faces.ndim != 4 or mfcc.shape != (faces.shape[0], 4 * faces.shape[1], 13):
        given = f"{tuple(mfcc.shape)} and {tuple(faces.shape)}"
        raise ValueError(f"expected MFCC (B, 4T, 13) and faces (B, T, H, W) of the same clips, got {given}")
    return mfcc.transpose(1, 2).unsqueeze(1), ((faces / 255 - MEAN) / DEVIATION).unsqueeze(1)


def flat(given: int, made: int, kernel: tuple[int, int], stride: int | tuple[int, int] = 1) -> tuple[nn.Module, ...]:
    """A convolution over two axes, without bias, that keeps sizes at stride 1, and its batch norm."""
    reach = (kernel[0] // 2, kernel[1] // 2)
    return nn.Conv2d(given, made, kernel, stride, reach, bias=False), nn.BatchNorm2d(made, EPS, MOMENTUM)


def solid(given: int, made: int, kernel: tuple[int, int, int], stride: int = 1) -> tuple[nn.Module, ...]:
    """A convolution over time, height and width, without bias, with a stride in space, and its batch norm."""
    reach = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
    convolve = nn.Conv3d if kernel[0] > 1 and kernel[1] > 1 else _Sheet
    return convolve(given, made, kernel, (1, stride, stride), reach, bias=False), nn.BatchNorm3d(made, EPS, MOMENTUM)


class _Sheet(nn.Conv3d):
    """A convolution over space alone or over time alone; run in two dimensions, it trains in half the time on a CPU."""

    def forward(self, input: Tensor) -> Tensor:  # the name that torch gives it
        clips, frames, height = input.shape[0], input.shape[2], input.shape[3]
        if self.kernel_size[1] > 1:
            pictures = input.transpose(1, 2).flatten(0, 1)
            made = conv2d(pictures, self.weight[:, :, 0], None, self.stride[1:], self.padding[1:])
            return made.unflatten(0, (clips, frames)).transpose(1, 2)
        made = conv2d(input.flatten(3), self.weight[..., 0], None, 1, (int(self.padding[0]), 0))
        return made.unflatten(3, (height, -1))


def half_size() -> nn.Module:
    """A pool that halves height and width of (B, C, T, H, W)."""
    return nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))


class VisualEncoder(nn.Module):
    """Three blocks from faces (B, 1, T, H, W) to C features; between them height and width are halved."""

    def __init__(self, block1: nn.Module, block2: nn.Module, block3: nn.Module) -> None:
        super().__init__()
        self.block1, self.block2, self.block3 = block1, block2, block3
        self.pool = half_size()

    def forward(self, x: Tensor) -> Tensor:
        """Embeddings (B, T, C) of faces (B, 1, T, H, W)."""
        x = self.block3(self.pool(self.block2(self.pool(self.block1(x)))))
        return x.amax((3, 4)).transpose(1, 2)


class AudioEncoder(nn.Module):
    """Three blocks from MFCC (B, 1, 13, 4T) to C features; between them time is halved, down to that of the faces."""

    def __init__(self, block1: nn.Module, block2: nn.Module, block3: nn.Module) -> None:
        super().__init__()
        self.block1, self.block2, self.block3 = block1, block2, block3
        self.pool = nn.MaxPool2d((1, 3), (1, 2), (0, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Embeddings (B, T, C) of MFCC (B, 1, 13, 4T)."""
        x = self.block3(self.pool(self.block2(self.pool(self.block1(x)))))
        return x.mean(2).transpose(1, 2)
