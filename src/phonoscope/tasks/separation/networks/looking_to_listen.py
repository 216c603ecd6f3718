"""Looking to Listen, as seed 000 has it: masks of voices from a mixture's spectrum and the faces that speak.

The spectrum is `core.stft`'s "speech-separation" with its real and imaginary parts apart; the masks are complex ones,
`core.masks.compressed`, to be `recovered` and multiplied by the spectrum. Any length will do. How many speakers there
are, and how wide a row of a face is, is chosen when the network is made.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from phonoscope.models.backends.looking_to_listen_graph import (
    BINS,
    HEARD_KERNELS,
    LAST,
    NORM_EPS,
    PARTS,
    SEEN,
    SEEN_KERNELS,
)
from phonoscope.tasks.separation.networks.keras_lstm import BothWays
from phonoscope.tasks.separation.params import Gates


class Masks(nn.Module):
    """Masks of all speakers from what is heard, and from what is seen of each of them."""

    def __init__(self, speakers: int, sees: bool, gates: Gates, filters: int, cells: int, dense: int) -> None:
        super().__init__()
        self.speakers = speakers
        self.heard = Heard(filters)
        self.lstm = BothWays(LAST * BINS + SEEN * speakers * sees, cells, gates)
        self.fc1, self.fc2, self.fc3 = nn.Linear(cells, dense), nn.Linear(dense, dense), nn.Linear(dense, dense)
        self.complex_mask = nn.Linear(dense, BINS * PARTS * speakers)
        for layer in (self.fc1, self.fc2, self.fc3):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        nn.init.xavier_uniform_(self.complex_mask.weight)
        nn.init.zeros_(self.complex_mask.bias)

    def masks(self, features: Tensor) -> Tensor:
        """Masks (B, T, 257, 2, P) of features (B, T, …)."""
        rows = self.lstm(features)
        for layer in (self.fc1, self.fc2, self.fc3):
            rows = torch.relu(layer(rows))
        return self.complex_mask(rows).unflatten(2, (BINS, PARTS, self.speakers))


class LookingToListen(Masks):
    """Voices by the faces that speak them: 18,775,956 parameters for two, statistics of batch norms among them.

    Source: Ephrat et al., "Looking to Listen at the Cocktail Party", SIGGRAPH 2018, as bill9800/speech_separation (MIT)
    has it in `model_AV_new`; its faces are 1792 numbers wide, the paper's 1024.
    """

    def __init__(
        self, speakers: int = 2, faces: int = 1792, gates: Gates = "hard", filters: int = 96, cells: int = 400,
        dense: int = 600,
    ) -> None:  # fmt: skip
        """Fresh weights, drawn as Keras draws them.

        Args:
            faces: numbers of a row of a face.
            gates: of the LSTM: Keras's hard sigmoid, or a true one.
            filters: of each convolution over the spectrum.
            cells: of the LSTM.
            dense: width of the layers behind it.
        """
        super().__init__(speakers, True, gates, filters, cells, dense)
        self.seen = Seen(faces)

    def forward(self, spectrum: Tensor, faces: Tensor) -> Tensor:
        """Masks (B, T, 257, 2, P), a speaker each in the order of the faces, compressed.

        Args:
            spectrum: (B, T, 257, 2), of the mixture.
            faces: (B, P, V, faces), rows of as long a time as T; NaN where a face is not seen, which counts as 0.

        Raises:
            ValueError: there are more faces, or fewer, than the network has speakers.
        """
        if faces.shape[1] != self.speakers:
            raise ValueError(f"the network has {self.speakers} speakers, got {faces.shape[1]} faces")
        rows = self.seen(torch.nan_to_num(faces).flatten(0, 1))
        drawn_out = resampled(rows, spectrum.shape[1]).unflatten(0, faces.shape[:2])
        each = drawn_out.transpose(1, 2).flatten(2)
        return self.masks(torch.cat([self.heard(spectrum), each], 2))


class AudioOnly(Masks):
    """The same without faces: 12,280,212 parameters for two speakers. In which order they come, it cannot know."""

    def __init__(
        self, speakers: int = 2, gates: Gates = "hard", filters: int = 96, cells: int = 400, dense: int = 600
    ) -> None:
        """Fresh weights; see `LookingToListen`."""
        super().__init__(speakers, False, gates, filters, cells, dense)

    def forward(self, spectrum: Tensor, faces: Tensor | None = None) -> Tensor:
        """Masks (B, T, 257, 2, P) of a mixture's spectrum (B, T, 257, 2); it looks at no faces."""
        return self.masks(self.heard(spectrum))


class Heard(nn.Module):
    """Rows (B, T, 2056) of a spectrum (B, T, 257, 2)."""

    def __init__(self, filters: int) -> None:
        super().__init__()
        widths = [PARTS, *[filters] * (len(HEARD_KERNELS) - 1), LAST]
        for number, (kernel, dilation) in enumerate(HEARD_KERNELS, 1):
            made = nn.Conv2d(widths[number - 1], widths[number], kernel, dilation=dilation, padding="same")
            self.add_module(f"conv{number}", normed(made))

    def forward(self, spectrum: Tensor) -> Tensor:
        """Rows of features, of which that of filter c at frequency f stands at 8 f + c."""
        maps = spectrum.permute(0, 3, 1, 2)
        for layer in self.children():
            maps = layer(maps)
        return maps.permute(0, 2, 3, 1).flatten(2)


class Seen(nn.Module):
    """Rows (B, V, 256) of a face (B, V, width); every speaker's face goes through the same layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        for number, (kernel, dilation) in enumerate(SEEN_KERNELS, 1):
            made = nn.Conv1d(width if number == 1 else SEEN, SEEN, kernel, dilation=dilation, padding="same")
            self.add_module(f"conv{number}", normed(made))

    def forward(self, faces: Tensor) -> Tensor:
        """Rows of features."""
        rows = faces.transpose(1, 2)
        for layer in self.children():
            rows = layer(rows)
        return rows.transpose(1, 2)


def normed(convolution: nn.Conv1d | nn.Conv2d) -> nn.Sequential:
    """A convolution, a batch norm with Keras's settings, and ReLU; its kernel drawn as Keras draws it."""
    nn.init.xavier_uniform_(convolution.weight)
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    norm = nn.BatchNorm1d if isinstance(convolution, nn.Conv1d) else nn.BatchNorm2d
    return nn.Sequential(convolution, norm(convolution.out_channels, eps=NORM_EPS, momentum=0.01), nn.ReLU())


def resampled(rows: Tensor, count: int) -> Tensor:
    """`count` rows (B, count, D) of rows (B, V, D), evenly between the first and the last, lines drawn between them."""
    return interpolate(rows.transpose(1, 2), size=count, mode="linear", align_corners=True).transpose(1, 2)
