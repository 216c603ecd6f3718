"""Quality: measured on the face alone, at one size, and only where there is a picture."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, Tracks, TrackTable
from phonoscope.core.geometry import crop_track
from phonoscope.core.media import Recording
from phonoscope.flow.streams import Film, drive
from phonoscope.media.picture import Picture
from phonoscope.media.probe import probe
from phonoscope.media.video import decode
from phonoscope.steps.quality import QualityParams, quality, sharpness, visible_face
from phonoscope.testing.puppet import one_head
from phonoscope.testing.puppet.truth import truth_of

HEIGHT, WIDTH = 180, 320
FILM = Film(Recording("film-00000000", "", "", Fraction(25), 40, WIDTH, HEIGHT, 0, 0, Fraction(0)))
MEASURES = ("blur", "brightness", "contrast")


def track_of(id: int, start: int, *boxes: tuple[float, float, float, float], score: float = 0.9) -> Track:
    length = len(boxes)
    return Track(id, start, np.array(boxes, np.float32), np.full(length, score, np.float32), np.ones(length, bool))


def seen(grey: np.ndarray, *tracks: Track, size: int = 112) -> TrackTable:
    """Quality of tracks in a film whose every picture is this (H, W) uint8."""
    picture = np.repeat(grey[..., None], 3, 2)
    frames = sorted({frame for track in tracks for frame in range(track.span.start, track.span.stop)})
    film = [Picture.from_rgb(picture, frame) for frame in frames]
    return drive(quality(FILM, Tracks(tracks), QualityParams(size=size)), film)


def noise(seed: int = 0) -> np.ndarray:
    """A picture full of detail, none of it at the limits of brightness."""
    return np.random.default_rng(seed).integers(60, 190, (HEIGHT, WIDTH)).astype(np.uint8)


@given(st.integers(2, 60), st.integers(2, 60), st.integers(0, 2**31))
def test_sharpness_is_the_variance_of_opencvs_laplacian(height, width, seed):
    grey = np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.uint8)
    assert sharpness(grey) == pytest.approx(cv2.Laplacian(grey, cv2.CV_64F).var(), rel=1e-9, abs=1e-9)


def test_a_square_face_inside_the_picture_is_measured_on_its_tight_crop():
    grey, track = noise(), track_of(0, 3, (40, 20, 180, 160))
    made = seen(grey, track)
    picture = Picture.from_rgb(np.repeat(grey[..., None], 3, 2))
    crop = picture.crop_grey(crop_track(track, "tight").matrix[0], (112, 112), 0)
    assert made.columns["blur"][0] == pytest.approx(cv2.Laplacian(crop, cv2.CV_64F).var(), rel=1e-6)
    assert made.columns["brightness"][0] == pytest.approx(crop.mean() / 255, rel=1e-6)
    assert made.columns["contrast"][0] == pytest.approx(crop.std() / 255, rel=1e-6)


def test_each_frame_of_each_track_has_one_row_in_order_with_sizes_counts_and_confidence():
    box = (10.0, 20.0, 60.0, 90.0)
    gap = track_of(2, 4, box, box, box, score=0.5)
    gap.score[1] = np.nan
    made = seen(noise(), track_of(7, 2, box, box, (30, 20, 150, 60)), gap)
    rows = list(zip(made.track.tolist(), made.frame.tolist(), strict=True))
    assert rows == [(2, 4), (2, 5), (2, 6), (7, 2), (7, 3), (7, 4)]
    assert made.columns["size_px"].tolist() == [70, 70, 70, 70, 70, 120]
    assert made.columns["faces"].tolist() == [2, 1, 1, 1, 1, 2]
    assert made.columns["faces"].dtype == np.int32
    np.testing.assert_allclose(made.columns["confidence"], [0.5, np.nan, 0.5, 0.9, 0.9, 0.9], rtol=1e-6)
    assert all(made.columns[name].dtype == np.float32 for name in (*MEASURES, "size_px", "confidence"))


def test_the_more_blurry_the_face_the_lower_its_blur_score():
    track = track_of(0, 0, (60, 20, 200, 160))
    sharp = [seen(cv2.GaussianBlur(noise(), (0, 0), sigma), track).columns["blur"][0] for sigma in (0.5, 1, 2, 4)]
    assert sharp == sorted(sharp, reverse=True)
    assert sharp[0] > 20 * sharp[-1]


def test_a_large_face_scores_as_the_same_face_filmed_smaller():
    large = cv2.GaussianBlur(cv2.resize(noise(), (4 * WIDTH, 4 * HEIGHT)), (0, 0), 3)
    small = cv2.resize(large, (2 * WIDTH, 2 * HEIGHT), interpolation=cv2.INTER_AREA)
    box = np.array([60, 20, 172, 132.0])
    scores = [
        [seen(grey, track_of(0, 0, tuple(box * size))).columns[name][0] for name in MEASURES]
        for grey, size in ((large, 4), (small, 2))
    ]
    np.testing.assert_allclose(scores[0], scores[1], rtol=0.05)


def test_what_surrounds_the_face_does_not_count():
    flat = noise()
    flat[30:150, 50:110] = 128
    made = seen(flat, track_of(0, 0, (52, 32, 108, 148)))  # narrower than high: the crop shows more than the box
    assert made.columns["blur"][0] == made.columns["contrast"][0] == 0
    assert made.columns["brightness"][0] == pytest.approx(128 / 255, abs=2e-3)


@pytest.mark.parametrize("side", [30.0, 90.0, 300.0])
@pytest.mark.parametrize("corner", [(-0.5, -0.5), (0.6, 0.7), (-0.4, 0.2), (0.3, 0.8)])
def test_the_picture_s_edge_is_no_edge_of_the_face(side, corner):
    x, y = corner[0] * side + (WIDTH - side) * (corner[0] > 0), corner[1] * side + (HEIGHT - side) * (corner[1] > 0)
    made = seen(np.full((HEIGHT, WIDTH), 200, np.uint8), track_of(0, 0, (x, y, x + side, y + side)))
    assert made.columns["blur"][0] == made.columns["contrast"][0] == 0
    assert made.columns["brightness"][0] == pytest.approx(200 / 255, abs=2e-3)


def test_of_a_face_outside_the_picture_nothing_is_known_but_its_size():
    beside, corner = (WIDTH + 5, 10, WIDTH + 45, 50), (WIDTH - 0.5, HEIGHT - 0.5, WIDTH + 80, HEIGHT + 80)
    made = seen(noise(), track_of(0, 0, beside, corner))
    assert all(np.isnan(made.columns[name]).all() for name in MEASURES)
    assert made.columns["size_px"].tolist() == [40, 80.5]


@given(
    st.floats(-100, 400),
    st.floats(-100, 300),
    st.floats(4, 200),
    st.floats(4, 200),
    st.sampled_from([16, 56, 112, 200]),
)
def test_whatever_the_box_only_pixels_of_the_picture_are_measured(x, y, wide, high, size):
    bright = Picture.from_rgb(np.full((HEIGHT, WIDTH, 3), 255, np.uint8))
    track = track_of(0, 0, (x, y, x + wide, y + high))
    face = visible_face(bright, track.box[0], crop_track(track, "tight", size=size).matrix[0], size)
    assert (face >= 254).all()
    assert max(face.shape) <= size


def test_drawn_heads_are_sharp_and_well_lit(silent_puppet):
    truth = truth_of(one_head(2.0))
    pictures = decode(silent_puppet, probe(silent_puppet, Fraction(25), 16000).clock, truth.shots.spans)
    made = drive(quality(FILM, truth.tracks(), QualityParams()), pictures)
    assert len(made.track) == 50
    assert (made.columns["blur"] > 20).all()
    assert ((made.columns["brightness"] > 0.2) & (made.columns["brightness"] < 0.9)).all()
    assert (made.columns["faces"] == 1).all()
    assert np.ptp(made.columns["brightness"]) < 0.05


def test_nobody_has_no_quality():
    made = drive(quality(FILM, Tracks(), QualityParams()), [])
    assert {len(column) for column in made.columns.values()} == {0}


def test_a_size_that_shows_nothing_is_refused():
    with pytest.raises(UsageError, match=r"quality\.size must be 8 or more"):
        QualityParams(size=4)
