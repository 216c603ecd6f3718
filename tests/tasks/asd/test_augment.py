"""Augmentation keeps what it must, and overlays are as loud as asked."""

import numpy as np
from hypothesis import given
from hypothesis.strategies import floats, integers

from phonoscope.tasks.asd.augment import overlay, vary_faces
from phonoscope.tasks.asd.params import AugmentParams

P = AugmentParams()


def faces(count: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 112, 112), np.uint8)


@given(count=integers(0, 4), seed=integers(0, 10**6))
def test_faces_keep_their_shape_and_type_and_a_seed_gives_the_same(count, seed):
    given_ = faces(count)
    varied = [vary_faces(given_, np.random.default_rng(seed), P) for _ in range(2)]
    assert varied[0].shape == given_.shape and varied[0].dtype == np.uint8
    assert np.array_equal(*varied)


def test_all_faces_of_a_clip_are_varied_alike():
    for seed in range(20):
        one = faces(1)
        varied = vary_faces(np.repeat(one, 4, 0), np.random.default_rng(seed), P)
        assert (varied == varied[:1]).all()


def test_faces_are_left_mirrored_enlarged_or_turned_each_a_quarter_of_the_time():
    given_ = faces(1)
    rng = np.random.default_rng(0)
    varied = [vary_faces(given_, rng, P) for _ in range(400)]
    left = sum(np.array_equal(it, given_) for it in varied)
    mirrored = sum(np.array_equal(it, given_[:, :, ::-1]) for it in varied)
    assert 70 < left < 130 and 70 < mirrored < 130
    assert len({it.tobytes() for it in varied}) > 150


def test_an_enlarged_face_shows_seven_tenths_at_least():
    ramp = np.broadcast_to(np.arange(112, dtype=np.uint8), (1, 112, 112))
    rng, spread = np.random.default_rng(1), []
    for _ in range(300):
        varied = vary_faces(np.ascontiguousarray(ramp), rng, AugmentParams(rotate_deg=0))
        spread.append(int(varied[0, 56].max()) - int(varied[0, 56].min()))
    assert min(spread) >= 0.7 * 111 - 3 and max(spread) == 111


@given(snr_db=floats(-5, 5), count=integers(200, 2000), other=integers(50, 3000), seed=integers(0, 99))
def test_overlays_have_the_ratio_that_was_asked_for(snr_db, count, other, seed):
    rng = np.random.default_rng(seed)
    clean, noise = rng.normal(0, 0.3, count), rng.normal(0, 0.01, other)
    mixed = overlay(clean, noise, snr_db)
    assert mixed.dtype == np.float32 and mixed.shape == clean.shape
    under = mixed - clean
    ratio_db = 10 * np.log10(np.mean(clean**2) / np.mean(under**2))
    assert abs(ratio_db - snr_db) < 1e-3


def test_loud_sound_does_not_overflow():
    loud = np.sign(np.sin(np.arange(4000))).astype(np.float32)
    mixed = overlay(loud, -loud, 0.0)
    assert np.abs(mixed).max() < 1e-6
    assert np.abs(overlay(loud, loud, -5.0)).max() > 2.7


def test_silence_is_left_as_it_is():
    some = np.ones(10, np.float32)
    assert np.array_equal(overlay(some, np.zeros(4), 0.0), some)
    assert np.array_equal(overlay(np.zeros(4), some, 0.0), np.zeros(4))
    assert np.array_equal(overlay(some, np.zeros(0), 0.0), some)
    assert overlay(np.zeros(0), some, 0.0).shape == (0,)
