"""Loudness: pyloudnorm's figures, which were measured once, and laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.data.loudness import loudness_lufs
from phonoscope.data.mixing import MixParams, mixed


@pytest.mark.parametrize(("rate", "lufs"), [(16000, -14.984653433940101), (44100, -14.610502902740748)])
def test_figures_are_those_of_pyloudnorm(rate, lufs):
    n = np.arange(3 * rate)
    sound = np.random.default_rng(0).normal(0, 0.1, len(n)) * (1 + np.sin(n / rate * 3)) * (n > rate)
    assert loudness_lufs(sound, rate) == pytest.approx(lufs, abs=1e-9)


def test_a_full_scale_sine_is_as_loud_as_the_norm_says():
    n = np.arange(5 * 48000)
    assert loudness_lufs(np.sin(2 * np.pi * 997 * n / 48000), 48000) == pytest.approx(-3.01, abs=0.05)


@settings(max_examples=20)
@given(st.floats(-20, 20), st.integers(0, 10**6))
def test_so_many_db_more_are_so_many_lufs_more(gain_db, seed):
    sound = np.random.default_rng(seed).normal(0, 0.05, 16000)
    louder = loudness_lufs(sound * 10 ** (gain_db / 20), 16000)
    assert louder - loudness_lufs(sound, 16000) == pytest.approx(gain_db, abs=1e-9)


@pytest.mark.parametrize("samples", [0, 1, 50, 16000])
def test_silence_has_none(samples):
    assert loudness_lufs(np.zeros(samples), 16000) == -np.inf


def test_a_mixture_is_as_loud_as_asked_for():
    voices = np.random.default_rng(1).normal(0, 0.01, (2, 32000))
    made = mixed(voices, MixParams(normalise="loudness"), np.random.default_rng(0))
    assert loudness_lufs(made.sound, 16000) == pytest.approx(-23, abs=1e-3)
    loud = mixed(voices, MixParams(normalise="loudness", loudness_lufs=-1.0), np.random.default_rng(0))
    assert np.abs(loud.sound).max() == pytest.approx(0.99, abs=1e-6)
