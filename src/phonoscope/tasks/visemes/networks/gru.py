"""The viseme network: a convolution over log-mel, two GRUs that look ahead a little, fifteen visemes a row."""

from torch import Tensor, nn
from torch.nn import functional

from phonoscope.core.visemes import VISEMES
from phonoscope.models.viseme_graph import BEFORE, DELAY, HIDDEN, KERNEL, STEP
from phonoscope.models.viseme_rows import BANKS


class VisemeGru(nn.Module):
    """Logits of visemes from rows of log-mel; row t is told from rows up to t + 10 only."""

    def __init__(self, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(BANKS, hidden, KERNEL, stride=STEP)
        self.first = nn.GRU(hidden, hidden, batch_first=True)
        self.second = nn.GRU(hidden, hidden, batch_first=True)
        self.told = nn.Linear(hidden, STEP * len(VISEMES))
        self.dropout = nn.Dropout(0.1)

    def forward(self, rows: Tensor) -> Tensor:
        """Logits (B, T, 15) of rows (B, T, 80), as `models.viseme_rows` makes them."""
        return self.rest(self.begun(rows), rows.shape[1])

    def begun(self, rows: Tensor) -> Tensor:
        """What the first GRU remembers after each step, (B, T / 2 + 3, H); the first and the last row go on."""
        steps = -(-rows.shape[1] // STEP) + DELAY
        after = STEP * (steps - 1) + KERNEL - BEFORE - rows.shape[1]
        padded = functional.pad(rows.transpose(1, 2), (BEFORE, after), mode="replicate")
        heard = functional.relu(self.convolution(padded)).transpose(1, 2)
        return self.first(self.dropout(heard))[0]

    def rest(self, begun: Tensor, count: int) -> Tensor:
        """Logits (B, T, 15) of T rows from what the first GRU remembers."""
        told = self.told(self.dropout(self.second(self.dropout(begun))[0][:, DELAY:]))
        return told.reshape(len(begun), -1, len(VISEMES))[:, :count]
