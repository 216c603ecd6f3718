"""Faces are looked for where they may be new, and given in pixels of the source."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import integers

from phonoscope.core.media import Recording
from phonoscope.flow.streams import Film, drive
from phonoscope.media.picture import Picture
from phonoscope.steps.faces import FacesParams, faces
from phonoscope.testing.fakes import FakeDetector


def film(frames, size=(96, 160)):
    about = Recording(
        id="x", source="", sha256="", fps=Fraction(25), num_frames=frames, width=size[1], height=size[0],
        sample_rate=0, num_samples=0, av_start=Fraction(0),
    )  # fmt: skip
    return Film(about)


def white_square(x, y, side, size=(96, 160), ground=60):
    image = np.full((*size, 3), ground, np.uint8)
    image[y : y + side, x : x + side] = 255
    return image


def found_in(images, p=None, size=(96, 160)):
    pictures = [Picture.from_rgb(image, k) for k, image in enumerate(images)]
    return drive(faces(film(len(images), size), FakeDetector(), p or FacesParams()), pictures)


@settings(max_examples=15)
@given(length=integers(2, 40), every=integers(1, 9))
def test_every_nth_frame_and_the_last_are_looked_at(length, every):
    found = found_in([white_square(20, 20, 30)] * length, FacesParams(every=every))
    assert found.frame.tolist() == sorted({*range(0, length, every), length - 1})


def test_both_sides_of_a_cut_are_looked_at_once_each():
    images = [white_square(20, 20, 30)] * 13 + [white_square(90, 40, 30, ground=150)] * 14
    found = found_in(images, FacesParams(every=5))
    assert found.frame.tolist() == [0, 5, 10, 12, 13, 15, 20, 25, 26]


def test_boxes_are_in_source_pixels_whatever_the_detector_saw():
    big = white_square(400, 200, 120, size=(720, 1280))
    found = found_in([big], FacesParams(size=320), size=(720, 1280))
    np.testing.assert_allclose(found.box, [[400, 200, 520, 320]], atol=4)
    assert found.box.dtype == np.float32 and found.points.shape == (1, 5, 2)
    inside = (found.points[0] > [400, 200]) & (found.points[0] < [520, 320])
    assert inside.all()


def test_unsure_faces_are_left_out():
    pictures = [Picture.from_rgb(white_square(20, 20, 30), 0)]
    sure = drive(faces(film(1), FakeDetector(score=0.7), FacesParams(min_score=0.6)), pictures)
    unsure = drive(faces(film(1), FakeDetector(score=0.5), FacesParams(min_score=0.6)), pictures)
    assert (len(sure), len(unsure)) == (1, 0)


def test_no_face_is_a_result():
    found = found_in([np.full((96, 160, 3), 60, np.uint8)] * 3)
    assert len(found) == 0 and found.box.shape == (0, 4) and found.points.shape == (0, 5, 2)


@pytest.mark.real
def test_the_frames_looked_at_hold_every_cut_of_real_film(shared_data):
    from phonoscope.core.change import change, small_hsv, small_size
    from phonoscope.media.probe import probe
    from phonoscope.media.video import decode
    from phonoscope.steps.shots import ShotsParams, content_cuts

    path = shared_data / "b_multi_face" / "whitehouse_hamilton_10s.mp4"
    about = probe(path, Fraction(25), 16000)
    size = small_size(film(about.num_frames, (about.height, about.width)).recording)
    pictures = [small_hsv(p, size) for p in decode(path, about.clock, [film(about.num_frames).recording.span])]
    exact = [0.0, *(change(a, b) for a, b in pairwise(pictures))]
    sparse = [0.0, *(change(a[::2, ::2], b[::2, ::2]) for a, b in pairwise(pictures))]
    cuts = content_cuts(np.array(exact), ShotsParams())
    assert len(cuts) >= 3 and all(sparse[cut] >= FacesParams().jump for cut in cuts)
