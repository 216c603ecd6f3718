"""LR-ASD: four small convolutions a block, gated fusion, two gated recurrent units; 0.84 M parameters."""

import torch
from torch import Tensor, nn

from phonoscope.tasks.asd.networks.heads import Head, Logits
from phonoscope.tasks.asd.networks.layers import AudioEncoder, VisualEncoder, checked, flat, solid


class LrAsd(nn.Module):
    """Judges every frame of clips; while it evaluates, nothing passes from one clip of a batch to another.

    Source: Liao et al., "LR-ASD: lightweight and robust network for active speaker detection", IJCV 2025; parameters
    are named as in its authors' code (MIT), so that their weights load.
    """

    def __init__(self) -> None:
        super().__init__()
        self.model = _Trunk()
        self.lossAV, self.lossV = Head(128), Head(128)

    def forward(self, mfcc: Tensor, faces: Tensor) -> Logits:
        """Logits from MFCC (B, 4T, 13) float32 and faces (B, T, H, W) float32, 0 to 255.

        Raises:
            ValueError: they do not belong together.
        """
        mfcc, faces = checked(mfcc, faces)
        heard, seen = self.model.audioEncoder(mfcc), self.model.visualEncoder(faces)
        return Logits(self.lossAV(self.model(heard, seen)), video=self.lossV(seen))


class _Trunk(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        seen = _SeenBlock(1, 16, 32, stride=2), _SeenBlock(32, 32, 64), _SeenBlock(64, 64, 128)
        heard = _HeardBlock(1, 16, 32), _HeardBlock(32, 32, 64), _HeardBlock(64, 64, 128)
        self.visualEncoder, self.audioEncoder = VisualEncoder(*seen), AudioEncoder(*heard)
        self.fusion, self.detector = _Gate(256), _Detector()

    def forward(self, heard: Tensor, seen: Tensor) -> Tensor:
        """What the embeddings (B, T, 128) of both say together, (B, T, 128)."""
        return self.detector(self.fusion(torch.cat([heard, seen], 2)))


class _SeenBlock(nn.Module):
    """Two convolutions over space, then two over time: (B, given, T, H, W) to (B, full, T, H, W)."""

    def __init__(self, given: int, half: int, full: int, stride: int = 1) -> None:
        super().__init__()
        self.s_1, self.s_norm_1 = solid(given, half, (1, 5, 5), stride)
        self.s_2, self.s_norm_2 = solid(half, full, (1, 3, 3))
        self.t_1, self.t_norm_1 = solid(full, full, (5, 1, 1))
        self.t_2, self.t_norm_2 = solid(full, full, (3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.s_norm_1(self.s_1(x)))
        x = torch.relu(self.s_norm_2(self.s_2(x)))
        x = torch.relu(self.t_norm_1(self.t_1(x)))
        return torch.relu(self.t_norm_2(self.t_2(x)))


class _HeardBlock(nn.Module):
    """Two convolutions over MFCC coefficients, then two over time: (B, given, 13, T) to (B, full, 13, T)."""

    def __init__(self, given: int, half: int, full: int) -> None:
        super().__init__()
        self.m_1, self.m_norm_1 = flat(given, half, (5, 1))
        self.m_2, self.m_norm_2 = flat(half, full, (3, 1))
        self.t_1, self.t_norm_1 = flat(full, full, (1, 5))
        self.t_2, self.t_norm_2 = flat(full, full, (1, 3))

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.m_norm_1(self.m_1(x)))
        x = torch.relu(self.m_norm_2(self.m_2(x)))
        x = torch.relu(self.t_norm_1(self.t_1(x)))
        return torch.relu(self.t_norm_2(self.t_2(x)))


class _Gate(nn.Module):
    """Each of the features (B, T, width) times how much it matters, in (0, 1)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = nn.Conv1d(width, width, 1, bias=False)
        self.bn = nn.BatchNorm1d(width, 1e-3, 0.01)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.bn(self.attention(x.transpose(1, 2)))).transpose(1, 2)


class _Detector(nn.Module):
    """What came before and what comes after, (B, T, 256) to (B, T, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.gru_forward = nn.GRU(256, 64, batch_first=True)
        self.gru_backward = nn.GRU(256, 64, batch_first=True)
        self.dropout = nn.Dropout(0.5)
        self.attention = _Gate(128)

    def forward(self, x: Tensor) -> Tensor:
        before, _ = self.gru_forward(self.dropout(x))
        after, _ = self.gru_backward(self.dropout(x).flip(1))
        return self.attention(torch.cat([before, after.flip(1)], 2))
