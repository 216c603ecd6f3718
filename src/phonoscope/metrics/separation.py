"""How well voices were told apart: SI-SDR, BSS Eval's SDR, SIR and SAR, STOI and PESQ.

Ratios are in dB, more is better, +inf is perfect, -inf is none of it; none is ever NaN. Sound may have any scale.
"""

import warnings
from typing import NamedTuple

import numpy as np
import scipy.optimize

from phonoscope.metrics.projection import TAPS, energy, factor, inner_products, projections, transform_size

TIE_DB = 1e-9  # orders whose figures differ by less are equally good


def si_sdr(estimates: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Scale-invariant signal-to-distortion ratios in dB, (…), from two (…, N); -inf of a silent estimate.

    Means are not taken off: sound is compared as it is.

    Raises:
        ValueError: shapes differ, a reference is silent (the ratio is undefined), or something is not finite.

    Source: Le Roux et al., "SDR: half-baked or well done?", ICASSP 2019.
    """
    estimates, references, peak, reference_peak = _alike(estimates, references)
    estimates, references = estimates / peak, references / reference_peak
    scale = np.vecdot(estimates, references) / np.vecdot(references, references)
    target = scale[..., None] * references
    rest = estimates - target
    return _db(np.vecdot(target, target), np.vecdot(rest, rest))


def si_sdr_improvement(estimates: np.ndarray, references: np.ndarray, mixture: np.ndarray) -> np.ndarray:
    """By how many dB estimates (…, N) have a higher `si_sdr` than the mixture (N,) or (…, N) itself, (…).

    Raises:
        ValueError: as of `si_sdr`.
    """
    return gained(si_sdr(estimates, references), si_sdr(np.broadcast_to(mixture, np.shape(references)), references))


def sdr(estimates: np.ndarray, references: np.ndarray) -> np.ndarray:
    """BSS Eval's signal-to-distortion ratios in dB, (S,), of estimates (S, N), each of the reference in its row (S, N).

    What a filter of 512 taps makes of the reference counts as signal. The same as `bss_eval(…, permute=False).sdr`,
    for a fraction of its price.

    Raises:
        ValueError: shapes differ, an estimate or a reference is silent, or something is not finite.

    Source: Vincent et al., "Performance measurement in blind audio source separation", TASLP 2006, version 3 of 2012.
    """
    estimates, references, size = _transformed(estimates, references)
    ratios = np.empty(len(estimates))
    for row, (estimate, reference) in enumerate(zip(estimates, references, strict=True)):
        one = reference[None]
        products = inner_products(reference, estimate, size)[TAPS - 1 :: -1]
        signal = projections(factor(one, size), products[:, None], one, size)[0]
        ratios[row] = _db(energy(signal), energy(estimate - signal))
    return ratios


def sdr_improvement(estimates: np.ndarray, references: np.ndarray, mixture: np.ndarray) -> np.ndarray:
    """By how many dB estimates (S, N) have a higher `sdr` than the mixture (N,) itself, (S,).

    Raises:
        ValueError: as of `sdr`; or the mixture is silent.
    """
    return gained(sdr(estimates, references), sdr(np.broadcast_to(mixture, np.shape(references)), references))


class BssEval(NamedTuple):
    """What `bss_eval` found, a figure a reference, each (S,)."""

    sdr: np.ndarray  # dB; filtered reference over all else
    sir: np.ndarray  # dB; filtered reference over what filters make of the other references; +inf if there are none
    sar: np.ndarray  # dB; what filters make of all references over all else
    permutation: np.ndarray  # int64; the estimate that was taken for each reference


def bss_eval(estimates: np.ndarray, references: np.ndarray, permute: bool = True) -> BssEval:
    """BSS Eval's ratios of estimates (S, N) to references (S, N), with distortion filters of 512 taps.

    Args:
        permute: take the estimates in the order of the highest mean SIR; else in the order that is given.

    Raises:
        ValueError: shapes differ, an estimate or a reference is silent, or something is not finite.

    Source: Vincent et al., "Performance measurement in blind audio source separation", TASLP 2006, version 3 of 2012;
        the same figures as `mir_eval.separation.bss_eval_sources` (MIT).
    """
    estimates, references, size = _transformed(estimates, references)
    sources, lower = len(references), factor(references, size)
    products = np.array([inner_products(it, estimates, size)[:, TAPS - 1 :: -1].T for it in references])
    heard = projections(lower, products.reshape(sources * TAPS, sources), references, size)
    found = np.full((3, sources, sources), -np.inf)  # SDR, SIR, SAR by estimate and reference
    for row in range(sources):
        which = slice(None) if permute else slice(row, row + 1)
        one = references[row : row + 1]
        first = factor(one, size) if row else lower[:TAPS, :TAPS]
        signal = projections(first, products[row][:, which], one, size)
        parts, rest = energy(signal), energy(estimates[which] - heard[which])
        found[0, which, row] = _db(parts, energy(estimates[which] - signal))
        found[1, which, row] = _db(parts, energy(heard[which] - signal))
        found[2, which, row] = _db(energy(heard[which]), rest)
    order = best_order(found[1]) if permute else np.arange(sources)
    sdr_db, sir_db, sar_db = found[:, order, np.arange(sources)]
    return BssEval(sdr_db, sir_db, sar_db, order)


def best_order(ratios: np.ndarray) -> np.ndarray:
    """The estimate for each reference, (S,) int64, with the highest mean ratio.

    Of orders that are equally good, the one that is given stays if it is among them.

    Args:
        ratios: (S, S) dB, a row an estimate, a column a reference.
    """
    given, finite = np.arange(len(ratios)), np.clip(ratios, -1e6, 1e6)
    references, order = scipy.optimize.linear_sum_assignment(finite.T, maximize=True)
    gain = finite[order, references].mean() - finite[given, given].mean()
    return order.astype(np.int64) if gain > TIE_DB else given


def gained(after: np.ndarray, before: np.ndarray) -> np.ndarray:
    """`after` - `before` in dB; 0 where both are the same infinity."""
    with np.errstate(invalid="ignore"):
        return np.where(after == before, 0.0, after - before)


def stoi(estimate: np.ndarray, reference: np.ndarray, sample_rate: int, extended: bool = False) -> float:
    """Short-time objective intelligibility of an estimate (N,) of clean speech (N,), about 0 to 1.

    Raises:
        ValueError: shapes differ, something is not finite, the reference is silent, or under 0.4 s of it is speech.

    Source: Taal et al., "An Algorithm for Intelligibility Prediction of Time-Frequency Weighted Noisy Speech", TASLP
        2011; extended: Jensen and Taal, TASLP 2016. By pystoi (MIT), with which the field's figures are made.
    """
    import pystoi

    estimate, reference, peak, reference_peak = _alike(estimate, reference)
    wanting = ValueError(f"STOI needs 0.4 s of speech, got less in {reference.size / sample_rate:.2f} s")
    if reference.ndim != 1 or reference.size < 0.4 * sample_rate:
        raise wanting
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Not enough STFT frames", RuntimeWarning)
        try:
            return float(pystoi.stoi(reference / reference_peak, estimate / peak, sample_rate, extended))
        except RuntimeWarning:
            raise wanting from None


def pesq(estimate: np.ndarray, reference: np.ndarray, sample_rate: int) -> float:
    """Perceived quality of an estimate (N,) of clean speech (N,) by ITU-T P.862, MOS from 1 to 4.6.

    Wide band (P.862.2) at 16000 Hz, narrow band (P.862.1) at 8000 Hz.

    Raises:
        ValueError: another rate, shapes differ, something is not finite, or no speech was found in the reference.
        ModuleNotFoundError: pip install 'phonoscope[pesq]'.

    Source: ITU-T P.862; by the package pesq (MIT), which holds ITU's reference code.
    """
    from pesq import PesqError
    from pesq import pesq as measured

    modes = {16000: "wb", 8000: "nb"}
    estimate, reference, *_ = _alike(estimate, reference)
    if sample_rate not in modes:
        raise ValueError(f"PESQ is defined at 8000 and 16000 Hz, got {sample_rate} Hz")
    try:
        return float(measured(sample_rate, reference, estimate, modes[sample_rate]))
    except PesqError as error:
        raise ValueError(f"PESQ cannot be told: {error}") from None


def _alike(estimates: np.ndarray, references: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Both in float64, and the peaks (…, 1) of both; 1 of silent estimates, lest they be divided by 0.

    Raises:
        ValueError: shapes differ, something is not finite, or a reference is silent.
    """
    estimates, references = np.asarray(estimates, np.float64), np.asarray(references, np.float64)
    if estimates.shape != references.shape or not references.ndim or not references.shape[-1]:
        raise ValueError(f"estimates {estimates.shape} and references {references.shape} must have one shape, (…, N)")
    # not of np.abs: the memory that it takes costs more than to look twice
    peaks = [np.maximum(it.max(-1, keepdims=True), -it.min(-1, keepdims=True)) for it in (estimates, references)]
    for what, peak in zip(("estimate", "reference"), peaks, strict=True):
        if (wrong := np.flatnonzero(~np.isfinite(peak))).size:
            raise ValueError(f"{what} {wrong[0]} has samples that are NaN or infinite")
    if (silent := np.flatnonzero(peaks[1] == 0)).size:
        raise ValueError(f"reference {silent[0]} is silent, so no ratio to it is defined")
    return estimates, references, np.where(peaks[0] > 0, peaks[0], 1), peaks[1]


def _transformed(estimates: np.ndarray, references: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Spectra (S, F) of both, of sounds with peaks of 1, and the size of the transform."""
    estimates, references, peak, reference_peak = _alike(estimates, references)
    if references.ndim != 2:
        raise ValueError(f"estimates and references must be (S, N), got {references.shape}")
    if (silent := np.flatnonzero(~estimates.any(-1))).size:
        raise ValueError(f"estimate {silent[0]} is silent, so its ratios are not defined")
    size = transform_size(references.shape[-1])
    spectra = np.fft.rfft(estimates, size), np.fft.rfft(references, size)
    return np.divide(spectra[0], peak, out=spectra[0]), np.divide(spectra[1], reference_peak, out=spectra[1]), size


def _db(signal: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """The ratio of two energies in dB; -inf if there is no signal, +inf if there is nothing else."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(signal > 0, 10 * np.log10(signal / rest), -np.inf)
