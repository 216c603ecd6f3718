"""The viseme network: a convolution over log-mel, two GRUs that look ahead a little, fifteen visemes a row."""

from torch import Tensor, nn
from torch.nn import functional

from phonoscope.core.visemes import VISEMES
from phonoscope.models.viseme_rows import BANKS, DEVIATION, MEAN, QUIET

STEP = 2  # rows that the GRUs take at a time
KERNEL = 7  # rows that the convolution sees,
BEFORE = 2  # this many of them before those of its step
DELAY = 3  # steps by which the GRUs are ahead of what they tell
AHEAD = STEP * DELAY + KERNEL - BEFORE - 1  # rows after one that it may depend on


class VisemeGru(nn.Module):
    """Logits of visemes from log-mel rows; row t is told from rows up to t + 10 only."""

    def __init__(self, hidden: int = 160) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(BANKS, hidden, KERNEL, stride=STEP)
        self.gru = nn.GRU(hidden, hidden, 2, batch_first=True, dropout=0.1)
        self.told = nn.Linear(hidden, STEP * len(VISEMES))

    def forward(self, rows: Tensor) -> Tensor:
        """Logits (B, T, 15) of rows (B, T, 80), as `models.viseme_rows` makes them; silence is around them."""
        length = rows.shape[1]
        steps = -(-length // STEP) + DELAY
        after = STEP * (steps - 1) + KERNEL - BEFORE - length
        padded = functional.pad(rows.transpose(1, 2), (BEFORE, after), value=(QUIET - MEAN) / DEVIATION)
        heard = functional.relu(self.convolution(padded)).transpose(1, 2)
        told = self.told(self.gru(heard)[0][:, DELAY:])
        return told.reshape(len(rows), -1, len(VISEMES))[:, :length]
