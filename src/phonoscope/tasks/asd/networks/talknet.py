"""TalkNet: a residual network a modality, attention from each to the other and over time; 15.7 M parameters."""

import torch
from torch import Tensor, nn

from phonoscope.tasks.asd.networks.heads import Head, Logits
from phonoscope.tasks.asd.networks.layers import checked
from phonoscope.tasks.asd.networks.talknet_encoders import AudioEncoder, VisualEncoder, VisualFrontend, VisualTcn


class TalkNet(nn.Module):
    """Judges every frame of clips; while it evaluates, nothing passes from one clip of a batch to another.

    Its authors' code joins the clips of a batch in time before the first convolution, so that neighbours leak into
    each other. This does not: a batch gives what its clips give one by one, as does their code for a batch of one.

    Source: Tao et al., "Is someone speaking? Exploring long-term temporal features for audio-visual active speaker
    detection", MM 2021; parameters are named as in its authors' code (MIT), so that their weights load.
    """

    def __init__(self) -> None:
        super().__init__()
        self.model = _Trunk()
        self.lossAV, self.lossA, self.lossV = Head(256), Head(128), Head(128)

    def forward(self, mfcc: Tensor, faces: Tensor) -> Logits:
        """Logits from MFCC (B, 4T, 13) float32 and faces (B, T, 112, 112) float32, 0 to 255.

        The auxiliary heads judge what each modality has learnt from the other, as they do in the paper.

        Raises:
            ValueError: they do not belong together.
        """
        mfcc, faces = checked(mfcc, faces)
        model = self.model
        heard = model.audioEncoder(mfcc)
        seen = model.visualConv1D(model.visualTCN(model.visualFrontend(faces)))
        heard, seen, together = model(heard, seen)
        return Logits(self.lossAV(together), self.lossA(heard), self.lossV(seen))


class _Trunk(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.visualFrontend, self.visualTCN, self.visualConv1D = VisualFrontend(), VisualTcn(), VisualEncoder()
        self.audioEncoder = AudioEncoder()
        self.crossA2V, self.crossV2A, self.selfAV = _Attention(128), _Attention(128), _Attention(256)

    def forward(self, heard: Tensor, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Sound (B, T, 128) that has seen, sight (B, T, 128) that has heard, and both (B, T, 256)."""
        heard, seen = self.crossA2V(heard, seen), self.crossV2A(seen, heard)
        together = torch.cat([heard, seen], 2)
        return heard, seen, self.selfAV(together, together)


class _Attention(nn.Module):
    """What `source` (B, T, width) is, plus what `target` (B, T, width) finds in it, then a small network."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(width, 8, dropout=0.1, batch_first=True)
        self.linear1, self.linear2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(0.1)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        found, _ = self.self_attn(target, source, source, need_weights=False)
        x = self.norm1(source + self.dropout(found))
        return self.norm2(x + self.dropout(self.linear2(self.dropout(torch.relu(self.linear1(x))))))
