"""Mixing: laws of levels and sums, rooms, noise, and the seed's numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.masks import complex_ratio_mask
from phonoscope.core.stft import stft
from phonoscope.data.mixing import (
    BLOCK,
    PEAK,
    Levels,
    MixParams,
    active_rms,
    drawn,
    laid,
    mixed,
    part_of,
    reverberant,
)

few = settings(max_examples=40)
seeds = st.integers(0, 2**32 - 1)


def speech(samples: int, seed: int, loud: float = 0.1) -> np.ndarray:
    """Noise that pauses, (samples,) float32."""
    rng = np.random.default_rng(seed)
    speaking = np.repeat(rng.random(samples // 800 + 1) < 0.6, 800)[:samples]
    return (loud * rng.normal(size=samples) * speaking).clip(-1, 1).astype(np.float32)


def several(count: int, samples: int, seed: int) -> np.ndarray:
    return np.stack([speech(samples, seed + k, 0.02 * (k + 1)) for k in range(count)])


@few
@given(
    st.integers(1, 4), st.integers(0, 4000), seeds, st.sampled_from(["snr", "equal"]),
    st.sampled_from(["none", "peak", "loudness"]), st.booleans(), st.booleans(),
)  # fmt: skip
def test_the_sound_is_the_sum_of_what_is_in_it(count, samples, seed, gains, normalise, noisy, room):
    p = MixParams(speakers=count, gains=gains, normalise=normalise)
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=rng.integers(0, 9000)) if noisy else None
    rooms = [np.exp(-np.arange(50) / 9) * rng.normal(size=50) for _ in range(count)] if room else None
    made = mixed(several(count, samples, seed % 1000), p, rng, noise, rooms)
    parts = [*made.voices] + ([] if made.noise is None else [made.noise])
    assert (made.noise is not None) == noisy
    assert made.sound.dtype == made.voices.dtype == np.float32 and made.voices.shape == (count, samples)
    np.testing.assert_allclose(made.sound, np.sum(parts, axis=0, dtype=np.float64), atol=1e-6)
    assert np.isfinite(made.sound).all()
    assert normalise == "none" or np.abs(made.sound).max(initial=0) <= PEAK + 1e-6
    if normalise == "peak" and made.sound.any():
        assert np.abs(made.sound).max() == pytest.approx(PEAK, abs=1e-6)


@few
@given(st.floats(-20, 20), seeds, st.sampled_from(["none", "peak", "loudness"]))
def test_the_ratio_of_active_parts_is_the_one_that_was_asked_for(snr_db, seed, normalise):
    voices = np.stack([speech(16000, seed % 997, 0.2), speech(16000, seed % 997 + 1, 0.01)])
    made = mixed(voices, MixParams(snr_db=(snr_db, snr_db), normalise=normalise), np.random.default_rng(seed))
    one, two = (active_rms(it) for it in made.voices)
    assert 20 * np.log10(one / two) == pytest.approx(snr_db, abs=1e-3)


@few
@given(st.floats(-20, 40), seeds)
def test_noise_is_as_far_below_the_voices_as_was_asked_for(noise_db, seed):
    rng = np.random.default_rng(seed)
    p = MixParams(noise_db=(noise_db, noise_db))
    made = mixed(several(2, 16000, seed % 991), p, rng, rng.normal(size=5000))
    level = np.sqrt(np.mean(made.noise.astype(np.float64) ** 2))
    assert 20 * np.log10(active_rms(made.voices.sum(0)) / level) == pytest.approx(noise_db, abs=1e-3)


def test_pauses_do_not_make_a_voice_louder():
    whole = speech(16000, 3, 0.1)
    pausing = np.concatenate([whole, np.zeros(10 * BLOCK, np.float32), 1e-4 * speech(20 * BLOCK, 4)])
    assert active_rms(pausing) == pytest.approx(active_rms(whole), rel=1e-6)
    assert active_rms(whole) > np.sqrt(np.mean(whole**2)) * 1.1


@given(st.integers(1, 6), seeds)
def test_equal_gains_are_exactly_one_part_in_so_many(count, seed):
    voices = several(count, 2000, seed % 1000)
    made = mixed(voices, MixParams(speakers=count, gains="equal", normalise="none"), np.random.default_rng(seed))
    np.testing.assert_array_equal(made.voices, (voices.astype(np.float64) * (1 / count)).astype(np.float32))


def test_the_seeds_mixture_has_the_published_numbers():
    n = np.arange(48000)
    one, two = 0.5 * np.sin(2 * np.pi * 440 * n / 16000), 0.4 * np.sin(2 * np.pi * 1000 * n / 16000 + 0.3)
    p = MixParams(gains="equal", normalise="none")
    made = mixed(np.stack([one, two]), p, np.random.default_rng(0))
    mixture = stft(made.sound, 16000).values
    found = [mixture[100, 14], mixture[100, 32], complex_ratio_mask(stft(one, 16000).values, mixture)[100, 14]]
    wanted = [6.174332 - 24.096059j, 5.895738 - 19.059196j, 2.0000208 - 2.33e-6j]
    np.testing.assert_allclose(found, wanted, atol=2e-5)


@few
@given(seeds, st.sampled_from(["snr", "equal"]), st.sampled_from(["none", "peak", "loudness"]), st.integers(0, 3))
def test_silence_stays_silent_and_nothing_becomes_nan(seed, gains, normalise, silent):
    voices = several(3, 4000, seed % 1000)
    voices[:silent] = 0
    p = MixParams(speakers=3, gains=gains, normalise=normalise)
    made = mixed(voices, p, np.random.default_rng(seed), noise=np.zeros(100))
    assert np.isfinite(made.sound).all() and not made.voices[:silent].any() and not made.noise.any()


@pytest.mark.parametrize("normalise", ["none", "peak", "loudness"])
def test_voices_of_no_length_give_a_mixture_of_none(normalise):
    p = MixParams(normalise=normalise)
    made = mixed(np.zeros((2, 0)), p, np.random.default_rng(0), np.ones(5), [np.ones(1), np.ones(2)])
    assert made.sound.shape == made.noise.shape == (0,) and made.voices.shape == (2, 0)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not():
    def made(seed):
        it = mixed(several(2, 4000, 5), MixParams(), np.random.default_rng(seed), speech(9000, 8))
        return it.sound.tobytes() + it.voices.tobytes()

    assert made(1) == made(1) != made(2)


@few
@given(st.integers(0, 40), st.integers(1, 3000), st.floats(0.1, 2), st.sampled_from([1, -1]), seeds)
def test_a_room_keeps_length_and_moment_and_level_of_what_comes_straight(delay, samples, level, sign, seed):
    voice = speech(samples, seed % 1000)
    response = np.zeros(delay + 200)
    response[delay] = sign * level
    np.testing.assert_allclose(reverberant(voice, response), voice, atol=1e-9)
    response[delay + 80] = sign * level / 2
    echo = np.zeros(samples)
    echo[80:] = voice[:-80] / 2 if samples > 80 else 0
    np.testing.assert_allclose(reverberant(voice, response), voice + echo, atol=1e-9)


@given(st.integers(1, 50), st.integers(0, 120), st.floats(0, 1, exclude_max=True))
def test_a_part_of_noise_is_as_long_as_asked_and_made_of_it(length, samples, at):
    noise = np.arange(1, length + 1)
    part = part_of(noise, samples, at)
    assert len(part) == samples and set(part) <= set(noise)
    assert samples < 2 or set(np.diff(part)) <= {1, 1 - length}


def test_what_was_drawn_can_be_laid_again():
    p = MixParams(speakers=3)
    voices = several(3, 4000, 1)
    levels = drawn(p, np.random.default_rng(4), noisy=False)
    again = mixed(voices, p, np.random.default_rng(4))
    np.testing.assert_array_equal(laid(voices, levels, p).sound, again.sound)
    assert levels.snr_db[0] == 0 and all(-5 <= it <= 5 for it in levels.snr_db) and levels.noise_db is None
    assert drawn(MixParams(gains="equal"), np.random.default_rng(0), True).snr_db == ()


def test_what_cannot_be_mixed_is_refused():
    good, p, rng = np.ones((2, 10)), MixParams(), np.random.default_rng(0)
    for voices, more, said in (
        (np.full((2, 10), np.nan), {}, "the voices hold samples that are NaN or infinite"),
        (np.ones((3, 10)), {}, "ask for 2 voices, got"),
        (good, {"noise": np.full(10, np.inf)}, "the noise hold"),
        (good, {"responses": [np.ones(3)]}, "2 voices want as many impulse responses, got 1"),
        (good, {"responses": [np.zeros(3), np.ones(3)]}, "impulse response is silent"),
    ):
        with pytest.raises(ValueError, match=said):
            mixed(voices, p, rng, **more)
    with pytest.raises(ValueError, match="must have 2 axes"):
        laid(np.ones(3), Levels(snr_db=()), p)
    for wrong in ({"speakers": 0}, {"snr_db": (5.0, -5.0)}, {"noise_db": (0.0, 900.0)}, {"seed": -1}):
        with pytest.raises(UsageError):
            MixParams(**wrong)
