"""Fitting by steps: a rate that rises and falls once, and weights averaged over the last few hundred steps."""

import copy
import math
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)
BATCH = 32  # pieces
RISES = 0.06  # part of the steps in which the rate rises
AVERAGED = 0.997  # of the averaged weights stays at each step
DECAY = 0.02  # of weights


def fit(
    network: Network,
    count: int,
    loss: Callable[[np.ndarray, np.random.Generator], Tensor],
    judged: Callable[[Network], float],
    *,
    steps: int,
    rate: float,
    checks: int = 20,
) -> Network:
    """The network with the averaged weights that were judged best.

    Args:
        count: pieces there are.
        loss: of the pieces with these numbers.
        judged: how good a network is; more is better.
        checks: how often that is asked.
    """
    rng, order = np.random.default_rng(0), np.zeros(0, np.int64)
    optimiser = torch.optim.AdamW(network.parameters(), rate, betas=(0.9, 0.98), weight_decay=DECAY)
    averaged, best, reached = copy.deepcopy(network), copy.deepcopy(network), 0.0
    started, total = time.process_time(), 0.0
    for step in range(steps):
        if len(order) < BATCH:
            order = rng.permutation(count)
        chosen, order = order[:BATCH], order[BATCH:]
        done = step / steps
        falling = 0.5 * (1 + math.cos(math.pi * (done - RISES) / (1 - RISES)))
        for group in optimiser.param_groups:
            group["lr"] = rate * (0.003 + (done / RISES if done < RISES else falling))
        network.train()
        value = loss(chosen, rng)
        optimiser.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        total += value.item()
        keep = min(AVERAGED, (1 + step) / (10 + step))
        with torch.no_grad():
            for kept, new in zip(averaged.parameters(), network.parameters(), strict=True):
                kept.mul_(keep).add_(new, alpha=1 - keep)
        every = max(1, steps // checks)
        if (step + 1) % every == 0 or step + 1 == steps:
            figure = judged(averaged.eval())
            minutes = (time.process_time() - started) / 60
            print(f"step {step + 1}: loss {total / every:.3f}, judged {figure:.4f}, {minutes:.1f} min", file=sys.stderr)
            total = 0.0
            if figure > reached:
                best, reached = copy.deepcopy(averaged), figure
    return best
