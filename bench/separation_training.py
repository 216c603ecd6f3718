"""How the compact separator is trained for the bench and for its shipped weights: voices, how they vary, and a loop.

Voices are mixed anew each time, faster or slower, brighter or duller, and so are their lips: few people then sound like
many. A network is trained for so many steps, not for so many seconds, so that the same seed gives the same weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from phonoscope.tasks.separation.networks.compact import Compact

FRAME = 640  # samples under a frame
FRAMES, BATCH = 60, 8  # of a mixture; mixtures at once
RATE, DECAY, RISE = 3e-3, 0.01, 0.06  # highest learning rate, weight decay, share of steps in which the rate rises
KEPT = 0.98  # of the running mean of weights, a step
LEVEL = 0.05  # RMS of the first voice, full scale 1
SNR_DB = 5.0  # of the first voice against each other one, at most either way
PACE, TILT = 1.18, 0.45  # how much faster or slower, and by how much of the sample before
THREE, LONE = 0.15, 0.1  # shares of batches of three voices, and of two of which one has no face in the film
SILENT, HIDDEN, UNSEEN = 0.06, 0.12, 0.04  # shares of mixtures with a face that does not speak, of faces that are
# hidden for a while, and of mixtures with a face that is never seen
LOST, BLURRED = 0.12, 0.15  # share of kinds of numbers of a face that are lost, deviation of what is added to all
ROUGH, ROUGHLY_LOST, ADRIFT = 1.5, 0.35, 1  # of rough lips: most noise, in deviations; share lost; frames out of step
STRANGE = 0.3  # share of mixtures with rough lips that are shown the film of somebody else: then nothing can be told
KINDS = (slice(0, 15), slice(15, 30), slice(30, 35))  # of a row of `mouth`: looks, their change, movement


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """A stretch in which one person speaks, and lips that say it."""

    sound: np.ndarray  # (640 T,) float32
    rows: np.ndarray  # (T, D) float32


People = Mapping[str, Sequence[Spoken]]


def minutes(people: People) -> float:
    """How long they speak in all."""
    return sum(len(it.rows) for every in people.values() for it in every) / 1500


def trained(
    people: People, steps: int, seed: int, *, blind: bool = False, begin: "Compact | None" = None, rate: float = RATE,
    rough: bool = False, plain: bool = False,
) -> "Compact":  # fmt: skip
    """A network that has learnt from these people.

    Args:
        blind: it sees no faces, and its voices may come in any order.
        begin: the network that training goes on from; a fresh one if None.
        rough: lips tell less of the voice than puppets' do, by lot: real ones are to be trusted less.
        plain: mixtures are of two people who speak and are seen all the time, and of nothing else.
    """
    import torch

    from phonoscope.tasks.separation.losses import in_order, si_sdr_costs
    from phonoscope.tasks.separation.networks.compact import Compact

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = np.random.default_rng([seed, 0x5E9])
    width = next(iter(people.values()))[0].rows.shape[1]
    network = Compact(width, blind=blind)
    if begin is not None:
        network.load_state_dict(begin.state_dict())
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, steps, pct_start=RISE)
    mean = {name: value.clone() for name, value in network.state_dict().items()}
    for step in range(steps):
        sound, voices, rows = batch(people, rng, blind=blind, rough=rough, plain=plain)
        cost = in_order(si_sdr_costs(network(sound, rows), voices, sound), blind).mean()
        optimiser.zero_grad()
        cost.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        follow = min(KEPT, step / (step + 1))
        for name, value in network.state_dict().items():
            mean[name].mul_(follow).add_(value, alpha=1 - follow)
    network.load_state_dict(mean)
    return network.eval()


def batch(
    people: People, rng: np.random.Generator, *, blind: bool = False, rough: bool = False, plain: bool = False
) -> tuple["Tensor", "Tensor", "Tensor"]:
    """Mixtures (B, N), their voices (B, S, N) and the faces' rows (B, S, T, D), all of two or all of three."""
    import torch

    faces = 3 if not plain and rng.random() < THREE and len(people) > 2 else 2
    sound, voices, rows = (
        torch.from_numpy(np.stack(part))
        for part in zip(*(_drawn(people, faces, rng, rough, plain) for _ in range(BATCH)), strict=True)
    )
    lone = not (blind or plain) and rng.random() < LONE
    return (sound, voices[:, :1], rows[:, :1]) if lone else (sound, voices, rows)


def _drawn(
    people: People, faces: int, rng: np.random.Generator, rough: bool, plain: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    names = sorted(people)
    spoken = np.array([sum(len(it.rows) for it in people[name]) for name in names], float) ** 0.5
    chosen = rng.choice(len(names), faces, replace=False, p=spoken / spoken.sum())
    sounds, rows = zip(*(_varied(people[names[who]], rng, rough) for who in chosen), strict=True)
    gains = np.append(0.0, rng.uniform(-SNR_DB, SNR_DB, faces - 1))
    voices = np.stack(sounds) * (LEVEL * 10 ** (-gains / 20))[:, None].astype(np.float32)
    if rough and rng.random() < STRANGE:
        rows = [_varied(people[names[who]], rng, rough)[1] for who in rng.choice(len(names), faces, replace=False)]
    seen = np.stack(rows)
    if plain:
        return voices.sum(0), voices, seen
    if rng.random() < SILENT:
        voices[-1], seen[-1] = 0, seen[-1, :1]
    for face in seen:
        if rng.random() < HIDDEN:
            length = int(rng.integers(1, FRAMES))
            begin = int(rng.integers(FRAMES - length))
            face[begin : begin + length] = np.nan
    if rng.random() < UNSEEN:
        seen[rng.integers(faces)] = np.nan
    return voices.sum(0), voices, seen


def _varied(every: Sequence[Spoken], rng: np.random.Generator, rough: bool) -> tuple[np.ndarray, np.ndarray]:
    """Sound (N,) of RMS 1 while somebody speaks, and rows (T, D), of one stretch as it might have been said."""
    lengths = np.array([len(it.rows) for it in every], float)
    it = every[int(rng.choice(len(every), p=lengths / lengths.sum()))]
    pace = PACE ** rng.uniform(-1, 1)
    wanted = min(FRAMES * pace, len(it.rows) - 1)
    begin = rng.uniform(0, len(it.rows) - 1 - wanted)
    samples, frames = int(wanted / pace * FRAME), int(wanted / pace)
    sound = np.interp(begin * FRAME + np.arange(samples) * pace, np.arange(len(it.sound)), it.sound)
    at = begin + (np.arange(frames) + 0.5) * pace - 0.5
    low = np.clip(at.astype(int), 0, len(it.rows) - 2)
    share = np.clip(at - low, 0, 1)[:, None]
    rows = (1 - share) * it.rows[low] + share * it.rows[low + 1]
    sound[1:] += rng.uniform(-TILT, TILT) * sound[:-1]
    rows = rows * np.exp(rng.normal(0, 0.15, rows.shape[1])) + rng.normal(0, BLURRED, rows.shape)
    if rough:
        rows = np.roll(rows, int(rng.integers(-ADRIFT, ADRIFT + 1)), 0)
        rows = rows + rng.uniform(0, ROUGH) * rows.std(0) * rng.normal(0, 1, rows.shape)
    for kind in KINDS:
        if rng.random() < (ROUGHLY_LOST if rough else LOST):
            rows[:, kind] = 0
    spare = FRAMES - frames
    before = int(rng.integers(spare + 1))
    sound = np.pad(sound[: frames * FRAME], (before * FRAME, (spare - before) * FRAME))
    rows = np.pad(rows, ((before, spare - before), (0, 0)), constant_values=np.nan)
    return (sound / max(active_level(sound), 1e-4)).astype(np.float32), rows.astype(np.float32)


def active_level(sound: np.ndarray) -> float:
    """RMS of a sound (640 T,) in the frames that are at most 30 dB below the loudest."""
    power = (sound.reshape(-1, FRAME) ** 2).mean(1)
    return float(np.sqrt(power[power >= 1e-3 * power.max()].mean()))
