"""What the networks answer, and the heads that say it."""

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Logits:
    """What a network says of B clips of T frames, each (B, T, 2): class 0 does not speak, class 1 does."""

    av: Tensor  # from face and sound together: the answer
    audio: Tensor | None = None  # of the head that only hears, for training; None: there is none
    video: Tensor | None = None  # of the head that only sees, for training; None: there is none


class Head(nn.Module):
    """Logits (..., 2) of embeddings (..., width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.FC = nn.Linear(width, 2)

    def forward(self, embeddings: Tensor) -> Tensor:
        """Logits (..., 2)."""
        return self.FC(embeddings)
