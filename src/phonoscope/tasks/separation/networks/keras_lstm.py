"""An LSTM as Keras 2.2 has it: one bias a gate, and gates that are straight lines unless one asks for true sigmoids.

PyTorch's own has two biases a gate and cannot have such gates, so that weights of the one would not run in the other.
"""

import torch
from torch import Tensor, nn

from phonoscope.tasks.separation.params import Gates


class BothWays(nn.Module):
    """Two LSTMs, one from the front and one from the back, whose rows are added up."""

    def __init__(self, width: int, cells: int, gates: Gates = "hard") -> None:
        """Fresh weights, drawn as Keras draws them.

        Args:
            width: of a row that is given.
            cells: width of a row that is made.
            gates: "hard": 0.2 x + 0.5, cut to [0, 1], as Keras has it by default; "sigmoid": 1 / (1 + e^-x).
        """
        super().__init__()
        self.hard = gates == "hard"
        self.kernel = nn.Parameter(torch.empty(2, width, 4 * cells))  # front, back; gates: in, forget, cell, out
        self.recurrent = nn.Parameter(torch.empty(2, cells, 4 * cells))
        self.bias = nn.Parameter(torch.zeros(2, 4 * cells))
        for way in range(2):
            nn.init.xavier_uniform_(self.kernel.data[way])
            nn.init.orthogonal_(self.recurrent.data[way])
        self.bias.data[:, cells : 2 * cells] = 1  # it forgets nothing to begin with

    def forward(self, rows: Tensor) -> Tensor:
        """Rows (B, T, cells) of rows (B, T, width)."""
        both = torch.stack([rows, rows.flip(1)])
        given = (both.flatten(1, 2) @ self.kernel + self.bias[:, None]).unflatten(1, rows.shape[:2])
        cell = told = rows.new_zeros(2, len(rows), self.recurrent.shape[1])
        made = []
        for row in given.unbind(2):
            into, forget, new, out = (row + told @ self.recurrent).chunk(4, 2)
            cell = self._gate(forget) * cell + self._gate(into) * torch.tanh(new)
            told = self._gate(out) * torch.tanh(cell)
            made.append(told)
        front, back = torch.stack(made, 2)
        return front + back.flip(1)

    def _gate(self, x: Tensor) -> Tensor:
        return (0.2 * x + 0.5).clamp(0, 1) if self.hard else torch.sigmoid(x)
