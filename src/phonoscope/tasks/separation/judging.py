"""How well a separator does on mixtures whose voices are known, and whether it goes by the faces; no torch is needed.

Two controls tell whether it does: shown the film of other people, it must do worse; shown the two faces swapped, its
voices must come swapped.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import fmean

import numpy as np

from phonoscope.metrics.separation import best_order, sdr_improvement, si_sdr, si_sdr_improvement
from phonoscope.tasks.separation.examples import Batches, strangers

Separate = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Voices (S, N) float32 of sound (N,) float32 at 16 kHz and rows (S, T, D) of faces, NaN where one is not seen."""

WORST_DB, BEST_DB = -50.0, 100.0  # figures are cut to these, so that means of them are numbers
ALONE_DB = 80.0  # a voice that is so much louder than all else in a mixture has nothing to gain, and does not count


@dataclass(frozen=True, slots=True)
class Gain:
    """What one voice has gained over the mixture."""

    si_sdri_db: float
    si_sdr_db: float


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A mixture, its voices, and who is seen."""

    sound: np.ndarray  # (N,) float32
    voices: np.ndarray  # (S, N) float32
    faces: np.ndarray  # (S, T, D) float32, NaN where one is not seen
    others: np.ndarray | None = None  # (S, T, D), faces of people who are not heard; None: there are none


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a separator reached on one voice of one mixture; None where it cannot be told."""

    case: int
    voice: int
    si_sdr_db: float
    si_sdri_db: float  # over the mixture
    sdri_db: float | None  # by BSS Eval; None: what was made is silent
    others_si_sdri_db: float | None  # shown the film of other people
    swapped: bool | None  # shown the next one's face, it gives the next one's voice


def gains(made: np.ndarray, voices: np.ndarray, sound: np.ndarray, any_order: bool = False) -> list[Gain]:
    """What each of the true voices (S, N) that `counts` has gained by those that were made (S, N) of a sound (N,).

    Args:
        any_order: the voices that were made are taken in the order of the highest mean SI-SDR.
    """
    known = counts(voices, sound)
    if any_order:
        made = made[_best(made, voices, known)]
    made, voices = made[known], voices[known]
    if not len(voices):
        return []
    better = np.clip(si_sdr_improvement(made, voices, sound), WORST_DB, BEST_DB)
    reached = np.clip(si_sdr(made, voices), WORST_DB, BEST_DB)
    return [Gain(*both) for both in zip(better.tolist(), reached.tolist(), strict=True)]


def figures(found: Sequence[Gain]) -> dict[str, float]:
    """The means of all, by name; none of none."""
    names = [it.name for it in fields(Gain)]
    return {name: fmean(getattr(it, name) for it in found) for name in names} if found else {}


def judged(separate: Separate, cases: Iterable[Case], *, any_order: bool = False) -> list[Row]:
    """A row for every voice that `counts`.

    Args:
        any_order: its voices come in an order of their own: the best one is taken, and faces are not asked about.
    """
    rows: list[Row] = []
    for number, case in enumerate(cases):
        known = counts(case.voices, case.sound)
        made = separate(case.sound, case.faces)
        if any_order:
            made = made[_best(made, case.voices, known)]
        reached = _by_voice(gains(made, case.voices, case.sound), known)
        strange: Mapping[int, Gain] = {}
        if case.others is not None and not any_order:
            strange = _by_voice(gains(separate(case.sound, case.others), case.voices, case.sound), known)
        swapped = {} if any_order or known.sum() < 2 else _swapped(separate, case, known)
        for voice, it in reached.items():
            rows.append(
                Row(
                    case=number, voice=voice, si_sdr_db=it.si_sdr_db, si_sdri_db=it.si_sdri_db,
                    sdri_db=_sdri(made[voice], case.voices[voice], case.sound),
                    others_si_sdri_db=strange[voice].si_sdri_db if strange else None, swapped=swapped.get(voice),
                )
            )  # fmt: skip
    return rows


def table(rows: Sequence[Row]) -> dict[str, float]:
    """The mean of every figure over the rows that have it; `swapped` is a share; `voices` says how many there are."""
    found: dict[str, float] = {"voices": len(rows)}
    for name in ("si_sdr_db", "si_sdri_db", "sdri_db", "others_si_sdri_db", "swapped"):
        known = [float(it) for row in rows if (it := getattr(row, name)) is not None]
        if known:
            found[name] = fmean(known)
    return found


def cases_of(mixtures: Batches) -> Iterable[Case]:
    """The mixtures of a split as cases, each with faces of people who are not in it."""
    for number in range(mixtures.mixtures):
        it = mixtures.mixture(number)
        rng = np.random.default_rng([mixtures.p.mix_seed, number])
        others = strangers(mixtures.material, mixtures.split, mixtures.p, it.speakers, rng)
        yield Case(it.sound, it.voices, it.rows, others)


def counts(voices: np.ndarray, sound: np.ndarray) -> np.ndarray:
    """Which of the voices (S, N) of a mixture (N,) there is something to gain for, (S,) bool.

    Not for one that is silent, and not for one that is heard alone.
    """
    known = np.asarray(voices.any(1))
    known[known] = si_sdr(np.broadcast_to(sound, voices[known].shape), voices[known]) < ALONE_DB
    return known


def _swapped(separate: Separate, case: Case, known: np.ndarray) -> dict[int, bool]:
    """Of each voice that counts, whether it comes where its face is shown, every face being one place further on."""
    made = separate(case.sound, np.roll(case.faces, -1, 0))
    which = np.flatnonzero(known)
    found = {}
    for voice in which.tolist():
        output = made[(voice - 1) % len(made)]
        ratios = si_sdr(np.broadcast_to(output, (len(which), len(output))), case.voices[which])
        found[voice] = bool(which[int(ratios.argmax())] == voice)
    return found


def _best(made: np.ndarray, voices: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The best order of voices that were made (S, N); for a true voice that does not count any is as good."""
    ratios = np.zeros((len(made), len(voices)))
    for voice in np.flatnonzero(known).tolist():
        ratios[:, voice] = si_sdr(made, np.broadcast_to(voices[voice], made.shape))
    return best_order(ratios)


def _by_voice(found: Sequence[Gain], known: np.ndarray) -> dict[int, Gain]:
    return dict(zip(np.flatnonzero(known).tolist(), found, strict=True))


def _sdri(made: np.ndarray, voice: np.ndarray, sound: np.ndarray) -> float | None:
    return float(sdr_improvement(made[None], voice[None], sound)[0]) if made.any() else None
