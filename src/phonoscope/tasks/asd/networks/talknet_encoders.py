"""How TalkNet sees and hears, before face and sound meet."""

import torch
from torch import Tensor, nn

from phonoscope.tasks.asd.networks.layers import flat, half_size, solid


class VisualFrontend(nn.Module):
    """Embeddings (B, T, 512) of faces (B, 1, T, 112, 112); each depends on two frames before and two after."""

    def __init__(self) -> None:
        super().__init__()
        self.frontend3D = nn.Sequential(*solid(1, 64, (5, 7, 7), 2), nn.ReLU(), half_size())
        self.resnet = _ResNet()

    def forward(self, x: Tensor) -> Tensor:
        clips, frames = x.shape[0], x.shape[2]
        pictures = self.frontend3D(x).transpose(1, 2).flatten(0, 1)
        return self.resnet(pictures).unflatten(0, (clips, frames))


class _ResNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer1, self.layer2 = _Residual(64, 64, 1), _Residual(64, 128, 2)
        self.layer3, self.layer4 = _Residual(128, 256, 2), _Residual(256, 512, 2)
        self.avgpool = nn.AvgPool2d(4)

    def forward(self, x: Tensor) -> Tensor:
        """Embeddings (N, 512) of (N, 64, 28, 28)."""
        return self.avgpool(self.layer4(self.layer3(self.layer2(self.layer1(x))))).flatten(1)


class _Residual(nn.Module):
    """Two pairs of convolutions, the second of which goes on from the first's sum before its batch norm."""

    def __init__(self, given: int, made: int, stride: int) -> None:
        super().__init__()
        self.conv1a, self.bn1a = flat(given, made, (3, 3), stride)
        self.conv2a, outbna = flat(made, made, (3, 3))
        # layer1 has these parameters too, though nothing uses them: the published files hold them
        self.downsample = nn.Conv2d(given, made, 1, stride, bias=False)
        self.outbna = outbna
        self.conv1b, self.bn1b = flat(made, made, (3, 3))
        self.conv2b, self.outbnb = flat(made, made, (3, 3))
        self.narrows = stride > 1

    def forward(self, x: Tensor) -> Tensor:
        shortcut = self.downsample(x) if self.narrows else x
        x = self.conv2a(torch.relu(self.bn1a(self.conv1a(x)))) + shortcut
        shortcut, x = x, torch.relu(self.outbna(x))
        x = self.conv2b(torch.relu(self.bn1b(self.conv1b(x)))) + shortcut
        return torch.relu(self.outbnb(x))


class VisualTcn(nn.Module):
    """Embeddings (B, T, 512) of such, that know of five frames on either side, and of the whole clip's level."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(*(_Temporal(512) for _ in range(5)))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x.transpose(1, 2)).transpose(1, 2)


class _Temporal(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.ReLU(),
            nn.BatchNorm1d(width),
            nn.Conv1d(width, width, 3, padding=1, groups=width, bias=False),
            nn.PReLU(),
            _ClipNorm(width),
            nn.Conv1d(width, width, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.net(x)


class _ClipNorm(nn.Module):
    """Each clip of (B, width, T) less its mean and over its deviation, both of all its features and frames."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(1, width, 1)), nn.Parameter(torch.zeros(1, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((1, 2), keepdim=True)
        variance = (x - mean).square().mean((1, 2), keepdim=True)
        return self.gamma * (x - mean) / (variance + 1e-8).sqrt() + self.beta


class VisualEncoder(nn.Module):
    """Embeddings (B, T, 128) of embeddings (B, T, 512), from two frames before to two after."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(512, 256, 5, padding=2), nn.BatchNorm1d(256), nn.ReLU(), nn.Conv1d(256, 128, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x.transpose(1, 2)).transpose(1, 2)


class AudioEncoder(nn.Module):
    """Embeddings (B, T, 128) of MFCC (B, 1, 13, 4T)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 7, (2, 1), 3, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1, self.layer2 = _excited(16, 16, 3), _excited(16, 32, 4, 2)
        self.layer3, self.layer4 = _excited(32, 64, 6, 2), _excited(64, 128, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer2(self.layer1(torch.relu(self.bn1(self.conv1(x)))))
        return self.layer4(self.layer3(x)).mean(2).transpose(1, 2)


def _excited(given: int, made: int, blocks: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(_Excited(given, made, stride), *(_Excited(made, made) for _ in range(blocks - 1)))


class _Excited(nn.Module):
    """A residual block that weighs its channels; here ReLU comes before the first batch norm."""

    def __init__(self, given: int, made: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(given, made, 3, stride, 1, bias=False), nn.BatchNorm2d(made)
        self.conv2, self.bn2 = nn.Conv2d(made, made, 3, 1, 1, bias=False), nn.BatchNorm2d(made)
        self.se = _Squeeze(made)
        self.downsample = None
        if given != made:
            self.downsample = nn.Sequential(nn.Conv2d(given, made, 1, stride, bias=False), nn.BatchNorm2d(made))

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.bn1(torch.relu(self.conv1(x)))
        return torch.relu(self.se(self.bn2(self.conv2(x))) + shortcut)


class _Squeeze(nn.Module):
    """Each channel of (N, C, H, W) times how much it matters, told from the means of all."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(width, width // 8), nn.ReLU(), nn.Linear(width // 8, width), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return x * self.fc(x.mean((2, 3)))[:, :, None, None]
