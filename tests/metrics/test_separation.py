"""Figures of separation: laws, then mir_eval, an exact projection, pystoi and pesq as witnesses."""

import warnings

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.metrics.projection import TAPS
from phonoscope.metrics.separation import (
    best_order,
    bss_eval,
    pesq,
    sdr,
    sdr_improvement,
    si_sdr,
    si_sdr_improvement,
    stoi,
)

few = settings(max_examples=25)
seeds = st.integers(0, 2**32 - 1)


def case(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Estimates and references of one to three coloured, gated, scaled sounds: some alike, some all but silent."""
    rng = np.random.default_rng(seed)
    sources, samples = rng.choice([1] * 6 + [2] * 13 + [3]), int(rng.integers(2000, 5000))
    white = rng.normal(size=(sources, samples))
    references = np.array(
        [
            scipy.signal.lfilter([1], [1, -pole], it)
            for pole, it in zip(rng.uniform(0, 0.95, sources), white, strict=True)
        ]
    )
    for it in references:
        it[: rng.integers(0, samples // 3)] *= rng.choice([0, 1e-6, 1])
    leak, noise = 10 ** rng.uniform(-3, 0.5, (sources, sources)), 10 ** rng.uniform(-4, 0.5)
    estimates = (leak + np.eye(sources)) @ references + noise * rng.normal(size=references.shape)
    if rng.random() < 0.2:
        estimates[-1] = estimates[0]  # which one is which cannot be told
    order = rng.permutation(sources)
    gains = 10.0 ** rng.uniform(-6, 0, (2, sources, 1))  # mir_eval's own errors grow if sounds differ by more
    return gains[0] * estimates[order], gains[1] * references


def by_mir_eval(estimates: np.ndarray, references: np.ndarray, permute: bool) -> list[np.ndarray]:
    from mir_eval.separation import bss_eval_sources

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # the module is frozen and to be moved
        return list(bss_eval_sources(references, estimates, permute))


def apart(estimates: np.ndarray, references: np.ndarray, permute: bool) -> float:
    """The greatest difference to mir_eval of any ratio, dB."""
    ours, theirs = bss_eval(estimates, references, permute), by_mir_eval(estimates, references, permute)
    capped = [np.minimum(it[:3], 200) for it in (ours, theirs)]  # above, nothing but rounding is left
    like = np.abs(np.corrcoef(estimates) - np.eye(len(estimates))).max()
    assert like > 1 - 1e-9 or np.array_equal(ours.permutation, theirs[3])
    return float(np.abs(capped[0] - capped[1]).max())


@few
@given(seeds, st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_no_ratio_minds_the_scale_of_anything(seed, one, other):
    estimates, references = case(seed)
    np.testing.assert_allclose(si_sdr(one * estimates, other * references), si_sdr(estimates, references), atol=1e-6)
    np.testing.assert_allclose(sdr(one * estimates, other * references), sdr(estimates, references), atol=1e-6)


@few
@given(seeds, st.floats(-40, 60))
def test_si_sdr_is_the_ratio_that_was_mixed(seed, ratio_db):
    rng = np.random.default_rng(seed)
    reference, noise = np.linalg.qr(rng.normal(size=(400, 2)))[0].T  # orthogonal, of equal energy
    assert si_sdr(reference + 10 ** (-ratio_db / 20) * noise, reference) == pytest.approx(ratio_db, abs=1e-9)


def test_si_sdr_is_taken_of_each_row_of_any_shape():
    estimates, references = np.random.default_rng(0).normal(size=(2, 3, 4, 100))
    found = si_sdr(estimates, references)
    assert found.shape == (3, 4)
    assert found[1, 2] == pytest.approx(si_sdr(estimates[1, 2], references[1, 2]))


def test_a_perfect_estimate_has_an_endless_ratio_and_a_silent_one_none():
    reference = np.array([0.5, -0.25, 0.125])
    assert si_sdr(reference, reference) == np.inf
    assert si_sdr(np.zeros(3), reference) == -np.inf
    assert si_sdr(np.array([0.25, 0.5, 0.0]), reference) == -np.inf  # orthogonal


@few
@given(seeds)
def test_sdr_is_that_of_bss_eval_in_the_given_order_and_filters_never_lower_it(seed):
    estimates, references = case(seed)
    found = sdr(estimates, references)
    np.testing.assert_allclose(found, bss_eval(estimates, references, permute=False).sdr, rtol=0, atol=1e-9)
    assert np.all(found >= si_sdr(estimates, references) - 1e-6)


@few
@given(seeds)
def test_permuting_the_estimates_permutes_the_answer_only(seed):
    estimates, references = case(seed)
    order = np.random.default_rng(seed).permutation(len(estimates))
    one, other = bss_eval(estimates, references), bss_eval(estimates[order], references)
    np.testing.assert_allclose(one.sir.mean(), other.sir.mean(), atol=1e-6)
    fixed = bss_eval(estimates[one.permutation], references, permute=False)
    np.testing.assert_allclose(fixed[:3], one[:3], atol=1e-6)
    assert fixed.permutation.tolist() == list(range(len(estimates)))


@few
@given(seeds)
def test_a_filter_of_the_reference_is_no_distortion(seed):
    rng = np.random.default_rng(seed)
    reference = np.pad(rng.normal(size=(1, 3000)), ((0, 0), (0, TAPS)))
    heard = scipy.signal.fftconvolve(reference, rng.normal(size=(1, TAPS)), axes=1)[:, : reference.shape[1]]
    assert sdr(heard, reference)[0] > 200


def test_with_one_source_there_is_nothing_to_interfere():
    estimates, references = np.random.default_rng(0).normal(size=(2, 1, 2000))
    found = bss_eval(estimates, references)
    assert found.sir.tolist() == [np.inf]
    assert found.sar == pytest.approx(found.sdr)


@few
@given(seeds)
def test_the_best_order_has_the_highest_mean_of_all(seed):
    from itertools import permutations

    ratios = np.random.default_rng(seed).normal(0, 10, (4, 4))
    means = {order: ratios[list(order), range(4)].mean() for order in permutations(range(4))}
    assert tuple(best_order(ratios)) == max(means, key=lambda it: means[it])


def test_of_equally_good_orders_the_given_one_stays():
    assert best_order(np.full((3, 3), 2.5)).tolist() == [0, 1, 2]
    assert best_order(np.array([[1.0, np.inf], [-np.inf, 1.0]])).tolist() == [0, 1]


@few
@given(seeds)
def test_improvements_are_plain_differences(seed):
    estimates, references = case(seed)
    mixture = references.sum(0)
    mixed = np.tile(mixture, (len(references), 1))
    expected = si_sdr(estimates, references) - si_sdr(mixed, references)
    np.testing.assert_allclose(si_sdr_improvement(estimates, references, mixture), expected)
    np.testing.assert_allclose(sdr_improvement(mixed, references, mixture), 0, atol=1e-9)


def test_a_mixture_of_one_source_is_not_improved_upon_by_itself():
    reference = np.random.default_rng(0).normal(size=(1, 100))
    assert si_sdr_improvement(reference, reference, reference[0]).tolist() == [0.0]


@settings(max_examples=12)
@given(seeds)
def test_bss_eval_equals_mir_eval(seed):
    estimates, references = case(seed)
    assert max(apart(estimates, references, True), apart(estimates, references, False)) < 1e-6


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("first", range(0, 1000, 125))
def test_bss_eval_equals_mir_eval_in_a_thousand_cases(first):
    assert max(apart(*case(seed), permute=seed % 2 == 0) for seed in range(first, first + 125)) < 1e-6


@pytest.mark.real
def test_of_real_voices_bss_eval_equals_mir_eval(shared_data):
    import soundfile

    folder = shared_data / "e_clean_speech" / "librispeech_test-other"
    files = [next(folder.glob(f"{who}-*.flac")) for who in (1688, 2033)]
    references = np.array([soundfile.read(path)[0][8000:40000] for path in files])
    estimates = references[::-1] + 0.1 * references
    assert apart(estimates, references, permute=True) < 1e-6
    assert bss_eval(estimates, references).permutation.tolist() == [1, 0]


def test_where_bands_are_empty_ratios_are_nearly_those_of_the_exact_projection():
    rng = np.random.default_rng(1)
    numerator, denominator = scipy.signal.butter(8, 0.25)
    low = scipy.signal.lfilter(numerator, denominator, rng.normal(size=(2, 3000))) * np.hanning(3000)
    heard = low + 0.1 * low[::-1] + 0.01 * rng.normal(size=low.shape)
    columns = [np.array([np.pad(it, (at, TAPS - 1 - at)) for at in range(TAPS)]).T for it in low / np.linalg.norm(low)]
    bases = [np.linalg.qr(it)[0] for it in (*columns, np.concatenate(columns, 1))]
    padded = np.pad(heard, ((0, 0), (0, TAPS - 1)))
    of_all = padded @ bases[2] @ bases[2].T
    signal = np.array([it @ (it.T @ sound) for it, sound in zip(bases[:2], padded, strict=True)])
    found = bss_eval(heard, low, permute=False)
    for ours, above, below, within_db in (
        (found.sdr, signal, padded - signal, 0.02),
        (found.sir, signal, of_all - signal, 0.05),
        (found.sar, of_all, padded - of_all, 0.5),
    ):
        exact = 10 * np.log10((above**2).sum(1) / (below**2).sum(1))
        np.testing.assert_allclose(ours, exact, atol=within_db)


def test_stoi_equals_pystoi_and_falls_with_noise():
    import pystoi

    rng = np.random.default_rng(0)
    speech = rng.normal(size=32000) * (1 + np.sin(np.arange(32000) / 700)) / 10
    noise = rng.normal(size=32000) / 10
    found = [stoi(speech + gain * noise, speech, 16000) for gain in (0, 0.3, 1, 3)]
    assert found == sorted(found, reverse=True) and found[0] == pytest.approx(1)
    assert found[2] == pytest.approx(pystoi.stoi(speech, speech + noise, 16000), abs=1e-9)
    extended = stoi(speech + noise, speech, 16000, extended=True)
    assert extended == pytest.approx(pystoi.stoi(speech, speech + noise, 16000, True), abs=1e-6)


def test_pesq_is_highest_of_what_is_the_same():
    pytest.importorskip("pesq", reason="pesq is not installed: pip install 'phonoscope[pesq]'")
    rng = np.random.default_rng(0)
    speech = rng.normal(size=32000) * (1 + np.sin(np.arange(32000) / 700)) / 10
    assert pesq(speech, speech, 16000) == pytest.approx(4.644, abs=1e-3)
    assert pesq(speech[::2], speech[::2], 8000) == pytest.approx(4.549, abs=1e-3)
    assert pesq(speech + rng.normal(size=32000) / 10, speech, 16000) < 4
    with pytest.raises(ValueError, match="8000 and 16000 Hz, got 44100 Hz"):
        pesq(speech, speech, 44100)


GOOD = np.random.default_rng(0).normal(size=(2, 600))
HOLE = np.where(np.arange(2)[:, None] == 1, 0.0, GOOD)


@pytest.mark.parametrize("figure", [si_sdr, sdr, bss_eval])
@pytest.mark.parametrize(
    ("estimates", "references", "said"),
    [
        (GOOD, GOOD[:, 1:], r"estimates \(2, 600\) and references \(2, 599\) must have one shape"),
        (GOOD, HOLE, "reference 1 is silent"),
        (np.where(GOOD > 2, np.nan, GOOD), GOOD, "estimate 0 has samples that are NaN or infinite"),
        (GOOD[:, :0], GOOD[:, :0], "must have one shape"),
    ],
)
def test_what_has_no_ratio_is_refused_in_words(figure, estimates, references, said):
    with pytest.raises(ValueError, match=said):
        figure(estimates, references)


def test_bss_eval_refuses_silent_estimates_as_mir_eval_does():
    for figure in (sdr, bss_eval):
        with pytest.raises(ValueError, match="estimate 1 is silent"):
            figure(HOLE, GOOD)
    with pytest.raises(ValueError, match="non-silent"):
        by_mir_eval(HOLE, GOOD, True)
    with pytest.raises(ValueError, match=r"must be \(S, N\), got \(600,\)"):
        sdr(GOOD[0], GOOD[0])


def test_stoi_of_too_little_speech_is_refused_in_words():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"0\.4 s of speech, got less in 0\.10 s"):
        stoi(rng.normal(size=1600), rng.normal(size=1600), 16000)
    click = np.zeros(16000)
    click[8000:8100] = 1
    with pytest.raises(ValueError, match=r"got less in 1\.00 s"):
        stoi(click, click, 16000)
