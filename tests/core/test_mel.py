"""Filters, cosines and lifters."""

import librosa
import numpy as np
import pytest
import scipy.fft
from python_speech_features import base as psf

from phonoscope.core.mel import (
    cosines,
    kaldi_filters,
    lifter,
    psf_filters,
    slaney_filters,
    viseme_filters,
    whisper_filters,
)

RATES = [8000, 16000, 22050, 44100, 48000]


@pytest.mark.parametrize("filters", [psf_filters, slaney_filters, viseme_filters, kaldi_filters, whisper_filters])
@pytest.mark.parametrize("sample_rate", RATES)
def test_filters_never_take_power_away(filters, sample_rate):
    assert (filters(512, sample_rate) >= 0).all()
    assert np.isfinite(filters(512, sample_rate)).all()


@pytest.mark.parametrize("sample_rate", RATES)
def test_psf_filters_are_those_of_python_speech_features(sample_rate):
    np.testing.assert_array_equal(psf_filters(512, sample_rate), psf.get_filterbanks(26, 512, sample_rate))


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.filterwarnings("ignore:Empty filters detected")
def test_slaney_filters_are_those_of_librosa(sample_rate):
    nfft = sample_rate // 40
    witness = librosa.filters.mel(sr=sample_rate, n_fft=nfft)
    np.testing.assert_allclose(slaney_filters(nfft, sample_rate), witness, rtol=3e-7, atol=1e-12)


def test_whisper_filters_are_librosa_s_eighty():
    witness = librosa.filters.mel(sr=16000, n_fft=400, n_mels=80)
    np.testing.assert_allclose(whisper_filters(400, 16000), witness, rtol=3e-7, atol=1e-12)


def test_kaldi_filters_hand_over_to_each_other_from_the_first_top_to_the_last():
    filters = kaldi_filters(512, 16000)
    assert filters.shape == (80, 257)
    tops = filters.argmax(1)
    np.testing.assert_allclose(filters[:, tops[0] + 1 : tops[-1] - 1].sum(0), 1, atol=1e-12)
    assert not filters[:, [0, 256]].any()


def test_viseme_filters_rise_to_at_most_one_and_none_is_empty():
    filters = viseme_filters(512, 16000)
    assert filters.shape == (40, 257)
    assert filters.max() <= 1
    assert (filters.sum(1) > 0).all()
    assert not filters[:, 0].any()


def test_cosines_are_orthonormal():
    rows = cosines(26, range(26))
    np.testing.assert_allclose(rows @ rows.T, np.eye(26), atol=1e-12)


def test_cosines_are_the_second_kind_of_scipy():
    levels = np.random.default_rng(0).normal(size=(5, 40))
    np.testing.assert_allclose(
        levels @ cosines(40, range(1, 14)).T, np.asarray(scipy.fft.dct(levels, norm="ortho"))[:, 1:14]
    )


def test_lifter_is_the_published_one():
    published = [1, 2.566, 4.103, 5.582, 6.975, 8.258, 9.405, 10.395, 11.211, 11.836, 12.259, 12.473, 12.473]
    np.testing.assert_allclose(lifter(13, 23), published, atol=5e-4)
    np.testing.assert_array_equal(lifter(13, 0), np.ones(13))
