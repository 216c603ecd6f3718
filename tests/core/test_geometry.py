"""Crops are what the field's formulas say, and can be undone; boxes overlap as counted pixels do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists, sampled_from, tuples
from scipy.signal import medfilt

from phonoscope.core.faces import Track
from phonoscope.core.geometry import POLICIES, areas, central, crop_track, iou

CORNER, SIDE = integers(-20, 60), integers(1, 40)
BOXES = lists(tuples(CORNER, CORNER, SIDE, SIDE), max_size=12).map(
    lambda rows: np.array([(x, y, x + w, y + h) for x, y, w, h in rows], np.float32).reshape(-1, 4)
)


def wandering(length: int, seed: int = 0) -> Track:
    rng = np.random.default_rng(seed)
    corner = 100 + np.cumsum(rng.normal(0, 4, (length, 2)), 0)
    size = 80 + np.cumsum(rng.normal(0, 1, (length, 2)), 0)
    box = np.hstack([corner, corner + size]).astype(np.float32)
    return Track(3, 7, box, np.ones(length, np.float32), np.ones(length, bool))


@given(length=integers(13, 60), seed=integers(0, 99))
def test_asd_crop_is_the_square_of_the_active_speaker_demos(length, seed):
    track = wandering(length, seed)
    x0, y0, x1, y1 = track.box.T.astype(np.float64)
    half = medfilt(np.maximum(y1 - y0, x1 - x0) / 2, 13)
    y, x = medfilt((y0 + y1) / 2, 13), medfilt((x0 + x1) / 2, 13)
    left, top, bottom = x - half * 1.4, y - half, y + half * 1.8
    crop = crop_track(track, "asd")
    corners = np.array([[[0.0, 0.0], [0.0, 224.0]]] * length)
    source = crop.to_source(corners)
    np.testing.assert_allclose(source[:, 0], np.stack([left, top], 1), atol=1e-6)
    np.testing.assert_allclose(source[:, 1], np.stack([left, bottom], 1), atol=1e-6)


@given(
    policy=sampled_from(sorted(name for name, rule in POLICIES.items() if rule.square)),
    length=integers(1, 40),
    seed=integers(0, 99),
)
def test_to_source_undoes_the_crop(policy, length, seed):
    crop = crop_track(wandering(length, seed), policy)
    points = np.random.default_rng(seed).uniform(0, 224, (length, 5, 2))
    source = crop.to_source(points)
    again = np.einsum("tij,tkj->tki", crop.matrix[:, :, :2], source) + crop.matrix[:, None, :, 2]
    np.testing.assert_allclose(again, points, atol=1e-6)


@given(expand=sampled_from([0.0, 0.3, 0.6, 1.0]))
def test_fixed_crop_is_one_square_and_as_much_wider_as_asked(expand):
    track = wandering(30)
    crop = crop_track(track, "fixed", expand)
    assert (crop.matrix == crop.matrix[0]).all()
    width, height = np.median(track.box[:, 2:] - track.box[:, :2], axis=0)
    side = crop.size[0] / crop.matrix[0, 0, 0]
    assert side == pytest.approx(max(width, height) * (1 + expand))


def test_tight_crop_is_the_box_itself():
    box = np.array([[10, 20, 50, 60]], np.float32)
    crop = crop_track(Track(0, 0, box, np.ones(1), np.ones(1, bool)), "tight")
    np.testing.assert_allclose(crop.to_source(np.array([[[0, 0], [112, 112]]]))[0], [[10, 20], [50, 60]], atol=1e-9)


def test_the_middle_of_a_crop_sees_the_middle():
    crop = crop_track(wandering(20), "asd")
    inner = central(crop, 112)
    whole = crop.to_source(np.full((20, 1, 2), 112.0))
    np.testing.assert_allclose(inner.to_source(np.full((20, 1, 2), 56.0)), whole, atol=1e-9)


def test_mouth_crop_lies_in_the_lower_half_of_the_face():
    track = wandering(20)
    crop = crop_track(track, "mouth")
    centre = crop.to_source(np.full((20, 1, 2), 48.0))[:, 0]
    middle = (track.box[:, 1] + track.box[:, 3]) / 2
    assert (centre[:, 1] > middle).all() and (centre[:, 1] < track.box[:, 3]).all()


def test_an_unknown_policy_is_named_with_those_that_there_are():
    with pytest.raises(ValueError, match="no crop policy 'tigth'; there are asd"):
        crop_track(wandering(5), "tigth")


def test_mouth_crop_does_not_lag_where_a_walking_face_comes_in():
    box = np.array([[400 - 4 * k, 100, 460 - 4 * k, 180] for k in range(40)], np.float32)
    crop = crop_track(Track(0, 0, box, np.ones(40), np.ones(40, bool)), "mouth")
    centre = crop.to_source(np.full((40, 1, 2), 48.0))[:, 0, 0]
    assert np.abs(centre - (box[:, 0] + box[:, 2]) / 2).max() <= 12  # half the window, at the very ends


@given(a=BOXES, b=BOXES)
def test_overlap_is_symmetric_and_a_share(a, b):
    overlap = iou(a, b)
    assert overlap.shape == (len(a), len(b))
    assert np.array_equal(overlap, iou(b, a).T)
    assert ((overlap >= 0) & (overlap <= 1)).all()


@given(boxes=BOXES)
def test_a_box_overlaps_itself_wholly(boxes):
    assert (np.diag(iou(boxes, boxes)) == 1).all()


@given(a=BOXES, b=BOXES)
def test_overlap_equals_the_share_of_pixels_when_counted(a, b):
    def mask(box):
        x0, y0, x1, y1 = (box + 20).astype(int)
        canvas = np.zeros((120, 120), bool)
        canvas[y0:y1, x0:x1] = True
        return canvas

    for i, j in np.ndindex(min(2, len(a)), min(2, len(b))):
        counted = (mask(a[i]) & mask(b[j])).sum() / (mask(a[i]) | mask(b[j])).sum()
        assert np.isclose(iou(a, b)[i, j], counted)


def test_a_box_turned_inside_out_has_no_area_and_overlaps_nothing():
    boxes = np.array([[10, 10, 5, 5], [0, 0, 20, 20]], np.float32)
    assert areas(boxes).tolist() == [0, 400]
    assert iou(boxes, boxes)[0].tolist() == [0, 0]
