"""Light-ASD: two parallel paths a block, recurrent in both directions; 1.02 M parameters."""

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from phonoscope.tasks.asd.networks.heads import Head, Logits
from phonoscope.tasks.asd.networks.layers import AudioEncoder, VisualEncoder, checked, flat, solid


class LightAsd(nn.Module):
    """Judges every frame of clips; while it evaluates, nothing passes from one clip of a batch to another.

    Source: Liao et al., "A light weight model for active speaker detection", CVPR 2023; parameters are named as in
    its authors' code (MIT), so that their weights load.
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
        seen = _SeenBlock(1, 32, stride=2), _SeenBlock(32, 64), _SeenBlock(64, 128)
        heard = _HeardBlock(1, 32), _HeardBlock(32, 64), _HeardBlock(64, 128)
        self.visualEncoder, self.audioEncoder, self.GRU = VisualEncoder(*seen), AudioEncoder(*heard), _Detector()

    def forward(self, heard: Tensor, seen: Tensor) -> Tensor:
        """What the embeddings (B, T, 128) of both say together, (B, T, 128)."""
        return self.GRU(heard + seen)


class _SeenBlock(nn.Module):
    """Space, then time, over 3 and over 5 of each, side by side: (B, given, T, H, W) to (B, made, T, H, W)."""

    def __init__(self, given: int, made: int, stride: int = 1) -> None:
        super().__init__()
        self.s_3, self.bn_s_3 = solid(given, made, (1, 3, 3), stride)
        self.t_3, self.bn_t_3 = solid(made, made, (3, 1, 1))
        self.s_5, self.bn_s_5 = solid(given, made, (1, 5, 5), stride)
        self.t_5, self.bn_t_5 = solid(made, made, (5, 1, 1))
        self.last, self.bn_last = solid(made, made, (1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x_3 = torch.relu(self.bn_t_3(self.t_3(torch.relu(self.bn_s_3(self.s_3(x))))))
        x_5 = torch.relu(self.bn_t_5(self.t_5(torch.relu(self.bn_s_5(self.s_5(x))))))
        return torch.relu(self.bn_last(self.last(x_3 + x_5)))


class _HeardBlock(nn.Module):
    """Coefficients, then time, over 3 and over 5 of each, side by side: (B, given, 13, T) to (B, made, 13, T)."""

    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        self.m_3, self.bn_m_3 = flat(given, made, (3, 1))
        self.t_3, self.bn_t_3 = flat(made, made, (1, 3))
        self.m_5, self.bn_m_5 = flat(given, made, (5, 1))
        self.t_5, self.bn_t_5 = flat(made, made, (1, 5))
        self.last, self.bn_last = flat(made, made, (1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x_3 = torch.relu(self.bn_t_3(self.t_3(torch.relu(self.bn_m_3(self.m_3(x))))))
        x_5 = torch.relu(self.bn_t_5(self.t_5(torch.relu(self.bn_m_5(self.m_5(x))))))
        return torch.relu(self.bn_last(self.last(x_3 + x_5)))


class _Detector(nn.Module):
    """What came before, then what comes after, (B, T, 128) to (B, T, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.gru_forward = nn.GRU(128, 128, batch_first=True)
        self.gru_backward = nn.GRU(128, 128, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        before, _ = self.gru_forward(x)
        after, _ = self.gru_backward(gelu(before).flip(1))
        return gelu(after.flip(1))
