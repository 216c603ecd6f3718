"""Where rows lie, and that what is in them is what was cut."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core import spectra as module
from phonoscope.core.fbank import RECIPES as FBANK
from phonoscope.core.fbank import fbank
from phonoscope.core.mfcc import RECIPES as MFCC
from phonoscope.core.mfcc import mfcc
from phonoscope.core.spectra import Cut, hann, povey, spectra
from phonoscope.core.stft import RECIPES as STFT
from phonoscope.core.stft import stft

few = settings(max_examples=60, deadline=None)
EDGES = ("pad", "centre", "mirror", "drop")


def cut_of(edges: str, **more) -> Cut:
    return Cut(window_s=Fraction(25, 1000), step_s=Fraction(10, 1000), edges=edges, **more)


def whole(audio: np.ndarray, cut: Cut) -> np.ndarray:
    rows = cut.rows(len(audio), 16000)
    none = np.zeros((0, rows.nfft // 2 + 1), complex)
    return np.concatenate([none, *(chunk.copy() for _, chunk in spectra(audio, rows, cut))])


@few
@given(samples=st.integers(0, 5000), edges=st.sampled_from(EDGES), chunk=st.integers(1, 30))
def test_rows_are_those_of_plain_slices(samples, edges, chunk):
    audio = np.random.default_rng(samples).normal(size=samples)
    cut = cut_of(edges, nfft=512)
    behind = np.zeros(1000)
    ahead = np.concatenate([audio, behind])[1 : 1 + 256][::-1] if edges == "mirror" else np.zeros(256)
    padded = np.concatenate([ahead if edges in ("centre", "mirror") else np.zeros(0), audio, behind])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK", chunk)
        made = whole(audio, cut)
    assert len(made) == cut.rows(samples, 16000).count
    for number, spectrum in enumerate(made):
        np.testing.assert_allclose(spectrum, np.fft.rfft(padded[number * 160 :][:400], 512), rtol=0, atol=1e-9)


@few
@given(chunk=st.integers(1, 40), data=st.data(), samples=st.integers(0, 6000))
@pytest.mark.parametrize(("feature", "recipes"), [(fbank, FBANK), (mfcc, MFCC), (stft, STFT)])
def test_chunks_of_any_size_give_what_one_pass_gives(feature, recipes, chunk, data, samples):
    audio, recipe = np.random.default_rng(chunk).normal(0, 0.1, samples), data.draw(st.sampled_from(sorted(recipes)))
    at_once = feature(audio, 16000, recipe).values
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK", chunk)
        np.testing.assert_allclose(feature(audio, 16000, recipe).values, at_once, rtol=0, atol=1e-9)


@few
@given(samples=st.integers(0, 50000), rate=st.sampled_from([8000, 16000, 22050, 44100, 48000]))
def test_edges_decide_how_many_rows_there_are(samples, rate):
    count = {edges: cut_of(edges).rows(samples, rate).count for edges in EDGES}
    window, step = (cut_of("drop").rows(samples, rate).window, cut_of("drop").rows(samples, rate).step)
    assert (count["drop"] - 1) * step + window <= samples < count["drop"] * step + window or count["drop"] == 0
    assert count["pad"] - count["drop"] in (0, 1)
    assert count["centre"] == count["mirror"] == (1 + samples // step if samples else 0)


@pytest.mark.parametrize("edges", EDGES)
def test_a_row_hears_a_click_at_its_centre_best(edges):
    cut = cut_of(edges, taper=hann)
    rows = cut.rows(1600, 16000)
    for number in (0, 3):
        click = np.zeros(1600)
        click[int((rows.start + number / rows.rate) * 16000)] = 1.0
        assert np.abs(whole(click, cut)[:, 0]).argmax() == number


def test_each_row_can_lose_its_mean_and_its_first_sample_can_stand_for_the_one_before_it():
    audio = np.random.default_rng(0).normal(size=400)
    level = audio - audio.mean()
    edge = level - 0.97 * np.concatenate([level[:1], level[:-1]])
    made = whole(audio, cut_of("drop", level=True, preemphasis="row-edge"))
    np.testing.assert_allclose(made, np.fft.rfft(edge)[None], atol=1e-12)
    row = whole(audio, cut_of("drop", preemphasis="row"))
    np.testing.assert_allclose(row, np.fft.rfft(audio - 0.97 * np.concatenate([[0], audio[:-1]]))[None], atol=1e-12)


def test_what_is_transformed_may_be_a_power_of_two():
    for rate, nfft in ((8000, 256), (16000, 512), (44100, 2048)):
        assert cut_of("drop", nfft="power-of-two").rows(0, rate).nfft == nfft


def test_windows_are_those_that_their_names_say():
    np.testing.assert_allclose(hann(400), np.hanning(401)[:-1], atol=1e-12)
    np.testing.assert_allclose(povey(400), np.hanning(400) ** 0.85, atol=1e-12)
