"""Tiny: a mouth that moves, while somebody is heard, just as the voice does; some eight hundred numbers."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, avg_pool2d, conv1d, max_pool1d, pad

from phonoscope.models.backends.tiny import (
    HEAD,
    MASKS,
    NOISE,
    PEAK,
    REACHES,
    RIDGE,
    SHORT,
    SMOOTH,
    SOUND_DEVIATION,
    SOUND_MEAN,
    WIDTH,
)
from phonoscope.tasks.asd.networks.heads import Head, Logits
from phonoscope.tasks.asd.networks.layers import checked

SERIES = len(MASKS) + 1  # how much four places about the mouth move, and the mouth more than the head


class Tiny(nn.Module):
    """Judges every frame of clips from 45 frames around it and no others.

    What moves is measured, not learnt (`movement`); what is learnt are `WIDTH` filters of it, as many of MFCC, and what
    their correlations over windows of 25 and 61 frames weigh. The odds are those that somebody is heard *and* that this
    mouth moves with the voice, as if both were independent.
    """

    def __init__(self) -> None:
        super().__init__()
        self.see = nn.Conv1d(SERIES, WIDTH, 5, padding=2)
        self.hear = nn.Conv1d(13, WIDTH, 12, stride=4, padding=4)
        self.slight = nn.Parameter(torch.full((WIDTH,), -2.0))  # log of the variance below which a filter's is still
        self.level, self.moving = nn.Linear(4, 1), nn.Linear(len(REACHES) * WIDTH + 2 * SERIES, 1)
        self.lossA, self.lossV = Head(WIDTH), Head(WIDTH)

    def forward(self, mfcc: Tensor, faces: Tensor) -> Logits:
        """Logits from MFCC (B, 4T, 13) float32 and faces (B, T, 112, 112) float32, 0 to 255.

        Raises:
            ValueError: they do not belong together.
        """
        checked(mfcc, faces)
        return self.judged(mfcc, movement(avg_pool2d(faces, 2)))

    def judged(self, mfcc: Tensor, moved: Tensor) -> Logits:
        """Logits from MFCC (B, 4T, 13) and the movement (B, T, SERIES) that `movement` has measured."""
        mean, deviation = (mfcc.new_tensor(values) for values in (SOUND_MEAN, SOUND_DEVIATION))
        sound, moved = ((mfcc - mean) / deviation).transpose(1, 2), moved.transpose(1, 2)
        seen, heard = self.see(moved), self.hear(sound)
        told = [together(seen, heard, self.slight, reach) for reach in REACHES]
        told += [around(moved, reach) for reach in SMOOTH]
        loud = [around(avg_pool1d(sound[:, :1], 4), reach) for reach in SHORT]
        peak = max_pool1d(loud[0], 2 * PEAK + 1, 1, PEAK)
        voiced = self.level(torch.cat([*loud, peak, loud[0] - peak], 1).transpose(1, 2))
        moving = self.moving(torch.cat(told, 1).transpose(1, 2))
        odds = -torch.logaddexp(torch.logaddexp(-voiced, -moving), -voiced - moving)
        answers = torch.cat([torch.zeros_like(odds), odds], 2)
        return Logits(answers, self.lossA(heard.transpose(1, 2)), self.lossV(seen.transpose(1, 2)))


def movement(halved: Tensor) -> Tensor:
    """How much the mouth moves once the head's own movement is out, (B, T, SERIES), of faces (B, T, 56, 56).

    As `phonoscope.models.backends.tiny.movement` does it, whose tests hold both to the same numbers.
    """
    before = torch.cat([halved[:, :1], halved[:, :-1]], 1)
    change, between = (halved - before)[..., 1:-1, 1:-1], (halved + before) / 2
    right = (between[..., 1:-1, 2:] - between[..., 1:-1, :-2]) / 2
    down = (between[..., 2:, 1:-1] - between[..., :-2, 1:-1]) / 2
    causes = torch.stack([change, right, down])[..., HEAD[0], HEAD[1]].flatten(3)  # (3, B, T, N)
    means = causes.mean(3, keepdim=True)
    over = torch.einsum("ibtn,jbtn->ijbt", causes - means, causes - means) / causes.shape[3]
    xx, yy, xy = over[1, 1] + RIDGE, over[2, 2] + RIDGE, over[1, 2]
    x = (yy * over[0, 1] - xy * over[0, 2]) / (xx * yy - xy * xy)
    y = (xx * over[0, 2] - xy * over[0, 1]) / (xx * yy - xy * xy)
    x, y, light = (
        value[..., None, None] for value in (x, y, means[0, ..., 0] - x * means[1, ..., 0] - y * means[2, ..., 0])
    )
    rest = (change - right * x - down * y - light).square()
    masks = torch.from_numpy(MASKS).to(halved.dtype)
    moves = 0.5 * (torch.einsum("btyx,kyx->btk", rest, masks) + NOISE).log()
    detail = 0.5 * (torch.einsum("btyx,kyx->btk", (right**2 + down**2) / 2, masks) + 1).log()
    head = 0.5 * (rest[..., HEAD[0], HEAD[1]].mean((2, 3)) + NOISE).log()[..., None]
    moves, head = unrepeated(moves), unrepeated(head)
    return torch.cat([moves - detail, moves[..., :1] - head], 2)


def unrepeated(values: Tensor) -> Tensor:
    """Values (B, T, C) with single dips filled: a picture that is shown twice is no mouth that stopped."""
    values = torch.cat([values[:, 1:2], values[:, 1:]], 1) if values.shape[1] > 1 else values
    before, after = torch.cat([values[:, :1], values[:, :-1]], 1), torch.cat([values[:, 1:], values[:, -1:]], 1)
    return torch.maximum(values, torch.minimum(before, after))


def together(seen: Tensor, heard: Tensor, slight: Tensor, reach: int) -> Tensor:
    """Fisher's z of the correlation of two features (B, C, T) around each frame, (B, C, T)."""
    means = around(torch.cat([seen, heard, seen * seen, heard * heard, seen * heard], 1), reach)
    a, b, aa, bb, ab = means.split(seen.shape[1], 1)
    least = slight.exp()[None, :, None]
    varies = ((aa - a * a).clamp(min=0) + least) * ((bb - b * b).clamp(min=0) + least)
    return torch.atanh(0.98 * (ab - a * b) / varies.sqrt())


def around(values: Tensor, reach: int) -> Tensor:
    """Means (B, C, T) around each frame of values (B, C, T), by a Hann window; nothing lies beyond the ends."""
    bell = torch.hann_window(2 * reach + 3, periodic=False, dtype=values.dtype)[1:-1][None, None]
    sums = conv1d(pad(values, (reach, reach)).flatten(0, 1)[:, None], bell)[:, 0].reshape(values.shape)
    return sums / conv1d(pad(torch.ones_like(values[:1, :1]), (reach, reach)), bell)
