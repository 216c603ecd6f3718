"""Telling voices apart by lips: the compact network on people whom it has not seen, puppets and real talking heads.

`python -m bench separation` trains with three seeds, each on other people, and judges on those left out: puppets whose
mouths are driven by real voices, then the real talking heads. Beside it the same network that sees no faces, controls
with the wrong film and with faces swapped, masks made of the true voices as ceilings, and the mixture as floor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from time import process_time
from typing import TYPE_CHECKING

import numpy as np

from bench.separation_data import filmed, made_up, recorded
from bench.separation_training import FRAME, People, Spoken, minutes, trained
from bench.table import Row, Table, at_least, at_most
from phonoscope.core.istft import istft
from phonoscope.core.masks import complex_ratio_mask, ideal_binary_masks, ideal_ratio_masks
from phonoscope.core.stft import stft
from phonoscope.core.time import Span
from phonoscope.data.split import TEST
from phonoscope.metrics.separation import si_sdr, si_sdr_improvement
from phonoscope.models import load
from phonoscope.tasks.separation.examples import SAMPLE_RATE, Batches, Material
from phonoscope.tasks.separation.judging import Case, Separate, cases_of, judged, table
from phonoscope.tasks.separation.params import ExamplesParams

if TYPE_CHECKING:
    from phonoscope.tasks.separation.networks.compact import Compact

SEEDS = (0, 1, 2)  # each leaves out another third of the people
STEPS, TUNING = 320, 25  # of eight mixtures: with puppets; then with real heads
TUNING_RATE = 1e-3
MIXTURES, FRAMES = 30, 75  # on which each network is judged, 3 s of two people
FEW = 4  # people, in the middle of the learning curve
RIVALS = ("ideal binary mask", "ideal ratio mask", "complex ratio mask")


@dataclass(frozen=True, slots=True)
class Heard:
    """A stretch of somebody's speech, as the judge wants it."""

    speaker: str
    it: Spoken

    @property
    def span(self) -> Span:
        """All of it."""
        return Span(0, len(self.it.rows))

    def audio(self) -> np.ndarray:
        """Its sound (640 T,)."""
        return self.it.sound


Found = dict[str, list[dict[str, float]]]
"""Figures of each kind of separator, seed by seed."""


def measure() -> list[Table]:
    """Puppets, real heads, and what it costs."""
    began = process_time()
    voices, artificial, heads = recorded(), made_up(), filmed()
    drawn_s = process_time() - began
    puppets: Found = {}
    real: Found = {}
    for seed in SEEDS:
        known, unknown = split(voices, seed)
        seeing, blind = (trained({**known, **artificial}, STEPS, seed, blind=it, plain=True) for it in (False, True))
        _judge(puppets, unknown, {"sees": seeing, "blind": blind})
        others, strangers = split(heads, seed)
        tuned = {
            "puppets only": seeing,
            "few": _tuned(some_of(others), seed, seeing),
            "sees": _tuned(others, seed, seeing),
            "blind": _tuned(others, seed, blind),
        }
        _judge(real, strangers, tuned)
    told = f"{len(artificial)} voices of espeak-ng, {minutes(artificial):.1f} min"
    spent = f"{(process_time() - began) / 60:.0f} min of CPU, {drawn_s / 60:.1f} of them for lips."
    notes = (
        f"{len(SEEDS)} seeds, mean (least–most). Each learns from two thirds of the people, {told}, {STEPS} steps of 8 "
        f"mixtures of two, and is judged on {MIXTURES} of two of the others. Puppets move their mouths as the voice "
        "does, which real people do less. In all " + spent,
    )
    return [
        Table(f"Puppets with real voices ({_size(voices)})", _rows(puppets), notes),
        Table(f"Real talking heads ({_size(heads)})", [*_rows(real, gates=False), *_curve(real, heads)]),
        Table("What the compact separator costs", _cost()),
    ]


def split(people: People, seed: int) -> tuple[People, People]:
    """Those who are learnt from, and the third that is left out."""
    names = sorted(people)
    left = set(names[seed % len(SEEDS) :: len(SEEDS)])
    return {it: people[it] for it in names if it not in left}, {it: people[it] for it in names if it in left}


def some_of(people: People) -> People:
    """A few of these people."""
    return {name: people[name] for name in sorted(people)[:: max(1, len(people) // FEW)][:FEW]}


def cases(people: People) -> list[Case]:
    """Mixtures of two of these people, always the same."""
    every = [Heard(who, it) for who in sorted(people) for it in people[who] if len(it.rows) >= FRAMES // 2]
    material = Material({TEST: every}, lambda heard: heard.it.rows)
    return list(cases_of(Batches(material, TEST, 0, ExamplesParams(judged=MIXTURES, frames=FRAMES), 0, list)))


def _judge(found: Found, people: People, networks: Mapping[str, "Compact"]) -> None:
    """Add the figures of these networks, of the mixture and of masks on mixtures of these people."""
    from phonoscope.tasks.separation.task import separator_of

    them = cases(people)
    for name, network in networks.items():
        blind = network.lips is None
        separate = separator_of(network, "compact", blind=blind)
        found.setdefault(name, []).append(table(judged(separate, them, any_order=blind)))
    reached = np.concatenate([_ceilings(case) for case in them], 1)
    for name, values in zip(("mixture", *RIVALS), reached, strict=True):
        found.setdefault(name, []).append({"si_sdri_db": float(values.mean())})


def _ceilings(case: Case) -> np.ndarray:
    """SI-SDR of the mixture itself, then SI-SDRi by each of three masks made of the true voices, (4, S) dB."""
    whole = stft(case.sound, SAMPLE_RATE, "librosa").values
    each = np.stack([stft(voice, SAMPLE_RATE, "librosa").values for voice in case.voices])
    masks = ideal_binary_masks(each), ideal_ratio_masks(each), complex_ratio_mask(each, whole)
    heard = np.broadcast_to(case.sound, case.voices.shape)
    told = [si_sdr(heard, case.voices)]
    for mask in masks:
        made = np.stack([istft(it * whole, len(case.sound), SAMPLE_RATE, "librosa") for it in mask])
        told.append(si_sdr_improvement(made, case.voices, case.sound))
    return np.stack(told)


def _tuned(people: People, seed: int, network: "Compact") -> "Compact":
    blind = network.lips is None
    return trained(people, TUNING, seed, blind=blind, begin=network, rate=TUNING_RATE, plain=True)


def _rows(found: Found, *, gates: bool = True) -> list[Row]:
    sees = [it["si_sdri_db"] for it in found["sees"]]
    blind = [it["si_sdri_db"] for it in found["blind"]]
    fall = [it["si_sdri_db"] - it["others_si_sdri_db"] for it in found["sees"]]
    swapped = [it["swapped"] for it in found["sees"]]
    over = [one - other for one, other in zip(sees, blind, strict=True)]
    told = [
        ("SI-SDRi by lips", sees, 5.0, " dB"),
        ("over the same network without lips", over, 1.0, " dB"),
        ("shown the film of other people it falls by", fall, 1.0, " dB"),
        ("faces swapped, voices swap", [100 * it for it in swapped], 90.0, " %"),
    ]
    rows = [Row("the mixture itself: SI-SDR", _told(found, "mixture"))]
    for what, values, goal, unit in told:
        judged_ = at_least(what, fmean(values), goal, unit)
        spread = f"{fmean(values):.2f} ({min(values):.2f}–{max(values):.2f}){unit}"
        rows.append(Row(what, spread, judged_.goal, judged_.met) if gates else Row(what, spread))
    rows.append(Row("SI-SDRi without lips, best order", _told(found, "blind")))
    return [*rows, *(Row(f"SI-SDRi by the {name}", _told(found, name)) for name in RIVALS)]


def _curve(found: Found, heads: People) -> list[Row]:
    every = [split(heads, seed)[0] for seed in SEEDS]
    few = [some_of(people) for people in every]
    return [
        Row("learning curve: puppets only", _told(found, "puppets only")),
        Row(f"then real people ({_range(few)})", _told(found, "few")),
        Row(f"then real people ({_range(every)})", _told(found, "sees")),
    ]


def _told(found: Found, name: str) -> str:
    values = [it["si_sdri_db"] for it in found[name]]
    return f"{fmean(values):.2f} ({min(values):.2f}–{max(values):.2f}) dB"


def _range(them: Sequence[People]) -> str:
    counts, long = [len(it) for it in them], [minutes(it) for it in them]
    return f"{min(counts)}–{max(counts)}, {min(long):.1f}–{max(long):.1f} min"


def _size(people: People) -> str:
    return f"{len(people)} people, {minutes(people):.1f} min"


def _cost() -> list[Row]:
    """CPU over duration, for two faces on one core, and how much of it is for the faces."""
    from phonoscope.tasks.separation.networks.compact import Compact
    from phonoscope.tasks.separation.task import separator_of

    frames = 100
    rng = np.random.default_rng(0)
    sound = rng.normal(0, 0.05, frames * FRAME).astype(np.float32)
    lips = rng.normal(0, 1, (2, frames, 35)).astype(np.float32)
    both = [Compact(blind=it) for it in (False, True)]
    by_torch = [_seconds(separator_of(it, "compact", blind=it.lips is None), sound, lips) for it in both]
    shipped = _seconds(load("compact"), sound, lips) / (frames / 25)
    numbers = sum(it.numel() for it in both[0].parameters())
    return [
        Row("numbers", f"{numbers:,}", "≤ 5,000,000", numbers <= 5_000_000),
        at_most("real-time factor, two faces, one core", shipped, 0.5),
        Row("over the same network without lips, both in PyTorch", f"{by_torch[0] / by_torch[1]:.2f}"),
    ]


def _seconds(separate: Separate, sound: np.ndarray, lips: np.ndarray, times: int = 5) -> float:
    taken: Sequence[float] = []
    for _ in range(times):
        began = process_time()
        separate(sound, lips)
        taken = [*taken, process_time() - began]
    return float(np.median(taken))
