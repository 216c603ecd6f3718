"""What a separator is told it has done wrong, in PyTorch.

Each loss is first a table of costs (B, P, P), how far every voice that was made (row) is from every true one (column).
Where the order is known, voice i is compared with true voice i; where it is not, the order is taken that costs least.
"""

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

_FAINT = 1e-10  # share of the mixture's energy that counts as none: it keeps logarithms of silence finite,
_FAINTER = 1e-15  # and this what a silent voice is given, 50 dB


def si_sdr_costs(voices: Tensor, truth: Tensor, mixture: Tensor, limit_db: float = 30.0) -> Tensor:
    """Negative SI-SDR in dB, (B, P, P), of voices (B, P, N) to true ones (B, P, N), not below -`limit_db`.

    To a true voice that is silent there is no ratio: what then counts is how loud the voice is that was made, against
    the mixture (B, N), again down to -`limit_db`. If the mixture is silent too, nothing counts.

    Source: Le Roux et al., "SDR: half-baked or well done?", ICASSP 2019; the limit, which lets go of a voice that is
        good enough, and the silent voices: Wisdom et al., "What's all the fuss about free universal sound separation
        data?", ICASSP 2021.
    """
    made, true = voices.float(), truth.float()
    limit = 10 ** (-limit_db / 10)
    loud, known = made.square().sum(2)[:, :, None], true.square().sum(2)[:, None]  # (B, P, 1), (B, 1, P)
    heard = mixture.float().square().sum(1)[:, None, None]
    silent = known <= _FAINT * heard
    products = made @ true.transpose(1, 2)
    target = products.square() / torch.where(silent, 1, known)
    # the rest is worked out as a sound, for where it is faint a difference of energies would be nothing but rounding
    scale = products / torch.where(silent, 1, known)
    rest = (made[:, :, None] - scale[..., None] * true[:, None]).square().sum(3)
    whole = torch.where(heard > 0, heard, 1)
    ratio = _db((rest + limit * target + _FAINT * whole) / (target + _FAINTER * whole))
    quiet = _db((loud + limit * heard + _FAINT * whole) / whole)
    return torch.where(silent, torch.where(heard > 0, quiet, 0.0), ratio)


def mask_costs(masks: Tensor, truth: Tensor) -> Tensor:
    """Mean squared differences (B, P, P) of masks (B, T, F, 2, P) from true ones, both compressed.

    Means are over rows, bins, and real and imaginary part.
    """
    made, true = masks.float().flatten(1, 3).transpose(1, 2), truth.float().flatten(1, 3).transpose(1, 2)
    return (made[:, :, None] - true[:, None]).square().mean(3)


def discriminative_costs(costs: Tensor, gamma: float = 0.1) -> Tensor:
    """The same costs (B, P, P), each less `gamma` times those of the other masks to the same true one.

    Summed up in some order it is that order's mean of Σᵢ [(Sᵢ - Ŝᵢ)² - γ Σⱼ≠ᵢ (Sᵢ - Ŝⱼ)²].

    Source: seed 000's second loss, after Huang et al., "Joint Optimization of Masks and Deep Recurrent Neural Networks
        for Monaural Source Separation", TASLP 2015; its first takes real and imaginary part for two speakers.
    """
    return (1 + gamma) * costs - gamma * costs.sum(1, keepdim=True)


def in_order(costs: Tensor, any_order: bool) -> Tensor:
    """What each true voice costs, (B, P): with the voice of its number, or in the order that costs least in all."""
    return costs.gather(1, order_of(costs, any_order)[:, None])[:, 0]


def order_of(costs: Tensor, any_order: bool) -> Tensor:
    """Which voice was taken for each true one, (B, P) int64."""
    given = np.arange(costs.shape[1])
    orders = [given] * len(costs)
    if any_order:
        tables = np.nan_to_num(costs.detach().cpu().numpy())  # a loss that is no number is the loop's to notice
        orders = [linear_sum_assignment(each.T)[1] for each in tables]
    return torch.from_numpy(np.stack(orders)).to(costs.device)


def _db(ratio: Tensor) -> Tensor:
    return 10 * torch.log10(ratio)
