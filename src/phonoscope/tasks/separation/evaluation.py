"""How well voices were separated: figures of each source, and of all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
import soundfile

from phonoscope.metrics.separation import best_order, bss_eval, gained, pesq, sdr, si_sdr, stoi
from phonoscope.tasks.separation.folders import FOLDER, Case, LeftOut

TOLERANCE_S = 0.05  # s by which the files of a mixture may differ in length


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one estimate reached; None where it is not defined, or was not asked for."""

    si_sdr_db: float | None = None
    si_sdr_improvement_db: float | None = None  # over the mixture
    sdr_db: float | None = None
    sdr_improvement_db: float | None = None
    sir_db: float | None = None  # of a mixture's only source: None
    sar_db: float | None = None
    stoi: float | None = None  # None of less than 0.4 s of speech
    pesq: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source of one mixture."""

    mixture: str
    source: int
    estimate: str  # the file that was taken for it
    figures: Figures


@dataclass(frozen=True, slots=True)
class Summary:
    """One figure of all sources that have it."""

    mean: float
    median: float
    sources: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What was found."""

    order: str  # "given": each estimate with the reference of its number; "best": by the highest mean SI-SDR
    mixtures: int
    summary: dict[str, Summary]
    sources: list[Source]
    left_out: list[LeftOut]


def evaluate(
    cases: Sequence[Case],
    left_out: Sequence[LeftOut] = (),
    *,
    permute: bool = False,
    tolerance_s: float = TOLERANCE_S,
    with_pesq: bool = False,
) -> Evaluation:
    """Figures of every source that can be measured; a mixture of which one cannot is left out as a whole.

    Args:
        left_out: what has been left out before.
        permute: take the estimates of each mixture in the order of the highest mean SI-SDR.
    """
    sources: list[Source] = []
    out, mixtures = list(left_out), 0
    for case in cases:
        try:
            sources += judged(case, permute, tolerance_s, with_pesq)
            mixtures += 1
        except ValueError as error:
            out.append(LeftOut(case.name, str(error)))
    summary = {}
    for name in (it.name for it in fields(Figures)):
        values = [value for it in sources if (value := getattr(it.figures, name)) is not None]
        if values:
            summary[name] = Summary(fmean(values), median(values), len(values))
    order = "best" if permute else "given"
    return Evaluation(order=order, mixtures=mixtures, summary=summary, sources=sources, left_out=out)


def judged(case: Case, permute: bool, tolerance_s: float, with_pesq: bool) -> list[Source]:
    """Figures of one mixture's sources.

    Raises:
        ValueError: its files differ in rate, or too much in length, or one is silent, unreadable, not finite, or has
            several channels.
    """
    files = (*case.references, *case.estimates, *((case.mixture,) if case.mixture else ()))
    sounds, rate = _read(files, tolerance_s)
    count = len(case.references)
    references, estimates, mixed = sounds[:count], sounds[count : 2 * count], sounds[2 * count :]
    order = np.arange(count)
    if permute:
        order = best_order(si_sdr(*np.broadcast_arrays(estimates[:, None], references[None])))
    estimates = estimates[order]
    plain, filtered = si_sdr(estimates, references), bss_eval(estimates, references, permute=False)
    columns = {"si_sdr_db": plain, "sdr_db": filtered.sdr, "sar_db": filtered.sar}
    if count > 1:
        columns["sir_db"] = filtered.sir
    if len(mixed):
        floor = np.broadcast_to(mixed[0], references.shape)
        columns["si_sdr_improvement_db"] = gained(plain, si_sdr(floor, references))
        columns["sdr_improvement_db"] = gained(filtered.sdr, sdr(floor, references))
    return [
        Source(
            mixture=case.name,
            source=number,
            estimate=_name(case.estimates[order[row]]),
            figures=replace(
                Figures(**{name: float(values[row]) for name, values in columns.items()}),
                stoi=_if_defined(stoi, estimates[row], references[row], rate),
                pesq=_if_defined(pesq, estimates[row], references[row], rate) if with_pesq else None,
            ),
        )
        for row, number in enumerate(case.sources)
    ]


def _read(files: Sequence[Path], tolerance_s: float) -> tuple[np.ndarray, int]:
    """Sounds (files, N) float64, cut to the shortest, and their samples a second."""
    sounds, rates = zip(*map(_sound, files), strict=True)
    lengths = [len(it) for it in sounds]
    for path, rate, length in zip(files, rates, lengths, strict=True):
        if rate != rates[0]:
            raise ValueError(f"{_called(path)} has {rate} Hz, {_called(files[0])} {rates[0]} Hz; resample one of them")
        if abs(length - lengths[0]) > tolerance_s * rate:
            longer = f"{abs(length - lengths[0]) / rate:.3f} s {'longer' if length > lengths[0] else 'shorter'}"
            raise ValueError(f"{_called(path)} is {longer} than {_called(files[0])}; {tolerance_s:g} s are allowed")
    cut = np.array([it[: min(lengths)] for it in sounds])
    for path, sound in zip(files, cut, strict=True):
        if not sound.any():
            raise ValueError(f"{_called(path)} is silent, so no ratio is defined")
        if not np.isfinite(sound).all():
            raise ValueError(f"{_called(path)} holds samples that are NaN or infinite")
    return cut, rates[0]


def _sound(path: Path) -> tuple[np.ndarray, int]:
    try:
        sound, rate = soundfile.read(path, dtype="float64", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{_called(path)} cannot be read: {error.error_string}") from None
    if sound.shape[1] != 1:
        raise ValueError(f"{_called(path)} has {sound.shape[1]} channels, expected one")
    return sound[:, 0], rate


def _called(path: Path) -> str:
    """A file, told from the one of the same name in the other folder."""
    return f"{path.parents[1].name}/{_name(path)}" if FOLDER.fullmatch(path.parent.name) else _name(path)


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _if_defined(figure: Callable[[np.ndarray, np.ndarray, int], float], *given: Any) -> float | None:
    try:
        return figure(*given)
    except ValueError:
        return None
